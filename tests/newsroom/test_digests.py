"""Digests: who gets one, when, and of what; and that nobody misses anything or reads it twice."""

from __future__ import annotations

import email
import email.policy
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Executable, event, select, update
from tests.newsroom.desk_room import BODY, Newsroom

from dispatch import settings as desk_settings
from dispatch.audience import states
from dispatch.audience.states import Consent, State
from dispatch.errors import SettingsError, TemplateError
from dispatch.newsroom import digests, mailings, publish
from dispatch.store.connection import Store
from dispatch.store.tables import (
    articles,
    edition_articles,
    editions,
    recipients,
    subscribers,
    suppressions,
)

MONDAY = date(2026, 11, 23)
VIENNA = ZoneInfo("Europe/Vienna")


class Desk(Newsroom):
    """A newsroom that publishes, and makes the digests that are due, whenever it is told to."""

    def at(self, clock: str, day: date = MONDAY, zone: str = "UTC") -> Desk:
        """It is this time."""
        hour, minute = map(int, clock.split(":"))
        local = datetime.combine(day, time(hour, minute), ZoneInfo(zone))
        self.now = local.astimezone(UTC)
        return self

    def publish(
        self, *headlines: str, desk: str = "World", body: str = BODY, **fields: str
    ) -> None:
        for headline in headlines:
            name = f"{headline.lower().replace(' ', '-')}.md"
            path = self.article(name, headline, desk=desk, **fields)
            if body != BODY:
                text = Path(path).read_text(encoding="utf-8").replace(BODY, body)
                Path(path).write_text(text, encoding="utf-8")
            found: list[publish.Outcome] = []
            publish.publish(
                [path],
                publish.Options(self.out),
                self.settings,
                self.now,
                publish.Watch(found.append),
            )
            assert found[0].action != "refused", found[0].notes

    def readers(self, *names: str, frequency: str = "daily", **values: object) -> None:
        """Who joined a moment ago."""
        joined = self.now - timedelta(seconds=1)
        self.subscribe(
            *(f"{name}@example.org" for name in names),
            **{"frequency": frequency, "timezone": "UTC", "created": joined, **values},  # type: ignore[arg-type]
        )

    def alter(self, name: str, **values: object) -> None:
        self.sql(
            update(subscribers)
            .where(subscribers.c.address_key == f"{name}@example.org")
            .values(**values)
        )

    def switch(self, name: str, frequency: str) -> None:
        with self.transaction_on(name) as (connection, key):
            digests.switched(connection, key, frequency, self.now)

    def move(self, name: str, state: State) -> None:
        """They leave, or come back by their own consent."""
        with self.transaction_on(name) as (connection, key):
            consent = Consent("sign-up form", self.now)
            states.move(connection, key, state, "asked", self.now, consent)

    @contextmanager
    def transaction_on(self, name: str) -> Iterator[tuple[Connection, int]]:
        with self.store.transaction() as connection:
            key = connection.execute(
                select(subscribers.c.key).where(subscribers.c.address_key == f"{name}@example.org")
            ).scalar_one()
            yield connection, key

    def sql(self, statement: Executable) -> None:
        with self.store.transaction() as connection:
            connection.execute(statement)

    @cached_property
    def store(self) -> Store:
        return Store(self.out / "dispatch.db")

    def make(self) -> list[str]:  # type: ignore[override]
        """Make what is due now; returns what is said."""
        said: list[str] = []
        digests.make(self.out, self.settings, self.now, said.append)
        return said

    def had(self) -> dict[str, list[list[str]]]:
        """By name, the headlines of each digest that is queued for them, in order."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(recipients.c.email, editions.c.key, articles.c.slug)
                .join(editions, editions.c.key == recipients.c.edition)
                .join(edition_articles, edition_articles.c.edition == editions.c.key)
                .join(articles, articles.c.id == edition_articles.c.article)
                .where(editions.c.kind == "digest", recipients.c.state == "queued")
                .order_by(editions.c.key, edition_articles.c.position)
            ).all()
        found: dict[str, dict[int, list[str]]] = {}
        for address, edition, slug in rows:
            name = address.partition("@")[0]
            found.setdefault(name, {}).setdefault(edition, []).append(slug)
        return {name: list(by_edition.values()) for name, by_edition in found.items()}

    def editions(self) -> int:
        with self.store.reading() as connection:
            return len(connection.execute(select(editions.c.key)).all())

    def copy(self, number: int, name: str) -> EmailMessage:
        found = mailings.replay(self.out, number, f"{name}@example.org", self.settings, self.now)
        return email.message_from_bytes(found.data, policy=email.policy.default)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """At nine on a Monday, UTC; digests leave at seven."""
    return Desk(tmp_path).at("09:00")


TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


# Of what -----------------------------------------------------------------------------------------


def test_a_digest_has_what_was_published_since_the_last_one_the_newest_first(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry", "Harbour")
    assert desk.at("06:59", TUESDAY).make() == []
    assert desk.at("07:00", TUESDAY).make() == [
        "Mailing 1 is the daily digest of World, for 1 of its subscribers."
    ]
    assert desk.make() == []
    desk.publish("Storm")
    assert desk.at("07:00", WEDNESDAY).make() != []
    assert desk.had() == {"ann": [["harbour", "ferry"], ["storm"]]}


def test_one_article_is_a_digest_too_with_the_desks_name_in_its_subject(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry Is Back")
    desk.at("07:00", TUESDAY).make()
    copy = desk.copy(1, "ann")
    assert copy["Subject"] == "World: Ferry Is Back"
    assert "https://news.example.org/world/2026/11/23/ferry-is-back/" in str(
        copy.get_body(("plain",))
    )


def test_without_anything_new_there_is_no_digest(desk: Desk) -> None:
    desk.publish("Ferry")
    desk.readers("ann", created=desk.now + timedelta(minutes=1))
    for day in range(1, 9):
        assert desk.at("07:00", MONDAY + timedelta(days=day)).make() == []
    assert desk.editions() == 0


def test_an_article_that_was_corrected_is_in_once_in_its_newest_version(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry", id="ferry-1")
    desk.publish("Storm")
    second = "The second ferry left at noon, with a band aboard.\n"
    desk.at("10:00").publish("Ferry", id="ferry-1", body=second)
    desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["storm", "ferry"]]}
    third = "The third ferry left at dusk, with two bands aboard.\n"
    desk.publish("Ferry", id="ferry-1", body=third)
    assert desk.at("07:00", WEDNESDAY).make() == []
    html = str(desk.copy(1, "ann").get_body(("html",)))
    assert "The second ferry" in html


def test_what_is_embargoed_comes_once_it_is_public(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.publish("Budget", embargo="2026-11-24T12:00:00Z")
    desk.at("07:00", TUESDAY).make()
    desk.at("12:30", TUESDAY).publish("Budget", embargo="2026-11-24T12:00:00Z")
    desk.at("07:00", WEDNESDAY).make()
    assert desk.had() == {"ann": [["ferry"], ["budget"]]}


def test_an_update_under_embargo_is_in_no_digest_before_its_time(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    later = "Nobody may know of the second ferry before noon on Friday.\n"
    desk.publish("Ferry", body=later, embargo="2026-11-27T12:00:00Z")
    desk.at("07:00", TUESDAY).make()
    html = str(desk.copy(1, "ann").get_body(("html",)))
    assert "The first ferry" in html
    assert "second ferry" not in html


def test_an_older_date_keeps_an_article_from_no_digest_but_an_archive_does(desk: Desk) -> None:
    """What matters is when it became public; months of old articles, imported, are no news."""
    desk.readers("ann")
    desk.at("12:00", TUESDAY).publish("Interview", date="2026-11-20T08:00:00Z")
    desk.publish("Report", date="2025-11-20T08:00:00Z")
    desk.at("07:00", WEDNESDAY).make()
    assert desk.had() == {"ann": [["interview"]]}


def test_more_than_a_digest_holds_is_said_to_be_on_the_site(desk: Desk) -> None:
    desk.readers("ann")
    for n in range(digests.MOST + 3):
        desk.at(f"10:{n:02}").publish(f"News {n}")
        if n == 1:
            desk.readers("ben")
        if n == 3:
            desk.at("10:03").readers("dan", created=desk.now)
    desk.at("10:58").readers("cid")
    desk.at("10:59").publish("The Last")
    desk.at("07:00", TUESDAY).make()
    newest = [f"news-{n}" for n in range(digests.MOST + 2, 3, -1)]
    assert desk.had() == {
        "ann": [["the-last", *newest]],
        "ben": [["the-last", *newest]],
        "cid": [["the-last"]],
        "dan": [["the-last", *newest]],
    }
    assert desk.editions() == 3
    more = "More from World:\r\nhttps://news.example.org/world/\r\n"
    assert more in desk.copy(1, "ann").get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for number, name in ((2, "dan"), (3, "cid")):
        assert more not in desk.copy(number, name).get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert desk.at("07:00", WEDNESDAY).make() == []


# Who ---------------------------------------------------------------------------------------------


def test_who_joins_during_the_day_gets_what_came_after_them(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("12:00").readers("ben")
    desk.at("13:00").publish("Storm")
    desk.at("14:00").readers("cid")
    desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["storm", "ferry"]], "ben": [["storm"]]}
    desk.publish("Harbour")
    desk.at("07:00", WEDNESDAY).make()
    assert [had[-1] for had in desk.had().values()] == [["harbour"]] * 3
    assert desk.editions() == 3


def test_other_desks_other_frequencies_and_those_who_left_get_none(desk: Desk) -> None:
    desk.readers("ann")
    desk.readers("ben", frequency="each")
    desk.readers("cid", state="unsubscribed")
    desk.readers("dan", state="pending")
    desk.readers("eve", desk="business")
    desk.readers("fay")
    desk.suppress("fay@example.org", "asked by telephone")
    desk.publish("Ferry")
    desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["ferry"]]}
    found = mailings.show(desk.out, 1)
    assert found.candidates == 2
    assert found.counts["suppressed"] == 1
    assert mailings.verify(desk.out, 1).findings == ()


def test_no_digest_is_made_for_nobody(desk: Desk) -> None:
    desk.readers("fay")
    desk.readers("ann", created=desk.now + timedelta(hours=1))
    desk.suppress("fay@example.org", "asked by telephone")
    desk.publish("Ferry")
    desk.at("11:00").publish("Storm")
    assert len(desk.at("07:00", TUESDAY).make()) == 1
    assert desk.had() == {"ann": [["storm"]]}
    desk.sql(suppressions.delete())
    assert desk.at("08:00", TUESDAY).make() == []


def test_who_pauses_finds_everything_in_one_digest_afterwards(desk: Desk) -> None:
    desk.readers("ann")
    desk.alter("ann", paused_until=datetime(2026, 11, 25, 10, 0, tzinfo=UTC))
    desk.publish("Ferry")
    assert desk.at("07:00", TUESDAY).make() == []
    desk.publish("Storm")
    assert desk.at("07:00", WEDNESDAY).make() == []
    desk.at("10:00", WEDNESDAY).make()
    assert desk.had() == {"ann": [["storm", "ferry"]]}


def test_who_changes_to_a_digest_has_had_what_was_published_before(desk: Desk) -> None:
    desk.readers("ann", "ben", frequency="each")
    desk.publish("Ferry")
    desk.at("10:00").switch("ann", "daily")
    desk.at("11:00").publish("Storm")
    desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["storm"]]}


def test_from_daily_to_weekly_nothing_is_lost_or_told_twice(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("07:00", TUESDAY).make()
    desk.publish("Storm")
    desk.at("12:00", TUESDAY).switch("ann", "weekly")
    desk.publish("Harbour")
    for day in range(2, 7):
        assert desk.at("07:00", MONDAY + timedelta(days=day)).make() == []
    desk.at("07:00", MONDAY + timedelta(days=7)).make()
    assert desk.had() == {"ann": [["ferry"], ["harbour", "storm"]]}


def test_choosing_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("10:00").switch("ann", "daily")
    desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["ferry"]]}


# When --------------------------------------------------------------------------------------------


def test_it_is_everybodys_own_seven_oclock(desk: Desk) -> None:
    zones = {
        "auckland": "Pacific/Auckland",
        "kathmandu": "Asia/Kathmandu",
        "adelaide": "Australia/Adelaide",
        "vienna": "Europe/Vienna",
        "newyork": "America/New_York",
        "desk": None,
    }
    desk.settings = replace(desk.settings, timezone=ZoneInfo("America/New_York"))
    for name, zone in zones.items():
        desk.readers(name, timezone=zone)
    clocks = {name: ZoneInfo(zone or "America/New_York") for name, zone in zones.items()}
    desk.readers("nowhere", timezone="Mars/Olympus")
    clocks["nowhere"] = ZoneInfo("America/New_York")
    desk.publish("Ferry")
    got: dict[str, str] = {}
    for minute in range(0, 36 * 60, 15):
        desk.now = datetime(2026, 11, 23, 9, 1, tzinfo=UTC) + timedelta(minutes=minute)
        if desk.make():
            for name in desk.had():
                got.setdefault(name, f"{desk.now.astimezone(clocks[name]):%H:%M}")
    assert got == dict.fromkeys(clocks, "07:01")
    assert desk.editions() == 5


def test_two_zones_in_which_it_is_seven_at_once_share_an_edition(desk: Desk) -> None:
    desk.readers("ann", timezone="Europe/Vienna")
    desk.readers("ben", timezone="Europe/Paris")
    desk.publish("Ferry")
    desk.at("07:00", TUESDAY, "Europe/Vienna").make()
    assert desk.had() == {"ann": [["ferry"]], "ben": [["ferry"]]}
    assert desk.editions() == 1


@pytest.mark.parametrize(
    ("clock", "day", "leaves"),
    [
        (time(2, 30), date(2027, 3, 28), "2027-03-28T01:30"),  # left out: it is half past three
        (time(2, 30), date(2026, 10, 25), "2026-10-25T00:30"),  # shown twice: the first time
    ],
)
def test_when_clocks_change_it_leaves_once(desk: Desk, clock: time, day: date, leaves: str) -> None:
    desk.settings = replace(desk.settings, digest_at=clock)
    desk.now = datetime.combine(day, time(0), VIENNA).astimezone(UTC)
    desk.readers("ann", timezone="Europe/Vienna", created=desk.now - timedelta(hours=1))
    desk.publish("Ferry")
    made = []
    for _ in range(10):
        made += [f"{desk.now:%Y-%m-%dT%H:%M}"] * len(desk.make())
        desk.now += timedelta(minutes=30)
    assert made == [leaves]


def test_a_weekly_digest_leaves_on_its_day(desk: Desk) -> None:
    desk.settings = replace(desk.settings, digest_day="thursday")
    desk.readers("ann", frequency="weekly")
    for day in range(10):
        desk.at("10:00", MONDAY + timedelta(days=day)).make()
        desk.publish(f"News {day}")
    assert desk.had() == {"ann": [["news-2", "news-1", "news-0"]]}


def test_each_desk_has_its_own_hour(desk: Desk) -> None:
    own = desk_settings.load({"DISPATCH_DIGEST_AT__BUSINESS": "17:30"})
    desk.settings = replace(own, templates=desk.settings.templates, dkim=desk.settings.dkim)
    desk.readers("ann")
    desk.readers("ben", desk="business")
    desk.publish("Ferry")
    desk.publish("Rates", desk="Business")
    assert "World" in desk.at("07:00", TUESDAY).make()[0]
    assert desk.at("17:29", TUESDAY).make() == []
    assert "Business" in desk.at("17:30", TUESDAY).make()[0]


def test_after_three_days_without_it_there_is_one_digest_in_the_daytime(desk: Desk) -> None:
    """`dispatch run` was down from Monday on, and is back on Thursday night."""
    desk.readers("ann")
    for day in range(3):
        desk.at("12:00", MONDAY + timedelta(days=day)).publish(f"News {day}")
    thursday = MONDAY + timedelta(days=3)
    assert desk.at("19:01", thursday).make() == []
    assert desk.at("03:00", thursday + timedelta(days=1)).make() == []
    desk.at("08:00", thursday + timedelta(days=1)).make()
    assert desk.had() == {"ann": [["news-2", "news-1", "news-0"]]}


def test_a_late_digest_leaves_on_the_same_day_and_holds_what_it_would_have(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("09:00", TUESDAY).publish("Storm")
    desk.at("11:00", TUESDAY).make()
    assert desk.had() == {"ann": [["ferry"]]}
    desk.settings = replace(desk.settings, digest_at=time(23))
    assert desk.at("01:00", WEDNESDAY).make() == []  # that would be the middle of the night
    desk.at("23:00", WEDNESDAY).make()
    assert desk.had() == {"ann": [["ferry"], ["storm"]]}


def test_a_weekly_digest_that_was_missed_leaves_the_next_day(desk: Desk) -> None:
    desk.readers("ann", frequency="weekly")
    desk.at("12:00", MONDAY - timedelta(days=1)).readers("ben", frequency="weekly")
    desk.publish("Ferry")
    desk.at("12:00", MONDAY).publish("Storm")
    assert desk.at("06:00", TUESDAY).make() == []
    desk.at("07:30", TUESDAY).make()
    assert desk.had() == {"ben": [["ferry"]]}
    desk.at("07:00", MONDAY + timedelta(days=7)).make()
    assert desk.had() == {"ann": [["storm"]], "ben": [["ferry"], ["storm"]]}


def test_a_clock_that_is_set_back_loses_nothing(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("07:00", TUESDAY).make()
    desk.at("05:00", TUESDAY).publish("Storm")
    desk.at("22:00", MONDAY).publish("Harbour")
    desk.at("07:05", TUESDAY).make()
    desk.at("07:00", WEDNESDAY).make()
    told = [slug for had in desk.had()["ann"] for slug in had]
    assert Counter(told) == {"ferry": 1, "storm": 1, "harbour": 1}


# What can go wrong -------------------------------------------------------------------------------


def test_two_engines_make_it_once(desk: Desk) -> None:
    import threading

    desk.readers("ann", "ben")
    desk.publish("Ferry")
    desk.at("07:00", TUESDAY)
    threads = [threading.Thread(target=desk.make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.had() == {"ann": [["ferry"]], "ben": [["ferry"]]}


def _make_and_die(desk: Desk, statements: int) -> None:
    """In a process of its own: killed when the database is asked for the so-manieth time."""
    left = statements

    def asked(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", asked)
    desk.make()


def test_killed_at_any_moment_it_is_made_once(desk: Desk) -> None:
    for n in range(4):
        desk.at(f"1{n}:00").readers(f"reader{n}")
        desk.at(f"1{n}:30").publish(f"News {n}")
    desk.at("07:00", TUESDAY)
    deaths = 0
    for statements in range(9, 2000, 22):
        child = get_context("fork").Process(target=_make_and_die, args=(desk, statements))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        deaths += child.exitcode == -signal.SIGKILL
    assert deaths >= 4
    news = ["news-3", "news-2", "news-1", "news-0"]
    assert desk.had() == {f"reader{n}": [news[: 4 - n]] for n in range(4)}
    assert desk.editions() == 4


def test_what_is_wrong_with_one_desk_keeps_no_other_from_its_digest(desk: Desk) -> None:
    own = desk_settings.load({"DISPATCH_RETURN_PATH__BUSINESS": f"{'b' * 40}@example.org"})
    desk.readers("ann")
    desk.readers("ben", desk="business")
    desk.publish("Rates", desk="Business")
    desk.publish("Ferry")
    desk.settings = replace(own, templates=desk.settings.templates, dkim=desk.settings.dkim)
    with pytest.raises(SettingsError, match="DISPATCH_RETURN_PATH"):
        desk.at("07:00", TUESDAY).make()
    assert desk.had() == {"ann": [["ferry"]]}


def test_where_nothing_was_published_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert Desk(tmp_path / "nowhere").make() == []
    assert not (tmp_path / "nowhere").exists()


def test_it_stops_between_two_editions_when_it_is_asked_to(desk: Desk) -> None:
    desk.readers("ann")
    desk.publish("Ferry")
    desk.at("12:00").readers("ben")
    desk.publish("Storm")
    desk.at("07:00", TUESDAY)
    said: list[str] = []
    digests.make(desk.out, desk.settings, desk.now, said.append, lambda: bool(said))
    assert len(said) == 1
    desk.make()
    assert desk.had() == {"ann": [["storm", "ferry"]], "ben": [["storm"]]}


# All of it ---------------------------------------------------------------------------------------

WHO = st.integers(0, 9)
FREQUENCIES = st.sampled_from(["daily", "daily", "weekly", "each"])
ZONES = st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland", None])
HAPPENINGS = st.one_of(
    st.just(("publish",)),
    st.just(("publish",)),
    st.tuples(st.just("join"), ZONES, FREQUENCIES),
    st.tuples(st.just("switch"), WHO, FREQUENCIES),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("come_back"), WHO),
    st.tuples(st.just("pause"), WHO, st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.just(("make",)),
    st.tuples(st.just("stop_after"), st.integers(0, 2)),
    st.just(("fail",)),
)


@dataclass
class Reader:
    """What the model knows of a subscriber."""

    name: str
    frequency: str
    active: bool = True
    due: list[str] = field(default_factory=list)
    """What was published since they chose a digest, and what they had before."""


class World:
    """A desk and its readers, and what each of them should get."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder).at("09:00")
        self.readers: list[Reader] = []
        self.published = 0
        self.said: list[str] = []
        for frequency in ("daily", "weekly", "each"):
            self.join("UTC", frequency)

    def publish(self) -> None:
        if self.published == digests.MOST:
            return
        self.desk.now += timedelta(seconds=1)
        self.desk.publish(f"News {self.published}")
        for reader in self.readers:
            if reader.active and reader.frequency != "each":
                reader.due.append(f"news-{self.published}")
        self.published += 1

    def join(self, zone: str | None, frequency: str) -> None:
        reader = Reader(f"reader{len(self.readers)}", frequency)
        self.desk.now += timedelta(seconds=1)
        self.desk.readers(reader.name, frequency=frequency, timezone=zone, created=self.desk.now)
        self.readers.append(reader)

    def switch(self, who: int, frequency: str) -> None:
        reader = self._reader(who)
        self.desk.switch(reader.name, frequency)
        if "each" in (reader.frequency, frequency):
            reader.due = self.had(reader)
        reader.frequency = frequency

    def leave(self, who: int) -> None:
        reader = self._reader(who)
        if reader.active:
            self.desk.move(reader.name, "unsubscribed")
            reader.active = False

    def come_back(self, who: int) -> None:
        reader = self._reader(who)
        if not reader.active:
            self.desk.move(reader.name, "active")
            reader.active, reader.due = True, self.had(reader)

    def pause(self, who: int, days: int) -> None:
        until = self.desk.now + timedelta(days=days)
        self.desk.alter(self._reader(who).name, paused_until=until)

    def wait(self, hours: int) -> None:
        self.desk.now += timedelta(hours=hours)

    def make(self) -> None:
        self.said += self.desk.make()

    def stop_after(self, editions: int) -> None:
        desk, enough = self.desk, len(self.said) + editions
        digests.make(
            desk.out,
            desk.settings,
            desk.now,
            self.said.append,
            lambda: len(self.said) >= enough,
        )

    def fail(self) -> None:
        """In the middle of making an edition."""
        broken = self.desk.out / "templates" / "email" / "digest.txt"
        broken.parent.mkdir(parents=True, exist_ok=True)
        broken.write_text("{{ nobody.knows.this }}", encoding="utf-8")
        with suppress(TemplateError):
            self.make()
        broken.unlink()

    def nine_days_pass(self) -> None:
        for reader in self.readers:
            self.desk.alter(reader.name, paused_until=None)
        for _ in range(3 * 9):
            self.wait(8)
            self.make()

    def had(self, reader: Reader) -> list[str]:
        return [slug for digest in self.desk.had().get(reader.name, []) for slug in digest]

    def _reader(self, who: int) -> Reader:
        return self.readers[who % len(self.readers)]


@settings(max_examples=8)
@given(st.lists(HAPPENINGS, min_size=15, max_size=40))
def test_whatever_happens_everybody_gets_everything_once(happenings: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        for name, *values in happenings:
            getattr(world, name)(*values)
        world.nine_days_pass()
        for reader in world.readers:
            had = world.had(reader)
            assert len(had) == len(set(had))
            if reader.active and reader.frequency != "each":
                assert sorted(had) == sorted(reader.due)
        assert not any("for 0 of its" in sentence for sentence in world.said)
        assert len(world.said) == world.desk.editions()
        world.desk.store.close()
