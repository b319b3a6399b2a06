"""The documents of a desk's feed, each in three forms.

``documents`` makes those that people subscribe to, ``archive_documents`` those
that keep the older articles (RFC 5005). Both are pure: the same desk and
entries give the same bytes, on any machine and in any year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.desk import Desk
from dispatch.renditions.feed import FeedEntry
from dispatch.syndication.archive import Place
from dispatch.syndication.jsonfeed import json_feed


@dataclass(frozen=True, slots=True)
class FeedDocuments:
    """One document as RSS 2.0, Atom 1.0 and JSON Feed 1.1, each in UTF-8."""

    rss: bytes
    atom: bytes
    json: bytes


def documents(desk: Desk, entries: Sequence[FeedEntry], *, archives: int = 0) -> FeedDocuments:
    """The subscription documents.

    Args:
        entries: the newest articles, newest first; they stand in this order. A
            feed without any says it was last updated at the start of 2000.
        archives: how many archive documents there are; the newest is linked to.
    """
    return _documents(desk, entries, Place(None, archives))


def archive_documents(
    desk: Desk, number: int, entries: Sequence[FeedEntry], *, newest: int
) -> FeedDocuments:
    """The archive documents ``number``, counted from 1, the oldest.

    Their set of entries may never change once they were made (RFC 5005, 4);
    that is for the caller to see to.

    Args:
        entries: its articles, newest first; they stand in this order.
        newest: the number of the newest archive document.

    Raises:
        ValueError: ``number`` is not from 1 to ``newest``.
    """
    return _documents(desk, entries, Place(number, newest))


def _documents(desk: Desk, entries: Sequence[FeedEntry], place: Place) -> FeedDocuments:
    from dispatch.syndication.xmlfeeds import rss_and_atom  # feedgen takes 50 ms to import

    rss, atom = rss_and_atom(desk, entries, place)
    return FeedDocuments(rss, atom, json_feed(desk, entries, place))
