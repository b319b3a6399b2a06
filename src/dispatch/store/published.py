"""What was published, to be looked at: questions to the articles' tables.

Every function takes a connection of a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from dispatch.store.tables import articles, versions


@dataclass(frozen=True, slots=True)
class Summary:
    """An article with the headline of its newest version."""

    key: int
    id: str
    desk: str
    day: date
    slug: str
    published: datetime
    updated: datetime
    version: int
    public_version: int | None
    headline: str


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version of an article without what it says."""

    number: int
    made: datetime
    headline: str


def listed(
    connection: Connection, desk: str | None, before: int | None, limit: int
) -> list[Summary]:
    """The articles of a desk or of all, those that came last first.

    Args:
        before: only those that came before the one of this key.
    """
    wanted = _summaries().order_by(articles.c.key.desc()).limit(limit)
    if desk is not None:
        wanted = wanted.where(articles.c.desk == desk)
    if before is not None:
        wanted = wanted.where(articles.c.key < before)
    return [Summary(*row) for row in connection.execute(wanted)]


def at(connection: Connection, desk: str, day: date, slug: str) -> Summary | None:
    """The article at an address."""
    place = (articles.c.desk == desk, articles.c.day == day, articles.c.slug == slug)
    found = connection.execute(_summaries().where(*place)).first()
    return Summary(*found) if found else None


def versions_of(connection: Connection, key: int) -> list[VersionSummary]:
    """The versions of an article, the newest first."""
    found = connection.execute(
        select(versions.c.number, versions.c.made, versions.c.headline)
        .where(versions.c.article == key)
        .order_by(versions.c.number.desc())
    )
    return [VersionSummary(*row) for row in found]


def _summaries() -> Select[Any]:
    own = [articles.c[name] for name in Summary.__slots__ if name != "headline"]
    newest = (versions.c.article == articles.c.key) & (versions.c.number == articles.c.version)
    return select(*own, versions.c.headline).join(versions, newest)
