"""The list of suppressions, page by page, without an address in what says where a page ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from dispatch.store import subscribers as store
from dispatch.store.subscribers import SuppressedRow

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind some suppression: when it was made, and how many of that moment are known.

    Suppressions that are lifted in between move no later ones: none is passed over
    but among those of one moment.
    """

    at: datetime
    seen: int

    def __str__(self) -> str:
        return f"{(self.at - _1970) // _MICROSECOND}.{self.seen}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that ``str`` wrote: microseconds since 1970, a dot, and a number.

        Raises:
            ValueError: it is none.
        """
        microseconds, _, seen = text.partition(".")
        return cls(_1970 + int(microseconds) * _MICROSECOND, int(seen))


@dataclass(frozen=True, slots=True)
class Page:
    """Some suppressions, and where the next ones begin; None: there are no more."""

    rows: list[SuppressedRow]
    next: Place | None


def page(connection: Connection, after: Place | None, limit: int) -> Page:
    """The first ``limit`` suppressions behind a place, in the order they were made."""
    at, seen = (after.at, after.seen) if after else (None, 0)
    rows = store.suppressions_since(connection, at, seen, limit + 1)
    shown = rows[:limit]
    if len(rows) <= limit:
        return Page(shown, None)
    last = shown[-1].at
    known = sum(row.at == last for row in shown) + (seen if last == at else 0)
    return Page(shown, Place(last, known))
