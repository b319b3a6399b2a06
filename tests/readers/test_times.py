"""Times as people write them: read with their zone, or refused in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import ArticleError
from dispatch.readers.times import parse_time

HALF_PAST_NINE_IN_PARIS = datetime(2026, 10, 4, 9, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-04T09:30+02:00",
        "2026-10-04T09:30:00+02:00",
        "2026-10-04T09:30:00.000+0200",
        "2026-10-04t09:30+02",
        "20261004T093000+0200",
        "2026-10-04 09:30 +02:00",
        "  2026-10-04   09:30   UTC+2 ",
        "2026-10-04 09:30 Europe/Paris",
        "2026-10-04 09:30 (CEST)",
        "2026-10-04T09:30+02:00[Europe/Paris]",
        "2026-10-04T07:30Z",
        "2026-10-04 07:30 UTC",
        "2026-10-04, 07:30 GMT",
        "2026-10-04T16:30 JST",
        "Sun, 04 Oct 2026 09:30:00 +0200",
        "4 Oct 2026 07:30 GMT",
        "4 October 2026, 07:30 UTC",
        "2026-10-04T04:30 America/Argentina/Buenos_Aires",
        "2026-10-04T03:30\u221204:00",
    ],
)
def test_the_same_moment_in_every_form(written: str) -> None:
    assert parse_time(written, "published", "talks.txt, line 3") == HALF_PAST_NINE_IN_PARIS


def test_the_offset_that_was_written_is_kept() -> None:
    time = parse_time("2026-10-04T09:30+02:00", "published", "a.txt")
    assert time.isoformat() == "2026-10-04T09:30:00+02:00"


def test_a_place_gives_the_offset_that_its_clocks_show_that_day() -> None:
    summer = parse_time("2026-07-01 12:00 America/New_York", "published", "a.txt")
    winter = parse_time("2026-12-01 12:00 America/New_York", "published", "a.txt")
    assert (summer.utcoffset(), winter.utcoffset()) == (timedelta(hours=-4), timedelta(hours=-5))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("2026-10-04T09:30", "has no time zone"),
        ("Sun, 04 Oct 2026 09:30:00", "has no time zone"),
        ("2026-10-04", "has a date but no time of day"),
        ("2026-13-40", "is a date that does not exist"),
        ("2026-02-29T09:30Z", "is a date that does not exist"),
        ("0000-10-04T09:30Z", "is a date that does not exist"),
        ("2026-10-04T25:00Z", "is a time of day that does not exist"),
        ("2026-10-04T09:61Z", "is a time of day that does not exist"),
        ("1899-12-31T09:30Z", "has a year outside 1900 to 2199"),
        ("2200-01-01T09:30Z", "has a year outside 1900 to 2199"),
        ("2026-10-04 09:30 CST", "has a time zone that is not known or has several meanings, CST"),
        ("2026-10-04 09:30 IST", "has a time zone that is not known or has several meanings, IST"),
        ("2026-07-04 09:30 CET", "has the time zone CET, which clocks do not show on that day"),
        ("2026-10-04 09:30 Europe/Nowhere", "has a time zone that does not exist, Europe/Nowhere"),
        ("2026-10-04T09:30+25:00", "has a time zone that does not exist"),
        ("2026-10-25 02:30 Europe/Paris", "clocks in Europe/Paris are put forward or back"),
        ("2026-03-29 02:30 Europe/Paris", "clocks in Europe/Paris are put forward or back"),
        ("4 Brumaire 2026 09:30 UTC", "names a month that is not known"),
        ("yesterday", "is not a date and time that can be read"),
        ("", "is not a date and time that can be read"),
        ("٢٠٢٦-١٠-٠٤T٠٩:٣٠Z", "is not a date and time that can be read"),
        ("2026-10-04T09:30 ../../etc/localtime", "has a time zone that is not known"),
    ],
)
def test_what_is_wrong_is_said_with_field_and_line(written: str, problem: str) -> None:
    with pytest.raises(ArticleError) as caught:
        parse_time(written, "embargo", "talks.txt, line 3")
    message = str(caught.value)
    assert message.startswith("talks.txt, line 3: the field embargo ")
    assert problem in message


def test_the_sentence_shows_how_to_write_it() -> None:
    with pytest.raises(ArticleError) as caught:
        parse_time("2026-10-04 09:30", "published", "talks.txt, line 3")
    assert str(caught.value) == (
        "talks.txt, line 3: the field published has no time zone: “2026-10-04 09:30”. "
        "Write it with one, such as 2026-10-04T09:30+02:00."
    )


def test_a_value_without_end_is_refused_at_once_and_shown_short() -> None:
    with pytest.raises(ArticleError) as caught:
        parse_time("2026-10-04 " + "9" * 1_000_000, "published", "a.txt")
    assert len(str(caught.value)) < 250


@settings(derandomize=True, max_examples=200)
@given(st.text(max_size=40) | st.from_regex(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d.{0,8}"))
def test_any_text_gives_an_aware_time_or_a_sentence(value: str) -> None:
    try:
        time = parse_time(value, "published", "a.txt")
    except ArticleError as error:
        assert str(error).startswith("a.txt: the field published ")
    else:
        assert time.utcoffset() is not None


@settings(derandomize=True, max_examples=100)
@given(
    st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
        datetime(2199, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_python_writes_is_read_again(time: datetime, minutes: int) -> None:
    there = time.astimezone(timezone(timedelta(minutes=minutes)))
    if not 1900 <= there.year <= 2199:
        return
    assert parse_time(there.isoformat(), "updated", "a.txt") == time
