"""A desk and its articles, for everything that is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch import markup
from dispatch.article import Article, Author, Source
from dispatch.desk import Desk, Mailbox
from dispatch.renditions.feed import FeedAuthor, FeedEntry

FIRST = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)

MakeArticle = Callable[..., Article]
MakeEntries = Callable[..., list[FeedEntry]]


@pytest.fixture
def desk() -> Desk:
    return Desk(
        name="World",
        slug="world",
        publisher="The Harbour Courier",
        site_url="https://news.example.org",
        sender=Mailbox("World", "world@news.example.org"),
        contact="world@news.example.org",
        postal_address="1 Quay Street, Exampleton",
        usage_terms="As agreed.",
        rights="© {year} {publisher}",
    )


@pytest.fixture
def make_entries() -> MakeEntries:
    """``make_entries(3, title="…")``: three entries, newest first, with the given facts changed."""

    def make(count: int, **changes: object) -> list[FeedEntry]:
        return [replace(_entry(n), **changes) for n in range(count, 0, -1)]

    return make


def _entry(n: int) -> FeedEntry:
    return FeedEntry(
        id=f"tag:news.example.org,2026-09-01:world/ferry-{n}",
        url=f"https://news.example.org/world/2026/09/01/ferry-{n}/",
        title=f"Ferry {n} leaves",
        summary=f"Boat {n} leaves at dawn, & returns at dusk.",
        content_html=f'<p>Boat {n} <a href="https://example.org/?a=1&amp;b=2">leaves</a>.</p>',
        authors=(FeedAuthor("Mina Okafor", "https://news.example.org/people/mina"),),
        published=FIRST + timedelta(days=n),
        updated=FIRST + timedelta(days=n, hours=2),
        language="en",
        categories=("World", "ferries"),
        rights="© 2026 The Harbour Courier",
    )


@pytest.fixture
def make_article() -> MakeArticle:
    """``make_article(3, headline="…")``: the third article, with the given fields changed."""

    def make(n: int, **changes: object) -> Article:
        return replace(_article(n), **changes)

    return make


def _article(n: int) -> Article:
    return Article(
        headline=f"Ferry {n} opens a winter route",
        standfirst="Two boats a day, & hot soup on both.",
        body=markup.blocks(
            "<p>The first boat left at <b>dawn</b>.</p><h2>On the quay</h2><ul><li>Soup</li></ul>"
            "<table><tr><th>Day</th></tr><tr><td>Monday</td></tr></table>"
            '<figure><img src="https://img.example.org/boat.jpg" alt="A boat">'
            "<figcaption>At dawn</figcaption></figure><pre><code>a ]]&gt; b</code></pre>"
        ),
        byline=(
            Author("Mina Okafor", role="Harbour correspondent", bio="Covers ships."),
            Author("Léo Marchetti", url="https://example.org/leo"),
        ),
        sources=(Source("Tide tables", "Port Office", "https://port.example/t?x=1&y=2"),),
        keywords=("ferries", "winter"),
        language="en",
        id=f"tag:news.example.org,2026-09-01:world/ferry-{n}",
        path=f"2026/09/01/ferry-{n}",
        slug=f"ferry-{n}",
        published=FIRST + timedelta(days=n),
        updated=FIRST + timedelta(days=n, hours=2),
    )
