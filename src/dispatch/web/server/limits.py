"""How much a client may send, how long it may take, and how many may come at once."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

_CONNECTIONS = 10_000
_RESERVED = 64
"""Files that a process needs for something else: the database, public files, logs."""


def _allowed() -> int:
    """As many connections as are sensible; fewer where the system allows fewer open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(1, min(_CONNECTIONS, soft - _RESERVED))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the connections of a server are held to. Times are in seconds."""

    url_bytes: int = 8 * 1024
    """A request's target; RFC 9112, 3 asks for 8,000 at least."""
    head_bytes: int = 32 * 1024
    """A request's line and fields. Browsers send 1 KB, some proxies add 8."""
    fields: int = 100
    """In the head of a request. Browsers send twenty."""
    pipelined: int = 32
    """Requests that wait behind one that the application is at work on."""
    head: float = 10.0
    """For the head of a request, from its first byte; the first one from the connection on. The
    slowest of lines needs one second."""
    body: float = 60.0
    """For the body. A form takes a second, an article of 5 MB at 1 Mbit/s takes 40."""
    dawdle: float = 2.0
    """For a request to come in whole where there is no room for anybody else."""
    stall: float = 60.0
    """For a client that takes nothing of an answer. A telephone in a tunnel needs half of that."""
    linger: float = 2.0
    """For reading on after an error was answered, lest the answer be lost (RFC 9112, 9.6)."""
    connections: int = field(default_factory=_allowed)
    """At once, in one process."""
