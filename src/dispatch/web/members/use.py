"""How much personal feeds are read: counted in memory, written down every few seconds.

Of an IP address nothing is kept but a keyed hash, in memory, until the end of
the day: enough to tell two places apart, and no more.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, defaultdict
from datetime import date, datetime
from hashlib import blake2b

from dispatch.errors import StoreError
from dispatch.newsroom import feed_tokens
from dispatch.newsroom.networks import network
from dispatch.store.feed_tokens import DayRow
from dispatch.web.site import Site

EVERY = 5.0
"""Seconds between two times that they are written down."""

_MOST_PLACES = 64
"""Of one token and day: it says "shared" long before."""
_MOST_IN_ALL = 200_000
"""Places of one day, all tokens together: further ones are not told apart."""

_log = logging.getLogger("dispatch.web")


class FeedUse:
    """The counts of one process. For the event loop's thread alone.

    A place is an IPv4 address or an IPv6 network of 64 bits, as one household has. A process that
    is started again, or another one, knows nothing of the places that the first one saw: the
    greatest number that one of them counted stays, which is too small rather than too great.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reads: Counter[tuple[int, date]] = Counter()
        self._places: defaultdict[int, set[bytes]] = defaultdict(set)
        self._known = 0
        self._day = date.min
        self._key = b""
        self._clock: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(self, token: int, address: str | None, now: datetime) -> None:
        """One read with the token of this key, from an IP address, if that is known."""
        if now.date() != self._day:
            self._new_day(now.date())
        self._reads[token, self._day] += 1
        if address is not None:
            self._note_place(self._places[token], address)
        if self._clock is None:
            self._clock = asyncio.get_running_loop().call_later(EVERY, self._write)

    def finish(self) -> None:
        """Have everything written down that was not yet; the site waits for it at its end."""
        if self._clock is not None:
            self._clock.cancel()
        if self._reads:
            rows = self._taken()
            self._site.gathering.write(lambda connection: feed_tokens.count(connection, rows))

    def _new_day(self, day: date) -> None:
        if self._reads:
            self._write()  # with the places of the day that is over
        self._day = day
        self._key = secrets.token_bytes(16)
        self._places.clear()
        self._known = 0

    def _note_place(self, known: set[bytes], address: str) -> None:
        place = blake2b(network(address).encode(), key=self._key, digest_size=8).digest()
        if place not in known and len(known) < _MOST_PLACES and self._known < _MOST_IN_ALL:
            known.add(place)
            self._known += 1

    def _write(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        rows = self._taken()
        self._writing = asyncio.get_running_loop().create_task(self._written(rows))

    def _taken(self) -> list[DayRow]:
        rows = [
            DayRow(token, day, reads, len(self._places.get(token, ())) if day == self._day else 0)
            for (token, day), reads in self._reads.items()
        ]
        self._reads.clear()
        return rows

    async def _written(self, rows: list[DayRow]) -> None:
        try:
            await self._site.write(feed_tokens.count, rows)
        except StoreError as error:
            # They are statistics: lost, rather than kept without bound while the disk is full.
            _log.warning("The use of personal feeds was not written down: %s", error)
