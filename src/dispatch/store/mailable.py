"""Who may be mailed at this moment, as SQL: one rule for making, sending and retrying a mailing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, case, func, literal, null, select

from dispatch.store.subscribers import EVERY_DESK
from dispatch.store.tables import recipients, subscribers, suppressions

_STATES = {
    "pending": "has not confirmed",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
    "complained": "complained",
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


def why_not_subscriber() -> ColumnElement[Any]:
    """Why a row of ``subscribers`` is not mailed; NULL: it is."""
    states = [(subscribers.c.state == state, reason) for state, reason in _STATES.items()]
    return case(
        (subscribers.c.state == "active", _suppressed()),
        *states,
        else_=literal("is ", String) + subscribers.c.state,
    )


def why_not_recipient() -> ColumnElement[Any]:
    """Why a row of ``recipients``, with the outer join of ``subscribers``, is not mailed any more.

    A recipient that never was a subscriber has nobody's state to ask.
    """
    return case(
        (recipients.c.email == "", literal("forgotten", String)),
        (recipients.c.subscriber.is_(None), null()),
        (subscribers.c.key.is_(None), literal("removed from the list", String)),
        else_=why_not_subscriber(),
    )
