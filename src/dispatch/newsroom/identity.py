"""Whether an article was published before, and as which one.

In this order:

1. The article's own ``id``, where it has one: the same id is the same article.
   (An id that is new may have been added to an article that had none.)
2. Otherwise its slug and the day it was first published under. Where another
   article already stands there, it is the same one if the words are the same,
   or if it comes from the same file, or if most of its words are the same and
   the file it came from is gone (it was renamed). Otherwise two articles happen
   to share a headline, and the new one gets a slug of its own.
3. A slug that is not known: it is the same article if it comes from the same
   file and most of its words are the same (the headline was changed).

An article that names no day is looked for on every day; on another day than
today it must have most of its words in common, so that tomorrow's *Morning
briefing* does not overwrite today's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from dispatch import article_json, markup
from dispatch.article import Article
from dispatch.store import articles as store
from dispatch.store.articles import ArticleRow

_SHINGLE = 3
"""Words that are compared together: single words are alike in any two articles of a desk."""
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that was handed in, and what tells it from others."""

    article: Article
    desk: str
    slug: str
    day: date | None
    """The day it names; None: it names none."""
    file: str | None
    """The file it comes from; None: standard input."""
    digest: str


def find(connection: Connection, candidate: Candidate, today: date) -> ArticleRow | None:
    """The earlier publication of the article, or None where it is new."""
    own_id = candidate.article.id
    if own_id is not None:
        found = store.with_own_id(connection, candidate.desk, own_id)
        if found is not None:
            return found
    namesakes = [
        row
        for row in store.with_slug(connection, candidate.desk, candidate.slug)
        if candidate.day is None or row.day == candidate.day
    ]
    from_same_file = (
        store.with_file(connection, candidate.desk, candidate.file) if candidate.file else []
    )
    if own_id is not None:  # new here, or published before it was given its id
        namesakes = [row for row in namesakes if row.own_id is None]
        from_same_file = [row for row in from_same_file if row.own_id is None]
    for row in namesakes:
        if row.digest == candidate.digest:
            return row
    for row in namesakes:
        same_day = candidate.day is not None or row.day == today
        if candidate.file is not None and row.file == candidate.file and same_day:
            return row
    for row in namesakes + from_same_file:
        if _may_have_moved(row, candidate) and _mostly_same(connection, row, candidate.article):
            return row
    return None


def _may_have_moved(row: ArticleRow, candidate: Candidate) -> bool:
    """Whether the candidate can be what ``row`` was read from: two files that exist are two."""
    return (
        candidate.file is None
        or row.file is None
        or row.file == candidate.file
        or not Path(row.file).exists()
    )


def _mostly_same(connection: Connection, row: ArticleRow, article: Article) -> bool:
    version = store.version(connection, row.key, row.version)
    if version is None:
        return False
    earlier = set(_shingles(article_json.from_json(json.loads(version.content))))
    now = set(_shingles(article))
    smaller = min(len(earlier), len(now))
    return smaller > 0 and len(earlier & now) >= _MOST * smaller


def _shingles(article: Article) -> Iterator[tuple[str, ...]]:
    text = "\n".join(markup.block_text(block) for block in article.body)
    words = re.findall(r"\w+", text.lower())
    if len(words) < _SHINGLE:
        yield tuple(words)
    for n in range(len(words) - _SHINGLE + 1):
        yield tuple(words[n : n + _SHINGLE])
