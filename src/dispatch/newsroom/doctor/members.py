"""Desks for subscribers: is what lies there of the access they have now, and is a feed shared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import StoreError
from dispatch.newsroom import feed_tokens
from dispatch.newsroom.access import is_behind
from dispatch.newsroom.database import opened
from dispatch.newsroom.desks import make_desk
from dispatch.newsroom.doctor.findings import Finding
from dispatch.newsroom.feed_tokens import MANY_PLACES
from dispatch.settings import Settings
from dispatch.store import articles

_CHECK = "access"


def examine(settings: Settings, out: Path, now: datetime) -> Iterator[Finding]:
    """What is found in the folder ``out``; nothing where all is well.

    Nor where the database cannot be read: that is found elsewhere.
    """
    try:
        with opened(out, "so nothing is there.") as database, database.reading() as connection:
            found = [*_behind(connection, settings, out), *_shared(connection, now)]
    except StoreError:
        return
    yield from found


def _behind(connection: Connection, settings: Settings, out: Path) -> Iterator[Finding]:
    for row in articles.desks_of_articles(connection):
        desk = make_desk(row.name, row.slug, settings, row.tag)
        if is_behind(connection, desk, out):
            yield Finding(
                _CHECK,
                "error",
                f"{desk.name} is {desk.access} now, and was not when its articles were written: "
                "who may read those has not changed.",
                f"Run `dispatch rebuild --desk {desk.slug}`.",
            )


def _shared(connection: Connection, now: datetime) -> Iterator[Finding]:
    shared = feed_tokens.shared(connection, now)
    if shared:
        feeds = (
            "1 personal feed was" if len(shared) == 1 else f"{len(shared):,} personal feeds were"
        )
        yield Finding(
            _CHECK,
            "warning",
            f"In the last week, {feeds} read from {MANY_PLACES} places or more on one day, and may "
            "be shared.",
            "`dispatch subscribers feed` tells whose, and renews them.",
        )
