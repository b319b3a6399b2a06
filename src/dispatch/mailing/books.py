"""The ledger as a sender uses it: what it holds, and what is to be written down next.

One group commit records what became of copies, renews what is held and leases
more. It runs in a thread of its own, one after the other, while the loop goes on
sending; what the loop notes meanwhile belongs to the next one.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection as Transaction

from dispatch.errors import DeliveryError
from dispatch.ledger.facts import Claim, Outcome, Recipient
from dispatch.ledger.lease import Lease
from dispatch.mailing.means import Means, Press
from dispatch.mailing.transport import Result

_LEASE_LASTS = 120_000
"""Milliseconds before somebody else may take over what a sender holds and does not renew."""
_RECOVER = 30_000
"""Milliseconds between two looks for leases whose owners have died."""


@dataclass(slots=True)
class Held:
    """A leased recipient that has no outcome yet."""

    lease: Lease
    recipient: Recipient
    broken: int = 0
    """How many connections have broken off at it before its last byte."""


class Books:
    """What a sender holds of the ledger; for the loop, but for the methods named ``_in_thread``.

    Args:
        said: is told sentences, in the ledger's thread.
    """

    def __init__(self, means: Means, said: Callable[[str], None]) -> None:
        self._ledger = means.ledger
        self._room = means.room
        self._warming = means.warming
        self._now = means.now
        self._said = said
        self._thread = ThreadPoolExecutor(1, "ledger")
        self.held: dict[int, Held] = {}
        self.presses: dict[int, Press] = {}
        self._open: set[int] = set()  # keys of the leases that were open after the last commit
        self._recorded: Counter[str] = Counter()
        # Filled in the loop, emptied in the thread.
        self._refused: deque[tuple[Recipient, Result]] = deque()
        self._pauses: deque[tuple[int, str]] = deque()
        self._served = 0
        self._turns: dict[int, int] = {}  # of mailings, the last one that was put off
        self.waits = False
        """Whether somebody who was put off is still to have their turn, as of the last commit."""
        self._recover_next = float("-inf")
        self.hurry = asyncio.Event()
        """Set where the next commit should not wait."""

    # Holding -----------------------------------------------------------------------------------

    def record(self, outcome: Outcome) -> None:
        """What became of a recipient; they are held no longer."""
        self.held.pop(outcome.key).lease.note(outcome)
        self._recorded[outcome.state] += 1
        if not self.held:
            self.hurry.set()

    def give_back(self, keys: Iterable[int], due: int = 0) -> None:
        """These were not tried; ``due`` in epoch milliseconds."""
        for key in keys:
            self.record(Outcome(key, "queued", "", due))

    def put_off(self, turns: Iterable[tuple[int, float]]) -> None:
        """These are not tried before their turns come, in seconds from now."""
        now = self._now()
        for key, seconds in turns:
            edition, due = self.held[key].recipient.edition, now + int(seconds * 1000)
            self._turns[edition] = max(due, self._turns.get(edition, 0))
            self.give_back([key], due)

    def forget(self, keys: Iterable[int]) -> None:
        """These are in other hands, or settled by others."""
        for key in keys:
            del self.held[key]

    def refuse(self, recipient: Recipient, result: Result) -> None:
        """The recipient was refused for good. Call it before that is recorded."""
        self._refused.append((recipient, result))

    def pause(self, edition: int, reason: str) -> None:
        """Have a mailing paused by the next commit."""
        self._pauses.append((edition, reason))
        self.hurry.set()

    def halted(self) -> set[int]:
        """Mailings that something is leased of and that are not sending, as of the last commit."""
        editions = {lease.edition for lease in self._ledger.leases}
        return {edition for edition in editions if self._ledger.state(edition) != "sending"}

    def lost(self) -> list[int]:
        """Recipients whose leases were taken away: this process had been asleep for too long."""
        still_open = {lease.key for lease in self._ledger.leases}
        gone, self._open = self._open - still_open, still_open
        if not gone:
            return []
        return [key for key, held in self.held.items() if held.lease.key in gone]

    def take_recorded(self) -> Counter[str]:
        """The states of what was recorded since the last call."""
        recorded, self._recorded = self._recorded, Counter()
        return recorded

    # Group commits -----------------------------------------------------------------------------

    async def commit(self, want: int) -> Lease | None:
        """The next group commit; leases up to ``want`` recipients of a mailing that has work due.

        Raises:
            StoreError: the ledger cannot be written. What was noted is kept for the next commit.
        """
        loop = asyncio.get_running_loop()
        lease = await loop.run_in_executor(self._thread, self._commit_in_thread, want)
        if lease:
            for recipient in lease.recipients:
                self.held[recipient.key] = Held(lease, recipient)
        return lease

    async def recover(self) -> bool:
        """Settle what others have left behind; whether there was anything."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._recover_in_thread)

    async def close(self) -> None:
        """Record what was noted and give back the rest; nothing of it may be in flight any more.

        Raises:
            StoreError: the ledger cannot be written. The next one to recover does it then.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._close_in_thread)
        finally:
            self._thread.shutdown()

    def forget_presses(self) -> None:
        """Let go of the presses of mailings that nothing is leased of."""
        for edition in self.presses.keys() - {lease.edition for lease in self._ledger.leases}:
            del self.presses[edition]

    def _commit_in_thread(self, want: int) -> Lease | None:
        now = self._now()
        if not self._recover_next - _RECOVER <= now < self._recover_next:
            self._recover_in_thread()
        while self._pauses:
            self._ledger.pause(*self._pauses[0], now)
            self._pauses.popleft()

        def choose(transaction: Transaction) -> Claim | None:
            self._turns = {e: turn for e, turn in self._turns.items() if turn > now}
            self.waits = any(self._room.sends(transaction, edition) for edition in self._turns)
            edition = self._room.due(transaction, now, self._served) if want else None
            return None if edition is None else Claim(edition, want, _LEASE_LASTS)

        with self._effects_in_thread(now) as also:
            lease = self._ledger.commit(now, choose, also)
        if lease:
            self._served = lease.edition
            self._make_press_in_thread(lease.edition, now)
        return lease

    @contextmanager
    def _effects_in_thread(self, now: int) -> Iterator[Callable[[Transaction], None]]:
        """What belongs into a transaction besides the ledger; kept where that fails."""
        refused = [self._refused.popleft() for _ in range(len(self._refused))]

        def also(transaction: Transaction) -> None:
            self._warming.record(transaction, now)
            if refused:
                self._room.refused(transaction, refused)

        try:
            yield also
        except BaseException:
            self._refused.extendleft(reversed(refused))
            raise
        self._warming.recorded()

    def _make_press_in_thread(self, edition: int, now: int) -> None:
        """Have its press ready; where there can be none, the mailing is paused."""
        if edition in self.presses:
            return
        try:
            self.presses[edition] = self._room.press(edition)
        except DeliveryError as error:
            self._said(str(error))
            self._ledger.pause(edition, str(error), now)

    def _recover_in_thread(self) -> bool:
        now = self._now()
        self._recover_next = now + _RECOVER
        recovered = self._ledger.recover(now, self._room.recovered)
        for number, count in recovered.in_doubt.items():
            self._said(
                f"Mailing {number} was cut off: {count:,} copies were in flight at that moment and "
                f"are in doubt. dispatch mailing recipients {number} --state in-doubt lists them."
            )
        return bool(recovered)

    def _close_in_thread(self) -> None:
        now = self._now()
        with self._effects_in_thread(now) as also:
            self._ledger.close(now, also, self._room.recovered)
