"""A reader who follows a feed's archives over HTTP (RFC 5005, 4) gets every article there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
from lxml import etree
from starlette.testclient import TestClient
from tests.web.served import NOW, SITE_URL, Newsroom, newsroom

from dispatch.newsroom import feeds, publish

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
TYPES = {"atom": "application/atom+xml", "rss": "application/rss+xml"}


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Newsroom, TestClient]]:
    """Eleven articles, three to a document."""
    monkeypatch.setattr(feeds, "ENTRIES", 3)
    made = newsroom(tmp_path)
    for n in range(10):
        words = " ".join(f"w{n}x{k}" for k in range(20))
        path = tmp_path / f"{n}.txt"
        path.write_text(f"Headline {n}\n\nThe ferry left at {n}.\n\n{words}.\n", encoding="utf-8")
        watch = publish.Watch(lambda _outcome: None)
        publish.publish([str(path)], publish.Options(made.out), made.settings, NOW, watch)
    with made.client() as client:
        yield made, client


def links(document: bytes) -> dict[str, str]:
    root = etree.fromstring(document)
    parent = root if root.tag == f"{ATOM}feed" else root.find("channel")
    return {element.get("rel"): element.get("href") for element in parent.findall(f"{ATOM}link")}


@pytest.mark.parametrize("form", ["atom", "rss"])
def test_following_the_archives_gets_everything_once(
    served: tuple[Newsroom, TestClient], form: str
) -> None:
    _, client = served
    url, seen, newer = f"{SITE_URL}/world/feed.{form}", [], None
    while url:
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{TYPES[form]}; charset=utf-8"
        related = links(answer.content)
        assert related["self"] == url
        is_archive = etree.fromstring(answer.content).find(f".//{HISTORY}archive") is not None
        assert is_archive is ("/archive/" in url)
        if is_archive:
            assert related["current"] == f"{SITE_URL}/world/feed.{form}"
            assert related.get("next-archive") == newer
            newer = url
        parsed = feedparser.parse(answer.content)
        assert not parsed.bozo
        seen += [entry.id for entry in parsed.entries]
        url = related.get("prev-archive")
    assert len(set(seen)) == 11
    assert len(seen) < 11 + feeds.ENTRIES  # the newest archive may hold what the feed does


def test_the_pages_of_the_archives_lead_to_each_other(
    served: tuple[Newsroom, TestClient],
) -> None:
    _, client = served
    url, articles = f"{SITE_URL}/world/", set()
    while url:
        root = etree.HTML(client.get(url).text)
        articles |= set(root.xpath("//article//h2/a/@href"))
        url = next(iter(root.xpath("//nav[@class='pages']/a[@rel='next']/@href")), "")
    assert len(articles) == 11
    assert {client.get(article).status_code for article in articles} == {200}


def test_every_page_and_file_of_the_site_is_served(served: tuple[Newsroom, TestClient]) -> None:
    made, client = served
    public = made.out / "public"
    for path in (p for p in sorted(public.rglob("*")) if p.is_file()):
        address = path.relative_to(public).as_posix().removesuffix("index.html")
        answer = client.get(f"/{address}")
        assert (address, answer.status_code) == (address, 200)
        assert answer.content == path.read_bytes()
        if path.suffix == ".html":
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert "style-src 'sha256-" in answer.headers["content-security-policy"]
    types = {
        path: client.get(path).headers["content-type"].partition(";")[0]
        for path in ("/feeds.opml", "/robots.txt", "/sitemap.xml", "/news-sitemap.xml")
    }
    assert types == {
        "/feeds.opml": "text/x-opml",
        "/robots.txt": "text/plain",
        "/sitemap.xml": "application/xml",
        "/news-sitemap.xml": "application/xml",
    }
