"""Who may be mailed at this moment, as SQL: one rule for making, sending and retrying a mailing.

What Dispatch itself writes (to confirm, to welcome) goes to one person, because of
what they did a moment ago: neither how often they want newsletters nor a pause counts
there, and who is asked to confirm has not confirmed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
)

from dispatch.store.days import day_of
from dispatch.store.subscribers import EVERY_DESK
from dispatch.store.tables import editions, recipients, subscribers, suppressions

PAUSED = "paused until "
"""What the reason of someone who paused begins with; the day (UTC) follows."""

_STATES = {
    "pending": "has not confirmed",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
    "complained": "complained",
}
_FREQUENCIES = {
    "each": "gets every edition by itself",
    "daily": "gets the daily digest",
    "weekly": "gets the weekly digest",
}


def _suppressed() -> ColumnElement[Any]:
    """Why the subscriber's address is on the suppression list, for their desk or for all."""
    listed = (
        select(func.max(suppressions.c.reason))
        .where(
            suppressions.c.address_key == subscribers.c.address_key,
            suppressions.c.desk.in_((EVERY_DESK, subscribers.c.desk)),
        )
        .correlate(subscribers)
        .scalar_subquery()
    )
    return literal("on the suppression list: ", String) + listed


def _by_state(if_active: ColumnElement[Any]) -> ColumnElement[Any]:
    states = [(subscribers.c.state == state, reason) for state, reason in _STATES.items()]
    return case(
        (subscribers.c.state == "active", if_active),
        *states,
        else_=literal("is ", String) + subscribers.c.state,
    )


def pauses(at: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a subscriber wants nothing yet at ``at``, in epoch milliseconds."""
    moment = literal(at, BigInteger) if isinstance(at, int) else at
    until = subscribers.c.paused_until
    return and_(until.is_not(None), until > moment)


def _paused(at: int | ColumnElement[int]) -> ColumnElement[Any]:
    until = literal(PAUSED, String) + day_of(subscribers.c.paused_until)
    return case((pauses(at), until))


def _wants_another(frequency: str) -> ColumnElement[Any]:
    others = [
        (subscribers.c.frequency == other, reason)
        for other, reason in _FREQUENCIES.items()
        if other != frequency
    ]
    return case(*others)


def why_not_subscriber(
    frequency: str | None = None, at: int | ColumnElement[int] | None = None
) -> ColumnElement[Any]:
    """Why a row of ``subscribers`` is not mailed; NULL: it is.

    Args:
        frequency: of those whom the mailing is for, ``each``, ``daily`` or ``weekly``; None: for
            all of them.
        at: epoch milliseconds; who pauses longer is not mailed. None: pauses do not count.
    """
    reasons = [_suppressed()]
    if frequency is not None:
        reasons.append(_wants_another(frequency))
    if at is not None:
        reasons.append(_paused(at))
    return _by_state(func.coalesce(*reasons) if len(reasons) > 1 else reasons[0])


def why_not_recipient(now: int | ColumnElement[int]) -> ColumnElement[Any]:
    """Why a row of ``recipients``, with the outer join of ``subscribers``, is not mailed any more.

    A recipient that never was a subscriber has nobody's state to ask. Who chose to be mailed more
    or less often since the mailing was made still gets this one: no digest would bring it them.

    Args:
        now: epoch milliseconds.
    """
    kind = (
        select(editions.c.kind)
        .where(editions.c.key == recipients.c.edition)
        .correlate(recipients)
        .scalar_subquery()
    )
    return case(
        (recipients.c.email == "", literal("forgotten", String)),
        (recipients.c.subscriber.is_(None), null()),
        (subscribers.c.key.is_(None), literal("removed from the list", String)),
        (or_(kind == "newsletter", kind == "digest"), why_not_subscriber(at=now)),
        (kind == "confirm", _suppressed()),
        else_=why_not_subscriber(),
    )
