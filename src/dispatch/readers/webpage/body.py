"""Where the text of an article stands in a web page, and what round it is none of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator

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
    "related", "relatedposts", "respond", "share", "sharebar", "sharedaddy", "sharing", "sidebar",
    "signup", "skip", "social", "sponsor", "sponsored", "sponsors", "sronly", "subscribe",
    "subscription", "taboola", "tags", "taglist", "teaser", "teasers", "timestamp", "toolbar",
    "trending", "visuallyhidden",
})  # fmt: skip
COMMENT_WORDS = frozenset({"comment", "comments", "disqus", "respond"})
_UNSAYS = frozenset({
    "above", "after", "before", "below", "between", "disable", "has", "hide", "no", "non", "not",
    "open", "show", "with", "without",
})  # fmt: skip
"""With one of these, a name says nothing of the element it stands on: ``no-ads``."""

_INLINE_TAGS = frozenset({
    "a", "abbr", "b", "cite", "code", "em", "i", "mark", "q", "strong", "sub", "sup",
})  # fmt: skip
_KEPT_TAGS = frozenset({"blockquote", "figure", "img", "picture", "pre", "table", "video"})
_PARAGRAPH_TAGS = frozenset({"blockquote", "p", "pre"})
_TEXT_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "td", "th"})
_UNREAD_TAGS = frozenset({"script", "style", "noscript", "template", "head", "title", "svg"})
DROPPED = "template"
"""What an element is renamed to that is to be left out: ``markup`` leaves these out as they are."""
_LONG = 100
"""Characters outside of links from which on a paragraph is text, whatever its class says."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


class Page:
    """A page's tree with how much text, links aside, each element holds."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.weight = _weights(root)

    def body(self, headline: str) -> Element | None:
        """The element that the page marks as the article's text; None where it marks none."""
        article = self._text_in(_articles_headed(self.root, headline))
        marked = self._marked(self.root if article is None else article)
        if marked is not None:
            return marked
        if article is None:
            article = self._text_in(self.root.iter("article"))
        scope = self._heaviest(outermost(self.root, _is_main)) if article is None else article
        within = self.root if scope is None else scope
        container = self._heaviest(filter(_is_named_as_container, within.iter(etree.Element)))
        if container is None or scope is None:
            return scope if container is None else container
        return container if 2 * self.weight[container] >= self.weight[scope] else scope

    def _text_in(self, articles: Iterable[Element]) -> Element | None:
        """The heaviest, unless it holds next to nothing of the page's text."""
        found = self._heaviest(articles)
        if found is None or 10 * self.weight[found] < self.weight[self.root]:
            return None
        return found

    def _marked(self, scope: Element) -> Element | None:
        """What is marked as the article's body in ``scope``; all of it where that is in pieces."""
        marked = list(outermost(scope, _is_marked))
        heaviest = self._heaviest(marked)
        together = sum(self.weight[element] for element in marked)
        if heaviest is None or 2 * self.weight[heaviest] >= together:
            return heaviest
        around = marked[0].iterancestors()
        return next(element for element in around if self.weight[element] >= together)

    def densest(self) -> tuple[Element, bool]:
        """The element in which most paragraphs stand; whether they stand side by side there."""
        whole = next(self.root.iter("body"), self.root)
        self.clean(whole)
        inside: dict[Element, int] = {}
        for element in shown(whole):
            parent = element.getparent()
            if element.tag in _PARAGRAPH_TAGS and parent is not None:
                inside[parent] = inside.get(parent, 0) + self.weight[element]
        best = max(inside, key=lambda element: inside[element], default=whole)
        within = _sums(whole, inside)
        found = best
        while found is not whole and within[found] < 0.6 * within[whole]:
            found = found.getparent()  # type: ignore[assignment]
        return found, found is best

    def picture_above(self, body: Element) -> Element | None:
        """The figure that opens the article, where it stands before its text."""
        scope = next(body.iterancestors("article", "main"), None)
        around = set(body.iterancestors())
        for element in shown(scope) if scope is not None else ():
            if element is body:
                return None
            if element.tag == "img":
                near = itertools.islice(element.iterancestors(), 6)
                figure = next((e for e in near if e.tag == "figure"), None)
                if figure is not None:
                    return figure
            elif element not in around and _is_boilerplate(element):
                element.tag = DROPPED
        return None

    def clean(self, body: Element) -> None:
        """Takes what is none of the article's text out of ``body``."""
        most = self.weight[body] // 2
        start = next((p for p in body.iter("p") if self.weight[p] > _LONG), body)
        beginning = {start, *start.iterancestors()}
        for element in shown(body):
            if element is body:
                continue
            # What holds most of the text is no boilerplate, whatever it is called: a page that
            # was saved with its cookie banner open is hidden as a whole.
            is_extra = (
                _is_hidden(element) or self._is_extra(element)
                if self.weight[element] <= most
                else element not in beginning and is_named(element, COMMENT_WORDS)
            )
            if is_extra:
                element.tag = DROPPED

    def _is_extra(self, element: Element) -> bool:
        parent = element.getparent()
        around = "" if parent is None else parent.tag
        if (element.tag == "footer" and around in _KEPT_TAGS) or (
            element.tag == "span" and around in _TEXT_TAGS
        ):
            return False
        if element.tag == "p" and self.weight[element] > _LONG:
            return False
        return _is_boilerplate(element)

    def _heaviest(self, elements: Iterable[Element]) -> Element | None:
        return max(elements, key=lambda element: self.weight[element], default=None)


def shown(scope: Element) -> Iterator[Element]:
    """``scope`` and the elements in it, without those that are dropped and what is in them."""
    walker = etree.iterwalk(scope, events=("start",))
    for _, element in walker:
        if element.tag not in _UNREAD_TAGS:
            yield element
        if element.tag in _UNREAD_TAGS:  # it may have been dropped by now
            walker.skip_subtree()


def outermost(scope: Element, is_wanted: Callable[[Element], bool]) -> Iterator[Element]:
    """The wanted elements that are in no other wanted one."""
    walker = etree.iterwalk(scope, events=("start",))
    for _, element in walker:
        if is_wanted(element):
            yield element
            walker.skip_subtree()


def text_of(element: Element) -> str:
    """All text inside an element, on one line."""
    return one_line("".join(map(str, element.itertext())))


def _sums(root: Element, own: dict[Element, int]) -> dict[Element, int]:
    """Of each element, its own number and those of all in it."""
    sums: dict[Element, int] = {}
    totals = [0]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            totals.append(own.get(element, 0))
        else:
            sums[element] = totals.pop()
            totals[-1] += sums[element]
    return sums


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


def _is_main(element: Element) -> bool:
    return element.tag == "main" or element.get("role") == "main"


def _articles_headed(root: Element, headline: str) -> Iterator[Element]:
    """The article elements in which the headline stands."""
    wanted = folded(headline)
    for heading in outermost(root, lambda element: element.tag in ("h1", "h2")):
        if folded(text_of(heading)) == wanted:
            yield from itertools.islice(heading.iterancestors("article"), 1)


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
    return is_named(element, _BOILERPLATE_WORDS)


def is_named(element: Element, words: frozenset[str]) -> bool:
    """Whether a class name or the id of ``element`` has one of ``words`` in it."""
    names = [*element.get("class", "").split(), *element.get("id", "").split()]
    for name in names[:30]:
        parts = {part.lower() for part in _WORD.findall(name[:100])}
        if (parts & words or folded(name) in words) and not parts & _UNSAYS:
            return True
    return False
