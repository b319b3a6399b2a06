"""The article as JSON: whole for the store, and as ``dispatch read --json`` tells it.

:func:`to_json` and :func:`from_json` are each other's inverse. Keys come in a
fixed order, so that equal articles are equal byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

from dispatch import markup
from dispatch.article import (
    Article,
    Author,
    Block,
    Cell,
    Code,
    Crosshead,
    Embed,
    Image,
    List,
    Note,
    Paragraph,
    Quotation,
    Rule,
    Source,
    Table,
)
from dispatch.errors import ArticleError

Json = dict[str, Any]
"""A JSON object: str, int, bool, None, and lists and objects of these."""

_NOT_FOR_READERS = frozenset({
    "desk", "extra", "id", "notes", "path", "published", "reader", "slug", "updated", "version",
})  # fmt: skip
"""Fields that no rendition prints as part of the story, or that publishing itself sets or knows:
the newsroom tells desks apart by itself, however one is typed."""


def to_json(article: Article) -> Json:
    """Everything about ``article``; a block is an object with its ``kind``."""
    return _plain(article)  # type: ignore[no-any-return]


def from_json(data: Mapping[str, Any]) -> Article:
    """The article that :func:`to_json` wrote.

    A field that is missing takes its default and one that is not known is left
    aside: the store may hold what an older version wrote.

    Raises:
        ArticleError: it is no article.
    """
    try:
        return _made(Article, data)  # type: ignore[no-any-return]
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise ArticleError(
            f"A stored article cannot be read ({type(error).__name__}: {error}). "
            "Publish the article again from its file."
        ) from error


def digest(article: Article) -> str:
    """SHA-256, in hex, of what readers see: it stays as long as nothing they see changes."""
    seen = {key: value for key, value in to_json(article).items() if key not in _NOT_FOR_READERS}
    canonical = json.dumps(_present(seen), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def summary(article: Article) -> Json:
    """What was understood of an article, as ``dispatch read --json`` prints it."""
    return {
        "reader": article.reader or None,
        "headline": article.headline,
        "standfirst": article.standfirst,
        "slug": article.slug,
        "desk": article.desk,
        "language": article.language,
        "published": _plain(article.published),
        "updated": _plain(article.updated),
        "dateline": article.dateline,
        "authors": [
            {"name": a.name, "role": a.role, "desk": a.desk, "bio": a.bio} for a in article.byline
        ],
        "keywords": _plain(article.keywords),
        "body": [
            {"kind": b.kind, "text": markup.block_text(b), "html": markup.block_html(b)}
            for b in article.body
        ],
        "sources": [
            {"publisher": s.publisher, "title": s.title, "url": s.url} for s in article.sources
        ],
        "notes": _plain(article.notes),
        "embargo": _plain(article.embargo),
        "editors_note": article.editors_note,
        "rights": article.rights,
        "priority": article.priority,
        "id": article.id,
        "extra": dict(article.extra),
    }


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, str | int):
        return value
    kind = {"kind": value.kind} if isinstance(value, Block) else {}
    return kind | {f.name: _plain(getattr(value, f.name)) for f in fields(value)}  # type: ignore[arg-type]


def _present(value: Any) -> Any:
    """Without what is absent, so that a field that a later version adds moves no digest."""
    if isinstance(value, list):
        return [_present(part) for part in value]
    if isinstance(value, dict):
        return {key: _present(part) for key, part in value.items() if part not in (None, [])}
    return value


# Back -------------------------------------------------------------------------------------------

_KINDS: dict[str, type] = {
    kind.kind: kind
    for kind in (Paragraph, Crosshead, List, Quotation, Code, Table, Image, Rule, Embed)
}


def _made(kind: type, data: Mapping[str, Any]) -> Any:
    """A ``kind`` of those values in ``data`` that it has fields for."""
    given = {f.name: data[f.name] for f in fields(kind) if f.name in data}
    return kind(**{name: _READERS.get(name, _as_it_is)(value) for name, value in given.items()})


def _as_it_is(value: Any) -> Any:
    return value


def _all(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda values: tuple(map(read, values))


def _block(data: Mapping[str, Any]) -> Any:
    return _made(_KINDS[data["kind"]], data)


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "blocks": _all(_block),
    "body": _all(_block),
    "byline": _all(partial(_made, Author)),
    "corrections": tuple,
    "embargo": _time,
    "extra": _all(tuple),
    "items": _all(_all(_block)),
    "keywords": tuple,
    "notes": _all(partial(_made, Note)),
    "published": _time,
    "rows": _all(_all(partial(_made, Cell))),
    "sources": _all(partial(_made, Source)),
    "updated": _time,
}
"""By the field's name, how its value is read; every other value is as JSON has it."""
