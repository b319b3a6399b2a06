"""What the command line says, and how: sentences, notes, colours and progress."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from dispatch.article import Note
    from dispatch.newsroom.check import Finding
    from dispatch.settings import Settings


class Step(Protocol):
    """Moves a progress bar on."""

    def __call__(self, steps: int = 1, /) -> None: ...


_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def prepare() -> None:
    """Make the streams take any text, whatever the terminal's encoding, and be there at all."""
    nowhere = open(os.devnull, "r+", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end
    sys.stdin = sys.stdin or nowhere
    sys.stdout = sys.stdout or nowhere
    sys.stderr = sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def debug_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--debug`` to a command."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda _context, _option, on: _state.update(debug=on),
        help="Show a traceback where something goes wrong.",
    )(command)


_state = {"debug": False}


def debugging() -> bool:
    """Whether ``--debug`` was given."""
    return _state["debug"]


def printable(text: str) -> str:
    """``text`` without what could steer a terminal: control characters are written out."""
    return "".join(
        c if c.isprintable() or c in "\n\u200d\u200c\u200e\u200f" else repr(c)[1:-1] for c in text
    )


def say(text: str) -> None:
    """A result for a person, on standard output; the caller makes hostile parts printable."""
    click.echo(text, color=_colour(sys.stdout))


def hint(text: str) -> None:
    """A remark, on standard error."""
    click.echo(printable(text), err=True)


def confirmed(question: str, otherwise: str, *, asked: bool) -> bool:
    """Whether the person at the terminal says yes; where there is none, nobody is asked.

    Args:
        otherwise: what is said after a no: what was not done.
        asked: False asks nobody, either.

    Raises:
        click.Abort: Ctrl-C or the end of the input, instead of an answer.
    """
    if not asked or not sys.stdin.isatty() or click.confirm(printable(question), err=True):
        return True
    hint(otherwise)
    return False


def error(text: str) -> None:
    _marked("error", text)


def warning(text: str) -> None:
    _marked("warning", text)


def note(note: Note | Finding, indent: str = "  ") -> str:
    """A note or a finding as a line for standard output."""
    return _line(note, indent, sys.stdout)


def remark(note: Note | Finding) -> None:
    """A note on standard error."""
    click.echo(_line(note, "", sys.stderr), err=True)


def _line(note: Note | Finding, indent: str, stream: Any) -> str:
    level = f"{note.level}:"
    if _colour(stream):
        level = click.style(level, fg=_COLOURS[note.level])
    return f"{indent}{level} {printable(note.where)}: {printable(note.message)}"


def print_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Data for a machine, on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def notes_json(notes: Sequence[Note]) -> list[dict[str, str]]:
    return [{"level": n.level, "where": n.where, "message": n.message} for n in notes]


def stream_json(values: Iterable[Mapping[str, object]]) -> None:
    """A list for a machine, on standard output, an element a line: it may be long."""
    before = "["
    for value in values:
        click.echo(before + "\n" + json.dumps(value, ensure_ascii=False), nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


@contextmanager
def progress(length: int, label: str) -> Iterator[Step]:
    """A progress bar on standard error: none for one step, none where nobody watches."""
    if length < 2 or not sys.stderr.isatty():
        yield lambda _steps=1: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield lambda steps=1: bar.update(steps)


@contextmanager
def stoppable(*, terminate: bool = False) -> Iterator[Callable[[], bool]]:
    """Ctrl-C finishes what is at hand, a second one stops at once; says whether it came.

    Until it is asked for the first time nothing is at hand, and one is enough.

    Args:
        terminate: SIGTERM does the same, as a service's manager expects.
    """
    asked, pressed = False, False

    def press(_number: int, _frame: object) -> None:
        nonlocal pressed
        if not asked or pressed:
            raise KeyboardInterrupt
        pressed = True
        # The streams may be in the middle of a write: past them.
        os.write(2, b"\nFinishing what is at hand. Press Ctrl-C again to stop at once.\n")

    def stopped() -> bool:
        nonlocal asked
        asked = True
        return pressed

    numbers = (signal.SIGINT, signal.SIGTERM) if terminate else (signal.SIGINT,)
    before = {number: signal.signal(number, press) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def load_settings() -> Settings:
    """Settings of this process, with a warning for each variable that is none."""
    from dispatch import settings

    loaded = settings.load(os.environ, Path(".env"))
    for sentence in settings.unknown(loaded):
        warning(sentence)
    return loaded


def _marked(level: str, text: str) -> None:
    mark = f"{level.capitalize()}:"
    if _colour(sys.stderr):
        mark = click.style(mark, fg=_COLOURS[level], bold=True)
    click.echo(f"{mark} {printable(text)}", err=True)


def _colour(stream: Any) -> bool:
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")
