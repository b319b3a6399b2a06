"""The copies that a sender holds in memory, and which of them goes next.

    recipients ──press──▶ copies ──rate, domains──▶ a connection
                             ▲            │
                             └── parked ◀─┘ its domain rests

A recipient's message is made when a connection is ready for it, or a little
before where signing it takes long. All times are of one monotonic clock, in
seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush, heapreplace

from dispatch.ledger.facts import Recipient
from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.transport import Copy

Press = Callable[[Recipient], Copy | None]
"""Makes a recipient's copy; None: there can be none, and that is dealt with."""


class Backlog:
    """Work in memory, in the order it was leased but for domains that rest.

    Args:
        press: makes the copies; None: they are made elsewhere and come with :meth:`ready`.
        rate: of all copies together.
        domains: how fast each recipient domain may go.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, press: Press | None, rate: Rate, domains: Domains, clock: Callable[[], float]
    ) -> None:
        self._press = press
        self._rate = rate
        self._domains = domains
        self._clock = clock
        self._recipients: deque[Recipient] = deque()
        self._copies: deque[Copy] = deque()
        self._parked: dict[str, deque[Copy]] = {}
        self._wakes: list[tuple[float, str]] = []
        self.wake: float | None = None
        """When there may be something to take again, where pacing alone holds it back."""

    def __len__(self) -> int:
        """How many recipients and copies are held."""
        return len(self._recipients) + len(self._copies) + self.parked_copies

    @property
    def parked_copies(self) -> int:
        """How many wait for a domain that rests."""
        return sum(map(len, self._parked.values()))

    @property
    def at_hand(self) -> int:
        """How many could go now, as far as their domains are concerned."""
        return len(self._recipients) + len(self._copies)

    @property
    def pressed(self) -> int:
        """How many copies lie ready."""
        return len(self._copies)

    def add(self, recipients: Iterable[Recipient]) -> None:
        self._recipients.extend(recipients)

    def unpressed(self, count: int) -> list[Recipient]:
        """Take out up to ``count`` recipients whose copies are to be made elsewhere."""
        batch = self._recipients
        return [batch.popleft() for _ in range(min(count, len(batch)))]

    def ready(self, copies: Iterable[Copy]) -> None:
        """Copies that were made elsewhere."""
        self._copies.extend(copies)

    def put_back(self, copy: Copy) -> None:
        """A copy that was taken and did not leave goes first."""
        self._copies.appendleft(copy)

    def take(self) -> Copy | None:
        """The next copy that may leave now; None: see :attr:`wake`."""
        now = self._clock()
        self.wake = None
        wait = self._rate.take(now)
        if wait:
            self.wake = now + wait
            return None
        copy = self._woken(now) or self._fresh(now)
        if copy is None:
            self._rate.unused(now)
            if self._wakes:
                self.wake = self._wakes[0][0]
        return copy

    def withdraw(self, unwanted: Callable[[int], bool] = lambda _key: True) -> list[int]:
        """Take out what is ``unwanted`` by its key, by default everything; returns the keys."""
        out = [r.key for r in self._recipients if unwanted(r.key)]
        out += [c.key for c in self._copies if unwanted(c.key)]
        out += [c.key for copies in self._parked.values() for c in copies if unwanted(c.key)]
        gone = set(out)
        self._recipients = deque(r for r in self._recipients if r.key not in gone)
        self._copies = deque(c for c in self._copies if c.key not in gone)
        left = {
            domain: deque(copy for copy in copies if copy.key not in gone)
            for domain, copies in self._parked.items()
        }
        self._parked = {domain: copies for domain, copies in left.items() if copies}
        self._wakes = [(wake, domain) for wake, domain in self._wakes if domain in self._parked]
        heapify(self._wakes)
        return out

    def unpark(self) -> list[tuple[int, float]]:
        """Take out what waits for a domain that rests: keys, and when the domain may go on."""
        wakes = {domain: wake for wake, domain in self._wakes}
        out = [(c.key, wakes[domain]) for domain, copies in self._parked.items() for c in copies]
        self._parked.clear()
        self._wakes.clear()
        return out

    def _woken(self, now: float) -> Copy | None:
        """A copy for a domain that has rested long enough."""
        while self._wakes and self._wakes[0][0] <= now:
            domain = self._wakes[0][1]
            wait = self._domains.may_send(domain, now)
            if wait:
                heapreplace(self._wakes, (now + wait, domain))
                continue
            copy = self._parked[domain].popleft()
            if not self._parked[domain]:
                heappop(self._wakes)
                del self._parked[domain]
            return copy
        return None

    def _fresh(self, now: float) -> Copy | None:
        """A copy that nothing has held back so far; those of domains that rest are parked."""
        while copy := self._next():
            if copy.domain in self._parked:
                self._parked[copy.domain].append(copy)
                continue
            wait = self._domains.may_send(copy.domain, now)
            if not wait:
                return copy
            self._parked[copy.domain] = deque([copy])
            heappush(self._wakes, (now + wait, copy.domain))
        return None

    def _next(self) -> Copy | None:
        if self._copies:
            return self._copies.popleft()
        while self._press and self._recipients:
            if copy := self._press(self._recipients.popleft()):
                return copy
        return None
