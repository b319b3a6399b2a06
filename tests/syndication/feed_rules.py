"""What a feed must hold to, by its specification and by the W3C feed validator.

``faults_of_rss`` and ``faults_of_atom`` read a document as strictly as they can
and tell each rule that it breaks; a feed without a fault passes the validator.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import html5lib
from html5lib.html5parser import ParseError
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
XML = "{http://www.w3.org/XML/1998/namespace}"

_CHANNEL = {"title", "link", "description", "language", "copyright", "docs", "generator"} | {
    "lastBuildDate", "pubDate", "item", f"{ATOM}link", f"{HISTORY}archive"
}  # fmt: skip
_ITEM = {"title", "link", "description", "guid", "pubDate", "category"} | {
    f"{CONTENT}encoded", f"{DC}creator", f"{DC}language"
}  # fmt: skip
_FEED = {"id", "title", "subtitle", "updated", "link", "author", "rights", "generator", "entry"}
_ENTRY = {"id", "title", "updated", "published", "link", "author", "summary", "content"} | {
    "category", "rights"
}  # fmt: skip

_ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "del",
        "dfn",
        "div",
        "em",
        "figcaption",
        "figure",
        "footer",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
_ATTRIBUTES = frozenset(["align", "alt", "class", "dir", "href", "lang", "src", "start", "title"])

_TAG_URI = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[\w;/?:@&=+$.!~*'(),%-]+", re.ASCII)
_WEB_URI = re.compile(r"https?://[\w.:@\[\]-]+[\w.~:/?#@!$&'()*+,;=%-]*", re.ASCII)
_RFC_822 = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")


def parse(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def links(parent: etree._Element) -> dict[str, str]:
    """The addresses of a document's Atom links by relation; no relation may come twice."""
    found = [(link.get("rel"), link.get("href")) for link in parent.findall(f"{ATOM}link")]
    assert len(dict(found)) == len(found), found
    return dict(found)


# RSS 2.0 -----------------------------------------------------------------------------------------


def faults_of_rss(data: bytes, url: str) -> list[str]:
    """The rules that the RSS document at ``url`` breaks."""
    rss = parse(data)
    if (
        rss.tag != "rss"
        or rss.get("version") != "2.0"
        or [child.tag for child in rss] != ["channel"]
    ):
        return ["it is not RSS 2.0 with one channel"]
    return list(_channel_faults(rss[0], url))


def _channel_faults(channel: etree._Element, url: str) -> Iterator[str]:
    tags = [child.tag for child in channel]
    yield from _counts(channel, "channel", _CHANNEL, {"item", f"{ATOM}link"})
    for required in ("title", "link", "description", "language", "lastBuildDate"):
        yield from _required(channel, required)
    if "item" in tags and set(tags[tags.index("item") :]) != {"item"}:
        yield "channel: an element stands after an item"
    yield from _self_link(channel, url, "application/rss+xml")
    for date in channel.iter("lastBuildDate", "pubDate"):
        yield from _rfc_822(date.text or "")
    yield from _matches(_WEB_URI, channel.findtext("link"), "channel: link")
    yield from _unique((item.findtext("guid") for item in channel.iter("item")), "guid")
    for item in channel.iter("item"):
        yield from _item_faults(item)


def _item_faults(item: etree._Element) -> Iterator[str]:
    tags = [child.tag for child in item]
    yield from _counts(item, "item", _ITEM, {"category", f"{DC}creator"})
    for required in ("title", "link", "description", f"{CONTENT}encoded", "guid", "pubDate"):
        yield from _required(item, required)
    if tags.index("description") > tags.index(f"{CONTENT}encoded"):
        yield "item: the description stands after the content"
    guid = item.find("guid")
    if guid is not None and guid.get("isPermaLink") != "false":
        yield "guid: a tag: URI is no permanent link"
    yield from _matches(_TAG_URI, item.findtext("guid"), "guid")
    yield from _matches(_WEB_URI, item.findtext("link"), "item: link")
    yield from _unique((category.text for category in item.iter("category")), "category")
    for text in item.iter("category", f"{DC}creator"):
        if not (text.text or "").strip():
            yield f"item: {text.tag} is empty"
    yield from html_faults(item.findtext("description") or "")
    yield from html_faults(item.findtext(f"{CONTENT}encoded") or "")


def _rfc_822(date: str) -> Iterator[str]:
    if not _RFC_822.fullmatch(date):
        yield f"date: {date} is not as RFC 822 has it"
    elif parsedate_to_datetime(date).strftime("%a") != date[:3]:
        yield f"date: {date} is another day of the week"


# Atom 1.0 ----------------------------------------------------------------------------------------


def faults_of_atom(data: bytes, url: str) -> list[str]:
    """The rules that the Atom document at ``url`` breaks."""
    feed = parse(data)
    return list(_feed_faults(feed, url)) if feed.tag == f"{ATOM}feed" else ["it is not Atom 1.0"]


def _feed_faults(feed: etree._Element, url: str) -> Iterator[str]:
    tags = [child.tag for child in feed]
    known = {f"{ATOM}{name}" for name in _FEED} | {f"{HISTORY}archive"}
    yield from _counts(
        feed, "feed", known, {f"{ATOM}{name}" for name in ("entry", "link", "author")}
    )
    for required in ("id", "title", "updated", "author"):
        yield from _required(feed, f"{ATOM}{required}")
    if f"{ATOM}entry" in tags and set(tags[tags.index(f"{ATOM}entry") :]) != {f"{ATOM}entry"}:
        yield "feed: an element stands after an entry"
    if not feed.get(f"{XML}lang"):
        yield "feed: it has no xml:lang"
    yield from _self_link(feed, url, "application/atom+xml")
    yield from _matches(_TAG_URI, feed.findtext(f"{ATOM}id"), "feed: id")
    entries = feed.findall(f"{ATOM}entry")
    yield from _unique((entry.findtext(f"{ATOM}id") for entry in entries), "entry: id")
    for date in feed.iter(f"{ATOM}updated", f"{ATOM}published"):
        yield from _rfc_3339(date.text or "")
    for entry in entries:
        yield from _entry_faults(entry)


def _entry_faults(entry: etree._Element) -> Iterator[str]:
    known = {f"{ATOM}{name}" for name in _ENTRY}
    many = {f"{ATOM}{name}" for name in ("author", "category", "link")}
    yield from _counts(entry, "entry", known, many)
    for required in ("id", "title", "updated", "published", "summary", "content", "link"):
        yield from _required(entry, f"{ATOM}{required}")
    yield from _matches(_TAG_URI, entry.findtext(f"{ATOM}id"), "entry: id")
    for link in entry.findall(f"{ATOM}link"):
        if (link.get("rel"), link.get("type")) != ("alternate", "text/html"):
            yield f"entry: its link is {dict(link.attrib)}"
        yield from _matches(_WEB_URI, link.get("href"), "entry: link")
    for author in entry.findall(f"{ATOM}author"):
        yield from _required(author, f"{ATOM}name")
        if author.find(f"{ATOM}uri") is not None:
            yield from _matches(_WEB_URI, author.findtext(f"{ATOM}uri"), "author: uri")
    yield from _unique((term.get("term") for term in entry.iter(f"{ATOM}category")), "category")
    types = [entry.find(f"{ATOM}{name}").get("type") for name in ("summary", "content")]
    if types != ["text", "html"]:
        yield f"entry: summary and content are {types}"
    yield from html_faults(entry.findtext(f"{ATOM}content") or "")


def _rfc_3339(date: str) -> Iterator[str]:
    if not _RFC_3339.fullmatch(date) or datetime.fromisoformat(date).tzinfo is None:
        yield f"date: {date} is not as RFC 3339 has it"


# Both --------------------------------------------------------------------------------------------


def html_faults(html: str) -> Iterator[str]:
    """What is wrong with a piece of content: incorrect, unsafe, or with a relative address."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    try:
        fragment = parser.parseFragment(html)
    except ParseError as error:
        yield f"html: {error}"
        return
    for element in list(fragment.iter())[1:]:
        if element.tag not in _ELEMENTS or not set(element.attrib) <= _ATTRIBUTES:
            yield f"html: <{element.tag} {dict(element.attrib)}>"
        for name in {"href", "src"} & set(element.attrib):
            if not element.attrib[name].startswith(("https://", "http://", "mailto:", "tel:")):
                yield f"html: {element.attrib[name]} is not absolute"


def _counts(
    parent: etree._Element, name: str, known: Iterable[str], repeated: Iterable[str]
) -> Iterator[str]:
    for tag, count in Counter(child.tag for child in parent).items():
        if tag not in known:
            yield f"{name}: {tag} does not belong here"
        elif count > 1 and tag not in repeated:
            yield f"{name}: {tag} stands {count} times"


def _required(parent: etree._Element, tag: str) -> Iterator[str]:
    found = parent.find(tag)
    if found is None or not ((found.text or "").strip() or len(found) or found.attrib):
        yield f"{parent.tag}: {tag} is missing or empty"


def _self_link(parent: etree._Element, url: str, media_type: str) -> Iterator[str]:
    found = parent.findall(f"{ATOM}link")
    # Of hubs there may be several (WebSub, 4).
    relations = Counter(link.get("rel") for link in found if link.get("rel") != "hub")
    if max(relations.values(), default=0) > 1:
        yield f"links: a relation comes twice: {dict(relations)}"
    own = [(link.get("href"), link.get("type")) for link in found if link.get("rel") == "self"]
    if own != [(url, media_type)]:
        yield f"links: self is {own}"
    for link in found:
        yield from _matches(_WEB_URI, link.get("href"), "link")


def _matches(pattern: re.Pattern[str], value: str | None, what: str) -> Iterator[str]:
    if not pattern.fullmatch(value or ""):
        yield f"{what}: {value!r}"


def _unique(values: Iterable[str | None], what: str) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{what}: {value} comes {count} times"
