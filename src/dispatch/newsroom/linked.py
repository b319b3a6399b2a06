"""Whom the link in a copy leads to: a person, and how they stand with each desk.

Whoever has the link acts for the person that the copy was sent to: it came to
their mailbox. So it does what its owner could do anyway, and nothing that needs
more than that: nobody confirms an address with it who was asked to confirm and has
not, and whoever a desk keeps out stays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.errors import AudienceError
from dispatch.newsroom import published
from dispatch.newsroom.desks import known_desk
from dispatch.settings import Settings
from dispatch.store import bounces as copies
from dispatch.store import subscribers as store
from dispatch.store.subscribers import SubscriberRow

Standing = Literal["reads", "waits", "may_join", "signs_up", "asks"]
"""How a person stands with a desk: they read it; they were asked to confirm and have not; they may
join it with one click; they would have to sign up and confirm their address; they would have to ask
the desk, which is private or does not mail them."""


class UnknownLinkError(AudienceError):
    """There is no such copy of that desk."""


class ForgottenError(AudienceError):
    """The copy is nobody's any more: its reader was forgotten, or it was a test."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a copy.

    Args:
        copy: the recipient's key, which its token names.
        desk: the slug of the desk in it.
    """

    copy: int
    desk: str


@dataclass(frozen=True, slots=True)
class Reader:
    """The person whom a link leads to.

    Args:
        edition: whose copy the link stood in.
        row: they as a subscriber of the desk in the link.
        rows: the same at every desk, that one among them.
    """

    edition: int
    row: SubscriberRow
    rows: Sequence[SubscriberRow]

    def at(self, desk: str) -> SubscriberRow | None:
        """They as a subscriber of a desk."""
        return next((row for row in self.rows if row.desk == desk), None)


@dataclass(frozen=True, slots=True)
class Place:
    """A desk as a person finds it.

    Args:
        frequency: how often they get it, or would.
        paused_until: None where nothing is paused at the moment.
    """

    desk: Desk
    standing: Standing
    frequency: str
    paused_until: datetime | None


def reader(connection: Connection, link: Link) -> Reader:
    """Whom a link leads to.

    Raises:
        UnknownLinkError: it leads nowhere.
        ForgottenError: it leads to nobody any more.
    """
    copy = copies.copy(connection, link.copy)
    if copy is None or copy.desk != link.desk:
        raise UnknownLinkError("This link is not one of this desk.")
    row = store.subscriber(connection, copy.subscriber) if copy.subscriber else None
    if row is None:
        raise ForgottenError("This link is nobody's any more.")
    rows = store.of_person(connection, row.address_key)
    return Reader(copy.edition, row, rows)


def places(
    connection: Connection, person: Reader, settings: Settings, now: datetime
) -> list[Place]:
    """The desks that a person is shown: the one of their link first, then by name.

    Private desks are only shown to those who read them, and that of the link always.
    """
    names = published.desks(connection)
    confirmed = _has_confirmed(connection, person)
    found = []
    for slug in names:
        desk = known_desk(connection, slug, settings)
        if desk is None:
            continue
        row = person.at(slug)
        reads = row is not None and row.state == "active"
        if reads or desk.access != "private" or slug == person.row.desk:
            standing = _standing(connection, person, desk, confirmed=confirmed)
            frequency = row.frequency if row else "each"
            paused = row.paused_until if row else None
            if paused is not None and paused <= now:
                paused = None
            found.append(Place(desk, standing, frequency, paused))
    return sorted(found, key=lambda p: (p.desk.slug != person.row.desk, p.desk.name.casefold()))


def standing(connection: Connection, person: Reader, desk: Desk) -> Standing:
    """How a person stands with a desk."""
    confirmed = _has_confirmed(connection, person)
    return _standing(connection, person, desk, confirmed=confirmed)


def _standing(connection: Connection, person: Reader, desk: Desk, *, confirmed: bool) -> Standing:
    row = person.at(desk.slug)
    if row is not None and row.state == "active":
        return "reads"
    if row is not None and row.state == "pending":
        return "waits"
    key = person.row.address_key
    if desk.access == "private" or store.suppressed(connection, desk.slug, [key]):
        return "asks"
    return "may_join" if confirmed else "signs_up"


def _has_confirmed(connection: Connection, person: Reader) -> bool:
    """Whether they were ever a reader of any desk: then the address is known to be theirs."""
    if any(row.state == "active" for row in person.rows):
        return True
    moves = [move for row in person.rows for move in store.moves_of(connection, row.key)]
    return any("active" in (move.before, move.after) for move in moves)
