"""What hubs are still to be told (WebSub): questions to, and changes of, the table ``pings``.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from dispatch.store.tables import epoch, from_epoch, pings

_MOST = 1000


@dataclass(frozen=True, slots=True)
class PingRow:
    """A row of ``pings``; the columns are explained there."""

    key: int
    hub: str
    topic: str
    made: datetime
    due: datetime
    attempts: int
    reply: str | None


def add(connection: Connection, hub: str, topics: Iterable[str], now: datetime) -> None:
    """Have ``hub`` told of each topic, at once; what waits already for one is the same change."""
    for topic in topics:
        this = (pings.c.hub == hub, pings.c.topic == topic)
        known = connection.execute(select(pings.c.made).where(*this)).scalar()
        if known is None:
            connection.execute(insert(pings).values(hub=hub, topic=topic, made=now, due=now))
        else:
            # Later than before, whatever the clock says: who is telling the hub right now sees
            # that what they tell is old.
            later = max(now, from_epoch(epoch(known) + 1))
            connection.execute(
                update(pings).where(*this).values(made=later, due=now, attempts=0, reply=None)
            )


def due(connection: Connection, now: datetime) -> list[PingRow]:
    """What is to be told now, the oldest first."""
    found = connection.execute(
        select(*(pings.c[name] for name in PingRow.__slots__))
        .where(pings.c.due <= now)
        .order_by(pings.c.due, pings.c.key)
        .limit(_MOST)
    )
    return [PingRow(*row) for row in found]


def told(connection: Connection, row: PingRow) -> None:
    """The hub knows, or is given up; a change since ``row`` was read is still to be told."""
    connection.execute(delete(pings).where(*_unchanged(row)))


def put_off(connection: Connection, row: PingRow, due: datetime, attempts: int, reply: str) -> None:
    """Try it again later; a change since ``row`` was read is told when it is due itself."""
    connection.execute(
        update(pings).where(*_unchanged(row)).values(due=due, attempts=attempts, reply=reply)
    )


def waiting(connection: Connection) -> list[tuple[str, int, str | None]]:
    """The hubs that are behind: each with the number of topics and what it said last."""
    found = connection.execute(
        select(pings.c.hub, func.count(), func.max(pings.c.reply))
        .where(pings.c.attempts > 0)
        .group_by(pings.c.hub)
        .order_by(pings.c.hub)
    )
    return [(hub, count, reply) for hub, count, reply in found]


def _unchanged(row: PingRow) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pings.c.key == row.key, pings.c.made == row.made
