"""Mailings: their states, and what the desk does to them and to their recipients.

    scheduled ─▶ sending ─▶ finished ─▶ (retry) sending
        │  ▲       │  ▲
        ▼  └───────▼──┘ resume
      cancelled ◀─ paused, held

Every function takes a connection of a write transaction, and moves the sums along
(:mod:`dispatch.store.counts`). What sends is in :mod:`dispatch.store.leases`, how
a mailing is made in :mod:`dispatch.store.candidates`, questions are answered by
:mod:`dispatch.store.recipients`. ``now`` is in milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, update

from dispatch.errors import DeliveryError
from dispatch.store import counts
from dispatch.store.mailable import why_not_recipient
from dispatch.store.tables import (
    editions,
    epoch,
    from_epoch,
    leases,
    mailings,
    recipients,
    subscribers,
)

ON_DEMAND = ("confirm", "welcome", "already")
"""Kinds of editions that Dispatch itself writes, whose copies are made one by one."""

RETRIED = ("deferred", "bounced", "in_doubt")
"""States that the desk may order to be tried again. Accepted is none of them."""


@dataclass(frozen=True, slots=True)
class MailingRow:
    """A row of ``mailings`` with its edition's desk and subject."""

    edition: int
    desk: str
    subject: str
    segment: str | None
    made: datetime
    state: str
    reason: str | None
    due: datetime
    in_doubt: str
    candidates: int
    started: datetime | None
    finished: datetime | None


def mailing(connection: Connection, edition: int) -> MailingRow | None:
    found = connection.execute(_MAILINGS.where(mailings.c.edition == edition)).first()
    return MailingRow(*found) if found else None


def every(
    connection: Connection,
    desk: str | None = None,
    *,
    before: int | None = None,
    limit: int | None = None,
    on_demand: bool = False,
) -> list[MailingRow]:
    """All mailings, or those of a desk, the newest first.

    Args:
        before: only those that are older than the mailing of this number.
        limit: so many at most.
        on_demand: whether those of what Dispatch itself writes are among them.
    """
    wanted = _MAILINGS.order_by(mailings.c.edition.desc()).limit(limit)
    if not on_demand:
        wanted = wanted.where(editions.c.kind.not_in(ON_DEMAND))
    if desk is not None:
        wanted = wanted.where(editions.c.desk == desk)
    if before is not None:
        wanted = wanted.where(mailings.c.edition < before)
    return [MailingRow(*row) for row in connection.execute(wanted)]


# What is due -------------------------------------------------------------------------------------


def scheduled(connection: Connection, now: int) -> list[tuple[int, int]]:
    """Mailings whose time has come and that have not begun, with that time, the earliest first."""
    found = connection.execute(
        select(mailings.c.edition, mailings.c.due)
        .where(mailings.c.state == "scheduled", mailings.c.due <= from_epoch(now))
        .order_by(mailings.c.due, mailings.c.edition)
    )
    return [(edition, epoch(due)) for edition, due in found]


def due(connection: Connection, now: int, only: int | None = None, after: int = 0) -> int | None:
    """A mailing that is sending and has recipients due: the next behind ``after``, in a circle.

    What Dispatch itself writes goes before all newsletters: it is little, and somebody waits.

    Args:
        only: ask about this one alone.
        after: the one that was served last, so that a long mailing does not keep a short one
            waiting.
    """
    wanted = (
        select(mailings.c.edition)
        .join(editions, editions.c.key == mailings.c.edition)
        .where(
            mailings.c.state == "sending",
            or_(*(_waiting(state, recipients.c.due <= now).exists() for state in _STILL_TO_SEND)),
        )
    )
    if only is not None:
        wanted = wanted.where(mailings.c.edition == only)
    in_turn = wanted.order_by(
        editions.c.kind.not_in(ON_DEMAND), mailings.c.edition <= after, mailings.c.edition
    ).limit(1)
    found = connection.execute(in_turn).scalar()
    return None if found is None else int(found)


def overslept(connection: Connection, edition: int, before: int) -> int | None:
    """When a time zone's copies were due that were missed: before ``before``, and nothing of the
    mailing was sent since, nor is. None: none were.

    A mailing that is merely slow has sent something since. What Dispatch itself writes has no time
    that it could miss.
    """
    kind = select(editions.c.kind).where(editions.c.key == edition)
    if connection.execute(kind).scalar() in ON_DEMAND:
        return None
    untried = (
        recipients.c.edition == edition,
        counts.in_state("queued"),
        recipients.c.due > 0,
        recipients.c.due <= before,
        recipients.c.attempts == 0,
    )
    earliest = connection.execute(select(func.min(recipients.c.due)).where(*untried)).scalar()
    if earliest is None:
        return None
    busy = select(leases.c.key).where(leases.c.edition == edition).limit(1)
    sent = (
        select(recipients.c.key)
        .where(
            recipients.c.edition == edition,
            recipients.c.state.in_(("accepted", "deferred", "in_doubt")),
            recipients.c.at >= earliest,
        )
        .limit(1)
    )
    if connection.execute(busy).first() or connection.execute(sent).first():
        return None
    return int(earliest)


def next_due(connection: Connection, only: int | None = None) -> int | None:
    """When something is due next, in milliseconds since 1970; it may be past. None: never.

    Looks at schedules and at mailings that are sending; what is leased is in hand.
    """
    earliest = [_waiting(s).with_only_columns(func.min(recipients.c.due)) for s in _STILL_TO_SEND]
    begun = select(*(part.scalar_subquery() for part in earliest)).where(
        mailings.c.state == "sending"
    )
    waiting = select(mailings.c.due).where(mailings.c.state == "scheduled")
    if only is not None:
        begun = begun.where(mailings.c.edition == only)
        waiting = waiting.where(mailings.c.edition == only)
    times = [time for row in connection.execute(begun) for time in row if time is not None]
    times += [epoch(time) for time in connection.execute(waiting).scalars()]
    return min(times, default=None)


# What the desk does to a mailing -----------------------------------------------------------------


def begin(connection: Connection, edition: int, now: int) -> str:
    """The time of a scheduled mailing has come: it is sending."""
    if _state(connection, edition) == "scheduled":
        _set(connection, edition, state="sending", reason=None, started=from_epoch(now))
    return counts.settle(connection, edition, now)


def pause(connection: Connection, edition: int, reason: str, now: int) -> str:
    """Nothing more leaves until it is resumed. Who sends it learns at their next group commit."""
    return _halt(connection, edition, "paused", reason, now)


def hold(connection: Connection, edition: int, reason: str, now: int) -> str:
    """Like :func:`pause`, by Dispatch itself: someone must look at it first."""
    return _halt(connection, edition, "held", reason, now)


def resume(connection: Connection, edition: int, now: int) -> str:
    """Let a paused or held mailing go on; before its time it is scheduled again.

    A schedule that was missed begins now.

    Raises:
        DeliveryError: it is finished or cancelled.
    """
    state = _state(connection, edition)
    if state in ("finished", "cancelled"):
        raise DeliveryError(f"Mailing {edition} is {state}: there is nothing to resume.")
    if state in ("paused", "held"):
        row = mailing(connection, edition)
        assert row is not None
        if row.started is None and epoch(row.due) > now:
            _set(connection, edition, state="scheduled", reason=None)
        else:
            begun = row.started or from_epoch(now)
            _set(connection, edition, state="sending", reason=None, started=begun)
            _let_late_ones_go(connection, edition, now)
    return counts.settle(connection, edition, now)


def cancel(connection: Connection, edition: int, now: int) -> str:
    """Nothing more leaves, for good. What is leased just now is cancelled as it is given back.

    Raises:
        DeliveryError: it is finished.
    """
    state = _state(connection, edition)
    if state == "finished":
        raise DeliveryError(f"Mailing {edition} is finished: there is nothing left to cancel.")
    if state != "cancelled":
        _set(connection, edition, state="cancelled", reason=None)
    return counts.settle(connection, edition, now)


def retry(connection: Connection, edition: int, states: Collection[str], now: int) -> int:
    """Queue recipients in these states again, at once. Who may not be mailed any more stays.

    Returns:
        How many were queued.

    Raises:
        DeliveryError: the mailing is cancelled, or a state is none that can be tried again.
    """
    wrong = sorted(set(states) - set(RETRIED))
    if wrong:
        raise DeliveryError(
            f"What is {wrong[0].replace('_', ' ')} is not tried again; "
            "deferred, bounced and in doubt can be."
        )
    if _state(connection, edition) == "cancelled":
        raise DeliveryError(f"Mailing {edition} is cancelled: nothing of it is sent again.")
    keys = (
        select(recipients.c.key)
        .select_from(
            recipients.outerjoin(subscribers, subscribers.c.key == recipients.c.subscriber)
        )
        .where(
            recipients.c.edition == edition,
            recipients.c.state.in_(states),
            why_not_recipient(now).is_(None),
        )
    )
    queued = 0
    for state in states:  # one by one, for the sums
        chosen = and_(recipients.c.key.in_(keys), recipients.c.state == state)
        values = {"state": "queued", "due": now, "at": now}
        count = connection.execute(update(recipients).where(chosen).values(values)).rowcount
        counts.add(connection, edition, {state: -count, "queued": count})
        queued += count
    if queued and _state(connection, edition) == "finished":
        _set(connection, edition, state="sending", finished=None)
    counts.settle(connection, edition, now)
    return queued


# What happens to a subscriber --------------------------------------------------------------------


def suppress_subscriber(connection: Connection, subscriber: int, reason: str, now: int) -> None:
    """Take the subscriber out of what waits. What is leased just now may still leave.

    Args:
        reason: why, as it is told of the recipient: ``unsubscribed``.
    """
    of_subscriber = recipients.c.subscriber == subscriber
    for edition in counts.withdraw(connection, of_subscriber, "suppressed", reason, now):
        counts.settle(connection, edition, now)


def erase_subscriber(connection: Connection, subscriber: int, now: int) -> None:
    """Forget the person: their rows stay for the sums, with nothing in them that names anyone."""
    suppress_subscriber(connection, subscriber, "forgotten", now)
    nothing = {
        "subscriber": None,
        "email": "",
        "domain": "",
        "name": None,
        "language": None,
        "reply": case((recipients.c.state == "suppressed", "forgotten"), else_=None),
    }
    of_subscriber = recipients.c.subscriber == subscriber
    connection.execute(update(recipients).where(of_subscriber).values(nothing))


# -------------------------------------------------------------------------------------------------

_STILL_TO_SEND = ("queued", "deferred")

_MAILINGS: Select[*tuple[Any, ...]] = select(
    mailings.c.edition,
    editions.c.desk,
    editions.c.subject,
    editions.c.segment,
    editions.c.made,
    mailings.c.state,
    mailings.c.reason,
    mailings.c.due,
    mailings.c.in_doubt,
    mailings.c.candidates,
    mailings.c.started,
    mailings.c.finished,
).join(editions, editions.c.key == mailings.c.edition)


def _waiting(state: str, *conditions: ColumnElement[bool]) -> Select[tuple[int]]:
    return (
        select(recipients.c.key)
        .where(
            recipients.c.edition == mailings.c.edition,
            counts.in_state(state),
            *conditions,
        )
        .correlate(mailings)
    )


def _state(connection: Connection, edition: int) -> str:
    found = connection.execute(
        select(mailings.c.state).where(mailings.c.edition == edition)
    ).scalar()
    if found is None:
        raise DeliveryError(f"There is no mailing {edition}. dispatch mailing list shows them.")
    return str(found)


def _let_late_ones_go(connection: Connection, edition: int, now: int) -> None:
    """Whose own time has passed may leave now: the desk has decided that."""
    late = (
        recipients.c.edition == edition,
        counts.in_state("queued"),
        recipients.c.due.between(1, now),
    )
    connection.execute(update(recipients).where(*late).values(due=0))


def _set(connection: Connection, edition: int, **values: object) -> None:
    connection.execute(update(mailings).where(mailings.c.edition == edition).values(values))


def _halt(connection: Connection, edition: int, to: str, reason: str, now: int) -> str:
    state = _state(connection, edition)
    if state in ("finished", "cancelled"):
        raise DeliveryError(f"Mailing {edition} is {state}: there is nothing to pause.")
    if state in ("scheduled", "sending"):
        _set(connection, edition, state=to, reason=reason)
    return counts.settle(connection, edition, now)
