"""Who got what: questions to the ledger.

Every function takes a connection of a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from dispatch.store.connection import Store
from dispatch.store.tables import editions, recipients

_PAGE = 2000
"""Rows that are read at a time: nobody who writes has to wait for a long list."""


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A row of ``recipients``; ``due`` and ``at`` in milliseconds since 1970."""

    key: int
    edition: int
    subscriber: int | None
    email: str
    domain: str
    name: str | None
    language: str | None
    state: str
    due: int
    attempts: int
    doubts: int
    at: int | None
    reply: str | None


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One edition in the history of a subscriber."""

    edition: int
    subject: str
    made: datetime
    state: str
    attempts: int
    at: int | None
    reply: str | None


def of(
    store: Store, edition: int, states: Collection[str] | None = None, *, after: int = 0
) -> Iterator[RecipientRow]:
    """The recipients of a mailing behind the key ``after``, or those in some states, in the order
    of their keys; page by page.

    They are read while the mailing goes on: each row is true of its moment.
    """
    while True:
        with store.transaction() as connection:
            rows = page(connection, edition, states, after=after)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].key


def page(
    connection: Connection, edition: int, states: Collection[str] | None = None, *, after: int = 0
) -> list[RecipientRow]:
    """Some recipients behind the key ``after``; fewer than a page: there are no more."""
    wanted = select(*_COLUMNS).where(recipients.c.edition == edition, recipients.c.key > after)
    if states is not None:
        wanted = wanted.where(recipients.c.state.in_(states))
    found = connection.execute(wanted.order_by(recipients.c.key).limit(_PAGE))
    return [RecipientRow(*row) for row in found]


def with_key(connection: Connection, key: int) -> RecipientRow | None:
    found = connection.execute(select(*_COLUMNS).where(recipients.c.key == key)).first()
    return RecipientRow(*found) if found else None


def of_subscriber(connection: Connection, edition: int, subscriber: int) -> RecipientRow | None:
    """What a subscriber is in a mailing."""
    wanted = select(*_COLUMNS).where(
        recipients.c.edition == edition, recipients.c.subscriber == subscriber
    )
    found = connection.execute(wanted).first()
    return RecipientRow(*found) if found else None


def with_email(connection: Connection, edition: int, email: str) -> RecipientRow | None:
    """Who had this address, in whatever case, when the mailing was made. Reads all of it."""
    wanted = select(*_COLUMNS).where(
        recipients.c.edition == edition, func.lower(recipients.c.email) == func.lower(email)
    )
    found = connection.execute(wanted.limit(1)).first()
    return RecipientRow(*found) if found and email else None


def history(connection: Connection, subscriber: int) -> list[CopyRow]:
    """All editions a subscriber was a candidate of, the newest first."""
    wanted = (
        select(
            recipients.c.edition,
            editions.c.subject,
            editions.c.made,
            recipients.c.state,
            recipients.c.attempts,
            recipients.c.at,
            recipients.c.reply,
        )
        .join(editions, editions.c.key == recipients.c.edition)
        .where(recipients.c.subscriber == subscriber)
        .order_by(recipients.c.edition.desc())
    )
    return [CopyRow(*row) for row in connection.execute(wanted)]


def reasons(connection: Connection, edition: int, state: str) -> dict[str, int]:
    """The replies of the recipients in a state, and how many have each; the most frequent first."""
    wanted = (
        select(func.coalesce(recipients.c.reply, ""), func.count())
        .where(recipients.c.edition == edition, recipients.c.state == state)
        .group_by(recipients.c.reply)
        .order_by(func.count().desc())
    )
    return dict(connection.execute(wanted).all())


def domains(connection: Connection, edition: int, state: str) -> dict[str, int]:
    """The domains of the recipients in a state, and how many each has; the largest first."""
    wanted = (
        select(recipients.c.domain, func.count())
        .where(recipients.c.edition == edition, recipients.c.state == state)
        .group_by(recipients.c.domain)
        .order_by(func.count().desc(), recipients.c.domain)
    )
    return dict(connection.execute(wanted).all())


_COLUMNS = tuple(recipients.c[name] for name in RecipientRow.__slots__)
