"""The HTML of articles: what becomes of any HTML, and that nothing hostile comes through."""

from __future__ import annotations

import time
from collections import Counter
from urllib.parse import urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch import markup
from dispatch.article import (
    Block,
    Cell,
    Code,
    Crosshead,
    Embed,
    Html,
    Image,
    List,
    Paragraph,
    Quotation,
    Rule,
    Table,
)
from dispatch.errors import ArticleError

BASE = "https://news.example.org/world/story.html"


def html(source: str, base_url: str | None = None) -> str:
    return "".join(map(markup.block_html, markup.blocks(source, base_url)))


def text(source: str) -> str:
    return "\n".join(map(markup.block_text, markup.blocks(source)))


def p(source: str) -> Paragraph:
    return Paragraph(Html(source))


class TestParagraphs:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("<p>One.</p><p>Two.</p>", ["One.", "Two."]),
            ("One.<div>Two.</div>Three.", ["One.", "Two.", "Three."]),
            ("One.<br><br>Two.<br>Still two.", ["One.", "Two.<br>Still two."]),
            ("<br><p><br> One. <br></p>", ["One."]),
            ("<p> a\n\t b </p>", ["a b"]),
            ("<p>&nbsp;</p><p>\u200b</p><p></p><p>One.</p>", ["One."]),
            ("<dl><dt>Ship</dt><dd>Halla</dd></dl>", ["Ship", "Halla"]),
            ("<details><summary>More</summary>Text</details>", ["More", "Text"]),
            ("", []),
            (" \n ", []),
        ],
    )
    def test_gather_what_stands_between_block_tags(self, source: str, expected: list[str]):
        assert markup.blocks(source) == tuple(map(p, expected))

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (
                "<em>a</em> <strong>b</strong> <sub>c</sub>",
                "<em>a</em> <strong>b</strong> <sub>c</sub>",
            ),
            ("a<b> b </b>c", "a <b>b</b> c"),
            ("a <i></i><b> </b>b", "a b"),
            ("<span class=x>a</span><font color=red>b</font>", "ab"),
            ("<strike>a</strike> <tt>b</tt>", "<s>a</s> <code>b</code>"),
            ("<b>a<b>b</b></b> <q>a<q>b</q></q>", "<b>ab</b> <q>a<q>b</q></q>"),
            ("<bdo dir=rtl>a</bdo> <bdo>b</bdo>", '<bdo dir="rtl">a</bdo> b'),
            ('<i lang="fr" dir="ltr">a</i>', '<i dir="ltr" lang="fr">a</i>'),
            ('<abbr title="A &quot;B&quot;">a</abbr>', '<abbr title="A &quot;B&quot;">a</abbr>'),
            ("super<wbr>cali<wbr>", "super<wbr>cali"),
            ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b>c"),
            ("a &lt;b&gt; &amp;amp; \u00a0b", "a &lt;b&gt; &amp;amp; \u00a0b"),
            ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢(かん)"),
        ],
    )
    def test_keep_inline_markup_well_nested_and_no_more_than_needed(
        self, source: str, expected: str
    ):
        assert html(f"<p>{source}</p>") == f"<p>{expected}</p>"

    def test_inline_markup_round_several_paragraphs_is_on_each(self):
        assert (
            html("<del><p>a</p><p>b</p></del>c") == "<p><del>a</del></p><p><del>b</del></p><p>c</p>"
        )


class TestLinks:
    @pytest.mark.parametrize(
        ("href", "expected"),
        [
            ("https://example.org/a?b=1&amp;c=2#d", "https://example.org/a?b=1&c=2#d"),
            ("  https://example.org/\n a b", "https://example.org/%20a%20b"),
            ("HTTPS://EXAMPLE.org/A", "https://EXAMPLE.org/A"),
            ("https://example.org/\u200eä{}|", "https://example.org/\u200eä%7B%7D%7C"),
            ("mailto:desk@example.org?subject=a b", "mailto:desk@example.org?subject=a%20b"),
            ("tel:+441632960000", "tel:+441632960000"),
            ("../2026/a.html", "https://news.example.org/2026/a.html"),
            ("//cdn.example.net/a", "https://cdn.example.net/a"),
            ("?page=2", "https://news.example.org/world/story.html?page=2"),
        ],
    )
    def test_lead_where_they_led(self, href: str, expected: str):
        (paragraph,) = markup.blocks(f'<a href="{href}">x</a>', BASE)
        assert isinstance(paragraph, Paragraph)
        assert markup.links(paragraph.html) == [("x", expected)]

    @pytest.mark.parametrize(
        "href",
        [
            "javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java&#10;script:alert(1)",
            "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://example.org/", "about:blank",
            "blob:https://example.org/x", "view-source:https://example.org/", "https://", "http://[", "https:///x",
            "https://exa mple.org/", "https://example.org:port/", "https://exa<mple.org/", "mailto:", "tel:",
            "https:example.org", "https:\\\\evil.example", "", "\x01javascript:alert(1)", "&#1;javascript:alert(1)",
        ],
    )  # fmt: skip
    def test_that_no_reader_could_follow_are_taken_off_their_text(self, href: str):
        assert html(f'<p>a <a href="{href}">link</a> b</p>') == "<p>a link b</p>"

    def test_relative_ones_need_a_base(self):
        assert html('<a href="/a">x</a><img src="b.jpg">') == "<p>x</p>"
        assert (
            html('<a href="/a">x</a>', BASE) == '<p><a href="https://news.example.org/a">x</a></p>'
        )

    def test_what_is_dropped_is_told(self):
        told: list[tuple[str, str]] = []
        source = (
            '<a href="/a">x</a><a href="#b">y</a><a href="">z</a><a href="https://example.org">ok</a>'
            '<img src="c.jpg"><img><iframe src="javascript:d"></iframe>'
        )
        markup.blocks(source, on_dropped=lambda kind, url: told.append((kind, url)))
        assert told == [("link", "/a"), ("image", "c.jpg"), ("embed", "javascript:d")]

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("a<math>x</math>b", ["math"]),
            ("a<select><option>x</select>b", ["select"]),
            ("a<svg><title>x</title><path/></svg><script>x</script><style>x</style>b", []),
            ("a<button><svg></svg> </button>b", []),
            ("<p>a<template>x</template><noscript>y</noscript>", ["noscript"]),
            ("<video src=https://example.org/v>Your browser shows no videos.</video>", []),
            (f"<video src=https://example.org/v><p>{'All that follows. ' * 20}", ["video"]),
            ("a<table><tr><td>b<textarea>x</textarea></table>", ["textarea"]),
        ],
    )
    def test_text_that_is_left_out_with_its_element_is_told(self, source: str, expected: list[str]):
        told: list[tuple[str, str]] = []
        markup.blocks(source, on_dropped=lambda kind, found: told.append((kind, found)))
        assert told == [("element", tag) for tag in expected]

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://example.org", True),
            ("http://user@example.org:8080/a?b#c", True),
            ("https://münchen.example/ä b", True),
            ("https://[2001:db8::1]/", True),
            ("example.org", False),
            ("/a", False),
            ("https://", False),
            ("https://a b/", False),
            ("https://example.org:x/", False),
            ("mailto:a@example.org", False),
            ("javascript://example.org/%0aalert(1)", False),
        ],
    )
    def test_web_urls(self, url: str, expected: bool):
        assert markup.is_web_url(url) is expected


class TestCrossheads:
    def test_keep_their_level_and_leave_the_first_to_the_headline(self):
        assert markup.blocks("<h1>a</h1><h2>b</h2><h6>c <em>d</em></h6><h3> </h3>") == (
            Crosshead(Html("a"), 2),
            Crosshead(Html("b"), 2),
            Crosshead(Html("c <em>d</em>"), 6),
        )

    def test_an_image_in_one_stands_behind_it(self):
        source = '<h2>a<img src="https://example.org/i.png" alt="i">b</h2>'
        assert [block.kind for block in markup.blocks(source)] == ["crosshead", "image"]
        assert text(source) == "ab\ni"


class TestLists:
    def test_hold_blocks(self):
        assert markup.blocks(
            '<ol start="3"><li>a</li><li><p>b</p><ul><li>c</li></ul></li></ol>'
        ) == (List(((p("a"),), (p("b"), List(((p("c"),),)))), ordered=True, start=3),)

    def test_a_list_beside_its_item_belongs_to_it(self):
        assert markup.blocks("<ul><li>a</li><ul><li>b</li></ul></ul>") == (
            List(((p("a"), List(((p("b"),),))),)),
        )

    def test_text_outside_items_is_not_lost(self):
        assert text("<ul>a<li>b</li>c<div>d</div></ul>") == "a\nb\nc\nd"

    @pytest.mark.parametrize("start", ["x", "-2", "1e9", "99999999", "²"])
    def test_a_start_that_is_no_number_is_one(self, start: str):
        (block,) = markup.blocks(f'<ol start="{start}"><li>a</li></ol>')
        assert isinstance(block, List)
        assert block.start == 1


class TestQuotations:
    @pytest.mark.parametrize(
        ("source", "attribution"),
        [
            ("<p>a</p><footer>— Una Farrel</footer>", "Una Farrel"),
            (
                "<p>a</p><footer><cite>Una Farrel</cite>, director</footer>",
                "<cite>Una Farrel</cite>, director",
            ),
            ("<p>a</p><cite>Una Farrel</cite>", "Una Farrel"),
            ("<p>a</p><p>— Una Farrel</p>", "Una Farrel"),
            ("<p>a</p><p><em>– Una</em> Farrel</p>", "<em>– Una</em> Farrel"),
            ("<p>a</p>", None),
            ("<p>— a</p><p>— b</p>", None),
            ("<p>— a</p>", None),
            ("a, in <cite>The Courier</cite>", None),
            ("<p>a</p><p>— " + "so on " * 30 + "</p>", None),
        ],
    )
    def test_know_who_said_it(self, source: str, attribution: str | None):
        (block,) = markup.blocks(f"<blockquote>{source}</blockquote>")
        assert isinstance(block, Quotation)
        if attribution == "<em>– Una</em> Farrel":  # the dash goes, whatever stands round it
            attribution = "<em>Una</em> Farrel"
        assert block.attribution == attribution

    def test_may_be_in_a_figure_with_the_name_as_its_caption(self):
        source = "<figure><blockquote>a</blockquote><figcaption>— Una Farrel</figcaption></figure>"
        assert markup.blocks(source) == (Quotation((p("a"),), Html("Una Farrel")),)

    def test_a_name_alone_is_not_lost(self):
        assert text("<blockquote><footer>Una</footer></blockquote>") == "Una"


class TestCode:
    def test_is_kept_to_the_letter(self):
        source = '<pre><code class="language-c++">\n  a &lt; b\n\n\tc  d<br>e\n</code></pre>'
        assert markup.blocks(source) == (Code("  a < b\n\n\tc  d\ne", "c++"),)

    def test_line_ends_are_one_and_controls_go(self):
        (block,) = markup.blocks("<pre>a&#13;&#10;b\u2028c&#8;\u202ed</pre>")
        assert block == Code("a\nb\ncd")


class TestImages:
    def test_alternative_that_is_not_given_differs_from_an_empty_one(self):
        source = '<img src="https://example.org/a"><img src="https://example.org/b" alt="">'
        assert [block.alt for block in markup.blocks(source) if isinstance(block, Image)] == [
            None,
            "",
        ]

    @pytest.mark.parametrize(
        ("figcaption", "caption", "credit"),
        [
            ("A pier.", "A pier.", None),
            ("A pier. Photo: Ivo Brandt", "A pier.", "Ivo Brandt"),
            ("A pier. (Photo by Ivo Brandt)", "A pier.", "Ivo Brandt"),
            ("A pier | Foto: Ivo Brandt / Agentur", "A pier", "Ivo Brandt / Agentur"),
            ("A pier. Image: Brandt.", "A pier.", "Brandt"),
            ("A <em>pier</em> Credit: Ivo Brandt", "A <em>pier</em>", "Ivo Brandt"),
            ("A pier <small>Ivo &amp; Co</small>", "A pier", "Ivo & Co"),
            ("Photo: Ivo Brandt", None, "Ivo Brandt"),
            ("The wider picture: Two piers", "The wider picture: Two piers", None),
            ("A photo: the pier at night", "A photo: the pier at night", None),
            ("Is this the last photo?", "Is this the last photo?", None),
            ("<em>A pier. Photo: Ivo Brandt</em>", "<em>A pier. Photo: Ivo Brandt</em>", None),
            (" ", None, None),
        ],
    )
    def test_caption_and_credit(self, figcaption: str, caption: str | None, credit: str | None):
        source = f'<figure><img src="/i.jpg" alt="a"><figcaption>{figcaption}</figcaption></figure>'
        assert markup.blocks(source, BASE) == (
            Image("https://news.example.org/i.jpg", "a", caption and Html(caption), credit),
        )

    def test_caption_without_its_image_is_a_paragraph(self):
        assert markup.blocks("<figure><img><figcaption>A pier.</figcaption></figure>") == (
            p("A pier."),
        )

    def test_each_figure_of_a_gallery_has_its_own(self):
        one = '<figure><img src="/1"><figcaption>One</figcaption></figure>'
        two = '<figure><img src="/2"><figcaption>Two</figcaption></figure>'
        found = markup.blocks(f"<figure>{one}{two}<figcaption>Both</figcaption></figure>", BASE)
        assert [block.caption for block in found if isinstance(block, Image)] == ["One", "Two"]
        assert found[-1] == p("Both")

    def test_in_text_they_part_it(self):
        source = '<p>a <a href="/b"><img src="/i.jpg" alt=""></a> c</p>'
        assert [block.kind for block in markup.blocks(source, BASE)] == [
            "paragraph",
            "image",
            "paragraph",
        ]


class TestEmbeds:
    @pytest.mark.parametrize(
        "source",
        [
            '<iframe src="https://video.example/1" title="The crossing"></iframe>',
            '<video src="https://video.example/1" title="The crossing"><p>No video.</p></video>',
            '<video title="The crossing"><source src="https://video.example/1"><source src="/2"></video>',
            '<embed src="https://video.example/1" title="The crossing">',
            '<object data="x"><embed src="https://video.example/1" title="The crossing"></object>',
            '<figure><iframe src="https://video.example/1"></iframe><figcaption>The crossing</figcaption></figure>',
        ],
    )
    def test_become_links(self, source: str):
        assert markup.blocks(source) == (Embed("https://video.example/1", "The crossing"),)

    def test_what_follows_is_not_swallowed(self):
        assert (
            text('<div><embed src="https://video.example/1"><p>a</p></div>b')
            == "https://video.example/1\na\nb"
        )


class TestTables:
    def test_cells_have_their_head_and_alignment(self):
        source = (
            "<table><caption>Ramps</caption><thead><tr><td>Pier<td align=RIGHT>Tonnes</thead>"
            "<tr><th>Sund<td style='text-align: center'>46</table>"
        )
        assert markup.blocks(source) == (
            Table(
                (
                    (Cell(Html("Pier"), True), Cell(Html("Tonnes"), True, "right")),
                    (Cell(Html("Sund"), True), Cell(Html("46"), False, "center")),
                ),
                Html("Ramps"),
            ),
        )

    def test_spans_are_filled_so_that_columns_stand_under_each_other(self):
        source = (
            "<table><tr><td rowspan=2>a<td colspan=2>b<tr><td>c<td rowspan=3>d<tr><td>e</table>"
        )
        (table,) = markup.blocks(source)
        assert isinstance(table, Table)
        assert [[cell.html for cell in row] for row in table.rows] == [
            ["a", "b", ""], ["", "c", "d"], ["e", "", ""],
        ]  # fmt: skip

    def test_blocks_in_a_cell_are_parted_by_line_breaks(self):
        (table,) = markup.blocks("<table><tr><td><p>a</p><ul><li>b<li>c</ul><td>d</table>")
        assert isinstance(table, Table)
        assert table.rows[0][0].html == "a<br>b<br>c"

    def test_images_in_cells_stand_behind_it(self):
        source = '<table><tr><td>a<img src="/i.jpg"><td>b</table>'
        assert [block.kind for block in markup.blocks(source, BASE)] == ["table", "image"]

    @pytest.mark.parametrize(
        "source",
        [
            "<table><tr><td><p>a</p><h2>b</h2></td></tr></table>",
            '<table role="presentation"><tr><td>a</td><td><h2>b</h2></td></tr></table>',
        ],
    )
    def test_those_that_only_place_things_are_taken_off(self, source: str):
        assert markup.blocks(source)[0] == p("a")
        assert markup.blocks(source)[1] == Crosshead(Html("b"))

    def test_text_between_cells_stands_before_it(self):
        source = "<table>a<div>b</div><tr><td>c<td>d</td>e</tr></table>"
        assert text(source) == "a\nb\ne\nc\td"

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("<table><thead><td>a<td>b</thead><tr><td>c<td>d</table>", "a\tb\nc\td"),
            ("<table><td>a<td>b</table>", "a\tb"),
            ("<table><caption>a</caption><caption>b</caption><tr><td>c<td>d</table>", "b\na\nc\td"),
            ("<table><tr><td>a<td>b</td><caption>c</caption></tr></table>", "c\na\tb"),
            ("<table><tr><thead>a</thead><td>b<td>c</table>", "a\nb\tc"),
        ],
    )
    def test_misplaced_parts_are_not_lost(self, source: str, expected: str):
        assert text(source) == expected

    def test_one_beyond_bounds_becomes_paragraphs(self):
        source = "<table><tr>" + "<td>a" * 300 + "<tr><td>b<td>c" * 300 + "</table>"
        found = markup.blocks(source)
        assert all(isinstance(block, Paragraph) for block in found)
        assert found[-1] == p("b | c")

    def test_a_table_in_a_table_keeps_its_text(self):
        source = "<table><tr><td>a<td><table><tr><td>b<td>c</table></table>"
        assert text(source) == "a\tb\nc"


class TestNothingIsLost:
    TAGS = (
        "a", "b", "p", "div", "span", "h1", "h2", "ul", "ol", "li", "blockquote", "footer", "cite",
        "pre", "code", "table", "thead", "tbody", "tr", "td", "th", "caption", "figure",
        "figcaption", "br", "wbr", "hr", "small", "sub", "strike", "font", "center", "dl", "dt",
        "dd", "sup", "aside", "form",
    )  # fmt: skip
    WORDS = (
        " ",
        "\n",
        "a",
        "b c",
        "&amp;",
        "&lt;b&gt;",
        "&",
        ">",
        "é",
        "日本",
        "<br>",
        "]]>",
        "{{7*7}}",
    )
    pieces = st.one_of(
        st.sampled_from([f"<{tag}>" for tag in TAGS]),
        st.sampled_from([f"</{tag}>" for tag in TAGS]),
        st.sampled_from(WORDS),
        st.sampled_from(WORDS),
    )

    @given(st.lists(pieces, max_size=40).map("".join))
    @settings(derandomize=True, max_examples=300, deadline=None)
    def test_every_letter_of_text_comes_out_once(self, source: str):
        there = Counter("".join(markup.parse(source).itertext()))
        came = Counter(text(source))
        for counted in (there, came):
            for blank in " \n\t":
                counted.pop(blank, None)
        # A raised number is told apart: "a<sup>+".
        came.pop("^", None)
        assert came == there

    def test_what_is_nested_too_deeply_for_blocks_is_flattened(self):
        source = "<blockquote>" * 200 + "deep" + "</blockquote>" * 200 + "<ul><li>" * 100 + "list"
        assert "".join(text(source).split()) == "deeplist"

    def test_text_after_tags_that_have_no_end(self):
        assert text("a<wbr>b<wbr>c <b>d<wbr></b>e") == "abc de"


# Hostile ----------------------------------------------------------------------------------------

VECTORS = [
    "<script>alert(1)</script>SAFE",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>SAFE",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/xss src=x></script>SAFE",
    "<script\n>alert(1)</script\t>SAFE",
    "<<script>alert(1)//<</script>SAFE",
    "<script>alert(1)",
    "<scr\x00ipt>alert(1)</scr\x00ipt>SAFE",
    "<img src=x onerror=alert(1)>SAFE",
    "<img src=https://example.org/a onerror=alert(1) alt=SAFE>",
    '<img src="https://example.org/a" alt="SAFE" onerror=alert(1) x="">',
    '<img """><script>alert(1)</script>">',
    "<img src=`javascript:alert(1)`>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    "<img/src/onerror=alert(1)>",
    "<img src=javascript:alert(1)>",
    "<img srcset='javascript:alert(1)' src=data:image/svg+xml;base64,PHN2Zz4=>",
    "<body onload=alert(1)>SAFE",
    "<body background=javascript:alert(1)>SAFE",
    "<p onclick=alert(1)>SAFE</p>",
    "<p ONCLICK = 'alert(1)'>SAFE</p>",
    "<p\fonclick=alert(1)>SAFE</p>",
    "<p/onclick=alert(1)/>SAFE</p>",
    '<b title="x" onmouseover="alert(1)">SAFE</b>',
    '<abbr title=""><script>alert(1)</script>">SAFE</abbr>',
    "<abbr title='&quot;><img src=x onerror=alert(1)>'>SAFE</abbr>",
    '<i lang="en" onclick="alert(1)">SAFE</i>',
    '<bdo dir="rtl" onclick="alert(1)">SAFE</bdo>',
    "<a href=javascript:alert(1)>SAFE</a>",
    "<a href='JAVASCRIPT:alert(1)'>SAFE</a>",
    "<a href='java\nscript:alert(1)'>SAFE</a>",
    "<a href='java\tscript:alert(1)'>SAFE</a>",
    "<a href='&#106;avascript:alert(1)'>SAFE</a>",
    "<a href='&#x6A&#x61&#x76&#x61script&colon;alert(1)'>SAFE</a>",
    "<a href='java&Tab;script:alert(1)'>SAFE</a>",
    "<a href='&#1;javascript:alert(1)'>SAFE</a>",
    "<a href=' &#14; javascript:alert(1)'>SAFE</a>",
    "<a href='\u2028javascript:alert(1)'>SAFE</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>SAFE</a>",
    "<a href='vbscript:msgbox(1)'>SAFE</a>",
    "<a href='javascript://example.org/%0aalert(1)'>SAFE</a>",
    "<a href='https://example.org/\"onclick=alert(1) x=\"'>SAFE</a>",
    "<a href=\"https://example.org/'onclick=alert(1) x='\">SAFE</a>",
    "<a href='https://example.org/<script>alert(1)</script>'>SAFE</a>",
    "<a href=https://example.org/ ping=https://evil.example/ target=_blank download>SAFE</a>",
    "<a xlink:href=javascript:alert(1)>SAFE</a>",
    "<a href=https://example.org/ style='position:fixed;inset:0'>SAFE</a>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>SAFE",
    "<svg><script href=data:,alert(1) /></svg>SAFE",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>SAFE",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>SAFE",
    "<svg><foreignObject><iframe onload=alert(1)></iframe></foreignObject></svg>SAFE",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<svg><style><img src=x onerror=alert(1)></style></svg>SAFE",
    "<svg><title><style><img title='</style><img src=x onerror=alert(1)>'></title></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>SAFE",
    "<math><annotation-xml encoding=text/html><style><img src=x onerror=alert(1)></style></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>SAFE",
    "<noembed><img title='</noembed><img src=x onerror=alert(1)>'></noembed>SAFE",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>SAFE",
    "<title><img title='</title><img src=x onerror=alert(1)>'></title>SAFE",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'></xmp>SAFE",
    "<plaintext><img src=x onerror=alert(1)>SAFE",
    "<listing>&lt;img src=x onerror=alert(1)&gt;SAFE</listing>",
    "<template><img src=x onerror=alert(1)></template>SAFE",
    "<template><template></template><script>alert(1)</script></template>SAFE",
    "<select><option><style></option></select><b><img src=xx: onerror=alert(1)></style></option></select></b>",
    "<iframe src=javascript:alert(1)></iframe>SAFE",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>SAFE",
    "<iframe src='https://example.org/' srcdoc='<script>alert(1)</script>' onload=alert(1)></iframe>SAFE",
    "<frameset><frame src=javascript:alert(1)></frameset>",
    "<object data=javascript:alert(1)><param name=code value=x></object>SAFE",
    "<embed src=javascript:alert(1)>SAFE",
    "<applet code=x></applet>SAFE",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>SAFE",
    "<audio src=https://example.org/a onloadstart=alert(1)></audio>SAFE",
    "<video poster=javascript:alert(1)></video>SAFE",
    "<form action=javascript:alert(1)><button formaction=javascript:alert(1)>x</button>SAFE</form>",
    "<form><input type=image src=x onerror=alert(1)>SAFE</form>",
    "<isindex action=javascript:alert(1) type=submit>SAFE",
    "<button form=f formaction=javascript:alert(1)>x</button>SAFE",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>SAFE",
    "<link rel=stylesheet href=javascript:alert(1)>SAFE",
    "<link rel=import href=data:text/html,x>SAFE",
    "<base href=javascript:alert(1)//>SAFE<a href=x>SAFE</a>",
    "<style>@import 'javascript:alert(1)';</style>SAFE",
    "<style>body{background:url(javascript:alert(1))}</style>SAFE",
    "<p style='background:url(javascript:alert(1));width:expression(alert(1))'>SAFE</p>",
    "<td style='text-align:right;behavior:url(x)'>SAFE</td>",
    "<table background=javascript:alert(1)><tr><td background=javascript:alert(1)>SAFE<td>b</table>",
    "<table><tr><td align='right\" onclick=\"alert(1)'>SAFE<td>b</table>",
    "<ol start='1\" onclick=\"alert(1)'><li>SAFE</ol>",
    "<pre><code class='language-x\" onclick=\"alert(1)'>SAFE</code></pre>",
    "<pre>&lt;script&gt;alert(1)&lt;/script&gt;SAFE</pre>",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><script>alert(1)</script>SAFE -->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->SAFE",
    "<![CDATA[<script>alert(1)</script>]]>SAFE",
    "<?xml version='1.0'?><script>alert(1)</script>SAFE",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><p>SAFE &y;</p>",
    "<!ENTITY x '<script>'>&x;",
    "</br style=x onclick=alert(1)>SAFE",
    "</p onclick=alert(1)>SAFE",
    "<marquee onstart=alert(1)>SAFE</marquee>",
    "<details open ontoggle=alert(1)><summary>SAFE</summary></details>",
    "<dialog open onclose=alert(1)>SAFE</dialog>",
    "<x-y onclick=alert(1) is=z>SAFE</x-y>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<image src=x onerror=alert(1)>SAFE",
    "<input autofocus onfocus=alert(1)>SAFE",
    "<keygen autofocus onfocus=alert(1)>SAFE",
    "<blink onclick=alert(1)>SAFE</blink>",
    "<figure><img src=https://example.org/a><figcaption>SAFE<script>alert(1)</script></figcaption></figure>",
    "<figure><img src=https://example.org/a><figcaption>SAFE Photo: X&quot;&lt;script&gt;</figcaption></figure>",
    "&lt;script&gt;alert(1)&lt;/script&gt;SAFE",
    "&amp;lt;script&amp;gt;SAFE",
    "%3Cscript%3Ealert(1)%3C/script%3ESAFE",
    "＜script＞alert(1)＜/script＞SAFE",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-SAFE",
    "\ud800<script>alert(1)</script>SAFE",
    "<a href='https://example.org/'><table><a href=javascript:alert(1)>SAFE</a></table></a>",
    "<b><p><b><p>SAFE<script>alert(1)</script>",
    "<p>]]>SAFE</p>",
    "<p>{{ 7*7 }} {% raw %} SAFE</p>",
]

ALLOWED = {
    "a": {"href", "title"}, "abbr": {"title"}, "blockquote": set(), "caption": set(), "code": {"class"},
    "dfn": {"title"}, "figcaption": set(), "figure": set(), "footer": set(), "hr": set(),
    "img": {"src", "alt"}, "li": set(), "ol": {"start"}, "p": set(), "pre": set(), "table": set(),
    "tbody": set(), "td": {"align"}, "th": {"align"}, "thead": set(), "tr": set(), "ul": set(),
    **{f"h{n}": set() for n in range(2, 7)},
}  # fmt: skip


def assert_harmless(source: str) -> None:
    """As a browser parses it, ``source`` holds the allowed tags and attributes and nothing else."""
    for fragment_of in ("div", "td", "body"):
        tree = html5lib.parseFragment(source, container=fragment_of, namespaceHTMLElements=False)
        for element in tree.iter():
            if element is tree:
                continue
            assert isinstance(element.tag, str), f"a comment or instruction in {source!r}"
            inline = element.tag in markup.INLINE_TAGS
            assert inline or element.tag in ALLOWED, f"<{element.tag}> in {source!r}"
            allowed = ALLOWED.get(element.tag, set()) | ({"lang", "dir"} if inline else set())
            assert set(element.attrib) <= allowed, f"{set(element.attrib) - allowed} in {source!r}"
            for name in {"href", "src"} & set(element.attrib):
                scheme = urlsplit(element.attrib[name]).scheme
                assert scheme in ("http", "https", *(("mailto", "tel") if name == "href" else ()))


class TestHostileHtml:
    @pytest.mark.parametrize("source", VECTORS)
    def test_nothing_that_runs_comes_out_and_text_stays(self, source: str):
        for document in (
            source,
            f"<p>a {source}",
            f"<ul><li>{source}</li></ul>",
            f"<html>{source}",
        ):
            assert_harmless(html(document, BASE))
            assert_harmless(markup.inline(document, BASE))
            assert text(document).count("SAFE") >= ("SAFE" in source and "<!--><" not in source)

    def test_the_check_itself_finds_what_it_looks_for(self):
        for bad in (
            "<script>",
            "<p onclick=x>",
            "<a href='javascript:x'>",
            "<svg>",
            "<b style=x>",
            "<!-- x -->",
        ):
            with pytest.raises(AssertionError):
                assert_harmless(bad)

    @pytest.mark.parametrize(
        "character",
        [
            "\x00",
            "\x08",
            "\x1b",
            "\x7f",
            "\x9b",
            "\u202e",
            "\u2066",
            "\ufeff",
            "\ufffe",
            "\uffff",
            "\ud800",
        ],
    )
    def test_characters_without_a_place_in_text_go(self, character: str):
        for written in (character, f"&#{ord(character)};", f"&#x{ord(character):x};"):
            shown = html(
                f'<p>a{written}b <a href="/" title="{written}x">c</a></p><pre>{written}</pre>', BASE
            )
            assert character not in shown

    def test_joiners_and_direction_marks_stay(self):
        kept = "می\u200cخواهم \u200fא\u200e 👩\u200d💻 क\u094dष"
        assert text(f"<p>{kept}</p>") == kept

    def test_entities_are_those_of_html_only(self):
        source = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c SYSTEM "file:///etc/hostname">]><p>&a; &c; &eacute;'
        assert text(source).endswith("&a; &c; é")


class TestAnyHtml:
    TAGS = (
        "a", "b", "i", "p", "div", "h1", "h2", "ul", "ol", "li", "blockquote", "footer", "cite",
        "pre", "code", "table", "thead", "tr", "td", "th", "caption", "figure", "figcaption", "img",
        "br", "wbr", "hr", "iframe", "small", "q", "sub", "strike", "ruby", "rt", "script", "style",
        "svg", "math", "noscript", "template", "textarea", "title", "select", "option", "dl", "dt",
        "bdo", "summary", "video", "source", "object", "form", "button",
    )  # fmt: skip
    ATTRIBUTES = (
        "", "", "", " dir=rtl", " lang=en", " href=https://example.org/?a=1&b=2", " href='javascript:x'",
        " src=https://example.org/i", ' alt="x y"', " colspan=2", " rowspan=3", " class=language-py",
        " role=presentation", " align=right", """ title="t > '&lt;' \"""", " start=3", " onclick=x",
    )  # fmt: skip
    WORDS = (
        " ", "\n", "a", "b c", "— d", "Photo: Ann Lee", "&amp;", "&lt;b&gt;", "&nbsp;", "\u200b", "x\ny", "<",
        "&", ">", '"', "'", "<!-- c -->", "]]>", "&#x202e;", "&#1;", "<br>", "<br><br>", "- ", "é", "日本",
    )  # fmt: skip
    pieces = st.one_of(
        st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES)),
        st.builds("</{}>".format, st.sampled_from(TAGS)),
        st.sampled_from(WORDS),
        st.text(max_size=4),
    )
    documents = st.lists(pieces, max_size=30).map("".join)

    @given(documents)
    @settings(derandomize=True, max_examples=500, deadline=None)
    def test_is_harmless_and_stays_as_it_is_once_it_went_through(self, source: str):
        once = html(source)
        assert html(once) == once
        assert_harmless(once)
        line = markup.inline(source)
        assert markup.inline(line) == line

    @given(documents)
    @settings(derandomize=True, max_examples=200, deadline=None)
    def test_text_is_what_a_browser_shows_of_it(self, source: str):
        for block in markup.blocks(source):
            tree = html5lib.parseFragment(markup.block_html(block), namespaceHTMLElements=False)
            shown = "".join("".join(tree.itertext()).split())
            told = "".join(markup.block_text(block).split())
            marks = str.maketrans("", "", "“”^")  # what text has for q and sup
            if not any(tree.iter("img")):  # an image's text is its alternative
                assert told.translate(marks) == shown.translate(marks)


SIZE = 200_000
HOSTILE = {
    "blocks opened and never closed": "<div>" * (SIZE // 5),
    "inline tags opened and never closed": "<b>" * (SIZE // 3),
    "lists": "<ul><li>" * (SIZE // 8),
    "quotations": "<blockquote>" * 900 + "x",
    "tables": "<table><tr><td>" * 600 + "x",
    "a long link round many paragraphs": f"<a href=https://example.org/{'y' * (SIZE // 2)}>" + "<p>x" * (SIZE // 8),
    "many tags round many paragraphs": "".join(f"<b lang=a{n}>" for n in range(1000)) + "<p>x" * (SIZE // 4),
    "line breaks": "<br>" * (SIZE // 4) + "x",
    "white space": " " * SIZE + "x" + "\u00a0" * SIZE,
    "attributes": "<a " + " ".join(f"a{n}=1" for n in range(SIZE // 8)) + ">x",
    "many tags of many attributes": ("<a " + " ".join(f"a{n}=1" for n in range(1500)) + ">x") * 18,
    "quotes": "<a b='" * (SIZE // 6),
    "angles": "<" * SIZE,
    "comments": "<!--" * (SIZE // 4),
    "wide cells": "<table>" + "<tr><td colspan=9999>x" * (SIZE // 22),
    "high cells": "<table>" + "<tr><td rowspan=9999>x" * (SIZE // 22),
    "one wide row": "<table><tr>" + "<td>x" * (SIZE // 10) + "<tr><td>x" * (SIZE // 18),
    "captions": "<figure><img src=https://example.org/><figcaption>" + "Photo: " * (SIZE // 7),
    "credits": "<figure><img src=https://example.org/><figcaption>" + "<small>x</small>" * (SIZE // 16),
    "figures": "<figure>" * 1000 + "<figcaption>x",
    "dashes": "<blockquote><footer>" + "— " * (SIZE // 2),
    "references": "&#x41;" * (SIZE // 6),
    "drawings": "<svg><p>" * (SIZE // 8),
}  # fmt: skip


class TestBounds:
    """What a few letters could blow up takes no more than its length is worth."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_html_is_read_or_refused_in_time(self, name: str):
        source = HOSTILE[name]
        before = time.process_time()
        try:
            found = markup.blocks(source)
        except ArticleError as error:
            assert str(error).endswith("try again.")
            found = ()
        written = sum(len(markup.block_html(block)) for block in found)
        assert written <= 20 * len(source)
        assert time.process_time() - before < CPU_SECONDS

    def test_too_deep_is_said(self):
        with pytest.raises(ArticleError, match="nested too deeply"):
            markup.blocks("<div>" * 5000 + "text")

    def test_too_many_attributes_are_said(self):
        with pytest.raises(ArticleError, match="more than 2,000 attributes"):
            markup.blocks(HOSTILE["attributes"])

    def test_a_long_text_is_read_whole(self):
        long = "x" * 11_000_000  # beyond what the parser takes unless told
        assert len(text(f"<p>{long}</p>")) == len(long)


# Out --------------------------------------------------------------------------------------------


class TestInline:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("plain & <simple", "plain &amp; "),
            ("a <b>b</b>", "a <b>b</b>"),
            ("<p>a</p><p>b</p>", "a<br>b"),
            ("a<br><br><br>b", "a<br><br>b"),
            ("<h2>a</h2><ul><li>b<li>c</ul>", "a<br>b<br>c"),
            ("a<img src='https://example.org/i' alt='b'>c", "ac"),
            ("<p> </p>", ""),
        ],
    )
    def test_is_one_run_of_text(self, source: str, expected: str):
        assert markup.inline(source) == expected.rstrip()

    def test_knows_where_the_page_was(self):
        assert (
            markup.inline('<a href="/a">b</a>', BASE)
            == '<a href="https://news.example.org/a">b</a>'
        )


class TestText:
    @pytest.mark.parametrize(
        ("html", "expected"),
        [
            ("a", "a"),
            ("a &amp; &lt;b&gt; &amp;amp;", "a & <b> &amp;"),
            ("a<br>b<wbr>c", "a\nbc"),
            ("<q>a</q>", "“a”"),
            ("10<sup>6</sup>, 1<sup>st</sup>, <sup>2</sup>", "10^6, 1st, 2"),
            ("x<sup><b>2</b></sup>", "x^2"),
            ('<a href="https://example.org/" title="a > b &quot;">c</a>', "c"),
            ("<i lang=\"fr\">d</i>'e'", "d'e'"),
        ],
    )
    def test_of_inline_html(self, html: str, expected: str):
        assert markup.inline_text(Html(html)) == expected

    def test_links_can_be_told(self):
        html = Html('a <a href="https://example.org/?a&amp;b"><b>c</b> d</a> <a href="tel:1">e</a>')
        told = markup.inline_text(html, lambda text, url: f"{text} [{url}]")
        assert told == "a c d [https://example.org/?a&b] e [tel:1]"
        assert markup.links(html) == [("c d", "https://example.org/?a&b"), ("e", "tel:1")]


BLOCKS: list[tuple[Block, str, str]] = [
    (p("a &lt; <b>b</b>"), "<p>a &lt; <b>b</b></p>", "a < b"),
    (Crosshead(Html("a"), 3), "<h3>a</h3>", "a"),
    (List(((p("a"),), (p("b"), p("c")))), "<ul><li>a</li><li><p>b</p><p>c</p></li></ul>", "a\nb\nc"),
    (List(((p("a"),),), ordered=True, start=4), '<ol start="4"><li>a</li></ol>', "a"),
    (Quotation((p("a"),), Html("b")), "<blockquote><p>a</p><footer>b</footer></blockquote>", "a\nb"),
    (Quotation((p("a"),)), "<blockquote><p>a</p></blockquote>", "a"),
    (Code("a < b\n c", 'x"'), '<pre><code class="language-x&quot;">a &lt; b\n c</code></pre>', "a < b\n c"),
    (
        Table(((Cell(Html("a"), True, "right"), Cell(Html("b"), True)), (Cell(Html("c")), Cell(Html("d")))), Html("e")),
        '<table><caption>e</caption><thead><tr><th align="right">a</th><th>b</th></tr></thead>'
        "<tbody><tr><td>c</td><td>d</td></tr></tbody></table>",
        "e\na\tb\nc\td",
    ),
    (Table(((Cell(Html("a"), True),),)), "<table><thead><tr><th>a</th></tr></thead></table>", "a"),
    (
        Image("https://example.org/?a&b", 'x "y" <z>', Html("c <i>d</i>"), "E & F"),
        '<figure><img src="https://example.org/?a&amp;b" alt="x &quot;y&quot; &lt;z&gt;">'
        "<figcaption>c <i>d</i> <small>E &amp; F</small></figcaption></figure>",
        "c d\nE & F",
    ),
    (Image("https://example.org/"), '<figure><img src="https://example.org/" alt=""></figure>', ""),
    (Image("https://example.org/", "a"), '<figure><img src="https://example.org/" alt="a"></figure>', "a"),
    (Embed("https://example.org/", "a <b>"), '<p><a href="https://example.org/">a &lt;b&gt;</a></p>', "a <b>"),
    (Embed("https://example.org/"), '<p><a href="https://example.org/">https://example.org/</a></p>', "https://example.org/"),
    (Rule(), "<hr>", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "html", "text"), BLOCKS, ids=[block.kind for block, _, _ in BLOCKS]
)
def test_blocks_are_written(block: Block, html: str, text: str):
    assert markup.block_html(block) == html
    assert markup.block_text(block) == text
