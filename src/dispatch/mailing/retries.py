"""When a copy that was refused for the moment is tried again."""

from __future__ import annotations

from datetime import timedelta
from random import Random

_FIRST = timedelta(minutes=5)
"""What greylisting asks for at least; an MTA's queue would wait 30 (RFC 5321, 4.5.4.1), which is
long for a morning newsletter."""
_LONGEST = timedelta(hours=4)
_SPREAD = 0.2
_MILLISECOND = timedelta(milliseconds=1)


def retry_at(attempts: int, now: int, retry_for: timedelta, chance: Random) -> int | None:
    """When to try again; None: it was tried for long enough.

    Waits 5, 10, 20, 40… minutes, at most 4 hours, and up to a fifth longer, so that
    copies that were refused together do not come back together. The last try is when
    ``retry_for`` is over. As only tries are counted, the time that is used up is the sum of
    the waits before chance made them longer.

    Args:
        attempts: the tries before the one that has just failed.
        now: epoch milliseconds.

    Returns:
        Epoch milliseconds.
    """
    used = timedelta()
    for number in range(attempts):
        used += _wait(number)
        if used >= retry_for:
            return None
    wait = min(_wait(attempts), retry_for - used)
    if wait <= timedelta():
        return None
    return now + int(wait * chance.uniform(1, 1 + _SPREAD) / _MILLISECOND)


def _wait(number: int) -> timedelta:
    return min(_FIRST * (1 << min(number, 10)), _LONGEST)
