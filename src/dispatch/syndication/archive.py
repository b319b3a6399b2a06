"""Where a feed document stands among a desk's archives (RFC 5005, 4).

A desk's feed is one *subscription document*, which changes with every article,
and *archive documents*, counted from 1, the oldest, whose sets of entries never
change. Each links to the next older one, so that a reader who follows
``prev-archive`` gets every article there ever was::

    feed.atom ──prev-archive──▶ archive/2.atom ──prev-archive──▶ archive/1.atom
        ▲                          │      ▲                          │  │
        └─────────current──────────┘      └───────next-archive───────┘  │
        └─────────current────────────────────────────────────────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.desk import Desk


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one document.

    Raises:
        ValueError: the document would stand outside the archives there are.
    """

    number: int | None
    """The archive's number; None is the subscription document."""
    newest: int
    """The number of the newest archive; 0 where there is none."""

    def __post_init__(self) -> None:
        if self.newest < 0 or (self.number is not None and not 1 <= self.number <= self.newest):
            raise ValueError(f"there is no archive document {self.number} of {self.newest}")

    @property
    def is_archive(self) -> bool:
        return self.number is not None

    def url(self, desk: Desk, form: str) -> str:
        """The document's own address; ``form`` as in :meth:`Desk.feed_url`."""
        return desk.feed_url(form) if self.number is None else desk.archive_url(self.number, form)

    def older_url(self, desk: Desk, form: str) -> str | None:
        """The address of the next older document, or None where this is the oldest."""
        older = self.newest if self.number is None else self.number - 1
        return desk.archive_url(older, form) if older else None

    def hubs(self, desk: Desk) -> tuple[str, ...]:
        """The hubs that are told when this document changes."""
        return () if self.is_archive or desk.reader is not None else desk.hubs

    def links(self, desk: Desk, form: str) -> list[tuple[str, str]]:
        """Relation and address of what this one links to, itself first.

        The hubs are those of the feed that people subscribe to (WebSub, 4): archives do not
        change, and of a personal feed no hub is told.
        """
        links = [("self", self.url(desk, form))]
        links += [("hub", hub) for hub in self.hubs(desk)]
        if self.is_archive:
            links.append(("current", desk.feed_url(form)))
        if older := self.older_url(desk, form):
            links.append(("prev-archive", older))
        if self.number is not None and self.number < self.newest:
            links.append(("next-archive", desk.archive_url(self.number + 1, form)))
        return links
