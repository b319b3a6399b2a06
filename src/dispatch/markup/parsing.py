"""From HTML, hostile or not, to a tree."""

from __future__ import annotations

import re

from lxml import etree
from lxml.etree import _Element as Element

from dispatch.errors import ArticleError
from dispatch.markup.characters import printable

_MAX_ATTRIBUTES = 2_000
"""Per tag: the parser takes the square of their number."""

_DOCUMENT = re.compile(r"\s*+(?:<\?xml[^>]*+>\s*+)?<(?:!doctype|html)\b", re.IGNORECASE)
_TAG = re.compile(
    r"""<[a-zA-Z](?:[^\s/>"'=]++|[\s/]++|=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+)|["'])*+"""
)
_ENDLESS = re.compile(r"<(bgsound|embed|keygen|source|track|wbr)\b([^<>]*+)>", re.IGNORECASE)
"""Tags without an end that the parser does not know as such: what follows would stand inside."""
_ATTRIBUTE = re.compile(r"""[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+""")


def parse(html: str) -> Element:
    """The tree of an HTML document or fragment, under an ``html`` element.

    Comments are gone. No entity is expanded but those of HTML, and nothing is
    fetched. Time and memory grow with the length of ``html`` and no faster.

    Raises:
        ArticleError: it is nested too deeply, or a tag has too many attributes.
    """
    html = printable(html)
    _refuse_crowded_tags(html)
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, no_network=True, remove_comments=True, remove_pis=True
    )
    html = _ENDLESS.sub(r"<\1\2></\1>", html)
    if not _DOCUMENT.match(html):
        # In an element of its own, or the parser would make up a paragraph round loose text.
        html = f"<html><body><div>{html}</div></body></html>"
    root = _root(html, parser)
    if any(entry.level_name == "FATAL" for entry in parser.error_log):
        raise ArticleError(
            "The HTML is nested too deeply: tags are opened and never closed. "
            "Close them, or save the page anew, and try again."
        )
    return root


def _root(html: str, parser: etree.HTMLParser) -> Element:
    try:
        root = etree.fromstring(html.encode(), parser)
    except etree.XMLSyntaxError:
        root = None  # there is nothing in it
    return etree.Element("html") if root is None else root


def _refuse_crowded_tags(html: str) -> None:
    for tag in _TAG.finditer(html):
        size = tag.end() - tag.start()
        if size > _MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(tag.group())) > _MAX_ATTRIBUTES:
            raise ArticleError(
                f"The HTML tag that begins with {tag.group()[:20]!r} has more than "
                f"{_MAX_ATTRIBUTES:,} attributes. Remove it and try again."
            )
