"""When a copy that was refused for the moment is tried again, and when no more."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.mailing.retries import retry_at

NOW = 1_795_000_000_000
MINUTE = 60_000
DAY = timedelta(days=1)


class Least(Random):
    """Chance that adds nothing."""

    def uniform(self, a: float, b: float) -> float:
        return a


def waits(retry_for: timedelta, chance: Random) -> list[int]:
    """The waits of a copy that is refused each time, in milliseconds."""
    found: list[int] = []
    now = NOW
    while (again := retry_at(len(found), now, retry_for, chance)) is not None:
        found.append(again - now)
        now = again
    return found


def test_it_waits_twice_as_long_each_time_up_to_four_hours_and_is_tried_last_after_a_day() -> None:
    minutes = [wait / MINUTE for wait in waits(DAY, Least())]
    assert minutes == [5, 10, 20, 40, 80, 160, 240, 240, 240, 240, 165]
    assert sum(minutes) == 24 * 60


@given(st.timedeltas(timedelta(0), timedelta(days=10)), st.integers(0, 2**32))
def test_it_ends_about_when_it_should_and_greylisting_has_its_five_minutes(
    retry_for: timedelta, seed: int
) -> None:
    found = waits(retry_for, Random(seed))
    total = retry_for / timedelta(milliseconds=1)
    assert total - len(found) - 1 <= sum(found) <= total * 1.2
    assert all(wait >= 5 * MINUTE for wait in found[:-1])
    assert all(wait <= 4.8 * 60 * MINUTE for wait in found)


def test_copies_that_were_refused_together_do_not_come_back_together() -> None:
    chance = Random(1)
    times = {retry_at(0, NOW, DAY, chance) for _ in range(1000)}
    assert len(times) > 900
    assert max(times, key=lambda t: t or 0) is not None
    assert {(t or 0) - NOW >= 5 * MINUTE for t in times} == {True}


@pytest.mark.parametrize("attempts", [11, 12, 100, 10**9])
def test_however_often_it_was_tried_it_is_given_up(attempts: int) -> None:
    assert retry_at(attempts, NOW, DAY, Random(1)) is None


def test_no_time_for_retries_is_none() -> None:
    assert retry_at(0, NOW, timedelta(0), Random(1)) is None
