"""One article in all its renditions."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.article import Article, Note
from dispatch.desk import Desk
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
    """All renditions of one article; ``outbox`` maps the names of files to what they hold."""

    web: bytes
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
        web=web.render(article, desk, templates).html,
        outbox={OUTBOX[kind]: data for kind, data in outbox.items()},
        entry=feed.render(article, desk, templates),
        notes=mail.notes + copy.notes,
    )
