"""How fast a mailing goes out, beside what else sends mail, in one run on one machine.

The receiver is Postfix's ``smtp-sink``, which throws everything away, and the
measure its ``smtp-source -d``, a C program that does nothing but send: about as
fast as a client can be. Ours is ``dispatch send`` as a desk runs it: personal
copies, the ledger durable. Its time is that of the sending itself, from the
first lease to the last commit (``sent_in_seconds``); making the edition and
starting the program are told apart. All take turns, so that a machine's
changing speed cancels out.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_DISPATCH = [sys.executable, "-m", "dispatch"]
_OTHERS = [sys.executable, "-m", "benchmarks.others"]
_ROOT = Path(__file__).parent.parent
_SESSIONS = 20
_NONE: Mapping[str, str] = {}

_PARAGRAPH = (
    "Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat "
    "needed, and that the harbour council would decide before winter whether a second crew is "
    "hired for the evening. Shopkeepers on the quay have asked for that since the spring."
)
_ARTICLE = "\n".join([
    "The ferry that learned to wait",
    "A morning letter of ordinary length, with what a desk would send.",
    "",
    *(f"Number {n}. {_PARAGRAPH}" for n in range(1, 31)),
    "About the correspondent",
    "Nora VanceWorld\n",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """Something a second, against something else in the same turns.

    ``ratio`` is the median of the turns. Where ``at_most`` is set, less is better:
    then ``ours`` and ``theirs`` are in ``unit`` as well, but no rates.
    """

    name: str
    against: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    lowest: float
    highest: float
    goal: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return (
            f"{self.name:<36} {self.ratio:5.2f}×  ({self.lowest:.2f}–{self.highest:.2f})  "
            f"{self.ours:8,.1f} {self.unit} against {self.theirs:,.1f} {self.unit} for "
            f"{self.against}; goal {sign} {self.goal:g}: {'met' if self.met else 'MISSED'}"
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """One ``dispatch send``.

    Args:
        sending: seconds, from the first lease to the last commit.
        before: seconds before that: start-up, making the edition, queueing.
        memory: the peak, in bytes.
    """

    sending: float
    before: float
    memory: int


def results(runs: int, recipients: int, many: int) -> Iterator[Rate | str]:
    """Every figure, as soon as it is known; a string is a remark.

    Args:
        runs: turns.
        recipients: of each mailing whose speed is measured.
        many: of the one whose memory is.
    """
    folder = Path(tempfile.mkdtemp(prefix="dispatch-bench-"))
    try:
        desk = _Desk(folder / "desk", recipients)
        with _sink() as port:
            yield from _throughput(desk, port, runs)
            yield _loop(desk, port, runs)
            yield from _far_away(desk, port, runs)
            yield from _many(folder, port, many)
    finally:
        shutil.rmtree(folder)


def _throughput(desk: _Desk, port: int, runs: int) -> Iterator[Rate | str]:
    signed = {kind: desk.keys(kind) for kind in ("rsa", "ed25519")}
    plain: list[tuple[float, float]] = []
    by_key: dict[str, list[tuple[float, float]]] = {kind: [] for kind in signed}
    for _ in range(runs):
        limit = _smtp_source(port, desk.recipients, desk.size)
        plain.append((desk.rate(port), limit))
        for kind, folder in signed.items():
            by_key[kind].append((desk.rate(port, {"DISPATCH_DKIM": str(folder)}), limit))
    yield f"{desk.recipients:,} copies of {desk.size:,} bytes over {_SESSIONS} connections:"
    limit_name = f"smtp-source -d -s {_SESSIONS}"
    yield _rate("dispatch send", limit_name, plain, 1)  # and never below 0.8
    yield _rate("dispatch send, RSA-2048", limit_name, by_key["rsa"], 0.5)
    yield _rate("dispatch send, Ed25519", limit_name, by_key["ed25519"], 0.75)


def _loop(desk: _Desk, port: int, runs: int) -> Rate:
    """A plain loop's rate does not depend on how long it runs: a hundred messages tell it."""
    count = 100
    turns = []
    for _ in range(runs):
        seconds = _seconds([*_OTHERS, "plain-loop", str(port), str(desk.page()), str(count)])
        turns.append((desk.rate(port), count / seconds))
    return _rate("dispatch send", "jinja, premailer, smtplib in a loop", turns, 50)


def _far_away(desk: _Desk, port: int, runs: int) -> Iterator[Rate]:
    """One connection over 20 ms there and back: who waits for each answer waits four times."""
    from tests.servers.delay import DelayProxy

    few = _Desk(desk.folder.with_name("few"), 200)
    one = {"DISPATCH_SMTP_CONNECTIONS": "1"}
    turns = []
    with DelayProxy(port, 0.02) as proxy:
        for _ in range(runs):
            waiting = [*_OTHERS, "lockstep", str(proxy.port), str(few.message()), "100"]
            theirs = 100 / _seconds(waiting)
            turns.append((few.rate(proxy.port, one), theirs))
    yield _rate("one connection, 20 ms away", "smtplib, which waits for answers", turns, 3)


def _many(folder: Path, port: int, many: int) -> Iterator[Rate | str]:
    few = min(10_000, many)
    small = _Desk(folder / "small", few).send(port)
    large_desk = _Desk(folder / "large", many)
    sent = large_desk.send(port, copy=False)
    yield Rate(
        f"queueing {many:,}", "the goal of 30 s", sent.before, 30, "s", sent.before / 30,
        sent.before / 30, sent.before / 30, 1, at_most=True,
    )  # fmt: skip
    yield f"{many:,} were sent in {sent.sending:,.0f} s: {many / sent.sending:,.0f} a second."
    for name, against in (("200 MB", 200e6), (f"{few:,}", small.memory)):
        ratio = sent.memory / against
        yield Rate(
            f"memory, sending to {many:,}", name, sent.memory / 1e6, against / 1e6, "MB", ratio,
            ratio, ratio, 1 if name == "200 MB" else 1.1, at_most=True,
        )  # fmt: skip


class _Desk:
    """A folder with an article and subscribers, which every run gets a copy of."""

    def __init__(self, folder: Path, recipients: int) -> None:
        self.folder = folder
        self.recipients = recipients
        folder.mkdir()
        (folder / "article.txt").write_text(_ARTICLE, encoding="utf-8")
        with (folder / "readers.csv").open("w", encoding="utf-8") as file:
            file.write("email,name\n")
            file.writelines(
                f"reader{n}@example{n % 100}.example.org,Reader Number {n}\n"
                for n in range(recipients)
            )
        _run([*_DISPATCH, "subscribers", "import", "readers.csv", "--desk", "world"], folder)
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of a copy, as it goes over the line."""
        return self._size or len(self.message().read_bytes())

    def message(self) -> Path:
        """One reader's copy."""
        path = self.folder.with_name(f"{self.folder.name}.eml")
        if not path.exists():
            one = _Desk(self.folder.with_name(f"{self.folder.name}-one"), 1)
            one.send(0, {"DISPATCH_SMTP_URL": "file:mail"}, copy=False)
            (kept,) = (one.folder / "mail").iterdir()
            path.write_bytes(kept.read_bytes().split(b"\r\n", 2)[2])  # without the envelope
        self._size = path.stat().st_size
        return path

    def page(self) -> Path:
        """The newsletter's HTML, as a script would have it in a file."""
        self.message()
        one = self.folder.with_name(f"{self.folder.name}-one")
        return next(one.glob("outbox/**/email.html"))

    def keys(self, kind: str) -> Path:
        folder = self.folder.with_name(f"{self.folder.name}-{kind}")
        create = ["dkim", "create", "--domain", "news.example.org", "--algorithm", kind]
        _run([*_DISPATCH, *create], self.folder, {"DISPATCH_DKIM": str(folder)})
        return folder

    def rate(self, port: int, settings: Mapping[str, str] = _NONE) -> float:
        """Copies a second."""
        return self.recipients / self.send(port, settings).sending

    def send(self, port: int, settings: Mapping[str, str] = _NONE, *, copy: bool = True) -> Sent:
        """Send to all of them; in a copy of the folder, so that nobody has had it before.

        Raises:
            RuntimeError: somebody was left out.
        """
        folder = self.folder
        if copy:
            folder = Path(tempfile.mkdtemp(dir=self.folder.parent)) / "copy"
            shutil.copytree(self.folder, folder)
        usual = {
            "DISPATCH_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "DISPATCH_SMTP_CONNECTIONS": str(_SESSIONS),
        }
        begun = time.perf_counter()
        command = [*_DISPATCH, "send", "article.txt", "--desk", "world", "--yes", "--json"]
        out, memory = _run(command, folder, {**usual, **settings})
        whole = time.perf_counter() - begun
        told = json.loads(out)
        if told["counts"]["accepted"] != self.recipients:
            raise RuntimeError(f"{self.recipients} recipients, and this became of them: {told}")
        if copy:
            shutil.rmtree(folder.parent)
        return Sent(told["sent_in_seconds"], whole - told["sent_in_seconds"], memory)


def _rate(name: str, against: str, turns: Sequence[tuple[float, float]], goal: float) -> Rate:
    ratios = [ours / theirs for ours, theirs in turns]
    return Rate(
        name,
        against,
        statistics.median(ours for ours, _ in turns),
        statistics.median(theirs for _, theirs in turns),
        "a second",
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        goal,
    )


@contextmanager
def _sink() -> Iterator[int]:
    """Postfix's receiver that throws everything away.

    Raises:
        RuntimeError: Postfix is not installed.
    """
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise RuntimeError("The benchmark needs smtp-sink and smtp-source: apt install postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([program, *as_user, "-m", "1000", f"127.0.0.1:{port}", "1024"])
    try:
        _wait_for(port)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _smtp_source(port: int, messages: int, size: int) -> float:
    """Its messages a second, each of ``size`` bytes with its header."""
    program = shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin")
    options = ["-d", "-s", str(_SESSIONS), "-m", str(messages), "-l", str(size)]
    begun = time.perf_counter()
    subprocess.run([str(program), *options, f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - begun)


def _seconds(command: Sequence[str]) -> float:
    """What a program of :mod:`benchmarks.others` took, as it says itself."""
    return float(_run(command, _ROOT)[0])


def _run(
    command: Sequence[str], folder: Path, settings: Mapping[str, str] = _NONE
) -> tuple[str, int]:
    """What a command prints, and its peak memory in bytes.

    Raises:
        RuntimeError: it failed.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DISPATCH_", "PYTHON"))}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env={**kept, **settings}, stdout=said, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors.seek(0)
        if process.returncode:
            raise RuntimeError(
                f"{' '.join(command)} ended with {process.returncode}: {errors.read()[-2000:]}"
            )
        return said.read(), usage.ru_maxrss * 1024
