"""Desks: which there are."""

from __future__ import annotations

from msgspec import Struct

from dispatch.newsroom import published
from dispatch.web.api.operations import Answer, Call, Nothing, Operation


class DeskName(Struct, frozen=True):
    slug: str
    """Its name in addresses."""
    name: str


class Desks(Struct, frozen=True):
    """The desks that have published or have subscribers."""

    desks: list[DeskName]


async def list_desks(call: Call[Nothing, None]) -> Answer:
    """List the desks that have published or have subscribers. Any token will do."""
    found = await call.site.read(published.desks)
    return Answer(Desks([DeskName(slug, name) for slug, name in found.items()]))


OPERATIONS = (Operation("GET", "/desks", list_desks, (), {200: Desks}),)
