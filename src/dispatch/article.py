"""The article: immutable facts that every stage takes.

Readers make an :class:`Article`, renditions turn it into bytes. Nothing here
does anything beyond refusing what no later stage could handle.

Text fields are plain Unicode text: no markup, no line breaks, no control
characters. Inline markup lives only in :data:`Html` values, which hold what
``dispatch.markup.inline`` let through and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar, Literal, NewType

from dispatch.errors import ArticleError

Html = NewType("Html", str)
"""An inline HTML fragment from the allow-list of ``dispatch.markup``; safe to print unescaped."""

Level = Literal["info", "warning"]

# One line of text: whatever starts a new line, anywhere, could forge a header.
_LINE_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Note:
    """Something a stage noticed and the desk should know.

    ``warning`` is for what a person has to decide or look at (``--strict``
    refuses it), ``info`` for what was done and needs no decision. ``where`` is
    a field or a place such as ``line 12``.
    """

    level: Level
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Author:
    """One name of the byline, with what is known of the person."""

    name: str
    role: str | None = None
    desk: str | None = None
    bio: str | None = None
    email: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A work the article draws on. ``publisher`` and ``url`` are None where not known."""

    title: str
    publisher: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    kind: ClassVar[str] = "paragraph"
    html: Html


@dataclass(frozen=True, slots=True)
class Crosshead:
    """A heading inside the body. ``level`` is 2 to 6; 1 is the headline's own."""

    kind: ClassVar[str] = "crosshead"
    html: Html
    level: int = 2


@dataclass(frozen=True, slots=True)
class List:
    """A list. Each item is itself a run of blocks, mostly one paragraph."""

    kind: ClassVar[str] = "list"
    items: tuple[tuple[Block, ...], ...]
    ordered: bool = False
    start: int = 1


@dataclass(frozen=True, slots=True)
class Quotation:
    kind: ClassVar[str] = "quotation"
    blocks: tuple[Block, ...]
    attribution: Html | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text, kept to the letter. ``language`` is what the author named, if anything."""

    kind: ClassVar[str] = "code"
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    html: Html
    header: bool = False
    align: Literal["left", "center", "right"] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; every row has the same number of cells."""

    kind: ClassVar[str] = "table"
    rows: tuple[tuple[Cell, ...], ...]
    caption: Html | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """``src`` is an absolute http(s) URL. ``alt`` None: not given; empty: decorative."""

    kind: ClassVar[str] = "image"
    src: str
    alt: str | None = None
    caption: Html | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A thematic break."""

    kind: ClassVar[str] = "rule"


@dataclass(frozen=True, slots=True)
class Embed:
    """Something that plays elsewhere (a video, a post): shown as a link. ``url`` is http(s)."""

    kind: ClassVar[str] = "embed"
    url: str
    title: str | None = None


Block = Paragraph | Crosshead | List | Quotation | Code | Table | Image | Rule | Embed


@dataclass(frozen=True, slots=True)
class Article:
    """A finished article.

    Readers leave what they were not told as None or empty. Publishing fills
    ``id``, ``slug``, ``desk``, ``published``, ``updated``, ``path`` and
    ``version``; renditions need them (see :meth:`dispatch.desk.Desk.url`).

    Raises:
        ArticleError: no headline, a line break in a one-line field, or a time
            without a zone. The message names the field.
    """

    headline: str
    body: tuple[Block, ...]
    reader: str = ""
    """The reader that made it: ``pasted``, ``markdown`` or ``webpage``."""
    standfirst: str | None = None
    slug: str | None = None
    desk: str | None = None
    """The desk's name as printed, such as ``World``."""
    language: str | None = None
    """A BCP 47 tag such as ``en`` or ``pt-BR``."""
    byline: tuple[Author, ...] = ()
    dateline: str | None = None
    """Where it was filed from, as printed: ``CAIRO`` or ``CAIRO, Oct 3 (Agency)``."""
    published: datetime | None = None
    updated: datetime | None = None
    embargo: datetime | None = None
    """Not for the public before this time."""
    keywords: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    editors_note: str | None = None
    corrections: tuple[str, ...] = ()
    rights: str | None = None
    priority: int | None = None
    """The wire's urgency, 1 (flash) to 6 (feature)."""
    id: str | None = None
    """The desk's own id for it, or, once published, its tag: URI (RFC 4151)."""
    path: str | None = None
    """Where it stands below its desk, ``2026/11/24/slug``; fixed at first publication."""
    version: int | None = None
    extra: tuple[tuple[str, str], ...] = ()
    """Fields that were handed in and that no stage knows, as name and value."""
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        if not self.headline.strip():
            raise ArticleError("The article has no headline. Give it one and try again.")
        one_line = {f: getattr(self, f) for f in _ONE_LINE}
        for n, author in enumerate(self.byline, 1):
            one_line |= {f"author {n}, {f.name}": getattr(author, f.name) for f in fields(author)}
        for name, value in one_line.items():
            if value is not None and _LINE_BREAKS.search(value):
                raise ArticleError(
                    f"The {name.replace('_', ' ')} contains a line break. Write it on one line."
                )
        for name in ("published", "updated", "embargo"):
            time: datetime | None = getattr(self, name)
            if time is not None and time.tzinfo is None:
                raise ArticleError(
                    f"The field {name} has no time zone: {time.isoformat()}. "
                    f"Write it with one, such as {time.isoformat()}+00:00."
                )


_ONE_LINE = (
    "headline",
    "standfirst",
    "slug",
    "desk",
    "language",
    "dateline",
    "rights",
    "id",
    "path",
)
