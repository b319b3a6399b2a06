"""The sums of a mailing. They move in the transaction that moves its recipients, and only here.

A state that is still to become something is *waiting*: queued, leased, deferred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    update,
)

from dispatch.store.tables import from_epoch, mailing_counts, mailings, recipients

_ADD = (
    update(mailing_counts)
    .where(
        mailing_counts.c.edition == bindparam("of_edition"),
        mailing_counts.c.state == bindparam("of_state"),
    )
    .values(count=mailing_counts.c.count + bindparam("more"))
)


def in_state(state: str) -> ColumnElement[bool]:
    """Recipients in a state, which is written out so that SQLite sees which index serves."""
    return recipients.c.state == literal_column(f"'{state}'")


def of(connection: Connection, edition: int) -> dict[str, int]:
    """How many recipients of the mailing are in each state."""
    found = connection.execute(
        select(mailing_counts.c.state, mailing_counts.c.count).where(
            mailing_counts.c.edition == edition
        )
    )
    return dict(found.all())


def begin(connection: Connection, edition: int, counts: Mapping[str, int]) -> None:
    """The sums of a new mailing; every state must be named."""
    rows = [{"edition": edition, "state": s, "count": n} for s, n in counts.items()]
    connection.execute(insert(mailing_counts), rows)


def add(connection: Connection, edition: int, more: Mapping[str, int]) -> None:
    """Move the sums by ``more``: negative for the states that were left."""
    rows = [{"of_edition": edition, "of_state": s, "more": n} for s, n in more.items() if n]
    if rows:
        connection.execute(_ADD, rows)


def withdraw(
    connection: Connection, which: ColumnElement[bool], state: str, reason: str | None, now: int
) -> set[int]:
    """Take the queued and deferred among ``which`` out: to ``state``, with ``reason`` as reply.

    One that was in doubt before, and was only queued to be sent again, is in
    doubt again: nobody can say that it was not sent.

    Args:
        reason: None keeps the replies they have.

    Returns:
        The editions they were of.
    """
    doubted = recipients.c.doubts > 0
    moved: dict[int, Counter[str]] = {}
    for before in ("queued", "deferred"):
        waiting = and_(which, in_state(before))
        columns = (recipients.c.edition, doubted)
        counted = select(*columns, func.count()).where(waiting).group_by(*columns)
        found = connection.execute(counted).all()
        for edition, in_doubt, count in found:
            more = moved.setdefault(edition, Counter())
            more[before] -= count
            more["in_doubt" if in_doubt else state] += count
        if found:
            words = recipients.c.reply if reason is None else reason
            change = {
                "state": case((doubted, "in_doubt"), else_=state),
                "reply": case((doubted, recipients.c.reply), else_=words),
                "at": now,
            }
            connection.execute(update(recipients).where(waiting).values(change))
    for edition, more in moved.items():
        add(connection, edition, more)
    return set(moved)


def settle(connection: Connection, edition: int, now: int) -> str:
    """Draw the conclusions for the mailing after recipients moved: call it after every change.

    What waits of a mailing that was cancelled is cancelled; one that is sending
    and has nothing left that waits is finished.

    Returns:
        The mailing's state.
    """
    state = str(
        connection.execute(select(mailings.c.state).where(mailings.c.edition == edition)).scalar()
    )
    if state not in ("sending", "cancelled"):
        return state
    if state == "cancelled":
        withdraw(connection, recipients.c.edition == edition, "cancelled", None, now)
    counts = of(connection, edition)
    if counts.get("queued", 0) + counts.get("leased", 0) + counts.get("deferred", 0) == 0:
        ended = "finished" if state == "sending" else state
        connection.execute(
            update(mailings)
            .where(mailings.c.edition == edition, mailings.c.finished.is_(None))
            .values(state=ended, finished=from_epoch(now))
        )
        return ended
    return state
