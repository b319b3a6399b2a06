"""A proxy that stands for a long line: everything arrives later, nothing arrives slower."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Self, cast


class DelayProxy:
    """Between a client and ``port`` on the loopback, with ``round_trip`` seconds there and back.

    ``heard`` is what went through it, both ways; ``turns`` is how often the other side spoke.
    """

    def __init__(self, port: int, round_trip: float) -> None:
        self.to = port
        self.each_way = round_trip / 2
        self.port = 0
        self.heard = bytearray()
        self.turns = 0
        self.speaker: _End | None = None
        self.ends: set[_End] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._in_loop(
            self._loop.create_server(lambda: _End(self, inner=False), "127.0.0.1", 0, backlog=500)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._in_loop(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for end in list(self.ends):
            end.transport.abort()
        while self.ends:
            await asyncio.sleep(0.001)

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)


class _End(asyncio.Protocol):
    """One of the two connections; what it hears, the other says later."""

    def __init__(self, proxy: DelayProxy, *, inner: bool) -> None:
        self.proxy = proxy
        self.inner = inner
        self.other: _End | None = None
        self.transport: asyncio.Transport
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.proxy.ends.add(self)
        if not self.inner:
            self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        _, other = await asyncio.get_running_loop().create_connection(
            lambda: _End(self.proxy, inner=True), "127.0.0.1", self.proxy.to
        )
        other.other, self.other = self, other
        for ends in (self, other):
            for data in ends._early:
                ends.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            self.proxy.heard += data
            self.proxy.turns += self.proxy.speaker is not self
            self.proxy.speaker = self
            loop = asyncio.get_running_loop()
            loop.call_later(self.proxy.each_way, self.other.transport.write, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.proxy.ends.discard(self)
        if self.other is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self.proxy.each_way, self.other.transport.close)
