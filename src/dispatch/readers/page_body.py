"""Where the text of an article stands in a web page, and what round it is none of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree
from lxml.etree import _Element as Element

from dispatch.markup import one_line
from dispatch.readers.given import folded

_CONTAINERS = frozenset({
    "articlebody", "articlecontent", "articletext", "blogpostcontent", "bodycopy", "bodytext",
    "contentbody", "entrybody", "entrycontent", "mainarticle", "newsbody", "newscontent",
    "pagecontent", "postbody", "postcontent", "postentry", "posttext", "richtext", "storybody",
    "storycontent", "storytext", "tdpostcontent", "wysiwyg",
})  # fmt: skip
"""Class names and ids, folded, under which systems put the text of an article."""

_BOILERPLATE_TAGS = frozenset({"aside", "button", "dialog", "footer", "form", "nav"})
_BOILERPLATE_ROLES = frozenset({
    "alertdialog", "banner", "complementary", "contentinfo", "dialog", "form", "navigation",
    "search", "toolbar",
})  # fmt: skip
_BOILERPLATE_WORDS = frozenset({
    "ad", "ads", "advert", "adverts", "advertisement", "advertising", "advertorial", "author",
    "authors", "breadcrumb", "breadcrumbs", "byline", "bylines", "comment", "comments", "consent",
    "cookie", "cookies", "disqus", "donate", "donation", "follow", "gdpr", "login", "mostread",
    "newsletter", "newsletters", "outbrain", "pagination", "paywall", "popup", "promo", "promos",
    "promotion", "readnext", "recirculation", "recommendation", "recommendations", "recommended",
    "related", "share", "sharebar", "sharing", "sidebar", "signup", "skip", "social", "sponsor",
    "sponsored", "sponsors", "sronly", "subscribe", "subscription", "taboola", "tags", "taglist",
    "teaser", "teasers", "timestamp", "toolbar", "trending", "visuallyhidden",
})  # fmt: skip
_UNSAYS = frozenset({
    "above", "after", "before", "below", "between", "disable", "has", "hide", "no", "non", "not",
    "show", "with", "without",
})  # fmt: skip
"""A word behind one of these says nothing of the element that it stands on: ``no-ads``."""

_KEPT_TAGS = frozenset({"blockquote", "figure", "img", "picture", "pre", "table", "video"})
_UNREAD_TAGS = frozenset({"script", "style", "noscript", "template", "head", "title", "svg"})
_LONG = 140
"""Characters outside of links from which on a paragraph is text, whatever its class says."""


class Page:
    """A page's tree with how much text, links aside, each element holds."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.weight = _weights(root)

    def body(self, headline: str) -> Element | None:
        """The element that the page marks as the article's text; None where it marks none."""
        articles = list(self.root.iter("article"))
        article = self._heaviest(a for a in articles if _has_heading(a, headline))
        marked = self._marked(self.root if article is None else article)
        if marked is not None:
            return marked
        if article is None:
            article = self._heaviest(articles)
        scope = article if article is not None else self._main()
        named = [e for e in self._elements(scope) if _is_named_as_container(e)]
        container = self._heaviest(named)
        if container is not None and (
            scope is None or 2 * self.weight[container] > self.weight[scope]
        ):
            return container
        return scope

    def _marked(self, scope: Element) -> Element | None:
        """What is marked as the article's body in ``scope``; all of it where that is in pieces."""
        marked = [e for e in self._elements(scope) if _is_marked(e)]
        heaviest = self._heaviest(marked)
        together = sum(
            self.weight[e] for e in marked if not any(map(_is_marked, e.iterancestors()))
        )
        if heaviest is None or 2 * self.weight[heaviest] >= together:
            return heaviest
        return next(
            around for around in marked[0].iterancestors() if self.weight[around] >= together
        )

    def densest(self) -> Element:
        """The element in which most paragraphs stand, boilerplate aside."""
        whole = next(self.root.iter("body"), self.root)
        self.clean(whole)
        points: dict[Element, int] = {}
        for paragraph in whole.iter("p", "pre", "blockquote"):
            parent = paragraph.getparent()
            if parent is not None and self.weight.get(paragraph, 0) > 0:
                points[parent] = points.get(parent, 0) + self.weight[paragraph]
        return max(points, key=lambda e: points[e], default=whole)

    def picture_above(self, body: Element) -> Element | None:
        """The figure that opens the article, where it stands before its text."""
        scope = next(body.iterancestors("article", "main"), None)
        for element in scope.iter() if scope is not None else ():
            if element is body:
                return None
            if element.tag == "figure" and next(element.iter("img"), None) is not None:
                around = element.iterancestors()
                outside = (e for e in around if e is not scope)
                return None if any(map(_is_boilerplate, outside)) else element
        return None

    def clean(self, body: Element) -> None:
        """Takes what is none of the article's text out of ``body``."""
        most = self.weight.get(body, 0) // 2
        for element in list(body.iterdescendants()):
            if element.getparent() is None or not isinstance(element.tag, str):
                continue
            # What holds most of the text is no boilerplate, whatever it is called.
            if self.weight.get(element, 0) <= most and (
                _is_hidden(element) or self._is_extra(element)
            ):
                remove(element)

    def _is_extra(self, element: Element) -> bool:
        if element.tag == "footer" and _inside(element, "blockquote", "figure"):
            return False
        if element.tag == "p" and self.weight.get(element, 0) > _LONG:
            return False
        return _is_boilerplate(element)

    def _elements(self, scope: Element | None = None) -> Iterator[Element]:
        scope = self.root if scope is None else scope
        return (element for element in scope.iter() if isinstance(element.tag, str))

    def _main(self) -> Element | None:
        mains = [e for e in self._elements() if e.tag == "main" or e.get("role") == "main"]
        return self._heaviest(mains)

    def _heaviest(self, elements: Iterable[Element]) -> Element | None:
        return max(elements, key=lambda e: self.weight.get(e, 0), default=None)


def remove(element: Element) -> None:
    """Takes an element out of its tree; the text behind it stays."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail
    if parent is None:
        return
    if tail and before is not None:
        before.tail = (before.tail or "") + tail
    elif tail:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def _weights(root: Element) -> dict[Element, int]:
    """Characters of text, links aside, in each element."""
    weights: dict[Element, int] = {}
    links = 0
    totals = [0]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        unread = element.tag in _UNREAD_TAGS or element.tag == "a"
        if event == "start":
            links += unread
            totals.append(0 if links else len(one_line(element.text)))
        else:
            links -= unread
            weights[element] = totals.pop()
            totals[-1] += weights[element] + (0 if links else len(one_line(element.tail)))
    return weights


def _is_marked(element: Element) -> bool:
    return "articlebody" in element.get("itemprop", "").lower().split()


def _is_named_as_container(element: Element) -> bool:
    names = [*element.get("class", "").split(), element.get("id", "")]
    return any(folded(name) in _CONTAINERS for name in names)


def _has_heading(article: Element, headline: str) -> bool:
    wanted = folded(headline)
    headings = article.iter("h1", "h2")
    return bool(wanted) and any(
        folded("".join(map(str, heading.itertext()))) == wanted for heading in headings
    )


def _is_hidden(element: Element) -> bool:
    style = re.sub(r"\s", "", element.get("style", "")[:1_000].lower())
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden", "").lower() == "true"
        or "display:none" in style
        or "visibility:hidden" in style
    )


def _is_boilerplate(element: Element) -> bool:
    if element.tag in _BOILERPLATE_TAGS or element.get("role", "").lower() in _BOILERPLATE_ROLES:
        return True
    if element.tag in _KEPT_TAGS or element.tag in _INLINE_TAGS:
        return False
    names = [*element.get("class", "").split(), *element.get("id", "").split()]
    return any(_names_boilerplate(name) for name in names[:30])


_INLINE_TAGS = frozenset(
    {"a", "abbr", "b", "cite", "code", "em", "i", "mark", "q", "strong", "sub", "sup"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def _names_boilerplate(name: str) -> bool:
    """Whether a class name or id begins or ends with a word for what is no text."""
    words = [word.lower() for word in _WORD.findall(name[:100])]
    if not words:
        return False
    if folded(name) in _BOILERPLATE_WORDS or words[0] in _BOILERPLATE_WORDS:
        return True
    return words[-1] in _BOILERPLATE_WORDS and not _UNSAYS & set(words)


def _inside(element: Element, *tags: str) -> bool:
    return next(element.iterancestors(*tags), None) is not None
