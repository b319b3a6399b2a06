"""Which relay a connection goes to: those that work, the preferred ones first, by their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from random import Random
from typing import Generic, Protocol, TypeVar

from dispatch.mailing.transport import End

_FIRST, _LONGEST = 1.0, 300.0
"""Seconds that a relay which is down is left alone, the first time and at most."""
_TLS = 900.0
"""Seconds after the security that is required was not to be had: somebody has to mend that."""
_TRIAL = 2.0
"""Seconds that a connection to a relay which was down must last before others follow it."""
_LATELY = 30.0
"""A relay that answered within so many seconds and has open connections works."""


class Described(Protocol):
    """What has to be known of a relay."""

    @property
    def name(self) -> str:
        """What it is called in sentences; no two have the same."""

    @property
    def order(self) -> int:
        """A relay with a higher one is used while none with a lower one works."""

    @property
    def weight(self) -> int:
        """Its share of the connections among those of the same order; at least 1."""


R = TypeVar("R", bound=Described)


class Relays(Generic[R]):
    """The relays of one run, and how they are.

    A relay is thought to work until a connection says otherwise. One that is
    down gets nothing for a while, which doubles from a second to five minutes,
    and then one connection on trial; if that lasts for two seconds while the
    relay answers, it gets its share again. A relay that refuses further connections
    while others go on is not down, it is full: it keeps those, and the next order stays unused.

    ``now`` is of a monotonic clock, in seconds.

    Args:
        relays: at least one.
        chance: spreads the tries, so that several senders do not come back together.
    """

    def __init__(self, relays: Sequence[R], chance: Random) -> None:
        self._relays = sorted(relays, key=lambda relay: relay.order)
        self._health = {relay.name: _Health() for relay in relays}
        self._chance = chance

    def choose(self, open_now: Mapping[str, int], now: float) -> R | None:
        """The relay that the next connection goes to, and is opened to; None: no one can have it.

        Args:
            open_now: the connections that are open, by the relays' names.
        """
        for _, group in groupby(self._relays, key=lambda relay: relay.order):
            relays = list(group)
            for relay in relays:
                if self._health[relay.name].try_again(now):
                    return relay
            well = [relay for relay in relays if self._health[relay.name].well]
            if well:
                return min(well, key=lambda r: (open_now.get(r.name, 0) + 1) / r.weight)
            if any(
                open_now.get(relay.name) and self._health[relay.name].answered_lately(now)
                for relay in relays
            ):
                return None
        return None

    def answered(self, relay: R, now: float) -> None:
        """It has answered for a copy, whatever it said."""
        self._health[relay.name].answered = now

    def ended(self, relay: R, end: End, now: float, opened: float = float("inf")) -> None:
        """A connection to it has ended.

        Args:
            opened: when it was opened: an older one than the one on trial says nothing about that.
        """
        health = self._health[relay.name]
        if health.given_up or now < health.rests:
            return
        if end.kind == "finished":
            health.recovered()
        elif end.kind == "auth":
            health.failed(end.sentence, float("inf"))
        elif health.well or (health.trial is not None and opened >= health.trial):
            # Of the connections that break off together only the first counts.
            doubled = min(_FIRST * 2 ** min(health.failures, 10), _LONGEST)
            wait = _TLS if end.kind == "tls" else doubled
            health.failed(end.sentence, now + wait * self._chance.uniform(0.5, 1))

    def rest(self, relay: R, sentence: str, until: float) -> None:
        """Leave it alone until then, however well it is; ``sentence`` says why."""
        health = self._health[relay.name]
        health.failed(sentence, until)
        health.rests = until

    def wants_trial(self, now: float) -> bool:
        """Whether :meth:`choose` would open the one connection that a relay is tried again with."""
        return any(
            not health.well and health.trial is None and now >= health.retry
            for health in self._health.values()
        )

    def next_try(self, now: float) -> float | None:
        """When a relay can be tried again, at the earliest; None: none will be in this run."""
        earliest = min(health.retry for health in self._health.values())
        return None if earliest == float("inf") else max(earliest, now)

    def sentence(self, now: float) -> str:
        """Why no relay can be used, and when the next try is; empty where one works."""
        if any(health.well for health in self._health.values()):
            return ""
        if all(now < health.rests for health in self._health.values()):
            return " ".join(health.sentence for health in self._health.values())
        reasons = "; ".join(
            f"{name}: {health.sentence.rstrip('. ') or 'it broke off'}"
            for name, health in self._health.items()
        )
        down = "All relays are down" if len(self._health) > 1 else "The relay is down"
        again = self.next_try(now)
        if again is None:
            return f"{down}: {reasons}. None is tried again: mend this, then resume."
        return f"{down}: {reasons}. The next try is {_in(again - now)}."


class _Health:
    """How one relay is."""

    __slots__ = ("answered", "failures", "rests", "retry", "sentence", "trial")

    def __init__(self) -> None:
        self.answered = float("-inf")  # when it last did
        self.failures = 0  # in a row
        self.retry = float("-inf")  # when it may be tried again
        self.rests = float("-inf")  # until when it is left alone although it is well
        self.trial: float | None = None  # when a connection on trial was opened
        self.sentence = ""  # why it failed

    @property
    def well(self) -> bool:
        return not self.failures

    @property
    def given_up(self) -> bool:
        return self.retry == float("inf")

    def answered_lately(self, now: float) -> bool:
        return now - self.answered < _LATELY

    def failed(self, sentence: str, retry: float) -> None:
        self.failures += 1
        self.retry = retry
        self.sentence = sentence
        self.trial = None

    def recovered(self) -> None:
        self.failures = 0
        self.retry = float("-inf")
        self.trial = None

    def try_again(self, now: float) -> bool:
        """Whether the one connection on trial is due; it is then taken to be opened.

        A trial that has gone well makes it well.
        """
        if self.well or now < self.retry:
            return False
        if self.trial is None:
            self.trial = now
            return True
        if now - self.trial >= _TRIAL and self.answered > self.trial:
            self.recovered()
        return False


def _in(seconds: float) -> str:
    if seconds < 1.5:
        return "at once" if seconds < 0.5 else "in a second"
    return f"in {seconds:.0f} seconds" if seconds < 90 else f"in {seconds / 60:.0f} minutes"
