"""The subscription documents of a desk: RSS 2.0, Atom 1.0 and JSON Feed 1.1."""

from __future__ import annotations

import json
import os
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

from dispatch.article import Article, Author, Code, Paragraph
from dispatch.desk import Desk
from dispatch.errors import ArticleError
from dispatch.markup import escape
from dispatch.renditions.feed import FeedAuthor, FeedEntry, render
from dispatch.renditions.templates import Templates
from dispatch.syndication.feeds import FeedDocuments, documents
from tests.golden_files import check_golden
from tests.syndication.conftest import FIRST, MakeArticle, MakeEntries
from tests.syndication.feed_rules import ATOM, CONTENT, DC, XML, faults_of_atom, faults_of_rss, parse

TEMPLATES = Templates()


def faults(desk: Desk, made: FeedDocuments) -> list[str]:
    """The rules that any of the three documents breaks."""
    json.loads(made.json)
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

    def test_the_cairo_talks(self, desk: Desk, make_article: MakeArticle, cairo: Path):
        from dispatch.readers.pasted import read

        article = read(cairo.read_text("utf-8"), cairo.name)
        placed = make_article(1)
        article = replace(
            article, id=placed.id, path=placed.path, published=FIRST, updated=FIRST, slug="talks"
        )
        assert faults(desk, documents(desk, [render(article, desk, TEMPLATES)])) == []
