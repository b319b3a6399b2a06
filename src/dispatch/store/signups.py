"""Sign-ups: what people asked for at a form, until it is answered, and for as long as it counts.

Every function takes a connection of a transaction. A row *waits* until it is
done; then it says what came of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from dispatch.store.tables import signups


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
        recipient: the key of the mail in the ledger, where one was queued.
        until: so long the link in it works.
    """

    key: int
    outcome: str
    recipient: int | None = None
    until: datetime | None = None


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
        select(*_COLUMNS).where(_WAITS, signups.c.key > after).order_by(signups.c.key).limit(limit)
    )
    return [SignupRow(*row) for row in connection.execute(query)]


def waiting_desks(connection: Connection) -> set[str]:
    """The desks of the rows that wait."""
    return set(connection.execute(select(signups.c.desk).where(_WAITS).distinct()).scalars())


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


def sweep(connection: Connection, before: datetime, now: datetime) -> int:
    """Delete what was done before ``before``, unless a link that came of it works still.

    Returns:
        How many rows.
    """
    over = or_(signups.c.until.is_(None), signups.c.until < now)
    return connection.execute(delete(signups).where(signups.c.done < before, over)).rowcount


def erase(connection: Connection, address_key: str) -> None:
    """Delete all that was asked for with an address: its owner wants to be forgotten."""
    connection.execute(delete(signups).where(signups.c.address_key == address_key))


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
