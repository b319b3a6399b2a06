"""The mailings of what Dispatch itself writes: one a day for each desk and kind, growing by copies.

They are mailings like all others, sent and counted and proven by the same code.
What differs is here: a copy is added whenever somebody's turn has come, and a
mailing that was finished is sending again.

Every function takes a connection of a write transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from dispatch.store import counts
from dispatch.store.tables import editions, epoch, mailings, recipients

STATES = (
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is to get a copy. There is no name: a stranger may have typed it."""

    subscriber: int
    email: str
    domain: str
    language: str | None


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A copy of such a mailing, with whom it is for.

    Args:
        due: when it was queued, or is tried again; epoch milliseconds. 0: the desk let it go.
        made: when its edition was.
    """

    key: int
    edition: int
    desk: str
    kind: str
    subscriber: int | None
    due: int
    made: datetime


def newest(connection: Connection, desk: str, kind: str, since: datetime) -> int | None:
    """The edition of this kind that was made since, and was not cancelled."""
    found = connection.execute(
        select(editions.c.key)
        .join(mailings, mailings.c.edition == editions.c.key)
        .where(
            editions.c.desk == desk,
            editions.c.kind == kind,
            editions.c.made >= since,
            mailings.c.state != "cancelled",
        )
        .order_by(editions.c.key.desc())
        .limit(1)
    ).scalar()
    return None if found is None else int(found)


def begin(connection: Connection, edition: int, now: datetime) -> None:
    """Make the mailing of an edition, with nobody in it yet.

    One in doubt is sent again: to get such a mail twice harms nobody, to miss it does.
    """
    connection.execute(
        insert(mailings).values(
            edition=edition,
            state="sending",
            due=now,
            in_doubt="resend",
            candidates=0,
            started=now,
        )
    )
    counts.begin(connection, edition, dict.fromkeys(STATES, 0))


def add(
    connection: Connection, edition: int, addressees: Sequence[Addressee], now: datetime
) -> dict[int, int]:
    """Queue a copy for everyone who has none of this edition yet.

    Returns:
        The keys of the new copies by their subscribers'.
    """
    had = _had(connection, edition, [one.subscriber for one in addressees])
    fresh = {one.subscriber: one for one in addressees if one.subscriber not in had}
    if not fresh:
        return {}
    rows = [
        {
            "edition": edition,
            "subscriber": one.subscriber,
            "email": one.email,
            "domain": one.domain,
            "language": one.language,
            "state": "queued",
            "due": epoch(now),
            "at": epoch(now),
        }
        for one in fresh.values()
    ]
    connection.execute(insert(recipients), rows)
    counts.add(connection, edition, {"queued": len(rows)})
    own = mailings.c.edition == edition
    more = mailings.c.candidates + len(rows)
    connection.execute(update(mailings).where(own).values(candidates=more))
    again = update(mailings).where(own, mailings.c.state == "finished")
    connection.execute(again.values(state="sending", finished=None))
    return _had(connection, edition, list(fresh))


def times(
    connection: Connection, kind: str, subscribers: Collection[int], since: datetime
) -> dict[int, int]:
    """How many copies of a kind each of these subscribers was to get in editions made since."""
    query = (
        select(recipients.c.subscriber, func.count())
        .join(editions, editions.c.key == recipients.c.edition)
        .where(
            recipients.c.subscriber.in_(subscribers),
            editions.c.kind == kind,
            editions.c.made >= since,
        )
        .group_by(recipients.c.subscriber)
    )
    return dict(connection.execute(query).all())


def copy(connection: Connection, key: int) -> CopyRow | None:
    """A copy by the key that its links name, of whatever kind."""
    found = connection.execute(
        select(
            recipients.c.key,
            recipients.c.edition,
            editions.c.desk,
            editions.c.kind,
            recipients.c.subscriber,
            recipients.c.due,
            editions.c.made,
        )
        .join(editions, editions.c.key == recipients.c.edition)
        .where(recipients.c.key == key)
    ).first()
    return CopyRow(*found) if found else None


def _had(connection: Connection, edition: int, subscribers: Collection[int]) -> dict[int, int]:
    query = select(recipients.c.subscriber, recipients.c.key).where(
        recipients.c.edition == edition, recipients.c.subscriber.in_(subscribers)
    )
    return dict(connection.execute(query).all())
