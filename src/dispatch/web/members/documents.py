"""The documents of ``members/``, from memory, as one subscriber gets them.

A document is kept once, with its gaps; a token fills them as it is sent. That
is a copy of some hundred kilobytes, and most requests need none: whether a copy
that a client has is still good follows from the document's digest and the token.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b
from pathlib import Path
from time import monotonic

from dispatch.newsroom.access import filled
from dispatch.web.files import conditional, places
from dispatch.web.files.asked import Asked
from dispatch.web.files.compression import SENT_ONCE, SMALL, compress
from dispatch.web.files.file import Version
from dispatch.web.files.headers import Kind, kind_of, safety
from dispatch.web.files.negotiation import CODINGS, IDENTITY, acceptable

MEMORY = 32 * 1024 * 1024
"""Bytes of documents that are kept."""

_FRESH = 1.0
"""Seconds for which a document is sent without a look at the disk."""


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document of ``members/``, with gaps in the place of tokens."""

    version: Version
    data: bytes
    digest: bytes
    kind: Kind
    safety: tuple[tuple[str, str], ...]
    """Header fields that keep a browser from doing more with it than it should."""

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.version.modified // 10**9, UTC)


class PersonalFiles:
    """The documents below a folder, those that were asked for last in memory.

    Args:
        folder: ``<out>/members``; it may come into being later.
    """

    def __init__(self, folder: Path, memory: int = MEMORY) -> None:
        self._folder = folder
        self._memory = memory
        self._held = 0
        self._kept: OrderedDict[str, tuple[float, Document]] = OrderedDict()

    async def find(self, name: str) -> Document | None:
        """The document at ``name`` below the folder, no older than a second; None: there is none.

        Args:
            name: a path that :func:`dispatch.web.files.paths.file_of` let through.
        """
        known = self._kept.get(name)
        if known is not None and monotonic() - known[0] < _FRESH:
            self._kept.move_to_end(name)
            return known[1]
        document = await asyncio.to_thread(self._read, name, known[1] if known else None)
        self._keep(name, document)
        return document

    def _read(self, name: str, known: Document | None) -> Document | None:
        place = places.within(self._folder, name)
        if place is None:
            return None
        try:
            with places.opened(place) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    return None
                version = Version.of(found)
                if known is not None and known.version == version:
                    return known
                data = file.read()
        except OSError:  # none, or a folder
            return None
        kind = kind_of(name)
        fields = dict(safety(kind, data))
        fields["referrer-policy"] = "no-referrer"  # its own address is the secret
        return Document(version, data, blake2b(data).digest(), kind, tuple(fields.items()))

    def _keep(self, name: str, document: Document | None) -> None:
        before = self._kept.pop(name, None)
        self._held -= len(before[1].data) if before else 0
        if document is None:
            return
        self._kept[name] = (monotonic(), document)
        self._held += len(document.data)
        while self._held > self._memory:
            _, (_, fallen) = self._kept.popitem(last=False)
            self._held -= len(fallen.data)


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer: its status, header fields and body."""

    status: int
    fields: dict[str, str]
    body: bytes


async def sent(document: Document, token: str, asked: Asked) -> Sent:
    """The answer to a GET of ``document`` by who has ``token``."""
    coding = _coding(document, asked.accept_encoding)
    tag = _tag(document, token, coding)
    fields = {
        "etag": tag,
        "cache-control": f"private, max-age={document.kind.max_age}",
        "vary": "accept-encoding",
        "x-robots-tag": "noindex",
        "referrer-policy": "no-referrer",
    }
    if _is_good(document, tag, asked):
        return Sent(304, fields, b"")
    fields |= {
        "content-type": document.kind.media_type,
        "last-modified": format_datetime(document.modified, usegmt=True),
        **dict(document.safety),
    }
    body = filled(document.data, token)
    if coding != IDENTITY:
        body = await asyncio.to_thread(compress, body, coding, SENT_ONCE)
        fields["content-encoding"] = coding
    return Sent(200, fields, body)


def _coding(document: Document, accept_encoding: bytes | None) -> str:
    """The one it is sent in: none, where the client refuses all there are (RFC 9110, 12.5.3)."""
    if not document.kind.compressible or len(document.data) < SMALL:
        return IDENTITY
    possible = {*CODINGS, IDENTITY}
    return next((coding for coding in acceptable(accept_encoding) if coding in possible), IDENTITY)


def _tag(document: Document, token: str, coding: str) -> str:
    """A strong entity tag: another one for each token, and for each coding."""
    digest = blake2b(document.digest + token.encode("ascii"), digest_size=16).hexdigest()
    return f'"{digest}"' if coding == IDENTITY else f'"{digest}-{coding}"'


def _is_good(document: Document, tag: str, asked: Asked) -> bool:
    """Whether the client's copy is; If-None-Match has precedence (RFC 9110, 13.2.2)."""
    if asked.none_match is not None:
        named = conditional.tags(asked.none_match)
        return conditional.any_tag(asked.none_match) or tag.encode() in named
    if asked.modified_since is not None:
        since = conditional.parse_date(asked.modified_since, datetime.now(UTC))
        return since is not None and document.modified <= since
    return False
