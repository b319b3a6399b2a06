"""Which connections are open, and which of them is given work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import cast

from dispatch.mailing.health import Relays
from dispatch.mailing.lines import Lines
from dispatch.mailing.means import Means
from dispatch.mailing.relays import Relay, parse
from dispatch.mailing.transport import Connection, Copy, End, Result, Work
from dispatch.mailing.warming import Warming

ONE, TWO = parse("smtp://one.example"), parse("smtp://two.example")


class Wire:
    """A connection that is led by hand: it asks for work when poked, and ends when told to."""

    def __init__(self, relay: Relay, work: Work) -> None:
        self.relay = relay
        self.work = work
        self.taken: list[Copy] = []
        self.end = asyncio.Event()
        self.how = End("finished")

    async def run(self) -> End:
        self.poke()
        await self.end.wait()
        return self.how

    def poke(self) -> None:
        if (copy := self.work.take(self)) is not None:
            self.taken.append(copy)

    def finish(self) -> None:
        self.end.set()

    def abort(self) -> None:
        self.end.set()

    def break_off(self) -> None:
        self.how = End("down", f"{self.relay.name} broke off.")
        self.end.set()


class Desk:
    """Work for connections: copies in a row."""

    def __init__(self, *relays: Relay, copies: int, most: int = 10) -> None:
        self.waiting = deque(Copy(n, "", f"a{n}@example.org", "", b"") for n in range(copies))
        self.wires: list[Wire] = []
        self.said: list[str] = []
        self.errors: list[BaseException] = []
        means = cast(
            Means,
            _Means(
                relays=Relays(relays, Random(1)),
                connect=self.connect,
                warming=Warming({}),
                now=lambda: 0,
            ),
        )
        self.lines = Lines(
            means, self, most, slowly=False, demand=lambda: len(self.waiting),
            said=self.said.append, none=lambda: None, failed=self.errors.append,
        )  # fmt: skip

    def connect(self, relay: Relay, work: Work) -> Connection:
        self.wires.append(Wire(relay, work))
        return self.wires[-1]

    def take(self, connection: Connection) -> Copy | None:
        line = self.lines.of(connection)
        line.idle = ""
        if not self.lines.may_take(line, asyncio.get_running_loop().time()):
            return None
        if self.waiting:
            return self.waiting.popleft()
        line.idle = "work"
        return None

    def leaving(self, _copy: Copy) -> bool:
        return True

    def done(self, result: Result) -> None:
        raise NotImplementedError

    def refused(self, wire: Wire) -> None:
        """The relay of ``wire`` says that it is too busy."""
        result = Result(wire.taken[-1], "deferred", "451 4.3.2 busy", 451, "4.3.2", "relay")
        now = asyncio.get_running_loop().time()
        self.lines.answered(self.lines.of(wire), result, now)


class _Means:
    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)


def led(story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(run())


async def rounds() -> None:
    """Let everything happen that is about to."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_there_are_as_many_as_there_is_work_for_up_to_a_bound() -> None:
    async def story() -> None:
        desk = Desk(ONE, copies=30, most=4)
        keeping = asyncio.create_task(desk.lines.keep())
        await rounds()
        assert len(desk.wires) == 4
        await desk.lines.close(1)
        await keeping
        assert not desk.errors

    led(story)


def test_nobody_is_opened_beside_one_that_has_nothing_to_do() -> None:
    async def story() -> None:
        desk = Desk(ONE, copies=1)
        keeping = asyncio.create_task(desk.lines.keep())
        await rounds()
        desk.wires[0].poke()
        assert desk.lines.of(desk.wires[0]).idle == "work"
        desk.waiting.append(Copy(9, "", "a@example.org", "", b""))
        desk.lines.changed.set()
        await rounds()
        assert len(desk.wires) == 1
        desk.lines.poke()
        assert [copy.key for copy in desk.wires[0].taken] == [0, 9]
        await desk.lines.close(1)
        await keeping

    led(story)


def test_a_relay_whose_pace_holds_it_back_keeps_no_work_from_another() -> None:
    async def story() -> None:
        desk = Desk(ONE, TWO, copies=2, most=2)
        keeping = asyncio.create_task(desk.lines.keep())
        await rounds()
        one, two = desk.wires
        desk.refused(one)
        desk.waiting.append(Copy(2, "", "a@example.org", "", b""))
        one.poke()
        one.poke()
        assert desk.lines.of(one).idle == "pace"
        two.poke()
        assert desk.lines.of(two).idle == "work"
        desk.waiting.extend(Copy(n, "", "a@example.org", "", b"") for n in (7, 8))
        desk.lines.poke()
        assert [copy.key for copy in two.taken] == [1, 7]
        await desk.lines.close(1)
        await keeping

    led(story)


def test_why_connections_broke_off_is_said_once() -> None:
    async def story() -> None:
        desk = Desk(ONE, copies=30, most=5)
        keeping = asyncio.create_task(desk.lines.keep())
        await rounds()
        for wire in desk.wires:
            wire.break_off()
        await rounds()
        assert desk.said == ["one.example:25 broke off."]
        await desk.lines.close(1)
        await keeping

    led(story)


def test_what_goes_wrong_in_opening_is_not_lost() -> None:
    async def story() -> None:
        desk = Desk(ONE, copies=1)

        def cannot(_relay: Relay, _work: Work) -> Connection:
            raise RuntimeError("no way")

        desk.lines._connect = cannot
        await desk.lines.keep()
        assert [str(error) for error in desk.errors] == ["no way"]

    led(story)
