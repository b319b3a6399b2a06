"""Which articles stand in which of a desk's feed documents, and writing them.

The subscription feed holds the newest 50 articles by their time of publication.
An archive document (RFC 5005) is made as soon as an article drops out of those
50: it takes the oldest articles that stand in no archive yet, at most 50. Its
set of articles never changes after that, and every public article stands in
the feed or in an archive, whatever order they were published in.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.renditions import web
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
) -> None:
    """Write the desk's archives that changed, its index page and its feeds, in this order.

    An archive is a page too, so that every article can be reached from the index.

    Args:
        touched: the archive documents that hold an article of this run.
    """
    newest = store.newest_entries(connection, desk.slug, ENTRIES)
    touched = touched | _close_archives(connection, desk.slug, {key for key, _ in newest})
    archives = store.archives(connection, desk.slug)
    folder = f"public/{desk.slug}"
    for number in sorted(touched):
        stored = store.archived_entries(connection, desk.slug, number)
        entries = [_entry(text) for text in stored]
        documents = feeds.archive_documents(desk, number, entries, newest=archives)
        for form in FORMS:
            release.write(f"{folder}/archive/{number}.{form}", getattr(documents, form))
        page = web.render_index(
            desk,
            [_index_entry(entry) for entry in entries],
            templates,
            older=_page_url(desk, number - 1),
            newer=_page_url(desk, number + 1) if number < archives else desk.index_url,
        )
        release.write(f"{folder}/archive/{number}.html", page.html)
    entries = [_entry(text) for _, text in newest]
    index = web.render_index(
        desk,
        [_index_entry(entry) for entry in entries],
        templates,
        older=_page_url(desk, archives),
    )
    release.write(f"{folder}/index.html", index.html)
    documents = feeds.documents(desk, entries, archives=archives)
    for form in FORMS:
        release.write(f"{folder}/feed.{form}", getattr(documents, form))


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


def _index_entry(entry: FeedEntry) -> web.IndexEntry:
    return web.IndexEntry(
        headline=entry.title,
        standfirst=entry.summary,
        url=entry.url,
        byline=tuple(author.name for author in entry.authors),
        published=entry.published,
        image=entry.image,
        language=entry.language,
    )
