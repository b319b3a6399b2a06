"""Label catalogues: every label in every language, nothing left over, and dates as newspapers write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import dispatch.renditions
from dispatch.article import Article, Paragraph
from dispatch.desk import Desk, Mailbox
from dispatch.markup import escape
from dispatch.renditions.language import Language
from dispatch.renditions.templates import Templates, shipped

TEMPLATES = shipped()
CATALOGUES = sorted(TEMPLATES.glob("locale/*.po"))
FUNCTIONS = {"_": None, "gettext": None, "ngettext": (1, 2)}

MONTHS = "January February March April May June July August September October November December"
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"

# What reads the same in English and in the other language.
SAME = {
    "ar": {"1", "%(day)s %(month)s %(year)d", "%(month)s %(year)d", "%(hour)02d:%(minute)02d %(zone)s"},
    "de": {", ", "1", "April", "August", "Links", "September", "November", "%(month)s %(year)d"},
    "es": {", ", "1"},
    "fr": {", ", "%(day)s %(month)s %(year)d", "%(month)s %(year)d", "Sources", ("%(count)d article", "%(count)d articles")},
    "ja": {"1", "%(hour)02d:%(minute)02d %(zone)s"},
}  # fmt: skip

Label = str | tuple[str, str]


def labels_in_templates() -> Iterator[tuple[Path, int, object]]:
    """Each call for a label: file, line and the label, which is None where it is computed."""
    for path in sorted(TEMPLATES.rglob("*.html")) + sorted(TEMPLATES.rglob("*.txt")):
        if path.relative_to(TEMPLATES).parts[0] == "wire":
            continue
        with path.open("rb") as file:
            for line, function, said, _ in babel_extract(
                file, list(FUNCTIONS), [], {"silent": "no"}
            ):
                yield path, line, tuple(said[:2]) if function == "ngettext" else said


def labels_in_code() -> Iterator[Label]:
    rooms = (
        Path(dispatch.renditions.__path__[0]),
        Path(dispatch.renditions.__path__[0]).parent / "web",
    )
    for path in sorted(path for room in rooms for path in room.rglob("*.py")):
        with path.open("rb") as file:
            for _, function, said, _ in extract_python(file, [*FUNCTIONS, "label"], [], {}):
                if isinstance(said, str):
                    yield said
                elif function == "ngettext" and isinstance(said, tuple) and all(said[:2]):
                    yield str(said[0]), str(said[1])


def needed() -> set[Label]:
    labels = {label for _, _, label in labels_in_templates()} | set(labels_in_code())
    return labels | set(MONTHS.split()) | set(WEEKDAYS.split())  # type: ignore[return-value]


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(path: Path) -> list[Message]:
    return [message for message in catalogue(path) if message.id]


def label(message: Message) -> Label:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def pairs(message: Message) -> list[tuple[str, str]]:
    """Each form of a translation beside the English that it stands for."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    one, many = message.id
    first, *others = message.string
    return [(one if len(others) else many, first), *((many, other) for other in others)]


def placeholders(text: str) -> set[tuple[str, str]]:
    """Names and types; how wide a number is printed is the language's own affair."""
    return {(name, kind) for name, kind in re.findall(r"%(\(\w+\))?[0 #+-]*\d*([a-z%])", text)}


def test_catalogues_ship_for_the_languages_that_are_promised():
    assert {"ar", "de", "es", "fr"} <= {path.stem for path in CATALOGUES}


def test_every_label_in_a_template_is_written_out():
    computed = [
        f"{path.relative_to(TEMPLATES)}, line {line}"
        for path, line, said in labels_in_templates()
        if not said or (isinstance(said, tuple) and not all(isinstance(part, str) for part in said))
    ]
    assert computed == []


def test_wire_copy_keeps_its_labels_in_english():
    asking = [
        path.name
        for path in sorted(TEMPLATES.glob("wire/*"))
        if re.search(r"\b(_|n?gettext)\(", path.read_text("utf-8"))
    ]
    assert asking == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
class TestCatalogue:
    def test_has_every_label(self, path: Path):
        assert needed() - {label(message) for message in messages(path)} == set()

    def test_has_no_label_that_nothing_prints(self, path: Path):
        assert {label(message) for message in messages(path)} - needed() == set()
        assert list(catalogue(path).obsolete) == []

    def test_is_finished(self, path: Path):
        assert [message.id for message in messages(path) if message.fuzzy] == []
        assert [m.id for m in messages(path) for _, said in pairs(m) if not said] == []

    def test_counts_as_its_language_does(self, path: Path):
        own, expected = catalogue(path), get_plural(path.stem)
        assert (own.num_plurals, own.plural_expr) == (expected.num_plurals, expected.plural_expr)
        plural = [message for message in messages(path) if not isinstance(message.id, str)]
        assert {len(message.string) for message in plural} <= {own.num_plurals}

    def test_keeps_the_placeholders(self, path: Path):
        for message in messages(path):
            forms = pairs(message)
            for english, said in forms[:-1]:  # Arabic says "two minutes" without a numeral
                assert placeholders(said) <= placeholders(english), message.id
            english, said = forms[-1]
            assert placeholders(said) == placeholders(english), message.id

    def test_keeps_how_a_label_begins_and_ends(self, path: Path):
        for message in messages(path):
            for english, said in pairs(message):
                assert said.strip(" \n") == said or english.strip() != english, message.id
                assert said.endswith((":", "：")) == english.endswith(":"), message.id
                assert said.count("\n") == english.count("\n"), message.id

    def test_says_everything_in_its_own_language(self, path: Path):
        same = {m.id for m in messages(path) for english, said in pairs(m) if said == english}
        assert same == SAME[path.stem]


def spoken(tag: str) -> Language:
    """The language that a rendition of an article in ``tag`` speaks."""
    article = Article(headline="H", body=(Paragraph(escape("B")),), language=tag)
    desk = Desk(
        name="World",
        slug="world",
        publisher="The Example Ledger",
        site_url="https://news.example.org",
        sender=Mailbox("World desk", "world@example.org"),
        contact="world@example.org",
        postal_address="1 Quay Street, Exampleton",
        usage_terms="As agreed.",
        rights="© {year} {publisher}",
    )
    return Templates().language(article, desk)


SUNDAY = datetime(2026, 10, 4, 9, 5, tzinfo=UTC)
FIRST_OF_MAY = datetime(2026, 5, 1, 21, 30, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("tag", "date", "long_date", "first", "clock", "names"),
    [
        ("en", "4 October 2026", "Sunday, 4 October 2026", "1 May 2026", "09:05 UTC", "Ana, Ben and Cid"),
        ("de", "4. Oktober 2026", "Sonntag, 4. Oktober 2026", "1. Mai 2026", "9.05 Uhr UTC", "Ana, Ben und Cid"),
        ("de-AT", "4. Oktober 2026", "Sonntag, 4. Oktober 2026", "1. Mai 2026", "9.05 Uhr UTC", "Ana, Ben und Cid"),
        ("fr", "4 octobre 2026", "dimanche 4 octobre 2026", "1er mai 2026", "9 h 05 UTC", "Ana, Ben et Cid"),
        ("es", "4 de octubre de 2026", "domingo, 4 de octubre de 2026", "1 de mayo de 2026", "9:05 UTC", "Ana, Ben y Cid"),
        ("ar", "4 أكتوبر 2026", "الأحد 4 أكتوبر 2026", "1 مايو 2026", "09:05 UTC", "Ana، Ben وCid"),
        ("ja", "2026年10月4日", "2026年10月4日日曜日", "2026年5月1日", "09:05 UTC", "Ana、Ben、Cid"),
    ],
)  # fmt: skip
def test_dates_times_and_names_are_written_as_the_language_does(
    tag, date, long_date, first, clock, names
):
    language = spoken(tag)
    assert language.date(SUNDAY) == date
    assert language.long_date(SUNDAY) == long_date
    assert language.date(FIRST_OF_MAY) == first
    assert language.clock(SUNDAY).replace("\N{NO-BREAK SPACE}", " ") == clock
    assert language.names(["Ana", "Ben", "Cid"]) == names


def test_a_time_is_printed_in_the_zone_that_it_is_in():
    assert spoken("de").clock(FIRST_OF_MAY) == "21.30 Uhr CEST"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_all_months_and_weekdays_differ(path: Path):
    language = spoken(path.stem)
    months = {language.date(datetime(2026, month, 4, tzinfo=UTC)) for month in range(1, 13)}
    weekdays = {language.long_date(datetime(2026, 6, day, tzinfo=UTC)) for day in range(1, 8)}
    assert (len(months), len(weekdays)) == (12, 7)


def test_arabic_is_set_from_right_to_left():
    assert spoken("ar").direction == "rtl"


def test_a_language_without_a_catalogue_speaks_english():
    assert spoken("cy").date(SUNDAY) == "4 October 2026"
