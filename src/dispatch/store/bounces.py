"""What came back by mail: the table of it, and the copies that it is about.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from dispatch.store import counts
from dispatch.store.tables import bounces, editions, epoch, recipients, subscribers

Kind = Literal["hard", "soft", "complaint", "unsubscribe", "seen"]

NOBODY = 0
"""The recipient of a message that is about no copy, and is only remembered as ``seen``."""

MAY_BOUNCE = ("accepted", "in_doubt")
"""States of a copy that somebody took, or may have taken."""

_ROWS = 500
"""Copies of one subscriber that are looked at; a run of soft bounces is far shorter."""


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One recipient's copy, and whose newsletter it is.

    ``subscriber`` is None for a test copy, and once the person is forgotten.
    """

    key: int
    edition: int
    desk: str
    subscriber: int | None
    email: str
    state: str

    @property
    def is_forgotten(self) -> bool:
        """Whether nothing may be kept that names the person."""
        return not self.email


@dataclass(frozen=True, slots=True)
class BounceRow:
    """A row of ``bounces``, with what it was about."""

    at: datetime
    kind: str
    status: str | None
    reason: str
    edition: int
    email: str


def copy(connection: Connection, key: int) -> CopyRow | None:
    """The copy of the recipient ``key``."""
    columns = (
        recipients.c.key, recipients.c.edition, editions.c.desk, recipients.c.subscriber,
        recipients.c.email, recipients.c.state,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(editions, editions.c.key == recipients.c.edition)
        .where(recipients.c.key == key)
    )
    found = connection.execute(query).first()
    return CopyRow(*found) if found else None


def newest_copy(connection: Connection, address_key: str, since: datetime) -> CopyRow | None:
    """The newest copy that somebody took, of those to whoever subscribes with an address."""
    query = (
        select(recipients.c.key)
        .join(subscribers, subscribers.c.key == recipients.c.subscriber)
        .where(
            subscribers.c.address_key == address_key,
            recipients.c.state.in_((*MAY_BOUNCE, "bounced")),
            recipients.c.at >= epoch(since),
        )
        .order_by(recipients.c.at.desc())
        .limit(1)
    )
    key = connection.execute(query).scalar()
    return None if key is None else copy(connection, key)


def is_counted(connection: Connection, message: str, recipient: int) -> bool:
    """Whether that very message was counted for the recipient.

    Args:
        message: the SHA-256 of the message.
    """
    return _is_there(connection, bounces.c.recipient == recipient, bounces.c.message == message)


def is_said(connection: Connection, copy: CopyRow, kind: Kind) -> bool:
    """Whether another message said the same of the copy."""
    return _is_there(
        connection,
        bounces.c.recipient == copy.key,
        bounces.c.kind == kind,
    )


def is_seen(connection: Connection, message: str) -> bool:
    """Whether that message was counted for anybody, or is remembered."""
    return _is_there(connection, bounces.c.message == message)


def add(
    connection: Connection,
    message: str,
    copy: CopyRow | None,
    kind: Kind,
    status: str | None,
    reason: str,
    now: datetime,
) -> None:
    """Count a message; the caller has made sure that it is not known yet."""
    connection.execute(
        insert(bounces).values(
            message=message,
            recipient=copy.key if copy else NOBODY,
            subscriber=copy.subscriber if copy else None,
            kind=kind,
            status=status,
            reason=reason,
            at=now,
        )
    )


def soft_in_a_row(connection: Connection, subscriber: int, since: datetime) -> int:
    """How many copies of a subscriber bounced softly since then, with none between that did not.

    Counted back from the newest that did, whatever order the bounces came in:
    the copies after it may bounce yet.
    """
    soft = exists().where(
        bounces.c.recipient == recipients.c.key,
        bounces.c.subscriber == subscriber,
        bounces.c.kind == "soft",
        bounces.c.at >= since,
    )
    query = (
        select(recipients.c.state, soft)
        .where(
            recipients.c.subscriber == subscriber, recipients.c.state.in_(("accepted", "bounced"))
        )
        .order_by(recipients.c.edition.desc())
        .limit(_ROWS)
    )
    count = 0
    for state, bounced in connection.execute(query):
        if bounced:
            count += 1
        elif state == "accepted" and count:
            break
    return count


def record_bounce(connection: Connection, copy: CopyRow, reply: str, now: datetime) -> bool:
    """An accepted copy did not arrive after all: its ledger row and the mailing's counts.

    A copy in doubt was taken, or it could not have come back. Copies in any
    other state stay as they are.

    Returns: whether the copy was moved.
    """
    if copy.state not in MAY_BOUNCE:
        return False
    connection.execute(
        update(recipients)
        .where(recipients.c.key == copy.key)
        .values(state="bounced", reply=reply, at=epoch(now))
    )
    counts.add(connection, copy.edition, {copy.state: -1, "bounced": 1})
    return True


def recent(connection: Connection, desk: str | None, limit: int) -> list[BounceRow]:
    """What came back last, newest first."""
    columns = (
        bounces.c.at, bounces.c.kind, bounces.c.status, bounces.c.reason, recipients.c.edition,
        recipients.c.email,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(recipients, recipients.c.key == bounces.c.recipient)
        .order_by(bounces.c.key.desc())
        .limit(limit)
    )
    if desk is not None:
        query = query.join(editions, editions.c.key == recipients.c.edition).where(
            editions.c.desk == desk
        )
    return [BounceRow(*row) for row in connection.execute(query)]


def _is_there(connection: Connection, *conditions: ColumnElement[bool]) -> bool:
    return bool(connection.execute(select(exists().where(*conditions))).scalar())
