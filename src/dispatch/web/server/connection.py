"""A connection of the server: public files at once, and no client past its limits.

Uvicorn reads requests with llhttp, which is strict about framing, and hands them to the
application. Here a GET or HEAD of a public file that is ready is answered as soon as its head is
complete; whatever is unusual about a request, it takes the common road. And what uvicorn leaves to
a proxy in front is bounded here: how long a client may take for anything, how much it may send
where nobody has asked for it, and how many may come at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from heapq import nsmallest
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from dispatch.web.files.file import PublicFile
from dispatch.web.files.negotiation import acceptable
from dispatch.web.files.public import PublicFiles
from dispatch.web.server.limits import Limits
from dispatch.web.server.watch import Counts, Watch

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

__all__ = ["Connection", "Counts"]

_SHARE = 16
"""This part of the connections makes room when there are too many."""
_FRAMING = 8
"""Bytes of chunk sizes and the like for each byte of a body, at most: chunks of one byte have 5."""

_BETWEEN, _HEAD, _BODY = range(3)
"""What of a request has come in so far: nothing, a part of its head, all but a part of its body."""

_UNUSUAL = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
"""Fields that no plain GET has."""


class _RefusedError(Exception):
    """Stops the parser; the answer has been given."""


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, made fast for public files and safe for everything.

    ``uvicorn.Config(app, http=Connection.bound_to(files), ws="none", timeout_keep_alive=…)``. Each
    server has a class of its own, as what its connections share belongs to it. The application
    falls back to :class:`~dispatch.web.files.public.PublicApp` on the same files: only what it has
    answered is ever answered here.
    """

    watch: ClassVar[Watch]

    @classmethod
    def bound_to(
        cls,
        files: PublicFiles,
        *,
        hosts: Collection[bytes] | None = None,
        counts: Counts | None = None,
        limits: Limits | None = None,
    ) -> type[Connection]:
        """The class of a server's connections.

        Args:
            files: what is answered without the application, once it has been asked for there.
            hosts: the values of Host that are answered here, in lower case; what else comes, the
                application sees. None: all.
            counts: where to count; may be read at any time.
            limits: what every client is held to.
        """
        watch = Watch(files, hosts, counts or Counts(), limits or Limits())
        return type(cls.__name__, (cls,), {"watch": watch})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = self.watch.limits
        self._ready = self.watch.files.ready
        self._stage = _BETWEEN
        self._running: RequestResponseCycle | None = None
        """What the application is at work on; uvicorn's ``cycle`` is what came in last."""
        self._over = False
        """Nothing more is taken from this client."""
        self._last = False
        """The next answer is the last one."""
        self._answered = False
        """The request that is coming in needs nothing more."""
        self._begun = False
        """The stage was reached with the data that came last."""
        self._whole = True
        """The data that came last holds the whole head and is no larger than a head may be."""
        self._fed = self._body = self._trailers = 0
        self._deadline = inf
        self._unsent = 0
        self._stalled = inf

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        watch = self.watch
        watch.begin(self.loop, self.connections)  # type: ignore[arg-type]
        self._deadline = watch.head_until
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._whole = self._stage == _BETWEEN and len(data) <= self._limits.head_bytes
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if not self._over:
                self._refuse(400, "broken request")
            return
        if self._stage != _BETWEEN:
            self._measure(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends: so does this, but for a request that has begun to come in."""
        if self._stage == _HEAD and not self._over:
            self._last = True
        else:
            super().shutdown()

    # What the parser tells us.

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self._stage = _HEAD
        self._begun = True
        self._answered = self._over

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage == _HEAD:
            self.headers.append((name.lower(), value))
            return
        # A trailer, which may not be taken for a field of the head (RFC 9110, 6.5.1).
        self._trailers += 1
        if self._trailers > self._limits.fields:
            self._refuse(431, "large head")
            raise _RefusedError

    def on_headers_complete(self) -> None:
        if self._over:
            return
        file = self._ready.get(self.url) or self._ready.get(self.url.partition(b"?")[0])
        self._answered = file is not None and self._answer(file)
        if not self._answered:
            self._pass_on()
        self._stage = _BODY
        self._begun = True

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stage = _BETWEEN
        if self._answered:
            self._deadline = self._idle_until()
        else:
            self._deadline = self._idle_until() if self.cycle.response_complete else inf
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but without a timer, and nothing is read while requests wait."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.flow.resume_reading()
        if self._stage == _BETWEEN:
            self._deadline = self._idle_until()

    # What the watchman asks.

    def look(self, now: float) -> None:
        """End what has gone on for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent = unsent
            self._stalled = now + self._limits.stall
        elif unsent and now > self._stalled:
            self._cut("unread answer")
            return
        if now <= self._deadline:
            return
        if self._over:
            self._leave()
            self.transport.abort()
        elif self._stage == _BETWEEN:
            if not unsent:
                self.transport.close()
        elif self.flow.read_paused:  # it is us who do not read
            self._deadline = self.watch.body_until
        elif self._stage == _HEAD:
            self._refuse(408, "slow head")
        else:
            self._refuse(408, "slow body")

    # How a request is taken.

    def _feed(self, data: bytes) -> None:
        """Parse it all: what stands behind an offer to upgrade is HTTP still, as none is taken."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            else:
                return

    def _should_upgrade(self) -> bool:
        return False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _answer(self, file: PublicFile) -> bool:
        """Answer here and now; False where the request is not as plain as that needs."""
        fields = dict(self.headers)
        watch = self.watch
        plain = (
            self._whole
            and len(fields) == len(self.headers) <= self._limits.fields
            and _UNUSUAL.isdisjoint(fields)
            and (b"host" in fields if watch.hosts is None else fields.get(b"host") in watch.hosts)
            and not self._busy()
            and not self.flow.write_paused
            and self.parser.get_http_version() == "1.1"
        )
        method = self.parser.get_method()
        if not plain or method not in (b"GET", b"HEAD"):
            return False
        answer = file.answer(
            acceptable(fields.get(b"accept-encoding")),
            fields.get(b"if-none-match"),
            fields.get(b"if-modified-since"),
        )
        if answer is None:
            return False
        start, closes = watch.start(
            answer.status,
            self.server_state.default_headers,
            closes=self._last or not self.parser.should_keep_alive(),
        )
        if answer.body and method == b"GET":
            self.transport.writelines((start, answer.head, answer.body))
        else:
            self.transport.write(start + answer.head)
        watch.counts.answered[answer.status] += 1
        self.server_state.total_requests += 1
        if closes:
            self._over = True
            self.transport.close()
        return True

    def _pass_on(self) -> None:
        """Give the request to the application, by uvicorn's road, unless nobody should read it."""
        refusal = self._refusal()
        if refusal is not None:
            self._refuse(*refusal)
            raise _RefusedError
        url, headers = self.url, self.headers
        super().on_message_begin()
        super().on_url(url)
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
        self._deadline = inf
        if self._last:
            self.cycle.keep_alive = False
        if len(self.pipeline) > self._limits.pipelined:
            self._cut("pipelining")
            raise _RefusedError

    def _refusal(self) -> tuple[int, str] | None:
        """The status that the head of a request is refused with, and the reason to count."""
        if len(self.url) > self._limits.url_bytes:
            return 414, "long target"
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._limits.head_bytes or len(self.headers) > self._limits.fields:
            return 431, "large head"
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            return 505, "other version"
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and version == "1.1"):  # RFC 9112, 3.2
            return 400, "broken request"
        return None

    def _measure(self, size: int) -> None:
        """Look at a request that has not come in whole with the last ``size`` bytes.

        What the parser holds back until it is complete (a field, a chunk's extension) would
        otherwise grow without end.
        """
        if self._begun:
            self._begun = False
            self._fed = self._body = self._trailers = 0
            self._deadline = (
                self.watch.head_until if self._stage == _HEAD else self.watch.body_until
            )
            return
        self._fed += size
        held = self._fed - (self._body if self._stage == _BODY else 0)
        if held <= self._limits.head_bytes + _FRAMING * self._body:
            return
        if self._stage == _HEAD:
            self._refuse(431, "large head")
        else:
            self._refuse(400, "broken request")

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _idle_until(self) -> float:
        return self.watch.now + self.timeout_keep_alive

    # How a client is got rid of.

    def _refuse(self, status: int, reason: str) -> None:
        """Answer with an error, where an answer is due, and take nothing more."""
        self._over = True
        self.watch.counts.cut[reason] += 1
        if self._stage != _BODY:
            if self._busy():  # earlier requests are being answered, and then it is over
                self.cycle.keep_alive = False
                self._deadline = inf
                return
        elif not self._busy() or self.cycle.response_started or self.pipeline:
            self._leave()
            self.transport.abort()
            return
        else:
            self._leave()
        said = f"{status} {HTTPStatus(status).phrase}\n".encode()
        start, _ = self.watch.start(status, self.server_state.default_headers, closes=True)
        self.transport.write(
            start
            + b"content-type: text/plain; charset=utf-8\r\n"
            + b"content-length: %d\r\n\r\n" % len(said)
            + said
        )
        self._linger()

    def _linger(self) -> None:
        """Close our side, and wait a moment for the client to close its own."""
        if self.transport.can_write_eof():
            self._deadline = self.watch.now + self._limits.linger
            self.transport.write_eof()
        else:
            self.transport.close()

    def _cut(self, reason: str) -> None:
        self._over = True
        self.watch.counts.cut[reason] += 1
        self._leave()
        self.transport.abort()

    def _leave(self) -> None:
        """Tell the application that nobody waits for its answer any more."""
        self.pipeline.clear()
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _make_room(self) -> None:
        """Close those that have been idle for longest; else those whose requests do not come in.

        Where there is nobody to close, this one is refused. No more than once a round, as it
        looks at them all.
        """
        watch = self.watch
        leaving: list[Connection] = []
        if watch.made_room != watch.now:
            watch.made_room = watch.now
            others = cast(set[Connection], self.connections)
            share = max(1, self._limits.connections // _SHARE)
            for leaves in (Connection._idle, Connection._dawdles):
                leaving = [other for other in others if leaves(other)]
                leaving = nsmallest(share, leaving, key=lambda other: other._deadline)
                if leaving:
                    break
        for other in leaving:
            if other._idle():
                other.transport.close()
            else:
                other._cut("too many")
        if not leaving:
            self._refuse(503, "too many")

    def _idle(self) -> bool:
        """Whether it has had its answers and asks for nothing."""
        asked = self.headers is not None
        return asked and self._stage == _BETWEEN and not self._busy() and not self._over

    def _dawdles(self) -> bool:
        """Whether the first request, or one that has begun, is taking its time to come in."""
        if self._stage == _BODY:
            ours, allowed = self.flow.read_paused, self._limits.body
        else:
            ours, allowed = self._busy() or self._idle(), self._limits.head
        begun = self._deadline - allowed
        return not self._over and not ours and self.watch.now - begun >= self._limits.dawdle
