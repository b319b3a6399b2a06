"""A client that does little: a hundred connections, each asks again once it has its answer.

    python -m benchmarks.asking PORT CONNECTIONS TYPE < requests

A request is a line: a path, a space, and the body, whose media type is TYPE. Prints JSON: seconds
in all, the times to each answer in milliseconds (p50, p99, slowest), and how many were answered
with which status. With uvloop one request costs it some 20 µs, a hundredth of what a
server takes: a process of its own, on a core of its own, is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from time import perf_counter

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class _Client(asyncio.Protocol):
    """One connection. Counts on answers that say how long they are."""

    def __init__(
        self, requests: Iterator[bytes], times: list[float], statuses: dict[str, int]
    ) -> None:
        self._requests = requests
        self._times = times
        self._statuses = statuses
        self._got = b""
        self._asked = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head + b"\r\n")
        if length is None or len(body) < int(length[1]):
            return
        self._times.append(perf_counter() - self._asked)
        status = self._got[9:12].decode()
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._got = b""
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._asked = perf_counter()
        self._transport.write(request)


async def ask(port: int, connections: int, requests: list[bytes]) -> dict[str, object]:
    """Have every request answered once."""
    loop = asyncio.get_running_loop()
    waiting, times, statuses = iter(requests), list[float](), dict[str, int]()
    clients = [
        await loop.create_connection(lambda: _Client(waiting, times, statuses), "127.0.0.1", port)
        for _ in range(connections)
    ]
    begun = perf_counter()
    for _, client in clients:
        client.ask()
    await asyncio.gather(*(client.done for _, client in clients))
    seconds = perf_counter() - begun
    times.sort()
    return {
        "requests": len(times),
        "seconds": seconds,
        "p50": times[len(times) // 2] * 1000,
        "p99": times[len(times) * 99 // 100] * 1000,
        "slowest": times[-1] * 1000,
        "statuses": statuses,
    }


def _request(line: bytes, port: int, kind: str) -> bytes:
    path, _, body = line.rstrip(b"\n").partition(b" ")
    head = (
        f"\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return b"POST " + path + b" HTTP/1.1" + head.encode() + body


if __name__ == "__main__":
    of, many, media_type = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    asked = [_request(line, of, media_type) for line in sys.stdin.buffer]
    print(json.dumps(uvloop.run(ask(of, many, asked))))
