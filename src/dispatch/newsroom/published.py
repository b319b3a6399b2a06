"""What was published, in the words of a desk: lists, single articles, and their versions."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import Connection

from dispatch import article_json
from dispatch.article import Article
from dispatch.errors import ArticleError
from dispatch.newsroom.desks import desk_slug
from dispatch.store import articles as article_store
from dispatch.store import published as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.published import Summary, VersionSummary


def listed(connection: Connection, desk: str | None, before: int, limit: int) -> list[Summary]:
    """The articles of a desk or, with None, of all, those that came last first.

    Args:
        desk: its name or slug; one that is not known has none.
        before: the key of the last one that is known already; 0: none is.
    """
    try:
        slug = desk_slug(desk) if desk is not None else None
    except ArticleError:
        return []
    return store.listed(connection, slug, before or None, limit)


def at(connection: Connection, desk: str, day: date, slug: str) -> Summary | None:
    """The article at an address; None: there is none."""
    return store.at(connection, desk, day, slug)


def versions(connection: Connection, key: int) -> list[VersionSummary]:
    """The versions of an article, the newest first."""
    return store.versions_of(connection, key)


def version(connection: Connection, desk: str, day: date, slug: str, number: int) -> Article | None:
    """One version of the article at an address; None: there is none.

    Raises:
        ArticleError: what is stored cannot be read.
    """
    found = store.at(connection, desk, day, slug)
    row = found and article_store.version(connection, found.key, number)
    return article_json.from_json(json.loads(row.content)) if row else None


def desks(connection: Connection) -> dict[str, str]:
    """The names of the desks that have published or have subscribers, by their slugs."""
    published = {row.slug: row.name for row in article_store.desks_of_articles(connection)}
    others = {
        slug: slug.replace("-", " ").capitalize()
        for slug in subscriber_store.of_desks(connection)
        if slug not in published
    }
    return dict(sorted({**published, **others}.items()))
