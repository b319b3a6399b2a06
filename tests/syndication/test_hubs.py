"""WebSub, section 4: a feed names its hubs and itself, in each of its forms."""

from __future__ import annotations

import json
from dataclasses import replace

import feedparser
import pytest
from tests.syndication.conftest import MakeEntries
from tests.syndication.feed_rules import ATOM, faults_of_atom, faults_of_rss, parse

from dispatch.desk import Desk
from dispatch.syndication.feeds import FeedDocuments, archive_documents, documents

HUBS = ("https://hub.example.org/", "https://other.example.net/push?site=7&a=b")


@pytest.fixture
def named(desk: Desk) -> Desk:
    """The desk, with hubs."""
    return replace(desk, hubs=HUBS)


def hubs_in(made: FeedDocuments) -> list[list[str]]:
    """What the RSS, Atom and JSON documents name."""
    parents = parse(made.rss)[0], parse(made.atom)
    links = [
        [link.get("href") or "" for link in parent.findall(f"{ATOM}link[@rel='hub']")]
        for parent in parents
    ]
    json_hubs = json.loads(made.json).get("hubs", [])
    assert all(hub["type"] == "WebSub" for hub in json_hubs)
    return [*links, [hub["url"] for hub in json_hubs]]


def test_every_form_names_every_hub_in_order(named: Desk, make_entries: MakeEntries) -> None:
    made = documents(named, make_entries(3), archives=1)
    assert hubs_in(made) == [list(HUBS)] * 3
    assert faults_of_rss(made.rss, named.feed_url("rss")) == []
    assert faults_of_atom(made.atom, named.feed_url("atom")) == []


def test_without_hubs_none_is_named(desk: Desk, make_entries: MakeEntries) -> None:
    made = documents(desk, make_entries(1))
    assert hubs_in(made) == [[], [], []]
    assert "hubs" not in json.loads(made.json)


def test_archives_never_change_and_name_no_hub(named: Desk, make_entries: MakeEntries) -> None:
    assert hubs_in(archive_documents(named, 1, make_entries(2), newest=2)) == [[], [], []]


def test_a_personal_feed_names_no_hub(named: Desk, make_entries: MakeEntries) -> None:
    """Its address is a secret, which nobody is to tell a hub."""
    own = named.for_reader("1f4-9b0c9b0c9b0c9b0c9b0c9b0c")
    assert hubs_in(documents(own, make_entries(2))) == [[], [], []]


def test_feed_readers_find_hub_and_self(named: Desk, make_entries: MakeEntries) -> None:
    made = documents(named, make_entries(2))
    for data, form in ((made.rss, "rss"), (made.atom, "atom")):
        found = feedparser.parse(data).feed.links
        assert [link.href for link in found if link.rel == "hub"] == list(HUBS)
        assert [link.href for link in found if link.rel == "self"] == [named.feed_url(form)]
