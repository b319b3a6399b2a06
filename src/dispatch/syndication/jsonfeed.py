"""A feed document as JSON Feed 1.1 (https://jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dispatch.desk import Desk
from dispatch.renditions.feed import FeedAuthor, FeedEntry
from dispatch.syndication.archive import Place
from dispatch.syndication.channel import channel


def json_feed(desk: Desk, entries: Sequence[FeedEntry], place: Place) -> bytes:
    """The document, in UTF-8; ``next_url`` leads from each document to the next older one."""
    about = channel(desk, entries)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": about.title,
        "home_page_url": about.home_url,
        "feed_url": place.url(desk, "json"),
        "description": about.description,
        "next_url": place.older_url(desk, "json"),
        "language": about.language,
        "authors": [{"name": about.publisher, "url": about.site_url}],
        "hubs": [{"type": "WebSub", "url": hub} for hub in place.hubs(desk)] or None,
        "items": [_item(entry) for entry in entries],
    }
    text = json.dumps(_stated(feed), ensure_ascii=False, indent=2)
    return f"{text}\n".encode()


def _item(entry: FeedEntry) -> dict[str, Any]:
    return _stated(
        {
            "id": entry.id,
            "url": entry.url,
            "title": entry.title,
            "summary": entry.summary,
            "content_html": entry.content_html,
            "image": entry.image,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": [_author(author) for author in entry.authors] or None,
            "tags": list(entry.categories),
            "language": entry.language,
        }
    )


def _author(author: FeedAuthor) -> dict[str, Any]:
    return _stated({"name": author.name, "url": author.url})


def _stated(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known: JSON Feed leaves that out and has no null."""
    return {name: value for name, value in facts.items() if value is not None}
