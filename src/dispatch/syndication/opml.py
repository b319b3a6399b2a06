"""The list of a newsroom's feeds as OPML 2.0, for feed readers that take them all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from dispatch.markup import one_line


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed. Texts may be anything, addresses are absolute."""

    title: str
    feed_url: str
    """Of its RSS form. A reader subscribes to every outline: there is one for each desk, in the
    form that all of them know, and each page of a desk names the others."""
    page_url: str
    language: str
    """BCP 47."""


def opml(title: str, owner: str, owner_url: str, outlines: Iterable[Outline]) -> bytes:
    """The document, in UTF-8."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "<head>",
        f"<title>{escape(one_line(title), quote=False)}</title>",
        f"<ownerName>{escape(one_line(owner), quote=False)}</ownerName>",
        f"<ownerId>{escape(owner_url, quote=False)}</ownerId>",
        "<docs>http://opml.org/spec2.opml</docs>",
        "</head>",
        "<body>",
        *map(_outline, outlines),
        "</body>",
        "</opml>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _outline(outline: Outline) -> str:
    title = one_line(outline.title) or outline.page_url  # the specification asks for a text
    facts = {
        "type": "rss",
        "text": title,
        "title": title,
        "xmlUrl": outline.feed_url,
        "htmlUrl": outline.page_url,
        "language": outline.language,
        "version": "RSS2",
    }
    attributes = " ".join(f'{name}="{escape(fact)}"' for name, fact in facts.items())
    return f"<outline {attributes}/>"
