"""The subscription documents of a desk: RSS 2.0, Atom 1.0 and JSON Feed 1.1."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import feedparser
import jsonschema
import pytest
import referencing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.golden_files import check_golden
from tests.syndication.conftest import MakeArticle, MakeEntries
from tests.syndication.feed_rules import (
    ATOM,
    CONTENT,
    DC,
    XML,
    faults_of_atom,
    faults_of_rss,
    parse,
)

from dispatch.article import Article, Author, Code, Paragraph
from dispatch.desk import Desk
from dispatch.errors import ArticleError
from dispatch.markup import escape
from dispatch.renditions.feed import FeedAuthor, FeedEntry, render
from dispatch.renditions.templates import Templates
from dispatch.syndication.feeds import FeedDocuments, documents

TEMPLATES = Templates()


def faults(desk: Desk, made: FeedDocuments) -> list[str]:
    """The rules that any of the three documents breaks."""
    return faults_of_rss(made.rss, desk.feed_url("rss")) + faults_of_atom(
        made.atom, desk.feed_url("atom")
    )


def rss_channel(made: FeedDocuments) -> Any:
    return parse(made.rss)[0]


def texts(parent: Any, tag: str) -> list[str]:
    return [found.text for found in parent.iter(tag)]


class TestValid:
    def test_a_plain_desk(self, desk: Desk, make_entries: MakeEntries):
        assert faults(desk, documents(desk, make_entries(3))) == []

    def test_articles_with_every_kind_of_block(self, desk: Desk, make_article: MakeArticle):
        entries = [render(make_article(n), desk, TEMPLATES) for n in (3, 2, 1)]
        assert faults(desk, documents(desk, entries, archives=2)) == []

    def test_an_arabic_desk(self, desk: Desk, make_article: MakeArticle):
        desk = replace(desk, name="العالم", publisher="بريد المرفأ", language="ar")
        article = make_article(1, headline="عبّارات المرفأ", language="ar", keywords=("عبّارات",))
        made = documents(desk, [render(article, desk, TEMPLATES)])
        assert faults(desk, made) == []
        assert rss_channel(made).findtext("title") == "بريد المرفأ: العالم"
        assert rss_channel(made).findtext("language") == "ar"
        assert parse(made.atom).get(f"{XML}lang") == "ar"

    def test_a_desk_without_articles(self, desk: Desk):
        made = documents(desk, [])
        assert parse(made.atom).findtext(f"{ATOM}updated") == "2000-01-01T00:00:00+00:00"
        assert json.loads(made.json)["items"] == []
        assert rss_channel(made).find("item") is None
        assert rss_channel(made).find("pubDate") is None
        assert faults(desk, made) == []

    def test_a_real_article(self, desk: Desk, make_article: MakeArticle, cairo: Path):
        headline, standfirst, *lines = filter(None, cairo.read_text("utf-8").splitlines())
        body = tuple(Paragraph(escape(line)) for line in lines)
        article = make_article(1, headline=headline, standfirst=standfirst, body=body)
        assert faults(desk, documents(desk, [render(article, desk, TEMPLATES)])) == []


class TestRss:
    def test_tells_about_the_feed(self, desk: Desk, make_entries: MakeEntries):
        channel = rss_channel(documents(desk, make_entries(3)))
        told = {child.tag: child.text for child in channel if child.tag != "item" and child.text}
        assert told == {
            "title": "The Harbour Courier: World",
            "link": "https://news.example.org/world/",
            "description": "World – The Harbour Courier, https://news.example.org/",
            "copyright": "© 2026 The Harbour Courier",
            "docs": "http://www.rssboard.org/rss-specification",
            "generator": "Dispatch",
            "language": "en",
            "lastBuildDate": "Fri, 04 Sep 2026 10:00:00 +0000",
            "pubDate": "Fri, 04 Sep 2026 08:00:00 +0000",
        }

    def test_tells_about_an_article(self, desk: Desk, make_entries: MakeEntries):
        item = rss_channel(documents(desk, make_entries(1))).find("item")
        assert [(child.tag, child.text, dict(child.attrib)) for child in item] == [
            ("title", "Ferry 1 leaves", {}),
            ("link", "https://news.example.org/world/2026/09/01/ferry-1/", {}),
            ("description", "Boat 1 leaves at dawn, &amp; returns at dusk.", {}),
            (
                f"{CONTENT}encoded",
                '<p>Boat 1 <a href="https://example.org/?a=1&amp;b=2">leaves</a>.</p>',
                {},
            ),
            ("guid", "tag:news.example.org,2026-09-01:world/ferry-1", {"isPermaLink": "false"}),
            ("category", "World", {}),
            ("category", "ferries", {}),
            ("pubDate", "Wed, 02 Sep 2026 08:00:00 +0000", {}),
            (f"{DC}creator", "Mina Okafor", {}),
        ]

    def test_names_every_author(self, desk: Desk, make_entries: MakeEntries):
        authors = (FeedAuthor("Mina Okafor"), FeedAuthor("Léo Marchetti"))
        channel = rss_channel(documents(desk, make_entries(1, authors=authors)))
        assert texts(channel, f"{DC}creator") == ["Mina Okafor", "Léo Marchetti"]

    def test_names_nobody_where_nobody_signed(self, desk: Desk, make_entries: MakeEntries):
        channel = rss_channel(documents(desk, make_entries(1, authors=())))
        assert channel.find(f"item/{DC}creator") is None

    def test_plain_text_is_encoded_so_that_no_reader_takes_it_for_html(
        self, desk: Desk, make_entries: MakeEntries
    ):
        title = "Q&A: is <b> > <i>?"
        made = documents(desk, make_entries(1, title=title, categories=("R&D",)))
        assert b"<title>Q&#x26;A: is &#x3C;b&#x3E; &#x3E; &#x3C;i&#x3E;?</title>" in made.rss
        assert b"<category>R&#x26;D</category>" in made.rss
        assert rss_channel(made).findtext("item/title") == title

    def test_the_end_of_a_cdata_section_is_no_end(self, desk: Desk, make_entries: MakeEntries):
        content = "<pre><code>a[b[0]]&gt;c ]]></code></pre>"
        made = documents(desk, make_entries(1, content_html=content, title="]]>", summary="]]>"))
        assert b"]]>" not in made.rss + made.atom
        assert rss_channel(made).findtext(f"item/{CONTENT}encoded") == content
        assert parse(made.atom).findtext(f"{ATOM}entry/{ATOM}content") == content


class TestAtom:
    def test_tells_about_the_feed(self, desk: Desk, make_entries: MakeEntries):
        feed = parse(documents(desk, make_entries(3)).atom)
        told = {
            child.tag.removeprefix(ATOM): (child.text or "").strip() or dict(child.attrib)
            for child in feed
            if child.tag not in (f"{ATOM}entry", f"{ATOM}author", f"{ATOM}link")
        }
        assert told == {
            "id": "tag:news.example.org,2026:world",
            "title": "The Harbour Courier: World",
            "subtitle": "World – The Harbour Courier, https://news.example.org/",
            "updated": "2026-09-04T10:00:00+00:00",
            "generator": "Dispatch",
            "rights": "© 2026 The Harbour Courier",
        }
        assert feed.get(f"{XML}lang") == "en"
        assert texts(feed.find(f"{ATOM}author"), f"{ATOM}name") == ["The Harbour Courier"]
        assert texts(feed.find(f"{ATOM}author"), f"{ATOM}uri") == ["https://news.example.org/"]
        assert [dict(link.attrib) for link in feed.findall(f"{ATOM}link")] == [
            {"rel": "alternate", "href": "https://news.example.org/world/", "type": "text/html"},
            {
                "rel": "self",
                "href": "https://news.example.org/world/feed.atom",
                "type": "application/atom+xml",
            },
        ]

    def test_tells_about_an_article(self, desk: Desk, make_entries: MakeEntries):
        entry = parse(documents(desk, make_entries(1)).atom).find(f"{ATOM}entry")
        told = [
            (child.tag.removeprefix(ATOM), (child.text or "").strip(), dict(child.attrib))
            for child in entry
        ]
        assert told == [
            ("id", "tag:news.example.org,2026-09-01:world/ferry-1", {}),
            ("title", "Ferry 1 leaves", {}),
            ("updated", "2026-09-02T10:00:00+00:00", {}),
            ("author", "", {}),
            (
                "content",
                '<p>Boat 1 <a href="https://example.org/?a=1&amp;b=2">leaves</a>.</p>',
                {"type": "html"},
            ),
            (
                "link",
                "",
                {
                    "href": "https://news.example.org/world/2026/09/01/ferry-1/",
                    "rel": "alternate",
                    "type": "text/html",
                },
            ),
            ("summary", "Boat 1 leaves at dawn, & returns at dusk.", {"type": "text"}),
            ("category", "", {"term": "World"}),
            ("category", "", {"term": "ferries"}),
            ("published", "2026-09-02T08:00:00+00:00", {}),
            ("rights", "© 2026 The Harbour Courier", {}),
        ]
        assert texts(entry, f"{ATOM}name") == ["Mina Okafor"]
        assert texts(entry, f"{ATOM}uri") == ["https://news.example.org/people/mina"]

    def test_an_article_in_another_language_says_so(self, desk: Desk, make_entries: MakeEntries):
        entries = make_entries(1, language="fr") + make_entries(1, id="tag:example.org,2026:x")
        made = documents(desk, entries)
        assert [e.get(f"{XML}lang") for e in parse(made.atom).iter(f"{ATOM}entry")] == ["fr", None]
        assert texts(rss_channel(made), f"{DC}language") == ["fr"]
        assert faults(desk, made) == []


class TestJsonFeed:
    def test_tells_about_the_feed_and_its_articles(self, desk: Desk, make_entries: MakeEntries):
        image = "https://img.example.org/boat.jpg"
        assert json.loads(documents(desk, make_entries(1, image=image)).json) == {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "The Harbour Courier: World",
            "home_page_url": "https://news.example.org/world/",
            "feed_url": "https://news.example.org/world/feed.json",
            "description": "World – The Harbour Courier, https://news.example.org/",
            "language": "en",
            "authors": [{"name": "The Harbour Courier", "url": "https://news.example.org/"}],
            "items": [
                {
                    "id": "tag:news.example.org,2026-09-01:world/ferry-1",
                    "url": "https://news.example.org/world/2026/09/01/ferry-1/",
                    "title": "Ferry 1 leaves",
                    "summary": "Boat 1 leaves at dawn, & returns at dusk.",
                    "content_html": '<p>Boat 1 <a href="https://example.org/?a=1&amp;b=2">leaves</a>.</p>',
                    "image": image,
                    "date_published": "2026-09-02T08:00:00+00:00",
                    "date_modified": "2026-09-02T10:00:00+00:00",
                    "authors": [
                        {"name": "Mina Okafor", "url": "https://news.example.org/people/mina"}
                    ],
                    "tags": ["World", "ferries"],
                    "language": "en",
                }
            ],
        }

    def test_says_nothing_of_what_is_not_known(self, desk: Desk, make_entries: MakeEntries):
        made = json.loads(documents(desk, make_entries(1, authors=())).json)
        assert {"next_url", "expired"} & set(made) == set()
        assert {"authors", "image"} & set(made["items"][0]) == set()

    def test_holds_to_the_schema(
        self, desk: Desk, make_article: MakeArticle, make_entries: MakeEntries, shared: Path
    ):
        validate = json_feed_schema(shared).validate
        full = [render(make_article(n), desk, TEMPLATES) for n in (2, 1)]
        for entries in (full, make_entries(1, authors=()), []):
            for archives in (0, 3):
                validate(json.loads(documents(desk, entries, archives=archives).json))
        with pytest.raises(jsonschema.ValidationError):
            validate({"version": "https://jsonfeed.org/version/1.1", "title": "No items"})


def json_feed_schema(shared: Path) -> jsonschema.Draft4Validator:
    """JSON Feed 1.1, which takes most of its definitions from 1.0 beside it."""
    own = json.loads((shared / "schemas" / "jsonfeed-1.1.json").read_text("utf-8"))
    base = json.loads((shared / "schemas" / "jsonfeed-1.json").read_text("utf-8"))
    resource = referencing.Resource.from_contents(base)
    registry = referencing.Registry().with_resource(base["id"], resource)
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(own, registry=registry, format_checker=checker)


class TestOrderAndTimes:
    def test_articles_stand_in_the_given_order(self, desk: Desk, make_entries: MakeEntries):
        made = documents(desk, make_entries(12))
        expected = [f"tag:news.example.org,2026-09-01:world/ferry-{n}" for n in range(12, 0, -1)]
        assert texts(rss_channel(made), "guid") == expected
        assert texts(parse(made.atom), f"{ATOM}id")[1:] == expected
        assert [item["id"] for item in json.loads(made.json)["items"]] == expected

    def test_the_feed_was_updated_with_its_last_updated_article(
        self, desk: Desk, make_entries: MakeEntries
    ):
        newest, oldest = make_entries(2)
        corrected = replace(oldest, updated=datetime(2026, 12, 24, 18, 0, tzinfo=UTC))
        made = documents(desk, [newest, corrected])
        assert parse(made.atom).findtext(f"{ATOM}updated") == "2026-12-24T18:00:00+00:00"
        assert rss_channel(made).findtext("lastBuildDate") == "Thu, 24 Dec 2026 18:00:00 +0000"
        assert rss_channel(made).findtext("pubDate") == "Thu, 03 Sep 2026 08:00:00 +0000"

    def test_the_copyright_year_is_the_newest_articles(self, desk: Desk, make_entries: MakeEntries):
        made = documents(desk, make_entries(1, published=datetime(2024, 5, 1, tzinfo=UTC)))
        assert rss_channel(made).findtext("copyright") == "© 2024 The Harbour Courier"
        assert rss_channel(documents(desk, [])).findtext("copyright") == "© The Harbour Courier"


class TestTheSameBytes:
    def test_come_from_the_same_articles(self, desk: Desk, make_entries: MakeEntries):
        assert documents(desk, make_entries(5)) == documents(desk, make_entries(5))

    def test_come_from_entries_that_were_stored(self, desk: Desk, make_entries: MakeEntries):
        entries = make_entries(3, image="https://img.example.org/boat.jpg")
        stored = [FeedEntry.from_json(json.loads(json.dumps(e.to_json()))) for e in entries]
        assert documents(desk, stored) == documents(desk, entries)

    def test_come_in_every_process(self, desk: Desk, make_entries: MakeEntries):
        digests = {_digest_in_a_new_process(desk, make_entries(2), seed) for seed in ("1", "2")}
        assert digests == {_digest(documents(desk, make_entries(2)))}


def _digest(made: FeedDocuments) -> str:
    return sha256(made.rss + made.atom + made.json).hexdigest()


def _digest_in_a_new_process(desk: Desk, entries: list[FeedEntry], seed: str) -> str:
    program = (
        "import sys, pickle, hashlib; from dispatch.syndication.feeds import documents;"
        "made = documents(*pickle.load(sys.stdin.buffer));"
        "print(hashlib.sha256(made.rss + made.atom + made.json).hexdigest())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((desk, entries)),
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    return ran.stdout.decode().strip()


class TestFeedReaders:
    @pytest.mark.parametrize("form", ["rss", "atom"])
    def test_understand_every_field(
        self, desk: Desk, make_article: MakeArticle, make_entries: MakeEntries, form: str
    ):
        entries = [render(make_article(1), desk, TEMPLATES), *make_entries(2)[:1]]
        read = feedparser.parse(getattr(documents(desk, entries, archives=1), form))
        assert read.bozo is False
        assert read.feed.title == "The Harbour Courier: World"
        assert read.feed.link == "https://news.example.org/world/"
        assert read.feed.language == "en"
        assert {link.rel: link.href for link in read.feed.links} == {
            "alternate": "https://news.example.org/world/",
            "self": f"https://news.example.org/world/feed.{form}",
            "prev-archive": f"https://news.example.org/world/archive/1.{form}",
        }
        first = read.entries[0]
        assert first.id == "tag:news.example.org,2026-09-01:world/ferry-1"
        assert first.title == "Ferry 1 opens a winter route"
        assert first.link == "https://news.example.org/world/2026/09/01/ferry-1/"
        assert first.published_parsed[:5] == (2026, 9, 2, 8, 0)
        assert [tag.term for tag in first.tags] == ["World", "ferries", "winter"]
        assert [author.name for author in first.authors] == ["Mina Okafor", "Léo Marchetti"]
        shown = "Two boats a day, & hot soup on both."
        assert first.summary == (shown.replace("&", "&amp;") if form == "rss" else shown)
        assert first.content[0].type == "text/html"
        assert "<h2>On the quay</h2>" in first.content[0].value
        assert 'src="https://img.example.org/boat.jpg"' in first.content[0].value


class TestHostileText:
    def test_every_naughty_string(self, desk: Desk, make_article: MakeArticle, shared: Path):
        strings = json.loads((shared / "data" / "blns.json").read_text("utf-8"))
        entries = [
            render(_article_of(make_article, n, text), desk, TEMPLATES)
            for n, text in enumerate(strings, 1)
        ]
        assert len(entries) > 500
        made = documents(desk, entries)
        assert faults(desk, made) == []
        titles = [entry.title for entry in entries]
        assert texts(rss_channel(made), "title")[1:] == titles
        assert texts(parse(made.atom), f"{ATOM}title")[1:] == titles
        assert [item["title"] for item in json.loads(made.json)["items"]] == titles

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(st.characters(codec=None), max_size=80))
    def test_any_string(self, desk: Desk, make_article: MakeArticle, text: str):
        entry = render(_article_of(make_article, 1, text), desk, TEMPLATES)
        assert faults(desk, documents(desk, [entry])) == []

    def test_a_desk_with_markup_in_its_names(self, desk: Desk, make_entries: MakeEntries):
        desk = replace(desk, name="A & <b>B</b>\x00", publisher="]]> & 'Sons'", rights="© <i>")
        made = documents(desk, make_entries(1))
        assert faults(desk, made) == []
        assert rss_channel(made).findtext("title") == "]]> & 'Sons': A & <b>B</b>"


def _article_of(make_article: MakeArticle, n: int, text: str) -> Article:
    """An article that says ``text`` wherever an article can say something."""
    line = " ".join(text.split())
    everywhere = {
        "headline": line or "-",
        "standfirst": line,
        "body": (Paragraph(escape(text)), Code(text, line)),
        "byline": (Author(line, role=line, bio=line, url=line, desk=line),),
        "keywords": (text,),
        "editors_note": text,
        "corrections": (text,),
        "dateline": line,
        "rights": line,
        "language": line,
    }
    try:
        return make_article(n, **everywhere)
    except ArticleError:  # a line break of a kind that no article can hold
        return make_article(n)


def test_golden(desk: Desk, make_article: MakeArticle):
    entries = [render(make_article(n), desk, TEMPLATES) for n in (3, 2, 1)]
    made = documents(desk, entries, archives=1)
    check_golden("feed/feed.rss", made.rss)
    check_golden("feed/feed.atom", made.atom)
    check_golden("feed/feed.json", made.json)
