"""Leaving by the link that stands in every copy: with one click (RFC 8058), or on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from dispatch.audience import states
from dispatch.newsroom import feed_tokens
from dispatch.store import leaving as store


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody's mail program, or they themselves, pressed the button that unsubscribes.

    Args:
        recipient: whose copy the link stood in: the key that its token names.
        desk: the slug of the desk in the link.
    """

    recipient: int
    desk: str
    at: datetime


def leave_many(connection: Connection, clicks: Sequence[Click]) -> list[bool]:
    """Unsubscribe everybody who clicked, with a few statements for all of them.

    Whoever is gone already stays as they are. From all others nothing that still waits is sent,
    and their personal feeds are closed.

    Returns:
        For each click whether its link is one: False where there was no such copy at that desk.
    """
    copies = store.copies(connection, {click.recipient for click in clicks})
    leaving: dict[int, store.Move] = {}
    found = []
    for click in clicks:
        copy = copies.get(click.recipient)
        found.append(copy is not None and copy.desk == click.desk)
        if copy is None or copy.desk != click.desk or copy.subscriber is None:
            continue
        if states.is_lawful(copy.state or "", "unsubscribed"):
            cause = f"one click, by the link in mailing {copy.edition}"
            move = store.Move(copy.subscriber, copy.state or "", "unsubscribed", cause, click.at)
            leaving.setdefault(copy.subscriber, move)
    if leaving:
        now = max(move.at for move in leaving.values())
        store.move(connection, list(leaving.values()))
        store.stop_copies(connection, leaving, "unsubscribed", now)
        feed_tokens.revoke_all(connection, list(leaving), now)
    return found
