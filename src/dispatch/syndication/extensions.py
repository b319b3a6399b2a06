"""What feedgen lacks, as extensions of it.

* The links between the documents of a feed and to its hubs (WebSub), and the
  archive's mark (RFC 5005), in Atom and in RSS.
* The attributes of an Atom entry's link, which feedgen drops, and the entry's
  ``xml:lang``.

feedgen writes Atom elements without a namespace and leaves that to the
``xmlns`` attribute of the root; so does this.
"""

from __future__ import annotations

from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml.etree import SubElement

from dispatch.desk import Desk
from dispatch.syndication.archive import Place

MEDIA_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}

_ATOM = "http://www.w3.org/2005/Atom"
_HISTORY = "http://purl.org/syndication/history/1.0"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class PlaceExtension(BaseExtension):  # type: ignore[misc]
    """Links a document to itself and to its neighbours; ``stand`` says where it stands."""

    def __init__(self) -> None:
        self._desk: Desk | None = None
        self._place: Place | None = None

    def stand(self, desk: Desk, place: Place) -> None:
        self._desk, self._place = desk, place

    def extend_ns(self) -> dict[str, str]:
        return {"fh": _HISTORY} if self._place and self._place.is_archive else {}

    def extend_atom(self, feed: Any) -> Any:
        self._link(feed, "link", "atom")
        return feed

    def extend_rss(self, feed: Any) -> Any:
        self._link(feed.find("channel"), f"{{{_ATOM}}}link", "rss")
        return feed

    def _link(self, parent: Any, tag: str, form: str) -> None:
        assert self._desk and self._place
        for rel, href in self._place.links(self._desk, form):
            link = SubElement(parent, tag, rel=rel, href=href)
            if rel != "hub":
                link.set("type", MEDIA_TYPES[form])
        if self._place.is_archive:
            SubElement(parent, f"{{{_HISTORY}}}archive")


class AtomEntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """Completes an Atom entry: ``links`` as given to feedgen, ``language`` a BCP 47 tag."""

    def __init__(self) -> None:
        self.links: list[dict[str, str]] = []
        self.language: str | None = None

    def extend_atom(self, entry: Any) -> Any:
        for element, link in zip(entry.iterfind("link"), self.links, strict=True):
            element.attrib.update(link)
        if self.language:
            entry.set(_XML_LANG, self.language)
        return entry
