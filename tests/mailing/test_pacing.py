"""How fast mail goes: one rate that is held, domains that slow down alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.transport import Copy, Result

SLACK = 0.05
START = 1000.0
"""Of the monotonic clock: it does not start at 0."""


# One rate --------------------------------------------------------------------------------------


def sent(rate: Rate, times: list[float]) -> list[float]:
    """When messages went, where everything that may go at each of ``times`` does."""
    gone = []
    for now in times:
        while not rate.take(now):
            gone.append(now)
    return gone


def ticks(seconds: float, late: list[float], start: float = START) -> list[float]:
    """Times at which an event loop wakes: each millisecond, and so many seconds late."""
    times, now, number = [], start, 0
    while now < start + seconds:
        times.append(now)
        now += 0.001 + late[number % len(late)]
        number += 1
    return times


@given(
    st.floats(0.05, 10_000),
    st.lists(st.floats(0, 0.01), min_size=1, max_size=20),
)
def test_while_there_is_work_the_rate_is_held_over_every_second(
    per_second: float, late: list[float]
) -> None:
    seconds = min(600.0, max(3.0, 20 / per_second)) if per_second < 100 else 3.0
    gone = sent(Rate(per_second), ticks(seconds, late))
    assert len(gone) == pytest.approx(per_second * seconds, rel=0.03, abs=2 + per_second * SLACK)
    window = max(1.0, 1 / per_second)
    for second in range(int(seconds / window)):
        begin = START + second * window
        count = sum(begin <= t < begin + window for t in gone)
        assert count <= per_second * (window + SLACK) + 1.001


@given(st.floats(0.05, 10_000), st.floats(0.0, 1e6))
def test_time_in_which_nothing_was_sent_is_not_made_up_for(per_second: float, idle: float) -> None:
    rate = Rate(per_second)
    sent(rate, [START])
    burst = len(sent(rate, [START + idle]))
    assert burst <= 1.001 + SLACK * per_second


def test_a_wait_is_as_long_as_it_says() -> None:
    rate = Rate(0.05)
    assert rate.take(START) == 0.0
    wait = rate.take(START)
    assert wait == pytest.approx(20, abs=SLACK)
    assert rate.take(START + wait - 0.001) > 0
    assert rate.take(START + wait) == 0.0


def test_a_message_that_did_not_go_can_go_at_once() -> None:
    rate = Rate(1)
    assert rate.take(START) == 0.0
    rate.unused(START)
    assert rate.take(START) == 0.0
    assert rate.take(START) > 0


@given(st.floats(0.05, 10_000), st.integers(1, 100))
def test_giving_back_is_no_way_to_a_larger_burst(per_second: float, times: int) -> None:
    rate = Rate(per_second)
    for number in range(times):
        rate.take(START + number)
        rate.unused(START + number)
    assert len(sent(rate, [START + times])) <= 1.001 + SLACK * per_second


def test_without_a_limit_everything_goes() -> None:
    rate = Rate(0)
    assert not any(rate.take(START) for _ in range(100_000))
    rate.unused(START)
    assert rate.take(START) == 0.0


def test_a_machine_that_slept_does_not_catch_up() -> None:
    rate = Rate(100)
    before = sent(rate, ticks(1, [0.0]))
    after = sent(rate, ticks(1, [0.0], START + 3600))
    assert len(before) == pytest.approx(100, abs=6)
    assert len(after) == pytest.approx(100, abs=6)


# Domains ---------------------------------------------------------------------------------------

COPY = Copy(1, "bounces@example.org", "ada@example.net", "example.net", b"")
OK = Result(COPY, "accepted", "250 2.0.0 Ok", 250, "2.0.0")
BUSY = Result(COPY, "deferred", "421 4.7.0 Too much mail", 421, "4.7.0", "recipient")
UNLIMITED = 10_000


def refusal(
    code: int, status: str | None = None, reply: str = "", blame: Any = "recipient"
) -> Result:
    return Result(COPY, "deferred" if code < 500 else "bounced", reply, code, status, blame)


def taken(domains: Domains, domain: str, now: float, seconds: float = 1.0) -> int:
    """How many messages may go in so many seconds, looking each millisecond; UNLIMITED: any."""
    count = 0
    for tick in range(int(seconds * 1000)):
        while not domains.may_send(domain, now + tick / 1000):
            count += 1
            if count == UNLIMITED:
                return count
    return count


def told(domains: Domains, domain: str, answers: Iterable[Result], now: float) -> None:
    for result in answers:
        domains.told(domain, result, now)


def slowed(per_second: int = 100) -> Domains:
    """Domains of which example.net took so many messages in the second before START, then refused."""
    domains = Domains()
    told(domains, "example.net", [OK] * (per_second - 1) + [BUSY], START - 0.5)
    return domains


def test_a_refusal_halves_what_the_domain_gets() -> None:
    assert taken(Domains(), "example.net", START) == UNLIMITED
    assert taken(slowed(100), "example.net", START) == pytest.approx(50, abs=4)


def test_nobody_else_is_touched() -> None:
    domains = slowed(100)
    assert taken(domains, "example.com", START) == UNLIMITED
    assert taken(domains, "mail.example.net", START) == UNLIMITED


def test_refusals_of_what_was_in_flight_count_once() -> None:
    domains = slowed(100)
    told(domains, "example.net", [BUSY] * 50, START)
    assert taken(domains, "example.net", START + 0.1) == pytest.approx(50, abs=4)


def test_refusals_that_go_on_halve_it_again_each_second() -> None:
    domains = slowed(100)
    told(domains, "example.net", [BUSY] * 50, START + 1)
    assert taken(domains, "example.net", START + 1) == pytest.approx(25, abs=3)
    told(domains, "example.net", [BUSY] * 25, START + 2.1)
    assert taken(domains, "example.net", START + 2.1) == pytest.approx(12, abs=3)


def resting(per_second: int) -> Domains:
    """Domains of which example.net has refused everything for three seconds from START on."""
    domains = slowed(per_second)
    for second in (-2.5, -1.25, 0):
        told(domains, "example.net", [BUSY] * per_second, START + 3 + second)
    return domains


def rest(domains: Domains, now: float) -> float:
    """For how long example.net rests, if it refuses whatever it is sent."""
    for _ in range(60):
        wait = domains.may_send("example.net", now)
        if wait > 30:
            return wait
        now += wait
        if not wait:
            domains.told("example.net", BUSY, now)
    raise AssertionError("it never rests")


def test_a_run_of_refusals_is_a_rest_that_grows() -> None:
    domains, now, rests = Domains(), START, []
    for _ in range(2000):
        rests.append(round(rest(domains, now)))
        now += 1000
    assert rests == [60, 120, 240, 480] + [600] * 1996


def test_after_a_rest_it_opens_slowly_and_one_message_accepted_ends_the_run() -> None:
    domains, now = resting(1000), START + 3
    assert domains.may_send("example.net", now) == pytest.approx(60)
    now += 60
    assert taken(domains, "example.net", now, 3) <= 4
    told(domains, "example.net", [OK, BUSY], now + 3)
    assert domains.may_send("example.net", now + 5) < 3


def recovery(domains: Domains, now: float, seconds: int) -> list[int]:
    """What goes in each second, where everything is accepted."""
    counts = []
    for second in range(seconds):
        counts.append(taken(domains, "example.net", now + second))
        if counts[-1] == UNLIMITED:
            break
        told(domains, "example.net", [OK] * counts[-1], now + second + 0.999)
    return counts


def test_it_recovers_slowly_and_is_then_forgotten() -> None:
    domains = slowed(100)
    counts = recovery(domains, START, 600)
    assert counts[9] == pytest.approx(50 + 10 * 100 / 60, abs=5)
    assert counts[30] == pytest.approx(100, abs=6)
    assert 60 < len(counts) < 120
    assert counts[-1] == UNLIMITED
    assert len(domains) == 0


def test_from_a_rest_to_full_speed_takes_minutes_not_hours() -> None:
    domains = resting(500)
    assert domains.may_send("example.net", START + 3) > 30
    counts = recovery(domains, START + 63, 1200)
    assert counts[-1] == UNLIMITED
    assert 120 < len(counts) < 600


def test_a_domain_that_gets_little_mail_is_forgotten_after_an_hour_without_refusals() -> None:
    domains = slowed(100)
    told(domains, "example.net", [OK], START + 3500)
    assert len(domains) == 1
    told(domains, "example.net", [OK], START + 3700)
    assert len(domains) == 0


@pytest.mark.parametrize(
    "result",
    [
        refusal(421),
        refusal(421, "4.7.28", "Unusual rate of mail from your network"),
        refusal(451, "4.7.500", "Server busy"),
        refusal(450, "4.7.0", "Rate limited"),
        refusal(451, "4.3.0", "Try again later"),
        refusal(452, "4.3.1", "Insufficient system storage"),
        refusal(450, "4.4.1", "Host not reachable"),
        refusal(454, "4.7.0", "Temporarily not available"),
        refusal(421, "4.7.0", blame="content"),
    ],
    ids=str,
)
def test_what_is_about_the_domain_slows_it_at_once(result: Result) -> None:
    domains = Domains()
    told(domains, "example.net", [OK] * 99 + [result], START)
    assert taken(domains, "example.net", START + 1) == pytest.approx(50, abs=4)


@pytest.mark.parametrize(
    "result",
    [
        refusal(421, "4.7.0", "mail.example.net Error: too many errors"),
        refusal(450, "4.2.0", "Recipient address rejected: Greylisted"),
        refusal(451, "4.7.1", "Greylisting in action, please come back later"),
        refusal(451, "4.7.0", "graylisted"),
        refusal(450, "4.2.1", "This user receives mail too quickly"),
        refusal(452, "4.2.2", "Mailbox full"),
        refusal(450, "4.1.1", "Mailbox busy"),
        refusal(452, "4.5.3", "Too many recipients"),
        refusal(451, "4.7.0", blame="relay"),
        refusal(451, "4.7.0", blame="sender"),
        refusal(550, "5.7.1", "Refused"),
        refusal(432, "4.7.0"),
        replace(BUSY, kind="in_doubt"),
        replace(BUSY, code=None, status=None, reply="The connection broke off"),
    ],
    ids=str,
)
def test_what_is_about_one_recipient_or_somebody_else_slows_no_domain(result: Result) -> None:
    domains = Domains()
    told(domains, "example.net", [result] * 100, START)
    assert taken(domains, "example.net", START + 1) == UNLIMITED
    assert len(domains) == 0


@pytest.mark.parametrize(
    "result",
    [refusal(450), refusal(451, "4.7.1", "Try again later"), refusal(451, "4.0.0")],
    ids=str,
)
def test_what_may_be_about_one_recipient_counts_when_it_comes_in_a_run(result: Result) -> None:
    domains = Domains()
    told(domains, "example.net", [OK] * 97 + [result] * 2, START)
    assert taken(domains, "example.net", START) == UNLIMITED
    told(domains, "example.net", [result], START + 0.5)
    assert taken(domains, "example.net", START + 0.5) == pytest.approx(50, abs=4)


def test_a_refusal_now_and_then_that_may_be_about_one_recipient_slows_nobody() -> None:
    domains = Domains()
    told(domains, "example.net", ([OK] * 19 + [refusal(450)]) * 100, START)
    assert taken(domains, "example.net", START) == UNLIMITED
    told(domains, "example.net", [OK] * 100, START)
    assert len(domains) == 0


def test_a_domain_that_greylists_everybody_without_saying_so_is_still_asked_for_each() -> None:
    domains, now = Domains(), START
    for _ in range(600):
        now += domains.may_send("example.net", now)
        domains.told("example.net", refusal(451, "4.7.1", "Try again later"), now)
    assert now - START < 700


def test_a_domain_that_was_slow_already_is_not_made_faster_by_doubt() -> None:
    domains, now = slowed(1), START + 30
    told(domains, "example.net", [refusal(450)] * 3, now)
    assert taken(domains, "example.net", now, 20) <= 11


def test_relays_are_slowed_by_what_is_about_them() -> None:
    relays = Domains(frozenset({"relay", "sender"}))
    told(relays, "mail.example.org", [refusal(451, "4.3.0", blame="recipient")], START)
    assert len(relays) == 0
    broke = Result(COPY, "unsent", "421 4.3.2 Closing", 421, "4.3.2", "relay")
    told(relays, "mail.example.org", [OK] * 99 + [broke], START)
    assert taken(relays, "mail.example.org", START + 1) == pytest.approx(50, abs=4)


def test_a_message_that_did_not_go_to_a_slowed_domain_is_given_back() -> None:
    domains = slowed(2)
    assert domains.may_send("example.net", START) == 0.0
    domains.unused("example.net", START)
    assert domains.may_send("example.net", START) == 0.0
    assert domains.may_send("example.net", START) > 0
    domains.unused("example.com", START)


def test_memory_is_bounded_whoever_refuses() -> None:
    domains = Domains()
    for number in range(50_000):
        domains.told(f"{number}.example.net", BUSY, START + number / 10_000)
    assert len(domains) <= 10_000
    assert domains.may_send("49999.example.net", START + 5) == 0.0
    assert domains.may_send("49999.example.net", START + 5) > 0


RESULTS = [
    OK,
    BUSY,
    refusal(450),
    refusal(451, "4.7.1"),
    refusal(550),
    replace(OK, kind="in_doubt"),
]


@given(st.lists(st.tuples(st.sampled_from(RESULTS), st.floats(0, 400)), max_size=60))
def test_whatever_is_answered_a_domain_gets_something_within_ten_minutes(
    answers: list[tuple[Result, float]],
) -> None:
    domains, now = Domains(), START
    for result, later in answers:
        now += later
        domains.told("example.net", result, now)
        assert 0 <= domains.may_send("example.net", now) <= 600


# A mailing to a domain that takes so much and no more ------------------------------------------


class Receiver:
    """A domain that takes ``capacity`` messages a second and refuses what is more."""

    def __init__(self, capacity: float, answer: Result) -> None:
        self.capacity = capacity
        self.refusal = answer
        self._room, self._seen = capacity, START

    def answers(self, now: float) -> Result:
        self._room = min(self.capacity, self._room + (now - self._seen) * self.capacity)
        self._seen = now
        if self._room < 1:
            return self.refusal
        self._room -= 1
        return OK


class Mailing:
    """As many messages as the rate allows, to example.net where that may go, else to others."""

    def __init__(self, receiver: Receiver, per_second: float, delay: float) -> None:
        self.receiver, self.delay = receiver, delay
        self.rate, self.domains = Rate(per_second), Domains()
        self.accepted = self.refused = self.others = 0
        self._in_flight: deque[tuple[float, Result]] = deque()
        self._now = START

    def go_on(self, seconds: int) -> None:
        """Count from now on, what happens in so many seconds."""
        self.accepted = self.refused = self.others = 0
        for _ in range(seconds * 500):
            self._now += 0.002
            self._answer()
            self._send()

    def _send(self) -> None:
        while not self.rate.take(self._now):
            if self.domains.may_send("example.net", self._now):
                self.domains.told("example.com", OK, self._now)
                self.others += 1
            else:
                arrives = self._now + self.delay
                self._in_flight.append((arrives, self.receiver.answers(self._now)))

    def _answer(self) -> None:
        while self._in_flight and self._in_flight[0][0] <= self._now:
            _, result = self._in_flight.popleft()
            self.domains.told("example.net", result, self._now)
            self.accepted += result.kind == "accepted"
            self.refused += result.kind != "accepted"


@pytest.mark.parametrize("capacity", [2, 30, 200])
@pytest.mark.parametrize("delay", [0.02, 0.8])
@pytest.mark.parametrize(
    "answer", [BUSY, refusal(450, "4.7.1", "Too much mail")], ids=["421", "450"]
)
def test_a_domain_gets_about_what_it_takes_and_the_others_all_the_rest(
    capacity: int, delay: float, answer: Result
) -> None:
    mailing = Mailing(Receiver(capacity, answer), per_second=400, delay=delay)
    mailing.go_on(60)
    mailing.go_on(120)
    assert 0.5 * capacity * 120 < mailing.accepted <= 1.01 * capacity * 120
    assert mailing.refused < 0.12 * mailing.accepted
    total = mailing.accepted + mailing.refused + mailing.others
    assert total == pytest.approx(400 * 120, rel=0.02)


def test_it_follows_when_the_domain_takes_more_again() -> None:
    receiver = Receiver(10, BUSY)
    mailing = Mailing(receiver, per_second=400, delay=0.1)
    mailing.go_on(60)
    receiver.capacity = 1000
    mailing.go_on(400)
    mailing.go_on(10)
    assert mailing.accepted == pytest.approx(4000, rel=0.05)
    assert not mailing.refused
