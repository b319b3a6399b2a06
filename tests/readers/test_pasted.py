"""A pasted text is read as the article that its writer meant, or stays as it is with a note."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.article import (
    Article,
    Author,
    Crosshead,
    List,
    Note,
    Paragraph,
    Quotation,
    Rule,
    Source,
)
from dispatch.errors import ArticleError
from dispatch.markup import block_text
from dispatch.readers import pasted
from dispatch.readers.correspondent import part_name, read_byline
from dispatch.readers.publishers import Publishers

PUBLISHERS = Publishers.load()
SHARED = Path(__file__).parents[3] / "shared/articles/world-cairo-talks.txt"

HEADLINE = "Orbal Reopens Its Harbour After the Long Storm"
STANDFIRST = "Pilots return to work as dredgers clear the channel for the first grain ships"
FIRST = (
    "The harbour of Orbal opened again on Monday, nineteen days after the storm that had filled its "
    "channel with sand. The first ship to leave carried barley, and its crew had waited longest."
)
SECOND = (
    "Pilots went back to work before dawn. “We know the old marks, and none of them is where it was,” "
    "said Rosa Lind, who has guided ships here for thirty years and drew the new chart by hand."
)
THIRD = (
    "The port authority expects sixty ships to pass within the week. It has asked the dredgers to "
    "stay until the end of the month, when the spring tides are due and the sand will move once more."
)
BODY = f"{FIRST}\n\n{SECOND}\n\n{THIRD}"


def read(text: str) -> Article:
    return pasted.read(text, "orbal.txt", PUBLISHERS)


def refused(text: str) -> str:
    with pytest.raises(ArticleError) as caught:
        read(text)
    return str(caught.value)


def texts(article: Article) -> list[str]:
    return [block_text(block) for block in article.body]


def kinds(article: Article) -> list[str]:
    return [block.kind for block in article.body]


# The whole ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_file(), reason="the folder of shared articles is not here")
def test_the_shared_article_is_read_in_full() -> None:
    lines = SHARED.read_text(encoding="utf-8").splitlines()
    article = read(SHARED.read_text(encoding="utf-8"))
    assert article.headline == lines[0]
    assert article.standfirst == lines[1]
    assert texts(article) == lines[3:11]
    assert set(kinds(article)) == {"paragraph"}
    publishers = ["Anadolu Agency", "Yeni Safak", "NBC News", "PBS NewsHour"]
    assert [source.publisher for source in article.sources] == publishers
    for source, line in zip(article.sources, lines[12:16], strict=True):
        assert f"- {source.publisher}{source.title}{source.url}" == line
    (author,) = article.byline
    assert f"{author.name}{author.desk}" == lines[17]
    assert f"{author.role}. {author.bio}" == lines[18]
    assert article.desk == author.desk == "World"
    assert article.published is None
    assert article.notes == ()


def test_everything_an_article_may_have() -> None:
    article = read(
        f"{HEADLINE}\n{STANDFIRST}\n\nBy Rosa Lind and Omar Haddad\n"
        "Published: 2026-10-04T09:30+02:00\nUpdated: 2026-10-04 10:00 Europe/Paris\n"
        "Embargo: Sun, 04 Oct 2026 12:00:00 GMT\nKeywords: harbour, grain; storm\n"
        "Slug: orbal-harbour\nDesk: Coasts\nLanguage: en-GB\n\n"
        f"ORBAL, Oct 4 (Example Wire) — {BODY}\n\n"
        "Editor's note: The ship's name was withheld.\n\n"
        "Sources\n- Example Wire | Channel cleared | https://example.org/channel-cleared\n\n"
        "About the authors\nRosa Lind\nHarbour Correspondent. Grew up at sea.\n\n"
        "© 2026 Example Media\n-30-\n"
    )
    assert article == Article(
        headline=HEADLINE,
        standfirst=STANDFIRST,
        body=tuple(Paragraph(text) for text in (FIRST, SECOND, THIRD)),
        reader="pasted",
        slug="orbal-harbour",
        desk="Coasts",
        language="en-GB",
        byline=(
            Author("Rosa Lind", role="Harbour Correspondent", bio="Grew up at sea."),
            Author("Omar Haddad"),
        ),
        dateline="ORBAL, Oct 4 (Example Wire)",
        published=datetime.fromisoformat("2026-10-04T09:30+02:00"),
        updated=datetime.fromisoformat("2026-10-04T10:00+02:00"),
        embargo=datetime.fromisoformat("2026-10-04T12:00+00:00"),
        keywords=("harbour", "grain", "storm"),
        sources=(Source("Channel cleared", "Example Wire", "https://example.org/channel-cleared"),),
        editors_note="The ship's name was withheld.",
        rights="© 2026 Example Media",
        notes=(Note("info", "line 29", "Left out the end mark “-30-”."),),
    )


# Headline and standfirst -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADLINE}\n{STANDFIRST}\n\n{BODY}",
        f"{HEADLINE}\n{STANDFIRST}.\n\n{BODY}",
        f"{HEADLINE}\n{STANDFIRST}\n\n{FIRST}\n{SECOND}\n{THIRD}",
        f"{HEADLINE}\n{STANDFIRST}.\n{FIRST}\n{SECOND}\n{THIRD}",
        f"{HEADLINE}\n\n{STANDFIRST}\n\n{BODY}",
        f"{HEADLINE}\n\n{STANDFIRST}.\n\n{FIRST}\n{SECOND}\n{THIRD}",
        f"{HEADLINE}\n\n{STANDFIRST}.\n\nBy Rosa Lind\n\n{BODY}",
        f"{HEADLINE}\n\n{STANDFIRST}.\n\nORBAL — {BODY}",
        f"\n\n  {HEADLINE}  \n\tStandfirst: {STANDFIRST}\n\n{BODY}",
        f"{HEADLINE}\nBy Rosa Lind\n\n{STANDFIRST}\n\n{BODY}",
        f"Headline: {HEADLINE}\nStandfirst: {STANDFIRST}\n\n{BODY}",
    ],
)
def test_a_standfirst_is_told_by_layout_length_and_what_follows(text: str) -> None:
    article = read(text)
    assert article.headline == HEADLINE
    assert (article.standfirst or "").rstrip(".") == STANDFIRST
    assert texts(article) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADLINE}\n\n{BODY}",
        f"{HEADLINE}\n{FIRST}\n{SECOND}\n{THIRD}",
        f"{HEADLINE}\n\n{FIRST}\n{SECOND}\n{THIRD}",
        f"{HEADLINE}\nBy Rosa Lind\n\n{BODY}",
        f"{HEADLINE}\nORBAL — {BODY}",
        f"{HEADLINE}\n\n{FIRST}\n\n{SECOND}\n{THIRD}",
    ],
)
def test_a_paragraph_of_the_body_is_no_standfirst(text: str) -> None:
    article = read(text)
    assert article.standfirst is None
    assert texts(article) == [FIRST, SECOND, THIRD]


def test_a_short_lead_in_doubt_is_body_and_told() -> None:
    article = read(f"{HEADLINE}\n\nThe harbour is open.\n\n{BODY}")
    assert article.standfirst is None
    assert texts(article)[0] == "The harbour is open."
    assert [(note.level, note.where) for note in article.notes] == [("info", "line 3")]


def test_two_paragraphs_are_no_standfirst_and_body() -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\n{SECOND}")
    assert (article.standfirst, texts(article)) == (None, [FIRST, SECOND])


def test_a_headline_and_one_paragraph_are_an_article() -> None:
    article = read(f"{HEADLINE}\n{FIRST}")
    assert (article.standfirst, texts(article)) == (None, [FIRST])


def test_a_headline_alone_is_refused() -> None:
    assert refused(HEADLINE) == (
        "orbal.txt has a headline and no text below it. Add the article's text and try again."
    )


def test_a_paragraph_is_no_headline() -> None:
    message = refused(f"\n{FIRST} {SECOND}\n\n{THIRD}")
    assert message.startswith("orbal.txt, line 2: the first line is 3")
    assert "Write a headline on a line of its own above it." in message


@pytest.mark.parametrize("text", ["***\n\nText.", "Slug: a\nDesk: b\n", "…\nText."])
def test_a_text_without_a_headline_is_refused(text: str) -> None:
    assert refused(text) == (
        "orbal.txt has no headline. Write it on the first line, above the text."
    )


def test_spaces_that_do_not_break_stay() -> None:
    article = read(
        f"«\u00a0Le port rouvre\u00a0»\n\n{FIRST}\n\nSources\n- Le Monde«\u00a0Le port rouvre\u00a0» https://a.example/1"
    )
    assert article.headline == "«\u00a0Le port rouvre\u00a0»"
    assert article.sources[0].title == "«\u00a0Le port rouvre\u00a0»"


# Bylines and datelines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("By Rosa Lind", [Author("Rosa Lind")]),
        ("BY ROSA LIND", [Author("ROSA LIND")]),
        ("by Rosa Lind.", [Author("Rosa Lind")]),
        ("By: Rosa Lind", [Author("Rosa Lind")]),
        ("By Rosa Lind and Omar Haddad", [Author("Rosa Lind"), Author("Omar Haddad")]),
        (
            "By Ann Lee, Bo Ray, and Cy Dunn",
            [Author("Ann Lee"), Author("Bo Ray"), Author("Cy Dunn")],
        ),
        ("By Rosa Lind, World Affairs Editor", [Author("Rosa Lind", role="World Affairs Editor")]),
        (
            "By Ann Lee, Arts and Culture Editor",
            [Author("Ann Lee", role="Arts and Culture Editor")],
        ),
        (
            "By Ann Lee, Reporter, and Bo Ray",
            [Author("Ann Lee", role="Reporter"), Author("Bo Ray")],
        ),
        ("By Ann Lee, Reporter and Bo Ray", [Author("Ann Lee", role="Reporter"), Author("Bo Ray")]),
        ("By Rosa Lind in Orbal", [Author("Rosa Lind", role="in Orbal")]),
        ("By Rosa Lind (rosa@example.org)", [Author("Rosa Lind", email="rosa@example.org")]),
        ("By Ludwig van der Berg Jr.", [Author("Ludwig van der Berg Jr.")]),
        ("By Jean-Luc d’Arcy O’Neil", [Author("Jean-Luc d’Arcy O’Neil")]),
        ("By AFP", [Author("AFP")]),
        ("By The Associated Press", [Author("The Associated Press")]),
        ("By Staff Writer", [Author("Staff Writer")]),
        ("By Rosa LindWorld", [Author("Rosa Lind", desk="World")]),
        ("Von Anna Schmidt", [Author("Anna Schmidt")]),
        ("Par Zoé Roy et Luc Petit", [Author("Zoé Roy"), Author("Luc Petit")]),
        ("Por Inés Quiralte, corresponsal", [Author("Inés Quiralte", role="corresponsal")]),
        ("By 王伟", [Author("王伟")]),
    ],
)
def test_bylines(line: str, authors: list[Author]) -> None:
    article = read(f"{HEADLINE}\n{line}\n\n{BODY}")
    assert article.byline == tuple(authors)
    assert texts(article) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "line",
    [
        "By the time the pilots came, the tide had turned",
        "By 2030, half of the harbours will be closed",
        "By The Sea",
        "Von Hamburg nach Kiel in einer Nacht",
        "Por fin",
        "Bystanders cheered",
        "By " + "Rosa Lind and " * 30,
    ],
)
def test_what_is_no_byline(line: str) -> None:
    assert read_byline(line, PUBLISHERS) is None


@pytest.mark.parametrize(
    ("printed", "dash"),
    [
        ("CAIRO, Oct 3 (Agency)", " — "),
        ("LONDON (Reuters)", " - "),
        ("PARIS, 3 octobre", " – "),
        ("BERLIN", " — "),
        ("Kairo/Berlin (dpa)", " – "),
        ("Frankfurt am Main (dpa)", " - "),
        ("WASHINGTON, D.C.", " — "),
        ("KYIV, Ukraine (AP)", " -- "),
        ("ST. LOUIS, October 4, 2026 (Agency)", " — "),
        ("SÃO PAULO", " —"),
        ("MADRID, 3 oct. (EFE)", ".- "),
        ("القاهرة (أ ف ب)", " - "),
        ("ORBAL, Oct 4 AAP", " - "),
    ],
)
def test_a_dateline_is_taken_off_as_printed(printed: str, dash: str) -> None:
    article = read(f"{HEADLINE}\n\n{printed}{dash}{BODY}")
    assert (article.dateline, texts(article)[0]) == (printed, FIRST)


@pytest.mark.parametrize(
    "start",
    [
        "NATO — Allies met again",
        "EU — Brussels said so",
        "COVID-19 — What we know",
        "CAIRO — the talks go on",
        "The ferry (a ship) - it sank",
        "In London, 4 people — all of them men",
        "Rosa Lind (37) — a pilot",
        "MOSCOW: The talks go on",
    ],
)
def test_what_is_no_dateline(start: str) -> None:
    article = read(f"{HEADLINE}\n\n{start}. {FIRST}")
    assert article.dateline is None
    assert texts(article)[0].startswith(start)


# Fields ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Published: 2026-10-04T09:30", "the field published has no time zone"),
        ("Published: 2026-10-04", "the field published has a date but no time of day"),
        ("Published: yesterday", "the field published is not a date and time that can be read"),
        ("Updated: 2026-13-40T09:30Z", "the field updated is a date that does not exist"),
        ("Veröffentlicht: 4.10.2026", "the field published is not a date and time"),
        ("Embargo: tomorrow 6am", "the field embargo is not a date and time that can be read"),
        ("EMBARGOED UNTIL 6 October", "the field embargo is not a date and time that can be read"),
        ("Not for publication before noon", "the field embargo is not a date and time"),
        ("EMBARGOED", "the field embargo is not a date and time that can be read"),
        ("Language: English please", "the language “English please” is no language tag"),
        (f"Language: en{'-abcdefgh' * 4}", "is no language tag"),
    ],
)
def test_a_field_that_cannot_be_understood_is_refused_with_its_line(
    line: str, problem: str
) -> None:
    message = refused(f"{HEADLINE}\n{STANDFIRST}\n\n{line}\n\n{BODY}")
    assert message.startswith("orbal.txt, line 4: ")
    assert problem in message


@pytest.mark.parametrize(
    "line",
    [
        "EMBARGOED UNTIL 2026-10-05T06:00Z",
        "Strictly embargoed until: 2026-10-05 06:00 UTC",
        "Embargo: 2026-10-05T08:00+02:00",
        "NOT FOR PUBLICATION BEFORE 2026-10-05T06:00Z",
        "Sperrfrist: 2026-10-05 08:00 Europe/Berlin",
        "Embargo jusqu’au 2026-10-05T06:00Z",
    ],
)
@pytest.mark.parametrize(
    "place", ["{line}\n\n{headline}\n\n{body}", "{headline}\n{line}\n\n{body}"]
)
def test_an_embargo_above_or_below_the_headline(line: str, place: str) -> None:
    article = read(place.format(line=line, headline=HEADLINE, body=BODY))
    assert article.embargo == datetime.fromisoformat("2026-10-05T06:00+00:00")
    assert article.headline == HEADLINE
    assert texts(article) == [FIRST, SECOND, THIRD]


EMBARGO_BELOW = (
    "{headline}\n\n{body}\n\n{line}",
    "{headline}\n\n{body}\n{line}\n-30-\n",
    "{headline}\n\n{body}\n\nSources\nhttps://courier.example/a\n\n{line}\n",
)


@pytest.mark.parametrize(
    "line",
    [
        "EMBARGOED UNTIL 09:00 GMT, 4 October 2027",
        "*** STRICTLY EMBARGOED UNTIL 9.00 UTC, Monday 4 October 2027. ***",
        "STRICTLY EMBARGOED: not for release before 2027-10-04T09:00Z",
        "EMBARGOED — DO NOT PUBLISH BEFORE 2027-10-04 09:00 UTC",
        "Embargoed: 4 October 2027 09:00 GMT",
        "UNDER STRICT EMBARGO UNTIL 2027-10-04T11:00+02:00",
        "Not for release until 2027-10-04T09:00Z",
        "EMBARGO 0900 GMT 4 October 2027",
        "HOLD FOR RELEASE UNTIL 2027-10-04T09:00Z",
        "Embargoed for release at 09:00 GMT, 4 October 2027",
        "DO NOT PUBLISH BEFORE 2027-10-04T09:00Z",
    ],
)
@pytest.mark.parametrize(
    "place",
    ["{line}\n\n{headline}\n\n{body}", "{headline}\n{line}\n\n{body}", *EMBARGO_BELOW],
)
def test_an_embargo_line_is_obeyed_wherever_it_stands(line: str, place: str) -> None:
    article = read(place.format(line=line, headline=HEADLINE, body=BODY))
    assert article.embargo == datetime.fromisoformat("2027-10-04T09:00+00:00")
    assert article.headline == HEADLINE
    assert texts(article) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "line",
    [
        "STRICTLY EMBARGOED: not for release before 0900 Tuesday",
        "EMBARGOED — DO NOT PUBLISH BEFORE TUESDAY",
        "EMBARGOED: Tuesday noon",
        "EMBARGOED: NOT FOR RELEASE",
        "STRICTLY EMBARGOED",
        "Strictly embargoed",
        "UNDER EMBARGO",
        "NOT FOR RELEASE",
        "HOLD FOR RELEASE",
        "EMBARGOED UNTIL 09:00, 4 October 2027",
        "Embargoed until tomorrow",
        "DO NOT PUBLISH BEFORE THE MINISTER HAS SPOKEN",
    ],
)
@pytest.mark.parametrize(
    ("place", "number"),
    [("{line}\n\n{headline}\n\n{body}", 1), ("{headline}\n{line}\n\n{body}", 2)]
    + [(place, None) for place in EMBARGO_BELOW],
)
def test_an_embargo_line_that_cannot_be_obeyed_is_refused(
    line: str, place: str, number: int | None
) -> None:
    text = place.format(line=line, headline=HEADLINE, body=BODY)
    number = number or text.split("\n").index(line) + 1
    assert refused(text).startswith(f"orbal.txt, line {number}: the field embargo ")


def test_of_two_embargoes_the_later_one_holds() -> None:
    early, late = "EMBARGOED UNTIL 2027-10-04T09:00Z", "EMBARGOED UNTIL 2027-10-05T09:00Z"
    for first, last in ((early, late), (late, early)):
        article = read(f"{HEADLINE}\n{first}\n\n{BODY}\n\n{last}")
        assert article.embargo == datetime.fromisoformat("2027-10-05T09:00+00:00")


@pytest.mark.parametrize(
    "line",
    [
        "Embargo on grain lifted",
        "EMBARGO ON GRAIN LIFTED, PORTS SAY",
        "Embargo — what the ports fear",
        "EMBARGO: PORTS FEAR THE WORST",
        "Embargoed goods pile up in the north",
        "Under embargo: how an island gets by",
        "Under embargo, an island gets by",
        "Do not publish, they begged",
        "Embargo until the spring was the word of the harbour council, and nobody in the ports believed it.",
    ],
)
def test_what_is_about_embargoes_is_none(line: str) -> None:
    assert read(f"{line}\n\n{BODY}").embargo is None
    article = read(f"{HEADLINE}\n\n{BODY}\n\n{line}")
    assert article.embargo is None
    assert texts(article)[-1] == line


@pytest.mark.parametrize(
    "headline",
    [
        "Embargo: what the grain ports fear",
        "Published: the diaries of a pilot",
        "Embargo on grain ends",
        "Embargo: 3 ports closed for a week",
    ],
)
def test_a_headline_that_starts_like_a_field_is_a_headline(headline: str) -> None:
    assert read(f"{headline}\n\n{BODY}").headline == headline


@pytest.mark.parametrize(
    "line",
    [
        "4 October 2026 was a dry day in the ports of the north",
        "Updated: 3 ships have left and the others will follow them by the evening",
    ],
)
def test_a_standfirst_that_starts_like_a_time_is_a_standfirst(line: str) -> None:
    assert read(f"{HEADLINE}\n{line}\n\n{BODY}").standfirst == line


@pytest.mark.parametrize("line", ["FOR IMMEDIATE RELEASE", "Press Release", "*** MEDIA RELEASE"])
def test_a_release_line_is_left_out_and_told(line: str) -> None:
    article = read(f"{line}\n\n{HEADLINE}\n\n{BODY}")
    assert article.headline == HEADLINE
    assert article.notes == (Note("info", "line 1", f"Left out “{line}”."),)


@pytest.mark.parametrize(
    "line",
    ["By Rosa Lind | World", "By Rosa Lind · World", "World | By Rosa Lind"],
)
def test_a_byline_and_more_between_bars(line: str) -> None:
    article = read(f"{HEADLINE}\n{STANDFIRST}\n{line}\n\n{BODY}")
    assert article.byline == (Author("Rosa Lind"),)
    assert (article.desk, article.standfirst) == ("World", STANDFIRST)


@pytest.mark.parametrize(
    "line",
    [
        "By Rosa Lind | Published 2026-10-04 09:30 UTC",
        "By Rosa Lind, published 2026-10-04 09:30 UTC",
    ],
)
def test_a_byline_and_a_time_on_one_line(line: str) -> None:
    article = read(f"{HEADLINE}\n{line}\n\n{BODY}")
    assert article.byline == (Author("Rosa Lind"),)
    assert article.published == datetime.fromisoformat("2026-10-04T09:30+00:00")


@pytest.mark.parametrize("name", ["By Rosa Lind", "Rosa Lind"])
def test_a_role_below_the_name(name: str) -> None:
    article = read(f"{HEADLINE}\n\n{name}\nWorld Affairs Editor\n\n{BODY}")
    assert article.byline == (Author("Rosa Lind", role="World Affairs Editor"),)
    assert (article.standfirst, texts(article)) == (None, [FIRST, SECOND, THIRD])


def test_a_desk_on_a_line_of_its_own_above_the_byline() -> None:
    article = read(f"{HEADLINE}\nWorld\nBy Rosa Lind\n\n{BODY}")
    assert (article.desk, article.standfirst) == ("World", None)


@pytest.mark.parametrize(
    "line",
    [
        "4 October 2026",
        "Oct 4, 2026",
        "Published on 4 October 2026 at 9:30",
        "Sunday, 4 October 2026",
    ],
)
def test_a_date_that_is_no_time_is_left_out_with_a_warning(line: str) -> None:
    article = read(f"{HEADLINE}\nBy Rosa Lind\n{line}\n\n{BODY}")
    assert (article.published, texts(article)) == (None, [FIRST, SECOND, THIRD])
    assert [(note.level, note.where) for note in article.notes] == [("warning", "line 3")]
    assert line in article.notes[0].message


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("Published 4 October 2026, 09:30 GMT", "published"),
        ("Posted on 2026-10-04 09:30 UTC", "published"),
        ("Sunday, 4 October 2026 09:30 +0000", "published"),
        ("Updated 2026-10-04T09:30Z", "updated"),
    ],
)
def test_a_time_that_no_colon_marks(line: str, field: str) -> None:
    article = read(f"{HEADLINE}\nBy Rosa Lind\n{line}\n\n{BODY}")
    assert getattr(article, field) == datetime.fromisoformat("2026-10-04T09:30+00:00")


# The body ----------------------------------------------------------------------------------------


def wrapped(text: str, width: int, indent: str = "") -> str:
    lines, line = [], indent
    for word in text.split():
        if len(line) + len(word) + 1 > width and line.strip():
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line.strip() else line + word
    return "\n".join([*lines, line])


@pytest.mark.parametrize("width", [60, 72, 80])
def test_lines_that_were_wrapped_become_paragraphs_again(width: int) -> None:
    body = "\n\n".join(wrapped(text, width) for text in (FIRST, SECOND, THIRD))
    assert texts(read(f"{HEADLINE}\n\n{body}")) == [FIRST, SECOND, THIRD]


def test_wrapped_paragraphs_may_start_with_an_indent_alone() -> None:
    body = "\n".join(wrapped(text, 69, indent="   ") for text in (FIRST, SECOND, THIRD))
    assert texts(read(f"{HEADLINE}\n\n{body}")) == [FIRST, SECOND, THIRD]


def test_wrapped_chinese_is_joined_without_spaces() -> None:
    text = "港口在风暴过后十九天重新开放第一艘船装载大麦离开码头船员等待的时间最长" * 4 + "。"
    lines = "\n".join(text[n : n + 42] for n in range(0, len(text), 42))
    assert texts(read(f"港口重开\n\n{lines}\n\n{lines}"))[0] == text


def test_short_paragraphs_one_to_a_line_stay_apart() -> None:
    lines = ["The port is open.", "Ships are leaving one by one.", "Nobody was hurt.", "It rained."]
    assert texts(read(f"{HEADLINE}\n\n" + "\n".join(lines))) == lines


def test_lists() -> None:
    article = read(
        f"{HEADLINE}\n\n{FIRST}\n\n- barley\n- oats,\n  and rye\n\n• wheat\n\n"
        f"3. ships\n4) boats\n\n{SECOND}"
    )
    assert article.body[1:3] == (
        List(tuple((Paragraph(item),) for item in ("barley", "oats, and rye", "wheat"))),
        List(((Paragraph("ships"),), (Paragraph("boats"),)), ordered=True, start=3),
    )


@pytest.mark.parametrize(
    "line",
    [
        "2026. It was a year of storms.",
        "– Are you staying?\n– I am.",
        "— Are you staying?",
        "-5 degrees at noon.",
        "1. Only this one stood there.",
        "1. This one.\n3. That one.",
    ],
)
def test_what_only_looks_like_a_list(line: str) -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\n{line}\n\n{SECOND}")
    assert texts(article)[1:-1] == line.split("\n")
    assert "list" not in kinds(article)


def test_quotations() -> None:
    article = read(
        f"{HEADLINE}\n\n{FIRST}\n\n> The marks have moved.\n> We follow.\n> — Rosa Lind\n\n{SECOND}"
    )
    quoted = (Paragraph("The marks have moved."), Paragraph("We follow."))
    assert article.body[1] == Quotation(quoted, "Rosa Lind")


@pytest.mark.parametrize("rule", ["* * *", "***", "---", "_____", "###", "⁂", "• • •"])
def test_rules(rule: str) -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\n{rule}\n\n{SECOND}")
    assert article.body[1] == Rule()


def test_crossheads() -> None:
    article = read(
        f"{HEADLINE}\n\n{FIRST}\n\nThe new chart\n\n{SECOND}\n\nWhat comes next?\n\n{THIRD}"
    )
    assert article.body[1] == Crosshead("The new chart")
    assert article.body[3] == Crosshead("What comes next?")
    assert kinds(article).count("crosshead") == 2


@pytest.mark.parametrize(
    "line",
    [
        "“Never again”",
        "and so it went on",
        "It is open.",
        "Photo: Rosa Lind",
        "He said:",
        "Word, " * 14,
    ],
)
def test_a_short_line_that_is_no_crosshead(line: str) -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\n{line}\n\n{SECOND}")
    assert set(kinds(article)) == {"paragraph"}


def test_verse_is_no_run_of_crossheads() -> None:
    article = read(
        f"{HEADLINE}\n\n{FIRST}\n\nThe sand came in\nThe tide went out\nThe ships stood still\n\n{SECOND}"
    )
    assert "crosshead" not in kinds(article)


def test_text_stays_text() -> None:
    line = "<script>alert(1)</script> **bold** {{7*7}} &amp; ]]> javascript:x"
    article = read(f"{HEADLINE} <b>\n\n{FIRST}\n\n{line}")
    assert article.headline == f"{HEADLINE} <b>"
    assert texts(article)[1] == line
    last = article.body[1]
    assert isinstance(last, Paragraph)
    assert "<" not in last.html


# Closing sections --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    ["Sources & References", "SOURCES", "Sources:", "References", "Further Reading", "## Sources",
     "Sources and references", "Quellen", "Quellen und Verweise", "Zum Weiterlesen", "Sources et références",
     "Pour en savoir plus", "Fuentes", "Fuentes y referencias", "Bibliografía", "Fonti", "出典", "المصادر"],
)  # fmt: skip
def test_sources_under_any_of_their_headings(heading: str) -> None:
    article = read(
        f"{HEADLINE}\n\n{BODY}\n\n{heading}\n- ReutersChannel cleared https://example.org/1"
    )
    assert article.sources == (Source("Channel cleared", "Reuters", "https://example.org/1"),)
    assert texts(article) == [FIRST, SECOND, THIRD]


def test_a_crosshead_named_sources_over_prose_is_a_crosshead() -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\nSources\n\n{SECOND}\n\n{THIRD}")
    assert article.sources == ()
    assert article.body[1] == Crosshead("Sources")
    assert len(article.body) == 4


def test_prose_after_the_sources_is_no_source() -> None:
    article = read(
        f"{HEADLINE}\n\n{BODY}\n\nSources\n- ReutersChannel cleared https://example.org/1\n\n{FIRST}"
    )
    assert len(article.sources) == 1
    assert texts(article) == [FIRST, SECOND, THIRD, FIRST]


def test_the_body_helps_to_part_a_source() -> None:
    line = "- Harbour HeraldBridge closes"
    assert read(f"{HEADLINE}\n\n{BODY}\n\nSources\n{line}").sources[0].publisher is None
    told = f"{BODY}\n\nThe Harbour Herald reported it first, and others followed."
    assert read(f"{HEADLINE}\n\n{told}\n\nSources\n{line}").sources[0].publisher == "Harbour Herald"


def test_a_source_in_doubt_is_a_warning_with_its_line_in_the_file() -> None:
    article = read(f"{HEADLINE}\n\n{FIRST}\n\nSources\n- Harbour HeraldBridge closes")
    assert [(note.level, note.where) for note in article.notes] == [("warning", "line 6")]


ABOUT = f"{HEADLINE}\n\n{BODY}\n\n"


@pytest.mark.parametrize(
    "heading",
    ["About the correspondent", "ABOUT THE AUTHOR", "About the Authors:", "Über die Autorin", "Zum Autor",
     "À propos de l’auteur", "Sobre la autora", "Acerca del autor", "Sull’autore", "关于作者",
     "Zu den Personen", "Zur Person", "Sobre la firma", "Sobre las firmas", "Qui signe cet article",
     "نبذة تعريفية", "筆者紹介"],
)  # fmt: skip
def test_the_correspondent_under_any_heading(heading: str) -> None:
    article = read(f"{ABOUT}{heading}\nRosa LindWorld\nPilot Editor. Drew the chart.")
    assert article.byline == (
        Author("Rosa Lind", role="Pilot Editor", desk="World", bio="Drew the chart."),
    )
    assert article.desk == "World"


@pytest.mark.parametrize(
    ("line", "name", "desk"),
    [
        ("Rosa LindWorld", "Rosa Lind", "World"),
        ("Ronan McDonaldSport", "Ronan McDonald", "Sport"),
        ("María José Ruiz-PeñaEuropa", "María José Ruiz-Peña", "Europa"),
        ("Jean-Luc DuPontCulture", "Jean-Luc DuPont", "Culture"),
        ("LeBron O'NeilUS", "LeBron O'Neil", "US"),
        ("Wang WeiAsia-Pacific", "Wang Wei", "Asia-Pacific"),
        ("Anna de la CruzWorld", "Anna de la Cruz", "World"),
        ("Priya N.Business", "Priya N.", "Business"),
        ("王伟World", "王伟", "World"),
        ("Kim Min-ji정치", "Kim Min-ji", "정치"),
        ("Иван ПетровМир", "Иван Петров", "Мир"),
        ("Rosa LindMiddle East", "Rosa Lind", "Middle East"),
        ("Rosa LindArts & Culture", "Rosa Lind", "Arts & Culture"),
        ("Rosa LindWorld desk", "Rosa Lind", "World"),
        ("JoAnn SmithWorld", "JoAnn Smith", "World"),
        ("Rosa Lind | World", "Rosa Lind", "World"),
        ("Rosa Lind | Harbourside", "Rosa Lind", "Harbourside"),
        ("Rosa Lind, World", "Rosa Lind", "World"),
        ("Rosa Lind — World desk", "Rosa Lind", "World"),
        ("Rosa Lind (World)", "Rosa Lind", "World"),
        ("Rosa Lind", "Rosa Lind", None),
        ("Sarah McKenzie", "Sarah McKenzie", None),
        ("Ludwig vanBeethoven", "Ludwig vanBeethoven", None),
        ("Leonardo DiCaprio", "Leonardo DiCaprio", None),
        ("Jane Sport", "Jane Sport", None),
        ("Sean O’World", "Sean O’World", None),
        ("Lind, Rosa", "Lind, Rosa", None),
    ],
)
def test_a_name_and_a_desk_are_parted_where_it_is_certain(
    line: str, name: str, desk: str | None
) -> None:
    named = part_name(line, PUBLISHERS)
    assert (named.name, named.desk, named.doubt) == (name, desk, ())


@pytest.mark.parametrize(
    ("line", "alternative"),
    [
        ("Rosa LindHarbourside", "“Rosa Lind” of the desk “Harbourside”"),
        ("Anna McWorld", "“Anna Mc” of the desk “World”"),
        ("Rosa Lind World", "“Rosa Lind” of the desk “World”"),
        ("ROSA LINDWORLD", "“ROSA LIND” of the desk “WORLD”"),
        ("王伟国際", "“王伟” of the desk “国際”"),
    ],
)
def test_in_doubt_a_name_stays_whole_and_the_alternative_is_told(
    line: str, alternative: str
) -> None:
    article = read(f"{ABOUT}About the author\n{line}\nWrites about tides.")
    assert article.byline == (Author(line, bio="Writes about tides."),)
    assert [(note.level, note.where) for note in article.notes] == [("warning", "line 10")]
    assert alternative in article.notes[0].message


def test_the_byline_or_the_biography_decides_an_unknown_desk() -> None:
    by_biography = read(
        f"{ABOUT}About the author\nRosa LindHarbourside\nRosa Lind writes about tides."
    )
    assert by_biography.byline[0].desk == "Harbourside"
    by_byline = read(
        f"{HEADLINE}\nBy Rosa Lind\n\n{BODY}\n\nAbout the author\nRosa LindHarbourside"
    )
    assert by_byline.byline == (Author("Rosa Lind", desk="Harbourside"),)
    unlike = read(f"{ABOUT}About the author\nSarah McKenzie\nSarah McKenzie covers tides.")
    assert unlike.byline == (Author("Sarah McKenzie", bio="Sarah McKenzie covers tides."),)


def test_several_correspondents() -> None:
    article = read(
        f"{HEADLINE}\nBy Rosa Lind\n\n{BODY}\n\nAbout the authors\nRosa LindWorld\nEditor. Drew it.\n\n"
        "Omar Haddad | Sport\nColumnist\nomar@example.org\nhttps://example.org/omar\n\nAnn Lee is a reporter in Orbal."
    )
    assert article.byline == (
        Author("Rosa Lind", role="Editor", desk="World", bio="Drew it."),
        Author(
            "Omar Haddad",
            role="Columnist",
            desk="Sport",
            email="omar@example.org",
            url="https://example.org/omar",
        ),
        Author("Ann Lee", bio="Ann Lee is a reporter in Orbal."),
    )


def test_a_section_that_names_nobody_stays_in_the_text() -> None:
    article = read(f"{ABOUT}About the author\nsomebody wrote this.")
    assert article.byline == ()
    assert texts(article)[-1] == "somebody wrote this."
    assert article.notes[0].level == "warning"


@pytest.mark.parametrize(
    "note",
    ["Editor's note: It was corrected.", "EDITOR’S NOTE — It was corrected.", "Editor’s note\nIt was corrected.",
     "Anmerkung der Redaktion: It was corrected.", "NDLR : It was corrected.", "Nota del editor: It was corrected.",
     "Notes to editors\n\nIt was corrected."],
)  # fmt: skip
def test_editors_notes(note: str) -> None:
    article = read(f"{ABOUT}{note}")
    assert article.editors_note == "It was corrected."
    assert texts(article) == [FIRST, SECOND, THIRD]


def test_an_editors_note_between_headline_and_body() -> None:
    article = read(f"{HEADLINE}\n\nEditor's note: It was corrected.\n\n{BODY}")
    assert article.editors_note == "It was corrected."
    assert texts(article) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "rights",
    [
        "© 2026 Example Media",
        "Copyright 2026 Example Media",
        "(c) Example Media",
        "Example Media. All rights reserved.",
    ],
)
def test_the_copyright_line_at_the_end(rights: str) -> None:
    article = read(f"{ABOUT}{rights}\n")
    assert article.rights == rights
    assert texts(article) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "mark", ["-30-", "- 30 -", "—30—", "ENDS", "Ends", "-ENDS-", "[ENDS]", "###", "# # #", "Ende"]
)
@pytest.mark.parametrize(
    "after", ["", "\n\nSources\n- Reuters | Channel cleared", "\n\n© 2026 Example Media"]
)
def test_end_marks_go_with_a_note(mark: str, after: str) -> None:
    article = read(f"{ABOUT}{mark}{after}")
    assert texts(article) == [FIRST, SECOND, THIRD]
    assert article.notes == (Note("info", "line 9", f"Left out the end mark “{mark}”."),)


# No letter is lost -------------------------------------------------------------------------------

WORDS = st.sampled_from(["harbour", "Orbal", "Sky NewsNHS", "— ", "- ", "1. ", "> ", "# ", "“x”", "https://a.example/b", "Sources", "By Rosa Lind", "A.", "CAIRO (AP) — ", "\t", "   ", "About the author", "***", "Editor's note: ", "王伟"])  # fmt: skip
LINES = st.lists(WORDS | st.text(max_size=8), max_size=6).map(" ".join)
TEXTS = st.lists(LINES, min_size=1, max_size=12).map("\n".join)


def everything(article: Article) -> str:
    authors = [part for a in article.byline for part in (a.name, a.role, a.desk, a.bio, a.email)]
    sources = [part for s in article.sources for part in (s.publisher, s.title, s.url)]
    fields = [article.headline, article.standfirst, article.dateline, article.editors_note]
    fields += [article.rights, article.slug, article.desk, article.language, *article.keywords]
    notes = [note.message for note in article.notes]
    return " ".join(filter(None, [*fields, *authors, *sources, *notes, *texts(article)]))


@settings(derandomize=True, max_examples=400)
@given(TEXTS)
def test_any_text_gives_an_article_with_all_its_words_or_a_sentence(text: str) -> None:
    from dispatch.readers.text import clean

    text, _ = clean(text)
    try:
        article = read(text)
    except ArticleError as error:
        assert "orbal.txt" in str(error)
        return
    marks = " 1. Sources About the author Editor's note: By "  # what sections and lists start with
    kept = everything(article) + marks
    for word in text.split():
        letters = "".join(filter(str.isalnum, word))
        assert letters in "".join(filter(str.isalnum, kept))


@pytest.mark.parametrize(
    "text",
    ["A\n" * 200_000, "A b. " * 100_000, "- a\n" * 200_000, "> a\n" * 200_000, "\n" * 500_000 + "A\n\nB.",
     "Sources\n" * 100_000, "About the author\n" * 100_000, "By A, " * 50_000, "A\n\n" + "(" * 200_000,
     "Title\n\n" + "word " * 15 + "\n" * 1 + ("x" * 70 + "\n") * 20_000, "A\n" + "*" * 200_000, "A\n" + "* " * 100_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_text_without_end_takes_no_time(text: str) -> None:
    started = time.process_time()
    try:
        read(text)
    except ArticleError as error:
        assert "orbal.txt" in str(error)
    assert time.process_time() - started < CPU_SECONDS
