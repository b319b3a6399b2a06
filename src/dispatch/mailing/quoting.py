"""Quoted-printable (RFC 2045, 6.7) in pieces that can be put together again.

A text that is cut where a value will stand is encoded piece by piece. Each
piece and each value begins on a line of its own: between two of them stands a
soft line break, ``=`` and CRLF, which a reader's mail program takes out again.
So whatever a value is, it changes no line but its own.

Lines have at most 76 characters. None begins with a dot, which SMTP would have
to double, or with ``From ``, which some mailboxes mark.
"""

from __future__ import annotations

from binascii import b2a_qp

SOFT_BREAK = "=\r\n"

_ROOM = 75  # of the 76 characters of a line; the last is for the = of a soft break
_PLAIN = frozenset(range(33, 127)) - {ord("=")}
_UNITS = tuple(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in range(256))
_BLANKS = {ord(" "): " ", ord("\t"): "\t"}


def encoded(text: str) -> str:
    """``text`` with line ends as CRLF; the last line ends as it does in ``text``."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\r\n".join([*(_line(line, ends=True) for line in lines[:-1]), _line(lines[-1])])


def value(text: str) -> bytes:
    """A value on one line, which may have soft line breaks inside; ``text`` holds no line ends."""
    data = text.encode()
    quoted = b2a_qp(data)
    if len(quoted) <= _ROOM and not quoted.startswith((b".", b"From ")):
        return quoted
    return _line(text, ends=True).encode("ascii")


def _line(text: str, *, ends: bool = False) -> str:
    """One line of a text; ``ends``: it ends here, so that a blank at its end has to be encoded."""
    data = text.encode()
    lines: list[str] = []
    line = ""
    for place, byte in enumerate(data):
        unit = _UNITS[byte]
        if byte in _BLANKS and not (ends and place == len(data) - 1):
            unit = _BLANKS[byte]
        if len(line) + len(unit) > _ROOM:
            lines.append(line)
            line = ""
        if not line and (byte == ord(".") or data.startswith(b"From ", place)):
            unit = f"={byte:02X}"
        line += unit
    return SOFT_BREAK.join([*lines, line])
