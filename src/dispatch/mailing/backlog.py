"""The recipients that a sender holds in memory, and whose copy goes next.

    recipients ──domains, rate──▶ press ──▶ a connection
         ▲   │
         │   └── parked, while their domain rests
         └────── put back, if the copy did not leave

A copy is made when a connection is ready for it, or a little before where
signing it takes long; who is parked costs next to no memory. All times are of one
monotonic clock, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from itertools import chain

from dispatch.ledger.facts import Recipient
from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.transport import Copy

Press = Callable[[Recipient], Copy | None]
"""Makes a recipient's copy; None: there can be none, and that is dealt with."""

_LONGEST = 600.0
"""Seconds before the turn of somebody who was given back is looked at again, at most: their domain
may have become faster."""


class Backlog:
    """Work in memory, in the order it was leased but for domains that rest.

    Args:
        press: makes the copies.
        rate: of all copies together.
        domains: how fast each recipient domain may go.
        clock: monotonic, in seconds.
        ahead: copies are made elsewhere and come with :meth:`ready`; ``press`` is only for those
            that were parked.
    """

    def __init__(
        self,
        press: Press,
        rate: Rate,
        domains: Domains,
        clock: Callable[[], float],
        *,
        ahead: bool = False,
    ) -> None:
        self._press = press
        self._rate = rate
        self._domains = domains
        self._clock = clock
        self._ahead = ahead
        self._recipients: deque[Recipient] = deque()
        self._copies: deque[Copy] = deque()  # before them: put back, or made ahead
        self._parked: dict[str, deque[Recipient | Copy]] = {}
        self._parked_count = 0
        self._wakes: list[tuple[float, str]] = []
        self._turns: dict[str, float] = {}  # of those who were given back, the last one's
        self.wake: float | None = None
        """When there may be something to take again, where pacing alone holds it back."""

    def __len__(self) -> int:
        """How many are held."""
        return self.at_hand + self._parked_count

    @property
    def parked(self) -> int:
        """How many wait for a domain that rests."""
        return self._parked_count

    @property
    def at_hand(self) -> int:
        """How many could go now, as far as is known of their domains."""
        return len(self._recipients) + len(self._copies)

    @property
    def pressed(self) -> int:
        """How many copies lie ready."""
        return len(self._copies)

    def add(self, recipients: Iterable[Recipient]) -> None:
        self._recipients.extend(recipients)

    def unpressed(self, count: int) -> list[Recipient]:
        """Take out up to ``count`` recipients whose copies are to be made elsewhere."""
        batch: list[Recipient] = []
        while self._recipients and len(batch) < count:
            recipient = self._recipients.popleft()
            if recipient.domain in self._parked:
                self._park(recipient)
            else:
                batch.append(recipient)
        return batch

    def ready(self, copies: Iterable[Copy]) -> None:
        """Copies that were made elsewhere."""
        self._copies.extend(copies)

    def put_back(self, copy: Copy) -> None:
        """A copy that was taken and did not leave goes first."""
        self._copies.appendleft(copy)

    # What goes next ----------------------------------------------------------------------------

    def take(self) -> Copy | None:
        """The next copy that may leave now; None: see :attr:`wake`."""
        now = self._clock()
        self.wake = None
        wait = self._rate.take(now)
        if wait:
            self.wake = now + wait
            return None
        while (item := self._woken(now) or self._fresh(now)) is not None:
            copy = item if isinstance(item, Copy) else self._press(item)
            if copy is not None:
                return copy
            self._domains.unused(item.domain, now)
        self._rate.unused(now)
        if self._wakes:
            self.wake = self._wakes[0][0]
        return None

    def _woken(self, now: float) -> Recipient | Copy | None:
        """Somebody whose domain has rested long enough."""
        while self._wakes and self._wakes[0][0] <= now:
            domain = self._wakes[0][1]
            wait = self._domains.may_send(domain, now)
            if wait:
                heapreplace(self._wakes, (now + wait, domain))
                continue
            queue = self._parked[domain]
            self._parked_count -= 1
            item = queue.popleft()
            if not queue:
                heappop(self._wakes)
                del self._parked[domain]
            return item
        return None

    def _fresh(self, now: float) -> Recipient | Copy | None:
        """Somebody whom nothing has held back so far; those whose domain rests are parked."""
        while True:
            item: Recipient | Copy
            if self._copies:
                item = self._copies.popleft()
            elif self._recipients and not self._ahead:
                item = self._recipients.popleft()
            else:
                return None
            if item.domain in self._parked:
                self._park(item)
                continue
            wait = self._domains.may_send(item.domain, now)
            if not wait:
                return item
            self._park(item)
            heappush(self._wakes, (now + wait, item.domain))

    def _park(self, item: Recipient | Copy) -> None:
        self._parked.setdefault(item.domain, deque()).append(item)
        self._parked_count += 1

    # Taking out --------------------------------------------------------------------------------

    def withdraw(self, unwanted: Callable[[int], bool] = lambda _key: True) -> list[int]:
        """Take out who is ``unwanted`` by their key, by default everybody; returns the keys."""
        everybody = chain(self._recipients, self._copies, *self._parked.values())
        gone = {item.key for item in everybody if unwanted(item.key)}
        self._recipients = deque(r for r in self._recipients if r.key not in gone)
        self._copies = deque(c for c in self._copies if c.key not in gone)
        for domain, queue in list(self._parked.items()):
            self._parked[domain] = deque(item for item in queue if item.key not in gone)
        self._forget_empty()
        return sorted(gone)

    def surplus(self, most: int) -> list[tuple[int, float]]:
        """Take out the last of those that are parked, until ``most`` are left.

        Returns:
            Keys, and when it will be their turn at their domain's present speed.
        """
        now = self._clock()
        wakes = {domain: wake for wake, domain in self._wakes}
        fair = most // max(1, len(self._parked))
        out: list[tuple[int, float]] = []
        for domain, queue in self._parked.items():
            gap = self._domains.gap(domain)
            turn = max(self._turns.get(domain, 0.0), wakes[domain] + fair * gap)
            taken = [queue.pop() for _ in range(len(queue) - fair)]
            for item in reversed(taken):
                turn = min(turn + gap, now + _LONGEST)
                out.append((item.key, turn))
            if taken:
                self._turns[domain] = turn
        self._turns = {domain: turn for domain, turn in self._turns.items() if turn > now}
        self._forget_empty()
        return out

    def _forget_empty(self) -> None:
        self._parked = {domain: queue for domain, queue in self._parked.items() if queue}
        self._parked_count = sum(map(len, self._parked.values()))
        self._wakes = [(wake, domain) for wake, domain in self._wakes if domain in self._parked]
        heapify(self._wakes)
