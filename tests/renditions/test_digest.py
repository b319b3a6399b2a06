"""The digest: several articles in one newsletter, as its reader sees it in HTML and plain text."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.bounds import CPU_SECONDS
from tests.golden_files import check_golden
from tests.renditions.email_samples import ARABIC_DESK, CISTERNS, DESK, FERRY, PUBLISHED, article

from dispatch.article import Article, Html, Image, Paragraph
from dispatch.desk import Desk
from dispatch.errors import TemplateError
from dispatch.renditions import digest
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.slots import Slot
from dispatch.renditions.templates import Templates

TEMPLATES = Templates()

TIDES = article(
    "The gates close on Sunday for the first spring tide of the season.",
    headline="Spring tide closes the lower quay on Sunday",
    standfirst="The gates shut at 04:10 and open again before the first train.",
    path="2026/10/03/spring-tide",
)
BAKERS = article(
    "Three lines gain an hour after 1,900 people on early shifts signed for it.",
    headline="Night buses will run until the bakers are at work",
    path="2026/10/03/night-buses",
)


def render(
    articles: Sequence[Article] = (FERRY, TIDES, BAKERS),
    desk: Desk = DESK,
    *,
    subject: str | None = None,
    max_bytes: int = 100_000,
) -> EmailRendition:
    return digest.render(articles, desk, TEMPLATES, subject=subject, max_bytes=max_bytes)


def filled(data: bytes, rendition: EmailRendition) -> bytes:
    """A part as somebody's: marks are long and tell nothing to who reads a golden file."""
    text = data.decode()
    for mark, slot in rendition.placed.items():
        values = {"name": "Ann", "email": "ann@example.org", "label": slot.otherwise}
        value = values.get(slot.kind, f"https://{slot.kind}")
        text = text.replace(mark, f"{slot.before}{value}{slot.after}")
    return text.encode()


def page(rendition: EmailRendition) -> etree._Element:
    return etree.fromstring(rendition.html.decode(), etree.HTMLParser())


def words(element: etree._Element) -> str:
    return " ".join("".join(element.itertext(etree.Element)).split())


def by_class(root: etree._Element, name: str) -> list[etree._Element]:
    return [e for e in root.iter() if name in str(e.get("class", "")).split()]


@pytest.mark.parametrize(
    ("name", "articles", "desk"),
    [
        ("digest", (FERRY, TIDES, BAKERS), DESK),
        ("digest-arabic", (CISTERNS, replace(CISTERNS, path="2026/10/03/b")), ARABIC_DESK),
    ],
)
def test_golden(name: str, articles: Sequence[Article], desk: Desk) -> None:
    rendition = render(articles, desk)
    check_golden(f"email/{name}.html", filled(rendition.html, rendition))
    check_golden(f"email/{name}.txt", filled(rendition.text, rendition))
    assert rendition.notes == ()


# What is in it -----------------------------------------------------------------------------------


def test_the_first_article_leads() -> None:
    root = page(render())
    (headline,) = root.iter("h1")
    assert words(headline) == FERRY.headline
    assert headline.find("a").get("href") == DESK.url(FERRY)
    (standfirst,) = by_class(root, "standfirst")
    assert words(standfirst) == FERRY.standfirst
    (picture,) = root.iter("img")
    assert picture.get("src") == "https://images.example.org/ferry.jpg?w=1280&h=760"
    (button,) = by_class(root, "button-text")
    assert button.get("href") == DESK.url(FERRY)


def test_the_lead_story_opens_with_its_first_paragraphs() -> None:
    (body,) = by_class(page(render()), "body")
    paragraphs = [words(p) for p in body.iter("p")]
    assert len(paragraphs) == 1  # a crosshead follows
    assert paragraphs[0].startswith("PORT ALDER — The last diesel ferry")
    two = article("One.", "Two.", "Three.")
    (body,) = by_class(page(render([two, TIDES])), "body")
    assert [words(p) for p in body.iter("p")] == ["One.", "Two."]


def test_a_first_paragraph_as_long_as_an_article_is_left_to_the_web() -> None:
    (body,) = by_class(page(render([article("Rain. " * 400), TIDES])), "body")
    assert words(body) == "Continue reading"


def test_the_others_have_a_headline_words_and_a_link() -> None:
    root = page(render())
    found = by_class(root, "story")[1:]
    assert [words(story) for story in found] == [
        f"{TIDES.headline} {TIDES.standfirst} Continue reading",
        f"{BAKERS.headline} Three lines gain an hour after 1,900 people on early shifts signed "
        "for it. Continue reading",
    ]
    assert [[a.get("href") for a in story.iter("a")] for story in found] == [
        [DESK.url(TIDES)] * 2,
        [DESK.url(BAKERS)] * 2,
    ]


def test_the_plain_text_says_the_same() -> None:
    text = " ".join(render().text.decode().split())
    for story in (FERRY, TIDES, BAKERS):
        assert story.headline in text
        assert DESK.url(story) in text
    assert "PORT ALDER — The last diesel ferry" in text


def test_the_subject_is_the_lead_story_s_headline_or_what_is_asked_for() -> None:
    assert render().subject == FERRY.headline
    rendition = render(subject="Five things\nthis morning")
    assert rendition.subject == "Five things this morning"
    assert words(page(rendition).find(".//title")) == "Five things this morning"


def test_it_is_dated_as_the_newest_and_has_the_desk_s_rights_line() -> None:
    newer = replace(TIDES, published=PUBLISHED + timedelta(days=2), rights="© Somebody else")
    rendition = render([replace(FERRY, rights="Syndicated"), newer])
    assert words(by_class(page(rendition), "dated")[0]) == "Monday, 5 October 2026"
    assert "© 2026 The Meridian Courier" in words(by_class(page(rendition), "footer")[0])
    assert "Syndicated" not in rendition.text.decode()


def test_it_greets_and_has_links_of_the_reader_s_own() -> None:
    rendition = render()
    assert Slot("name", "Hello ", ",", "Hello reader,") in rendition.placed.values()
    for mark in rendition.placed:
        assert mark.encode() in rendition.html
        assert mark.encode() in rendition.text


def test_one_article_makes_a_digest_without_others() -> None:
    rendition = render([FERRY])
    assert not by_class(page(rendition), "story")
    assert "More from" not in rendition.text.decode()


def test_stories_are_in_their_own_language_and_the_frame_in_the_one_they_share() -> None:
    mixed = render([FERRY, CISTERNS])
    assert mixed.language == "en"
    story = by_class(page(mixed), "story")[1]
    assert (story.get("lang"), story.get("dir"), story.get("align")) == ("ar", "rtl", "right")
    shared = render([CISTERNS, replace(CISTERNS, path="b")])
    assert shared.language == "ar"
    assert page(shared).get("dir") == "rtl"
    assert "المزيد من قسم World" in words(page(shared))


def test_an_article_that_was_not_published_is_refused() -> None:
    with pytest.raises(ValueError, match="not published"):
        render([FERRY, replace(TIDES, published=None)])
    with pytest.raises(ValueError, match="no articles"):
        render([])


# Size, and what mail programs make of it -----------------------------------------------------------


def test_too_many_articles_are_cut_and_the_rest_linked() -> None:
    many = [replace(TIDES, path=f"2026/10/03/{n}") for n in range(300)]
    rendition = render([FERRY, *many], max_bytes=60_000)
    assert 40_000 < len(rendition.html) <= 60_000
    (note,) = rendition.notes
    shown = int(re.findall(r"has (\d+) of the 301 articles", note.message)[0])
    assert len(by_class(page(rendition), "story-headline")) == shown - 1
    assert by_class(page(rendition), "more")[-1].get("href") == DESK.index_url
    assert f"More from World:\n{DESK.index_url}\n" in rendition.text.decode()


def test_ten_thousand_articles_are_answered_at_once() -> None:
    many = [replace(BAKERS, path=f"2026/10/03/{n}", standfirst="x" * 280) for n in range(10_000)]
    started = time.process_time()
    assert len(render(many).html) <= 100_000
    assert time.process_time() - started < 4 * CPU_SECONDS


def test_the_style_sheets_that_stay_fit_into_gmail() -> None:
    html = render().html.decode()
    sheets = re.findall(r"<style>(.*?)</style>", html.partition("<![endif]-->")[2], re.DOTALL)
    assert len(sheets) == 3
    assert sum(len(sheet) for sheet in sheets) < 8000
    for sheet in sheets:
        for declaration in re.findall(r"\{([^{}]+)\}", sheet):
            assert "!important" in declaration or "color-scheme" in declaration


def test_the_html_has_no_error_that_a_browser_would_repair() -> None:
    for articles in ((FERRY, TIDES, CISTERNS), (hostile("<b>&amp;\"'"), TIDES)):
        parser = html5lib.HTMLParser()
        parser.parse(render(articles).html.decode())
        assert not parser.errors


def test_all_pictures_have_alternative_text_and_all_tables_a_role() -> None:
    root = page(render([article(body=(Image("https://example.org/a.png"),)), TIDES]))
    assert [image.get("alt") for image in root.iter("img")] == [""]
    assert {table.get("role") for table in root.iter("table")} == {"presentation"}


def hostile(text: str) -> Article:
    return article(
        headline=text,
        standfirst=text,
        body=(Paragraph(Html("a")),),
        dateline=text,
        language="en",
    )


@settings(max_examples=25)
@given(
    st.text(st.characters(exclude_characters="\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1)
)
def test_any_headline_is_text_and_nothing_else(text: str) -> None:
    if not text.strip():
        return
    shape = [e.tag for e in page(render([hostile("x"), hostile("x")])).iter()]
    assert [e.tag for e in page(render([hostile(text), hostile(text)])).iter()] == shape


def test_the_same_input_gives_the_same_bytes() -> None:
    assert render() == render()


def test_a_value_in_a_wrong_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "digest.html").write_text("<p><!-- {{ recipient.name }} --></p>")
    with pytest.raises(TemplateError, match=r"email/digest\.html"):
        digest.render([FERRY], DESK, Templates(tmp_path))


def test_no_digest_is_wider_than_a_phone(chromium: str, tmp_path: Path) -> None:
    long = article("x", headline="Donaudampfschifffahrtsgesellschaft" * 3, language="de")
    html = render([FERRY, long]).html.decode()
    (tmp_path / "digest.html").write_text(re.sub('src="[^"]*"', 'src=""', html), encoding="utf-8")
    (tmp_path / "phone.html").write_text(
        "<iframe id=f src=digest.html width=375 height=900></iframe><p id=w></p><script>"
        "f.onload = () => w.textContent = 'wide: ' + f.contentDocument.body.scrollWidth</script>"
    )
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            (tmp_path / "phone.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (width,) = re.findall(r"wide: (\d+)", done.stdout)
    assert int(width) <= 375


def test_times_of_any_year_are_written() -> None:
    old = replace(TIDES, published=datetime(1066, 10, 14, tzinfo=UTC))
    assert "14 October 1066" in render([old]).text.decode()
