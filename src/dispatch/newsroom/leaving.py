"""Leaving by the link that stands in every copy: with one click (RFC 8058), or on its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from dispatch.audience import states
from dispatch.newsroom import feed_tokens
from dispatch.store import leaving as store


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
