"""What the connections of a server share: the time, the limits, and the watchman who looks round.

Twice a second one timer goes over all connections. That is cheaper than a timer for each request,
and exact enough for limits of seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Protocol

from dispatch.web.files.public import PublicFiles
from dispatch.web.server.limits import Limits

ROUND = 0.5
"""Seconds between two looks at every connection, and at the files that are in use: how old a
public file may be, and how exact the limits are."""


_CLOSE = (b"connection", b"close")


@dataclass(slots=True)
class Counts:
    """What happened on the connections of a process, since it began."""

    answered: Counter[int] = field(default_factory=Counter)
    """Answers that were given without the application, by status."""
    cut: Counter[str] = field(default_factory=Counter)
    """Connections that were ended before their time, by the reason."""


class Watched(Protocol):
    """A connection, as the watchman sees it."""

    def look(self, now: float) -> None:
        """End what has gone on for too long."""


class Watch:
    """The watchman of one server, and what all of its connections have to hand.

    Args:
        files: are kept fresh while there is anybody to ask for them.

    Attributes:
        now: the loop's time, as of the last round.
        head_until, body_until: when a head or a body that begins now has to be complete.
        made_room: the round in which connections were closed for others, or would have been.
    """

    def __init__(
        self,
        files: PublicFiles,
        hosts: Collection[bytes] | None,
        counts: Counts,
        limits: Limits,
    ) -> None:
        self.files = files
        self.hosts = hosts
        self.counts = counts
        self.limits = limits
        self.now = 0.0
        self.head_until = self.body_until = inf
        self.made_room = -inf
        self._common: object = None
        self._starts: dict[tuple[int, bool], tuple[bytes, bool]] = {}
        self._connections: set[Watched] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, connections: set[Watched]) -> None:
        """Go on watch, if nobody is; until no connection is left.

        Args:
            connections: all there are, at any time.
        """
        if self._connections is None:
            self._connections = connections
            self.files.ready.clear()  # nobody has looked at them in the meantime
            self._tell_time(loop)
            loop.call_later(ROUND, self._go_round, loop)

    def start(
        self, status: int, common: list[tuple[bytes, bytes]], *, closes: bool
    ) -> tuple[bytes, bool]:
        """How an answer begins: the status line and the fields that all answers have.

        Args:
            common: the server's; a new list whenever they change, as the Date does every second.
            closes: whether it is the last answer on its connection.

        Returns:
            the bytes, and whether it is the last one, which the server may have said as well.
        """
        if common is not self._common:
            self._common = common
            self._starts.clear()
        found = self._starts.get((status, closes))
        if found is None:
            says_so = _CLOSE in common
            fields = [*common, _CLOSE] if closes and not says_so else common
            line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
            start = b"".join((line, *(b"%s: %s\r\n" % field for field in fields)))
            found = self._starts[status, closes] = start, closes or says_so
        return found

    def _tell_time(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = loop.time()
        self.head_until = self.now + self.limits.head
        self.body_until = self.now + self.limits.body

    def _go_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._tell_time(loop)
        connections = self._connections
        if not connections:
            self._connections = None
            return
        for connection in list(connections):
            connection.look(self.now)
        self.files.refresh()
        loop.call_later(ROUND, self._go_round, loop)
