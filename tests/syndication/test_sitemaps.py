"""Sitemaps, the news sitemap and robots.txt, by their specifications."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dispatch.markup import one_line
from dispatch.syndication import sitemaps
from dispatch.syndication.robots import robots_txt
from dispatch.syndication.sitemaps import News, Url

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
TIME = datetime(2026, 10, 9, 7, 30, tzinfo=UTC)
_W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def read(document: bytes) -> Any:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def faults(document: bytes) -> Iterator[str]:
    """What breaks the schema of sitemaps 0.9, or the limits of the protocol."""
    root = read(document)
    child = {f"{SITEMAP}urlset": "url", f"{SITEMAP}sitemapindex": "sitemap"}.get(root.tag)
    if child is None:
        yield f"its root is {root.tag}"
        return
    if len(document) > 50 * 2**20 or len(root) > 50_000:
        yield "it is too large"
    for element in root:
        names = [inner.tag for inner in element]
        allowed = [f"{SITEMAP}loc", f"{SITEMAP}lastmod", f"{NEWS}news"]
        if element.tag != SITEMAP + child or names[:1] != allowed[:1]:
            yield f"{element.tag} has no loc"
        if sorted(names, key=allowed.index) != names or len(set(names)) < len(names):
            yield f"{names} in {element.tag}"
        address = element.findtext(f"{SITEMAP}loc")
        if not re.match(r"https?://[!-~]+$", address) or not 12 <= len(address) < 2048:
            yield f"loc {address}"
        changed = element.findtext(f"{SITEMAP}lastmod")
        if changed is not None and not _W3C.fullmatch(changed):
            yield f"lastmod {changed}"


def news(**changes: object) -> News:
    facts: dict[str, Any] = {
        "address": "https://news.example.org/world/2026/10/09/ferry/",
        "publication": "The Harbour Courier",
        "language": "en",
        "published": TIME,
        "title": "Ferry & tide",
    }
    return News(**{**facts, **changes})


def test_a_sitemap_says_where_and_when() -> None:
    document = sitemaps.sitemap(
        [Url("https://news.example.org/world/?a=1&b=2", TIME), Url("https://news.example.org/")]
    )
    assert list(faults(document)) == []
    assert [[inner.text for inner in url] for url in read(document)] == [
        ["https://news.example.org/world/?a=1&b=2", "2026-10-09T07:30:00+00:00"],
        ["https://news.example.org/"],
    ]


def test_an_empty_sitemap_is_one() -> None:
    assert len(read(sitemaps.sitemap([]))) == 0


def test_a_full_sitemap_keeps_far_below_the_limits() -> None:
    longest = "https://news.example.org/" + "a" * (sitemaps.LONGEST - 26)
    assert len(longest) == sitemaps.LONGEST - 1
    document = sitemaps.sitemap([Url(longest, TIME)] * sitemaps.URLS)
    assert list(faults(document)) == []
    assert len(read(document)) == sitemaps.URLS


def test_an_address_that_is_too_long_is_left_out() -> None:
    longer = "https://news.example.org/" + "a" * sitemaps.LONGEST
    assert len(read(sitemaps.sitemap([Url(longer)]))) == 0
    assert len(read(sitemaps.news_sitemap([news(address=longer)]))) == 0


def test_an_index_is_one_document_or_as_many_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "SITEMAPS", 2)
    urls = [Url(f"https://news.example.org/{n}.xml", TIME) for n in range(5)]
    documents = sitemaps.index(urls)
    assert [len(read(document)) for document in documents] == [2, 2, 1]
    assert [fault for document in documents for fault in faults(document)] == []
    assert [len(read(document)) for document in sitemaps.index([])] == [0]


def test_a_news_sitemap_says_who_when_and_what() -> None:
    document = sitemaps.news_sitemap([news(), news(published=TIME + timedelta(minutes=1))])
    assert list(faults(document)) == []
    first = read(document)[0].find(f"{NEWS}news")
    assert {inner.tag.removeprefix(NEWS): inner.text for inner in first.iter()} == {
        "news": None,
        "publication": None,
        "name": "The Harbour Courier",
        "language": "en",
        "publication_date": "2026-10-09T07:30:00+00:00",
        "title": "Ferry & tide",
    }


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("pt-BR", "pt"),
        ("de_AT", "de"),
        ("DE", "de"),
        ("gsw-CH", "gsw"),
        ("zh", "zh-cn"),
        ("zh-Hans-SG", "zh-cn"),
        ("zh-Hant", "zh-tw"),
        ("zh-HK", "zh-tw"),
        ("x-klingon", "und"),
        ("", "und"),
        ("german", "und"),
    ],
)
def test_a_language_is_named_as_google_does(tag: str, language: str) -> None:
    assert sitemaps.news_language(tag) == language


def test_no_headline_breaks_it(shared: Path) -> None:
    """Every naughty string there is, as title and as the newspaper's name."""
    strings = json.loads((shared / "data" / "blns.json").read_text(encoding="utf-8"))
    document = sitemaps.news_sitemap([news(title=s, publication=s) for s in strings])
    titles = [element.text or "" for element in read(document).iter(f"{NEWS}title")]
    assert titles == [one_line(string) for string in strings]


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_well_formed_and_on_one_line(text: str) -> None:
    (title,) = read(sitemaps.news_sitemap([news(title=text)])).iter(f"{NEWS}title")
    assert (title.text or "") == one_line(text)
    assert len(title) == 0


# robots.txt --------------------------------------------------------------------------------------


def test_robots_are_kept_out_of_what_is_personal_and_led_to_the_sitemaps() -> None:
    data = robots_txt(["/world/view/", "/world/members/"], ["https://news.example.org/sitemap.xml"])
    rules = RobotFileParser()
    rules.parse(data.decode("ascii").splitlines())
    assert not rules.can_fetch("*", "https://news.example.org/world/view/1f4-9b")
    assert not rules.can_fetch("*", "https://news.example.org/world/members/1f4-9b/feed.rss")
    assert rules.can_fetch("*", "https://news.example.org/world/2026/10/09/view/")
    assert rules.site_maps() == ["https://news.example.org/sitemap.xml"]


def test_a_site_without_anything_personal_lets_robots_in() -> None:
    rules = RobotFileParser()
    rules.parse(robots_txt([], []).decode("ascii").splitlines())
    assert rules.can_fetch("*", "https://news.example.org/")
