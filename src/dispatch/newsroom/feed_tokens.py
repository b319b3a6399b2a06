"""Personal feeds: their addresses, revoking them, and how much each is read.

The address of a personal feed holds a signed token that names a row of
``feed_tokens``. Whoever has the address may read what the subscriber may read,
for as long as the row is not revoked and the subscriber is active.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.mailing.tokens import Tokens
from dispatch.renditions.feed import FORMS
from dispatch.store import feed_tokens as store
from dispatch.store import subscribers
from dispatch.store.feed_tokens import DayRow

MANY_PLACES = 12
"""Networks in one day from which one person hardly reads: a feed that was read from so many is
shared. A phone, a home, an office and a reading service with several servers are fewer."""


def personal_feeds(
    connection: Connection, subscriber_key: int, desk: Desk, tokens: Tokens, now: datetime
) -> dict[str, str]:
    """The addresses of a subscriber's own feed by form: ``rss``, ``atom`` and ``json``.

    Where they have none yet, it is made. Empty for a public desk, whose feed is
    everybody's, and for whoever is not an active subscriber of this desk.
    """
    if not _may_have_one(connection, subscriber_key, desk):
        return {}
    key = store.good_token(connection, subscriber_key)
    if key is None:
        key = store.add(connection, subscriber_key, now)
    return _addresses(desk, tokens.feed(key))


def known_feeds(
    connection: Connection, subscriber_key: int, desk: Desk, tokens: Tokens
) -> dict[str, str]:
    """The same without making one, for pages that may change nothing: empty where there is none."""
    if not _may_have_one(connection, subscriber_key, desk):
        return {}
    key = store.good_token(connection, subscriber_key)
    return {} if key is None else _addresses(desk, tokens.feed(key))


def renew(
    connection: Connection, subscriber_key: int, desk: Desk, tokens: Tokens, now: datetime
) -> dict[str, str]:
    """New addresses, as of :func:`personal_feeds`; those before no longer work."""
    revoke_all(connection, [subscriber_key], now)
    return personal_feeds(connection, subscriber_key, desk, tokens, now)


def revoke_all(connection: Connection, subscriber_keys: Sequence[int], now: datetime) -> None:
    """Have none of these subscribers' feed addresses work any more."""
    store.revoke(connection, subscriber_keys, now)


def _may_have_one(connection: Connection, subscriber_key: int, desk: Desk) -> bool:
    if desk.access == "public":
        return False
    row = subscribers.subscriber(connection, subscriber_key)
    return row is not None and row.desk == desk.slug and row.state == "active"


def _addresses(desk: Desk, token: str) -> dict[str, str]:
    own = desk.for_reader(token)
    return {form: own.feed_url(form) for form in FORMS}


# Use ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shared:
    """A personal feed that is read from more places than one person is in."""

    email: str
    desk: str
    day: date
    places: int


def shared(connection: Connection, now: datetime, days: int = 7) -> list[Shared]:
    """The feeds that seem to be shared, by their use in the last ``days``; the widest first."""
    since = now.date() - timedelta(days=days)
    return [Shared(*row) for row in store.read_widely(connection, since, MANY_PLACES)]


def count(connection: Connection, days: Sequence[DayRow]) -> None:
    """Write down how often personal feeds were read."""
    store.count(connection, days)
