"""What stands around an email's body, kept within reasonable bounds.

Beyond them a field is no longer what its name says: a headline of a thousand
characters is an article pasted on one line. It would crowd the body out of an
email that mail programs clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dispatch.article import Article, Author, Note, Source
from dispatch.renditions.shortening import shortened

# In characters.
_HEADLINE = 500
_STANDFIRST = 2000
_NAME = 200
_BIO = 1500
_EDITORS_NOTE = 3000
_CORRECTION = 1000
_TITLE = 300
_URL = 2000

_AUTHORS = 20
_CORRECTIONS = 20
_SOURCE_MARKUP = 400
"""Bytes of markup and styles that one source takes beside its text."""


def bounded(article: Article, max_bytes: int) -> tuple[Article, list[Note]]:
    """The article with all but its body shortened where it has to be, and what was shortened.

    Sources take at most a quarter of ``max_bytes``; of too many corrections,
    the latest stay.
    """
    smaller = replace(
        article,
        headline=shortened(article.headline, _HEADLINE),
        standfirst=_optional(article.standfirst, _STANDFIRST),
        dateline=_optional(article.dateline, _NAME),
        rights=_optional(article.rights, _TITLE),
        editors_note=_optional(article.editors_note, _EDITORS_NOTE),
        byline=tuple(map(_author, article.byline[:_AUTHORS])),
        corrections=tuple(shortened(c, _CORRECTION) for c in article.corrections[-_CORRECTIONS:]),
        sources=_sources(article.sources, max_bytes // 4),
    )
    return smaller, list(_notes(article, smaller))


def _optional(text: str | None, limit: int) -> str | None:
    return None if text is None else shortened(text, limit)


def _author(author: Author) -> Author:
    return replace(
        author,
        name=shortened(author.name, _NAME),
        role=_optional(author.role, _NAME),
        desk=_optional(author.desk, _NAME),
        bio=_optional(author.bio, _BIO),
    )


def _sources(sources: Sequence[Source], room: int) -> tuple[Source, ...]:
    kept: list[Source] = []
    for source in sources:
        smaller = Source(
            shortened(source.title, _TITLE),
            _optional(source.publisher, _NAME),
            source.url if source.url and len(source.url) <= _URL else None,
        )
        text = f"{smaller.title}{smaller.publisher}{smaller.url}"
        room -= len(text.encode("utf-8", "replace")) + _SOURCE_MARKUP
        if room < 0:
            break
        kept.append(smaller)
    return tuple(kept)


def _notes(article: Article, smaller: Article) -> Iterable[Note]:
    texts = {
        "headline": (article.headline, smaller.headline),
        "standfirst": (article.standfirst, smaller.standfirst),
        "editor’s note": (article.editors_note, smaller.editors_note),
        "dateline": (article.dateline, smaller.dateline),
        "rights": (article.rights, smaller.rights),
    }
    for name, (before, after) in texts.items():
        if before != after:
            yield Note(
                "warning",
                "email",
                f"The {name} has {len(before or ''):,} characters, and the email shows only the "
                f"first {len(after or ''):,}. Shorten it.",
            )
    for name, all_of_them, kept in (
        ("sources", article.sources, smaller.sources),
        ("corrections", article.corrections, smaller.corrections),
        ("authors", article.byline, smaller.byline),
    ):
        if len(kept) < len(all_of_them):
            yield Note(
                "info",
                "email",
                f"The email names {len(kept)} of {len(all_of_them)} {name}; the web page has all.",
            )
