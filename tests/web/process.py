"""``dispatch serve`` as a process of its own, and clients that talk to it over sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SITE_URL = "https://news.example.org"
_PROGRAM = Path(__file__).with_name("serve_with_counting.py")
_PATIENCE = 60
"""Seconds for what takes a moment on a machine that has nothing else to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """A server that runs; ``log`` is the file that its standard error goes to."""

    running: subprocess.Popen[bytes]
    port: int
    log: Path

    def lines(self) -> list[dict[str, object]]:
        """What it has logged until now."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)

    def tell(self, number: signal.Signals) -> None:
        self.running.send_signal(number)

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        return self.running.wait(_PATIENCE)

    def workers(self) -> list[int]:
        """The processes that it has started and that live."""
        told = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.running.pid)],
            capture_output=True,
            encoding="ascii",
            check=False,
        )
        return [int(number) for number in told.stdout.split()]


@contextmanager
def serving(
    out: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """A server of the folder ``out`` that also counts (serve_with_counting.py); killed at the end.

    Args:
        settings: variables, besides those of the site.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    environment = {**kept, "DISPATCH_SITE_URL": SITE_URL, "DISPATCH_DESK": "World"}
    log = out.parent / "log.jsonl"
    command = [sys.executable, str(_PROGRAM), "serve", "--out", str(out), "--listen", "127.0.0.1:0"]
    with log.open("wb") as stderr:
        running = subprocess.Popen(
            [*command, *arguments],
            cwd=out.parent,
            env={**environment, **(settings or {})},
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield Process(running, _port(running, log), log)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def until(happened: object, seconds: float = _PATIENCE) -> None:
    """Wait until ``happened()``; fails where it does not."""
    end = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """A request to the site, as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: news.example.org", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """The next answer on a connection: status, headers in lower case, body.

    Raises:
        ConnectionError: there is none, or not a whole one.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection)
    return int(first.split()[1]), headers, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the connection was closed")
    return data


def _port(running: subprocess.Popen[bytes], log: Path) -> int:
    """Where it listens, as its first words say."""
    end = time.monotonic() + _PATIENCE
    while True:
        said = log.read_text("utf-8")
        for line in said.splitlines(keepends=True):
            if line.endswith("\n") and line.startswith("{"):
                message = str(json.loads(line)["message"])
                if message.startswith("Serving "):
                    return int(message.partition("127.0.0.1:")[2].partition(".")[0].split()[0])
        assert running.poll() is None and time.monotonic() < end, said
        time.sleep(0.02)
