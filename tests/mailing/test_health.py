"""Which relay gets the connections: those that work, the preferred ones, by their weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.mailing.health import Relays
from dispatch.mailing.transport import End


@dataclass(frozen=True, slots=True)
class Relay:
    name: str
    order: int = 10
    weight: int = 1


FIRST, SECOND, SPARE = Relay("first"), Relay("second"), Relay("spare", 20)
START = 1000.0


def end(kind: Any = "down", sentence: str = "Connection refused.") -> End:
    return End(kind, sentence)


def relays(*given: Relay) -> Relays[Relay]:
    return Relays(given, Random(1))


def shares(run: Relays[Relay], now: float, connections: int = 20) -> Counter[str]:
    """How many connections each relay has, when so many may be opened."""
    opened: Counter[str] = Counter()
    for _ in range(connections):
        relay = run.choose(opened, now)
        if relay:
            opened[relay.name] += 1
    return opened


def test_connections_are_shared_by_weight() -> None:
    run = relays(Relay("large", weight=3), Relay("small", weight=1))
    assert shares(run, START) == {"large": 15, "small": 5}


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 100))
def test_shares_are_as_near_to_the_weights_as_whole_connections_can_be(
    weights: list[int], connections: int
) -> None:
    several = [Relay(str(number), weight=weight) for number, weight in enumerate(weights)]
    opened = shares(relays(*several), START, connections)
    assert opened.total() == connections
    for relay in several:
        fair = connections * relay.weight / sum(weights)
        assert opened[relay.name] == pytest.approx(fair, abs=len(weights))


def test_a_higher_order_waits_for_all_lower_ones_to_fail() -> None:
    run = relays(SPARE, FIRST, SECOND)
    assert shares(run, START) == {"first": 10, "second": 10}
    run.ended(FIRST, end(), START, START)
    assert shares(run, START) == {"second": 20}
    run.ended(SECOND, end(), START, START)
    assert shares(run, START) == {"spare": 20}


def test_a_relay_that_was_down_gets_one_connection_and_its_share_when_that_goes_well() -> None:
    run = relays(FIRST, SECOND)
    run.ended(FIRST, end(), START, START)
    assert shares(run, START + 0.4) == {"second": 20}
    now = START + 1
    assert shares(run, now) == {"first": 1, "second": 19}
    assert shares(run, now + 1.9) == {"second": 20}
    run.answered(FIRST, now + 1.9)
    assert shares(run, now + 1.9) == {"second": 20}
    assert shares(run, now + 2) == {"first": 10, "second": 10}


def test_an_older_connection_that_breaks_off_meanwhile_is_not_the_one_on_trial() -> None:
    run = relays(FIRST, SPARE)
    run.ended(FIRST, end(), START, START)
    assert run.choose({}, START + 1) is FIRST
    run.ended(FIRST, end(), START + 1.1, START)
    assert [run.choose({"first": 1}, START + n) for n in range(2, 10)] == [SPARE] * 8


def test_a_connection_on_trial_that_ends_well_is_enough() -> None:
    run = relays(FIRST)
    run.ended(FIRST, end(), START, START)
    assert shares(run, START + 1) == {"first": 1}
    run.ended(FIRST, End("finished"), START + 1.1, START)
    assert shares(run, START + 1.1) == {"first": 20}


def test_a_trial_without_an_answer_is_the_only_connection_however_long_it_takes() -> None:
    run = relays(FIRST, SPARE)
    run.ended(FIRST, end(), START, START)
    assert shares(run, START + 1)["first"] == 1
    for later in range(2, 300):
        assert run.choose({"first": 1}, START + later) is SPARE


def waits(run: Relays[Relay], times: int, kind: str = "down") -> list[float]:
    """How long the relay is left alone, each time that its connection fails."""
    now, found = START, []
    for _ in range(times):
        assert run.choose({}, now) is FIRST
        run.ended(FIRST, end(kind), now, now)
        again = run.next_try(now)
        assert again is not None
        assert run.choose({}, again - 0.001) is None
        found.append(again - now)
        now = again
    return found


def test_it_is_left_alone_for_longer_each_time_but_never_for_more_than_five_minutes() -> None:
    found = waits(relays(FIRST), 2000)
    for number, wait in enumerate(found):
        nominal = min(2**number, 300)
        assert nominal / 2 <= wait <= nominal


def test_several_senders_do_not_come_back_together() -> None:
    ones = waits(Relays([FIRST], Random(1)), 3)
    others = waits(Relays([FIRST], Random(2)), 3)
    assert not set(ones) & set(others)


def test_connections_that_break_off_together_count_once() -> None:
    run = relays(FIRST)
    for number in range(20):
        run.ended(FIRST, end(), START + number / 100, START)
    again = run.next_try(START)
    assert again is not None
    assert again <= START + 1


def test_a_relay_that_wants_no_more_connections_keeps_those_it_has() -> None:
    run = relays(FIRST, SPARE)
    run.answered(FIRST, START)
    run.ended(FIRST, end(sentence="Too many connections."), START, START)
    assert run.choose({"first": 10}, START) is None
    assert run.choose({"first": 10}, START + 0.4) is None
    assert run.choose({"first": 10}, START + 1) is FIRST


def test_a_relay_whose_connections_are_all_gone_or_silent_has_failed() -> None:
    run = relays(FIRST, SPARE)
    run.answered(FIRST, START)
    run.ended(FIRST, end(), START, START)
    assert run.choose({}, START + 0.1) is SPARE
    silent = relays(FIRST, SPARE)
    silent.answered(FIRST, START)
    silent.ended(FIRST, end("tls"), START + 31, START)
    assert silent.choose({"first": 10}, START + 31) is SPARE


def test_a_password_that_was_refused_is_not_tried_again_in_this_run() -> None:
    run = relays(FIRST, SPARE)
    run.ended(FIRST, end("auth", "The user or password was refused."), START, START)
    run.ended(FIRST, End("finished"), START + 1, START)  # one that had been let in before
    run.ended(FIRST, end(), START + 2, START)
    assert shares(run, START + 1e6) == {"spare": 20}
    run.ended(SPARE, end("auth"), START, START)
    assert run.next_try(START) is None
    assert shares(run, START + 1e6) == {}


def test_missing_security_is_looked_for_after_minutes() -> None:
    (wait,) = waits(relays(FIRST), 1, "tls")
    assert 450 <= wait <= 900


def test_what_to_say_when_all_are_down() -> None:
    run = relays(FIRST, SPARE)
    assert run.sentence(START) == ""
    run.ended(FIRST, end("tls", "It does not offer STARTTLS."), START, START)
    assert run.sentence(START) == ""
    run.ended(SPARE, end(sentence=""), START, START)
    assert run.sentence(START) in (
        "All relays are down: first: It does not offer STARTTLS; spare: it broke off. "
        f"The next try is {soon}."
        for soon in ("in a second", "at once")
    )
    assert run.sentence(START + 5).endswith("The next try is at once.")


def test_what_to_say_when_none_will_be_tried_again() -> None:
    run = relays(FIRST)
    run.ended(FIRST, end("auth", "The user or password was refused."), START, START)
    assert run.sentence(START) == (
        "The relay is down: first: The user or password was refused. "
        "None is tried again: mend this, then resume."
    )


@pytest.mark.parametrize(("times", "words"), [(6, "seconds"), (12, "minutes")])
def test_the_next_try_is_told_in_round_figures(times: int, words: str) -> None:
    run = relays(FIRST)
    now = START
    for _ in range(times):
        run.choose({}, now)
        run.ended(FIRST, end(), now, now)
        now = run.next_try(now) or now
    run.choose({}, now)
    run.ended(FIRST, end(), now, now)
    assert run.sentence(now).endswith(f"{words}.")


# A run in which relays go down and come up -----------------------------------------------------


class World:
    """Relays that are up or down, and a sender that opens connections until it has enough.

    A connection to a relay that is down fails after ``patience`` seconds; those that are open
    when it goes down break off then.
    """

    def __init__(self, given: list[Relay], patience: float) -> None:
        self.run = Relays(given, Random(1))
        self.given, self.patience = given, patience
        self.up = {relay.name: True for relay in given}
        self.down_since = dict.fromkeys(self.up, START)
        self.now = START
        self.used_though_down: dict[str, float] = {}
        self.lines: list[tuple[Relay, float]] = []

    def open_now(self) -> Counter[str]:
        return Counter(relay.name for relay, _ in self.lines)

    def step(self) -> None:
        self.now += 0.25
        still = []
        for relay, opened in self.lines:
            if self.up[relay.name]:
                self.run.answered(relay, self.now)
                if self.now - opened > 20:
                    self.run.ended(relay, End("finished"), self.now, opened)
                    continue
            elif self.now >= max(opened, self.down_since[relay.name]) + self.patience:
                self.run.ended(relay, end(), self.now, opened)
                continue
            still.append((relay, opened))
        self.lines = still
        while len(self.lines) < 10:
            relay = self.run.choose(self.open_now(), self.now)
            if relay is None:
                break
            self.lines.append((relay, self.now))
        for relay, _ in self.lines:
            if not self.up[relay.name]:
                self.used_though_down.setdefault(relay.name, self.now)

    def set(self, name: str, up: bool) -> None:
        if self.up[name] and not up:
            self.down_since[name] = self.now
        if up:
            self.used_though_down.pop(name, None)
        self.up[name] = up


GROUP = [Relay("a", 10, 2), Relay("b", 10, 1), Relay("c", 20, 1)]
CHANGES = st.lists(
    st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(1, 200)), max_size=25
)


@given(CHANGES, st.sampled_from([0.0, 0.5, 3.0]))
def test_a_dead_relay_has_no_share_while_another_is_up(
    changes: list[tuple[str, bool, int]], patience: float
) -> None:
    world = World(GROUP, patience)
    for name, up, steps in changes:
        world.set(name, up)
        for _ in range(steps):
            world.step()
            for dead, since in world.used_though_down.items():
                if world.now > since + 2 * patience + 0.5:
                    assert world.open_now()[dead] <= 1  # on trial, which is no share


@given(CHANGES)
def test_once_all_is_well_again_everybody_has_their_share(
    changes: list[tuple[str, bool, int]],
) -> None:
    world = World(GROUP, 0.5)
    for name, up, steps in changes:
        world.set(name, up)
        for _ in range(steps):
            world.step()
    for name in world.up:
        world.set(name, True)
    for _ in range(4 * 400):
        world.step()
    opened = world.open_now()
    assert opened["c"] == 0
    assert opened["a"] == pytest.approx(2 * opened["b"], abs=2)
    assert opened.total() == 10


@given(CHANGES)
def test_mail_flows_again_soon_after_one_relay_is_up(changes: list[tuple[str, bool, int]]) -> None:
    world = World(GROUP, 0.5)
    for name, up, steps in changes:
        world.set(name, up)
        for _ in range(steps):
            world.step()
    world.set("c", True)
    for _ in range(4 * 305):
        world.step()
        if any(world.up[relay.name] for relay, _ in world.lines):
            return
    raise AssertionError("nothing is sent though a relay is up")
