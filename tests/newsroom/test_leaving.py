"""Leaving, coming back and choosing, by many and in any order: nothing is lost, all is lawful."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, event
from tests.web.reader_room import Readers, readers
from tests.web.served import NOW

from dispatch.audience import states
from dispatch.audience.states import Consent
from dispatch.errors import AudienceError
from dispatch.newsroom import feed_tokens, keys, leaving, linked, preferences
from dispatch.newsroom.database import database_of
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.leaving import Click, leave_many
from dispatch.newsroom.linked import ForgottenError, Link, UnknownLinkError
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.preferences import Choice, Means
from dispatch.store import ledger, proof, recipients
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.gathering import Gathering
from dispatch.store.subscribers import SubscriberRow

DESKS = ("world", "culture")
PEOPLE = [f"reader{n}@example.org" for n in range(4)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    """Two desks, one of them for members; all read World, two Culture; copies wait for everybody."""
    room = readers(tmp_path_factory.mktemp("made"), *PEOPLE, access__culture="members")
    room.publishes("Culture")
    for email in PEOPLE[:2]:
        room.news.subscribe(email, "culture")
    room.mail("culture")
    return room


class Lives:
    """The same newsroom in a folder of its own, and what its readers do."""

    def __init__(self, made: Readers) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dispatch-lives-"))
        self.room = made.copied(self.folder)
        self.store = Store(database_of(self.room.out), pooled=True)
        with self.store.transaction() as connection:
            tokens = keys.tokens(connection, self.room.settings, NOW)
            self.links = [
                Link(copy, row.desk)
                for row in self.everybody(connection)
                for copy in self.copies(connection, row)
            ]
        templates = open_templates(self.room.settings)
        self.means = Means(self.room.settings, templates, tokens)
        self.now = NOW

    def close(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def later(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def consent(self) -> Consent:
        return Consent("a test", self.later(), "192.0.2.7", "Yes")

    @staticmethod
    def everybody(connection: Connection) -> list[SubscriberRow]:
        return [
            row for desk in DESKS for row in store.page(connection, [store.of_desk(desk)], 0, 100)
        ]

    @staticmethod
    def copies(connection: Connection, row: SubscriberRow) -> list[int]:
        """The keys of somebody's copies."""
        found = [
            recipients.of_subscriber(connection, copy.edition, row.key)
            for copy in recipients.history(connection, row.key)
        ]
        return [copy.key for copy in found if copy]

    def come_back(self, connection: Connection, link: Link) -> None:
        person = linked.reader(connection, link)
        desk = known_desk(connection, link.desk, self.means.settings)
        assert desk is not None
        leaving.rejoin(connection, person, desk, self.consent(), self.means.tokens)

    def verify(self) -> None:
        """What is true of everybody at any time."""
        with self.store.reading() as connection:
            for row in self.everybody(connection):
                self._verify_person(connection, row)
            for mailing in ledger.every(connection, on_demand=True):
                found = proof.verify(connection, mailing.edition)
                assert found is not None
                assert found.findings == ()

    def _verify_person(self, connection: Connection, row: SubscriberRow) -> None:
        state = None
        for move in store.moves_of(connection, row.key):
            assert state in (None, move.before)
            assert states.is_lawful(move.before, move.after, by_consent=True)
            state = move.after
        assert state in (None, row.state)
        if row.state in states.GONE:
            waiting = [c.state for c in recipients.history(connection, row.key)]
            assert not {"queued", "deferred"} & set(waiting)
            desk = known_desk(connection, row.desk, self.means.settings)
            assert desk is not None
            assert not feed_tokens.known_feeds(connection, row.key, desk, self.means.tokens)


@contextmanager
def lives(made: Readers) -> Iterator[Lives]:
    found = Lives(made)
    try:
        yield found
    finally:
        found.close()


FREQUENCIES = st.sampled_from([None, "each", "daily", "weekly"])
PLACES = st.integers(0, len(PEOPLE) + 1)


def test_whatever_readers_do_every_state_is_lawful_and_every_sum_right(made: Readers) -> None:
    class Machine(RuleBasedStateMachine):
        """Readers, mail programs, bounces and the desk, one after the other."""

        def __init__(self) -> None:
            super().__init__()
            self.lives = Lives(made)

        def teardown(self) -> None:
            self.lives.close()

        def do(self, work: Callable[..., Any], place: int, *values: Any) -> None:
            link = self.lives.links[place]
            try:
                with self.lives.store.transaction() as connection:
                    work(connection, link, *values)
            except (ForgottenError, AudienceError):
                pass

        @rule(places=st.lists(PLACES, max_size=8), wrong=st.booleans())
        def one_click(self, places: list[int], wrong: bool) -> None:
            links = [self.lives.links[place] for place in places]
            clicks = [Click(link.copy, link.desk, self.lives.later()) for link in links]
            strays = [Click(999, "world", self.lives.later())] if wrong else []
            with self.lives.store.transaction() as connection:
                found = leave_many(connection, [*clicks, *strays])
                assert found == [True] * len(clicks) + [False] * len(strays)
                for link in links:
                    copy = recipients.with_key(connection, link.copy)
                    assert copy is not None
                    if copy.subscriber is not None:
                        row = store.subscriber(connection, copy.subscriber)
                        assert row is not None
                        assert row.state in ("unsubscribed", "complained")

        @rule(place=PLACES, everywhere=st.booleans())
        def leave(self, place: int, everywhere: bool) -> None:
            desks = None if everywhere else [self.lives.links[place].desk]
            self.do(leaving.leave, place, desks, self.lives.later())

        @rule(place=PLACES)
        def come_back(self, place: int) -> None:
            self.do(self.lives.come_back, place)

        @rule(place=PLACES, desk=st.sampled_from(DESKS), was=FREQUENCIES, now=FREQUENCIES)
        def choose(self, place: int, desk: str, was: str | None, now: str | None) -> None:
            choices = [Choice(desk, was, now)]
            self.do(preferences.choose, place, choices, self.lives.consent(), self.lives.means)

        @rule(place=PLACES, ends=st.booleans())
        def pause(self, place: int, ends: bool) -> None:
            until = None if ends else self.lives.now + preferences.PAUSE
            self.do(preferences.pause, place, None, until, self.lives.later())

        @rule(place=PLACES)
        def new_feeds(self, place: int) -> None:
            self.do(preferences.renew_feeds, place, "culture", self.lives.means, self.lives.later())

        @rule(place=PLACES, state=st.sampled_from(["bounced", "complained"]))
        def comes_back_by_mail(self, place: int, state: states.State) -> None:
            def move(connection: Connection, link: Link) -> None:
                row = linked.reader(connection, link).row
                if states.is_lawful(row.state, state):
                    states.move(connection, row.key, state, "a test", self.lives.later())

            self.do(move, place)

        @rule(place=PLACES)
        def forget(self, place: int) -> None:
            self.do(preferences.forget, place, self.lives.later())

        @invariant()
        def all_is_right(self) -> None:
            self.lives.verify()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_many_at_once_lose_nothing(made: Readers) -> None:
    """Mail programs, and people in two windows, for the same and for different readers."""
    with lives(made) as room:
        gathering = Gathering(room.store)
        start = threading.Barrier(12)

        def click(link: Link) -> object:
            return gathering.write_together(leave_many, Click(link.copy, link.desk, NOW))

        def describe(link: Link, n: int) -> object:
            facts = {"name": f"Reader {n}"}
            return gathering.write(lambda c: preferences.describe(c, link, facts, NOW))

        def choose(link: Link, frequency: str) -> object:
            choices = [Choice("culture", "each", frequency)]
            return gathering.write(
                lambda c: preferences.choose(c, link, choices, Consent("t", NOW), room.means)
            )

        def work(n: int) -> list[Any]:
            start.wait()
            asked: list[Any] = []
            for turn in range(20):
                link = room.links[(n + turn) % len(room.links)]
                asked += [describe(link, n), choose(link, ("daily", "weekly")[n % 2])]
                if link.desk == "world":
                    asked.append(click(link))
            return [answer.result(30) for answer in asked]

        with ThreadPoolExecutor(12) as pool:
            list(pool.map(work, range(12)))
        gathering.close()
        room.verify()
        with room.store.reading() as connection:
            for row in room.everybody(connection):
                moves = store.moves_of(connection, row.key)
                left = row.desk == "world"
                assert (row.state, len(moves)) == (("unsubscribed", 1) if left else ("active", 0))
                assert row.name is not None
                assert (row.frequency == "each") == left


def test_leaving_and_coming_back_at_once_ends_in_one_of_both(made: Readers) -> None:
    with lives(made) as room:
        gathering = Gathering(room.store)
        link = room.links[0]
        answers: list[Any] = []
        for n in range(60):
            at = NOW + timedelta(seconds=n)
            if n % 2:
                answers.append(gathering.write(lambda c, _at=at: room.come_back(c, link)))
            else:
                click = Click(link.copy, link.desk, at)
                answers.append(gathering.write_together(leave_many, click))
        gathering.close()
        assert all(answer.done() for answer in answers)
        room.verify()


def test_many_take_as_many_statements_as_one(made: Readers) -> None:
    with lives(made) as room:
        counts = []
        for links in (room.links[:1], room.links[1:3]):
            statements: list[str] = []

            def note(*told: Any, kept: list[str] = statements) -> None:
                kept.append(told[2])

            with room.store.transaction() as connection:
                event.listen(connection, "before_cursor_execute", note)
                leave_many(connection, [Click(link.copy, link.desk, NOW) for link in links])
                event.remove(connection, "before_cursor_execute", note)
            counts.append(len(statements))
        assert counts[0] == counts[1] < 20


def test_a_link_leads_to_its_reader_alone(made: Readers) -> None:
    with lives(made) as room, room.store.reading() as connection:
        link = room.links[0]
        assert linked.reader(connection, link).row.email == PEOPLE[0]
        for wrong in (Link(link.copy, "culture"), Link(999, "world"), Link(0, "world")):
            with pytest.raises(UnknownLinkError):
                linked.reader(connection, wrong)


def test_a_digest_begins_with_what_is_published_after_it_was_chosen(made: Readers) -> None:
    with lives(made) as room, room.store.transaction() as connection:
        link, later = room.links[0], NOW + timedelta(days=3)
        preferences.change_frequency(connection, link, "daily", later)
        assert linked.reader(connection, link).row.digested == later
        preferences.change_frequency(connection, link, "weekly", later + timedelta(days=1))
        row = linked.reader(connection, link).row
        assert (row.frequency, row.digested) == ("weekly", later)
