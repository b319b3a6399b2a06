"""Archive documents (RFC 5005): how the documents of a feed are linked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.golden_files import check_golden
from tests.syndication.conftest import MakeArticle, MakeEntries
from tests.syndication.feed_rules import ATOM, HISTORY, faults_of_atom, faults_of_rss, links, parse
from tests.syndication.test_feeds import json_feed_schema

from dispatch.desk import Desk
from dispatch.renditions.feed import render
from dispatch.renditions.templates import Templates
from dispatch.syndication.feeds import FeedDocuments, archive_documents, documents

HOME = "https://news.example.org/world"


def linked(made: FeedDocuments, form: str) -> dict[str, str]:
    """The addresses of the documents that one links to, by relation."""
    root = parse(getattr(made, form))
    found = links(root[0] if form == "rss" else root)
    return {rel: href for rel, href in found.items() if rel != "alternate"}


@pytest.mark.parametrize("form", ["rss", "atom"])
class TestLinks:
    def test_a_feed_without_archives_links_to_itself_alone(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        made = documents(desk, make_entries(1))
        assert linked(made, form) == {"self": f"{HOME}/feed.{form}"}
        assert b"history" not in getattr(made, form)

    def test_a_feed_leads_to_the_newest_archive(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        made = documents(desk, make_entries(1), archives=3)
        assert linked(made, form) == {
            "self": f"{HOME}/feed.{form}",
            "prev-archive": f"{HOME}/archive/3.{form}",
        }
        assert parse(getattr(made, form)).find(f".//{HISTORY}archive") is None

    def test_an_archive_leads_to_its_neighbours_and_to_the_feed(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        made = archive_documents(desk, 2, make_entries(1), newest=3)
        assert linked(made, form) == {
            "self": f"{HOME}/archive/2.{form}",
            "current": f"{HOME}/feed.{form}",
            "prev-archive": f"{HOME}/archive/1.{form}",
            "next-archive": f"{HOME}/archive/3.{form}",
        }

    def test_the_oldest_has_none_before_it_and_the_newest_none_after(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        oldest = archive_documents(desk, 1, make_entries(1), newest=2)
        newest = archive_documents(desk, 2, make_entries(1), newest=2)
        assert set(linked(oldest, form)) == {"self", "current", "next-archive"}
        assert set(linked(newest, form)) == {"self", "current", "prev-archive"}

    def test_an_archive_is_marked_as_one(self, desk: Desk, make_entries: MakeEntries, form: str):
        root = parse(getattr(archive_documents(desk, 1, make_entries(1), newest=1), form))
        parent = root[0] if form == "rss" else root
        assert len(parent.findall(f"{HISTORY}archive")) == 1

    def test_the_archive_holds_to_every_rule_of_a_feed(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        check = {"rss": faults_of_rss, "atom": faults_of_atom}[form]
        made = archive_documents(desk, 2, make_entries(3), newest=3)
        assert check(getattr(made, form), f"{HOME}/archive/2.{form}") == []

    def test_from_the_feed_every_article_is_reached(
        self, desk: Desk, make_entries: MakeEntries, form: str
    ):
        entries = make_entries(7)
        published = {desk.feed_url(form): documents(desk, entries[:2], archives=3)}
        for number, kept in ((3, entries[2:4]), (2, entries[4:6]), (1, entries[6:])):
            published[desk.archive_url(number, form)] = archive_documents(
                desk, number, kept, newest=3
            )
        url, ids = desk.feed_url(form), []
        while url:
            root = parse(getattr(published[url], form))
            tag = "guid" if form == "rss" else f"{ATOM}entry/{ATOM}id"
            ids += [found.text for found in root.iterfind(tag if form == "atom" else f".//{tag}")]
            url = linked(published[url], form).get("prev-archive")
        assert ids == [entry.id for entry in entries]


class TestFeed:
    def test_its_documents_are_one_feed(self, desk: Desk, make_entries: MakeEntries):
        ids = {
            parse(made.atom).findtext(f"{ATOM}id")
            for made in (
                documents(desk, make_entries(1), archives=2),
                archive_documents(desk, 1, make_entries(1), newest=2),
            )
        }
        assert ids == {"tag:news.example.org,2026:world"}

    def test_an_archive_is_not_touched_by_newer_articles(
        self, desk: Desk, make_entries: MakeEntries
    ):
        kept = make_entries(3)
        then = archive_documents(desk, 1, kept, newest=2)
        assert archive_documents(desk, 1, kept, newest=9) == then

    @pytest.mark.parametrize(("number", "newest"), [(0, 1), (2, 1), (1, 0), (-1, 3)])
    def test_there_is_no_archive_beyond_those_that_were_made(
        self, desk: Desk, make_entries: MakeEntries, number: int, newest: int
    ):
        with pytest.raises(ValueError, match="no archive document"):
            archive_documents(desk, number, make_entries(1), newest=newest)


class TestJsonFeed:
    def test_each_document_names_the_next_older_one(self, desk: Desk, make_entries: MakeEntries):
        chain = [
            documents(desk, make_entries(1), archives=2),
            archive_documents(desk, 2, make_entries(1), newest=2),
            archive_documents(desk, 1, make_entries(1), newest=2),
        ]
        told = [json.loads(made.json) for made in chain]
        assert [(t["feed_url"], t.get("next_url")) for t in told] == [
            (f"{HOME}/feed.json", f"{HOME}/archive/2.json"),
            (f"{HOME}/archive/2.json", f"{HOME}/archive/1.json"),
            (f"{HOME}/archive/1.json", None),
        ]

    def test_holds_to_the_schema(self, desk: Desk, make_entries: MakeEntries, shared: Path):
        made = archive_documents(desk, 2, make_entries(2), newest=2)
        json_feed_schema(shared).validate(json.loads(made.json))


def test_golden(desk: Desk, make_article: MakeArticle):
    entries = [render(make_article(1), desk, Templates())]
    made = archive_documents(desk, 2, entries, newest=3)
    check_golden("feed/archive.rss", made.rss)
    check_golden("feed/archive.atom", made.atom)
    check_golden("feed/archive.json", made.json)
