"""Personal feeds: questions to, and changes of, their tables.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from dispatch.store.tables import feed_days, feed_tokens, subscribers

_AT_ONCE = 500
"""Keys of one statement: databases bound the parameters of one."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row of ``feed_tokens``; the columns are explained there."""

    key: int
    subscriber: int
    made: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class DayRow:
    """How a personal feed was read on one day (UTC)."""

    token: int
    day: date
    reads: int
    places: int
    """Different networks it was read from, at least so many."""


def good_token(connection: Connection, subscriber: int) -> int | None:
    """The key of the subscriber's newest token that is not revoked."""
    return connection.execute(
        select(func.max(feed_tokens.c.key)).where(
            feed_tokens.c.subscriber == subscriber, feed_tokens.c.revoked.is_(None)
        )
    ).scalar()


def add(connection: Connection, subscriber: int, made: datetime) -> int:
    """Add a token; returns its key, which no token had before."""
    # An identity column may give a number again once its row is gone; a link must not open
    # somebody else's feed then, so rows are never deleted (see erase).
    done = connection.execute(insert(feed_tokens).values(subscriber=subscriber, made=made))
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def revoke(connection: Connection, subscribers_: Sequence[int], now: datetime) -> None:
    """Revoke every token of these subscribers."""
    for start in range(0, len(subscribers_), _AT_ONCE):
        connection.execute(
            update(feed_tokens)
            .where(
                feed_tokens.c.subscriber.in_(subscribers_[start : start + _AT_ONCE]),
                feed_tokens.c.revoked.is_(None),
            )
            .values(revoked=now)
        )


def erase(connection: Connection, subscriber: int, now: datetime) -> None:
    """Of somebody who is forgotten: their tokens lead to nobody, and nothing tells of their use.

    The rows stay, so that their keys are not given again.
    """
    keys = select(feed_tokens.c.key).where(feed_tokens.c.subscriber == subscriber)
    connection.execute(delete(feed_days).where(feed_days.c.token.in_(keys)))
    revoke(connection, [subscriber], now)
    connection.execute(
        update(feed_tokens).where(feed_tokens.c.subscriber == subscriber).values(subscriber=0)
    )


def readable_desk(connection: Connection, key: int) -> str | None:
    """The slug of the desk whose feed the token opens; None where it opens none (any more)."""
    return connection.execute(
        select(subscribers.c.desk)
        .join(feed_tokens, feed_tokens.c.subscriber == subscribers.c.key)
        .where(
            feed_tokens.c.key == key,
            feed_tokens.c.revoked.is_(None),
            subscribers.c.state == "active",
        )
    ).scalar()


def of_subscriber(connection: Connection, subscriber: int) -> list[TokenRow]:
    """Their tokens, the newest first."""
    found = connection.execute(
        select(*(feed_tokens.c[name] for name in TokenRow.__slots__))
        .where(feed_tokens.c.subscriber == subscriber)
        .order_by(feed_tokens.c.key.desc())
    )
    return [TokenRow(*row) for row in found]


# Use ---------------------------------------------------------------------------------------------


def count(connection: Connection, days: Iterable[DayRow]) -> None:
    """Add the reads to what is known of each day; of the places, the greater number stays."""
    for row in days:
        that = (feed_days.c.token == row.token, feed_days.c.day == row.day)
        known = connection.execute(select(feed_days.c.places).where(*that)).scalar()
        if known is None:
            connection.execute(
                insert(feed_days).values(
                    token=row.token, day=row.day, reads=row.reads, places=row.places
                )
            )
        else:
            connection.execute(
                update(feed_days)
                .where(*that)
                .values(reads=feed_days.c.reads + row.reads, places=max(known, row.places))
            )


def days_of(connection: Connection, token: int, limit: int) -> list[DayRow]:
    """The newest days on which it was read, newest first."""
    found = connection.execute(
        select(*(feed_days.c[name] for name in DayRow.__slots__))
        .where(feed_days.c.token == token)
        .order_by(feed_days.c.day.desc())
        .limit(limit)
    )
    return [DayRow(*row) for row in found]


def read_widely(
    connection: Connection, since: date, places: int
) -> list[tuple[str, str, date, int]]:
    """The personal feeds that were read from so many places on one day.

    Returns:
        Address, desk, the newest such day and its places; the most widely read first.
    """
    found = connection.execute(
        select(subscribers.c.email, subscribers.c.desk, feed_days.c.day, feed_days.c.places)
        .join(feed_tokens, feed_tokens.c.subscriber == subscribers.c.key)
        .join(feed_days, feed_days.c.token == feed_tokens.c.key)
        .where(
            feed_tokens.c.revoked.is_(None),
            feed_days.c.day >= since,
            feed_days.c.places >= places,
        )
        .order_by(feed_days.c.places.desc(), feed_days.c.day.desc())
    )
    seen: dict[tuple[str, str], tuple[str, str, date, int]] = {}
    for email, desk, day, count_ in found:
        seen.setdefault((email, desk), (email, desk, day, count_))
    return list(seen.values())
