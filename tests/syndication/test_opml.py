"""The list of all feeds, by the OPML 2.0 specification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dispatch.markup import one_line
from dispatch.syndication.opml import Outline, opml

WORLD = Outline(
    "The Harbour Courier: World",
    "https://news.example.org/world/feed.rss",
    "https://news.example.org/world/",
    "en",
)


def read(outlines: list[Outline], title: str = "The Harbour Courier") -> Any:
    document = opml(title, title, "https://news.example.org/", outlines)
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def test_a_feed_reader_finds_each_desk_once() -> None:
    root = read([WORLD])
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert [child.tag for child in root] == ["head", "body"]
    (outline,) = root.iter("outline")
    assert dict(outline.attrib) == {
        "type": "rss",
        "text": "The Harbour Courier: World",
        "title": "The Harbour Courier: World",
        "xmlUrl": "https://news.example.org/world/feed.rss",
        "htmlUrl": "https://news.example.org/world/",
        "language": "en",
        "version": "RSS2",
    }


def test_it_says_whose_feeds_they_are() -> None:
    head = read([])[0]
    assert head.findtext("title") == head.findtext("ownerName") == "The Harbour Courier"
    assert head.findtext("ownerId") == "https://news.example.org/"


def test_a_desk_without_a_name_is_named_by_its_page() -> None:
    (outline,) = read([Outline("\u200e \n", WORLD.feed_url, WORLD.page_url, "en")]).iter("outline")
    assert (outline.get("text") or "").strip()


def test_no_name_breaks_it(shared: Path) -> None:
    strings = json.loads((shared / "data" / "blns.json").read_text(encoding="utf-8"))
    outlines = [Outline(s, WORLD.feed_url, WORLD.page_url, "en") for s in strings]
    found = [outline.get("title") for outline in read(outlines).iter("outline")]
    assert found == [one_line(string) or WORLD.page_url for string in strings]


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_well_formed(text: str) -> None:
    root = read([Outline(text, WORLD.feed_url, WORLD.page_url, "en")], text)
    assert (root.findtext("head/title") or "") == one_line(text)
    assert len(list(root.iter("outline"))) == 1
