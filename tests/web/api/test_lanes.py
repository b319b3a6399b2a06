"""Lanes: work that takes its time has a place of its own, and an end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from dispatch.web.api.lanes import Lane
from dispatch.web.api.problems import RefusalError


def test_who_finds_a_lane_full_is_told_to_come_back() -> None:
    lane, gate = Lane("test", threads=1, most=2), threading.Event()

    async def go() -> list[object]:
        inside = [asyncio.ensure_future(lane.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RefusalError) as refused:
            await lane.run(gate.wait)
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "10"})
        gate.set()
        done = await asyncio.gather(*inside)
        return [*done, await lane.run(lambda: "again")]

    assert asyncio.run(go()) == [True, True, "again"]


def test_what_fails_gives_its_place_back() -> None:
    lane = Lane("test", threads=1, most=1)

    def fail() -> None:
        raise ValueError("broken")

    async def go() -> None:
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                await lane.run(fail)

    asyncio.run(go())


def test_a_caller_who_goes_away_leaves_the_work_to_be_finished() -> None:
    lane, gate, done = Lane("test", threads=1, most=1), threading.Event(), threading.Event()
    began = threading.Event()

    def work() -> None:
        began.set()
        gate.wait()
        done.set()

    async def go() -> None:
        asked = asyncio.ensure_future(lane.run(work))
        await asyncio.to_thread(began.wait)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        gate.set()
        await asyncio.to_thread(done.wait, 10)
        assert done.is_set()

    asyncio.run(go())
