"""Daily and weekly digests: whose is due, and of what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from dispatch.settings import Settings
from dispatch.store import articles as article_store
from dispatch.store import subscribers as subscriber_store


def make_due(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """To be written."""


def switched(connection: Connection, subscriber: int, frequency: str, now: datetime) -> bool:
    """Have a subscriber get what they chose from here on.

    Who had every edition by itself starts with what is published next; who changes from one
    digest to another is told of nothing twice, and misses nothing.

    Args:
        subscriber: the key.
        frequency: ``each``, ``daily`` or ``weekly``.

    Returns:
        False where they had chosen that before, or there is no such subscriber.
    """
    row = subscriber_store.subscriber(connection, subscriber)
    if row is None or row.frequency == frequency:
        return False
    values: dict[str, object] = {"frequency": frequency}
    if row.frequency == "each":
        newest = article_store.newest_public_since(connection, row.desk)
        values["digested"] = now if newest is None else max(now, newest)
    subscriber_store.change(connection, row.key, values, now)
    return True
