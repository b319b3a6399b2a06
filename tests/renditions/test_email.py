"""The newsletter: what its reader sees in HTML and in plain text, and what it may never do."""

from __future__ import annotations

import email
import html as html_entities
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from email.policy import strict
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.bounds import CPU_SECONDS
from tests.golden_files import check_golden
from tests.renditions.email_samples import (
    ARABIC_DESK,
    CISTERNS,
    DESK,
    FERRY,
    PUBLISHED,
    article,
)

from dispatch.article import (
    Article,
    Author,
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
    Source,
    Table,
)
from dispatch.desk import Desk
from dispatch.errors import SettingsError, TemplateError
from dispatch.markup import block_text, blocks, escape
from dispatch.renditions import email as newsletter
from dispatch.renditions.colour import TEXT_CONTRAST, contrast, legible
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.plaintext import width
from dispatch.renditions.templates import Templates, shipped

TEMPLATES = Templates()


def render(article: Article, desk: Desk = DESK, *, max_bytes: int = 100_000) -> EmailRendition:
    return newsletter.render(article, desk, TEMPLATES, max_bytes=max_bytes)


def page(rendition: EmailRendition) -> etree._Element:
    return etree.fromstring(rendition.html.decode(), etree.HTMLParser(huge_tree=True))


def words(element: etree._Element) -> str:
    """All that is to be read in an element; a line break is a space."""
    for line_break in element.iter("br"):
        line_break.text = " "
    return " ".join("".join(element.itertext(etree.Element)).split())


def by_class(root: etree._Element, name: str) -> list[etree._Element]:
    return [e for e in root.iter() if name in str(e.get("class", "")).split()]


def texts(rendition: EmailRendition, name: str) -> list[str]:
    return [words(element) for element in by_class(page(rendition), name)]


# Read by a person --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sample", "desk"), [("ferry", FERRY, DESK), ("cisterns", CISTERNS, ARABIC_DESK)]
)
def test_golden(name: str, sample: Article, desk: Desk) -> None:
    rendition = render(sample, desk)
    check_golden(f"email/{name}.html", rendition.html)
    check_golden(f"email/{name}.txt", rendition.text)
    check_golden(f"email/{name}.eml", rendition.eml)
    assert rendition.notes == ()


# What is in it -----------------------------------------------------------------------------------


def test_subject_and_headline_are_the_article_s() -> None:
    rendition = render(FERRY)
    assert rendition.subject == FERRY.headline
    assert words(page(rendition).find(".//h1")) == FERRY.headline
    assert words(page(rendition).find(".//title")) == FERRY.headline


def test_the_message_holds_the_two_parts_to_the_letter() -> None:
    rendition = render(FERRY)
    text, html = email.message_from_bytes(rendition.eml, policy=strict).iter_parts()  # type: ignore[attr-defined]
    assert text.get_payload(decode=True).replace(b"\r\n", b"\n") == rendition.text
    assert html.get_payload(decode=True).replace(b"\r\n", b"\n") == rendition.html


def test_the_masthead_names_publisher_and_desk() -> None:
    assert texts(render(FERRY), "masthead") == ["The Meridian Courier World"]


def test_byline_and_times() -> None:
    (line,) = texts(render(FERRY), "byline")
    assert line == (
        "By Inez Vale and Tom Achterberg Saturday, 3 October 2026 "
        "Updated Saturday, 3 October 2026 · 17:20 UTC"
    )


def test_an_article_that_was_not_updated_says_nothing_of_it() -> None:
    assert texts(render(article("Rain.")), "byline") == ["Saturday, 3 October 2026"]


def test_the_dateline_opens_the_first_paragraph() -> None:
    first = page(render(FERRY)).find(".//td[@class='body ink']/p")
    assert words(first).startswith("PORT ALDER — The last diesel ferry")


def test_a_dateline_that_no_paragraph_carries_stands_above() -> None:
    rendition = render(article(dateline="PORT ALDER", body=(Code("1 + 1"),)))
    assert texts(rendition, "byline") == ["PORT ALDER · Saturday, 3 October 2026"]
    assert "\nPORT ALDER · Saturday, 3 October 2026\n" in rendition.text.decode()


def test_an_image_at_the_start_leads() -> None:
    root = page(render(FERRY))
    (lead,) = by_class(root, "lead")
    assert lead.find(".//img").get("src") == "https://images.example.org/ferry.jpg?w=1280&h=760"
    assert words(lead) == "The Alder Maid on its last evening crossing. · Inez Vale"
    assert len(root.findall(".//img")) == 2


def test_every_block_of_the_body_is_in_both_parts() -> None:
    rendition = render(FERRY)
    html, text = words(page(rendition)), " ".join(rendition.text.decode().split())
    plain = re.sub(r" \[\d+\]", "", text)
    for block in FERRY.body:
        for line in block_text(block).split("\n"):
            for cell in line.split("\t"):
                assert " ".join(cell.split()) in html
                assert " ".join(cell.split()) in plain


def test_sources_authors_note_and_corrections_follow_the_body() -> None:
    assert texts(render(FERRY), "closing") == [
        "Editor’s note An earlier headline named the wrong strait.",
        "Correction An earlier version said that fares would stay until 2028.",
        "Sources Harbour Board Minutes of the extraordinary meeting Interview notes, unpublished",
        "About the author Inez Vale Transport correspondent Inez Vale lives on Tern.",
    ]


def test_the_footer_has_what_a_newsletter_owes_its_readers() -> None:
    root = page(render(FERRY))
    (footer,) = by_class(root, "footer")
    assert [(words(a), a.get("href")) for a in footer.iter("a")] == [
        ("View in browser", "https://news.example.org/world/2026/10/03/battery-boats/"),
        ("Preferences", "https://news.example.org/world/preferences"),
        ("Unsubscribe", "https://news.example.org/world/unsubscribe"),
    ]
    assert "14 Quay Street, Port Alder © 2026 The Meridian Courier" in words(footer)


def test_a_bare_article_has_no_empty_parts() -> None:
    rendition = render(article("Rain."))
    root = page(rendition)
    for name in ("standfirst", "closing", "lead", "caption", "label"):
        assert not by_class(root, name)
    empty = [
        e.tag
        for e in root.iter("p", "td", "li", "strong", "h1", "h2")
        if not words(e) and not len(e)
    ]
    assert not empty
    assert "\n\n\n" not in rendition.text.decode()


def test_labels_speak_the_article_s_language() -> None:
    rendition = render(CISTERNS, ARABIC_DESK)
    assert "المصادر" in texts(rendition, "label")
    assert "المصادر\n-------\n" in rendition.text.decode()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Crosshead(Html("Next"), 2), "h2"),
        (Crosshead(Html("Next"), 3), "h3"),
        (Crosshead(Html("Next"), 6), "h3"),
        (List(((Paragraph(Html("one")),),)), "ul"),
        (List(((Paragraph(Html("one")),),), ordered=True), "ol"),
        (Quotation((Paragraph(Html("Yes.")),)), "blockquote"),
        (Code("x = 1"), "pre"),
        (Rule(), "hr"),
    ],
)
def test_a_block_is_what_its_kind_says(block: object, expected: str) -> None:
    body = by_class(page(render(article(body=(Paragraph(Html("First.")), block)))), "body")[0]
    assert [child.tag for child in body] == ["p", expected]


def test_code_keeps_its_lines() -> None:
    code = "\n  a < b && c\n\n\td\n"
    rendition = render(article(body=(Code(code),)))
    # A browser drops the line break that directly follows the tag.
    inside = re.search(r"<pre[^>]*>\n(.*?)</pre>", rendition.html.decode(), re.DOTALL)
    assert inside
    assert html_entities.unescape(inside[1]) == code


def test_an_embed_is_a_card_that_links() -> None:
    rendition = render(article(body=(Embed("https://video.example.org/w?v=1&t=2", "The trial"),)))
    (card,) = by_class(page(rendition), "embed")
    assert words(card) == "The trial See it on video.example.org"
    assert card.find(".//a").get("href") == "https://video.example.org/w?v=1&t=2"


# HTML that mail programs understand --------------------------------------------------------------


def all_kinds() -> Iterator[etree._Element]:
    yield page(render(FERRY))
    yield page(render(CISTERNS, ARABIC_DESK))
    yield page(render(article(*["Rain all day. " * 40] * 300)))


def test_the_html_has_no_error_that_a_browser_would_repair() -> None:
    for sample in (FERRY, CISTERNS, long_read(), everywhere("<b>&amp;\"'")):
        parser = html5lib.HTMLParser()
        parser.parse(render(sample).html.decode())
        assert not parser.errors


def test_layout_tables_say_that_they_are_and_data_tables_have_headers() -> None:
    for root in all_kinds():
        for table in root.iter("table"):
            if table.get("class", "").startswith("data"):
                assert table.get("role") is None
                assert all(th.get("scope") in ("col", "row") for th in table.iter("th"))
            else:
                assert table.get("role") == "presentation"
                assert not list(table.iterchildren("th", "caption"))


def test_the_page_is_an_article_with_language_and_direction() -> None:
    for sample, desk, language, direction in (
        (FERRY, DESK, "en", "ltr"),
        (CISTERNS, ARABIC_DESK, "ar", "rtl"),
    ):
        root = page(render(sample, desk))
        (role,) = root.findall(".//div[@role='article']")
        assert role.get("aria-roledescription") == "email"
        for element in (root, role):  # webmail drops the html element
            assert (element.get("lang"), element.get("dir")) == (language, direction)


def test_images_have_alternative_text_and_a_width_for_outlook() -> None:
    rendition = render(article(body=(*FERRY.body, Image("https://images.example.org/x.png"))))
    images = list(page(rendition).iter("img"))
    assert [image.get("alt") for image in images][-1] == ""
    assert {image.get("width") for image in images} == {"640", "560"}
    assert all("max-width:100%" in image.get("style") for image in images)


def test_right_to_left_is_mirrored() -> None:
    root = page(render(CISTERNS, ARABIC_DESK))
    (quotation,) = by_class(root, "quotation")
    assert "border-right:4px" in quotation.get("style")
    assert "border-left" not in quotation.get("style")
    for name in ("masthead", "opening", "body", "closing"):
        assert {td.get("align") for td in by_class(root, name)} == {"right"}
    for name in ("head", "cell"):
        assert all("text-align:right" in cell.get("style") for cell in by_class(root, name))
    assert "padding-right:26px" in by_class(root, "list")[0].get("style")


def test_doctype_and_metas_open_the_page() -> None:
    html = render(FERRY).html.decode()
    assert html.startswith('<!DOCTYPE html>\n<html lang="en" dir="ltr"')
    assert '<meta charset="utf-8">' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert '<meta name="supported-color-schemes" content="light dark">' in html


def test_the_styles_that_stay_are_those_that_cannot_be_inlined() -> None:
    phones, dark = page(render(FERRY)).findall(".//head/style")
    assert phones.text.strip().startswith("@media (max-width: 600px) {")
    assert "@media (prefers-color-scheme: dark) {" in dark.text
    assert "[data-ogsc] .ink" in dark.text
    assert all(
        rule.endswith("!important}")
        for rule in re.findall(r"(?m)^[.\[].*", phones.text + dark.text)
    )
    assert len((phones.text + dark.text).encode()) < 8192  # Gmail drops more


def test_outlook_s_comments_stay() -> None:
    html = render(FERRY).html.decode()
    assert html.count("<!--[if mso]>") == 3
    assert html.count("<![endif]-->") == 3
    assert "<o:PixelsPerInch>96</o:PixelsPerInch>" in html


def test_nothing_but_the_article_s_images_is_loaded() -> None:
    for root in all_kinds():
        assert not list(root.iter("link", "script", "iframe", "object", "video", "svg", "form"))
        assert all("url(" not in e.get("style", "") for e in root.iter(etree.Element))
        styles = "".join(style.text for style in root.iter("style"))
        assert not re.search(r"url\(|@import|@font-face", styles)


def test_links_are_addresses_and_are_escaped_once() -> None:
    rendition = render(FERRY)
    hrefs = [a.get("href") for a in page(rendition).iter("a")]
    assert "https://example.org/board?year=2026&item=4" in hrefs
    assert "mailto:board@example.org" in hrefs
    assert all(re.match("https?://|mailto:", href) for href in hrefs)
    assert b"board?year=2026&amp;item=4" in rendition.html
    assert b"amp;amp;" not in rendition.html


def test_the_preheader_is_the_standfirst_hidden() -> None:
    (preheader,) = by_class(page(render(FERRY)), "preheader")
    shown, _, padding = str(preheader.text).partition("\u200c")
    assert shown == FERRY.standfirst
    assert set(padding) == {"\u200c", "\u00a0"}
    assert "display:none" in preheader.get("style")


@pytest.mark.parametrize(
    ("standfirst", "first", "expected"),
    [
        (None, "It <b>rained</b> &amp; rained.", "It rained & rained."),
        ("Word " * 100, "Rain.", "Word " * 27 + "Word…"),
        ("Rain.", "Sun.", "Rain."),
    ],
)
def test_the_preheader_is_short(standfirst: str | None, first: str, expected: str) -> None:
    (preheader,) = by_class(page(render(article(first, standfirst=standfirst))), "preheader")
    assert str(preheader.text).partition("\u200c")[0] == expected


# Colours -----------------------------------------------------------------------------------------

LONG_HEX = re.compile(r"#([0-9a-f]{6})\b|#([0-9a-f])([0-9a-f])([0-9a-f])\b")


def declared(style: str, name: str) -> str | None:
    found = re.search(rf"(?:^|;)\s*{name}:\s*(#[0-9a-f]{{3,6}})", style)
    if not found:
        return None
    value = found[1]
    return value if len(value) == 7 else "#" + "".join(c * 2 for c in value[1:])


def dark_colours(root: etree._Element, selector_of: str) -> dict[etree._Element, str]:
    """What the dark scheme makes of a property, by element."""
    dark = root.findall(".//head/style")[1].text
    inside = dark.partition("@media (prefers-color-scheme: dark) {")[2].partition("\n}")[0]
    chosen: dict[etree._Element, str] = {}
    for selectors, name, value in re.findall(r"(?m)^(.+?) \{([\w-]+): (#\w+) !important\}", inside):
        if name == selector_of:
            for selector in selectors.split(", "):
                path = "".join(
                    f"//*[contains(concat(' ', @class, ' '), ' {part[1:]} ')]"
                    if part[0] == "."
                    else f"//{part}"
                    for part in selector.split()
                )
                for element in root.xpath(path):
                    chosen[element] = value
    return chosen


def colours(root: etree._Element, *, dark: bool) -> Iterator[tuple[str, str, str]]:
    """Each text with its colour and the colour behind it."""
    fronts = dark_colours(root, "color") if dark else {}
    grounds = dark_colours(root, "background-color") if dark else {}
    for element in root.find("body").iter():
        hidden = element.tag is etree.Comment or "preheader" in element.get("class", "")
        if hidden or not (element.text or "").strip():
            continue
        line = [element, *element.iterancestors()]
        front = next(
            c for e in line if (c := fronts.get(e) or declared(e.get("style", ""), "color"))
        )
        ground = next(
            c
            for e in line
            if (c := grounds.get(e) or declared(e.get("style", ""), "background-color"))
        )
        yield element.text, front, ground


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "accent", ["#8c1c13", "#ffcc00", "#00ff00", "#777777", "#000000", "#ffffff", "#10204a"]
)
def test_all_text_can_be_read(accent: str, dark: bool) -> None:
    desk = replace(DESK, accent=accent)
    long = article(*["Rain all day. " * 60] * 300, editors_note="Note.", sources=FERRY.sources)
    seen = set()
    for sample in (FERRY, long):
        for text, front, ground in colours(page(render(sample, desk)), dark=dark):
            assert contrast(front, ground) >= TEXT_CONTRAST, (text, front, ground)
            seen.add((front, ground))
    assert len(seen) >= 6  # it has looked at ink, soft text and accent on card, panel and page


def test_in_the_dark_scheme_nothing_keeps_a_light_ground() -> None:
    root = page(render(FERRY))
    grounds = dark_colours(root, "background-color")
    light = [
        e
        for e in root.iter(etree.Element)
        if declared(e.get("style", ""), "background-color") and e not in grounds
    ]
    assert not light


@given(st.integers(0, 0xFFFFFF), st.sampled_from(["#f7f5f0", "#262421", "#ffffff", "#000000"]))
def test_any_colour_is_made_legible(value: int, ground: str) -> None:
    colour = f"#{value:06x}"
    made = legible(colour, ground)
    assert contrast(made, ground) >= TEXT_CONTRAST
    if contrast(colour, ground) >= TEXT_CONTRAST:
        assert made == colour


@pytest.mark.parametrize(
    "accent", ["red", "#12345", "#12345g", "", "#8c1c13;} body {display: none"]
)
def test_what_is_no_colour_is_a_sentence(accent: str) -> None:
    with pytest.raises(SettingsError, match="Write it as #rrggbb"):
        render(FERRY, replace(DESK, accent=accent))


# Too long ----------------------------------------------------------------------------------------


def long_read(count: int = 400) -> Article:
    return replace(
        FERRY, body=tuple(Paragraph(Html(f"Part {n}. {'Rain. ' * 60}")) for n in range(count))
    )


def test_an_article_that_fits_has_no_button() -> None:
    rendition = render(FERRY)
    assert not by_class(page(rendition), "button")
    assert b"Continue reading" not in rendition.text


def test_a_long_article_is_cut_at_a_block_s_end_and_continues_on_the_web() -> None:
    rendition = render(long_read())
    root = page(rendition)
    shown = re.findall(r"Part (\d+)\. (?:Rain\. )+", words(by_class(root, "body")[0]))
    assert list(map(int, shown)) == list(range(len(shown)))
    assert len(rendition.html) <= 100_000
    (button,) = by_class(root, "button-text")
    assert words(button) == "Continue reading"
    assert button.get("href") == "https://news.example.org/world/2026/10/03/battery-boats/"
    (note,) = rendition.notes
    assert (note.level, note.where) == ("info", "email")
    assert f"the first {len(shown)} of 400 blocks" in note.message


def test_what_follows_the_body_stays() -> None:
    long, short = render(long_read()), render(FERRY)
    assert texts(long, "closing") == texts(short, "closing")
    assert texts(long, "footer") == texts(short, "footer")


def test_the_text_part_ends_where_the_html_does() -> None:
    rendition = render(long_read())
    shown = len(re.findall(r"Part \d+\.", words(by_class(page(rendition), "body")[0])))
    text = rendition.text.decode()
    assert len(re.findall(r"Part \d+\.", text)) == shown
    assert "\nContinue reading:\nhttps://news.example.org/world/2026/10/03/battery-boats/\n" in text


@pytest.mark.parametrize("max_bytes", [15_000, 20_000, 33_333, 60_000, 99_999])
def test_as_many_blocks_as_fit_are_in(max_bytes: int) -> None:
    size = len(render(long_read(), max_bytes=max_bytes).html)
    one_block = len(render(long_read(2)).html) - len(render(long_read(1)).html)
    assert max_bytes - one_block < size <= max_bytes


def test_an_article_of_just_the_size_is_whole() -> None:
    whole = render(long_read(30))
    size = len(whole.html)
    assert render(long_read(30), max_bytes=size).html == whole.html
    smaller = render(long_read(30), max_bytes=size - 1)
    assert len(smaller.html) < size
    assert by_class(page(smaller), "button")


def test_a_cut_leaves_no_crosshead_or_rule_at_the_end() -> None:
    part = (Paragraph(Html("Rain. " * 60)), Rule(), Crosshead(Html("Next")))
    for max_bytes in range(20_000, 21_500, 100):
        rendition = render(article(body=part * 200), max_bytes=max_bytes)
        body = by_class(page(rendition), "body")[0]
        assert [child.tag for child in body][-2:] == ["p", "table"]


def test_css_is_inlined_once_and_never_over_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(html: str) -> str:
        sizes.append(len(html))
        return inline(html)

    inline = newsletter.inline_css
    monkeypatch.setattr(newsletter, "inline_css", counted)
    render(long_read(20_000))
    assert len(sizes) == 1
    assert sizes[0] < 135_000


HUGE = 5_000_000


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(Html("Rain. " * (HUGE // 6))),
        Paragraph(Html("<b>Rain</b> &amp; " * (HUGE // 18))),
        Code("<&>\n" * (HUGE // 4)),
        List(((Paragraph(Html("Rain.")),),) * 100_000),
        Table(((Cell(Html("Rain.")),) * 4,) * 25_000),
    ],
    ids=["paragraph", "marked-up paragraph", "code", "list", "table"],
)
def test_a_block_of_megabytes_is_left_to_the_web(block: Paragraph | Code | List | Table) -> None:
    started = time.process_time()
    rendition = render(
        article("First.", body=(Paragraph(Html("First.")), block, Paragraph(Html("Last."))))
    )
    assert time.process_time() - started < CPU_SECONDS
    assert words(by_class(page(rendition), "body")[0]) == "First. Continue reading"
    assert len(rendition.html) < 20_000
    assert len(rendition.eml) < 30_000


def test_a_first_block_too_large_still_gives_an_email() -> None:
    rendition = render(replace(FERRY, body=(Paragraph(Html("Rain. " * 50_000)),)))
    assert texts(rendition, "body") == ["Continue reading"]
    assert texts(rendition, "standfirst") == [FERRY.standfirst]
    assert "the first 0 of 1 blocks" in rendition.notes[0].message


def test_an_article_of_megabytes_takes_no_longer_than_one_that_fills_an_email() -> None:
    started = time.process_time()
    rendition = render(article(*[f"{n} " + "Rain. " * 80 for n in range(10_000)]))
    assert time.process_time() - started < CPU_SECONDS
    assert 95_000 < len(rendition.html) <= 100_000


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"headline": "Rain " * 200_000}, "The headline has 1,000,000 characters"),
        ({"headline": "雨" * 1_000_000}, "The headline has 1,000,000 characters"),
        ({"standfirst": "Rain " * 20_000}, "The standfirst has 100,000 characters"),
        ({"editors_note": "Rain " * 20_000}, "The editor’s note has 100,000 characters"),
        ({"dateline": "RAIN " * 20_000}, "The dateline has 100,000 characters"),
        ({"rights": "Rain " * 20_000}, "The rights has 100,000 characters"),
        (
            {
                "sources": tuple(
                    Source(f"Report {n}", "Board", f"https://example.org/{n}") for n in range(9000)
                )
            },
            "of 9000 sources",
        ),
        ({"corrections": ("Rain. " * 100,) * 500}, "20 of 500 corrections"),
        ({"byline": (Author("Ann", bio="Rain. " * 1000),) * 500}, "20 of 500 authors"),
    ],
)
def test_what_stands_around_the_body_leaves_room_for_it(
    fields: dict[str, object], said: str
) -> None:
    started = time.process_time()
    rendition = render(article("First.", "Last.", **fields))
    assert time.process_time() - started < CPU_SECONDS
    assert len(rendition.html) <= 100_000
    (body,) = texts(rendition, "body")
    assert body.endswith("First. Last.")
    assert [note for note in rendition.notes if said in note.message]


def test_an_email_that_cannot_be_small_enough_says_so() -> None:
    rendition = render(FERRY, max_bytes=5000)
    assert texts(rendition, "body") == ["Continue reading"]
    assert [note.level for note in rendition.notes] == ["info", "warning"]
    assert "Shorten what stands around the body" in rendition.notes[-1].message


def test_a_headline_of_300_characters_is_whole() -> None:
    headline = ("Rain upon rain, " * 20)[:300].strip()
    rendition = render(article("First.", headline=headline))
    assert rendition.subject == headline
    assert words(page(rendition).find(".//h1")) == headline
    assert rendition.notes == ()


# Plain text --------------------------------------------------------------------------------------


def text_of(*body: object, **fields: object) -> str:
    """What stands between the date and the footer."""
    text = render(article(body=body, **fields)).text.decode()
    return text.partition("October 2026\n\n")[2].partition("\n\n-----")[0]


def test_lines_are_short_and_clean() -> None:
    for sample, desk in ((FERRY, DESK), (CISTERNS, ARABIC_DESK)):
        text = render(sample, desk).text.decode()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        for line in text.split("\n"):
            assert line == line.rstrip()
            assert width(line) <= 72


def test_links_are_numbered_and_listed_once() -> None:
    html = (
        '<p>See <a href="https://example.org/a?x=1&amp;y=2">one</a>, '
        '<a href="https://example.org/b">two</a>, <a href="https://example.org/a?x=1&amp;y=2">one</a>, '
        '<a href="https://example.org/c">https://example.org/c</a> and '
        '<a href="mailto:a@example.org">a@example.org</a>.</p>'
    )
    source = Source("Three", "Board", "https://example.org/three")
    assert text_of(*blocks(html), sources=(source,)) == (
        "See one [1], two [2], one [1], https://example.org/c and a@example.org.\n"
        "\n"
        "Sources\n"
        "-------\n"
        "* Board – Three [3]\n"
        "\n"
        "Links\n"
        "-----\n"
        "[1] https://example.org/a?x=1&y=2\n"
        "[2] https://example.org/b\n"
        "[3] https://example.org/three"
    )


def test_a_long_address_stays_on_one_line() -> None:
    url = f"https://example.org/{'a-long-path/' * 12}"
    assert f"\n[1] {url}" in text_of(*blocks(f'<p>See <a href="{url}">it</a>.</p>'))


def paragraph(text: str) -> Paragraph:
    return Paragraph(escape(text))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Crosshead(Html("What <em>next</em>?")), "What next?\n----------"),
        (Crosshead(Html("東港")), "東港\n----"),
        (Rule(), "* * *"),
        (Code("a\n\tb  \n\n  c"), "    a\n        b\n\n      c"),
        (
            Embed("https://example.org/v", "The trial"),
            "The trial [1]\n\nLinks\n-----\n[1] https://example.org/v",
        ),
        (Embed("https://example.org/v"), "https://example.org/v"),
        (
            Image("https://example.org/a.png", "A boat", Html("At dusk"), "Inez Vale"),
            "[Image: A boat — At dusk (Inez Vale)]",
        ),
        (Image("https://example.org/a.png", "A boat"), "[Image: A boat]"),
        (Image("https://example.org/a.png", "At dusk", Html("At <b>dusk</b>")), "[Image: At dusk]"),
        (Image("https://example.org/a.png", ""), ""),
        (List(((paragraph("one"),), (paragraph("two"),))), "* one\n* two"),
        (
            List(((paragraph("one"),), (paragraph("two"),)), ordered=True, start=9),
            "9. one\n10. two",
        ),
        (
            List(((paragraph("one"), List(((paragraph("deep"),),))), (paragraph("two"),))),
            "* one\n  * deep\n* two",
        ),
        (
            List(((paragraph("one"), paragraph("more")), (paragraph("two"),))),
            "* one\n\n  more\n\n* two",
        ),
        (
            Quotation((paragraph("Yes."), paragraph("No.")), Html("Ann <em>Lee</em>")),
            "> Yes.\n>\n> No.\n> — Ann Lee",
        ),
        (
            Quotation((Quotation((paragraph("Yes."),)), List(((paragraph("a"),),)))),
            "> > Yes.\n> * a",
        ),
        (
            Table(
                (
                    (Cell(Html("Season"), True), Cell(Html("Boats"), True, "right")),
                    (Cell(Html("夏")), Cell(Html("7"), False, "right")),
                ),
                Html("Boats by season"),
            ),
            "Boats by season\n\nSeason  Boats\n------  -----\n夏          7",
        ),
        (Table(((Cell(Html("a")), Cell(Html("b"))),)), "a  b"),
        (
            Table(
                (
                    (Cell(Html("Town"), True), Cell(Html("Decision"), True)),
                    (Cell(Html("Alder")), Cell(Html("a longer sentence " * 5))),
                )
            ),
            "Town: Alder\nDecision: a longer sentence a longer sentence a longer sentence a longer\n  sentence a longer sentence",
        ),
    ],
)
def test_a_block_in_plain_text(block: object, expected: str) -> None:
    assert text_of(block) == expected or (expected == "" and text_of(block).strip() == "")


def test_quotations_and_lists_are_wrapped_within_their_signs() -> None:
    quotation = Quotation((List(((paragraph("Rain all day long. " * 12),),)),))
    lines = text_of(quotation).split("\n")
    assert lines[0].startswith("> * Rain")
    assert all(line.startswith(">   ") and len(line) <= 72 for line in lines[1:])


def test_a_long_attribution_stands_behind_its_dash() -> None:
    lines = text_of(Quotation((paragraph("Yes."),), Html("Rain " * 20))).split("\n")
    assert lines[:2] == [
        "> Yes.",
        "> — Rain Rain Rain Rain Rain Rain Rain Rain Rain Rain Rain Rain Rain",
    ]
    assert all(line.startswith(">   Rain") for line in lines[2:])


def test_however_deep_quotations_and_lists_stand_their_text_has_room() -> None:
    block: Block = paragraph("Rain all day long. " * 12)
    for _ in range(30):
        block = Quotation((List(((block,),)),))
    lines = text_of(block).split("\n")
    assert max(map(len, lines)) <= 72
    assert " ".join(lines).count("Rain") == 12


# Hostile -----------------------------------------------------------------------------------------

CONTROLS = [
    *range(9),
    *range(11, 13),
    *range(14, 32),
    *range(127, 160),
    0xFFFE,
    0xFFFF,
    0xD800,
    0xDFFF,
]
ALLOWED_TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "table",
        "tr",
        "td",
        "th",
        "caption",
        "h1",
        "h2",
        "h3",
        "p",
        "a",
        "strong",
        "b",
        "em",
        "br",
        "bdi",
        "span",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "hr",
        "img",
        "sup",
    ]
)


def everywhere(text: str) -> Article:
    """An article that says ``text`` wherever an article can say something."""
    one_line = re.sub(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", " ", text)
    if not one_line.strip():
        one_line = f"x{one_line}"
    html = escape(text)
    return article(
        headline=one_line,
        standfirst=one_line,
        dateline=one_line,
        rights=one_line,
        byline=(Author(one_line, one_line, one_line, one_line, one_line, one_line),),
        editors_note=text,
        corrections=(text,),
        sources=(Source(text, text, text),),
        body=(
            Paragraph(html),
            Crosshead(html),
            List(((Paragraph(html),),)),
            Quotation((Paragraph(html),), html),
            Code(text, text),
            Table(((Cell(html, True),), (Cell(html),)), html),
            Image("https://example.org/a.png", text, html, text),
            Embed("https://example.org/", text),
        ),
    )


def assert_harmless(rendition: EmailRendition) -> None:
    root = page(rendition)
    for element in root.iter(etree.Element):
        assert element.tag in ALLOWED_TAGS
        assert not [name for name in element.attrib if name.startswith("on")]
    assert all(re.match("https?://|mailto:", a.get("href")) for a in root.iter("a"))
    assert not [c for c in rendition.html.decode() + rendition.text.decode() if ord(c) in CONTROLS]
    parsed = email.message_from_bytes(rendition.eml, policy=strict)
    assert parsed.keys()[:4] == ["From", "To", "Subject", "Date"]
    assert len(parsed.keys()) == 11


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(1)",
        "{{7*7}}{% for x in y %}{{ x.__class__ }}{# #}",
        "</style></title><!-- --> ]]> <![CDATA[ <!--[if mso]>",
        "Rain\r\nBcc: victim@example.org\r\n\r\nBody",
        "\0\x01\x1b[31m\x7f\x85\u2028\ufffe",
        "\ud800 half a pair \udfff",
        "gnp.\u202eexe",
        "--=_0123456789abcdef\r\n.\r\nQUIT\r\n",
        "&lt;b&gt; &amp;amp; &#0; &nbsp; %s %(names)s {0} ${x}",
        "👩🏽‍🚀 العربية 日本語 e\u0301",
    ],
)
def test_a_hostile_text_is_shown_and_nothing_else(text: str) -> None:
    rendition = render(everywhere(text))
    assert_harmless(rendition)
    visible = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff\ufffe\uffff]", "", text)
    assert " ".join(visible.split()) in words(page(rendition))


def test_naughty_strings(shared: Path) -> None:
    strings = json.loads((shared / "data" / "blns.json").read_text())
    for start in range(0, len(strings), 10):
        assert_harmless(render(everywhere(" ".join(strings[start : start + 10]))))


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_is_harmless(text: str) -> None:
    assert_harmless(render(everywhere(text)))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/relative",
        "//example.org",
        "",
        "http://[",
        "ftp://example.org/",
    ],
)
def test_a_source_without_a_web_address_is_not_linked(url: str) -> None:
    rendition = render(article("Rain.", sources=(Source("Report", "Board", url),)))
    assert texts(rendition, "closing") == ["Sources Board Report"]
    assert not list(by_class(page(rendition), "closing")[0].iter("a"))
    assert "* Board – Report\n" in rendition.text.decode()


# Pure --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["path", "published"])
def test_an_article_that_was_not_placed_is_refused(missing: str) -> None:
    with pytest.raises(ValueError, match="was not"):
        render(replace(FERRY, **{missing: None}))


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "from hashlib import sha256; from tests.renditions.test_email import *; "
        "r = render(FERRY); print(sha256(r.html + r.text + r.eml).hexdigest())"
    )
    root = Path(__file__).parents[2]
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(digests) == 1


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    render(FERRY)
    assert capfd.readouterr() == ("", "")


# The newsroom's own templates --------------------------------------------------------------------


def own(tmp_path: Path, name: str, text: str) -> Templates:
    file = tmp_path / "email" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return Templates(tmp_path)


def test_one_block_kind_can_be_replaced(tmp_path: Path) -> None:
    shipped_blocks = (shipped() / "email" / "blocks.html").read_text()
    changed = shipped_blocks.replace('<hr class="rule">', '<p class="rule">* * *</p>')
    rendition = newsletter.render(FERRY, DESK, own(tmp_path, "blocks.html", changed))
    assert texts(rendition, "rule") == ["* * *"]


def test_a_page_without_a_body_is_the_newsroom_s_choice(tmp_path: Path) -> None:
    templates = own(tmp_path, "article.html", "<p>{{ article.headline }}</p>")
    rendition = newsletter.render(long_read(), DESK, templates)
    assert words(page(rendition)) == FERRY.headline


def test_a_broken_template_names_its_line(tmp_path: Path) -> None:
    templates = own(tmp_path, "masthead.html", "<tr>\n<td>{{ desk.nmae }}</td></tr>")
    with pytest.raises(TemplateError, match=r"masthead\.html, line 2: .*nmae"):
        newsletter.render(FERRY, DESK, templates)


# On a screen -------------------------------------------------------------------------------------


def test_no_page_is_wider_than_a_phone(chromium: str, tmp_path: Path) -> None:
    word = "Straßenentwässerungsinvestitionskostenschuldendienstumlage"
    wide = Table((tuple(Cell(Html(word), True) for _ in range(5)),))
    samples = [
        FERRY,
        CISTERNS,
        article(
            word * 3,
            headline=word,
            standfirst=word,
            language="de",
            body=(paragraph(word * 3), wide, Code("x" * 300)),
        ),
    ]
    frames = "".join(
        f'<iframe style="width: 375px" srcdoc="{html_entities.escape(render(sample).html.decode())}"></iframe>'
        for sample in samples
    )
    measure = "<script>onload = () => document.title = [...document.querySelectorAll('iframe')].map(f => f.contentDocument.documentElement.scrollWidth)</script>"
    wrapper = tmp_path / "phones.html"
    wrapper.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><style>iframe {{border: 0}}</style>{frames}{measure}"
    )
    result = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", wrapper.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    title = re.search("<title>(.*?)</title>", result.stdout)
    assert title
    assert title[1] == "375,375,375"


def test_the_shared_article(cairo: Path) -> None:
    headline, standfirst, _, *rest = cairo.read_text().split("\n")
    paragraphs = rest[:8]
    rendition = render(article(*map(escape, paragraphs), headline=headline, standfirst=standfirst))
    html, text = words(page(rendition)), " ".join(rendition.text.decode().split())
    for line in (headline, standfirst, *paragraphs):
        assert " ".join(line.split()) in html
        assert " ".join(line.split()) in text
    assert len(rendition.html) < 20_000
    assert rendition.notes == ()
    assert PUBLISHED.strftime("%d %b %Y").encode() in rendition.eml
