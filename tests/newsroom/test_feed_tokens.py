"""A subscriber's personal feed: made once, shown, renewed, revoked, and watched for being shared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection
from tests.newsroom.access_room import NOW, SITE_URL, Room

from dispatch.audience import addresses, states
from dispatch.cli import dispatch
from dispatch.desk import Desk
from dispatch.errors import AudienceError
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import feed_tokens, personal_feeds, subscribers
from dispatch.newsroom.database import database_of
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.feed_tokens import MANY_PLACES
from dispatch.store import feed_tokens as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.connection import Store
from dispatch.store.feed_tokens import DayRow

ADA, BEN = "ada@reader.example.org", "ben@reader.example.org"
TOKENS = Tokens(["a key for tests, long enough"])
TODAY = date(2026, 10, 9)


class Desks(Room):
    """A room with subscribers of its World desk, Ada and Ben."""

    def subscribe(self, email: str, *, pending: bool = False) -> None:
        person = subscribers.Person(email, consent=None if pending else "form", pending=pending)
        subscribers.add(person, "world", self.out, NOW)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        database = Store(database_of(self.out))
        try:
            with database.transaction() as connection:
                yield connection
        finally:
            database.close()

    def desk(self, connection: Connection) -> Desk:
        found = known_desk(connection, "world", self.settings)
        assert found is not None
        return found


def key_of(connection: Connection, email: str) -> int:
    address = addresses.parse(email).key
    return subscriber_store.at_desk(connection, "world", [address])[address].key


@pytest.fixture
def room(tmp_path: Path) -> Desks:
    room = Desks(tmp_path, {"access": "members"})
    room.publish()
    room.subscribe(ADA)
    room.subscribe(BEN)
    return room


def test_a_feed_is_made_once_and_stays(room: Desks) -> None:
    with room.connection() as connection:
        desk, key = room.desk(connection), key_of(connection, ADA)
        assert feed_tokens.known_feeds(connection, key, desk, TOKENS) == {}
        made = feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW)
        assert list(made) == ["rss", "atom", "json"]
        for form, url in made.items():
            assert url.startswith(f"{SITE_URL}/world/members/")
            assert url.endswith(f"/feed.{form}")
        again = feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW + timedelta(days=1))
        assert again == made
        assert feed_tokens.known_feeds(connection, key, desk, TOKENS) == made


def test_nobody_else_has_the_same(room: Desks) -> None:
    with room.connection() as connection:
        desk = room.desk(connection)
        ada, ben = (
            feed_tokens.personal_feeds(connection, key_of(connection, who), desk, TOKENS, NOW)
            for who in (ADA, BEN)
        )
    assert not set(ada.values()) & set(ben.values())


def test_a_new_one_ends_the_old_one(room: Desks) -> None:
    with room.connection() as connection:
        desk, key = room.desk(connection), key_of(connection, ADA)
        old = feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW)
        new = feed_tokens.renew(connection, key, desk, TOKENS, NOW)
        assert not set(old.values()) & set(new.values())
        opened = [
            store.readable_desk(connection, TOKENS.read_feed(url.split("/")[5]) or 0)
            for url in (old["rss"], new["rss"])
        ]
    assert opened == [None, "world"]


@pytest.mark.parametrize("access", ["members", "private"])
def test_there_are_some_for_every_desk_that_is_not_public(room: Desks, access: str) -> None:
    with room.connection() as connection:
        desk = replace(room.desk(connection), access=access)
        assert feed_tokens.personal_feeds(connection, key_of(connection, ADA), desk, TOKENS, NOW)


def test_there_are_none_for_a_public_desk_for_strangers_and_for_who_has_not_confirmed(
    room: Desks,
) -> None:
    room.subscribe("cleo@reader.example.org", pending=True)
    with room.connection() as connection:
        desk, key = room.desk(connection), key_of(connection, ADA)
        pending = key_of(connection, "cleo@reader.example.org")
        public = replace(desk, access="public")
        other = replace(desk, slug="culture")
        assert feed_tokens.personal_feeds(connection, key, public, TOKENS, NOW) == {}
        assert feed_tokens.personal_feeds(connection, key, other, TOKENS, NOW) == {}
        assert feed_tokens.personal_feeds(connection, 9999, desk, TOKENS, NOW) == {}
        assert feed_tokens.personal_feeds(connection, pending, desk, TOKENS, NOW) == {}


@pytest.mark.parametrize("state", states.GONE)
def test_whoever_is_gone_has_none_whatever_the_reason(room: Desks, state: states.State) -> None:
    with room.connection() as connection:
        desk, key = room.desk(connection), key_of(connection, ADA)
        url = feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW)["rss"]
        token = TOKENS.read_feed(url.split("/")[5]) or 0
        states.move(connection, key, state, "a test", NOW)
        assert store.readable_desk(connection, token) is None
        assert store.of_subscriber(connection, key)[0].revoked == NOW
        assert feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW) == {}


def test_many_are_revoked_at_once(room: Desks) -> None:
    with room.connection() as connection:
        desk = room.desk(connection)
        keys = [key_of(connection, who) for who in (ADA, BEN)]
        for key in keys:
            feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW)
        feed_tokens.revoke_all(connection, [*keys, *range(10_000, 12_000)], NOW)
        assert all(feed_tokens.known_feeds(connection, key, desk, TOKENS) == {} for key in keys)


def test_of_whoever_is_forgotten_no_use_is_kept_and_no_number_given_again(room: Desks) -> None:
    with room.connection() as connection:
        desk, key = room.desk(connection), key_of(connection, BEN)
        feed_tokens.personal_feeds(connection, key, desk, TOKENS, NOW)
        token = store.good_token(connection, key)
        assert token is not None
        feed_tokens.count(connection, [DayRow(token, TODAY, 5, 2)])
    subscribers.forget(BEN, room.out, NOW)
    room.subscribe("cleo@reader.example.org")
    with room.connection() as connection:
        assert store.days_of(connection, token, 10) == []
        cleo = key_of(connection, "cleo@reader.example.org")
        assert cleo == key, "the subscriber's number is given again"
        feed_tokens.personal_feeds(connection, cleo, room.desk(connection), TOKENS, NOW)
        assert store.good_token(connection, cleo) != token


def test_use_adds_up_and_of_places_the_greatest_number_stays(room: Desks) -> None:
    with room.connection() as connection:
        feed_tokens.personal_feeds(
            connection, key_of(connection, ADA), room.desk(connection), TOKENS, NOW
        )
        for reads, places in ((3, 2), (4, 5), (1, 1)):
            feed_tokens.count(connection, [DayRow(1, TODAY, reads, places)])
        assert store.days_of(connection, 1, 10) == [DayRow(1, TODAY, 8, 5)]


@pytest.mark.parametrize(
    ("places", "days_ago", "noticed"),
    [(MANY_PLACES, 0, True), (MANY_PLACES - 1, 0, False), (MANY_PLACES, 8, False)],
)
def test_many_places_on_a_recent_day_are_noticed(
    room: Desks, places: int, days_ago: int, noticed: bool
) -> None:
    with room.connection() as connection:
        key = key_of(connection, ADA)
        feed_tokens.personal_feeds(connection, key, room.desk(connection), TOKENS, NOW)
        day = TODAY - timedelta(days=days_ago)
        feed_tokens.count(connection, [DayRow(1, day, 100, places)])
        assert bool(feed_tokens.shared(connection, NOW)) is noticed
        feed_tokens.renew(connection, key, room.desk(connection), TOKENS, NOW)
        assert feed_tokens.shared(connection, NOW) == [], "what was revoked is nobody's worry"


# From the command line ---------------------------------------------------------------------------


def run(room: Desks, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("DISPATCH_SITE_URL", SITE_URL)
    monkeypatch.setenv("DISPATCH_ACCESS", room.variables["access"])
    words = ["subscribers", "feed", *arguments, "--out", str(room.out)]
    result = CliRunner().invoke(dispatch, words, standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return int(result.return_value or 0), result.output


def test_the_desk_sees_renews_and_revokes_a_feed(
    room: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = run(room, ADA, monkeypatch=monkeypatch)
    assert (status, "--renew makes one" in said) == (0, True)
    _, said = run(room, ADA, "--renew", "--json", monkeypatch=monkeypatch)
    (feed,) = json.loads(said)["feeds"]
    assert sorted(feed["addresses"]) == ["atom", "json", "rss"]
    _, said = run(room, ADA, monkeypatch=monkeypatch)
    assert feed["addresses"]["rss"] in said
    _, said = run(room, ADA, "--revoke", monkeypatch=monkeypatch)
    assert feed["addresses"]["rss"] not in said


def test_the_desk_sees_how_much_it_is_read_and_that_it_seems_to_be_shared(
    room: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(room, ADA, "--renew", monkeypatch=monkeypatch)
    with room.connection() as connection:
        feed_tokens.count(connection, [DayRow(1, datetime.now(UTC).date(), 300, 15)])
    status, said = run(room, ADA, monkeypatch=monkeypatch)
    assert status == 1
    assert "read 300 times, from 15 places" in said
    status, said = run(room, monkeypatch=monkeypatch)
    assert status == 1
    assert f"{ADA}  world  15 places" in said


def test_of_a_public_desk_and_of_strangers_it_says_why_there_is_none(
    room: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AudienceError, match="does not subscribe to any desk"):
        run(room, "nobody@reader.example.org", monkeypatch=monkeypatch)
    room.variables["access"] = "public"
    with pytest.raises(AudienceError, match="Everybody reads world in full"):
        run(room, ADA, monkeypatch=monkeypatch)


def test_looking_makes_none(room: Desks) -> None:
    (feed,) = personal_feeds.look_after(ADA, None, "show", room.out, room.settings, NOW)
    assert (feed.addresses, feed.made, feed.days) == ({}, None, ())
