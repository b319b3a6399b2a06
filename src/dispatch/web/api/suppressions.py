"""Suppressions: addresses that are not mailed, whatever a list says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.newsroom import subscribers as newsroom
from dispatch.newsroom import suppressions
from dispatch.newsroom.suppressions import Place
from dispatch.web.api.operations import JSON, Answer, Call, Nothing, Operation
from dispatch.web.api.vocabulary import Desk, Email, Given, Limit

Cursor = Annotated[
    str,
    Meta(
        pattern="^[0-9]{1,17}[.][0-9]{1,6}$",
        max_length=24,
        description="What the page before calls its next; left out for the first page.",
    ),
]


class SuppressionsAfter(Given):
    limit: Limit = 100
    after: Cursor | None = None


class NewSuppression(Given):
    email: Email
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    """Why, for whoever wonders about it later."""
    desk: Desk | None = None
    """Only this desk's mails; left out, those of every desk."""


class LiftedSuppression(Given):
    email: Email
    desk: Desk | None = None
    """The desk's suppression; left out, the one for every desk."""


class Suppression(Struct, frozen=True):
    email: str
    """In lower case, as addresses are compared."""
    desk: str | None
    """Null: every desk."""
    reason: str
    at: datetime


class SuppressionPage(Struct, frozen=True):
    """Suppressions in the order they were made."""

    suppressions: list[Suppression]
    next: str | None
    """What the next page's after is; null on the last page."""


class Suppressed(Struct, frozen=True):
    email: str
    desk: str | None
    suppressed: bool


async def list_suppressions(call: Call[SuppressionsAfter, None]) -> Answer:
    """List the addresses that are not mailed.

    They come in the order they were made, so that whoever read to the end finds the new
    ones behind it.
    """
    wanted = call.parameters
    after = Place.parse(wanted.after) if wanted.after is not None else None
    page = await call.site.read(suppressions.page, after, wanted.limit)
    shown = [
        Suppression(row.address_key, row.desk or None, row.reason, row.at) for row in page.rows
    ]
    return Answer(SuppressionPage(shown, str(page.next) if page.next is not None else None))


async def suppress(call: Call[Nothing, NewSuppression]) -> Answer:
    """Keep an address from being mailed, whatever any list says, subscribed or not."""
    said = call.body

    def suppressed() -> Suppressed:
        slug = newsroom.slug_of(said.desk) if said.desk is not None else None
        kept = newsroom.suppress(said.email, slug, said.reason, call.out, call.now)
        return Suppressed(kept, slug, suppressed=True)

    return Answer(await call.run(suppressed))


async def lift_suppression(call: Call[Nothing, LiftedSuppression]) -> Answer:
    """Lift a suppression. Who unsubscribed before stays unsubscribed."""
    said = call.body

    def lifted() -> Suppressed:
        slug = newsroom.slug_of(said.desk) if said.desk is not None else None
        kept = newsroom.unsuppress(said.email, slug, call.out)
        return Suppressed(kept, slug, suppressed=False)

    return Answer(await call.run(lifted))


_WRITE = ("subscribers:write",)

OPERATIONS = (
    Operation(
        "GET",
        "/suppressions",
        list_suppressions,
        ("subscribers:read",),
        {200: SuppressionPage},
        SuppressionsAfter,
    ),
    Operation(
        "POST", "/suppressions", suppress, _WRITE, {200: Suppressed}, bodies={JSON: NewSuppression}
    ),
    Operation(
        "POST",
        "/suppressions/lift",
        lift_suppression,
        _WRITE,
        {200: Suppressed},
        bodies={JSON: LiftedSuppression},
    ),
)
