"""A server on a port of this machine, in a thread, and clients that send it what they like."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from dispatch.web.server.connection import Connection

PATIENCE = 20
"""Seconds that anything may take on a machine that is busy with something else."""


@contextmanager
def listening(
    app: Starlette, connection: type[Connection], keep_alive: float = 30
) -> Iterator[int]:
    """Serves ``app``; yields the port.

    Args:
        keep_alive: seconds for which an idle connection is kept.
    """
    config = uvicorn.Config(
        app,
        http=connection,
        port=0,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=keep_alive,  # type: ignore[arg-type]
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    fields: dict[str, str]
    """By their names in lower case."""
    body: bytes


class Client:
    """A client that speaks HTTP/1.1 byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._came = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has gone does not matter, as the answer tells."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def get(self, path: str, method: str = "GET", /, **fields: str) -> Reply:
        """``fields`` are header fields, with ``_`` for ``-``."""
        lines = "".join(f"{name.replace('_', '-')}: {fields[name]}\r\n" for name in fields)
        self.send(f"{method} {path} HTTP/1.1\r\nhost: news.example.org\r\n{lines}\r\n".encode())
        return self.reply(head=method == "HEAD")

    def reply(self, *, head: bool = False) -> Reply:
        """The next answer; every answer of ours to such requests names its length.

        Args:
            head: it answers a HEAD, and so has no body.

        Raises:
            EOFError: the server closed the connection instead.
        """
        while b"\r\n\r\n" not in self._came:
            self._receive()
        start, _, self._came = self._came.partition(b"\r\n\r\n")
        line, *lines = start.decode("latin-1").split("\r\n")
        pairs = (field.split(": ", 1) for field in lines)
        fields = {name.lower(): value for name, value in pairs}
        assert len(fields) == len(lines), f"a field came twice: {lines}"
        status = int(line.split()[1])
        size = 0 if head or status == 304 else int(fields["content-length"])
        while len(self._came) < size:
            self._receive()
        body, self._came = self._came[:size], self._came[size:]
        return Reply(status, fields, body)

    def closed(self) -> bool:
        """Waits until the server closes; True where nothing more came, False where it did."""
        try:
            self._receive()
        except EOFError:
            return not self._came
        return False

    def _receive(self) -> None:
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError("the server closed the connection")
        self._came += data


def eventually(what: str, holds: object, within: float = PATIENCE) -> None:
    """Wait until ``holds()``, which comes to pass by itself.

    Raises:
        AssertionError: it does not.
    """
    until = time.monotonic() + within
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.01)
