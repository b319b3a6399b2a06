"""One run of text with inline tags, written anew from the allow-list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Literal

import nh3
from lxml.etree import _Element as Element

from dispatch.article import Html
from dispatch.markup.addresses import link
from dispatch.markup.characters import one_line, squeezed

Kind = Literal["link", "image", "embed", "element"]
Dropped = Callable[[Kind, str], None]
"""Is told what could not be kept: a link, image or embed with its address as it was written, an
element that was left out with text in it by its tag."""

INLINE_TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd",
    "mark", "q", "s", "samp", "small", "strong", "sub", "sup", "u", "var", "wbr",
})  # fmt: skip
OLD_TAGS = {"strike": "s", "tt": "code", "acronym": "abbr"}
"""Tags that HTML has given up, and what they are written as."""

_NESTABLE = frozenset({"q", "small", "sub", "sup"})
"""Tags that mean something else inside one of their own kind."""
_MAX_DEPTH = 40
"""Tags nested deeper than this are taken off their text."""
_MAX_REPEATED = 1_000_000
"""Characters of tags that are opened again in a later run: without bounds, one long link round many
paragraphs would take the square of its length."""


@dataclass(slots=True)
class Context:
    """What all lines of a document share."""

    base_url: str | None = None
    on_dropped: Dropped | None = None
    repeated: int = 0
    """Characters of tags that were opened again."""

    def drop(self, kind: Kind, given: str) -> None:
        if self.on_dropped and given.strip():
            self.on_dropped(kind, given.strip())


@dataclass(slots=True)
class _Open:
    """A tag that encloses what is written. Without ``html`` it is not written any more."""

    name: str
    html: str
    is_repeated: bool = False

    @property
    def closing(self) -> str:
        return f"</{self.name}>" if self.html else ""


class Line:
    """Writes one run of inline HTML after another, from the text and tags it is told.

    White space is collapsed and moved out of tags, a tag that holds no text is
    not written, and a run that is taken closes its tags and opens them again
    in the next one.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.parts: list[str] = []
        self.open: list[_Open] = []
        self.written = 0  # how many of the open tags are in parts
        self.entered: list[bool] = []  # for every start: whether it is in open
        # What is to stand between that and the next text:
        self.breaks = 0
        self.space = False
        self.breakable = False

    def text(self, text: str | None) -> None:
        text = squeezed(text)
        self.space |= text.startswith(" ")
        if words := text.strip(" "):
            self._write(escape(words, quote=False))
            self.space = text.endswith(" ")

    def start(self, element: Element) -> None:
        tag = OLD_TAGS.get(str(element.tag), str(element.tag))
        opening = self._opening(tag, element)
        self.entered.append(opening is not None)
        if opening is not None:
            self.open.append(_Open(tag, opening))

    def end(self) -> None:
        if not self.entered.pop():
            return
        tag = self.open.pop()
        if self.written > len(self.open):
            self.parts.append(tag.closing)
            self.written -= 1

    def line_break(self) -> None:
        """A ``<br>``, where text follows."""
        self.breaks += 1

    def block_break(self) -> None:
        """A line break, where there is none yet."""
        self.breaks = max(self.breaks, 1)

    def break_opportunity(self) -> None:
        """A ``<wbr>``, where text follows."""
        self.breakable = True

    def take(self) -> Html:
        """The run so far."""
        self.parts += [tag.closing for tag in reversed(self.open[: self.written])]
        html = "".join(self.parts)
        self.parts.clear()
        self.written = 0
        self._no_gap()
        return _second_wall(html)

    def _write(self, html: str) -> None:
        if self.parts:
            gap = " " if self.space else "<wbr>" if self.breakable else ""
            self.parts.append("<br>" * min(self.breaks, 2) or gap)
        self.parts += [self._opened(tag) for tag in self.open[self.written :]]
        self.parts.append(html)
        self.written = len(self.open)
        self._no_gap()

    def _opened(self, tag: _Open) -> str:
        if tag.is_repeated:
            self.context.repeated += len(tag.html)
            if self.context.repeated > _MAX_REPEATED:
                tag.html = ""
        tag.is_repeated = True
        return tag.html

    def _no_gap(self) -> None:
        self.breaks = 0
        self.space = self.breakable = False

    def _opening(self, tag: str, element: Element) -> str | None:
        """How the tag is written; None where it is not."""
        if len(self.open) >= _MAX_DEPTH:
            return None
        attributes = _attributes(element)
        outer = [outside.name for outside in self.open]
        if tag == "a":
            href = self._href(element)
            if href is None or "a" in outer:
                return None
            attributes = {"href": href, **attributes}
        elif not attributes and (tag == "bdo" or (tag in outer and tag not in _NESTABLE)):
            return None
        return f"<{tag}" + "".join(f' {k}="{escape(v)}"' for k, v in attributes.items()) + ">"

    def _href(self, element: Element) -> str | None:
        given = str(element.get("href", ""))
        href = link(given, self.context.base_url)
        if href is None and not given.startswith("#"):
            self.context.drop("link", given)
        return href


def _attributes(element: Element) -> dict[str, str]:
    titled = element.tag in ("a", "abbr", "acronym", "dfn")
    allowed = {
        "dir": re.fullmatch("ltr|rtl|auto", element.get("dir", ""), re.IGNORECASE),
        "lang": re.fullmatch("[A-Za-z0-9-]{2,35}", element.get("lang", "")),
        "title": titled and one_line(element.get("title")),
    }
    return {name: one_line(element.get(name)) for name, good in allowed.items() if good}


def _second_wall(html: str) -> Html:
    if "<" not in html:
        return Html(html)
    clean = nh3.clean(
        html,
        tags=set(INLINE_TAGS),
        attributes={"*": {"dir", "lang", "title"}, "a": {"href"}},
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
    )
    return Html(clean.replace("&nbsp;", "\xa0"))
