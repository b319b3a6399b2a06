"""A new relay takes more each day, and what it took is remembered by all processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import SettingsError
from dispatch.mailing.relays import parse
from dispatch.mailing.warming import Warming, allowance
from dispatch.store.connection import Store

DAY = 86_400_000
FIRST = date(2026, 11, 20)
NOON = 20_777 * DAY + DAY // 2
"""On the first day."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "dispatch.db")
    yield made
    made.close()


def commit(store: Store, warming: Warming, now: int = NOON, *, fails: bool = False) -> None:
    with store.transaction(keep=not fails) as transaction:
        warming.record(transaction, now)
    if not fails:
        warming.recorded()


def warmed(store: Store, now: int = NOON) -> Warming:
    """As a process has it that has just begun."""
    warming = Warming({"new:25": FIRST})
    commit(store, warming, now)
    return warming


def accept(warming: Warming, count: int) -> None:
    for _ in range(count):
        warming.given("new:25")
        warming.answered("new:25", accepted=True)


def test_the_first_day_allows_500_and_each_day_of_a_week_twice_as_many(store: Store) -> None:
    assert [warmed(store, NOON + n * DAY).left("new:25") for n in range(3)] == [500, 1000, 2000]


def test_a_relay_that_is_not_new_takes_anything(store: Store) -> None:
    warming = warmed(store)
    assert warming.left("old:25") is None
    assert warming.may_take("old:25")


def test_what_is_in_flight_counts_until_it_is_refused(store: Store) -> None:
    warming = warmed(store)
    accept(warming, 498)
    for _ in range(2):
        assert warming.may_take("new:25")
        warming.given("new:25")
    assert not warming.may_take("new:25")
    assert warming.left("new:25") == 2
    assert warming.answered("new:25", accepted=False), "another may go instead"
    assert warming.may_take("new:25")


def test_what_was_accepted_is_remembered(store: Store) -> None:
    warming = warmed(store)
    accept(warming, 200)
    commit(store, warming)
    accept(warming, 100)
    assert warming.left("new:25") == 200
    commit(store, warming)
    assert warming.left("new:25") == 200
    assert warmed(store).left("new:25") == 200


def test_what_was_not_recorded_is_recorded_later(store: Store) -> None:
    warming = warmed(store)
    accept(warming, 200)
    commit(store, warming, fails=True)
    assert warming.left("new:25") == 300
    commit(store, warming)
    assert warmed(store).left("new:25") == 300


def test_two_processes_share_a_days_allowance(store: Store) -> None:
    one, two = warmed(store), warmed(store)
    accept(one, 300)
    commit(store, one)
    accept(two, 150)
    commit(store, two)
    commit(store, one)
    assert one.left("new:25") == two.left("new:25") == 50


def test_the_day_ends_at_midnight_utc(store: Store) -> None:
    warming = warmed(store)
    accept(warming, 500)
    assert not warming.may_take("new:25")
    assert warming.until_tomorrow(NOON) == 12 * 3600
    commit(store, warming, NOON + DAY // 2 - 1)
    assert warming.left("new:25") == 0
    commit(store, warming, NOON + DAY // 2)
    assert warming.left("new:25") == 1000


def test_the_first_day_is_an_option_of_the_relay() -> None:
    assert parse("smtp://mail.example.org?warm=2026-11-20").warm == FIRST
    assert parse("smtp://mail.example.org").warm is None
    with pytest.raises(SettingsError, match="a day such as 2026-11-20"):
        parse("smtp://mail.example.org?warm=tomorrow")


def test_a_new_address_is_warmed_day_by_day() -> None:
    first = date(2026, 11, 20)
    allowances = [allowance(first, first + timedelta(days=n)) for n in range(12)]
    assert allowances == [
        500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000,
        96_000, 144_000, 216_000, 324_000,
    ]  # fmt: skip


def test_before_the_first_day_it_is_as_new_as_on_it() -> None:
    assert allowance(date(2026, 11, 20), date(2026, 1, 1)) == 500


@given(st.dates(), st.dates(), st.dates())
def test_it_never_goes_down_and_is_no_limit_in_the_end(first: date, one: date, two: date) -> None:
    assert allowance(first, min(one, two)) <= allowance(first, max(one, two))
    if (one - first).days >= 30:
        assert allowance(first, one) > 100_000_000
