"""Copies that are made ahead, in threads of their own: signing one takes longer than sending it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from dispatch.ledger.facts import Outcome, Recipient
from dispatch.mailing.backlog import Backlog
from dispatch.mailing.transport import Copy

_AHEAD = 200
"""Copies that are made before they are asked for."""
_AT_ONCE = 16
_THREADS = 2

Make = Callable[[Recipient], Copy | Outcome]
"""Makes a copy, or says why there can be none; for any thread."""


class Ahead:
    """Keeps a backlog supplied with copies.

    Args:
        ready: called in the loop's thread with what was made.
        failed: the same, with what went wrong where nothing should.
    """

    def __init__(
        self,
        backlog: Backlog,
        make: Make,
        ready: Callable[[Sequence[Copy | Outcome]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._backlog = backlog
        self._make = make
        self._ready, self._failed = ready, failed
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(_THREADS, "signer")
        self._being_made = 0
        self._closed = False

    def go_on(self) -> None:
        """Have more made, where fewer lie ready than should."""
        while self._backlog.pressed + self._being_made < _AHEAD and not self._closed:
            batch = self._backlog.unpressed(_AT_ONCE)
            if not batch:
                return
            self._being_made += len(batch)
            made = self._loop.run_in_executor(self._threads, self._made, batch)
            made.add_done_callback(self._done)

    def close(self) -> None:
        """Make no more. What is being made still comes."""
        self._closed = True
        self._threads.shutdown(wait=False)

    def _made(self, batch: Sequence[Recipient]) -> list[Copy | Outcome]:
        return [self._make(recipient) for recipient in batch]

    def _done(self, made: asyncio.Future[list[Copy | Outcome]]) -> None:
        if made.cancelled():
            return
        if error := made.exception():
            self._failed(error)
            return
        self._being_made -= len(made.result())
        self._ready(made.result())
