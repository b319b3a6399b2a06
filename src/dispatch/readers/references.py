"""The sources of an article, out of texts, Markdown links and mappings."""

from __future__ import annotations

import re

from dispatch.article import Source
from dispatch.markup import is_web_url
from dispatch.readers.front_matter import Value
from dispatch.readers.given import Given, folded

_KEYS = {
    "publisher": "publisher", "publication": "publisher", "site": "publisher",
    "source": "publisher", "outlet": "publisher", "organisation": "publisher",
    "organization": "publisher",
    "title": "title", "name": "title", "headline": "title", "label": "title", "text": "title",
    "url": "url", "link": "url", "href": "url",
}  # fmt: skip
_MARKDOWN_LINK = re.compile(
    r"(?P<before>[^\[\]]*)\[(?P<title>[^\[\]]+)\]\(<?(?P<url>[^()<>\s]+(?:\([^()<>\s]*\)[^()<>\s]*)?)>?\)(?P<after>[^\[\]]*)"
)
_URL_AT_END = re.compile(r"(?P<title>.*?)\s*<?(?P<url>https?://[^\s<>]+)>?", re.IGNORECASE)
_SEAMS = " ,:;|–—-"


def sources(given: Given) -> tuple[Source, ...]:
    """The sources that a field names.

    A text may be a title, a title and a URL, a Markdown link, or such a link
    with its publisher before or behind it.

    Raises:
        ArticleError: a source is neither text nor a mapping, or says nothing.
    """
    value = given.field.value
    parts = value if isinstance(value, list) else [value]
    return tuple(_source(part, given) for part in parts if part)


def _source(value: Value, given: Given) -> Source:
    if isinstance(value, dict):
        return _from_mapping(value, given)
    text = given.line(value)
    if link := _MARKDOWN_LINK.fullmatch(text):
        publisher = link["before"].strip(_SEAMS) or link["after"].strip(_SEAMS)
        return _checked(publisher, link["title"].strip(), link["url"], given)
    if found := _URL_AT_END.fullmatch(text):
        return _checked("", found["title"].strip(_SEAMS), found["url"], given)
    return Source(text)


def _from_mapping(value: dict[str, Value], given: Given) -> Source:
    known: dict[str, str] = {}
    unknown: list[str] = []
    for key, part in value.items():
        if name := _KEYS.get(folded(key)):
            known.setdefault(name, given.line(part))
        else:
            unknown.append(key)
    if unknown:
        given.note("info", f"Of a source, this was left aside: {', '.join(unknown)}.")
    if not any(known.values()):
        raise given.wrong("has a source without a title. Write it as title: … .")
    return _checked(known.get("publisher", ""), known.get("title", ""), known.get("url", ""), given)


def _checked(publisher: str, title: str, url: str, given: Given) -> Source:
    if url and not is_web_url(url):
        given.note("warning", f"The address of a source is not http(s), and was left out: {url}")
        title, url = title or url, ""
    if not title:
        title, publisher = (url, publisher) if url else (publisher, "")
    return Source(title, publisher or None, url or None)
