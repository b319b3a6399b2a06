"""The rules that the other tests hold feeds to: each of them is seen when it is broken."""

from __future__ import annotations

import pytest
from tests.syndication.conftest import MakeEntries
from tests.syndication.feed_rules import faults_of_atom, faults_of_rss, html_faults

from dispatch.desk import Desk
from dispatch.syndication.feeds import documents


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('isPermaLink="false"', 'isPermaLink="true"', "guid: a tag: URI is no permanent link"),
        ("Wed, 02 Sep", "Thu, 02 Sep", "another day of the week"),
        ("Wed, 02 Sep 2026", "2026-09-02", "not as RFC 822"),
        ("feed.rss", "feed.xml", "links: self is"),
        ("<guid", "<author>Mina Okafor</author><guid", "author does not belong here"),
        ("ferry-2</guid>", "ferry-1</guid>", "comes 2 times"),
        ("tag:news.example.org,2026-09-01:", "ferry ", "guid: "),
        ("<language>en</language>", "", "language is missing"),
        ("<category>ferries<", "<category>World<", "World comes 2 times"),
        ("https://example.org/?", "/?", "is not absolute"),
        ("&lt;p&gt;", '&lt;p style="x"&gt;', "<p {'style': 'x'}>"),
        ("</channel>", "<ttl>60</ttl></channel>", "an element stands after an item"),
    ],
)
def test_rss(desk: Desk, make_entries: MakeEntries, right: str, wrong: str, fault: str):
    text = documents(desk, make_entries(2)).rss.decode()
    assert right in text
    broken = text.replace(right, wrong)
    assert any(fault in found for found in faults_of_rss(broken.encode(), desk.feed_url("rss")))


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("<updated>2026-09-02T10:00:00+00:00</updated>", "", "updated is missing"),
        ("10:00:00+00:00", "10:00:00", "not as RFC 3339"),
        ("feed.atom", "feed.xml", "links: self is"),
        ('rel="self"', 'rel="alternate"', "a relation comes twice"),
        (' rel="alternate" type="text/html"/>\n    <summary', "/>\n    <summary", "its link is"),
        ('type="html"', 'type="text"', "summary and content are"),
        ("ferry-2</id>", "ferry-1</id>", "comes 2 times"),
        ('xml:lang="en"', "", "no xml:lang"),
        ("<name>Mina Okafor</name>", "", "name is missing"),
        ("people/mina", "people/mi na", "author: uri"),
        ("<generator>", "<generator/><generator>", "generator stands 2 times"),
    ],
)
def test_atom(desk: Desk, make_entries: MakeEntries, right: str, wrong: str, fault: str):
    text = documents(desk, make_entries(2)).atom.decode()
    assert right in text
    broken = text.replace(right, wrong)
    assert any(fault in found for found in faults_of_atom(broken.encode(), desk.feed_url("atom")))


@pytest.mark.parametrize(
    "html",
    [
        "<div>open",
        "<script>alert(1)</script>",
        '<p onclick="x()">a</p>',
        '<a href="javascript:x">a</a>',
        '<img src="a.png" alt="">',
        "a &lt b",
        "<p>a</p></div>",
    ],
)
def test_html(html: str):
    assert list(html_faults(html)) != []
