"""Digests: who is to get one, up to where they have had everything, and what came since.

A subscriber's *position* is the time up to which they have had what was published
(``subscribers.digested``), or that at which they joined. Articles come after one
another by the time at which they became public (``articles.public_since``), which
never goes back: what is behind a position now is behind it for good.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from dispatch.store.articles import ArticleRow
from dispatch.store.mailable import pauses
from dispatch.store.tables import articles, epoch, subscribers, versions

# Written out, so that the database sees that its index of those who get digests serves.
_WANTS_ONE = subscribers.c.frequency != literal_column("'each'")


@dataclass(frozen=True, slots=True)
class Readers:
    """Subscribers who get their digests at the same moments.

    Args:
        desk: its slug.
        frequency: ``daily`` or ``weekly``.
        zones: their time zones, as they are kept.
        others: whether ``zones`` are those of everybody else.
    """

    desk: str
    frequency: str
    zones: frozenset[str]
    others: bool = False

    def condition(self, now: datetime) -> ColumnElement[bool]:
        """Over the columns of ``subscribers``; without those who pause."""
        zone = subscribers.c.timezone
        inside = zone.in_(self.zones)
        return and_(
            subscribers.c.desk == self.desk,
            subscribers.c.frequency == self.frequency,
            _WANTS_ONE,
            or_(zone.is_(None), not_(inside)) if self.others else inside,
            not_(pauses(epoch(now))),
        )


@dataclass(frozen=True, slots=True)
class PublicRow:
    """An article that a digest may name: its key, its date, and since when it is public."""

    key: int
    published: datetime
    since: datetime


def audiences(connection: Connection) -> Iterator[tuple[str, str, str | None]]:
    """Each desk, frequency and time zone of somebody who gets digests."""
    columns = (subscribers.c.desk, subscribers.c.frequency, subscribers.c.timezone)
    found = connection.execute(select(*columns).where(_WANTS_ONE).distinct())
    yield from ((desk, frequency, zone) for desk, frequency, zone in found)


def became_public(
    connection: Connection, desk: str, after: datetime, until: datetime
) -> list[PublicRow]:
    """What became public behind ``after`` and not behind ``until``, in that order."""
    found = connection.execute(
        select(articles.c.key, articles.c.published, articles.c.public_since)
        .where(
            articles.c.desk == desk,
            articles.c.public_since > after,
            articles.c.public_since <= until,
            articles.c.entry.is_not(None),
        )
        .order_by(articles.c.public_since)
    )
    return [PublicRow(*row) for row in found]


def earliest_position(
    connection: Connection, readers: ColumnElement[bool], before: datetime
) -> datetime | None:
    """The first position of any of them that is before ``before``; None: there is none."""
    had = select(func.min(subscribers.c.digested)).where(readers, subscribers.c.digested < before)
    joined = select(func.min(subscribers.c.created)).where(readers, _joined(before))
    found = (connection.execute(had).scalar(), connection.execute(joined).scalar())
    return min((time for time in found if time is not None), default=None)


def is_behind(before: datetime) -> ColumnElement[bool]:
    """Whether a subscriber's position is before ``before``."""
    had = and_(subscribers.c.digested.is_not(None), subscribers.c.digested < before)
    return or_(had, _joined(before))


def is_active() -> ColumnElement[bool]:
    """Whether a subscriber has confirmed, and has not left."""
    return subscribers.c.state == "active"


def move_on(connection: Connection, who: ColumnElement[bool], to: datetime) -> None:
    """Note that they have had everything up to ``to``."""
    connection.execute(update(subscribers).where(who).values(digested=to))


def as_public(connection: Connection, keys: Collection[int]) -> dict[int, tuple[ArticleRow, str]]:
    """Articles in the newest version that is public, as JSON, by their keys."""
    found = connection.execute(
        select(articles, versions.c.content)
        .join(
            versions,
            and_(
                versions.c.article == articles.c.key,
                versions.c.number == articles.c.public_version,
            ),
        )
        .where(articles.c.key.in_(keys))
    )
    return {row.key: (ArticleRow(*row[:-1]), row.content) for row in found}


def _joined(before: datetime) -> ColumnElement[bool]:
    """Whether they joined before ``before``, and have had no digest yet."""
    return and_(subscribers.c.digested.is_(None), subscribers.c.created < before)
