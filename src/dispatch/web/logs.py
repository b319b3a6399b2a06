"""The log: JSON, a line each, for machines; short coloured lines where a person watches.

There is nobody in it: no IP address, no query, no token, and of an error that
nobody foresaw its kind and where it came from, because its words may be what a
reader typed. ``--debug`` prints those, too. A line is a line, whatever is in it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

SAID = "It is in the log, with the request's id."
"""The note of an error that was logged, and is only raised on."""

_FRAMES = 30
"""Of a traceback, the innermost; a recursion that never ends has thousands."""

_RED, _YELLOW, _GREEN, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


def configure(stream: TextIO, *, debug: bool) -> None:
    """Have everything that is logged in this process written to ``stream``.

    Args:
        debug: errors in full, with whatever personal data they hold.
    """
    terminal = stream.isatty()
    coloured = terminal and not os.environ.get("NO_COLOR")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Short(coloured, debug=debug) if terminal else Json(debug=debug))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("dispatch").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # It warns of each form that is malformed, which its sender is told anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


class Json(logging.Formatter):
    """``{"time": …, "level": …, "message": …, …}`` in ASCII."""

    def __init__(self, *, debug: bool = False) -> None:
        super().__init__()
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = where(record.exc_info[1])
            if self._debug:
                line["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line)


class Short(logging.Formatter):
    """``08:15:02 200 GET /{desk}/subscribe 3 ms 5f2c…``; no control characters but its colours."""

    def __init__(self, coloured: bool, *, debug: bool = False) -> None:
        super().__init__()
        self._coloured = coloured
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        time = f"{_time(record).astimezone():%H:%M:%S}"
        facts = _facts(record)
        if "status" in facts:
            said, colour = _request(facts)
        else:
            said = record.getMessage()
            said += "".join(f" {name}={value}" for name, value in facts.items())
            colour = {"ERROR": _RED, "WARNING": _YELLOW}.get(record.levelname, "")
        lines = [f"{self._in(_DIM, time)} {self._in(colour, _visible(said))}"]
        if record.exc_info and record.exc_info[1]:
            lines += [f"    {_visible(frame)}" for frame in where(record.exc_info[1])]
            if self._debug:
                lines += _visible("".join(traceback.format_exception(record.exc_info[1])), "\n")
        return "\n".join(lines)

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._coloured and colour else text


def where(error: BaseException) -> list[str]:
    """What kinds of errors led to this one, and where each came from; nothing of what they say."""
    lines: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen and len(seen) < 5:
        seen.add(id(at))
        lines.append(type(at).__qualname__)
        lines += _frames(at.__traceback__)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return lines


def _frames(trace: TracebackType | None) -> list[str]:
    frames = [
        f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    return frames[-_FRAMES:]


def _request(facts: Mapping[str, object]) -> tuple[str, str]:
    status = facts["status"]
    ok = isinstance(status, int) and status < 400
    colour = _GREEN if ok else _RED if status is None or status == 500 else _YELLOW
    said = f"{status or 'gone'} {facts['method']} {facts['route']} {facts['ms']} ms"
    return f"{said} {facts['id']}", colour


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    facts: Mapping[str, object] = getattr(record, "facts", {})
    return facts


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _visible(text: str, but: str = "") -> str:
    return "".join(c if c.isprintable() or c in but else repr(c)[1:-1] for c in text)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether what the server says of a request was not said before, and is not just its end."""
    error = record.exc_info[1] if record.exc_info else None
    called_off = isinstance(error, asyncio.CancelledError)
    return not called_off and SAID not in getattr(error, "__notes__", ())


Facts = dict[str, Any]
"""What is logged beside a message, as ``extra={"facts": …}``."""
