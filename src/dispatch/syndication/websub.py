"""Telling a hub that a feed has changed (W3C WebSub, 2018).

How a publisher tells a hub is left to the two of them (section 6). What the hubs
there are have in common is a form with ``hub.mode=publish`` and the feed's
address as ``hub.url``, as PubSubHubbub 0.3 had it, or as ``hub.topic``, as
some read WebSub: it is sent as both.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlencode, urlsplit

_MOST = 65_536
"""Bytes of an answer that are read; what matters of it is the status."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling a hub."""

    accepted: bool
    said: str
    """The status and its words, or why there was none; printable, on one line."""
    retry_after: str | None = None
    """That header as it came (RFC 9110, 10.2.3)."""
    reached: bool = True
    """Whether there was an answer at all: where not, the next one would wait in vain, too."""


_LATE = Told(accepted=False, said="it took too long to answer", reached=False)


def notify(hub: str, topic: str, within: float, trust: ssl.SSLContext | None = None) -> Told:
    """Tell ``hub`` that ``topic`` has changed; never raises for what the network does.

    No redirect is followed: who answers at the hub's address does not say whom else we ask.

    Args:
        hub, topic: web addresses.
        within: seconds after which it is broken off, however busily the hub answers.
        trust: whose certificates count; None: the system's.
    """
    fields = {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}
    parts = urlsplit(hub)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "Dispatch",
        "Connection": "close",
    }
    try:
        connection = _connection(hub, within, trust)
        with _bounded(connection, within) as late:
            try:
                connection.request("POST", target, urlencode(fields), headers)
                told = _answer(connection.getresponse())
            except (OSError, HTTPException, ValueError) as error:
                told = Told(accepted=False, said=_reason(error), reached=False)
            # Cut off in the middle of its header, an answer looks like a whole one.
            return _LATE if late.is_set() else told
    except (OSError, HTTPException, ValueError) as error:
        return Told(accepted=False, said=_reason(error), reached=False)


def _connection(hub: str, within: float, trust: ssl.SSLContext | None) -> HTTPConnection:
    parts = urlsplit(hub)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = trust or ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=within, context=context)
    return HTTPConnection(host, port, timeout=within)


@contextmanager
def _bounded(connection: HTTPConnection, within: float) -> Iterator[threading.Event]:
    """Cut the connection off after ``within`` seconds; the event says that it was.

    The socket's own timeout begins again with every octet that comes.
    """
    late = threading.Event()

    def cut() -> None:
        late.set()
        if connection.sock is not None:
            with suppress(OSError):
                # Of the socket itself: that of TLS would say goodbye first, and wait for it.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    clock = threading.Timer(within, cut)
    clock.daemon = True
    clock.start()
    try:
        yield late
    finally:
        clock.cancel()
        connection.close()


def _answer(response: HTTPResponse) -> Told:
    response.read(_MOST)
    said = _line(f"{response.status} {response.reason}")
    if 300 <= response.status < 400:
        said = f"{said}, a redirect, which is not followed"
    return Told(200 <= response.status < 300, said, response.headers.get("Retry-After"))


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return _LATE.said
        case ssl.SSLCertVerificationError():
            return _line(f"its certificate is not trusted ({error.verify_message})")
        case ssl.SSLError():
            return "no secure connection came about"
        case socket.gaierror():
            return "its host is not known"
        case OSError():
            return _line(error.strerror or "the connection broke off")
    return "what it answers is not HTTP"


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()
