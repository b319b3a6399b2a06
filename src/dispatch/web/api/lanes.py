"""Threads for the API's work, apart from those that serve readers.

A long import or a publishing that waits for the disk must not hold up the pages.
Each kind of work has its lane, and each lane ends: who finds it full is told to
come back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from dispatch.web.api.problems import RefusalError

Args = ParamSpec("Args")
Result = TypeVar("Result")

AGAIN_AFTER = 10
"""Seconds after which a lane that was full is worth another try."""


class Lane:
    """Some threads, and a bounded queue before them.

    Args:
        threads: pieces of work at once.
        most: pieces of work that are under way or wait, together.
    """

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._name, self._threads, self._most = name, threads, most
        self._pool: ThreadPoolExecutor | None = None
        self._inside = 0
        self._counting = threading.Lock()

    async def run(
        self, work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Do ``work`` in a thread; it is finished even where the caller goes away.

        Raises:
            RefusalError: 503, the lane is full; and whatever ``work`` raises.
        """
        with self._counting:
            if self._inside >= self._most:
                raise RefusalError(
                    503,
                    "Too much is being done here at the moment. Nothing was done: ask again later.",
                    headers={"Retry-After": str(AGAIN_AFTER)},
                )
            self._inside += 1
            if self._pool is None:  # not before it is needed: processes may part until then
                self._pool = ThreadPoolExecutor(self._threads, f"api-{self._name}")
        done = self._pool.submit(partial(work, *args, **kwargs))
        done.add_done_callback(self._leave)
        return await asyncio.wrap_future(done)

    def _leave(self, _done: object) -> None:
        with self._counting:
            self._inside -= 1


questions = Lane("questions", threads=4, most=100)
"""What is read or written in moments."""
newsroom = Lane("newsroom", threads=1, most=8)
"""Publishing and making mailings: one at a time, as the newsroom's lock has it anyway."""
imports = Lane("imports", threads=1, most=3)
"""Lists of subscribers."""
tests = Lane("tests", threads=1, most=3)
"""Test copies, which wait for a relay."""
