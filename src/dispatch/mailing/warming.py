"""New relays are warmed up: each day they may take more messages, and no more than that.

What a relay has taken is counted by the day (UTC), durably, for all processes
together. Each of them knows what the others took as of its last group commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime

from sqlalchemy import Connection as Transaction

from dispatch.store import relay_days

_DAY = 86_400_000
_FIRST_DAY = 500
_DOUBLING_DAYS = 7
_DAYS = 30


def allowance(first: date, day: date) -> int:
    """Messages that may go on ``day`` from an IP address that no mailbox provider knows yet.

    500 on the ``first`` day it is sent from, twice as many on each day of a week (64,000 on the
    eighth), half as many again on each day after that; a day before the first counts as it.
    After thirty days it is more than anybody sends.
    """
    days = min(max(0, (day - first).days), _DAYS)
    doubled = min(days, _DOUBLING_DAYS)
    return int(_FIRST_DAY * 2**doubled * 1.5 ** (days - doubled))


class Warming:
    """What relays may take today.

    :meth:`record` and :meth:`recorded` belong to the ledger's thread, the others to the loop's.

    Args:
        first: the days that the relays which are warmed up were first sent from, by their names.
    """

    def __init__(self, first: Mapping[str, date]) -> None:
        self._first = first
        self._day = date.min
        self._ends = 0
        self._accepted: Counter[str] = Counter()  # here, since the start
        self._in_flight: Counter[str] = Counter()
        # What was accepted today, everywhere, and what was accepted here when that was read. The
        # ledger's thread puts another pair into its place; neither is ever changed.
        self._known: tuple[Mapping[str, int], Mapping[str, int]] = {}, {}
        self._next = self._known

    def left(self, relay: str) -> int | None:
        """How many more messages it may take today; None: it is not being warmed up."""
        first = self._first.get(relay)
        if first is None:
            return None
        today, then = self._known
        taken = today.get(relay, 0) + self._accepted[relay] - then.get(relay, 0)
        return max(0, allowance(first, self._day) - taken)

    def may_take(self, relay: str) -> bool:
        """Whether it may be given one more, even if all that are in flight are accepted."""
        left = self.left(relay)
        return left is None or self._in_flight[relay] < left

    def until_tomorrow(self, now: int) -> float:
        """Seconds until its next day; ``now`` is in epoch milliseconds."""
        return max(1.0, (self._ends - now) / 1000)

    def given(self, relay: str) -> None:
        """It was given a copy."""
        if relay in self._first:
            self._in_flight[relay] += 1

    def not_given(self, relay: str) -> None:
        """There was no copy, after all."""
        if relay in self._first:
            self._in_flight[relay] -= 1

    def answered(self, relay: str, *, accepted: bool) -> bool:
        """A copy that it was given is not in flight any more.

        Returns:
            Whether that decides something for connections that were given nothing.
        """
        if relay not in self._first:
            return False
        self._in_flight[relay] -= 1
        self._accepted[relay] += accepted
        return not accepted or not self.left(relay)

    def record(self, transaction: Transaction, now: int) -> None:
        """Write down what was accepted, and learn what others have seen accepted."""
        if not self._first:
            return
        here, written = dict(self._accepted), self._known[1]
        if self._day != date.min:
            new = {relay: count - written.get(relay, 0) for relay, count in here.items()}
            relay_days.add(transaction, self._day, new)
        if not self._ends - _DAY <= now < self._ends:
            self._day = datetime.fromtimestamp(now / 1000, UTC).date()
            self._ends = (now // _DAY + 1) * _DAY
        self._next = relay_days.of(transaction, self._day), here

    def recorded(self) -> None:
        """What :meth:`record` wrote is durable."""
        self._known = self._next
