"""Leaving by the link that stands in every copy: with one click (RFC 8058), or on its page.

And coming back on that page, as long as the person thinks better of it: by their own
new consent, which is put on record like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dispatch.audience import states
from dispatch.audience.states import Consent
from dispatch.desk import Desk
from dispatch.errors import AudienceError
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import feed_tokens, linked
from dispatch.newsroom.linked import Link, Reader
from dispatch.store import leaving as store
from dispatch.store import subscribers as subscriber_store

_UNDONE_WITHIN = timedelta(days=1)
"""Whoever comes back so soon has only thought better of it: their next digest begins where it
would have begun."""

# With one click ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody's mail program pressed the button that unsubscribes.

    Args:
        copy: in which the link stood: the recipient's key, which its token names.
        desk: the slug of the desk in the link.
    """

    copy: int
    desk: str
    at: datetime


def leave_many(connection: Connection, clicks: Sequence[Click]) -> list[bool]:
    """Unsubscribe everybody who clicked, with a few statements for all of them.

    Whoever is gone already stays as they are. To all others nothing that still waits is sent,
    and their personal feeds are closed.

    Returns:
        For each click whether its link is one: False where there was no such copy at that desk.
    """
    by_desk: dict[str, set[int]] = defaultdict(set)
    for click in clicks:
        by_desk[click.desk].add(click.copy)
    known = {desk: store.copies_of(connection, desk, asked) for desk, asked in by_desk.items()}
    copies = [copy for found in known.values() for copy in found]
    if copies:
        _leave(connection, copies, max(click.at for click in clicks))
    return [click.copy in known[click.desk] for click in clicks]


def _leave(connection: Connection, copies: Sequence[int], now: datetime) -> None:
    """Those who got the copies leave, where they may."""
    moved = store.move(
        connection, copies, _MAY_LEAVE, "unsubscribed", "one click, by the link in mailing", now
    )
    if moved:
        store.stop_copies(connection, copies, "unsubscribed", now)
        feed_tokens.revoke_all(
            connection, store.with_feeds(connection, copies, "unsubscribed"), now
        )


_MAY_LEAVE = [state for state in states.STATES if states.is_lawful(state, "unsubscribed")]


# On the page -------------------------------------------------------------------------------------


def leave(
    connection: Connection, link: Link, desks: Collection[str] | None, now: datetime
) -> list[str]:
    """Unsubscribe the person whom a link leads to.

    Args:
        desks: the slugs of those they leave; None: all.

    Returns:
        The slugs of the desks that they left now.

    Raises:
        UnknownLinkError, ForgottenError: it leads to nobody.
    """
    person = linked.reader(connection, link)
    cause = f"on the page of the link in mailing {person.edition}"
    return [
        row.desk
        for row in person.rows
        if (desks is None or row.desk in desks)
        and states.is_lawful(row.state, "unsubscribed")
        and states.move(connection, row.key, "unsubscribed", cause, now)
    ]


def rejoin(
    connection: Connection, person: Reader, desk: Desk, consent: Consent, tokens: Tokens
) -> None:
    """Take somebody back whom a desk has had before, by their own consent; a pause ends.

    Raises:
        AudienceError: they may not come back so, or have left again since.
    """
    row = person.at(desk.slug)
    if row is None or linked.standing(connection, person, desk) != "may_join":
        raise AudienceError(f"{desk.name} does not take this person back by a click.")
    last = subscriber_store.moves_of(connection, row.key)[-1:]
    cause = f"came back on the page of the link in mailing {person.edition}"
    states.move(connection, row.key, "active", cause, consent.at, consent)
    changes: dict[str, object] = {"paused_until": None}
    if last and consent.at - last[0].at < _UNDONE_WITHIN:
        changes["digested"] = row.digested
    subscriber_store.change(connection, row.key, changes, consent.at)
    feed_tokens.personal_feeds(connection, row.key, desk, tokens, consent.at)
