"""Sign-ups: what people asked for at a form, until it is answered, and for as long as it counts.

Every function takes a connection of a transaction. A row *waits* until it is
done; then it says what came of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from dispatch.store.tables import bounces, moves, recipients, signups, subscribers


@dataclass(frozen=True, slots=True)
class NewSignup:
    """What somebody asked for; the columns are explained at the table ``signups``."""

    desk: str
    address_key: str
    mailbox: str
    email: str
    domain: str
    source: str
    text: str
    at: datetime
    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    frequency: str = "each"
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class SignupRow:
    """A row of ``signups``."""

    key: int
    desk: str
    address_key: str
    mailbox: str
    email: str
    domain: str
    name: str | None
    language: str | None
    timezone: str | None
    frequency: str
    source: str
    text: str
    ip: str | None
    at: datetime
    done: datetime | None
    outcome: str | None
    recipient: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a row.

    Args:
        key: the row's.
        outcome: ``asked``, ``told``, or why nothing was sent.
        until: it is kept so long.
        recipient: the key of the mail in the ledger, where one was queued.
    """

    key: int
    outcome: str
    until: datetime
    recipient: int | None = None


def write_down(connection: Connection, rows: Sequence[NewSignup]) -> list[None]:
    """Keep what was asked for, in one statement. Nothing is looked up and nobody is told apart:
    it takes the same time whoever asks.
    """
    connection.execute(_WRITE_DOWN, [_values(row) for row in rows])
    return [None] * len(rows)


def any_waits(connection: Connection) -> bool:
    return connection.execute(select(signups.c.key).where(_WAITS).limit(1)).first() is not None


def waiting(connection: Connection, limit: int, after: int = 0) -> list[SignupRow]:
    """The first ``limit`` rows behind the key ``after`` that wait, in the order they came."""
    query = (
        select(*_COLUMNS)
        .where(_WAITS, signups.c.key > after)
        .order_by(signups.c.key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [SignupRow(*row) for row in connection.execute(query)]


def finish(connection: Connection, answers: Sequence[Answer], now: datetime) -> None:
    """Record what came of rows that waited."""
    rows = [
        {
            "of_key": answer.key,
            "the_outcome": answer.outcome,
            "the_recipient": answer.recipient,
            "the_until": answer.until,
            "now": now,
        }
        for answer in answers
    ]
    if rows:
        connection.execute(_FINISH, rows)


def of_recipient(connection: Connection, recipient: int) -> SignupRow | None:
    """The row that a mail came of."""
    found = connection.execute(
        select(*_COLUMNS).where(signups.c.recipient == recipient, signups.c.done.is_not(None))
    ).first()
    return SignupRow(*found) if found else None


def of_address(connection: Connection, address_key: str) -> list[SignupRow]:
    """What was asked for with an address and is still kept, in the order it came."""
    query = select(*_COLUMNS).where(signups.c.address_key == address_key).order_by(signups.c.key)
    return [SignupRow(*row) for row in connection.execute(query)]


# What limits are counted by ----------------------------------------------------------------------


def of_mailboxes(
    connection: Connection, mailboxes: Collection[str], since: datetime, outcomes: Collection[str]
) -> list[tuple[str, str, str, str]]:
    """Who was mailed since: mailbox, desk, key of the address and outcome of each such row."""
    query = select(
        signups.c.mailbox, signups.c.desk, signups.c.address_key, signups.c.outcome
    ).where(
        signups.c.mailbox.in_(mailboxes),
        signups.c.done >= since,
        signups.c.outcome.in_(outcomes),
    )
    return [tuple(row) for row in connection.execute(query)]


def by_domain(connection: Connection, since: datetime, outcomes: Collection[str]) -> dict[str, int]:
    """How many were mailed since at each domain."""
    query = (
        select(signups.c.domain, func.count())
        .where(signups.c.done >= since, signups.c.outcome.in_(outcomes))
        .group_by(signups.c.domain)
    )
    return dict(connection.execute(query).all())


def by_ip(connection: Connection, since: datetime) -> dict[str, int]:
    """How many sign-ups came from each IP address, of those that were done since."""
    query = (
        select(signups.c.ip, func.count())
        .where(signups.c.done >= since, signups.c.ip.is_not(None))
        .group_by(signups.c.ip)
    )
    return dict(connection.execute(query).all())


# Deleting ----------------------------------------------------------------------------------------


def any_is_over(connection: Connection, now: datetime) -> bool:
    return connection.execute(select(signups.c.key).where(*_over(now)).limit(1)).first() is not None


def never_confirmed(connection: Connection, source: str, now: datetime) -> list[int]:
    """The subscribers who were only ever asked to confirm, and for too long.

    Args:
        source: what stands for their consent as long as there is none.
    """
    later = signups.alias()
    asked_again = exists().where(
        later.c.address_key == signups.c.address_key,
        later.c.desk == signups.c.desk,
        or_(later.c.done.is_(None), later.c.until >= now),
    )
    query = (
        select(subscribers.c.key)
        .select_from(signups)
        .join(recipients, recipients.c.key == signups.c.recipient)
        .join(subscribers, subscribers.c.key == recipients.c.subscriber)
        .where(
            *_over(now),
            subscribers.c.state == "pending",
            subscribers.c.consent_source == source,
            ~asked_again,
        )
        .distinct()
    )
    return list(connection.execute(query).scalars())


def sweep(connection: Connection, now: datetime) -> None:
    """Delete what has been kept long enough."""
    connection.execute(delete(signups).where(*_over(now)))


def drop(connection: Connection, keys: Collection[int]) -> None:
    """Delete subscribers of :func:`never_confirmed`, with their history."""
    nobody = {"subscriber": None, "reason": "forgotten"}
    connection.execute(update(bounces).where(bounces.c.subscriber.in_(keys)).values(nobody))
    connection.execute(delete(moves).where(moves.c.subscriber.in_(keys)))
    connection.execute(delete(subscribers).where(subscribers.c.key.in_(keys)))


def erase(connection: Connection, address_key: str) -> None:
    """Delete all that was asked for with an address: its owner wants to be forgotten."""
    connection.execute(delete(signups).where(signups.c.address_key == address_key))


def _over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return signups.c.done.is_not(None), signups.c.until < now


def _values(row: NewSignup) -> Mapping[str, object]:
    return {name: getattr(row, name) for name in NewSignup.__slots__}


_COLUMNS = [signups.c[name] for name in SignupRow.__slots__]
_WAITS = signups.c.done.is_(None)
_WRITE_DOWN = insert(signups)
_FINISH = (
    update(signups)
    .where(signups.c.key == bindparam("of_key"))
    .values(
        done=bindparam("now"),
        outcome=bindparam("the_outcome"),
        recipient=bindparam("the_recipient"),
        until=bindparam("the_until"),
    )
)
