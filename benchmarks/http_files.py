"""How fast a feed is served, beside nginx in one run, and what memory that takes.

One worker each, one core each where there are two, the other for ``wrk``. nginx
sends the file from the disk, as it is usually set up for speed: sendfile, a cache
of open files, no log. Ours is ``dispatch serve`` as a newsroom runs it. Both send
the same 40 KB uncompressed, or say that they have not changed; 64 connections are
kept alive. The two take turns, so that a machine's changing speed cancels out.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from benchmarks.mailing import Rate

_PATH = "/world/feed.rss"
_HOST = "news.example.org"
_BYTES = 40_000
_CLIENTS = 64
_GOAL = 0.35
_IDLE_MB = 80
_FLAT = 1.02
"""After so many requests, memory may be this much of what it was when the server was warm: the
allocator's pages come and go."""
_NGINX = """\
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=1000;
    types {{ application/rss+xml rss; }}
    server {{ listen 127.0.0.1:{port}; root {folder}/public; }}
}}
"""


def results(turns: int, seconds: int, many: int) -> Iterator[Rate]:
    """Every figure, as soon as it is known.

    Args:
        turns: of each of the two.
        seconds: that a turn takes.
        many: requests that memory is watched over.
    """
    folder = Path(tempfile.mkdtemp(prefix="dispatch-bench-"))
    folder.chmod(0o755)
    try:
        feed = folder / "public" / _PATH[1:]
        feed.parent.mkdir(parents=True)
        lines = (sha256(str(n).encode()).hexdigest() for n in range(_BYTES // 64))
        feed.write_text("<rss>" + "\n".join(lines)[: _BYTES - 11] + "</rss>", encoding="ascii")
        with _nginx(folder) as theirs, _dispatch(folder) as (ours, process):
            yield _idle(process)
            yield from _side_by_side(ours, theirs, turns, seconds)
            yield _steady(ours, process, many)
    finally:
        shutil.rmtree(folder)


def _side_by_side(ours: int, theirs: int, turns: int, seconds: int) -> Iterator[Rate]:
    for name, unchanged in (("feed of 40 KB, 200", False), ("the same feed, 304", True)):
        pairs = []
        for _ in range(turns):
            limit = _wrk(theirs, seconds, unchanged=unchanged)
            pairs.append((_wrk(ours, seconds, unchanged=unchanged), limit))
        ratios = [a / b for a, b in pairs]
        yield Rate(
            name,
            "nginx",
            statistics.median(a for a, _ in pairs),
            statistics.median(b for _, b in pairs),
            "a second",
            statistics.median(ratios),
            min(ratios),
            max(ratios),
            _GOAL,
        )


def _idle(process: int) -> Rate:
    time.sleep(2)
    megabytes = _memory(process)
    ratio = megabytes / _IDLE_MB
    return Rate(
        "memory, idle", "the goal", megabytes, _IDLE_MB, "MB", ratio, ratio, ratio, 1, at_most=True
    )


def _steady(port: int, process: int, many: int) -> Rate:
    """Memory after ``many`` requests, beside what it was when the server was warm."""
    before, asked = _memory(process), 0
    while asked < many:
        asked += int(_wrk(port, 5, unchanged=False) * 5)
        asked += int(_wrk(port, 5, unchanged=True) * 5)
    after = _memory(process)
    ratio = after / before
    return Rate(
        f"memory after {many:,} requests", "before", after, before, "MB", ratio, ratio, ratio,
        _FLAT, at_most=True,
    )  # fmt: skip


def _wrk(port: int, seconds: int, *, unchanged: bool) -> float:
    """Requests a second.

    Raises:
        RuntimeError: not all of them were answered, or not as they should be.
    """
    tag = _tag(port, unchanged=unchanged)
    condition = ["-H", f"If-None-Match: {tag}"] if unchanged else []
    said = subprocess.run(
        [
            *_on_core(1), _program("wrk"), "-t1", f"-c{_CLIENTS}", f"-d{seconds}",
            "-H", f"Host: {_HOST}", *condition, f"http://127.0.0.1:{port}{_PATH}",
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"not every request was answered: {said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None:
        raise RuntimeError(f"wrk said something else: {said}")
    return float(found[1])


def _tag(port: int, *, unchanged: bool) -> str:
    """The feed's entity tag, having made sure of the answer that will be measured."""
    url = f"http://127.0.0.1:{port}{_PATH}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": _HOST})) as answer:
        tag, body = str(answer.headers["ETag"]), answer.read()
    if len(body) != _BYTES:
        raise RuntimeError(f"{len(body)} bytes instead of {_BYTES}")
    if unchanged:
        again = urllib.request.Request(url, headers={"Host": _HOST, "If-None-Match": tag})
        try:
            urllib.request.urlopen(again).close()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 304:
                    return tag
        raise RuntimeError("a copy that is good is not known as one")
    return tag


@contextmanager
def _nginx(folder: Path) -> Iterator[int]:
    port = _free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, user=user), encoding="utf-8")
    log = str(folder / "nginx.log")
    with _running(
        [_program("nginx"), "-p", str(folder), "-e", log, "-c", str(config)], port, folder
    ):
        yield port


@contextmanager
def _dispatch(folder: Path) -> Iterator[tuple[int, int]]:
    port = _free_port()
    listen = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "dispatch", "serve", "--out", str(folder), "--listen", listen]
    with _running(command, port, folder) as process:
        yield port, process


@contextmanager
def _running(command: Sequence[str], port: int, folder: Path) -> Iterator[int]:
    """A server on the first core; gives its process id."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DISPATCH_", "PYTHON"))}
    settings = {"DISPATCH_SITE_URL": f"https://{_HOST}"}
    with (folder / "servers.log").open("a") as log:
        process = subprocess.Popen(
            [*_on_core(0), *command], cwd=folder, env={**kept, **settings}, stderr=log
        )
        try:
            _wait_for(port, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _memory(process: int) -> float:
    """Megabytes that a process has in memory."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise RuntimeError(f"the system does not tell the memory of process {process}")
    return int(found[1]) * 1024 / 1e6


def _on_core(number: int) -> list[str]:
    """What goes before a command, so that it keeps to one core and out of another's way."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(number)] if taskset and (os.cpu_count() or 1) > 1 else []


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise RuntimeError(
            f"The benchmark needs nginx and wrk: apt install nginx-light wrk ({name})"
        )
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
