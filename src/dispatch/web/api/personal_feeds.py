"""Personal feeds of subscribers: their addresses, and how much they are read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from dispatch.newsroom import personal_feeds as newsroom
from dispatch.newsroom.personal_feeds import What
from dispatch.newsroom.subscribers import slug_of
from dispatch.web.api.operations import JSON, Answer, Call, Nothing, Operation
from dispatch.web.api.subscribers import FeedDay
from dispatch.web.api.vocabulary import Desk, Email, Given


class FeedOf(Given):
    email: Email
    desk: Desk | None = None
    """The desk whose feed is meant; left out, each that they read."""


class FeedAddresses(Struct, frozen=True):
    """Whoever has one of them can read with it. Null: there is none that works."""

    rss: str | None = None
    atom: str | None = None
    json: str | None = None


class PersonalFeed(Struct, frozen=True):
    """A subscriber's feed at one desk."""

    desk: str
    access: Literal["members", "private"]
    state: str
    """The subscriber's."""
    addresses: FeedAddresses
    made: datetime | None
    shared: bool
    """Whether it is read from more places than one person is in."""
    days: list[FeedDay]
    """The newest days on which it was read."""


class PersonalFeeds(Struct, frozen=True):
    """A person's feeds at the desks that are not public."""

    feeds: list[PersonalFeed]


class SharedFeed(Struct, frozen=True):
    email: str
    desk: str
    day: date
    places: int


class SharedFeeds(Struct, frozen=True):
    """The feeds that seem to be shared, the widest first."""

    shared: list[SharedFeed]


async def show_feeds(call: Call[Nothing, FeedOf]) -> Answer:
    """Show a subscriber's personal feeds: their addresses, and how much they are read."""
    return await _looked_after(call, "show")


async def renew_feeds(call: Call[Nothing, FeedOf]) -> Answer:
    """Make new addresses for a subscriber's personal feeds; those before no longer work."""
    return await _looked_after(call, "renew")


async def revoke_feeds(call: Call[Nothing, FeedOf]) -> Answer:
    """Have the addresses of a subscriber's personal feeds no longer work."""
    return await _looked_after(call, "revoke")


async def _looked_after(call: Call[Nothing, FeedOf], what: What) -> Answer:
    said = call.body

    def looked_after() -> list[newsroom.PersonalFeed]:
        slug = slug_of(said.desk) if said.desk is not None else None
        return newsroom.look_after(said.email, slug, what, call.out, call.settings, call.now)

    feeds = [feed.to_json() for feed in await call.run(looked_after)]
    return Answer(msgspec.convert({"feeds": feeds}, PersonalFeeds))


async def list_shared_feeds(call: Call[Nothing, None]) -> Answer:
    """List the personal feeds that were read from more places than one person is in.

    By their use in the last week.
    """
    found = await call.run(newsroom.shared, call.out, call.now)
    return Answer(SharedFeeds([SharedFeed(s.email, s.desk, s.day, s.places) for s in found]))


_READ, _WRITE = ("subscribers:read",), ("subscribers:write",)
_BODY = {JSON: FeedOf}
_FEEDS = {200: PersonalFeeds}

OPERATIONS = (
    Operation("POST", "/subscribers/feeds", show_feeds, _READ, _FEEDS, bodies=_BODY),
    Operation("POST", "/subscribers/feeds/renew", renew_feeds, _WRITE, _FEEDS, bodies=_BODY),
    Operation("POST", "/subscribers/feeds/revoke", revoke_feeds, _WRITE, _FEEDS, bodies=_BODY),
    Operation("GET", "/subscribers/feeds/shared", list_shared_feeds, _READ, {200: SharedFeeds}),
)
