"""What a relay says: bytes in, replies out (RFC 5321 4.2, RFC 2034, RFC 3463).

    parser = ReplyParser()
    for reply in parser.feed(data):
        reply.code, reply.status, reply.words

Whoever answers may be hostile or broken: a reply is bounded in lines and
bytes, and its words are made harmless before anybody sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dispatch.mailing.harmless import MOST_WORDS, harmless

_LONGEST_LINE = 4096
"""Bytes. RFC 5321 4.5.3.1.5 allows 512; well-meaning relays exceed that."""
_MOST_LINES = 128
"""Of one reply; a long EHLO has thirty."""

_STATUS = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?= |$)")


class ProtocolError(Exception):
    """What came is not SMTP, or not an answer to anything. The message goes on a sentence:
    "The relay … broke the protocol: <message>."."""


class Reply(NamedTuple):
    """One whole reply. ``lines`` are as they came, without code and line ends."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def status(self) -> str | None:
        """The enhanced status code, where the reply begins with one of its own class."""
        found = _STATUS.match(self.lines[0])
        if not found or found[1][0] - 48 != self.code // 100:
            return None
        return found[1].decode("ascii")

    @property
    def words(self) -> str:
        """All of it on one line, the code first; no control characters, at most 500 characters."""
        if len(self.lines) == 1:
            text = self.lines[0]
        else:
            # Many relays repeat the status in every line.
            rest = (_STATUS.sub(b"", line, count=1).strip() for line in self.lines[1:])
            text = b" ".join((self.lines[0], *rest))
        return harmless(f"{self.code} {text[: 4 * MOST_WORDS].decode('utf-8', 'replace')}")


class ReplyParser:
    """Takes bytes in pieces of any size, gives whole replies."""

    __slots__ = ("_begun", "_code", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._code = b""
        self._begun: list[bytes] = []

    @property
    def pending(self) -> bool:
        """Whether part of a reply has come that is not whole yet."""
        return bool(self._rest or self._begun)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that are whole with ``data``, each given before the next is looked at.

        A line may end in LF alone: nothing that is sent depends on it.

        Raises:
            ProtocolError: a line is no reply, or too long, or a reply has too many. Replies before
                it have been given.
        """
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            reply = self._line(line)
            if reply is not None:
                yield reply
        if len(self._rest) > _LONGEST_LINE:
            raise ProtocolError("a line of its answer does not end")

    def _line(self, line: bytes) -> Reply | None:
        """The reply that ``line`` completes, if it does."""
        line = line[:-1] if line[-1:] == b"\r" else line
        code, mark = line[:3], line[3:4]
        if not (len(code) == 3 and code.isdigit() and b"200" <= code < b"600"):
            raise ProtocolError(f"it said {_quoted(line)}, which is not a reply")
        if len(line) > _LONGEST_LINE:
            raise ProtocolError("a line of its answer is too long")
        if self._begun and code != self._code:
            raise ProtocolError("the lines of its answer have different codes")
        if mark == b"-":
            if len(self._begun) == _MOST_LINES:
                raise ProtocolError("its answer does not end")
            self._code = code
            self._begun.append(line[4:])
            return None
        if mark not in (b" ", b""):
            raise ProtocolError(f"it said {_quoted(line)}, which is not a reply")
        if not self._begun:
            return Reply(int(code), (line[4:],))
        begun, self._begun = self._begun, []
        return Reply(int(code), (*begun, line[4:]))


def _quoted(line: bytes) -> str:
    text = harmless(line[:200].decode("utf-8", "replace"), 60)
    return f'"{text}"' if text else "an empty line"
