"""One article in all its renditions."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dispatch import article_json
from dispatch.article import Article, Note
from dispatch.desk import Desk
from dispatch.newsroom.access import Showing, showings, with_gaps
from dispatch.renditions import email, feed, web, wire
from dispatch.renditions.templates import Templates

OUTBOX = {
    "email_html": "email.html",
    "email_text": "email.txt",
    "eml": "email.eml",
    "wire": "copy.txt",
    "wire_ascii": "copy.ascii.txt",
}
"""The renditions that are never public, and the names of their files."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """All renditions of one article.

    ``pages`` are its pages on the web by their paths below the results' folder, that of everybody
    first; ``outbox`` maps the names of files to what they hold.
    """

    pages: dict[str, bytes]
    outbox: dict[str, bytes]
    entry: feed.FeedEntry
    notes: tuple[Note, ...]


def render(article: Article, desk: Desk, templates: Templates, max_email_bytes: int) -> Rendered:
    """Every rendition of a placed article.

    Raises:
        TemplateError: a template is broken.
    """
    mail = email.render(article, desk, templates, max_bytes=max_email_bytes)
    copy = wire.render(article, desk, templates)
    outbox = {
        "email_html": mail.html,
        "email_text": mail.text,
        "eml": mail.eml,
        "wire": copy.utf8,
        "wire_ascii": copy.ascii,
    }
    return Rendered(
        pages=pages(article, desk, templates),
        outbox={OUTBOX[kind]: data for kind, data in outbox.items()},
        entry=feed.render(article, desk, templates),
        notes=mail.notes + copy.notes,
    )


def pages(article: Article, desk: Desk, templates: Templates) -> dict[str, bytes]:
    """The web pages of a placed article, for everybody and for subscribers, by their paths.

    Raises:
        TemplateError: a template is broken.
    """
    return {
        page_path(showing, article.path or ""): _page(article, desk, templates, showing)
        for showing in showings(desk)
    }


def page_path(showing: Showing, path: str) -> str:
    """Where the page of the article at ``path`` below its desk lies."""
    return f"{showing.folder}/{path}/index.html"


def _page(article: Article, desk: Desk, templates: Templates, showing: Showing) -> bytes:
    if not showing.personal:
        return web.render(article, desk, templates, teaser=not showing.in_full).html
    source = json.dumps(article_json.to_json(article), ensure_ascii=False)
    (page,) = with_gaps(desk, source, lambda own: [web.render(article, own, templates).html])
    return page
