"""Sitemaps (sitemaps.org, protocol 0.9), and the news sitemap that Google asks news sites for.

All are pure: the same addresses and times give the same bytes. What stands in
which of them is for the newsroom to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from dispatch.markup import one_line, printable

URLS = 2_000
"""Addresses in one sitemap. The protocol lets in 50,000 and 50 MB; but a sitemap is written anew
with every article that stands in it."""
SITEMAPS = 50_000
"""Sitemaps in one index, as the protocol has it."""
NEWS = 1_000
"""Articles in a news sitemap, as Google has it."""
LONGEST = 2_048
"""Characters of an address, as the protocol has it, less one: a longer one is left out."""

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Url:
    """A page, or a sitemap, and when it last changed, where that is known; aware."""

    address: str
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class News:
    """An article of the last two days."""

    address: str
    publication: str
    """The name of the newspaper."""
    language: str
    """BCP 47."""
    published: datetime
    """Aware."""
    title: str


def sitemap(urls: Iterable[Url]) -> bytes:
    """A sitemap; of more than :data:`URLS` there have to be several."""
    return _document("urlset", {"": _SITEMAP}, (_located("url", url) for url in urls))


def index(sitemaps: Sequence[Url]) -> list[bytes]:
    """What lists sitemaps: one document, or several where there are too many for one."""
    parts = [sitemaps[n : n + SITEMAPS] for n in range(0, len(sitemaps), SITEMAPS)] or [[]]
    return [
        _document("sitemapindex", {"": _SITEMAP}, (_located("sitemap", url) for url in part))
        for part in parts
    ]


def news_sitemap(articles: Iterable[News]) -> bytes:
    """The news sitemap; the caller gives at most :data:`NEWS`, none older than two days."""
    return _document("urlset", {"": _SITEMAP, ":news": _NEWS}, map(_news, articles))


def _document(root: str, spaces: dict[str, str], elements: Iterable[str]) -> bytes:
    declared = "".join(f' xmlns{prefix}="{uri}"' for prefix, uri in spaces.items())
    body = "".join(elements)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{declared}>\n{body}</{root}>\n'.encode()


def _located(name: str, url: Url) -> str:
    if len(url.address) >= LONGEST:
        return ""
    changed = f"<lastmod>{_time(url.updated)}</lastmod>" if url.updated else ""
    return f"<{name}><loc>{_text(url.address)}</loc>{changed}</{name}>\n"


def _news(article: News) -> str:
    if len(article.address) >= LONGEST:
        return ""
    return (
        f"<url><loc>{_text(article.address)}</loc><news:news><news:publication>"
        f"<news:name>{_text(one_line(article.publication))}</news:name>"
        f"<news:language>{news_language(article.language)}</news:language></news:publication>"
        f"<news:publication_date>{_time(article.published)}</news:publication_date>"
        f"<news:title>{_text(one_line(article.title))}</news:title></news:news></url>\n"
    )


def news_language(tag: str) -> str:
    """A language as a news sitemap names it: ISO 639, but for the two ways of writing Chinese."""
    language, *rest = tag.lower().replace("_", "-").split("-")
    if language == "zh":
        return "zh-tw" if {"hant", "tw", "hk", "mo"} & set(rest) else "zh-cn"
    return language if _LANGUAGE.fullmatch(language) else "und"


def _time(time: datetime) -> str:
    """W3C's form of ISO 8601, to the second."""
    return time.isoformat(timespec="seconds")


def _text(text: str) -> str:
    return escape(printable(text), quote=False)
