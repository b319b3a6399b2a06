"""A subscriber's personal feed, in the words of a desk: show, renew, revoke, and who shares one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from dispatch.audience import addresses
from dispatch.errors import AudienceError
from dispatch.newsroom import feed_tokens, keys
from dispatch.newsroom.database import opened
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.feed_tokens import MANY_PLACES, Shared
from dispatch.newsroom.subscribers import NO_SUBSCRIBERS
from dispatch.settings import Settings
from dispatch.store import feed_tokens as store
from dispatch.store import subscribers
from dispatch.store.feed_tokens import DayRow
from dispatch.store.subscribers import SubscriberRow

DAYS = 14
"""Days of use that are shown."""

What = Literal["show", "renew", "revoke"]


@dataclass(frozen=True, slots=True)
class PersonalFeed:
    """A subscriber's feed at one desk."""

    desk: str
    access: str
    state: str
    """The subscriber's."""
    addresses: dict[str, str]
    """By form; empty where there are none."""
    made: datetime | None
    days: tuple[DayRow, ...]
    """The newest days on which it was read."""

    @property
    def is_shared(self) -> bool:
        """Whether it is read from more places than one person is in."""
        return any(day.places >= MANY_PLACES for day in self.days)

    def to_json(self) -> dict[str, object]:
        return {
            "desk": self.desk,
            "access": self.access,
            "state": self.state,
            "addresses": self.addresses,
            "made": self.made.isoformat() if self.made else None,
            "shared": self.is_shared,
            "days": [
                {"day": day.day.isoformat(), "reads": day.reads, "places": day.places}
                for day in self.days
            ],
        }


def look_after(
    email: str, desk: str | None, what: What, out: Path, settings: Settings, now: datetime
) -> list[PersonalFeed]:
    """Show a person's feeds, make new addresses for them, or revoke those they have.

    Args:
        desk: a slug; None: every desk that they read.

    Returns:
        The feeds as they are then, of the desks that are not public.

    Raises:
        AudienceError: they do not subscribe there, or it is public.
    """
    address = addresses.parse(email)
    with opened(out, NO_SUBSCRIBERS) as database, database.transaction() as connection:
        rows = [
            row
            for row in subscribers.of_person(connection, address.key)
            if desk in (None, row.desk)
        ]
        if not rows:
            raise AudienceError(f"{address.email} does not subscribe to {desk or 'any desk here'}.")
        found = [_feed(connection, row, what, settings, now) for row in rows]
    personal = [feed for feed in found if feed.access != "public"]
    if not personal:
        names = ", ".join(feed.desk for feed in found)
        raise AudienceError(
            f"Everybody reads {names} in full, so there are no personal feeds. "
            "DISPATCH_ACCESS makes a desk one for subscribers."
        )
    return personal


def shared(out: Path, now: datetime) -> list[Shared]:
    """The feeds that seem to be shared, by their use in the last week; the widest first."""
    with opened(out, NO_SUBSCRIBERS) as database, database.reading() as connection:
        return feed_tokens.shared(connection, now)


def _feed(
    connection: Connection, row: SubscriberRow, what: What, settings: Settings, now: datetime
) -> PersonalFeed:
    desk = known_desk(connection, row.desk, settings)
    assert desk is not None, "it has a subscriber"
    tokens = keys.tokens(connection, settings, now)
    if what == "renew":
        feed_tokens.renew(connection, row.key, desk, tokens, now)
    elif what == "revoke":
        feed_tokens.revoke_all(connection, [row.key], now)
    good = store.good_token(connection, row.key)
    made = [token.made for token in store.of_subscriber(connection, row.key) if token.key == good]
    return PersonalFeed(
        desk=row.desk,
        access=desk.access,
        state=row.state,
        addresses=feed_tokens.known_feeds(connection, row.key, desk, tokens),
        made=made[0] if made else None,
        days=tuple(store.days_of(connection, good, DAYS)) if good is not None else (),
    )
