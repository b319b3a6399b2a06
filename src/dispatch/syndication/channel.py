"""What a desk's feed says about itself, the same in every form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dispatch.desk import Desk
from dispatch.markup import one_line
from dispatch.renditions.feed import FeedEntry

_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated: Atom wants a time, and none would be true."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The facts of a feed document that are not in its entries; all plain text."""

    id: str
    """A tag: URI (RFC 4151); archive documents have the id of their feed."""
    title: str
    description: str
    publisher: str
    home_url: str
    """The desk's page."""
    site_url: str
    language: str
    rights: str
    updated: datetime
    """The latest update among the entries."""
    published: datetime | None
    """The latest publication among the entries; None where there are none."""


def channel(desk: Desk, entries: Sequence[FeedEntry]) -> Channel:
    """What the document of ``entries`` says about itself. Nothing in it depends on the clock."""
    published = max((entry.published for entry in entries), default=None)
    name, publisher = one_line(desk.name), one_line(desk.publisher)
    return Channel(
        id=desk.feed_id,
        title=f"{publisher}: {name}",
        description=f"{name} – {publisher}, {desk.site_url}/",
        publisher=publisher,
        home_url=desk.index_url,
        site_url=f"{desk.site_url}/",
        language=desk.language,
        rights=one_line(desk.rights_in(published)),
        updated=max((entry.updated for entry in entries), default=_BEFORE_ALL),
        published=published,
    )
