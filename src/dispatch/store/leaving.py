"""Leaving, for many at once: everybody whose link was pressed, in a few statements.

A hundred who leave in the same moment wait for one commit, and hardly longer than
one would. What happens to their rows happens inside the database: each row that
is fetched gives the other threads a turn, and costs more than the work on it.

``copies`` are keys of recipients throughout: the copies that the links stood in.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    String,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)

from dispatch.store import counts
from dispatch.store.tables import (
    editions,
    epoch,
    feed_tokens,
    moves,
    recipients,
    subscribers,
)


def copies_of(connection: Connection, desk: str, copies: Collection[int]) -> set[int]:
    """Which of ``copies`` there are of editions of ``desk``."""
    wanted = set(copies)
    asked = {"copies": list(wanted), "desk": desk}
    if connection.execute(_COUNT_OF_DESK, asked).scalar() == len(wanted):
        return wanted
    return set(connection.execute(_OF_DESK, asked).scalars().all())


def move(
    connection: Connection,
    copies: Collection[int],
    before: Collection[str],
    after: str,
    cause: str,
    now: datetime,
) -> int:
    """Put whoever got one of ``copies`` and is in one of the states ``before`` into another one.

    Args:
        cause: why, in words; the number of the mailing follows.

    Returns:
        How many they were.
    """
    who = {"copies": list(copies), "before": list(before)}
    to = {"to": after, "now": now}
    connection.execute(_KEEP_MOVES, who | to | {"cause": f"{cause} "})
    return connection.execute(_MOVE, who | to).rowcount


def stop_copies(connection: Connection, copies: Collection[int], state: str, now: datetime) -> None:
    """Whoever got one of ``copies`` and is in ``state`` gets nothing of what waits for them.

    ``state`` is the reason that is told. What is leased just now may still leave.
    """
    who = select(subscribers.c.key).where(
        subscribers.c.key.in_(select(_COPY.c.subscriber).where(_COPY.c.key.in_(copies))),
        subscribers.c.state == state,
    )
    theirs = recipients.c.subscriber.in_(who)
    for edition in counts.withdraw(connection, theirs, "suppressed", state, epoch(now)):
        counts.settle(connection, edition, epoch(now))


def with_feeds(connection: Connection, copies: Collection[int], state: str) -> list[int]:
    """Who got one of ``copies``, is in ``state``, and has a personal feed: keys of subscribers."""
    who = {"copies": list(copies), "before": [state]}
    return list(connection.execute(_WITH_FEEDS, who).scalars().all())


# Made once: making them takes longer than the database needs to carry them out.

_COPIES: BindParameter[Any] = bindparam("copies", expanding=True)
_COPY = recipients.alias("copy")
_THEY = (
    subscribers.c.key.in_(select(_COPY.c.subscriber).where(_COPY.c.key.in_(_COPIES))),
    subscribers.c.state.in_(bindparam("before", expanding=True)),
)

_OF_DESK = (
    select(recipients.c.key)
    .join(editions, editions.c.key == recipients.c.edition)
    .where(recipients.c.key.in_(_COPIES), editions.c.desk == bindparam("desk"))
)
_COUNT_OF_DESK = select(func.count()).select_from(_OF_DESK.subquery())

_KEEP_MOVES = insert(moves).from_select(
    ("subscriber", "at", "before", "after", "cause"),
    select(
        subscribers.c.key,
        bindparam("now", type_=moves.c.at.type),
        subscribers.c.state,
        bindparam("to", type_=String()),
        bindparam("cause", type_=String()) + cast(func.max(recipients.c.edition), String),
    )
    .join(recipients, recipients.c.subscriber == subscribers.c.key)
    .where(recipients.c.key.in_(_COPIES), _THEY[1])
    .group_by(subscribers.c.key, subscribers.c.state),
)
_MOVE = update(subscribers).where(*_THEY).values(state=bindparam("to"), changed=bindparam("now"))

_WITH_FEEDS = (
    select(feed_tokens.c.subscriber)
    .join(subscribers, subscribers.c.key == feed_tokens.c.subscriber)
    .where(feed_tokens.c.revoked.is_(None), *_THEY)
    .distinct()
)
