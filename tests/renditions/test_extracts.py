"""What several renditions take out of an article in the same way."""

from __future__ import annotations

import pytest

from dispatch.article import Article, Author, Image
from dispatch.markup import blocks
from dispatch.renditions.extracts import dateline_apart, first_words, introduced, pictures


def article(html: str, standfirst: str | None = None, dateline: str | None = None) -> Article:
    return Article("Rain", tuple(blocks(html)), standfirst=standfirst, dateline=dateline)


@pytest.mark.parametrize(
    ("standfirst", "html", "words"),
    [
        ("It rains.", "<p>Since noon.</p>", "It rains."),
        (None, "<h2>Now</h2><p>Since <b>noon</b> &amp; before.</p>", "Since noon & before."),
        ("\u3000", "<p>Since noon.</p>", "Since noon."),
        (None, "<hr><ul><li>Wind</li></ul><h2>Now</h2>", "Wind"),
        (None, "<hr>", ""),
    ],
)
def test_the_first_words(standfirst: str | None, html: str, words: str) -> None:
    assert first_words(article(html, standfirst), 40) == words


def test_the_first_words_are_few() -> None:
    assert first_words(article("<p>One two three four</p>"), 14) == "One two three…"


def test_pictures_are_those_that_the_web_can_show() -> None:
    shown, local = Image("https://example.org/a.png"), Image("file:///a.png")
    assert pictures(Article("Rain", (local, shown))) == [shown]


def test_authors_of_whom_nothing_is_known_are_not_introduced() -> None:
    known = [Author("Ann Lee", role="Reporter"), Author("Bo Ek", bio="Bo writes.")]
    assert introduced(Article("Rain", (), byline=(known[0], Author("Cy Day"), known[1]))) == known


@pytest.mark.parametrize(("html", "apart"), [("<p>Wind.</p>", None), ("<h2>Wind</h2>", "PORT")])
def test_a_dateline_stands_apart_where_no_paragraph_carries_it(
    html: str, apart: str | None
) -> None:
    assert dateline_apart(article(html, dateline="PORT")) == apart
