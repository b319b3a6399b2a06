"""When a mailing leaves: what --at says, in one zone or everybody's own, and what was missed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import DeliveryError
from dispatch.newsroom.schedules import Clock, local_due, missed, parse_at, parse_local

PARIS = ZoneInfo("Europe/Paris")
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2026-11-25 07:00 Europe/Paris", "2026-11-25T07:00+01:00"),
        ("2026-11-25T07:00+01:00", "2026-11-25T07:00+01:00"),
        ("2026-11-25 07:00:30 +0530", "2026-11-25T07:00:30+05:30"),
        ("2026-11-25T07:00Z", "2026-11-25T07:00+00:00"),
        ("2026-11-25 07:00 UTC", "2026-11-25T07:00+00:00"),
        ("2026-11-25 07:00 UTC-3", "2026-11-25T07:00-03:00"),
        ("2026-11-25 07:00 Asia/Tokyo", "2026-11-25T07:00+09:00"),
        ("2026-11-25 07:00", "2026-11-25T07:00+01:00"),
        ("2027-07-01 7:00", "2027-07-01T07:00+02:00"),
        ("  2026-11-25   07:00  ", "2026-11-25T07:00+01:00"),
        ("07:00", "2026-11-25T07:00+01:00"),
        ("23:30", "2026-11-24T23:30+01:00"),
        ("20:00", "2026-11-25T20:00+01:00"),
        ("04:30 Asia/Tokyo", "2026-11-25T04:30+09:00"),
        ("03:30 Asia/Tokyo", "2026-11-26T03:30+09:00"),
    ],
)
def test_what_is_read(text: str, due: str) -> None:
    schedule = parse_at(text, NOW, PARIS)
    assert schedule.due.isoformat() == datetime.fromisoformat(due).isoformat()
    assert schedule.note == ""


def test_a_time_that_clocks_leave_out_is_moved_on_and_that_is_said() -> None:
    schedule = parse_at("2027-03-28 02:30", NOW, PARIS)
    assert schedule.due == datetime(2027, 3, 28, 3, 30, tzinfo=PARIS)
    assert schedule.note == (
        "Clocks in Europe/Paris leave out 02:30 on that day: it leaves at 03:30."
    )


def test_a_time_that_clocks_show_twice_is_the_first_and_that_is_said() -> None:
    schedule = parse_at("2027-10-31 02:30", NOW, PARIS)
    assert schedule.due.astimezone(UTC) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert schedule.note == (
        "Clocks in Europe/Paris show 02:30 twice on that day: it leaves the first time."
    )


def test_in_the_hour_that_clocks_show_twice_the_first_time_has_passed_in_the_second() -> None:
    now = datetime(2027, 10, 31, 2, 10, fold=1, tzinfo=PARIS)
    assert parse_at("02:30", now, PARIS).due == datetime(2027, 11, 1, 2, 30, tzinfo=PARIS)
    with pytest.raises(DeliveryError, match="has passed"):
        parse_at("2027-10-31 02:30", now, PARIS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2026-11-24 19:59",
            "--at “2026-11-24 19:59” has passed: it is 2026-11-24 20:00 Europe/Paris now. "
            "Name a later time, or leave --at out to send now.",
        ),
        (
            "2026-11-25 03:00 Asia/Tokyo",
            "--at “2026-11-25 03:00 Asia/Tokyo” has passed: it is 2026-11-25 04:00 Asia/Tokyo now. "
            "Name a later time, or leave --at out to send now.",
        ),
        (
            "1926-11-25 07:00",
            "--at “1926-11-25 07:00” has passed: it is 2026-11-24 20:00 Europe/Paris now. "
            "Name a later time, or leave --at out to send now.",
        ),
        (
            "2062-11-25 07:00",
            "--at “2062-11-25 07:00” is more than a year away: it is 2026-11-24 20:00 Europe/Paris "
            "now. Name an earlier day.",
        ),
        (
            "2026-11-31 07:00",
            "--at “2026-11-31 07:00” names a day that does not exist. "
            'Write 07:00, "2026-11-25 07:00" or "2026-11-25 07:00 Europe/Paris".',
        ),
        (
            "25:00",
            "--at “25:00” is a time of day that does not exist. "
            'Write 07:00, "2026-11-25 07:00" or "2026-11-25 07:00 Europe/Paris".',
        ),
        (
            "2026-11-25",
            "--at “2026-11-25” is no time. "
            'Write 07:00, "2026-11-25 07:00" or "2026-11-25 07:00 Europe/Paris".',
        ),
        (
            "07:00 Europe/Pari",
            "--at names a time zone that is not known, Europe/Pari. Did you mean Europe/Paris?",
        ),
        (
            "07:00 pm",
            "--at names a time zone that is not known, pm. Write a name such as Europe/Paris.",
        ),
        (
            "07:00 +15:00",
            "--at names a time zone that is not known, +15:00. Write a name such as Europe/Paris.",
        ),
    ],
)
def test_what_is_refused_is_told_with_what_to_do(text: str, message: str) -> None:
    with pytest.raises(DeliveryError) as error:
        parse_at(text, NOW, PARIS)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "name",
    ["localtime", "Factory", "right/Europe/Paris", "posix/Europe/Paris", "CST", "EST5EDT", "Europe",
     "europe/paris", "../../etc/passwd", "Europe/../Europe/Paris", "/etc/localtime", "A" * 60],
)  # fmt: skip
def test_a_zone_is_a_place_or_a_distance_from_utc(name: str) -> None:
    with pytest.raises(DeliveryError):
        parse_at(f"07:00 {name}", NOW, PARIS)
    assert set(local_due(Clock(time(7)), [name], NOW, PARIS)) == {None}


@given(st.text(max_size=80) | st.from_regex(r"\A[0-9T: -]{3,20}[A-Za-z/+]{0,10}\Z"))
def test_whatever_is_typed_it_is_a_time_within_a_year_or_a_sentence(text: str) -> None:
    try:
        due = parse_at(text, NOW, PARIS).due
    except DeliveryError as error:
        assert str(error).startswith("--at ")
        assert len(str(error)) < 300
    else:
        assert NOW < due < NOW + timedelta(days=369)


ZONES = st.sampled_from(
    ["Europe/Paris", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe",
     "Pacific/Kiritimati", "Etc/GMT+12", "Africa/Casablanca"]
)  # fmt: skip
MOMENTS = st.integers(1_700_000_000, 2_000_000_000).map(lambda t: datetime.fromtimestamp(t, UTC))


@given(st.times(), ZONES, MOMENTS)
def test_a_time_of_day_is_the_next_time_that_clocks_show_it(
    clock: time, name: str, now: datetime
) -> None:
    zone = ZoneInfo(name)
    due = parse_at(f"{clock:%H:%M}", now, zone).due
    assert now < due <= now + timedelta(hours=26)
    earlier = (due.astimezone(UTC) - timedelta(hours=2)).astimezone(zone)
    if due.utcoffset() == earlier.utcoffset():  # clocks were not just put forward
        assert f"{due:%H:%M}" == f"{clock:%H:%M}"


# Everybody's own zone --------------------------------------------------------------------------


def test_the_next_time_that_it_is_seven_in_each_zone() -> None:
    dues = local_due(
        Clock(time(7)), ["Asia/Tokyo", "America/New_York", None, "Asia/Tokyo"], NOW, PARIS
    )
    assert dues == {
        None: datetime(2026, 11, 25, 7, tzinfo=PARIS),
        "Asia/Tokyo": datetime(2026, 11, 25, 7, tzinfo=TOKYO),
        "America/New_York": datetime(2026, 11, 25, 7, tzinfo=ZoneInfo("America/New_York")),
    }


def test_who_is_too_far_east_for_the_day_that_is_named_gets_it_at_once() -> None:
    now = datetime(2026, 11, 25, 6, tzinfo=PARIS)
    dues = local_due(Clock(time(7), date(2026, 11, 25)), ["Asia/Tokyo"], now, PARIS)
    assert dues == {None: datetime(2026, 11, 25, 7, tzinfo=PARIS), "Asia/Tokyo": now}


def test_zones_that_do_not_exist_are_the_desks() -> None:
    hostile = ["", "Nowhere/City", "../etc/passwd", "a\0b", "Europe", "localtime", "é" * 10_000]
    dues = local_due(Clock(time(7)), hostile, NOW, PARIS)
    assert dues == {None: datetime(2026, 11, 25, 7, tzinfo=PARIS)}


def test_a_million_subscribers_with_a_zone_of_their_own_take_no_memory() -> None:
    hostile = (f"Europe/Paris{number}" for number in range(1_000_000))
    assert len(local_due(Clock(time(7)), hostile, NOW, PARIS)) == 1


@given(st.times(), st.lists(ZONES), MOMENTS, st.none() | st.integers(-2, 30))
def test_nobody_is_skipped(clock: time, zones: list[str], now: datetime, later: int | None) -> None:
    day = None if later is None else now.date() + timedelta(days=later)
    dues = local_due(Clock(clock, day), zones, now, PARIS)
    assert set(dues) == {None, *zones}
    for due in dues.values():
        assert due >= now
        assert due <= now + timedelta(days=2 + max(0, later or 0))


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("07:00", Clock(time(7))),
        ("2026-11-25 07:00", Clock(time(7), date(2026, 11, 25))),
        ("2026-11-24 07:01", Clock(time(7, 1), date(2026, 11, 24))),
    ],
)
def test_local_times_that_are_read(text: str, clock: Clock) -> None:
    assert parse_local(text, NOW) == clock  # 07:00 in the zone where a day ends last


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "07:00 Europe/Paris",
            "--at “07:00 Europe/Paris” names a time zone, and --local-time is everybody's own. "
            "Leave out one of the two.",
        ),
        (
            "2026-11-24 07:00",
            "--at “2026-11-24 07:00” has passed everywhere: it is 2026-11-24 19:00 UTC now. "
            "Name a later time, or leave --at out to send now.",
        ),
        (
            "2062-11-24 07:00",
            "--at “2062-11-24 07:00” is more than a year away: it is 2026-11-24 19:00 UTC now. "
            "Name an earlier day.",
        ),
    ],
)
def test_local_times_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(DeliveryError) as error:
        parse_local(text, NOW)
    assert str(error.value) == message


# Missed ----------------------------------------------------------------------------------------


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


DUE = milliseconds(datetime(2026, 11, 25, 7, tzinfo=PARIS))
LIMIT = timedelta(hours=2)


def test_a_schedule_that_was_missed_is_told_with_what_to_do() -> None:
    now = milliseconds(datetime(2026, 11, 25, 11, 20, tzinfo=PARIS))
    assert missed(12, DUE, now, LIMIT, PARIS) == (
        "Mailing 12 was due at 2026-11-25 07:00 Europe/Paris, and nothing was running to send it; "
        "now it is 2026-11-25 11:20 Europe/Paris. It is held: dispatch mailing resume 12 sends it, "
        "dispatch mailing cancel 12 drops it."
    )


@pytest.mark.parametrize("late", [timedelta(0), LIMIT, -LIMIT, -timedelta(days=400)])
def test_within_the_limit_and_where_the_clock_was_put_back_nothing_is_missed(
    late: timedelta,
) -> None:
    assert missed(12, DUE, DUE + late // timedelta(milliseconds=1), LIMIT, PARIS) is None


def test_past_the_limit_it_is() -> None:
    now = DUE + LIMIT // timedelta(milliseconds=1) + 1
    sentence = missed(12, DUE, now, LIMIT, timezone(timedelta(hours=1)))
    assert sentence is not None
    assert "2026-11-25 07:00 UTC+01:00" in sentence
