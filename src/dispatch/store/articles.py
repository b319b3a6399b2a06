"""What was published: questions to, and changes of, the articles' tables.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

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
    public_version: int | None
    digest: str
    entry: str | None
    archive: int | None
    public_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A row of ``versions``. ``content`` is the whole article as JSON."""

    number: int
    made: datetime
    digest: str
    headline: str
    content: str


@dataclass(frozen=True, slots=True)
class DeskRow:
    """A row of ``desks`` without its count of archives."""

    slug: str
    name: str
    tag: str


def desk(connection: Connection, slug: str) -> DeskRow | None:
    columns = (desks.c.slug, desks.c.name, desks.c.tag)
    found = connection.execute(select(*columns).where(desks.c.slug == slug)).first()
    return DeskRow(*found) if found else None


def desks_of_articles(connection: Connection) -> list[DeskRow]:
    """The desks that have published, by their slugs."""
    columns = (desks.c.slug, desks.c.name, desks.c.tag)
    return [DeskRow(*row) for row in connection.execute(select(*columns).order_by(desks.c.slug))]


def add_desk(connection: Connection, row: DeskRow) -> None:
    connection.execute(insert(desks).values(slug=row.slug, name=row.name, tag=row.tag))


_LOOKED_AT = 20
"""Earlier articles of one slug or file that are compared, the newest first."""


def with_own_id(connection: Connection, desk: str, own_id: str) -> ArticleRow | None:
    found = _articles(connection, articles.c.desk == desk, articles.c.own_id == own_id)
    return found[0] if found else None


def with_slug(connection: Connection, desk: str, slug: str) -> list[ArticleRow]:
    """The newest articles that last asked for this slug or got it, on any day."""
    asked = _articles(connection, articles.c.desk == desk, articles.c.asked_slug == slug)
    got = _articles(connection, articles.c.desk == desk, articles.c.slug == slug)
    return asked + [row for row in got if row not in asked]


def with_file(connection: Connection, desk: str, file: str) -> list[ArticleRow]:
    """The newest articles last read from this file."""
    return _articles(connection, articles.c.desk == desk, articles.c.file == file)


def with_digest(connection: Connection, desk: str, digest: str) -> list[ArticleRow]:
    """The newest articles of exactly this content."""
    return _articles(connection, articles.c.desk == desk, articles.c.digest == digest)


def _articles(connection: Connection, *conditions: ColumnElement[bool]) -> list[ArticleRow]:
    newest = select(articles).where(*conditions).order_by(articles.c.key.desc()).limit(_LOOKED_AT)
    return [ArticleRow(*row) for row in connection.execute(newest)]


def public_articles(connection: Connection, desk: str, after: int, limit: int) -> list[ArticleRow]:
    """Articles that the public has seen, by their keys, those behind ``after``."""
    found = connection.execute(
        select(*(articles.c[name] for name in ArticleRow.__slots__))
        .where(articles.c.desk == desk, articles.c.key > after, articles.c.entry.is_not(None))
        .order_by(articles.c.key)
        .limit(limit)
    )
    return [ArticleRow(*row) for row in found]


def slug_is_taken(connection: Connection, desk: str, day: date, slug: str) -> bool:
    taken = select(articles.c.key).where(
        articles.c.desk == desk, articles.c.day == day, articles.c.slug == slug
    )
    return connection.execute(taken).first() is not None


def newest_public_since(connection: Connection, desk: str) -> datetime | None:
    """When the last of the desk's articles became public; None: none did."""
    newest = select(func.max(articles.c.public_since)).where(articles.c.desk == desk)
    return connection.execute(newest).scalar()


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


# The archive -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddressRow:
    """What the address of a public article is made of, and when what is public of it changed."""

    day: date
    slug: str
    updated: datetime
    entry: str | None
    """Its feed entry, where there is a later version that is not public: only it knows when."""


def days(connection: Connection, desk: str) -> dict[date, int]:
    """The days with public articles and how many, the first one first; reads an index alone."""
    found = connection.execute(
        select(articles.c.day, func.count().label("articles"))
        .where(articles.c.desk == desk, _PUBLIC)
        .group_by(articles.c.day)
        .order_by(articles.c.day)
    )
    return {row.day: row.articles for row in found}


def place_among(connection: Connection, desk: str, first: date, day: date, key: int) -> int:
    """How many public articles stand before this one of ``day``, from the day ``first`` on.

    The order is that of :func:`addresses`.
    """
    before = or_(articles.c.day < day, and_(articles.c.day == day, articles.c.key < key))
    counted = select(func.count()).where(
        articles.c.desk == desk, _PUBLIC, articles.c.day >= first, articles.c.day <= day, before
    )
    return int(connection.execute(counted).scalar_one())


def addresses(
    connection: Connection, desk: str, first: date, last: date, *, skip: int, limit: int
) -> list[AddressRow]:
    """Of the public articles of these days, by day and then in the order they came in."""
    found = connection.execute(
        select(
            articles.c.day,
            articles.c.slug,
            articles.c.updated,
            case((articles.c.version != articles.c.public_version, articles.c.entry)),
        )
        .where(articles.c.desk == desk, _PUBLIC, articles.c.day.between(first, last))
        .order_by(articles.c.day, articles.c.key)
        .offset(skip)
        .limit(limit)
    )
    return [AddressRow(*row) for row in found]


def entries_of_day(
    connection: Connection, desk: str, day: date, *, skip: int, limit: int
) -> list[str]:
    """Feed entries of a day, in the order the articles came in."""
    found = connection.execute(
        select(articles.c.entry)
        .where(articles.c.desk == desk, _PUBLIC, articles.c.day == day)
        .order_by(articles.c.key)
        .offset(skip)
        .limit(limit)
    )
    return [entry for (entry,) in found]


def entries_between(
    connection: Connection, desk: str, since: datetime, until: datetime, limit: int
) -> list[str]:
    """Feed entries of what was published from ``since`` up to ``until``, the newest first."""
    found = connection.execute(
        select(articles.c.entry)
        .where(
            articles.c.desk == desk,
            _PUBLIC,
            articles.c.published >= since,
            articles.c.published <= until,
        )
        .order_by(articles.c.published.desc(), articles.c.key.desc())
        .limit(limit)
    )
    return [entry for (entry,) in found]


def entry_with_id(connection: Connection, id_: str) -> str | None:
    """The feed entry of a public article; None where there is none of this id."""
    wanted = select(articles.c.entry).where(articles.c.id == id_, _PUBLIC)
    return connection.execute(wanted.limit(1)).scalar()


_PUBLIC = articles.c.entry.is_not(None)


# Releases ----------------------------------------------------------------------------------------


def record_release(connection: Connection, id_: str, made: datetime) -> None:
    connection.execute(insert(releases).values(id=id_, made=made))


def forget_releases(connection: Connection) -> None:
    """To be called when none is left to be put into place."""
    connection.execute(delete(releases))


def recorded_releases(connection: Connection) -> set[str]:
    return {id_ for (id_,) in connection.execute(select(releases.c.id))}
