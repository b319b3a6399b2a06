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
   file and most of its words are the same (the headline was changed), or if all
   of it is the same and the file it came from is gone.

An article that names no day is looked for on every day; on another day than
today it must have most of its words in common, so that tomorrow's *Morning
briefing* does not overwrite today's. One that names another day than the
earlier one did must have nearly all of them (the day was corrected).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from sqlalchemy import Connection

from dispatch import article_json, markup
from dispatch.article import Article
from dispatch.store import articles as store
from dispatch.store.articles import ArticleRow

_SHINGLE = 3
"""Words that are compared together: single words are alike in any two articles of a desk."""
_MOST = 0.5
_NEARLY_ALL = 0.9
# A word, or one character of a script that does not part its words.
_WORD = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\\w+")


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
        if _may_be(row, candidate) and _on_its_day(row, candidate)
    ]
    for row in namesakes:
        if row.digest == candidate.digest:
            return row
    for row in namesakes:
        same_day = candidate.day is not None or row.day == today
        if candidate.file is not None and row.file == candidate.file and same_day:
            return row
    return _with_its_words(connection, candidate, namesakes)


def _with_its_words(
    connection: Connection, candidate: Candidate, namesakes: list[ArticleRow]
) -> ArticleRow | None:
    from_same_file = (
        store.with_file(connection, candidate.desk, candidate.file) if candidate.file else []
    )
    for row in namesakes + [row for row in from_same_file if _may_be(row, candidate)]:
        if _may_have_moved(row, candidate) and _mostly_same(connection, row, candidate):
            return row
    for row in store.with_digest(connection, candidate.desk, candidate.digest):
        on_its_day = _on_its_day(row, candidate) or not row.dated
        if _may_be(row, candidate) and _may_have_moved(row, candidate) and on_its_day:
            return row
    return None


def _may_be(row: ArticleRow, candidate: Candidate) -> bool:
    """False where the two have ids of their own, which differ: find looked for equal ones."""
    return candidate.article.id is None or row.own_id is None


def _on_its_day(row: ArticleRow, candidate: Candidate) -> bool:
    published = candidate.article.published
    if candidate.day is None or published is None or row.day == candidate.day:
        return True
    return row.published == published.astimezone(UTC)  # the zone that days are told in changed


def _may_have_moved(row: ArticleRow, candidate: Candidate) -> bool:
    """Whether the candidate can be what ``row`` was read from: two files that exist are two."""
    return (
        candidate.file is None
        or row.file is None
        or row.file == candidate.file
        or not Path(row.file).exists()
    )


def _mostly_same(connection: Connection, row: ArticleRow, candidate: Candidate) -> bool:
    version = store.version(connection, row.key, row.version)
    if version is None:
        return False
    earlier = set(_shingles(article_json.from_json(json.loads(version.content))))
    now = set(_shingles(candidate.article))
    smaller = min(len(earlier), len(now))
    share = _MOST if not row.dated or _on_its_day(row, candidate) else _NEARLY_ALL
    return smaller > 0 and len(earlier & now) >= share * smaller


def _shingles(article: Article) -> Iterator[tuple[str, ...]]:
    text = "\n".join(markup.block_text(block) for block in article.body)
    words = _WORD.findall(text.lower())
    if 0 < len(words) < _SHINGLE:
        yield tuple(words)
    for n in range(len(words) - _SHINGLE + 1):
        yield tuple(words[n : n + _SHINGLE])
