"""A page saved from a content management system, to an Article."""

from __future__ import annotations

import builtins
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch import markup
from dispatch.article import Article, Author, Crosshead, Html, Image, List, Paragraph, Source
from dispatch.errors import ArticleError
from dispatch.readers import webpage
from dispatch.readers.webpage import looks_like, read

NAME = "story.html"
URL = "https://courier.example/world/boats"
LINE = "The harbour master counted forty boats on the quay before the storm and thirty-one after it had passed over the islands, {}."


def paragraphs(count: int, about: str = "he said") -> str:
    return "".join(f"<p>{LINE.format(f'{about} {n}')}</p>\n" for n in range(count))


TEXT = paragraphs(4)


def page(
    body: str, head: str = "", *, title: str = "Boats lost", attributes: str = 'lang="en"'
) -> str:
    return (
        f"<!DOCTYPE html>\n<html {attributes}>\n<head>\n<meta charset=utf-8>\n<title>{title}</title>\n"
        f'<link rel="canonical" href="{URL}">\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>'
    )


def linked(**facts: Any) -> str:
    thing = {"@context": "https://schema.org", "@type": "NewsArticle", **facts}
    return f'<script type="application/ld+json">\n{json.dumps(thing, indent=1)}\n</script>'


def article(
    head: str = "", body: str = f"<article><h1>Boats lost</h1>{TEXT}</article>", **more: str
) -> Article:
    return read(page(body, head, **more), NAME)


def told(found: Article) -> str:
    return "\n".join(map(markup.block_text, found.body))


def is_the_text(found: Article) -> bool:
    return told(found) == "\n".join(LINE.format(f"he said {n}") for n in range(4))


class TestHeadline:
    @pytest.mark.parametrize(
        ("head", "body", "title", "headline"),
        [
            (linked(headline="From data") + "<meta property=og:title content='From meta'>", "<h1>Shown</h1>", "Title", "From data"),
            ("<meta property=og:title content='From meta'>", "<h1>Shown</h1>", "Title", "From meta"),
            ("<meta name=twitter:title content='From meta'>", "<h1>Shown</h1>", "Title", "From meta"),
            ("", "<h1>The Courier</h1><h2 itemprop=headline>Marked</h2>", "Title", "Marked"),
            ("", "<h1> Shown <em>here</em>\n</h1>", "Title", "Shown here"),
            ("", "", "Only &amp; title", "Only & title"),
            (linked(headline="Boats &amp; ships <b>lost</b> &#8216;again&#8217;"), "", "Title", "Boats & ships lost ‘again’"),
            (linked(headline="A headline that was cut off at its …"), "<h1>A headline that was cut off at its end</h1>", "", "A headline that was cut off at its end"),
            (linked(headline="Two\nlines"), "", "", "Two lines"),
            (linked(headline=""), "<h1>Shown</h1>", "", "Shown"),
            (linked(headline=["List"], name={"a": 1}), "<h1>Shown</h1>", "", "Shown"),
        ],
    )  # fmt: skip
    def test_data_goes_before_meta_before_the_page(
        self, head: str, body: str, title: str, headline: str
    ):
        assert article(head, f"<article>{body}{TEXT}</article>", title=title).headline == headline

    @pytest.mark.parametrize(
        "title",
        ["Boats lost | The Courier", "Boats lost - The Courier", "The Courier — Boats lost", "Boats lost · courier.example", "Boats lost | courier", "Boats lost - THE COURIER | courier.example"],
    )  # fmt: skip
    def test_the_name_of_the_site_is_no_part_of_it(self, title: str):
        head = "<meta property=og:site_name content='The Courier'>"
        assert article(head, f"<article>{TEXT}</article>", title=title).headline == "Boats lost"
        meta = head + f"<meta property=og:title content='{title}'>"
        assert article(meta, f"<article>{TEXT}</article>").headline == "Boats lost"

    @pytest.mark.parametrize(
        "title", ["Boats lost - and found", "North | South", "Boats-lost: why"]
    )
    def test_what_may_be_part_of_it_stays(self, title: str):
        assert article("", f"<article>{TEXT}</article>", title=title).headline == title

    def test_a_heading_that_is_the_site_is_none(self):
        head = "<meta property=og:site_name content='The Courier'>"
        body = f"<h1>The Courier</h1><article><h1>Boats lost</h1>{TEXT}</article>"
        assert article(head, body, title="").headline == "Boats lost"

    def test_without_one_there_is_no_article(self):
        with pytest.raises(
            ArticleError, match=r"^story\.html: no headline was found in this page\."
        ):
            article("", f"<article>{TEXT}</article>", title="")


class TestStandfirst:
    @pytest.mark.parametrize(
        ("head", "body", "standfirst"),
        [
            (linked(headline="B", description="From data.") + "<meta name=description content='From meta.'>", "", "From data."),
            ("<meta property=og:description content='From meta.'>", "<p class=standfirst>Shown.</p>", "From meta."),
            ("", "<p class='article__dek'>Shown.</p>", "Shown."),
            ("", "<h2 class='story-subtitle'>Shown.</h2>", "Shown."),
            ("<meta name=description content='Nine boats were lost in the…'>", "<p class=dek>Nine boats were lost in the gale.</p>", "Nine boats were lost in the gale."),
            ("<meta name=description content='Boats lost'>", "", None),
            (f"<meta name=description content='{LINE.format('he said 0')[:90]}...'>", "", None),
            (f"<meta name=description content='{LINE.format('he said 0')}'>", "", None),
            (f"<meta name=description content='{LINE.format('he said 0')}'><meta name=twitter:description content='Another.'>", "", "Another."),
            ("", "", None),
        ],
    )  # fmt: skip
    def test_is_neither_the_headline_nor_cut_out_of_the_text(
        self, head: str, body: str, standfirst: str | None
    ):
        found = article(head, f"<article><h1>Boats lost</h1>{body}{TEXT}</article>")
        assert found.standfirst == standfirst
        assert is_the_text(found)


class TestFacts:
    def test_data_is_read_whole(self):
        found = article(
            linked(
                headline="Boats lost",
                datePublished="2026-11-03T05:45:00Z",
                dateModified="2026-11-03T10:10:00+01:00",
                inLanguage="pt_br",
                articleSection=["World/Coast", "Storms"],
                keywords="boats, storms,, islands",
                dateline="SUND",
                copyrightYear=2026,
                copyrightHolder={"@type": "Organization", "name": "The Courier"},
                author=[
                    {"@type": "Person", "name": "Ann Lee", "jobTitle": "Reporter", "description": "Covers ports.", "email": "mailto:ann@example.org", "url": "/people/ann", "image": "x"},
                    "Ben Ode",
                    {"@type": "Person", "givenName": "Cid", "familyName": "Poe", "email": "none"},
                    {"@type": "Organization"},
                ],
                citation=[{"@type": "Report", "name": "Losses", "publisher": {"name": "Port"}, "url": "https://port.example/l"}, "A letter"],
            )
        )  # fmt: skip
        assert found.published == datetime(2026, 11, 3, 5, 45, tzinfo=UTC)
        assert found.updated == datetime(2026, 11, 3, 9, 10, tzinfo=UTC)
        assert (found.language, found.desk, found.dateline) == ("pt-BR", "World", "SUND")
        assert found.keywords == ("boats", "storms", "islands", "Coast")
        assert found.rights == "© 2026 The Courier"
        assert found.byline == (
            Author(
                "Ann Lee",
                "Reporter",
                None,
                "Covers ports.",
                "ann@example.org",
                "https://courier.example/people/ann",
            ),
            Author("Ben Ode"),
            Author("Cid Poe"),
        )
        assert found.sources == (
            Source("Losses", "Port", "https://port.example/l"),
            Source("A letter"),
        )
        assert found.notes == ()
        assert (found.reader, found.extra) == ("webpage", ())

    def test_meta_is_read_where_there_is_no_data(self):
        found = article(
            "<meta property=article:published_time content=2026-11-03T05:45:00Z>"
            "<meta property=og:updated_time content=2026-11-03T06:00:00Z>"
            "<meta property=article:section content=World>"
            "<meta property=article:tag content=boats><meta property=article:tag content='a, b'>"
            "<meta name=author content='Ann Lee and Ben Ode'><meta name=copyright content='© The Courier'>"
            "<meta property=article:author content=https://example.org/ann>",
            attributes="lang='EN-gb'",
        )
        assert found.published == datetime(2026, 11, 3, 5, 45, tzinfo=UTC)
        assert found.updated == datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
        assert (found.desk, found.language, found.rights) == ("World", "en-GB", "© The Courier")
        assert found.keywords == ("boats", "a", "b")
        assert found.byline == (Author("Ann Lee"), Author("Ben Ode"))

    @pytest.mark.parametrize(
        "shown",
        [
            "<p class=byline>By <a rel=author href=/a>Ann Lee</a></p>",
            "<span itemprop=author>Ann Lee</span>",
            "<div class='article-byline'>By Ann Lee</div>",
        ],
    )
    def test_the_page_is_read_where_there_is_neither(self, shown: str):
        body = f"<article><h1>Boats lost</h1>{shown}<time datetime='2026-11-03T05:45:00Z'>today</time>{TEXT}</article>"
        found = article("", body)
        assert found.byline == (Author("Ann Lee"),)
        assert found.published == datetime(2026, 11, 3, 5, 45, tzinfo=UTC)
        assert is_the_text(found)

    def test_those_who_comment_are_no_authors(self):
        comment = "<div class=comment-list><cite itemprop=author>Troll</cite></div><aside><b itemprop=author>Else</b></aside>"
        found = article(
            "",
            f"<article><h1>Boats lost</h1><b itemprop=author>Ann Lee</b>{TEXT}{comment}</article>",
        )
        assert found.byline == (Author("Ann Lee"),)

    def test_an_update_at_the_time_of_publication_is_none(self):
        when = "2026-11-03T05:45:00Z"
        assert article(linked(headline="B", datePublished=when, dateModified=when)).updated is None

    @pytest.mark.parametrize("language", ["english", "", "x", "../en"])
    def test_a_language_that_is_none_is_left_aside(self, language: str):
        head = linked(headline="B", inLanguage=language)
        assert article(head, attributes=f'lang="{language}"').language is None
        assert article(head, attributes='lang="de"').language == "de"


class TestTimes:
    @pytest.mark.parametrize("value", ["2026-11-03T05:45:00", "2026-11-03", "yesterday"])
    def test_a_naive_or_unreadable_one_is_an_error_with_field_and_line(self, value: str):
        with pytest.raises(ArticleError, match=r"^story\.html, line 12: the field datePublished "):
            article(linked(headline="B", datePublished=value))
        with pytest.raises(
            ArticleError, match=r"^story\.html, line 7: the field article:modified_time "
        ):
            article(f"<meta property=article:modified_time content={value}>")

    def test_another_one_that_can_be_read_is_taken_with_a_note(self):
        found = article(
            linked(headline="B", datePublished="2026-11-03T05:45:00")
            + "<meta property=article:published_time content=2026-11-03T05:45:00+01:00>"
        )
        assert found.published is not None
        assert found.published.isoformat() == "2026-11-03T05:45:00+01:00"
        assert [(note.level, note.where) for note in found.notes] == [("info", "datePublished")]

    def test_a_time_in_the_text_may_be_any_date(self):
        body = f"<article><h1>Boats lost</h1><p>In <time datetime=1931>1931</time> {LINE}</p>{TEXT}</article>"
        assert article("", body).published is None


class TestLinkedData:
    def test_is_found_wherever_it_is_nested(self):
        thing = {"@type": ["Thing", "https://schema.org/ReportageNewsArticle"], "headline": "Found"}
        for nested in (
            thing,
            [thing],
            {"@graph": [{"@type": "WebSite"}, thing]},
            {"@type": "WebPage", "mainEntity": thing},
            [[{"@graph": thing}]],
        ):
            assert (
                article(
                    f"<script type='application/LD+JSON; charset=utf-8'>{json.dumps(nested)}</script>"
                ).headline
                == "Found"
            )

    def test_references_are_followed(self):
        graph = {
            "@graph": [
                {
                    "@type": "NewsArticle",
                    "headline": "B",
                    "author": {"@id": "#ann"},
                    "publisher": {"@id": "#p"},
                },
                {"@type": "Person", "@id": "#ann", "name": "Ann Lee"},
                {"@type": "Person", "@id": "#self", "author": {"@id": "#self"}},
            ]
        }
        found = article(f"<script type=application/ld+json>{json.dumps(graph)}</script>")
        assert found.byline == (Author("Ann Lee"),)

    def test_of_several_articles_the_one_that_the_page_shows_is_taken(self):
        related = linked(headline="Related", url="https://courier.example/other")
        assert (
            article(
                related
                + linked(headline="By address", mainEntityOfPage={"@id": URL + "/"})
                + related
            ).headline
            == "By address"
        )
        assert article(related + linked(headline="Boats lost") + related).headline == "Boats lost"

    @pytest.mark.parametrize(
        "script",
        ["{broken", '{"a": 1,}', "[" * 100_000, '{"a": ' * 50_000, "", "1" * 10_000, "\x00"],
    )
    def test_what_is_broken_is_left_aside_with_a_note(self, script: str):
        found = article(
            f"<script type=application/ld+json>{script}</script>" + linked(headline="Whole")
        )
        assert found.headline == "Whole"
        assert [(note.level, note.where) for note in found.notes] == [("info", "JSON-LD")]

    @pytest.mark.parametrize(
        "script", ["<!-- {} -->", "//<![CDATA[\n{}\n//]]>", "/*<![CDATA[*/{}/*]]>*/", "{};"]
    )
    def test_what_is_wrapped_is_read(self, script: str):
        data = json.dumps({"@type": "Article", "headline": "Wrapped"})
        assert (
            article(
                f"<script type=application/ld+json>{script.replace('{}', data)}</script>"
            ).headline
            == "Wrapped"
        )

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                st.sampled_from(["@graph", "@id", "@type", "name", "headline", "url", "author", "articleBody", "keywords"]), inner, max_size=4
            ),
            max_leaves=10,
        ),
        st.sampled_from(["author", "articleSection", "keywords", "citation", "publisher", "headline", "mainEntityOfPage", "inLanguage", "description", "articleBody", "@graph", "copyrightHolder"]),
    )  # fmt: skip
    @settings(derandomize=True, max_examples=200, deadline=None)
    def test_of_any_shape_is_read_or_left_aside(self, value: object, key: str):
        source = json.dumps({"@type": "NewsArticle", key: value}).replace("</", "<\\/")
        found = article(f"<script type=application/ld+json>{source}</script>")
        assert found.headline
        assert found.body


class TestWhereTheTextIs:
    @pytest.mark.parametrize(
        "body",
        [
            f"<div><div itemprop=articleBody>{TEXT}</div>{paragraphs(1, 'aside')}</div>",
            f"<article><h1>Boats lost</h1>{TEXT}</article>",
            f"<article>{paragraphs(9, 'other')}</article><article><h1>Boats lost</h1>{TEXT}</article>",
            f"<article><p>Teaser</p></article><article>{TEXT}</article>",
            f"<main><h1>Boats lost</h1>{TEXT}</main><div>{paragraphs(9, 'other')}</div>",
            f"<div role=main><h1>Boats lost</h1>{TEXT}</div>",
            f"<div><h1>Boats lost</h1><div class='entry-content clear'>{TEXT}</div><div>{paragraphs(2, 'other')}</div></div>",
            f"<div id=article-body>{TEXT}</div><div>{paragraphs(2, 'other')}</div>",
            f"<article>{paragraphs(1, 'kicker')}<div class=storyBody>{TEXT}</div></article>",
            f"<article><h1>Boats lost</h1></article><main>{TEXT}</main>",
            f"<form id=aspnetForm><div><h1>Boats lost</h1>{TEXT}</div></form>",
            f"<div aria-hidden=true><main>{TEXT}</main></div><div role=dialog>{paragraphs(1, 'cookie')}</div>",
            f"<div><div><h1>Boats lost</h1><div>{TEXT}</div></div><div><p>Short.</p></div></div>",
        ],
    )  # fmt: skip
    def test_is_found(self, body: str):
        assert is_the_text(article("", body))

    def test_text_in_marked_pieces_is_put_together(self):
        pieces = TEXT.replace("<p>", "<p itemprop=articleBody>")
        assert is_the_text(
            article("", f"<div><div class=a>{pieces}</div><div>{paragraphs(1, 'x')}</div></div>")
        )

    @pytest.mark.parametrize(
        "extra",
        [
            "<nav><p>extra</p></nav>",
            "<aside><h3>extra</h3><p>extra</p></aside>",
            "<form><p>extra</p><input></form>",
            "<footer><p>extra</p></footer>",
            "<div role=complementary>extra</div>",
            "<div hidden>extra</div>",
            "<p style='Display : None'>extra</p>",
            "<p aria-hidden=true>extra</p>",
            "<p class=byline>extra</p>",
            "<div class='share-bar'>extra</div>",
            "<ul class='article__social'><li>extra</li></ul>",
            "<div class=sharedaddy><h3>extra</h3></div>",
            "<section id=relatedStories><h2>extra</h2></section>",
            "<div class='c-newsletter-signup'>extra</div>",
            "<div class='ad ad--wide'>extra</div>",
            "<div class='AdSlot'>extra</div>",
            "<div class='cookie-banner'>extra</div>",
            "<div class='author-box'><p>extra</p></div>",
            f"<div id=comments>{paragraphs(9, 'extra')}</div>",
            "<script>extra</script><style>extra</style><noscript>extra</noscript><template>extra</template>",
            "<button>extra</button><select><option>extra</select>",
        ],
    )
    def test_what_surrounds_it_is_left_out(self, extra: str):
        found = article("", f"<article><h1>Boats lost</h1>{extra}{TEXT}{extra}</article>")
        assert "extra" not in told(found)
        assert is_the_text(found)

    @pytest.mark.parametrize(
        "kept",
        [
            "<blockquote><p>kept</p><footer>Una Farrel</footer></blockquote>",
            "<div class='no-ads'><p>kept</p></div>",
            "<div class='has-share-bar'>kept</div>",
            f"<p class='before-ad'>kept {LINE}</p>",
            f"<p class='related'>kept {LINE}</p>",
            "<section><header><h2>kept</h2></header></section>",
            "<p>By Ann Lee's account, kept.</p>",
            "<p>Text by <span class=author>kept</span></p>",
            "<table class=tags><tr><td>kept<td>x</table>",
        ],
    )
    def test_what_only_looks_like_it_stays(self, kept: str):
        assert "kept" in told(
            article("", f"<article><h1>Boats lost</h1>{TEXT}{kept}{TEXT}</article>")
        )

    def test_the_head_is_not_repeated_in_the_body(self):
        head = linked(
            headline="Boats lost",
            description="Nine are missing.",
            author="Ann Lee",
            articleSection="World",
        )
        above = (
            "<p>World</p><h1>BOATS LOST</h1><h2>Nine are missing</h2><p>By Ann Lee in Sund</p>"
            "<p>3 November 2026, 05:45</p><figure><img src=/i.jpg alt=Pier></figure>"
        )
        found = article(head, f"<article>{above}{TEXT}</article>")
        assert found.body[0] == Image("https://courier.example/i.jpg", "Pier")
        assert found.body[1] == Paragraph(Html(LINE.format("he said 0")))

    def test_a_first_sentence_that_names_the_author_or_a_year_stays(self):
        for first in ("Ann Lee was there.", "In 2026, 31 boats were left.", "“Ann Lee?”"):
            body = f"<article><h1>Boats lost</h1><p>{first}</p>{TEXT}</article>"
            assert told(article(linked(headline="Boats lost", author="Ann Lee"), body)).startswith(
                first
            )

    def test_blocks_and_links_are_kept(self):
        body = f"<article><h1>Boats lost</h1>{TEXT}<h2>Cross</h2><ul><li><a href='../x?a=1&b=2'>a</a></ul></article>"
        assert article("", body).body[4:] == (
            Crosshead(Html("Cross")),
            List(((Paragraph(Html('<a href="https://courier.example/x?a=1&amp;b=2">a</a>')),),)),
        )


class TestTextElsewhere:
    def test_json_ld_is_taken_where_the_page_shows_none(self):
        told_whole = (
            "First paragraph, which is long enough.\n\nSecond <b> paragraph. " + "More. " * 20
        )
        found = article(linked(headline="B", articleBody=told_whole), "<div id=root></div>")
        assert found.body[0] == Paragraph(Html("First paragraph, which is long enough."))
        assert "Second &lt;b&gt; paragraph." in markup.block_html(found.body[1])
        assert [(note.level, note.where) for note in found.notes] == [("warning", "body")]

    def test_json_ld_with_markup_is_read_as_markup(self):
        found = article(
            linked(headline="B", articleBody="<p>One <b>b</b>.</p><p>Two.</p>"), "<div></div>"
        )
        assert found.body == (Paragraph(Html("One <b>b</b>.")), Paragraph(Html("Two.")))

    def test_json_ld_is_not_taken_where_the_page_shows_as_much(self):
        assert is_the_text(article(linked(headline="B", articleBody="Another text. " * 20)))

    SCATTERED = "".join(
        f"<div class=w{n}><div>{paragraphs(1, str(n))}</div></div>" for n in range(6)
    )

    def test_trafilatura_helps_where_the_page_marks_nothing_and_it_is_installed(self):
        pytest.importorskip("trafilatura")
        found = article("", f"<div><h1>Boats lost</h1>{self.SCATTERED}</div>")
        assert told(found).count("harbour master") == 6
        assert any("trafilatura" in note.message for note in found.notes)

    def test_without_it_the_part_with_most_paragraphs_is_taken(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        there = builtins.__import__

        def without(name: str, *rest: Any, **more: Any) -> Any:
            if name == "trafilatura":
                raise ImportError(name)
            return there(name, *rest, **more)

        monkeypatch.setattr(builtins, "__import__", without)
        found = article(
            "", f"<nav>{paragraphs(1, 'menu')}</nav><div><h1>Boats lost</h1>{self.SCATTERED}</div>"
        )
        assert told(found).count("harbour master") == 6
        assert found.notes == ()

    def test_fragments_are_read_whole(self):
        found = read("<h1>Ferry</h1><p>One.</p><p>Two <b>b</b>.</p>", NAME)
        assert found.headline == "Ferry"
        assert found.body == (Paragraph(Html("One.")), Paragraph(Html("Two <b>b</b>.")))

    @pytest.mark.parametrize(
        "body",
        ["", "<div id=root></div>", "<ul>" + "<li><a href=/x>Headline</a>" * 30 + "</ul>", "<article><h1>Boats lost</h1></article>"],
    )  # fmt: skip
    def test_without_text_there_is_no_article(self, body: str):
        with pytest.raises(
            ArticleError, match=r"^story\.html: no article was found in this page\."
        ):
            article("", body)


class TestImages:
    @pytest.mark.parametrize(
        "image",
        [
            "<img src=/i.jpg srcset='/small.jpg 320w, /big.jpg 2x'>",
            "<img src='data:image/gif;base64,R0' data-src=/i.jpg>",
            "<img src=/placeholder.png data-original=/i.jpg>",
            "<img src=/img/spacer.gif srcset='/a.jpg 320w, /i.jpg 1600w, /huge.jpg 6000w'>",
            "<img data-srcset='/a.jpg 1x, /i.jpg 2x'>",
            "<picture><source srcset='/a.jpg 400w, /i.jpg 800w'><img src='data:,'></picture>",
            "<img src=''><noscript><img src=/i.jpg></noscript>",
            "<amp-img src=/i.jpg width=600></amp-img>",
            "<img src='//courier.example/i.jpg'>",
        ],
    )
    def test_are_found_behind_what_loads_them_late(self, image: str):
        found = article("", f"<article><h1>Boats lost</h1>{TEXT}{image}</article>").body[4:]
        assert found == (Image("https://courier.example/i.jpg"),)

    def test_keep_caption_and_credit(self):
        figure = "<figure><img src=/i.jpg alt=Pier><figcaption>At Sund. <span>Photo: Ivo Brandt</span></figcaption></figure>"
        found = article("", f"<article><h1>Boats lost</h1>{TEXT}{figure}</article>")
        assert found.body[4] == Image(
            "https://courier.example/i.jpg", "Pier", Html("At Sund."), "Ivo Brandt"
        )

    def test_the_picture_above_the_text_opens_it(self):
        figure = "<figure><img src=/i.jpg alt=Pier></figure>"
        body = f"<article><h1>Boats lost</h1><aside><figure><img src=/ad.jpg></figure></aside>{figure}<div itemprop=articleBody>{TEXT}</div></article>"
        found = article("", body)
        assert found.body[0] == Image("https://courier.example/i.jpg", "Pier")
        assert len(found.body) == 5
        below = body.replace(figure, "").replace("</article>", figure + "</article>")
        assert len(article("", below).body) == 4

    def test_those_that_count_readers_are_left_out(self):
        image = "<img src=/t.gif width=1 height=1>"
        assert is_the_text(article("", f"<article><h1>Boats lost</h1>{TEXT}{image}</article>"))

    def test_those_that_were_saved_beside_the_page_are_told(self):
        found = article(
            "", f"<article><h1>Boats lost</h1>{TEXT}<img src='./Boats_files/i.jpg'></article>"
        )
        assert is_the_text(found)
        (note,) = found.notes
        assert note.level == "warning"
        assert "./Boats_files/i.jpg" in note.message


class TestAddresses:
    LINK = f"<article><h1>Boats lost</h1>{TEXT}<p><a href=/x>x</a></p></article>"

    def link(self, source: str) -> str:
        block = read(source, NAME).body[-1]
        return dict(markup.links(block.html)).get("x", "") if isinstance(block, Paragraph) else ""

    @pytest.mark.parametrize(
        "source",
        [
            f"<base href='https://courier.example/'>{LINK}",
            f"<link rel=canonical href='https://courier.example/a/b'>{LINK}",
            f"<meta property=og:url content='https://courier.example/a/b'>{LINK}",
            f"<base href='/c/'><link rel=canonical href='https://courier.example/a/b'>{LINK}",
            f"<!-- saved from url=(0031)https://courier.example/a/b -->\n<html>{LINK}</html>",
            f"<html><!--\n Page saved with SingleFile \n url: https://courier.example/a/b \n saved date: x -->{LINK}</html>",
        ],
    )  # fmt: skip
    def test_are_completed_by_where_the_page_was(self, source: str):
        assert self.link(source) == "https://courier.example/x"

    def test_without_that_they_are_told(self):
        found = read(self.LINK, NAME)
        assert self.link(self.LINK) == ""
        assert [note.message for note in found.notes] == [
            "1 link was taken off its text, for want of an address that begins with https://: /x."
        ]

    def test_a_base_that_is_none_is_not_used(self):
        for base in ("javascript:alert(1)", "https://example.org/" + "x" * 5_000, "http://["):
            assert self.link(f"<base href='{base}'>{self.LINK}") == ""


class TestElementsThatAreLeftOut:
    def test_are_told_where_they_took_text_of_the_article_along(self):
        text = f"{TEXT}<p>The formula is <math><mi>x</mi></math>.</p>"
        assert [note.message for note in article(body=f"<article>{text}</article>").notes] == [
            "1 element was left out with the text in it: <math>."
        ]

    def test_are_not_told_where_pages_always_have_them(self):
        usual = (
            "<script>count()</script><style>p {}</style><noscript>Turn scripts on.</noscript>"
            "<button>Share</button><svg><title>Share</title></svg><template>x</template>"
        )
        assert article(body=f"<article>{TEXT}{usual}</article>").notes == ()


class TestLooksLike:
    @pytest.mark.parametrize(
        "text",
        [
            "<!DOCTYPE html><html><body>x</body></html>",
            "\n\n<!doctype HTML>",
            "<html lang=en>",
            "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'>",
            "<!-- saved from url=(0014)https://x.example/ -->\n<html>",
            "<head><title>x</title>",
            "<h1>Ferry</h1>\n<p>Text.</p>",
            "<p>One.</p><p>Two.</p>",
            "<article><p>One.</p></article>",
            "<div class=x>\n<p>One.</p>\n</div>",
        ],
    )
    def test_documents_and_fragments(self, text: str):
        assert looks_like(text)

    @pytest.mark.parametrize(
        "text",
        ["", "Text with <b>tags</b> and <p>.", "<3 ferries", "<Ann> said: hello", "# Ferry\n\n<p>x</p>", "<!-- x -->\nText", "<b>Ferry</b>\nText", "<https://example.org/>", "<p>Ferry"],
    )  # fmt: skip
    def test_nothing_else(self, text: str):
        assert not looks_like(text)

    def test_takes_no_time_on_what_is_long(self):
        before = time.process_time()
        for text in (
            "<!--" * 200_000,
            "<!-- " + "x" * 500_000,
            "<p " * 200_000,
            " " * 500_000,
            "<?xml" * 100_000,
        ):
            looks_like(text)
        assert time.process_time() - before < CPU_SECONDS


NESTED = 1_900
HOSTILE = {
    "a hundred thousand open tags": "<html><body>" + "<div>" * 100_000 + "x",
    "attributes": "<html><body><p " + " ".join(f"a{n}" for n in range(50_000)) + ">x",
    "deep articles": "<html><h1>x</h1>" + "<article>" * NESTED + "<p>x" * 50_000,
    "deep marks": "<html><h1>x</h1>" + "<div itemprop=articleBody class=byline>" * NESTED + "<p>x" * 50_000,
    "deep figures": "<html><h1>x</h1><main>" + "<figure>" * NESTED + "<p>x" * 50_000 + "<div class=entry-content>" + TEXT,
    "deep headings": "<html>" + "<h1><div>" * (NESTED // 2) + "<p>x" * 50_000,
    "deep comments": "<html><h1>x</h1>" + "<div class=comments>" * NESTED + "<p>x" * 50_000,
    "deep text": "<html><h1>x</h1>" + "<div><p>x</p>" * NESTED,
    "footers": "<html><h1>x</h1><article>" + "<div>" * NESTED + "<footer>x</footer>y" * 30_000,
    "hidden": "<html><h1>x</h1><article>" + TEXT + "<i hidden>x</i>y" * 50_000,
    "styles": "<html><h1>x</h1><article>" + TEXT + f"<p style='{' ' * 500_000}'>x",
    "classes": "<html><h1>x</h1><article>" + TEXT + f"<p class='{'aB' * 200_000}' id='{'a ' * 200_000}'>x",
    "srcsets": "<html><h1>x</h1><article>" + TEXT + f"<img srcset='{'/a.jpg 1w, ' * 50_000}'>",
    "sources": "<html><h1>x</h1><article>" + TEXT + "<picture>" + "<source srcset=/a>" * 1_000 + "<img>" * 1_000,
    "times": "<html><h1>x</h1><main>" + TEXT + "<time datetime=x>" * 1_500 + "<time datetime=x></time>" * 20_000,
    "titles": "<html>" + "<title>x - </title>" * 20_000 + "<h1>x</h1>" + TEXT,
    "a long title": f"<html><title>{'x - ' * 100_000}</title>" + TEXT,
    "meta": "<html><h1>x</h1>" + "<meta property=og:title content=x><meta name=description content=y>" * 10_000 + TEXT,
    "data": "<html><h1>x</h1>" + "<script type=application/ld+json>{}</script>" * 10_000 + TEXT,
    "a lot of data": "<html><h1>x</h1><script type=application/ld+json>[" + '{"@type":"Article","headline":"x"},' * 50_000 + "{}]</script>" + TEXT,
    "wrapped data": "<html><h1>x</h1><script type=application/ld+json>" + "<!--" * 50_000 + "-->" * 50_000 + "</script>" + TEXT,
}  # fmt: skip


class TestBounds:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_pages_are_read_or_refused_in_time(self, name: str):
        before = time.process_time()
        try:
            read(HOSTILE[name], NAME)
        except ArticleError as error:
            assert str(error).endswith(("try again.", "plain text.", "or Markdown."))
        assert time.process_time() - before < CPU_SECONDS

    def test_five_megabytes_take_seconds(self):
        before = time.process_time()
        found = read(page(f"<article><h1>Boats lost</h1>{paragraphs(36_000)}</article>"), NAME)
        assert len(found.body) == 36_000
        assert time.process_time() - before < CPU_SECONDS


class TestAnyPage:
    @given(st.lists(st.sampled_from([
        "<article>", "</article>", "<main>", "<div class=share>", "<div class=comments>", "</div>", "<aside>", "</aside>", "<header>", "</header>",
        "<footer>", "</footer>", "<h1>Boats lost</h1>", "<h2>x</h2>", "<p>", "</p>", f"<p>{LINE}</p>", "<figure>", "</figure>", "<img src=/i.jpg>",
        "<p class=byline>By Ann Lee</p>", "<p class=standfirst>s</p>", "<time datetime=2026-11-03T05:45:00Z>", "<div itemprop=articleBody>",
        "<div hidden>", "<template>", "<svg>", "</svg>", "<script>", "</script>", "<style>", "<base href=/x>", "<a href=/y>y</a>", "text", "<!--", "-->",
    ]), max_size=25).map("".join))  # fmt: skip
    @settings(derandomize=True, max_examples=300, deadline=None)
    def test_is_read_or_refused_in_a_sentence(self, source: str):
        try:
            found = read(source, NAME)
        except ArticleError as error:
            assert str(error).startswith(NAME)
            assert str(error).endswith(".")
        else:
            html = "".join(map(markup.block_html, found.body))
            assert html == "".join(map(markup.block_html, markup.blocks(html)))
            assert "<script" not in html

    def test_naughty_strings_are_text(self, shared: Path):
        for text in json.loads((shared / "data" / "blns.json").read_text("utf-8")):
            shown = markup.escape(text)
            found = read(
                page(f"<article><h1>Boats lost</h1>{TEXT}<p>Text: {shown}</p></article>"), NAME
            )
            assert told(found).startswith("The harbour master")


def test_the_reader_does_not_need_its_extra_to_be_imported():
    assert "trafilatura" not in vars(webpage)


def test_a_page_with_an_embargo_line_is_refused() -> None:
    page = (
        "<html><body><article><h1>Ferry returns</h1>"
        "<p>EMBARGOED UNTIL 09:00 GMT, 4 October 2027</p>"
        "<p>The first ferry left Port Ellery at dawn on Sunday with forty passengers.</p>"
        "</article></body></html>"
    )
    with pytest.raises(ArticleError, match="asks to hold the article back"):
        read(page, "page.html")
