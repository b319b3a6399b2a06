"""A message that came in, taken apart within bounds.

Whoever can send mail can send this, so nothing here trusts it: only the first
:data:`LARGEST` bytes are looked at, header lines, parts and their depth are
counted, and every step takes time in proportion to its input. What the
standard library's parser would nest or fold without end is cut off instead.
A report about mail stands in front of the mail that it returns: what is cut
off is of no use here.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header

LARGEST = 512 * 1024
"""Bytes of a message that are looked at."""

_FIELDS = 500
_FIELD_LENGTH = 4096
_PARTS = 30
_DEPTH = 5
_BLOCKS = 50
_TEXT_LENGTH = 64 * 1024

_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]{1,40})\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{1,200}))')
_CHARSETS = re.compile(
    r"utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5|shift_jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)|ks_c_5601-1987",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of a header block, in order: lower-case name and unfolded value."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The first field of that name; "" if there is none."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]

    def words(self, name: str) -> str:
        """As :meth:`get`, with encoded words (RFC 2047) decoded."""
        try:
            pieces = decode_header(self.get(name))
        except (MessageError, ValueError):
            return self.get(name)
        return "".join(
            piece if isinstance(piece, str) else decoded(piece, charset or "us-ascii")
            for piece, charset in pieces
        )

    @property
    def type(self) -> str:
        """The media type (RFC 2045), in lower case."""
        found = self.get("content-type").partition(";")[0].strip().lower()
        return found if "/" in found else "text/plain"

    def parameter(self, name: str) -> str:
        """A parameter of the media type; "" if there is none."""
        for found in _PARAMETER.finditer(self.get("content-type")):
            if found[1].lower() == name:
                return found[2] if found[2] is not None else found[3]
        return ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that holds no others; a message within the message is one."""

    headers: Headers
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.type

    @property
    def text(self) -> str:
        return decoded(self._content(), self.headers.parameter("charset"))[:_TEXT_LENGTH]

    @property
    def blocks(self) -> list[Headers]:
        """Its content as header blocks with empty lines between (RFC 3464, RFC 5965)."""
        blocks: list[Headers] = []
        rest = self._content().lstrip(b"\n")
        while rest and len(blocks) < _BLOCKS:
            block, rest = _split(rest)
            rest = rest.lstrip(b"\n")
            blocks.append(block)
        return blocks

    def _content(self) -> bytes:
        encoding = self.headers.get("content-transfer-encoding").strip().lower()
        if encoding == "quoted-printable":
            return _lines(binascii.a2b_qp(self.body))
        if encoding == "base64":
            return _lines(_unbase64(self.body))
        return self.body


@dataclass(frozen=True, slots=True)
class Opened:
    """A message's headers and its parts, those of nested multiparts too, in order."""

    headers: Headers
    parts: tuple[Part, ...]

    def first(self, *types: str) -> Part | None:
        return next((part for part in self.parts if part.type in types), None)

    @property
    def text(self) -> str:
        """What it says to a person."""
        return "\n".join(p.text for p in self.parts if p.type == "text/plain")[:_TEXT_LENGTH]

    @property
    def original(self) -> Headers | None:
        """The headers of the message that it returns, if it does."""
        part = self.first(
            "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
            "message/global-headers",
        )  # fmt: skip
        return part.blocks[0] if part and part.blocks else None


def open_message(data: bytes) -> Opened:
    """``data``, any bytes, as a message; never raises."""
    data = _lines(data[:LARGEST])
    if data.startswith((b"From ", b">From ")):  # as an mbox and the pipe of an MTA have it
        data = data.partition(b"\n")[2]
    headers, body = _split(data)
    parts: list[Part] = []
    for part in _parts(headers, body, _DEPTH):
        parts.append(part)
        if len(parts) == _PARTS:
            break
    return Opened(headers, tuple(parts))


def decoded(data: bytes, charset: str) -> str:
    """Text in a charset that mail uses; in another, and where it lies, its ASCII is readable."""
    name = charset.strip() if _CHARSETS.fullmatch(charset.strip()) else "utf-8"
    try:
        return codecs.decode(data, name, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _split(data: bytes) -> tuple[Headers, bytes]:
    """A header block, and what comes behind its empty line."""
    if data.startswith(b"\n"):
        return Headers(()), data[1:]
    head, _, body = data.partition(b"\n\n")
    return Headers(tuple(_fields(head))), body


def _fields(head: bytes) -> Iterator[tuple[str, str]]:
    count, name, pieces, length = 0, "", list[bytes](), 0
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if length < _FIELD_LENGTH:
                pieces.append(line)
                length += len(line)
            continue
        if name:
            yield name, _value(pieces)
            count += 1
        if count == _FIELDS:
            return
        start, colon, rest = line.partition(b":")
        name = start[:100].decode("ascii", "replace").strip().lower() if colon else ""
        pieces, length = [rest], len(rest)
    if name:
        yield name, _value(pieces)


def _value(pieces: list[bytes]) -> str:
    """Unfolded as RFC 5322 2.2.3 has it."""
    return b"".join(pieces)[:_FIELD_LENGTH].decode("utf-8", "replace").strip()


def _parts(headers: Headers, body: bytes, depth: int) -> Iterator[Part]:
    boundary = headers.parameter("boundary").encode("utf-8", "replace")
    if not headers.type.startswith("multipart/") or not boundary:
        yield Part(headers, body)
        return
    if not depth:
        return
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", re.MULTILINE)
    start: int | None = None
    for found in line.finditer(body):
        if start is not None:
            yield from _parts(*_split(body[start : max(start, found.start() - 1)]), depth - 1)
        if found[1]:
            return
        start = found.end() + 1
    if start is not None:  # it was cut off
        yield from _parts(*_split(body[start:]), depth - 1)


def _unbase64(data: bytes) -> bytes:
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    data = data[: len(data) // 4 * 4]
    return binascii.a2b_base64(data)
