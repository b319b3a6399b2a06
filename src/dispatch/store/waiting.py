"""What waits to be worked off by `dispatch run`: how much, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from dispatch.store.tables import mailing_counts, mailings, pings, signups

MAIL = ("queued", "leased", "deferred", "in_doubt")
"""The states of copies that something is still to become of."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at one moment.

    Args:
        signups: that are not worked off; ``oldest_signup``: the time of the first of them.
        pings: hubs' feeds that are to be told of a change; ``oldest_ping``: when the first of
            those that were not tried yet was due.
        mail: copies in each state of :data:`MAIL`.
    """

    signups: int
    oldest_signup: datetime | None
    pings: int
    oldest_ping: datetime | None
    mail: Mapping[str, int]


def waiting(connection: Connection) -> Waiting:
    """What waits now."""
    asked, first = connection.execute(
        select(func.count(), func.min(signups.c.at)).where(signups.c.done.is_(None))
    ).one()
    due = select(func.min(pings.c.due)).where(pings.c.attempts == 0).scalar_subquery()
    changed, oldest = connection.execute(select(func.count(pings.c.key), due)).one()
    copies = connection.execute(
        select(mailing_counts.c.state, func.sum(mailing_counts.c.count))
        .join(mailings, mailings.c.edition == mailing_counts.c.edition)
        .where(mailing_counts.c.state.in_(MAIL), mailings.c.state != "cancelled")
        .group_by(mailing_counts.c.state)
    )
    counted = dict(copies.all())
    return Waiting(
        signups=asked,
        oldest_signup=first,
        pings=changed,
        oldest_ping=oldest,
        mail={state: int(counted.get(state, 0)) for state in MAIL},
    )
