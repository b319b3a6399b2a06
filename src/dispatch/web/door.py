"""How often somebody is let in: a limit at the door, in the memory of each process.

Of sign-ups, the limit that counts is applied where they are worked off, by all
processes together. This one keeps a flood from being written down at all.
"""

from __future__ import annotations

from dispatch.newsroom.networks import network

_HOUR = 3600.0
_MOST_PLACES = 50_000
"""Places that are remembered: some 10 MB. Whoever has that many addresses is held back by what is
counted of domains and of all together."""


class Door:
    """Lets in so many from each place: an IP address, of IPv6 the network of a site.

    A place has an allowance that fills up again evenly.

    Args:
        most: in that time, and at once; 0 for no limit.
        per: seconds; an hour.
    """

    def __init__(self, most: int, per: float = _HOUR) -> None:
        self._most = most
        self._per = per
        self._left: dict[str, tuple[float, float]] = {}  # by place: how many, and when

    def wait(self, ip: str | None, now: float) -> int:
        """Seconds until there is room for one from ``ip``; 0: it is let in, and counted.

        Args:
            ip: None where it is not known, which is let in.
            now: of a clock that only goes forward, in seconds.
        """
        return 0 if ip is None else self.wait_at(network(ip), now)

    def wait_at(self, place: str, now: float) -> int:
        """The same for a place of any kind, such as whoever holds a link."""
        if not self._most:
            return 0
        rate = self._most / self._per
        left, at = self._left.pop(place, (float(self._most), now))
        left = min(self._most, left + (now - at) * rate)
        let_in = left >= 1
        self._left[place] = (left - 1 if let_in else left, now)
        if len(self._left) > _MOST_PLACES:
            del self._left[next(iter(self._left))]  # who came longest ago
        return 0 if let_in else int((1 - left) / rate) + 1

    def __len__(self) -> int:
        """How many places are remembered."""
        return len(self._left)
