"""The wire copy, as a partner's desk takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden_files import check_golden

from dispatch.article import Article, Author, Note, Paragraph, Source
from dispatch.desk import Desk, Mailbox
from dispatch.errors import TemplateError
from dispatch.markup import blocks, escape
from dispatch.renditions import wire
from dispatch.renditions.plaintext import width
from dispatch.renditions.templates import Templates
from dispatch.renditions.transliteration import Transliterator

TEMPLATES = Templates()
DESK = Desk(
    name="World",
    slug="world",
    publisher="The Example Courier",
    site_url="https://news.example.org",
    sender=Mailbox("World desk", "world@example.org"),
    contact="world@example.org, +44 20 7946 0000",
    postal_address="1 Example Street, Exampletown",
    usage_terms="For use by contracted partners. Please credit The Example Courier.",
    rights="© {year} {publisher}",
    timezone=ZoneInfo("Europe/Prague"),
)
LONG_URL = "https://ports.example.org/a/very/long/path/that/does/not/end/before/the/line/does.html"
EVERY_KIND = f"""
<p>The port of <a href="https://port.example.org/report?a=1&amp;b=2">Lhotka</a> said on Saturday
that it would reopen — for the first time since the storm — with ten ships and 10<sup>6</sup>
tonnes, “if the sea allows”.</p>
<h2>What comes next</h2>
<p>A paragraph with an address {LONG_URL} in it &amp; more.</p>
<ul><li>one item that is rather long and goes on until it has to go on below</li><li>two</li></ul>
<ol start=9><li><p>nine</p><ul><li>inner</li></ul></li><li>ten</li></ol>
<blockquote><p>We have waited for months, and now the ships are here at last, all of them.</p>
<footer>— Jana Nováková, harbour master</footer></blockquote>
<table><caption>Tonnes a day</caption><tr><th>Port</th><th align=right>Tonnes</th></tr>
<tr><td>Lhotka</td><td align=right>1,200</td></tr></table>
<figure><img src="https://img.example.org/1.jpg" alt="A harbour">
<figcaption>Ships wait outside. Photo: Ana Example</figcaption></figure>
<pre><code>def tonnes():
\treturn 1200  # a line of program code that is longer than the lines of the wire copy</code></pre>
<hr>
<iframe src="https://video.example.org/1" title="The ships come in"></iframe>
<p>The talks go on.</p>
"""
HARBOUR = Article(
    headline="Harbour talks resume in Lhotka as the storm passes and the first ships wait",
    body=blocks(EVERY_KIND),
    standfirst="Ten ships wait outside; the mayor wants answers — soon.",
    slug="harbour-talks-resume",
    desk="World",
    language="en",
    byline=(
        Author("Ana Example", "Harbour correspondent", "World", "Writes on ports & ships."),
        Author("Ben Sample", email="ben@example.org"),
    ),
    dateline="LHOTKA, Oct 3 (Example)",
    published=datetime(2026, 10, 3, 22, 5, tzinfo=UTC),
    updated=datetime(2026, 10, 4, 8, 5, tzinfo=UTC),
    embargo=datetime(2026, 10, 4, 18, 0, tzinfo=UTC),
    keywords=("harbour", "trade"),
    sources=(
        Source("The state of the ports", "Example Ports", LONG_URL),
        Source("A letter to the mayor"),
    ),
    editors_note="The mayor's office was asked for comment.",
    priority=3,
    id="tag:news.example.org,2026-10-03:world/harbour-talks-resume",
    path="2026/10/03/harbour-talks-resume",
    version=2,
)
BRIDGE = replace(
    HARBOUR,
    headline="橋の修理、来春まで　市「通行止めは最小限に」",
    body=blocks(
        "<p>三津浜市は4日、老朽化した港大橋の修理を来年春まで続けると発表した。"
        "AI技術で「ひび割れ」を見つける新しい方法も試すという。詳しくは"
        "https://city.example/hashi/2026/shuri-no-oshirase/kouji-no-nittei.html。"
        "市長は「ちょっと不便をかけるが、通行止めは最小限にする」と話した……。</p>"
        "<table><tr><th>日</th><th>作業</th></tr><tr><td>4日</td><td>点検</td></tr></table>"
    ),
    standfirst=None,
    slug="hashi-shuri",
    language="ja",
    byline=(Author("例田花子", "社会部記者"),),
    dateline=None,
    embargo=None,
    keywords=("橋",),
    sources=(),
    editors_note=None,
    priority=None,
    version=1,
)
WATER = replace(
    BRIDGE,
    headline="سوق الماء يعود إلى المدينة القديمة",
    body=blocks("<p>قال العمدة إن السوق سيعود يوم الأحد، «إن شاء الله».</p><h2>ما التالي؟</h2>"),
    slug="souq-water",
    language="ar",
    byline=(Author("سلمى مثال"),),
    keywords=("ماء", "سوق"),
)
# A line in the first column is one of these; nothing that an article says can be.
OWN_LINE = re.compile(
    r"EMBARGOED UNTIL \d\d:\d\d .*|Not to be published, broadcast or posted before this time\."
    r"|(FROM|SLUG|VERSION|PRIORITY|CATEGORY|KEYWORDS|LANGUAGE|LENGTH|FILED|HEADLINE|CORRECTED"
    r"|ED NOTE|BYLINE|DATELINE|STANDFIRST|CONTACT|COPYRIGHT|USAGE|WEB|ID|ASCII):( .*)?"
    r"|ENDS|NOTES TO EDITORS|The following information is not for publication\."
    r"|SOURCES|LINKS IN THE TEXT|PICTURES|CORRESPONDENTS?|\d{6}Z [A-Z]{3} \d\d|"
)


def utf8(article: Article, desk: Desk = DESK) -> str:
    return wire.render(article, desk, TEMPLATES).utf8.decode()


def ascii_copy(article: Article, desk: Desk = DESK) -> str:
    return wire.render(article, desk, TEMPLATES).ascii.decode("ascii")


def both(article: Article) -> Iterator[str]:
    copy = wire.render(article, DESK, TEMPLATES)
    yield copy.utf8.decode()
    yield copy.ascii.decode("ascii")


def with_body(html: str, **facts: object) -> Article:
    return replace(HARBOUR, body=blocks(html), **facts)  # type: ignore[arg-type]


def labelled(copy: str, label: str) -> str | None:
    """What a label says, on one line."""
    found = re.search(rf"^{label}:(.*(?:\n {{12}}.*)*)", copy, re.MULTILINE)
    return " ".join(found[1].split()) if found else None


def text_of(copy: str) -> str:
    """What is between the header and the end mark."""
    head, _, rest = copy.partition("STANDFIRST:")
    return (rest or head).split("\n\n", 1)[1].split("\n\nENDS\n")[0]


# The whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "article"), [("harbour", HARBOUR), ("bridge", BRIDGE), ("water", WATER)]
)
def test_copies_that_a_person_has_read(name: str, article: Article) -> None:
    copy = wire.render(article, DESK, TEMPLATES)
    check_golden(f"wire/{name}.txt", copy.utf8)
    check_golden(f"wire/{name}.ascii.txt", copy.ascii)


def test_the_same_article_gives_the_same_bytes() -> None:
    assert wire.render(HARBOUR, DESK, Templates()) == wire.render(HARBOUR, DESK, TEMPLATES)


def test_an_article_that_was_not_placed_has_no_copy() -> None:
    with pytest.raises(ValueError, match="not published"):
        wire.render(replace(HARBOUR, published=None, updated=None), DESK, TEMPLATES)
    with pytest.raises(ValueError, match="not placed"):
        wire.render(replace(HARBOUR, path=None), DESK, TEMPLATES)


def test_the_newsrooms_own_template_is_taken(tmp_path: Path) -> None:
    (tmp_path / "wire").mkdir()
    (tmp_path / "wire/copy.txt").write_text(
        "{{ line('TITEL', article.headline) }}\n-30-\n½\n", "utf-8"
    )
    copy = wire.render(replace(HARBOUR, headline="Schluß"), DESK, Templates(tmp_path))
    assert copy.utf8.decode() == "TITEL:      Schluß\n-30-\n½\n"
    assert copy.ascii == b"TITEL:      Schluss\n-30-\n1/2\n"


def test_a_broken_template_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "wire").mkdir()
    (tmp_path / "wire/copy.txt").write_text("\n{{ hedline }}\n")
    with pytest.raises(TemplateError, match=r"copy\.txt, line 2: 'hedline' is undefined"):
        wire.render(HARBOUR, DESK, Templates(tmp_path))


# The header --------------------------------------------------------------------------------------


def test_the_header_says_what_a_desk_sorts_by() -> None:
    copy = utf8(HARBOUR)
    said = {
        "FROM": "The Example Courier, World",
        "SLUG": "HARBOUR TALKS RESUME",
        "PRIORITY": "3",
        "CATEGORY": "World",
        "KEYWORDS": "harbour; trade",
        "LANGUAGE": "en",
        "FILED": "040805Z OCT 26",
        "HEADLINE": HARBOUR.headline,
        "BYLINE": "Ana Example, Ben Sample",
        "STANDFIRST": HARBOUR.standfirst,
        "ED NOTE": HARBOUR.editors_note,
    }
    assert {label: labelled(copy, label) for label in said} == said


def test_an_article_without_priority_is_routine() -> None:
    assert labelled(utf8(replace(HARBOUR, priority=None)), "PRIORITY") == "4"


def test_what_is_not_known_has_no_label() -> None:
    bare = with_body(
        "<p>Text.</p>", keywords=(), byline=(), standfirst=None, dateline=None, sources=(),
        embargo=None, editors_note=None,
    )  # fmt: skip
    for label in (
        "KEYWORDS",
        "BYLINE",
        "STANDFIRST",
        "DATELINE",
        "EMBARGOED",
        "SOURCES",
        "ED NOTE",
    ):
        assert label not in utf8(bare)


def test_an_embargo_stands_on_top_with_its_zone() -> None:
    assert utf8(HARBOUR).startswith("EMBARGOED UNTIL 20:00 CEST, SUN 4 OCT 2026 (041800Z OCT 26)\n")
    assert utf8(replace(HARBOUR, embargo=None)).startswith("FROM:")


def test_the_slugline_is_the_same_in_every_version_and_the_version_is_not() -> None:
    first, third = (
        utf8(replace(HARBOUR, version=1)),
        utf8(replace(HARBOUR, version=3, headline="New")),
    )
    assert labelled(first, "SLUG") == labelled(third, "SLUG")
    assert labelled(first, "VERSION") == "1"
    assert labelled(third, "VERSION") == "3 (UPDATE 2): replaces every earlier version of this slug"


def test_corrections_stand_below_the_headline() -> None:
    copy = utf8(replace(HARBOUR, corrections=("Ten ships, not nine.",)))
    assert re.search(r"HEADLINE:.*\n.*\nCORRECTED:  Ten ships, not nine\.\n", copy)


def test_the_dateline_opens_the_first_paragraph() -> None:
    copy = utf8(with_body("<h2>Cross</h2><p>It began.</p><p>It went on.</p>"))
    assert text_of(copy) == (
        "   - Cross -\n\n   LHOTKA, Oct 3 (Example) - It began.\n\n   It went on."
    )
    assert labelled(copy, "DATELINE") is None


def test_a_dateline_that_no_paragraph_carries_has_its_label() -> None:
    copy = utf8(with_body("<ul><li>It began.</li></ul>"))
    assert labelled(copy, "DATELINE") == "LHOTKA, Oct 3 (Example)"


# The text ----------------------------------------------------------------------------------------


def test_inline_markup_and_entities_leave_plain_text() -> None:
    copy = utf8(with_body("<p><b>Salt</b> &amp; pepper &lt;tag&gt; <q>so</q> H<sub>2</sub>O</p>"))
    assert "Salt & pepper <tag> “so” H2O" in copy


def test_a_crosshead_is_set_between_dashes() -> None:
    assert text_of(utf8(with_body("<p>a</p><h3>Next</h3>"))).endswith("\n\n   - Next -")


def test_lists_keep_their_marks_numbers_and_depth() -> None:
    html = "<ol start=9><li>nine<ul><li>in</li></ul></li><li>ten</li></ol>"
    assert text_of(utf8(with_body(html))) == "   9. nine\n      * in\n   10. ten"


def test_a_list_of_several_paragraphs_is_set_apart() -> None:
    html = "<ul><li><p>a</p><p>b</p></li><li>c</li></ul>"
    assert text_of(utf8(with_body(html))) == "   * a\n\n     b\n\n   * c"


def test_however_deep_a_list_is_its_text_has_room() -> None:
    deep = "<ul><li>" * 30 + "many words that have to go on below " * 3 + "</li></ul>" * 30
    assert max(map(width, text_of(utf8(with_body(deep))).split("\n"))) <= 69


def test_a_quotation_is_set_deeper_and_says_whose_it_is() -> None:
    html = "<blockquote><p>Yes.</p><footer>Jana, mayor</footer></blockquote>"
    assert text_of(utf8(with_body(html))) == "      Yes.\n      -- Jana, mayor"


def test_a_table_that_fits_is_aligned_by_what_is_shown() -> None:
    html = "<table><tr><th>橋<th align=right>Year</tr><tr><td>港大橋<td align=right>62</tr></table>"
    assert text_of(utf8(with_body(html))) == "   橋      Year\n   ------  ----\n   港大橋    62"


def test_a_table_that_is_too_wide_names_each_value() -> None:
    html = f"<table><tr><th>Name<th>Said</tr><tr><td>Ana<td>{'so ' * 30}</tr></table>"
    lines = text_of(utf8(with_body(html))).split("\n")
    assert lines[:2] == ["   Name: Ana", "   Said: " + "so " * 19 + "so"]


def test_code_is_kept_to_the_letter() -> None:
    code = "if ready:\n    print('a  b')  # " + "x" * 80
    assert text_of(utf8(with_body(f"<pre>{code}</pre>"))) == "\n".join(
        f"      {line}" for line in code.split("\n")
    )


def test_a_picture_is_a_line_in_the_text_and_an_address_in_the_notes() -> None:
    copy = utf8(HARBOUR)
    assert "\n   [Picture: Ships wait outside. (Ana Example)]\n" in copy
    assert (
        "\nPICTURES\n   1. Ships wait outside. (Ana Example)\n      https://img.example.org/1.jpg\n"
        in copy
    )


def test_a_picture_without_words_is_only_in_the_notes() -> None:
    copy = utf8(with_body('<p>a</p><img src="https://img.example.org/2.jpg" alt="">'))
    assert "[Picture" not in copy
    assert "\nPICTURES\n   1. https://img.example.org/2.jpg\n" in copy


def test_links_are_listed_in_the_notes_in_order_and_once() -> None:
    html = (
        '<p><a href="https://b.example/">second</a> <a href="https://a.example/x">text</a> '
        '<a href="https://b.example/">again</a> <a href="https://c.example/">https://c.example/</a> '
        '<a href="mailto:d@example.org">d@example.org</a></p>'
    )
    copy = utf8(with_body(html))
    assert "second text again" in text_of(copy)
    assert copy.split("LINKS IN THE TEXT\n")[1].split("\n\n")[0] == (
        "   1. second\n      https://b.example/\n   2. text\n      https://a.example/x"
    )


def test_a_long_address_is_never_broken() -> None:
    for copy in both(HARBOUR):
        assert [line.strip() for line in copy.split("\n") if LONG_URL in line] == [LONG_URL] * 2


# Notes to editors --------------------------------------------------------------------------------


def test_after_the_end_mark_come_the_notes() -> None:
    _, notes = utf8(HARBOUR).split("\nENDS\n")
    assert notes.startswith(
        "\nNOTES TO EDITORS\nThe following information is not for publication.\n"
    )
    assert "   1. Example Ports: The state of the ports\n      https://ports.example.org/" in notes
    assert "   2. A letter to the mayor\n" in notes
    assert "   Ana Example, Harbour correspondent, World\n   Writes on ports & ships.\n" in notes
    assert "   Ben Sample, ben@example.org\n" in notes
    assert labelled(notes, "CONTACT") == DESK.contact
    assert labelled(notes, "COPYRIGHT") == "© 2026 The Example Courier"
    assert labelled(notes, "USAGE") == DESK.usage_terms
    assert labelled(notes, "WEB") == DESK.url(HARBOUR)
    assert labelled(notes, "ID") == HARBOUR.id
    assert notes.endswith("\n\n040805Z OCT 26\n")


@pytest.mark.parametrize(
    ("html", "length"),
    [
        ("<p>One.</p>", "1 word"),
        ("<p>Two words</p><h2>and – three more</h2><hr>", "5 words"),
        ('<p>Four</p><img src="https://i.example/" alt="not counted">', "1 word"),
        ("<p>港大橋の修理、AI</p>", "9 characters"),
        ("<p>กรุงเทพ มหานคร</p>", "13 characters"),
        ("<p>서울시는 공개했다</p>", "2 words"),
        ("", "0 words"),
    ],
)
def test_the_length_is_in_words_or_characters_and_says_which(html: str, length: str) -> None:
    copy = utf8(with_body(html))
    assert labelled(copy, "LENGTH") == length
    assert f"\nLENGTH:     {length} in the body alone\n" in copy


@pytest.mark.parametrize(
    ("time", "group"),
    [
        (datetime(2026, 1, 5, 9, 7, tzinfo=UTC), "050907Z JAN 26"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo")), "311530Z DEC 25"),
    ],
)
def test_times_are_date_time_groups_in_utc(time: datetime, group: str) -> None:
    assert wire.date_time_group(time) == group


# ASCII -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "written"),
    [
        ("en", "“Škoda” – ‘yes’…", "\"Skoda\" - 'yes'..."),
        ("en", "soon—or never — said", "soon -- or never -- said"),
        ("en", "€5bn, 5€, £ 3", "EUR 5bn, 5 EUR, GBP 3"),
        ("en", "10² m², 10⁻⁶, 1½, 21°C", "10^2 m^2, 10^-6, 1 1/2, 21 deg C"),
        ("en", "5\xa0000 cafe\u0301", "5 000 cafe"),
        ("en", "a ≠ b", "a != b"),
        ("es", "¿Qué pasó?", "Que paso?"),
        ("de", "„Größe“ in München", '"Groesse" in Muenchen'),
        ("de-AT", "Österreich", "Oesterreich"),
        ("nb", "Tromsø", "Tromsoe"),
        ("fr", "Tromsø, München", "Tromso, Munchen"),
        ("cs", "Příliš žluťoučký kůň", "Prilis zlutoucky kun"),
        ("ar", "إلى القاهرة، نعم؟", "ila alqahrh, n`m?"),
        ("zh", "他说“好”。是（真）", 'Ta Shuo "Hao". Shi (Zhen)'),
        ("ja", "東京は4日", "Dong Jing ha 4 Ri"),
        ("en", "🇨🇿 👍🏽", "CZ :thumbsup:"),
        ("en", "\ue000", "?"),
    ],
)
def test_ascii_is_written_as_a_desk_would(language: str, text: str, written: str) -> None:
    article = replace(HARBOUR, body=(Paragraph(escape(text)),), language=language, dateline=None)
    assert text_of(ascii_copy(article)) == f"   {written}"


def test_every_loss_is_listed_for_editors() -> None:
    article = with_body("<p>é é “a” \xa0b\u200d</p>", standfirst=None, editors_note=None)
    assert labelled(ascii_copy(article), "ASCII") == (
        "Written otherwise in this copy, by code point and how often: U+00A0 to space (1); "
        'U+00A9 to (C) (1); U+00E9 to e (2); U+200D left out (1); U+201C to " (1); U+201D to " (1).'
    )


def test_the_desk_hears_of_losses_once() -> None:
    (note,) = wire.render(HARBOUR, DESK, TEMPLATES).notes
    assert (note.level, note.where) == ("info", "wire")
    assert note.message == (
        "Written otherwise in the ASCII copy (total: 8): U+2014 to -- (3); "
        'U+00E1 to a (2); U+00A9 to (C) (1); U+201C to " (1); U+201D to " (1). '
        "Its notes to editors list them all."
    )


def test_a_note_on_many_kinds_of_losses_stays_short() -> None:
    (note,) = wire.render(BRIDGE, DESK, TEMPLATES).notes
    assert re.search(r"; more kinds: \d+\. Its notes", note.message)
    assert len(note.message) < 400


def test_text_that_is_ascii_already_loses_nothing() -> None:
    plain = with_body("<p>Plain.</p>", standfirst=None, rights="(C) The Example Courier")
    copy = wire.render(plain, DESK, TEMPLATES)
    assert copy.ascii == copy.utf8
    assert copy.notes == ()


def test_addresses_in_ascii_still_lead_somewhere() -> None:
    article = replace(
        HARBOUR, sources=(Source("Brücke", None, "https://brücke.example/straße?a=ü"),)
    )
    assert "\n      https://xn--brcke-lva.example/stra%C3%9Fe?a=%C3%BC\n" in ascii_copy(article)


# A real article ----------------------------------------------------------------------------------


def test_a_real_article_comes_out_whole(cairo: Path) -> None:
    headline, standfirst, *rest = filter(None, cairo.read_text("utf-8").splitlines())
    end = rest.index("Sources & References")
    article = replace(
        HARBOUR,
        headline=headline,
        standfirst=standfirst,
        body=tuple(Paragraph(escape(line)) for line in rest[:end]),
        dateline=None,
    )
    for copy in both(article):
        held_to_the_form(copy)
        assert max(map(width, text_of(copy).split("\n"))) <= 69
        assert labelled(copy, "HEADLINE") == headline
        paragraphs = [" ".join(part.split()) for part in text_of(copy).split("\n\n")]
        assert paragraphs == rest[:end]
    assert labelled(utf8(article), "LENGTH") == f"{len(' '.join(rest[:end]).split())} words"


# What no text may do -----------------------------------------------------------------------------

FORGERIES = [
    "ENDS", "-ends-", "###", "-30-", "NOTES TO EDITORS", "EMBARGOED UNTIL 09:00 UTC",
    "SLUG:       FORGED", "a\nENDS", "a\u2028ENDS", "a\x85ENDS", "a\rENDS", "a\x0cENDS", "\x1b[2JENDS",
    "a\x00b", "\u202eSDNE", "tab\tbed", "trailing \xa0", "\ufeffENDS", "{{7*7}}", "&amp; <b>",
]  # fmt: skip


def held_to_the_form(copy: str) -> None:
    assert copy.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\xad\ufeff]", copy)
    for line in copy.split("\n"):
        assert line == line.rstrip()
        assert line.startswith(" ") or OWN_LINE.fullmatch(line), line


@pytest.mark.parametrize("forgery", FORGERIES, ids=ascii)
def test_no_text_can_pass_for_a_label_the_end_mark_or_the_notes(forgery: str) -> None:
    one_line = " ".join(forgery.splitlines())
    html = escape(forgery)
    article = replace(
        HARBOUR,
        headline=one_line,
        standfirst=one_line,
        dateline=one_line,
        editors_note=forgery,
        corrections=(forgery,),
        rights=one_line,
        id=one_line,
        byline=(Author(one_line, one_line, one_line, one_line, one_line, one_line),),
        keywords=(forgery,),
        sources=(Source(forgery, forgery, forgery),),
        body=(
            Paragraph(html),
            *blocks(f"<h2>{html}</h2><pre>{html}</pre><blockquote><p>{html}</blockquote>"),
            *blocks(f"<ul><li>{html}</ul><table><tr><td>{html}</table>"),
            *blocks(f'<p><a href="https://e.example/">{html}</a></p><img src="https://i.example/" alt="{html}">'),
        ),
    )  # fmt: skip
    for copy in both(article):
        held_to_the_form(copy)
        assert copy.split("\n").count("ENDS") == 1


def test_article_text_is_no_template() -> None:
    assert "{{7*7}} {% x %}" in utf8(with_body("<p>{{7*7}} {% x %}</p>", headline="{{7*7}}"))


letters = st.text(st.characters(codec="utf-8"), max_size=30)
lines = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=90)


@given(lines, letters, letters, letters)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_any_text_keeps_to_the_form(line: str, keyword: str, paragraph: str, code: str) -> None:
    html = escape(paragraph)
    article = replace(
        HARBOUR,
        headline=f"H{line}",
        standfirst=line,
        keywords=(keyword,),
        body=(Paragraph(html), *blocks(f"<ul><li>{html}</ul><pre>{escape(code)}</pre>")),
    )
    for copy in both(article):
        held_to_the_form(copy)


@given(lines)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_ascii_lines_keep_their_width_after_transliteration(line: str) -> None:
    article = replace(HARBOUR, body=(Paragraph(escape(line)),), sources=(), byline=())
    for set_line in text_of(ascii_copy(article)).split("\n"):
        assert len(set_line) <= 69 or " " not in set_line.strip()


def test_a_long_article_takes_no_long_time() -> None:
    article = with_body("<p>" + "“Škoda” 世界 — " * 2000 + "</p>")
    assert len(wire.render(article, DESK, TEMPLATES).ascii) > 40_000


def test_notes_are_plain_facts() -> None:
    assert all(isinstance(note, Note) for note in wire.render(BRIDGE, DESK, TEMPLATES).notes)


@pytest.mark.parametrize(
    ("language", "text", "written"),
    [
        ("fr", "Il a dit « oui » hier", 'Il a dit "oui" hier'),
        ("fr", "Il a dit «\u00a0oui\u202f» hier", 'Il a dit "oui" hier'),
        ("de", "Er sagte »ja« und ging", 'Er sagte "ja" und ging'),
        ("en", "«\u00a0oui\u00a0»", '"oui"'),
    ],
)
def test_quotation_marks_stand_close_in_ascii(language: str, text: str, written: str) -> None:
    assert Transliterator(language).write(text) == written
