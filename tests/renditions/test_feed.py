"""The feed entry of an article: which facts it states, and its HTML."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import markup
from dispatch.article import Article, Author, Code, Image, Paragraph, Rule, Source
from dispatch.desk import Desk, Mailbox
from dispatch.errors import StoreError, TemplateError
from dispatch.markup import escape
from dispatch.renditions.addresses import web_uri
from dispatch.renditions.feed import (
    SUMMARY_LENGTH,
    FeedAuthor,
    FeedEntry,
    render,
)
from dispatch.renditions.shortening import shortened
from dispatch.renditions.templates import Templates

TEMPLATES = Templates()
DESK = Desk(
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
ARTICLE = Article(
    headline="Ferry line opens a winter route",
    standfirst="Two boats a day, and hot soup on both.",
    body=(Paragraph(escape("The first boat left at dawn.")),),
    byline=(Author("Mina Okafor", url="https://news.example.org/people/mina"),),
    keywords=("ferries", "winter"),
    language="en",
    id="tag:news.example.org,2026-10-04:world/ferry",
    path="2026/10/04/ferry",
    slug="ferry",
    published=datetime(2026, 10, 4, 9, 30, tzinfo=UTC),
    updated=datetime(2026, 10, 4, 11, 0, tzinfo=UTC),
)
EVERY_BLOCK = markup.blocks(
    """
    <p>A <b>bold</b> claim, <a href="https://example.org/?a=1&amp;b=2">linked</a>.</p>
    <h2>On the <em>quay</em></h2>
    <ul><li>One<ol start="3"><li>Three</li></ol></li></ul>
    <blockquote><p>We sail.</p><footer>— The captain</footer></blockquote>
    <pre><code class="language-c">if (a &lt; b &amp;&amp; c[d[0]]>0);</code></pre>
    <table><caption>Tides</caption><tr><th>Day</th></tr><tr><td>Mon &amp; Tue</td></tr></table>
    <figure><img src="https://img.example.org/boat.jpg?w=1&amp;h=2" alt="A &quot;boat&quot;">
    <figcaption>At dawn. Photo: Ana Ruiz</figcaption></figure>
    <hr>
    <iframe src="https://video.example.org/v?x=1&amp;y=2" title="The crossing"></iframe>
    """
)


def entry(**changes: object) -> FeedEntry:
    return render(replace(ARTICLE, **changes), DESK, TEMPLATES)


def parsed(content_html: str) -> object:
    """The content, read by an HTML parser that refuses whatever is not correct."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parseFragment(content_html)


class TestFacts:
    def test_are_the_articles_own(self):
        stated = entry()
        assert stated.id == "tag:news.example.org,2026-10-04:world/ferry"
        assert stated.url == "https://news.example.org/world/2026/10/04/ferry/"
        assert stated.title == "Ferry line opens a winter route"
        assert stated.summary == "Two boats a day, and hot soup on both."
        assert stated.authors == (
            FeedAuthor("Mina Okafor", "https://news.example.org/people/mina"),
        )
        assert stated.categories == ("World", "ferries", "winter")
        assert stated.language == "en"
        assert stated.rights == "© 2026 The Harbour Courier"
        assert stated.image is None

    def test_times_are_in_utc(self):
        cairo = timezone(timedelta(hours=3))
        stated = entry(published=datetime(2026, 10, 4, 12, 30, tzinfo=cairo))
        assert stated.published.isoformat() == "2026-10-04T09:30:00+00:00"
        assert stated.updated.isoformat() == "2026-10-04T11:00:00+00:00"

    def test_an_article_never_updated_was_updated_when_published(self):
        assert entry(updated=None).updated == ARTICLE.published

    @pytest.mark.parametrize("missing", ["id", "published", "path"])
    def test_an_article_that_was_not_published_has_none(self, missing: str):
        with pytest.raises(ValueError, match="was not"):
            entry(**{missing: None})

    def test_email_addresses_of_authors_are_kept_out(self):
        stated = entry(byline=(Author("Léo Marchetti", email="leo@example.org", bio="Sails."),))
        assert "leo@example.org" not in json.dumps(stated.to_json())

    def test_the_image_is_the_first_that_the_web_can_show(self):
        pictures = (Image("data:image/png;base64,AAAA"), Image("https://img.example.org/ä b.jpg"))
        assert entry(body=pictures).image == "https://img.example.org/%C3%A4%20b.jpg"

    @pytest.mark.parametrize(
        ("language", "stated"),
        [("ar", "ar"), ("pt_BR", "pt-BR"), (None, "en"), ('x"><script>', "en"), ("", "en")],
    )
    def test_the_language_is_a_tag_or_the_desks(self, language: str | None, stated: str):
        assert entry(language=language).language == stated
        assert f'<div lang="{stated}"' in entry(language=language).content_html

    def test_categories_are_the_desk_and_each_keyword_once(self):
        stated = entry(desk="Business", keywords=("Ports", "ports ", "", "\n", "a\nb"))
        assert stated.categories == ("Business", "Ports", "a b")


class TestSummary:
    def test_is_the_first_paragraph_where_there_is_no_standfirst(self):
        body = (Rule(), *markup.blocks("<h2>Cross</h2><p>First <b>words</b> &amp; more.</p>"))
        assert entry(standfirst=None, body=body).summary == "First words & more."

    def test_is_any_words_where_there_is_no_paragraph(self):
        assert entry(standfirst=None, body=(Code("x = 1\ny = 2"),)).summary == "x = 1 y = 2"
        assert entry(standfirst=None, body=()).summary == ARTICLE.headline

    def test_is_cut_before_a_word_and_not_inside_an_entity(self):
        standfirst = "salt & pepper " * 50
        summary = entry(standfirst=standfirst).summary
        kept = len(summary.removesuffix("…"))
        assert SUMMARY_LENGTH - 10 < len(summary) <= SUMMARY_LENGTH
        assert summary == standfirst[:kept] + "…"
        assert standfirst[kept] == " "

    def test_a_text_that_fits_stays_as_it_is(self):
        assert shortened("Two boats, a day.", 17) == "Two boats, a day."

    def test_a_text_without_spaces_is_cut_between_characters(self):
        assert shortened("渡船開始冬季航線", 5) == "渡船開始…"

    def test_an_emoji_and_a_letter_with_its_marks_stay_whole(self):
        family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
        assert shortened("渡船" + family + "開始", 6) == "渡船…"
        assert shortened("e\u0301" * 5, 6) == "e\u0301e\u0301…"

    @given(st.text(max_size=400), st.integers(min_value=3, max_value=350))
    def test_is_never_longer_and_always_begins_like_the_text(self, text: str, length: int):
        cut = shortened(text, length)
        assert len(cut) <= length
        assert text.startswith(cut.removesuffix("…"))


class TestContent:
    def test_holds_every_kind_of_block_as_correct_html(self):
        content = entry(body=EVERY_BLOCK).content_html
        parsed(content)
        for expected in (
            '<p>A <b>bold</b> claim, <a href="https://example.org/?a=1&amp;b=2">linked</a>.</p>',
            "<h2>On the <em>quay</em></h2>",
            '<ol start="3"><li>Three</li></ol>',
            "<blockquote><p>We sail.</p><footer>The captain</footer></blockquote>",
            '<pre><code class="language-c">if (a &lt; b &amp;&amp; c[d[0]]&gt;0);</code></pre>',
            "<caption>Tides</caption>",
            "<td>Mon &amp; Tue</td>",
            '<img src="https://img.example.org/boat.jpg?w=1&amp;h=2" alt="A &quot;boat&quot;">',
            "<figcaption>At dawn. <small>Ana Ruiz</small></figcaption>",
            "<hr>",
            '<a href="https://video.example.org/v?x=1&amp;y=2">The crossing</a>',
        ):
            assert expected in content

    def test_tells_what_stands_around_the_body(self):
        content = entry(
            dateline="EXAMPLETON, Oct 4 (Courier)",
            editors_note="The timetable is provisional.",
            corrections=("The boat is white, not red.", "It carries 90 people."),
            sources=(
                Source("Tide tables", "Port Office", "https://port.example/t?x=1&y=2"),
                Source("An interview"),
            ),
            byline=(
                Author("Mina Okafor", role="Harbour correspondent", bio="Covers ships."),
                Author("Léo Marchetti"),
            ),
        ).content_html
        parsed(content)
        assert "<p>EXAMPLETON, Oct 4 (Courier) — The first boat left at dawn.</p>" in content
        assert "<p><strong>Editor’s note</strong><br>The timetable is provisional.</p>" in content
        assert "<h2>Corrections</h2>\n<p>The boat is white, not red.</p>" in content
        assert (
            '<li>Port Office – <a href="https://port.example/t?x=1&amp;y=2">Tide tables</a></li>\n'
            "<li>An interview</li>" in content
        )
        assert (
            "<h2>About the author</h2>\n"
            "<p><strong>Mina Okafor</strong> – Harbour correspondent<br>Covers ships.</p>"
            in content
        )
        assert content.endswith("<p><small>© 2026 The Harbour Courier</small></p>\n</div>")

    def test_a_dateline_stands_alone_where_no_paragraph_opens_the_body(self):
        content = entry(dateline="EXAMPLETON", body=EVERY_BLOCK[1:]).content_html
        assert "<p>EXAMPLETON</p>\n<h2>On the <em>quay</em></h2>" in content

    def test_leaves_out_what_the_article_lacks(self):
        bare = entry(standfirst=None, byline=(), rights="").content_html
        assert bare == ('<div lang="en" dir="ltr">\n<p>The first boat left at dawn.</p>\n</div>')

    def test_is_set_from_right_to_left_in_arabic(self):
        content = entry(headline="عبّارة الشتاء", language="ar").content_html
        assert content.startswith('<div lang="ar" dir="rtl">')

    def test_speaks_the_articles_language(self, tmp_path: Path):
        (tmp_path / "locale").mkdir()
        (tmp_path / "locale" / "cy.po").write_text(
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
            'msgid "Sources"\nmsgstr "Ffynonellau"\n',
            "utf-8",
        )
        article = replace(ARTICLE, language="cy", sources=(Source("Llanw"),))
        assert "<h2>Ffynonellau</h2>" in render(article, DESK, Templates(tmp_path)).content_html

    def test_is_the_newsrooms_own_where_it_has_a_template(self, tmp_path: Path):
        (tmp_path / "feed").mkdir()
        own = tmp_path / "feed" / "content.html"
        own.write_text("<p>{{ article.headline }} in {{ language }}</p>", "utf-8")
        stated = render(ARTICLE, DESK, Templates(tmp_path))
        assert stated.content_html == "<p>Ferry line opens a winter route in en</p>"
        own.write_text("<p>{{ headlin }}</p>", "utf-8")
        with pytest.raises(TemplateError, match=r"content\.html, line 1: 'headlin' is undefined"):
            render(ARTICLE, DESK, Templates(tmp_path))

    def test_links_nowhere_but_to_the_web(self):
        content = entry(
            sources=(Source("Trap", url="javascript:alert(1)"), Source("Near", url="/relative")),
            byline=(Author("Mina Okafor", url="javascript:alert(2)", bio="Covers ships."),),
            body=markup.blocks(
                '<p><a href="javascript:x">a</a> <a href="/b">b</a></p><img src="c">'
            ),
        ).content_html
        addresses = [
            value
            for element in parsed(content).iter()
            for name, value in element.attrib.items()
            if name in ("href", "src")
        ]
        assert addresses == []
        assert "Trap" in content

    @pytest.mark.parametrize(
        "field", ["headline", "standfirst", "dateline", "editors_note", "rights"]
    )
    def test_shows_text_that_looks_like_markup_as_text(self, field: str):
        hostile = "</div><script>alert(1)</script> & {{ 7*7 }} ]]>"
        stated = entry(**{field: hostile})
        tags = {element.tag for element in parsed(stated.content_html).iter()}
        assert tags <= {"DOCUMENT_FRAGMENT", "div", "p", "strong", "br", "small"}
        if field != "headline":
            assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7*7 }}" in stated.content_html


class TestCharacters:
    def test_what_no_feed_can_hold_is_left_out_everywhere(self):
        stated = entry(
            headline="A\x00B\ufffe\ud800\x07",
            standfirst="C\x08D\U0001ffff",
            body=(Paragraph(escape("E\x0eF")), Code("G\x1bH\x9f\ufdd0")),
            byline=(Author("I\x01J"), Author("\x02")),
            keywords=("K\x03L",),
            rights="M\x04N",
        )
        assert (stated.title, stated.summary, stated.rights) == ("AB", "CD", "MN")
        assert [author.name for author in stated.authors] == ["IJ"]
        assert stated.categories == ("World", "KL")
        assert "EF" in stated.content_html
        assert "GH" in stated.content_html

    def test_what_text_needs_stays(self):
        headline = "نمی\u200cخواهم \U0001f469\u200d\U0001f680 क\u094d\u200dष naïve"
        assert entry(headline=headline).title == headline

    def test_a_headline_of_nothing_else_gives_way_to_the_address(self):
        assert (
            entry(headline="\x00\x01").title == "https://news.example.org/world/2026/10/04/ferry/"
        )

    @given(st.text(max_size=60))
    def test_every_string_is_xml(self, text: str):
        words = " ".join(text.split())
        stated = entry(
            headline=words or "x", standfirst=words, editors_note=text, keywords=(text,)
        )  # fmt: skip
        strings = [stated.title, stated.summary, stated.content_html, *stated.categories]
        assert all(strings)
        assert not any(
            re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", s) for s in strings
        )


class TestWebUri:
    @pytest.mark.parametrize(
        ("url", "uri"),
        [
            ("https://example.org/a?b=c&d=e#f", "https://example.org/a?b=c&d=e#f"),
            ("https://example.org/100% \"<>|^`{}\\", "https://example.org/100%25%20%22%3C%3E%7C%5E%60%7B%7D%5C"),
            ("https://example.org/%C3%A4%zz", "https://example.org/%C3%A4%25zz"),
            ("https://example.org/a[1]?b[2]#c#d", "https://example.org/a%5B1%5D?b%5B2%5D#c%23d"),
            ("https://zürich.example:8080/ä", "https://xn--zrich-kva.example:8080/%C3%A4"),
            ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
            ("https://example.org/\ud800", "https://example.org/%3F"),
        ],
    )  # fmt: skip
    def test_is_percent_encoded(self, url: str, uri: str):
        assert web_uri(url) == uri

    @pytest.mark.parametrize(
        "url",
        [None, "", "/a", "mailto:a@example.org", "javascript:alert(1)", "https://", "http://[::1",
         "https://ä.example:port/", f"https://{'ä' * 80}.example/"],
    )  # fmt: skip
    def test_is_none_for_anything_but_the_web(self, url: str | None):
        assert web_uri(url) is None

    @given(st.text(max_size=80))
    def test_holds_only_what_a_uri_may(self, text: str):
        uri = web_uri(f"https://example.org/{text}")
        assert uri is not None
        assert re.fullmatch(r"https://example\.org[\w.~:/?#@!$&'()*+,;=%-]*", uri, re.ASCII)


class TestStored:
    def test_comes_back_as_it_was(self):
        stated = entry(byline=(Author("Mina Okafor", url="https://example.org/"), Author("Léo")))
        assert FeedEntry.from_json(json.loads(json.dumps(stated.to_json()))) == stated

    @pytest.mark.parametrize(
        "damage", [{"published": "yesterday"}, {"authors": [1]}, {"colour": "red"}]
    )
    def test_damage_is_told(self, damage: dict[str, object]):
        with pytest.raises(StoreError, match="Publish its article again"):
            FeedEntry.from_json(entry().to_json() | damage)

    def test_a_missing_fact_is_told(self):
        facts = entry().to_json()
        del facts["url"]
        with pytest.raises(StoreError, match="url"):
            FeedEntry.from_json(facts)


def test_the_same_article_gives_the_same_entry():
    assert entry(body=EVERY_BLOCK) == entry(body=EVERY_BLOCK)
