"""One public file as it is sent: its answers, made ahead, and which of them a request gets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b

from dispatch.web.files import conditional
from dispatch.web.files.compression import SENT_NOW_AND_THEN, SENT_OFTEN, SMALL, compress
from dispatch.web.files.headers import Kind, safety
from dispatch.web.files.negotiation import CODINGS, IDENTITY

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields: names in lower case, and values."""

_OVERHEAD = 4096
"""Bytes that a file costs besides its own: its answers' headers and Python's objects."""
_POLLED = 256 * 1024
"""Bytes of a feed that is compressed as well as can be; of a larger one that takes seconds."""
_GAIN = 0.95
"""A compressed form that is larger than this part of the file is not worth its decompression."""
_CONTROL = re.compile(r"[^\t -~]")


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one version of a file from another, and from another file in its place."""

    device: int
    inode: int
    size: int
    modified: int
    """Nanoseconds since 1970."""

    @classmethod
    def of(cls, stat: os.stat_result) -> Version:
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


class Answer:
    """An answer that is ready: all of it but the Date, for ASGI and for the line.

    Attributes:
        fields: the header.
        head: the same as it goes over the line, with the empty line behind it.
        body: None where it has to be read from the disk.

    Raises:
        ValueError: a value would end its line.
    """

    __slots__ = ("body", "fields", "head", "status")

    def __init__(self, status: int, fields: Iterable[tuple[str, str]], body: bytes | None) -> None:
        self.status = status
        self.fields: Fields = tuple(_encoded(name, value) for name, value in fields)
        self.head = b"".join((*(b"%s: %s\r\n" % field for field in self.fields), b"\r\n"))
        self.body = body


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    if _CONTROL.search(value):
        raise ValueError(f"{name} cannot be {value!r}")
    return name.encode("ascii"), value.encode("ascii")


_SORRY = b"The request allows no content coding that there is.\n"
NOT_ACCEPTABLE = Answer(
    406,
    [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(_SORRY))),
        ("vary", "accept-encoding"),
        ("cache-control", "no-store"),
    ],
    _SORRY,
)
"""For a client that refuses the file as it is, too."""


class PublicFile:
    """One version of a file. Its answers are read by the event loop while a thread adds to them.

    A strong entity tag stands for the content, and has the coding behind it: ``"…-br"``. A
    client whose copy is of another coding, but one that it accepts, is told that it is good: what
    it has is what there is.

    Args:
        name: its path, relative to the folder.
        data: what it holds; None where it is too large for that. Then its tag is made of its
            version, and it is sent as it is.
        more: fields for its whole answers, besides those that follow from its kind.

    Attributes:
        asked: set with every answer; whoever wants to know what is in use clears it.
        wanted: codings that clients asked for, to be made (:meth:`press`) and taken out.
    """

    __slots__ = (
        "_common",
        "_kind",
        "_last_modified",
        "_modified",
        "_possible",
        "_requested",
        "_tags",
        "_unchanged",
        "_whole",
        "asked",
        "data",
        "name",
        "version",
        "wanted",
    )

    def __init__(
        self,
        name: str,
        version: Version,
        data: bytes | None,
        kind: Kind,
        more: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.data = data
        self.asked = True
        self.wanted: list[str] = []
        self._kind = kind
        self._modified = datetime.fromtimestamp(version.modified // 10**9, UTC)
        last_modified = format_datetime(self._modified, usegmt=True)
        self._last_modified = last_modified.encode()
        presses = kind.compressible and data is not None and len(data) >= SMALL
        self._possible = {IDENTITY, *(CODINGS if presses else ())}
        self._requested = {IDENTITY}

        base = _digest(data, version)
        lasting = [("cache-control", f"public, max-age={kind.max_age}")]
        if presses:
            lasting.append(("vary", "accept-encoding"))
        self._common = [
            ("content-type", kind.media_type),
            ("last-modified", last_modified),
            *lasting,
            *safety(kind, data or b""),
            *more,
        ]
        tags = {IDENTITY: f'"{base}"'}
        tags |= {coding: f'"{base}-{coding}"' for coding in CODINGS if presses}
        self._tags = {tag.encode(): coding for coding, tag in tags.items()}
        self._unchanged = {
            coding: Answer(304, [("etag", tag), *lasting], b"") for coding, tag in tags.items()
        }
        size = version.size if data is None else len(data)  # which may have grown since
        whole = [("etag", tags[IDENTITY]), ("content-length", str(size)), *self._common]
        self._whole = {IDENTITY: Answer(200, whole, data)}

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes, roughly."""
        return _OVERHEAD + sum(len(answer.body or b"") for answer in self._whole.values())

    def answer(
        self, codings: tuple[str, ...], none_match: bytes | None, modified_since: bytes | None
    ) -> Answer | None:
        """The answer to a GET; a HEAD gets the same without its body.

        Args:
            codings: that the client takes, the dearest first (:func:`negotiation.acceptable`).
            none_match: the value of If-None-Match, which has precedence (RFC 9110, 13.2.2).
            modified_since: the value of If-Modified-Since.

        Returns:
            None where a coding has to be made first (:meth:`press_for`), as no other is taken.
        """
        self.asked = True
        if none_match is not None:
            coding = self._tags.get(none_match)
            if coding is None or coding not in codings:
                coding = self._matching(none_match, codings)
            if coding is not None:
                return self._unchanged[coding]
        elif modified_since is not None and self._unmodified(modified_since):
            for coding in codings:
                if coding in self._possible:
                    return self._unchanged[coding]
        waits = False
        for coding in codings:
            answer = self._whole.get(coding)
            if answer is not None:
                return answer
            if coding in self._possible:
                waits = True
                if coding not in self._requested:
                    self._requested.add(coding)
                    self.wanted.append(coding)
        return None if waits else NOT_ACCEPTABLE

    def press_for(self, codings: tuple[str, ...]) -> None:
        """Make the answer in the dearest of these codings that it can have."""
        for coding in codings:
            if coding in self._possible:
                self.press(coding)
                return

    def press(self, coding: str) -> None:
        """Make the answer in a coding, or find that it is not worth it; once is enough."""
        if self.data is None or coding in self._whole or coding not in self._possible:
            return
        polled = self._kind.topic and len(self.data) <= _POLLED
        pressed = compress(self.data, coding, SENT_OFTEN if polled else SENT_NOW_AND_THEN)
        if len(pressed) > len(self.data) * _GAIN:
            self._possible.discard(coding)
            return
        tag = dict(self._unchanged[coding].fields)[b"etag"].decode()
        fields = [
            ("etag", tag),
            ("content-length", str(len(pressed))),
            ("content-encoding", coding),
            *self._common,
        ]
        self._whole[coding] = Answer(200, fields, pressed)

    def _matching(self, none_match: bytes, codings: tuple[str, ...]) -> str | None:
        if conditional.any_tag(none_match):
            return next((coding for coding in codings if coding in self._possible), None)
        for tag in conditional.tags(none_match):
            coding = self._tags.get(tag)
            if coding is not None and coding in codings:
                return coding
        return None

    def _unmodified(self, since: bytes) -> bool:
        if since == self._last_modified:
            return True
        date = conditional.parse_date(since, datetime.now(UTC))
        return date is not None and self._modified <= date


def _digest(data: bytes | None, version: Version) -> str:
    if data is None:
        return f"{version.modified:x}-{version.size:x}"
    return blake2b(data, digest_size=16).hexdigest()
