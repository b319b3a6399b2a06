"""How fast mail may go: all of it together, and to each recipient domain.

Why it slows down as it does: docs/decisions/0004-pacing.md. ``now`` is always
of one monotonic clock, in seconds; nothing here waits, it only says how long.
"""

from __future__ import annotations

import re
from itertools import islice

from dispatch.mailing.transport import Result

_SLACK = 0.05
"""Seconds that a rate makes up for: an event loop wakes late, and must not lose by it."""


class Rate:
    """Messages per second, held while there is work.

    Over any window of W seconds at most ``W × per_second`` messages go, and 50 ms' worth and one
    more: time in which nothing was sent is not made up for.

    Args:
        per_second: 0 for no limit.
    """

    __slots__ = ("_due", "_gap")

    def __init__(self, per_second: float) -> None:
        self._due = 0.0
        self.change(per_second)

    def change(self, per_second: float) -> None:
        """Hold another rate from now on."""
        self._gap = 1 / per_second if per_second else 0.0

    @property
    def gap(self) -> float:
        """Seconds between two messages; 0.0 for no limit."""
        return self._gap

    def rest(self, until: float) -> None:
        """Let nothing go before ``until``."""
        self._due = max(self._due, until)

    def take(self, now: float) -> float:
        """0.0: one message may go now, and is counted. Else: the seconds to wait."""
        if not self._gap:
            return 0.0
        due = self._due
        if due > now:
            return due - now
        earliest = now - _SLACK
        self._due = (due if due > earliest else earliest) + self._gap
        return 0.0

    def unused(self, now: float) -> None:
        """The message that was counted last does not go."""
        self._due = max(self._due - self._gap, now - _SLACK)


class Domains:
    """How fast each recipient domain may be sent to; at first, as fast as may be.

    A domain that refuses is sent half of what it answered in the last second,
    and less with each second that it goes on; when it refuses four times in a
    row it rests, for a minute at first. What it accepts then makes it faster, little by little.
    A domain that is not slowed costs a look into a dictionary.

    It does for relays what it does for domains: their names take the domains' place.

    Args:
        blames: which refusals count: those that are about the recipient or the message, by default.
    """

    def __init__(self, blames: frozenset[str] = frozenset({"recipient", "content"})) -> None:
        self._blames = blames
        self._slowed: dict[str, _Slowed] = {}
        self._answers: dict[str, int] = {}
        self._answers_before: dict[str, int] = {}
        self._second = float("-inf")

    def __len__(self) -> int:
        """How many domains are kept in mind."""
        return len(self._slowed)

    def may_send(self, domain: str, now: float) -> float:
        """0.0: one message may go to ``domain`` now, and is counted. Else: the seconds to wait."""
        slowed = self._slowed.get(domain)
        return slowed.rate.take(now) if slowed else 0.0

    def gap(self, domain: str) -> float:
        """Seconds between two messages to ``domain``, at present; 0.0: it is not slowed."""
        slowed = self._slowed.get(domain)
        return slowed.rate.gap if slowed else 0.0

    def unused(self, domain: str, now: float) -> None:
        """The message for ``domain`` that was counted last does not go."""
        if slowed := self._slowed.get(domain):
            slowed.rate.unused(now)

    def told(self, domain: str, result: Result, now: float) -> None:
        """Take note of what ``domain`` answered."""
        self._count(domain, now)
        if result.kind == "accepted":
            slowed = self._slowed.get(domain)
            if slowed and slowed.accepted(now):
                del self._slowed[domain]
        elif result.kind in ("deferred", "unsent") and result.blame in self._blames:
            weight = _weight(result)
            if weight:
                self._refused(domain, weight, now)

    def _refused(self, domain: str, weight: float, now: float) -> None:
        slowed = self._slowed.get(domain)
        if not slowed:
            if len(self._slowed) >= _MOST_DOMAINS:
                for oldest in list(islice(self._slowed, _MOST_DOMAINS // 2)):
                    del self._slowed[oldest]
            slowed = self._slowed[domain] = _Slowed()
        slowed.refused(weight, self._speed(domain), now)

    def _count(self, domain: str, now: float) -> None:
        if now >= self._second + 1:
            self._answers_before = self._answers if now < self._second + 2 else {}
            self._answers = {}
            self._second = now
        self._answers[domain] = self._answers.get(domain, 0) + 1

    def _speed(self, domain: str) -> int:
        """Answers of ``domain`` per second, lately; at least one."""
        return max(1, self._answers.get(domain, 0), self._answers_before.get(domain, 0))


_MOST_DOMAINS = 10_000
"""Slowed at once; of more than these, those that were slowed first are forgotten."""
_RECOVERY = 60
"""Seconds in which a domain that takes everything comes from nothing to where it was refused."""
_FORGOTTEN = 3600.0
"""Seconds after which the last refusal says nothing any more."""
_ROW = 4
"""So many refusals in a row, and a domain rests."""
_REST, _LONGEST_REST = 60.0, 600.0
_SLOWEST = 0.1
"""Messages per second; what is slower is a rest."""
_SLOWEST_IN_DOUBT = 1.0
"""Messages per second, where each refusal may have been about its recipient alone."""
_PERHAPS = 1 / 3
_ACCEPTED = 1 / 30
"""How much of the evidence against a domain one accepted message takes away."""


class _Slowed:
    """A domain that has refused something."""

    __slots__ = ("_deaf", "_evidence", "_first", "_in_row", "_last", "_peak", "_speed", "rate")

    def __init__(self) -> None:
        self.rate = Rate(0)
        self._speed = float("inf")  # messages per second that it may be sent
        self._peak = 0.0  # the speed at which it refused
        self._first = float("inf")  # the speed at which it refused for the first time
        self._evidence = 0.0  # that refusals are about the domain: 1 is enough
        self._in_row = 0  # times that it was slowed, with nothing accepted since
        self._last = 0.0  # when it refused
        self._deaf = float("-inf")  # refusals until then are answers to what was sent earlier

    def refused(self, weight: float, speed: float, now: float) -> None:
        """Slow down, once there is evidence enough.

        Args:
            weight: how much the refusal says about the domain: 1 all, less perhaps.
            speed: its answers per second, lately.
        """
        self._last = now
        if now < self._deaf:
            return
        self._evidence += weight
        if self._evidence < 1:
            return
        self._evidence = 0.0
        self._peak = min(self._speed, speed)
        if self._first == float("inf"):
            self._first = self._peak
        if weight == 1:
            self._in_row += 1
        floor = _SLOWEST if weight == 1 else min(self._peak, _SLOWEST_IN_DOUBT)
        self._go(max(self._peak / 2, floor))
        self._deaf = now + max(1.0, 1 / self._speed)
        if self._in_row >= _ROW:
            self._rest(now)

    def accepted(self, now: float) -> bool:
        """Go faster; True: it is as fast as it ever was, and can be forgotten.

        One second's worth of accepted messages adds a sixtieth of the speed at which it refused,
        or of its own where that is more: linear up to there, exponential beyond.
        """
        self._in_row = 0
        self._evidence = max(0.0, self._evidence - _ACCEPTED)
        if self._speed == float("inf"):
            return not self._evidence
        self._go(self._speed + max(self._peak, self._speed) / _RECOVERY / self._speed)
        return self._speed >= 2 * self._first or now - self._last > _FORGOTTEN

    def _rest(self, now: float) -> None:
        """Nothing for a while, then one a second until something is accepted."""
        self._go(min(self._speed, 1.0))
        doublings = min(self._in_row - _ROW, 10)
        self._deaf = now + min(_REST * 2**doublings, _LONGEST_REST)
        self.rate.rest(self._deaf)

    def _go(self, speed: float) -> None:
        self._speed = speed
        self.rate.change(speed)


_SLOW_DOWN = frozenset({421, 450, 451, 452, 454})
_STATUS = re.compile(r"4\.(\d{1,3})\.(\d{1,3})")
_ABOUT_ONE = re.compile(
    r"gr[ea]y-?list|too many (?:errors|(?:bad|invalid|unknown) \w+)", re.IGNORECASE
)
"""Greylisting is about a recipient, an error limit about one conversation."""


def _weight(result: Result) -> float:
    """How much a refusal says about the whole domain: 1 all, 0 nothing, or in between (RFC 3463).

    x.1 (address), x.2 (mailbox) and greylisting are about one recipient. x.3 (system), x.4
    (network) and x.7 (policy) are about everybody, except that 4.7.1 is what
    greylisting mostly says, too. 421 closes the connection on everybody; after many addresses
    that do not exist it is about these (Postfix: "too many errors"), not about the domain.
    """
    if result.code not in _SLOW_DOWN or _ABOUT_ONE.search(result.reply):
        return 0
    if result.code == 421:
        return 1
    status = _STATUS.fullmatch(result.status or "")
    if not status or status[1] == "0" or status.groups() == ("7", "1"):
        return _PERHAPS
    return 1 if status[1] in ("3", "4", "7") else 0
