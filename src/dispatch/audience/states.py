"""The states of a subscriber, and the lawful moves between them.

::

    pending ──▶ active ──▶ unsubscribed ──▶ complained
       │           ├─────▶ bounced ──▶ unsubscribed, complained
       └──▶ any    └─────▶ complained

Nobody comes back but by their own new consent: from ``unsubscribed``,
``bounced`` and ``complained`` to ``pending`` or ``active``, with the consent on
record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from dispatch.errors import AudienceError
from dispatch.store import feed_tokens, ledger
from dispatch.store import subscribers as store
from dispatch.store.tables import epoch

State = Literal["pending", "active", "unsubscribed", "bounced", "complained"]

STATES: tuple[State, ...] = ("pending", "active", "unsubscribed", "bounced", "complained")

GONE: tuple[State, ...] = ("unsubscribed", "bounced", "complained")
"""States in which nobody is mailed, and which only new consent ends."""

_LAWFUL: dict[str, tuple[str, ...]] = {
    "pending": ("active", "unsubscribed", "bounced", "complained"),
    "active": ("unsubscribed", "bounced", "complained"),
    "unsubscribed": ("complained",),
    "bounced": ("unsubscribed", "complained"),
    "complained": (),
}


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody asked for the newsletter: where, when, and from which IP address.

    ``text`` is what stood at the button that they pressed.
    """

    source: str
    at: datetime
    ip: str | None = None
    text: str | None = None


def is_lawful(before: str, after: str, *, by_consent: bool = False) -> bool:
    """Whether a subscriber may come from one state to another."""
    back = by_consent and before in GONE and after in ("pending", "active")
    return back or after in _LAWFUL[before]


def move(
    connection: Connection,
    subscriber: int,
    after: State,
    cause: str,
    now: datetime,
    consent: Consent | None = None,
) -> bool:
    """Put a subscriber into another state, and keep it in their history.

    Whoever is no longer to be mailed gets none of the copies that still wait
    for them: those are suppressed in the same transaction. Their personal feed is revoked, too.

    Args:
        subscriber: the key.
        cause: why, in words; it is shown to the desk.
        consent: their own, new; without it nobody comes back.

    Returns:
        False where they were in that state already: nothing is changed then.

    Raises:
        AudienceError: the move is not lawful, the consent is older than what it is to undo, or
            there is no such subscriber.
    """
    row = store.subscriber(connection, subscriber)
    if row is None:
        raise AudienceError(f"There is no subscriber with the number {subscriber}.")
    if row.state == after:
        return False
    if not is_lawful(row.state, after, by_consent=consent is not None):
        raise AudienceError(_unlawful(row, after))
    if consent is not None and row.state in GONE:
        _must_be_new(connection, row, consent)
    store.move(connection, row, after, cause, now)
    if after == "active":  # what was published before is not collected for them
        store.change(connection, row.key, {"digested": now}, now)
    if consent is not None:
        values = {
            "consent_source": consent.source,
            "consent_at": consent.at,
            "consent_ip": consent.ip,
            "consent_text": consent.text,
        }
        store.change(connection, row.key, values, now)
    if after in GONE:
        ledger.suppress_subscriber(connection, row.key, after, epoch(now))
        feed_tokens.revoke(connection, [row.key], now)
    return True


def _must_be_new(connection: Connection, row: store.SubscriberRow, consent: Consent) -> None:
    """Refuse consent that somebody gave before they left: that one they took back."""
    moves = store.moves_of(connection, row.key)
    if moves and consent.at < moves[-1].at:
        raise AudienceError(
            f"{row.email} consented on {consent.at:%Y-%m-%d %H:%M} UTC and has been {row.state} "
            f"at {row.desk} since {moves[-1].at:%Y-%m-%d %H:%M} UTC: it takes a newer consent."
        )


def _unlawful(row: store.SubscriberRow, after: str) -> str:
    who = f"{row.email} is {row.state} at {row.desk}"
    if row.state in GONE and after in ("pending", "active"):
        return (
            f"{who}, and comes back only by their own new consent: "
            f'say where it was given, such as --consent "sign-up form".'
        )
    return f"{who} and cannot become {after}."
