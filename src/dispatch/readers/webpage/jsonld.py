"""JSON-LD in web pages: the schema.org description of the article that a page shows."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml.etree import _Element as Element

from dispatch.article import Note
from dispatch.markup import inline, inline_text, one_line
from dispatch.readers.given import folded

Thing = dict[str, Any]
"""A schema.org object."""

_NEWS = frozenset({
    "NewsArticle", "AnalysisNewsArticle", "AskPublicNewsArticle", "BackgroundNewsArticle",
    "OpinionNewsArticle", "ReportageNewsArticle", "ReviewNewsArticle", "LiveBlogPosting",
})  # fmt: skip
_ARTICLES = _NEWS | {
    "Article", "AdvertiserContentArticle", "BlogPosting", "Report", "SatiricalArticle",
    "ScholarlyArticle", "SocialMediaPosting", "TechArticle",
}  # fmt: skip
_NESTS = ("@graph", "mainEntity", "mainEntityOfPage", "hasPart")
_MAX_THINGS = 5_000


class LinkedData:
    """All that the JSON-LD of a page says; broken scripts are left aside with a note."""

    def __init__(self, root: Element, notes: list[Note]) -> None:
        self.things = list(_things(_scripts(root, notes)))
        self._by_id = {
            str(thing["@id"]): thing for thing in self.things if "@id" in thing and len(thing) > 1
        }

    def article(self, addresses: Iterable[str], headlines: Iterable[str]) -> Thing | None:
        """The article that the page is about.

        Args:
            addresses: of the page.
            headlines: that the page shows; they tell which of several articles it is.
        """
        urls = {url.rstrip("/") for url in addresses}
        shown = {folded(headline) for headline in headlines}
        best: tuple[int, Thing] | None = None
        for thing in self.things:
            kinds = _kinds(thing)
            if not kinds & _ARTICLES:
                continue
            about = {
                str(self.named(thing.get(key), "@id", "url")).rstrip("/")
                for key in ("mainEntityOfPage", "url", "@id")
            }
            points = 8 * bool(about & urls) + 4 * (folded(text(thing.get("headline"))) in shown)
            points += 2 * bool(kinds & _NEWS) + ("headline" in thing)
            if best is None or points > best[0]:
                best = (points, thing)
        return best[1] if best else None

    def resolved(self, value: Any) -> list[Any]:
        """A value as a list, references to other things followed."""
        values = value if isinstance(value, list) else [value]
        return [
            self._by_id.get(str(one.get("@id")), one) if isinstance(one, dict) else one
            for one in values
            if one not in (None, "", [])
        ]

    def named(self, value: Any, *keys: str) -> str:
        """The text of a value, or of the first of its ``keys`` where it is a thing; '' if none."""
        for one in self.resolved(value):
            if isinstance(one, str):
                return text(one)
            if isinstance(one, dict):
                return next((text(one[key]) for key in keys if text(one.get(key))), "")
        return ""

    def texts(self, value: Any) -> list[str]:
        """All texts of a value, and the names of things."""
        found = (self.named(one, "name", "headline", "@id") for one in self.resolved(value))
        return [one for one in found if one]


def text(value: Any) -> str:
    """A value as one line of plain text: some systems write entities and tags into JSON."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    plain = one_line(str(value)[:100_000])
    if re.search(r"</?[a-z]+[^<>]*>", plain):
        plain = inline_text(inline(plain)).replace("\n", " ")
    return one_line(html.unescape(plain)) if "&" in plain else plain


def _scripts(root: Element, notes: list[Note]) -> Iterator[Any]:
    for script in root.iter("script"):
        if not script.get("type", "").lower().strip().startswith("application/ld+json"):
            continue
        try:
            yield _loads(script.text or "")
        except (ValueError, RecursionError) as error:
            why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            notes.append(
                Note(
                    "info", "JSON-LD", f"A JSON-LD script cannot be read and was left aside: {why}."
                )
            )


def _loads(source: str) -> Any:
    try:
        return json.loads(source, strict=False)
    except ValueError:
        # Within the marks of a comment or a CDATA section, or with a semicolon behind it.
        within = source[source.find("{") : source.rfind("}") + 1]
        if not within or within == source:
            raise
        return json.loads(within, strict=False)


def _things(documents: Iterable[Any]) -> Iterator[Thing]:
    """Every object that may be or describe the article, in the order of the page."""
    waiting = list(documents)[::-1]
    count = 0
    while waiting and count < _MAX_THINGS:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value[::-1]
        elif isinstance(value, dict):
            count += 1
            yield value
            waiting += [value[key] for key in reversed(_NESTS) if key in value]


def _kinds(thing: Thing) -> set[str]:
    kinds = thing.get("@type")
    written = kinds if isinstance(kinds, list) else [kinds]
    return {re.split(r"[/:#]", kind)[-1] for kind in written if isinstance(kind, str)}
