"""A feed document as RSS 2.0 and as Atom 1.0 (RFC 4287), assembled with feedgen.

feedgen takes the present time for every time that it is not given, and puts
new entries in front: all times are given, and the order is ``append``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import feedgen.entry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator

from dispatch.desk import Desk
from dispatch.markup import escape
from dispatch.renditions.feed import FeedEntry
from dispatch.syndication.archive import Place
from dispatch.syndication.channel import Channel, channel
from dispatch.syndication.extensions import AtomEntryExtension, PlaceExtension

_PLAIN_TEXT = re.compile(rb"<(title|category|copyright)>[^<]*")
_BY_NUMBER = ((b"&amp;", b"&#x26;"), (b"&lt;", b"&#x3C;"), (b"&gt;", b"&#x3E;"))


def rss_and_atom(desk: Desk, entries: Sequence[FeedEntry], place: Place) -> tuple[bytes, bytes]:
    """The two documents, in UTF-8; ``entries`` stand in them in the given order."""
    about = channel(desk, entries)
    feed = _feed(about)
    feed.register_extension("place", PlaceExtension)
    feed.place.stand(desk, place)
    feed.register_extension("completion", BaseExtension, AtomEntryExtension, rss=False)
    feed.load_extension("dc", atom=False)
    for entry in entries:
        _fill(feed.add_entry(order="append"), entry, about)
    return _plain_text_by_number(feed.rss_str(pretty=True)), feed.atom_str(pretty=True)


def _feed(about: Channel) -> FeedGenerator:
    feed = FeedGenerator()
    feed.id(about.id)
    feed.title(about.title)
    feed.description(about.description)
    feed.link(href=about.home_url, rel="alternate", type="text/html")
    feed.language(about.language)
    feed.author(name=about.publisher, uri=about.site_url)
    feed.rights(about.rights)
    feed.generator("Dispatch")
    feed.updated(about.updated)
    feed.pubDate(about.published)
    return feed


def _fill(item: feedgen.entry.FeedEntry, entry: FeedEntry, about: Channel) -> None:
    item.id(entry.id)
    item.title(entry.title)
    item.completion.links = item.link(href=entry.url, rel="alternate", type="text/html")
    # In this order: each of the three sets something of the others too, and the last one wins.
    # RSS takes its description for HTML, Atom takes the summary for what it says it is.
    item.summary(entry.summary, type="text")
    item.description(escape(entry.summary))
    item.content(entry.content_html, type="html")
    item.published(entry.published)
    item.updated(entry.updated)
    item.category([{"term": category} for category in entry.categories])
    item.rights(entry.rights)
    # An RSS author must be an email address, and those are not published: dc:creator names names.
    item.author([_atom_person(author.name, author.url) for author in entry.authors])
    item.dc.dc_creator([author.name for author in entry.authors])
    if entry.language != about.language:
        item.completion.language = entry.language
        item.dc.dc_language(entry.language)


def _atom_person(name: str, url: str | None) -> dict[str, str]:
    return {"name": name, "uri": url} if url else {"name": name}


def _plain_text_by_number(rss: bytes) -> bytes:
    """RSS with ``&``, ``<`` and ``>`` of its plain text as numbers.

    To XML it is the same. Feed readers that take a title for HTML show this
    form as it was meant; it is what the RSS Best Practices Profile advises.
    """
    return _PLAIN_TEXT.sub(_numbered, rss)


def _numbered(found: re.Match[bytes]) -> bytes:
    text = found[0]
    for entity, number in _BY_NUMBER:
        text = text.replace(entity, number)
    return text
