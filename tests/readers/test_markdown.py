"""Markdown with front matter, from the text of a file to an Article."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch import markup
from dispatch.article import (
    Article,
    Code,
    Crosshead,
    Html,
    Image,
    List,
    Paragraph,
    Quotation,
    Rule,
    Table,
)
from dispatch.errors import ArticleError
from dispatch.readers.markdown import looks_like, read

NAME = "story.md"


def body(text: str) -> tuple[object, ...]:
    return read(f"---\ntitle: Ferry\n---\n{text}", NAME).body


def html(text: str) -> str:
    return "".join(map(markup.block_html, read(f"---\ntitle: Ferry\n---\n{text}", NAME).body))


def told(article: Article) -> str:
    return "\n".join(map(markup.block_text, article.body))


def p(text: str) -> Paragraph:
    return Paragraph(Html(text))


class TestHeadline:
    def test_comes_from_front_matter(self):
        article = read("---\ntitle: Ferry\n---\nText.\n", NAME)
        assert (article.headline, article.body, article.reader) == (
            "Ferry",
            (p("Text."),),
            "markdown",
        )

    @pytest.mark.parametrize(
        "text",
        ["# A *ferry* [sinks](/x) `fast`\n\nText.", "A *ferry* sinks fast\n===\n\nText.", "\n\n# A ferry sinks fast #\nText."],
    )  # fmt: skip
    def test_is_else_the_first_heading_as_plain_text(self, text: str):
        article = read(text, NAME)
        assert article.headline == "A ferry sinks fast"
        assert article.body == (p("Text."),)

    def test_what_stands_above_the_heading_stays(self):
        article = read("Intro.\n\n## Cross\n\n# Ferry\n\nText.\n\n# Second\n", NAME)
        assert article.headline == "Ferry"
        assert [markup.block_text(block) for block in article.body] == [
            "Intro.",
            "Cross",
            "Text.",
            "Second",
        ]

    def test_later_first_level_headings_are_crossheads(self):
        assert read("# Ferry\n\n# Cracks\n\nText.", NAME).body[0] == Crosshead(Html("Cracks"), 2)

    def test_a_heading_that_repeats_the_one_of_front_matter_is_not_shown_twice(self):
        assert body("# FERRY\n\nText.") == (p("Text."),)
        assert body("# Another\n\nText.") == (Crosshead(Html("Another")), p("Text."))

    @pytest.mark.parametrize(
        "text",
        [
            "Text.",
            "## Second level\n\nText.",
            "#Ferry",
            "#\n\nText.",
            "---\ndesk: World\n---\nText.",
        ],
    )
    def test_without_one_there_is_no_article(self, text: str):
        with pytest.raises(
            ArticleError, match=r"^story\.md has no headline\. Write title: … into its front matter"
        ):
            read(text, NAME)

    @pytest.mark.parametrize(
        "text",
        ["# Ferry", "# Ferry\n\n<script>alert(1)</script>\n", "---\ntitle: Ferry\n---\n<!-- x -->"],
    )
    def test_without_text_there_is_no_article(self, text: str):
        with pytest.raises(ArticleError, match=r"^story\.md has a headline but no text"):
            read(text, NAME)

    def test_a_line_break_in_it_is_an_error_that_names_the_line(self):
        with pytest.raises(
            ArticleError, match=r"^story\.md, line 3: the field title contains a line break"
        ):
            read("---\nlang: en\ntitle: |\n  Ferry\n  Bcc: all@example.org\n---\nText.", NAME)


class TestStandfirst:
    def test_may_be_the_emphasised_paragraph_right_below_the_headline(self):
        article = read("# Ferry\n\n*Inspectors **found** cracks.*\n\nText.", NAME)
        assert article.standfirst == "Inspectors found cracks."
        assert article.body == (p("Text."),)
        assert [(note.level, note.where) for note in article.notes] == [("info", "standfirst")]

    @pytest.mark.parametrize(
        "text",
        ["# Ferry\n\n*One* and *two*\n\nText.", "# Ferry\n\n**Strong.**\n\nText.", "# Ferry\n\n*Only this.*", "# Ferry\n\nText.\n\n*Later.*",
         "---\ntitle: Ferry\n---\n*Emphasised.*\n\nText."],
    )  # fmt: skip
    def test_is_not_made_up(self, text: str):
        assert read(text, NAME).standfirst is None

    def test_of_front_matter_goes_first(self):
        article = read("---\ndek: Given.\n---\n# Ferry\n\n*Emphasised.*\n\nText.", NAME)
        assert article.standfirst == "Given."
        assert article.body[0] == p("<em>Emphasised.</em>")


class TestBody:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a *b* **c** ~~d~~ `e <f>`", p("a <em>b</em> <strong>c</strong> <s>d</s> <code>e &lt;f&gt;</code>")),
            ("a\nb\\\nc  \nd", p("a b<br>c<br>d")),
            ("[a](https://example.org/?a=1&b=2 \"t\")", p('<a href="https://example.org/?a=1&amp;b=2" title="t">a</a>')),
            ("<https://example.org/> <a@example.org>", p('<a href="https://example.org/">https://example.org/</a> <a href="mailto:a@example.org">a@example.org</a>')),
            ("### a *b*", Crosshead(Html("a <em>b</em>"), 3)),
            ("- a\n- b", List(((p("a"),), (p("b"),)))),
            ("3. a\n\n   b\n4. c", List(((p("a"), p("b")), (p("c"),)), ordered=True, start=3)),
            ("> a\n>\n> — Una Farrel, director", Quotation((p("a"),), Html("Una Farrel, director"))),
            ("```py\na < b\n\n  c\n```", Code("a < b\n\n  c", "py")),
            ("    a\n    b", Code("a\nb")),
            ("***", Rule()),
            ("![a *b*](https://example.org/i.jpg)", Image("https://example.org/i.jpg", "a b")),
            ("![](https://example.org/i.jpg)", Image("https://example.org/i.jpg", None)),
            ('![a "b"](https://example.org/i.jpg "At <Sund>. Photo: Ivo Brandt")', Image("https://example.org/i.jpg", 'a "b"', Html("At &lt;Sund&gt;."), "Ivo Brandt")),
            ("- [ ] a\n- [x] b", List(((p("[ ] a"),), (p("[x] b"),)))),
            ("\"a\" -- 'b' ... (c)", p("\"a\" -- 'b' ... (c)")),
            ("{{7*7}} {% raw %} {#", p("{{7*7}} {% raw %} {#")),
            ("a ]]> b &copy; &lt;b> \\*c\\*", p("a ]]&gt; b © &lt;b&gt; *c*")),
        ],
    )  # fmt: skip
    def test_is_typed_blocks(self, text: str, expected: object):
        assert body(text) == (expected,)

    def test_tables(self):
        (table,) = body("| a | b |\n|:--|--:|\n| *c* | d\\|e |\n| f |\n")
        assert isinstance(table, Table)
        assert [[cell.html for cell in row] for row in table.rows] == [
            ["a", "b"], ["<em>c</em>", "d|e"], ["f", ""],
        ]  # fmt: skip
        assert [cell.align for cell in table.rows[1]] == ["left", "right"]
        assert [cell.header for cell in table.rows[0]] == [True, True]

    def test_html_in_it_is_read_as_html_and_cleaned(self):
        source = (
            "<div class=x>\n\nText *in* <b onclick=x>it</b>.\n\n</div>\n<script>alert(1)</script>\n"
            '<figure><img src="https://example.org/i.jpg" alt="i"><figcaption>Cap</figcaption></figure>'
        )
        assert body(source) == (
            p("Text <em>in</em> <b>it</b>."),
            Image("https://example.org/i.jpg", "i", Html("Cap")),
        )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[a](javascript:alert(1))", "<p>a</p>"),
            ("[a](data:text/html,x)", "<p>a</p>"),
            ("[a](java&#10;script:x)", "<p>a</p>"),
            ("<javascript:alert(1)>", "<p>javascript:alert(1)</p>"),
            ("![a](data:image/png;base64,AAAA)", None),
            ('<a href="javascript:x">a</a>', "<p>a</p>"),
            ("<p onclick=x>a", "<p>a</p>"),
        ],
    )
    def test_what_runs_is_text_or_gone(self, text: str, expected: str | None):
        if expected is None:
            with pytest.raises(ArticleError, match="no text"):
                html(text)
        else:
            assert html(text) == expected


class TestEmbargoLines:
    LINE = "**EMBARGOED UNTIL 09:00 GMT, 4 October 2027**"

    @pytest.mark.parametrize(
        "text", [f"{LINE}\n\n# Ferry\n\nText.", f"# Ferry\n\n{LINE}\n\nText.", f"# Ferry\n\nText.\n\n{LINE}"]
    )  # fmt: skip
    def test_are_refused_where_no_field_says_it(self, text: str):
        with pytest.raises(
            ArticleError, match=r"^story\.md: the line “EMBARGOED UNTIL .*Write embargo: "
        ):
            read(text, NAME)

    def test_are_text_where_a_field_says_it(self):
        article = read(f"---\nembargo: 2027-10-04T09:00Z\n---\n# Ferry\n\n{self.LINE}", NAME)
        assert article.embargo is not None


SWALLOWING = [
    "applet",
    "audio",
    "button",
    "frameset",
    "head",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "pre",
    "rp",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
    "xmp",
]
AFTER = "\n\nSecond *paragraph*.\n\nThird."


class TestHtmlThatIsNeverClosed:
    @pytest.mark.parametrize("tag", SWALLOWING)
    @pytest.mark.parametrize(
        "written", ["They retire the {}.", "{} retires", "Text\n{} retires", "They\n\n{}"]
    )
    def test_is_text_and_swallows_nothing(self, tag: str, written: str):
        for tag_written in (f"<{tag}>", f'<{tag.upper()} class="x">'):
            article = read("# Ferry\n\n" + written.format(tag_written) + AFTER, NAME)
            assert tag_written in told(article)
            assert article.body[-2:] == (p("Second <em>paragraph</em>."), p("Third."))
            message = (
                "HTML that is opened and not closed in the same paragraph was kept as text: "
                f"{tag_written}."
            )
            assert [(note.level, note.message) for note in article.notes] == [("warning", message)]

    @pytest.mark.parametrize(
        "opening",
        [
            "<div class='x>", '<p title="never closed', "<!-- never closed", "A <!--> comment",
            "<?php never closed", "<![CDATA[ never", "<script><!-- <script> </script>", "</p class='x",
            "> <script>", "- <style> x", "## The <title> element", "<svg><script></svg></script>",
            "<svg><math></svg>", "x^[a <script> b]", "|a|\n|--|\n|<svg>|", "<div>\n<textarea>\n</div>",
            "<!-- --!> <script> -->", "<b x\"=\">",
        ],
    )  # fmt: skip
    def test_takes_nothing_of_what_follows(self, opening: str):
        body = read(f"# Ferry\n\n{opening}{AFTER}", NAME).body
        at = body.index(p("Second <em>paragraph</em>."))
        assert body[at + 1] == p("Third.")

    @pytest.mark.parametrize(
        "whole",
        [
            "<script>if (a<b) {\n\n}</script>", "<style>\n\na {}\n\n</style>", "A <script>x</script>",
            "<video src='https://example.org/v.mp4'></video>", "A <!-- comment -->", "<!-- a\n\nb -->",
            "<iframe src=https://example.org/ allowfullscreen></iframe>", "<svg/>",
            "<div\nclass='a>b'\nid=x>A</div>", "5 < 6", "<script><!--\nx //--></script>",
        ],
    )  # fmt: skip
    def test_what_is_closed_is_html(self, whole: str):
        article = read(f"# Ferry\n\n{whole}{AFTER}", NAME)
        assert article.body[-2:] == (p("Second <em>paragraph</em>."), p("Third."))
        assert article.notes == ()

    def test_takes_time_in_proportion(self):
        for piece in ("<script>\n", '<div "\n', "<!--\n", "a <svg> ", "<div>\n<!--"):
            start = time.process_time()
            with contextlib.suppress(ArticleError):
                read(f"# Ferry\n\n{piece * 50_000}\n\nText.", NAME)
            assert time.process_time() - start < CPU_SECONDS

    def test_too_much_of_it_is_refused_in_a_sentence(self):
        with pytest.raises(ArticleError, match=r"never closed\. Close them, or write `<tag>`"):
            read("# Ferry\n\n" + "<script>\n" * 50_000, NAME)


class TestElementsThatAreLeftOut:
    def test_are_noted_where_they_hold_text(self):
        text = "# Ferry\n\nA <math>x</math> <button>y</button> <button>z</button> <svg><title>t</title></svg>"
        (note,) = read(text, NAME).notes
        assert (note.level, note.where, note.message) == (
            "warning",
            "body",
            "3 elements were left out with the text in them: <math>, <button>.",
        )


class TestLinksThatLeadNowhere:
    def test_are_noted(self):
        article = read("# Ferry\n\n[a](/a) [b](b.md) [c](#c) ![d](d.jpg) <img src=e.jpg>", NAME)
        assert html("[a](/a)") == "<p>a</p>"
        assert [(note.level, note.message) for note in article.notes] == [
            ("warning", "2 links were taken off their text, for want of an address that begins with https://: /a, b.md."),
            ("warning", "2 images were left out, for want of an address that begins with https://: d.jpg, e.jpg."),
        ]  # fmt: skip

    def test_nor_may_lead_anywhere(self):
        text = "# Ferry\n\n[a](javascript:x) <vbscript:y> [b](http:/nowhere) ![c](data:text/html,z)"
        article = read(text, NAME)
        assert told(article) == "a vbscript:y b"
        assert [(note.level, note.message) for note in article.notes] == [
            ("warning", "3 links were taken off their text, for want of an address that begins with https://: javascript:x, vbscript:y, http:/nowhere."),
            ("warning", "1 image was left out, for want of an address that begins with https://: data:text/html,z."),
        ]  # fmt: skip

    def test_many_are_one_note(self):
        article = read("# Ferry\n\n" + "".join(f"[a](/{n}) " for n in range(50)), NAME)
        (note,) = article.notes
        assert note.message.startswith("50 links ")
        assert note.message.endswith("/0, /1, /2 and 47 more.")


class TestFootnotes:
    def test_end_up_as_a_list_behind_a_rule(self):
        assert body(
            "One[^a] two[^b] one again[^a].\n\n[^b]: Second *note*.\n[^a]: First.\n\n    More.\n\nText."
        ) == (
            p("One<sup>[1]</sup> two<sup>[2]</sup> one again<sup>[1]</sup>."),
            p("Text."),
            Rule(),
            List(((p("First."), p("More.")), (p("Second <em>note</em>."),)), ordered=True),
        )

    def test_may_be_written_in_place(self):
        assert body("One^[a *note*] two^[another].")[-1] == List(
            ((p("a <em>note</em>"),), (p("another"),)), ordered=True
        )

    def test_one_that_nothing_refers_to_is_not_lost(self):
        article = read("# Ferry\n\nText.\n\n[^x]: Forgotten.\n", NAME)
        assert told(article).endswith("Forgotten.")
        assert [(note.level, note.where) for note in article.notes] == [("warning", "footnotes")]

    def test_one_that_is_missing_stays_as_it_is_written(self):
        assert body("Text[^x].") == (p("Text[^x]."),)

    def test_one_inside_another(self):
        assert (
            told(read("# F\n\nA[^1].\n\n[^1]: One[^2].\n[^2]: Two.\n", NAME))
            == "A[1].\n\nOne[2].\nTwo."
        )


class TestImageOfFrontMatter:
    def test_opens_the_body(self):
        source = "---\ntitle: F\nimage: https://example.org/i.jpg\nimage_alt: A pier\n---\n"
        assert read(source + "Text.", NAME).body[0] == Image("https://example.org/i.jpg", "A pier")
        shown = read(source + "Text.\n\n![Pier](https://example.org/i.jpg)", NAME).body
        assert [type(block) for block in shown] == [Paragraph, Image]


class TestLooksLike:
    @pytest.mark.parametrize(
        "text",
        [
            "---\ntitle: Ferry\n---\nText.",
            "+++\ntitle = 'Ferry'\n+++\nText.",
            "# Ferry\n\nText.",
            "\n\n# Ferry",
            "Ferry\n\n## Cracks\n\nSee [this](https://example.org/).",
            "Text **bold** text.\n\n```\ncode\n```",
            "| a | b |\n|---|---|\n| c | d |\n\n## x",
            "Text[^1] and **b**.\n\n[^1]: Note.",
        ],
    )
    def test_on_strong_evidence(self, text: str):
        assert looks_like(text)

    @pytest.mark.parametrize(
        "text",
        [
            "", "Ferry\nInspectors found cracks.\n\nText.", "#ferries are late\n\nText.", "---\nText between rules.\n---\nText.",
            "Text with *one* emphasis and a * star.", "- Skerry Courier Night ferry withdrawnhttps://www.skerrycourier.example/night-ferry",
            "A price of **5** crowns.", "2 ** 3 ** 4 and ## no heading", "> quoted once\n\nText.", "Text [sic] (see https://example.org).",
            "<p>A page</p>", "#1 ferry\n", "--- a ---\nText",
        ],
    )  # fmt: skip
    def test_not_on_less(self, text: str):
        assert not looks_like(text)

    def test_the_real_article_is_pasted_text(self, cairo: Path):
        assert not looks_like(cairo.read_text("utf-8"))

    def test_takes_no_time_on_what_is_long(self):
        before = time.process_time()
        for text in (
            "[" * 500_000,
            "**a" * 200_000,
            "> " * 200_000,
            "|--" * 200_000,
            "\n" * 500_000,
        ):
            looks_like(text)
        assert time.process_time() - before < CPU_SECONDS


SIZE = 200_000
HOSTILE = {
    name: piece * (SIZE // len(piece))
    for name, piece in {
        "quotations": ">", "quotations in lines": "> " * 50 + "x\n", "lists": "- ", "numbers": "1. ", "brackets": "[",
        "images": "![", "notes": "^[", "names of notes": "[^a", "brackets that close": "[]", "links": "[a](", "links in links": "[[a](b)](c) ",
        "half-closed brackets": "a[b[c]", "stars": "*", "stars and letters": "*a **a ", "lines below": "_a ", "both": "*_",
        "ticks": "`", "angles": "<", "tags": "<a ", "comments": "<!--", "instructions": "<?", "sections": "<![CDATA[",
        "addresses": "<http://a", "entities": "&#1;", "backslashes": "\\", "tildes": "~~a ", "headings": "# \n", "underlined": "a\n===\n",
        "fences": "```\n", "rows": "|x|y|\n", "pipes": "|", "blocks of HTML": "<div>\n", "items": "- x\n", "blank": "\n", "spaces": " ",
        "definitions": "[a]: b '\n",
    }.items()
}  # fmt: skip
HOSTILE |= {
    "ticks of every length": "".join("`" * n + " " for n in range(600)),
    "a megabyte of brackets": "[" * 1_000_000,
    "nested brackets": "[" * 50_000 + "a" + "](b)" * 50_000,
    "nested stars": "*" * 50_000 + "a" + "*" * 50_000,
    "nested lists": "".join("  " * n + "- x\n" for n in range(300)),
    "a wide table": "|" + "a|" * 20_000 + "\n|" + "-|" * 20_000 + "\n" + "x\n" * 20_000,
    "a long address used often": "[a]: http://example.org/"
    + "x" * 100_000
    + "\n\n"
    + "[a] " * 25_000,
    "notes referred to often": "[^1]" * 40_000 + "\n\n[^1]: x",
    "many notes": "".join(f"[^{n}]: x\n\n" for n in range(10_000)),
}


class TestBounds:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_markdown_is_read_or_refused_in_time(self, name: str):
        text = HOSTILE[name]
        before = time.process_time()
        try:
            article = read(f"# Ferry\n\nText.\n\n{text}\n", NAME)
        except ArticleError as error:
            assert str(error).startswith(NAME)
            assert str(error).endswith(".")
        else:
            assert (
                sum(len(markup.block_html(block)) for block in article.body)
                < 20 * len(text) + 10_000
            )
        assert time.process_time() - before < CPU_SECONDS

    def test_nesting_that_would_lose_text_is_refused(self):
        with pytest.raises(ArticleError, match=r"^story\.md: .* nested more than 40 deep"):
            read("# Ferry\n\n" + "> " * 60 + "lost", NAME)
        assert "kept" in told(read("# Ferry\n\n" + "> " * 38 + "kept", NAME))

    def test_open_brackets_are_refused_by_line(self):
        with pytest.raises(
            ArticleError, match=r"^story\.md, about line 3: too many square brackets"
        ):
            read("# Ferry\n\n" + "[" * 60_000, NAME)

    def test_a_hundred_thousand_links_are_fine(self):
        text = "# Ferry\n\n" + "[a](https://example.org/) ![b](https://example.org/i)\n\n" * 5_000
        assert len(read(text, NAME).body) == 10_000


class TestAnyText:
    pieces = st.one_of(
        st.sampled_from(
            [
                "# \n",
                "## ",
                "*",
                "**",
                "_",
                "~~",
                "`",
                "```\n",
                "> ",
                "- ",
                "1. ",
                "[",
                "](",
                ")",
                "![",
                "[^1]",
                "[^1]: ",
                "^[",
                "]",
                "\n",
                "\n\n",
                "    ",
                "\t",
                "<b>",
                "</b>",
                "<p>",
                "<script>",
                "<!--",
                "-->",
                "\\",
                "&amp;",
                "a",
                "b c",
                ":--",
                "--:",
                "https://example.org/",
                "<https://example.org>",
                "\n---\n",
                "\n===\n",
                "\xa0",
                "é",
                "日本",
            ]
        ),
        st.text(max_size=3),
    )

    @given(st.lists(pieces, max_size=25).map("".join))
    @settings(derandomize=True, max_examples=400, deadline=None)
    def test_is_read_or_refused_in_a_sentence(self, text: str):
        try:
            article = read(f"# Ferry\n\nText.\n\n{text}\n\nLast.\n", NAME)
        except ArticleError as error:
            assert str(error).startswith(NAME)
        else:
            assert article.headline
            html = "".join(map(markup.block_html, article.body))
            assert html == "".join(map(markup.block_html, markup.blocks(html)))

    @given(
        st.text(
            st.characters(categories=["L", "N", "Z"], include_characters=".,;?!()'\""),
            min_size=1,
            max_size=80,
        ).filter(lambda text: text.strip())
    )
    @settings(derandomize=True, max_examples=200, deadline=None)
    def test_plain_words_come_through_as_they_are(self, text: str):
        line = "Text " + " ".join(text.split())
        assert told(read(f"# Ferry\n\n{line}\n", NAME)) == line.rstrip()

    def test_naughty_strings_are_read_or_refused(self, shared: Path):
        for text in json.loads((shared / "data" / "blns.json").read_text("utf-8")):
            article = read(f"# Ferry\n\nText.\n\n{text}\n", NAME)
            assert told(article).startswith("Text.")
