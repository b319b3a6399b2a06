"""If-None-Match and the dates of HTTP, by the letter of RFC 9110, 5.6.7 and 13.1."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.web.files.conditional import any_tag, parse_date, tags

NOW = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"a"', ['"a"']),
        ('W/"a"', ['"a"']),
        ('"a", W/"b","c"', ['"a"', '"b"', '"c"']),
        (' "a" , "b" ', ['"a"', '"b"']),
        (',, "a",, "b",', ['"a"', '"b"']),
        ('""', ['""']),
        ('"a,b"', ['"a,b"']),
        ("", []),
        ("a", []),  # a tag has its quotation marks
        ('w/"a"', []),  # and its W is a capital letter
        ('"a" "b"', []),
        ('"a", b, "c"', ['"a"']),
        ('"a', []),
        ('"a\tb"', []),
    ],
)
def test_the_tags_of_a_list(field: str, expected: list[str]) -> None:
    assert [tag.decode() for tag in tags(field.encode())] == expected


def test_a_star_stands_for_any_copy() -> None:
    assert any_tag(b"*")
    assert any_tag(b" * ")
    assert not any_tag(b'"*"')


@given(st.binary(max_size=5000))
def test_anything_can_stand_in_a_list(field: bytes) -> None:
    assert all(tag[:1] == tag[-1:] == b'"' for tag in tags(field))


@given(st.lists(st.text("abc-,W/ *", max_size=8), max_size=20))
def test_every_tag_that_is_written_is_read(names: list[str]) -> None:
    written = [f'"{name.replace(" ", "_")}"' for name in names]
    assert [tag.decode() for tag in tags(", ".join(written).encode())] == written


@pytest.mark.parametrize(
    "field",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "sun, 06 nov 1994 08:49:37 gmt",
        " Sun, 06 Nov 1994 08:49:37 GMT ",
    ],
)
def test_the_three_forms_of_a_date(field: str) -> None:
    assert parse_date(field.encode(), NOW) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(("year", "meant"), [("26", 2026), ("76", 2076), ("77", 1977)])
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(year: str, meant: int) -> None:
    date = parse_date(f"Sunday, 06-Nov-{year} 08:49:37 GMT".encode(), NOW)
    assert date is not None
    assert date.year == meant


@pytest.mark.parametrize(
    "field",
    [
        "",
        "0",
        "-1",
        "now",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 +0200",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT" * 1000,
    ],
)
def test_what_is_no_date_is_not_guessed(field: str) -> None:
    assert parse_date(field.encode(), NOW) is None


@given(st.binary(max_size=100))
def test_anything_can_stand_for_a_date(field: bytes) -> None:
    parse_date(field, NOW)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_date_that_was_sent_is_understood(sent: datetime) -> None:
    sent = sent.replace(microsecond=0)
    assert parse_date(format_datetime(sent, usegmt=True).encode(), NOW) == sent
