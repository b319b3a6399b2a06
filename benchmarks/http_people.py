"""How fast people are served who act: 10,000 one-click unsubscribes, and as many sign-ups.

The server is ``dispatch serve`` as a newsroom runs it, one worker, its database on
disk and every answer durable. The client (:mod:`benchmarks.asking`) has a hundred
connections that are kept alive, each of which asks again as soon as it has its
answer. Beside it, in the same run, the same client asks an application that does
nothing but read the form and answer: what HTTP itself costs on this machine.
Afterwards the database is asked whether anybody was lost.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from dispatch.mailing.tokens import Tokens

_ROOT = Path(__file__).parent.parent
_CLIENTS = 100
_GOAL = 50.0
_KEY = "a-key-of-the-benchmark-and-no-other"
_GOOD = ("200", "202", "303")
_FORM = "application/x-www-form-urlencoded"
_ARTICLE = """\
Harbour reopens after the storm

By Ada Winter

The harbour of Exampleport reopened on Friday, two days after the storm.
"""


@dataclass(frozen=True, slots=True)
class Served:
    """How a number of requests was answered, the median of the turns; times in milliseconds."""

    name: str
    requests: int
    turns: int
    a_second: float
    p50: float
    p99: float
    slowest: float
    """Of all turns."""
    floor: float
    """p99 of an application that does nothing but read the form, in the same turns."""
    lost: int
    goal: float = _GOAL

    @property
    def met(self) -> bool:
        return self.p99 <= self.goal and self.lost == 0

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}

    def __str__(self) -> str:
        return (
            f"{self.name:<23} {self.requests:,} × {self.turns}: {self.a_second:,.0f} a second, "
            f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms ({self.p99 / self.floor:.1f}× that of "
            f"an empty application), slowest {self.slowest:.1f} ms, {self.lost} lost; "
            f"goal p99 ≤ {self.goal:g} ms: {'met' if self.met else 'MISSED'}"
        )


def results(turns: int, count: int) -> Iterator[Served]:
    """One-click unsubscribes, then sign-ups by form and by JSON, ``count`` of each in a turn.

    The server and an empty application take turns, so that a machine's changing speed is seen.
    """
    folder = Path(tempfile.mkdtemp(prefix="dispatch-bench-"))
    try:
        desk = _Desk(folder / "desk", count)
        desk.make()
        for name, work in _WORK.items():
            floors, answers, lost = [], [], 0
            for _ in range(turns):
                floors.append(_empty(desk.clicks()).p99)
                with desk.copied() as copy:
                    answered, missing = work(copy)
                answers.append(answered)
                lost += missing + answered.refused
            yield Served(
                name,
                count,
                turns,
                statistics.median(answer.requests / answer.seconds for answer in answers),
                statistics.median(answer.p50 for answer in answers),
                statistics.median(answer.p99 for answer in answers),
                max(answer.slowest for answer in answers),
                statistics.median(floors),
                lost,
            )
    finally:
        shutil.rmtree(folder)


def _unsubscribe(desk: _Desk) -> tuple[_Answered, int]:
    """In the midst of a mailing: each of them has a copy that waits, which has to be stopped."""
    with desk.served() as port:
        answered = _ask(port, desk.clicks(), _FORM)
    left = desk.count("SELECT count(*) FROM subscribers WHERE state = 'unsubscribed'")
    stopped = desk.count("SELECT count(*) FROM recipients WHERE state = 'suppressed'")
    kept = desk.count("SELECT count(*) FROM moves WHERE after = 'unsubscribed'")
    return answered, desk.size - min(left, stopped, kept)


def _sign_up_by_form(desk: _Desk) -> tuple[_Answered, int]:
    with desk.served() as port:
        answered = _ask(port, desk.forms(port), _FORM)
    return answered, desk.size - desk.count(_SIGNED_UP)


def _sign_up_by_json(desk: _Desk) -> tuple[_Answered, int]:
    with desk.served() as port:
        answered = _ask(port, desk.objects(), "application/json")
    return answered, desk.size - desk.count(_SIGNED_UP)


_SIGNED_UP = "SELECT count(DISTINCT address_key) FROM signups"
_WORK = {
    "one-click unsubscribes": _unsubscribe,
    "sign-ups by form": _sign_up_by_form,
    "sign-ups by JSON": _sign_up_by_json,
}


class _Desk:
    """A newsroom with ``size`` readers, each with a copy that waits in a mailing."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    def make(self) -> None:
        folder = self.folder
        folder.mkdir()
        (folder / "article.txt").write_text(_ARTICLE, encoding="utf-8")
        with (folder / "readers.csv").open("w", encoding="utf-8") as file:
            file.write("email\n")
            file.writelines(f"r{n}@mail{n % 100}.example.org\n" for n in range(self.size))
        self._dispatch("subscribers", "import", "readers.csv", "--desk", "world")
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
        self._dispatch("send", "article.txt", "--desk", "world", "--at", tomorrow, "--yes")

    @contextmanager
    def copied(self) -> Iterator[_Desk]:
        """The same for one turn."""
        copy = self.folder.with_name("copy")
        shutil.copytree(self.folder, copy)
        try:
            yield _Desk(copy, self.size)
        finally:
            shutil.rmtree(copy)

    def clicks(self) -> list[str]:
        """A request for each reader's one click."""
        link = Tokens([_KEY]).link
        with sqlite3.connect(self.folder / "dispatch.db") as database:
            keys = [key for (key,) in database.execute("SELECT key FROM recipients ORDER BY key")]
        return [f"/world/unsubscribe/{link(key)} List-Unsubscribe=One-Click" for key in keys]

    def forms(self, port: int) -> list[str]:
        """A sign-up by form for as many new addresses, a little after the page was seen."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/world/subscribe") as page:
            (stamp,) = re.findall(rb'name="stamp" value="([^"]+)"', page.read())
        time.sleep(2.5)  # who is faster is a machine, and is not taken
        fields = {"stamp": stamp.decode(), "language": "en", "website": "", "frequency": "each"}
        rest = urllib.parse.urlencode(fields)
        return [
            f"/world/subscribe email=f{n}%40mail{n % 100}.example.net&{rest}"
            for n in range(self.size)
        ]

    def objects(self) -> list[str]:
        """The same as JSON."""
        said = {"consent": "Send me World by email.", "frequency": "weekly", "language": "en"}
        return [
            "/world/subscribe.json "
            + json.dumps({"email": f"j{n}@mail{n % 100}.example.net", **said})
            for n in range(self.size)
        ]

    def count(self, query: str) -> int:
        with sqlite3.connect(self.folder / "dispatch.db") as database:
            return int(database.execute(query).fetchone()[0])

    @contextmanager
    def served(self) -> Iterator[int]:
        """``dispatch serve`` of it; gives the port."""
        port = _free_port()
        settings = {"DISPATCH_LISTEN": f"127.0.0.1:{port}", "DISPATCH_SIGNUPS_PER_IP": "0"}
        command = [sys.executable, "-m", "dispatch", "serve", "--out", "."]
        with (
            (self.folder / "serve.log").open("w") as log,
            _running(command, self.folder, _environment(settings), port, log),
        ):
            yield port

    def _dispatch(self, *words: str) -> None:
        command = [sys.executable, "-m", "dispatch", *words]
        subprocess.run(
            command, cwd=self.folder, env=_environment({}), check=True, stdout=subprocess.DEVNULL
        )


@dataclass(frozen=True, slots=True)
class _Answered:
    """What :mod:`benchmarks.asking` found."""

    requests: int
    seconds: float
    p50: float
    p99: float
    slowest: float
    statuses: dict[str, int]

    @property
    def refused(self) -> int:
        """How many were answered with an error."""
        return sum(n for status, n in self.statuses.items() if status not in _GOOD)


def _ask(port: int, requests: Sequence[str], kind: str) -> _Answered:
    """Have a client ask for each of ``requests``: a path and a body, with a space between."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.asking", str(port), str(_CLIENTS), kind],
        input="".join(f"{request}\n" for request in requests),
        cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    return _Answered(**json.loads(said))


def _empty(requests: Sequence[str]) -> _Answered:
    """The same from an application on the same server that reads the form and answers."""
    port = _free_port()
    command = [
        sys.executable, "-m", "uvicorn", "--port", str(port), "--no-access-log", "--log-level",
        "warning", "benchmarks.empty:app",
    ]  # fmt: skip
    with _running(command, _ROOT, _environment({}), port):
        return _ask(port, requests, _FORM)


@contextmanager
def _running(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    port: int,
    log: IO[str] | None = None,
) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=log)
    try:
        _until_up(port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not answer")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    return {**own, "DISPATCH_SECRET_KEYS": _KEY, "DISPATCH_DESK": "World", **settings}
