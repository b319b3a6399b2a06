"""Counted links, and how often they were followed: per link and day, of nobody in particular.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, func, insert, select, update

from dispatch.store.tables import clicks, editions, links

OPENING = 0
"""The link that stands for the opening of an edition."""

Counts = Mapping[tuple[int, int, date], int]
"""By edition, link and day (UTC)."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A counted link, with the slug of its edition's desk."""

    key: int
    edition: int
    desk: str
    url: str


def add_links(connection: Connection, edition: int, urls: Iterable[str]) -> dict[str, int]:
    """Keep the links of an edition; returns the key of each."""
    rows = [{"edition": edition, "url": url} for url in dict.fromkeys(urls)]
    if rows:
        connection.execute(insert(links), rows)
    return {url: key for key, url in links_of(connection, edition)}


def links_of(connection: Connection, edition: int) -> list[tuple[int, str]]:
    """Key and URL of an edition's links, in the order in which they stand there."""
    wanted = select(links.c.key, links.c.url).where(links.c.edition == edition)
    return [(key, url) for key, url in connection.execute(wanted.order_by(links.c.key))]


def link(connection: Connection, key: int) -> LinkRow | None:
    found = connection.execute(
        select(links.c.key, links.c.edition, editions.c.desk, links.c.url)
        .join(editions, editions.c.key == links.c.edition)
        .where(links.c.key == key)
    ).first()
    return LinkRow(*found) if found else None


def add(connection: Connection, counts: Counts) -> None:
    """Count these besides what was counted before."""
    for (edition, key, day), more in counts.items():
        values = {"of_edition": edition, "of_link": key, "of_day": day, "more": more}
        if not connection.execute(_ADD, values).rowcount:
            new = {"edition": edition, "link": key, "day": day, "count": more}
            connection.execute(insert(clicks).values(new))


def totals(connection: Connection, edition: int) -> dict[int, int]:
    """How often each link of an edition was followed, by its key; those that never were are not
    there."""
    wanted = (
        select(clicks.c.link, func.sum(clicks.c.count))
        .where(clicks.c.edition == edition)
        .group_by(clicks.c.link)
    )
    return {key: int(count) for key, count in connection.execute(wanted)}


_ADD = (
    update(clicks)
    .where(
        clicks.c.edition == bindparam("of_edition"),
        clicks.c.link == bindparam("of_link"),
        clicks.c.day == bindparam("of_day"),
    )
    .values(count=clicks.c.count + bindparam("more"))
)
