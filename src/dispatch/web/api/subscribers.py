"""Subscribers: list, export, add, show, remove, forget.

An address never stands in the address of a request, where the logs of servers
and proxies would keep it: who is meant is said in a body.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch.newsroom import subscriber_lists as lists
from dispatch.newsroom import subscribers as newsroom
from dispatch.newsroom.subscriber_lists import Choice
from dispatch.web.api import lanes
from dispatch.web.api.operations import JSON, Answer, Call, Nothing, Operation, Text
from dispatch.web.api.problems import Fault, RefusalError
from dispatch.web.api.vocabulary import After, Desk, Email, Given, Limit, Line, Time

State = Literal["pending", "active", "unsubscribed", "bounced", "complained"]
Tag = Annotated[str, Meta(min_length=1, max_length=60, examples=["premium"])]
Segment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1000,
        description="Only those that a segment means.",
        examples=["tag:premium and language:de"],
    ),
]
_CSV = Text("text/csv; charset=utf-8", "CSV with names of its columns, which an import reads.")
_LINES = 500
"""Lines of an export that are sent at a time."""


# What is asked for -------------------------------------------------------------------------------


class Chosen(Given):
    desk: Desk
    state: State | None = None
    tag: Tag | None = None
    segment: Segment | None = None

    def choice(self) -> Choice:
        return Choice(newsroom.slug_of(self.desk), self.state, self.tag, self.segment)


class ChosenPage(Chosen):
    limit: Limit = 100
    after: After = 0


class NewSubscriber(Given):
    """Who is to be added to a desk, or what is new about them. What is left out stays."""

    email: Email
    desk: Desk
    name: Line | None = None
    language: Annotated[str, Meta(max_length=100, examples=["pt-BR"])] | None = None
    """BCP 47."""
    timezone: Annotated[str, Meta(max_length=100, examples=["Europe/Vienna"])] | None = None
    tags: Annotated[list[Tag], Meta(max_length=50)] | None = None
    """Replaces those that they have."""
    consent: Line | None = None
    """Where they asked for it themselves. Without it nobody comes back who left."""
    consent_time: Time | None = None
    """When they did; now, if it is left out."""
    consent_ip: Annotated[str, Meta(max_length=45, examples=["192.0.2.7"])] | None = None
    pending: bool = False
    """They have been asked, and have not confirmed yet."""


class Somebody(Given):
    email: Email


class Leaving(Given):
    email: Email
    desk: Desk | None = None
    """The newsletter they leave; needed if they read several."""
    everywhere: bool = False
    """They leave all of them."""


# What is answered --------------------------------------------------------------------------------


class Consent(Struct, frozen=True):
    source: str | None
    at: datetime | None
    ip: str | None
    text: str | None
    """What stood at the button that they pressed."""


class Subscriber(Struct, frozen=True):
    """A person at one desk."""

    desk: str
    email: str
    name: str | None
    language: str | None
    timezone: str | None
    tags: list[str]
    fields: dict[str, str]
    state: State
    consent: Consent
    frequency: Literal["each", "daily", "weekly"]
    """Every edition by itself, or a digest of what was published."""
    paused_until: datetime | None
    joined: datetime
    changed: datetime


class SubscriberPage(Struct, frozen=True):
    """Subscribers in the order they were added."""

    subscribers: list[Subscriber]
    next: int | None
    """What the next page's after is; null on the last page."""


class Added(Struct, frozen=True):
    email: str
    desk: str
    action: Literal["added", "updated", "unchanged"]


class Move(Struct, frozen=True):
    """How a subscriber came from one state to another."""

    at: datetime
    before: str
    after: str
    cause: str


class Mail(Struct, frozen=True):
    """What became of a subscriber's copy of a mailing."""

    mailing: int
    subject: str
    state: str
    at: datetime | None
    attempts: int
    reply: str | None


class FeedDay(Struct, frozen=True):
    """A day on which a personal feed was read."""

    day: date
    reads: int
    places: int
    """From how many networks."""


class FeedHistory(Struct, frozen=True):
    """A personal feed that a subscriber has or had; its address is told elsewhere."""

    made: datetime
    revoked: datetime | None
    days: list[FeedDay]


class Subscription(Subscriber, frozen=True):
    """A person at one desk, with how they came to their state and what they were sent."""

    moves: list[Move]
    mailings: list[Mail]
    feeds: list[FeedHistory]


class SuppressedBy(Struct, frozen=True):
    desk: str | None
    """None: by every desk."""
    reason: str
    at: datetime


class SignUp(Struct, frozen=True):
    """What somebody asked for at a sign-up form."""

    desk: str
    at: datetime
    ip: str | None
    source: str
    """The form."""
    text: str
    """What stood at the button."""
    name: str | None
    language: str | None
    timezone: str | None
    frequency: str
    done: datetime | None
    """Null: it waits."""
    outcome: str | None


class Profile(Struct, frozen=True):
    """Everything that is known of an address."""

    email: str
    subscriptions: list[Subscription]
    suppressions: list[SuppressedBy]
    forgotten: datetime | None
    """When they asked to be forgotten: of that, a keyed hash is kept."""
    sign_ups: list[SignUp]


class Left(Struct, frozen=True):
    email: str
    desks: list[str]
    """Those that they left now; none where they had left before."""


class Forgotten(Struct, frozen=True):
    desks: int
    """How many desks' subscriber they were."""
    forgotten: bool


# What is done ------------------------------------------------------------------------------------


async def list_subscribers(call: Call[ChosenPage, None]) -> Answer:
    """List a desk's subscribers, or those of a segment.

    They come in the order they were added, page by page.
    """
    wanted = call.parameters

    def page() -> SubscriberPage:
        choice = replace(wanted.choice(), limit=wanted.limit + 1, after=wanted.after)
        rows = list(lists.listed(choice, call.out))
        shown = rows[: wanted.limit]
        return SubscriberPage(
            msgspec.convert([newsroom.row_json(row) for row in shown], list[Subscriber]),
            shown[-1].key if len(rows) > wanted.limit else None,
        )

    return Answer(await call.run(page))


async def export_subscribers(call: Call[Chosen, None]) -> Answer:
    """Export a desk's subscribers as CSV.

    A cell that a spreadsheet would run as a formula has an apostrophe before it; an
    import takes it away again. What is sent is read page by page: it may be long.
    """
    rows = await call.run(lambda: lists.exported(call.parameters.choice(), call.out))
    first = await call.run(_some, rows)
    return Answer(
        _rest(first, rows),
        headers={"Content-Disposition": 'attachment; filename="subscribers.csv"'},
    )


async def _rest(first: bytes, rows: Iterator[str]) -> AsyncIterator[bytes]:
    some = first
    while some:
        yield some
        some = await lanes.questions.run(_some, rows)


def _some(rows: Iterator[str]) -> bytes:
    return "".join(islice(rows, _LINES)).encode()


async def add_subscriber(call: Call[Nothing, NewSubscriber]) -> Answer:
    """Add a subscriber to a desk, or bring one up to date.

    Who unsubscribed, bounced or complained, and who was forgotten, comes back by their own
    new consent alone; who is suppressed does not.
    """
    said = call.body
    if said.consent is None and (said.consent_time or said.consent_ip):
        fault = Fault("It is needed with consent_time and consent_ip.", pointer="#/consent")
        raise RefusalError(422, "Say where the consent was given, in consent.", errors=[fault])
    person = newsroom.Person(
        email=said.email,
        name=said.name,
        language=said.language,
        timezone=said.timezone,
        tags=None if said.tags is None else tuple(said.tags),
        consent=said.consent,
        consent_at=said.consent_time.isoformat() if said.consent_time else None,
        consent_ip=said.consent_ip,
        pending=said.pending,
    )

    def add() -> Added:
        slug = newsroom.slug_of(said.desk)
        email, action = newsroom.add(person, slug, call.out, call.now)
        return msgspec.convert({"email": email, "desk": slug, "action": action}, Added)

    added = await call.run(add)
    return Answer(added, 201 if added.action == "added" else 200)


async def show_subscriber(call: Call[Nothing, Somebody]) -> Answer:
    """Show everything that is known of an address.

    Consent, states, mails sent and suppressions, at every desk; 404 where nothing is known.
    """
    profile = await call.run(newsroom.show, call.body.email, call.out, call.now)
    if not profile.is_known:
        raise RefusalError(404, "Nothing is known of this address.")
    return Answer(msgspec.convert(profile.to_json(), Profile))


async def remove_subscriber(call: Call[Nothing, Leaving]) -> Answer:
    """Unsubscribe somebody. Copies that still wait for them are not sent.

    They stay on the list as unsubscribed, so that no import brings them back.
    """
    said = call.body
    if said.desk is not None and said.everywhere:
        fault = Fault("It says another thing than everywhere.", pointer="#/desk")
        raise RefusalError(422, "One desk or all of them: choose one.", errors=[fault])

    def remove() -> list[str]:
        slug = newsroom.slug_of(said.desk) if said.desk is not None else None
        return newsroom.remove(said.email, slug, call.out, call.now, everywhere=said.everywhere)

    return Answer(Left(said.email, await call.run(remove)))


async def forget_subscriber(call: Call[Nothing, Somebody]) -> Answer:
    """Erase a person at all desks; it cannot be undone.

    A keyed hash of the address stays, so that no import brings them back; of what they
    were sent only the sums stay.
    """
    desks = await call.run(newsroom.forget, call.body.email, call.out, call.now)
    return Answer(Forgotten(desks, forgotten=True))


_READ, _WRITE = ("subscribers:read",), ("subscribers:write",)

OPERATIONS = (
    Operation("GET", "/subscribers", list_subscribers, _READ, {200: SubscriberPage}, ChosenPage),
    Operation("GET", "/subscribers/export", export_subscribers, _READ, {200: _CSV}, Chosen),
    Operation(
        "POST",
        "/subscribers",
        add_subscriber,
        _WRITE,
        {200: Added, 201: Added},
        bodies={JSON: NewSubscriber},
    ),
    Operation(
        "POST",
        "/subscribers/show",
        show_subscriber,
        _READ,
        {200: Profile},
        bodies={JSON: Somebody},
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/subscribers/remove",
        remove_subscriber,
        _WRITE,
        {200: Left},
        bodies={JSON: Leaving},
    ),
    Operation(
        "POST",
        "/subscribers/forget",
        forget_subscriber,
        _WRITE,
        {200: Forgotten},
        bodies={JSON: Somebody},
    ),
)
