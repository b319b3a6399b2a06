"""Leaving, for many at once: whose the copies are that people leave by, and what it changes.

Each function is a few statements, however many people it is about: a hundred
who leave in the same moment wait for one commit, and hardly longer than one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from dispatch.store import counts
from dispatch.store.tables import editions, epoch, moves, recipients, subscribers


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A copy of an edition and who got it.

    ``subscriber`` and ``state`` are None for a test copy, and once the person is forgotten.
    """

    key: int
    edition: int
    desk: str
    subscriber: int | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """A subscriber who comes from one state to another, and why, in words."""

    subscriber: int
    before: str
    after: str
    cause: str
    at: datetime


def copies(connection: Connection, keys: Collection[int]) -> dict[int, CopyRow]:
    """The copies with these keys, by them; those that there are none of are left out."""
    return {row.key: CopyRow(*row) for row in connection.execute(_COPIES, {"keys": list(keys)})}


def move(connection: Connection, done: Sequence[Move]) -> None:
    """Put subscribers, each named once, into another state, and keep how they came there."""
    if done:
        connection.execute(
            _MOVE, [{"who": m.subscriber, "after": m.after, "at": m.at} for m in done]
        )
        connection.execute(
            insert(moves),
            [
                {
                    "subscriber": m.subscriber,
                    "at": m.at,
                    "before": m.before,
                    "after": m.after,
                    "cause": m.cause,
                }
                for m in done
            ],
        )


def stop_copies(
    connection: Connection, subscribers: Collection[int], reason: str, now: datetime
) -> None:
    """Take subscribers out of what waits. What is leased just now may still leave.

    Args:
        reason: why, as it is told of their copies: ``unsubscribed``.
    """
    theirs = recipients.c.subscriber.in_(list(subscribers))
    for edition in counts.withdraw(connection, theirs, "suppressed", reason, epoch(now)):
        counts.settle(connection, edition, epoch(now))


_COPIES = (
    select(
        recipients.c.key,
        recipients.c.edition,
        editions.c.desk,
        subscribers.c.key,
        subscribers.c.state,
    )
    .join(editions, editions.c.key == recipients.c.edition)
    .outerjoin(subscribers, subscribers.c.key == recipients.c.subscriber)
    .where(recipients.c.key.in_(bindparam("keys", expanding=True)))
)

_MOVE = (
    update(subscribers)
    .where(subscribers.c.key == bindparam("who"))
    .values(state=bindparam("after"), changed=bindparam("at"))
)
