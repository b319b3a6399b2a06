"""Which articles stand in which of a desk's feed documents, and writing them.

There is a set of them for everybody, one for subscribers, or both
(:mod:`dispatch.newsroom.access`).

The subscription feed holds the newest 50 articles by their time of publication.
An archive document (RFC 5005) is made as soon as an article drops out of those
50: it takes the oldest articles that stand in no archive yet, at most 50. Its
set of articles never changes after that, and every public article stands in
the feed or in an archive, whatever order they were published in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.newsroom.access import Showing, showings, with_gaps
from dispatch.renditions import feed, web
from dispatch.renditions.feed import FORMS, FeedEntry
from dispatch.renditions.templates import Templates
from dispatch.store import articles as store
from dispatch.syndication import feeds
from dispatch.syndication.release import Files

ENTRIES = 50


def release_feeds(
    connection: Connection,
    release: Files,
    desk: Desk,
    templates: Templates,
    touched: set[int],
) -> list[str]:
    """Write the desk's archives that changed, its index page and its feeds, in this order.

    An archive is a page too, so that every article can be reached from the index.

    Args:
        touched: the archive documents that hold an article of this run.

    Returns:
        The addresses of the feeds that have changed and that everybody may read.
    """
    newest = store.newest_entries(connection, desk.slug, ENTRIES)
    touched = touched | _close_archives(connection, desk.slug, {key for key, _ in newest})
    archives = store.archives(connection, desk.slug)
    changed: list[str] = []
    for number in sorted(touched):
        entries = [_entry(text) for text in store.archived_entries(connection, desk.slug, number)]
        for showing in showings(desk):
            for name, data in _archive(desk, number, entries, archives, templates, showing):
                release.write(f"{showing.folder}/archive/{name}", data)
    entries = [_entry(text) for _, text in newest]
    for showing in showings(desk):
        for name, data in _current(desk, entries, archives, templates, showing):
            is_new = release.write(f"{showing.folder}/{name}", data)
            if is_new and name.startswith("feed.") and not showing.personal:
                changed.append(f"{desk.index_url}{name}")
    return changed


_Named = list[tuple[str, bytes]]
"""Files: the name of each, and what it holds."""


def _archive(
    desk: Desk,
    number: int,
    entries: Sequence[FeedEntry],
    archives: int,
    templates: Templates,
    showing: Showing,
) -> _Named:
    """The documents of one archive, and its page."""

    def write(own: Desk) -> list[bytes]:
        shown = [_shown(entry, own, templates, showing) for entry in entries]
        documents = feeds.archive_documents(own, number, shown, newest=archives)
        page = web.render_index(
            own,
            [web.IndexEntry.of(entry) for entry in shown],
            templates,
            older=_page_url(own, number - 1),
            newer=_page_url(own, number + 1) if number < archives else own.index_url,
        )
        return [*(getattr(documents, form) for form in FORMS), page.html]

    names = [f"{number}.{form}" for form in (*FORMS, "html")]
    return list(zip(names, _written(desk, entries, write, showing), strict=True))


def _current(
    desk: Desk,
    entries: Sequence[FeedEntry],
    archives: int,
    templates: Templates,
    showing: Showing,
) -> _Named:
    """The index page, and the documents that people subscribe to."""

    def write(own: Desk) -> list[bytes]:
        shown = [_shown(entry, own, templates, showing) for entry in entries]
        older = _page_url(own, archives)
        index = web.render_index(
            own, [web.IndexEntry.of(entry) for entry in shown], templates, older=older
        )
        documents = feeds.documents(own, shown, archives=archives)
        return [index.html, *(getattr(documents, form) for form in FORMS)]

    names = ["index.html", *(f"feed.{form}" for form in FORMS)]
    return list(zip(names, _written(desk, entries, write, showing), strict=True))


def _written(
    desk: Desk,
    entries: Sequence[FeedEntry],
    write: Callable[[Desk], list[bytes]],
    showing: Showing,
) -> list[bytes]:
    if not showing.personal:
        return write(desk)
    source = json.dumps([entry.to_json() for entry in entries], ensure_ascii=False)
    return with_gaps(desk, source, write)


def _shown(entry: FeedEntry, own: Desk, templates: Templates, showing: Showing) -> FeedEntry:
    if showing.personal:
        return feed.for_reader(entry, own)
    return entry if showing.in_full else feed.teaser(entry, own, templates)


def _close_archives(connection: Connection, desk: str, newest: set[int]) -> set[int]:
    """Archive what dropped out of the newest; returns the documents to write."""
    loose = store.unarchived(connection, desk)
    changed: set[int] = set()
    while any(key not in newest for key in loose):
        number = store.close_archive(connection, desk, loose[:ENTRIES])
        changed |= {number - 1, number} - {0}  # the one before now has a next
        loose = loose[ENTRIES:]
    return changed


def _page_url(desk: Desk, number: int) -> str | None:
    return desk.archive_url(number, "html") if number > 0 else None


def _entry(text: str) -> FeedEntry:
    return FeedEntry.from_json(json.loads(text))
