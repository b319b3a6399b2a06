"""What was published: questions to, and changes of, the articles' tables.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from dispatch.store.tables import articles, desks, releases, versions


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """A row of ``articles``; the columns are explained there."""

    key: int
    id: str
    own_id: str | None
    desk: str
    day: date
    slug: str
    asked_slug: str
    dated: bool
    file: str | None
    published: datetime
    updated: datetime
    version: int
    digest: str
    entry: str | None
    archive: int | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A row of ``versions``. ``content`` is the whole article as JSON."""

    number: int
    made: datetime
    digest: str
    headline: str
    content: str


def desk_name(connection: Connection, slug: str, name: str) -> str:
    """The printed name of the desk ``slug``: the one it had at first, or ``name`` if it is new."""
    known = connection.execute(select(desks.c.name).where(desks.c.slug == slug)).scalar()
    if known is None:
        connection.execute(insert(desks).values(slug=slug, name=name))
    return known or name


def with_own_id(connection: Connection, desk: str, own_id: str) -> ArticleRow | None:
    found = _articles(connection, articles.c.desk == desk, articles.c.own_id == own_id)
    return found[0] if found else None


def with_slug(connection: Connection, desk: str, slug: str) -> list[ArticleRow]:
    """Articles that asked for, or got, this slug, on any day; newest first."""
    asked_or_got = or_(articles.c.asked_slug == slug, articles.c.slug == slug)
    return _articles(connection, articles.c.desk == desk, asked_or_got)


def with_file(connection: Connection, desk: str, file: str) -> list[ArticleRow]:
    """Articles last read from this file; newest first."""
    return _articles(connection, articles.c.desk == desk, articles.c.file == file)


def _articles(connection: Connection, *conditions: ColumnElement[bool]) -> list[ArticleRow]:
    newest_first = (articles.c.published.desc(), articles.c.key.desc())
    found = connection.execute(select(articles).where(*conditions).order_by(*newest_first))
    return [ArticleRow(*row) for row in found]


def slug_is_taken(connection: Connection, desk: str, day: date, slug: str) -> bool:
    taken = select(articles.c.key).where(
        articles.c.desk == desk, articles.c.day == day, articles.c.slug == slug
    )
    return connection.execute(taken).first() is not None


def add(connection: Connection, row: ArticleRow) -> int:
    """Add an article; ``row.key`` is ignored. Returns the key it got."""
    values = {column: getattr(row, column) for column in ArticleRow.__slots__ if column != "key"}
    return int(connection.execute(insert(articles).values(values)).lastrowid)


def change(connection: Connection, key: int, **values: object) -> None:
    connection.execute(update(articles).where(articles.c.key == key).values(values))


def add_version(connection: Connection, key: int, version: VersionRow) -> None:
    values = {column: getattr(version, column) for column in VersionRow.__slots__}
    connection.execute(insert(versions).values(article=key, **values))


def version(connection: Connection, key: int, number: int) -> VersionRow | None:
    found = connection.execute(
        select(*(versions.c[name] for name in VersionRow.__slots__)).where(
            versions.c.article == key, versions.c.number == number
        )
    ).first()
    return VersionRow(*found) if found else None


# Feeds -------------------------------------------------------------------------------------------


def newest_entries(connection: Connection, desk: str, limit: int) -> list[tuple[int, str]]:
    """Key and feed entry of the newest public articles, newest first."""
    found = connection.execute(
        select(articles.c.key, articles.c.entry)
        .where(articles.c.desk == desk, articles.c.entry.is_not(None))
        .order_by(articles.c.published.desc(), articles.c.key.desc())
        .limit(limit)
    )
    return [(key, entry) for key, entry in found]


def unarchived(connection: Connection, desk: str) -> list[int]:
    """Keys of the public articles that stand in no archive document, oldest first."""
    found = connection.execute(
        select(articles.c.key)
        .where(articles.c.desk == desk, articles.c.entry.is_not(None), articles.c.archive.is_(None))
        .order_by(articles.c.published, articles.c.key)
    )
    return [key for (key,) in found]


def archives(connection: Connection, desk: str) -> int:
    """How many archive documents the desk has."""
    return connection.execute(select(desks.c.archives).where(desks.c.slug == desk)).scalar() or 0


def close_archive(connection: Connection, desk: str, keys: Sequence[int]) -> int:
    """Put these articles into a new archive document for good; returns its number."""
    number = archives(connection, desk) + 1
    connection.execute(update(desks).where(desks.c.slug == desk).values(archives=number))
    connection.execute(update(articles).where(articles.c.key.in_(keys)).values(archive=number))
    return number


def archived_entries(connection: Connection, desk: str, number: int) -> list[str]:
    """The feed entries of one archive document, newest first."""
    found = connection.execute(
        select(articles.c.entry)
        .where(articles.c.desk == desk, articles.c.archive == number)
        .order_by(articles.c.published.desc(), articles.c.key.desc())
    )
    return [entry for (entry,) in found]


# Releases ----------------------------------------------------------------------------------------


def record_release(connection: Connection, id_: str, made: datetime) -> None:
    connection.execute(insert(releases).values(id=id_, made=made))


def forget_release(connection: Connection, id_: str) -> None:
    connection.execute(delete(releases).where(releases.c.id == id_))


def recorded_releases(connection: Connection) -> set[str]:
    return {id_ for (id_,) in connection.execute(select(releases.c.id))}
