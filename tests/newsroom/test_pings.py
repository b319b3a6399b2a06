"""WebSub: hubs are told of every change, in the background, whatever they do."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from tests.newsroom.access_room import NOW, Room
from tests.servers import hub as hubs
from tests.servers.certificates import Authority
from tests.servers.hub import Hub, Subscriber

from dispatch.newsroom import pings
from dispatch.newsroom.database import database_of
from dispatch.settings import Settings
from dispatch.store import articles
from dispatch.store import pings as store
from dispatch.store.connection import Store
from dispatch.store.pings import PingRow
from dispatch.syndication import websub
from dispatch.web.app import create
from dispatch.web.site import Site

FORMS = ("atom", "json", "rss")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pings, "WITHIN", 0.5)


def waiting(room: Room, at: datetime = NOW + timedelta(days=9)) -> list[PingRow]:
    """What is to be told until some time."""
    database = Store(database_of(room.out))
    try:
        with database.reading() as connection:
            return store.due(connection, at)
    finally:
        database.close()


def tell(room: Room, now: datetime = NOW) -> list[str]:
    said: list[str] = []
    pings.tell(room.out, now, said.append)
    return said


# End to end --------------------------------------------------------------------------------------


@contextmanager
def served(room: Room, opened: socket.socket) -> Iterator[None]:
    """The newsroom's site at a port of this machine."""
    server = uvicorn.Server(
        uvicorn.Config(create(Site(room.out, room.settings)), log_config=None, lifespan="on")
    )
    thread = threading.Thread(target=server.run, args=([opened],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def tell_until(reader: Subscriber, room: Room) -> None:
    """Make rounds, as ``dispatch run`` does, until the reader was sent something."""
    said: list[str] = []
    for _ in range(200):
        pings.send(room.out, room.settings, said.append, lambda: False)
        if reader.came.wait(0.1):
            break
    assert reader.came.is_set()
    assert said == []
    reader.came.clear()


@pytest.mark.parametrize("access", ["public", "members"])
def test_a_subscriber_of_the_hub_gets_the_new_entry_after_a_publish(
    tmp_path: Path, hub: Hub, access: str
) -> None:
    opened = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{opened.getsockname()[1]}"
    room = Room(tmp_path, {"site_url": url, "hubs": hub.url, "access": access})
    room.publish("Harbour reopens", now=datetime.now(UTC))
    with served(room, opened), Subscriber(f"{url}/world/feed.json") as reader:
        assert reader.subscribe() == hub.url
        tell_until(reader, room)
        room.publish("Lighthouse lit", day=9, now=datetime.now(UTC))
        tell_until(reader, room)
    assert json.loads(reader.content[-1])["items"][0]["title"] == "Lighthouse lit"
    assert reader.links[-1] == {"hub": [hub.url], "self": [f"{url}/world/feed.json"]}
    assert hub.refused == []
    assert waiting(room) == []


# What is told ------------------------------------------------------------------------------------


def test_each_hub_is_told_of_each_form_of_the_feed(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(204)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    assert tell(room) == []
    topics = sorted(form["hub.url"] for form in hub.told)
    assert topics == [f"https://news.example.org/world/feed.{form}" for form in FORMS]
    assert all(form["hub.topic"] == form["hub.url"] for form in hub.told)
    assert waiting(room) == []


def test_without_a_change_nobody_is_told(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(204)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    tell(room)
    room.publish(now=NOW + MINUTE)
    assert waiting(room) == []


def test_a_rehearsal_tells_nobody(tmp_path: Path) -> None:
    from dispatch.newsroom import publish

    room = Room(tmp_path, {"hubs": "https://hub.example.org/"})
    room.publish()
    article = tmp_path / "tide.txt"
    article.write_text("Tide turns\n\nIt turned at noon, as it does.\n")
    before = waiting(room)
    options = publish.Options(room.out, dry_run=True, desk="World")
    publish.publish([str(article)], options, room.settings, NOW, publish.Watch(lambda _: None))
    assert waiting(room) == before


def test_of_a_private_desk_and_of_personal_feeds_no_hub_hears(tmp_path: Path) -> None:
    room = Room(tmp_path, {"hubs": "https://hub.example.org/", "access": "private"})
    room.publish()
    assert waiting(room) == []
    room.variables["access"] = "members"
    room.rebuild()
    topics = sorted(row.topic for row in waiting(room))
    assert topics == [f"https://news.example.org/world/feed.{form}" for form in FORMS]


def test_changes_that_wait_are_told_once(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(204)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    for n in range(4):
        room.publish(f"Tide {n}", now=NOW + n * MINUTE)
    tell(room, NOW + 5 * MINUTE)
    assert len(hub.told) == 3


def test_a_change_while_the_hub_is_being_told_is_told_again(tmp_path: Path, hub: Hub) -> None:
    """Even within the second that times of publication are kept to."""
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish("Tide turns")

    def publish_meanwhile(_hub: Hub, handler: hubs.Handler) -> None:
        room.publish("Tide turns again")
        hubs.answer(handler, 204)

    hub.script.extend([publish_meanwhile, *[hubs.say(204)] * 5])
    tell(room)
    left = waiting(room)
    assert len(left) == 3 or {row.topic for row in left} >= {hub.told[0]["hub.url"]}
    tell(room)
    assert waiting(room) == []


def test_nobody_is_told_before_the_server_can_know_of_the_change(tmp_path: Path, hub: Hub) -> None:
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish(now=datetime.now(UTC))
    hub.script.extend([hubs.say(204)] * 3)
    workshop = room.out / ".dispatch"
    this_moment = time.time()
    os.utime(workshop, (this_moment, this_moment + 60))
    pings.send(room.out, room.settings, lambda _: None, lambda: False)
    assert hub.told == []
    os.utime(workshop, (this_moment, this_moment - 60))
    pings.send(room.out, room.settings, lambda _: None, lambda: False)
    assert len(hub.told) == 3


def test_nobody_is_told_of_what_is_not_in_its_place_yet(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(204)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    database = Store(database_of(room.out))
    with database.transaction() as connection:
        articles.record_release(connection, "c0ffee", NOW)
    database.close()
    staging = room.out / ".dispatch/c0ffee"
    staging.mkdir()
    tell(room)
    assert hub.told == []
    staging.rmdir()
    tell(room)
    assert len(hub.told) == 3


# Hubs that fail ----------------------------------------------------------------------------------

FAULTS = {
    "500": (hubs.say(500), "500 Internal Server Error"),
    "404": (hubs.say(404), "404 Not Found"),
    "a redirect": (
        hubs.say(302, Location="http://127.0.0.1:9/admin"),
        "302 Found, a redirect, which is not followed",
    ),
    "rubbish": (hubs.speak_rubbish, "what it answers is not HTTP"),
    "hanging up": (hubs.hang_up, None),
    "silence": (hubs.say_nothing, "it took too long to answer"),
    "dripping": (hubs.drip, "it took too long to answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hub_that_fails_is_told_later(tmp_path: Path, hub: Hub, fault: str) -> None:
    act, said = FAULTS[fault]
    hub.script.extend([act] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    begun = time.monotonic()
    assert tell(room) == []
    assert time.monotonic() - begun < 5
    rows = waiting(room)
    assert [row.due for row in rows] == [NOW + MINUTE] * 3
    assert said is None or {row.reply for row in rows} == {said}
    count = len(hub.told)
    hub.script.clear()
    hub.script.extend([hubs.say(202)] * 3)
    tell(room, NOW + MINUTE / 2)
    assert len(hub.told) == count, "not before its time"
    tell(room, NOW + MINUTE)
    assert waiting(room) == []


def test_a_redirect_leads_nowhere(tmp_path: Path, hub: Hub) -> None:
    """Whoever answers at the hub's address cannot have this machine ask another one."""
    with Hub() as inside:
        hub.script.extend([hubs.say(307, Location=inside.url)] * 3)
        room = Room(tmp_path, {"hubs": hub.url})
        room.publish()
        tell(room)
        assert inside.told == []


def test_of_a_long_answer_little_is_read(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.flood] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    tell(room)
    assert waiting(room) == []


def test_a_hub_that_is_gone_does_not_keep_another_waiting(tmp_path: Path, hub: Hub) -> None:
    gone = socket.create_server(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    gone.close()
    hub.script.extend([hubs.say(204)] * 3)
    room = Room(tmp_path, {"hubs": f"http://127.0.0.1:{port}/ {hub.url}"})
    room.publish()
    tell(room)
    assert len(hub.told) == 3
    assert {row.hub for row in waiting(room)} == {f"http://127.0.0.1:{port}/"}


def test_of_a_hub_that_does_not_answer_only_the_first_is_waited_for(
    tmp_path: Path, hub: Hub
) -> None:
    hub.script.append(hubs.say_nothing)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    tell(room)
    assert len(hub.told) == 1
    assert {row.attempts for row in waiting(room)} == {1}


def test_publishing_asks_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object) -> None:
        raise AssertionError("a publish must not wait for anybody")

    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr(socket, "getaddrinfo", never)
    room = Room(tmp_path, {"hubs": "https://hub.example.org/"})
    assert room.publish().action == "published"
    assert len(waiting(room)) == 3


@pytest.mark.parametrize("expired", [False, True])
def test_only_a_hub_whose_certificate_is_vouched_for_is_told(tmp_path: Path, expired: bool) -> None:
    authority = Authority(tmp_path)
    trust = ssl.create_default_context(cafile=authority.pem)
    topic = "https://news.example.org/world/feed.rss"
    with Hub(authority.server(expired=expired)) as hub:
        hub.script.append(hubs.say(204))
        stranger = websub.notify(hub.url, topic, 5)
        assert not stranger.accepted
        assert "its certificate is not trusted" in stranger.said
        assert hub.told == []
        assert websub.notify(hub.url, topic, 5, trust).accepted is not expired
        assert len(hub.told) == int(not expired)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("120", timedelta(minutes=2)),
        ("5", MINUTE),
        ("Fri, 09 Oct 2026 08:30:00 GMT", timedelta(minutes=30)),
        ("99999999999999999999", timedelta(hours=6)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=6)),
        ("soon", MINUTE),
        ("-1", MINUTE),
    ],
)
def test_a_hub_that_asks_for_time_gets_it(
    tmp_path: Path, hub: Hub, asked: str, waits: timedelta
) -> None:
    hub.script.extend([hubs.say(429, Retry_After=asked)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    tell(room)
    assert [row.due for row in waiting(room)] == [NOW + waits] * 3


@given(st.text(st.characters(codec="latin-1")))
def test_whatever_a_hub_asks_for_the_wait_is_between_a_minute_and_six_hours(text: str) -> None:
    assert MINUTE <= pings.delay(1, text, NOW) <= timedelta(hours=6)


def test_each_failure_doubles_the_wait_up_to_six_hours() -> None:
    waits = [pings.delay(attempts, None, NOW) / MINUTE for attempts in (1, 2, 3, 9, 10, 999)]
    assert waits == [1, 2, 4, 256, 360, 360]


def test_after_a_day_it_is_given_up_and_said(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(503)] * 100)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish()
    now, said = NOW, []
    while rows := waiting(room):
        now = max(row.due for row in rows)
        said += tell(room, now)
    assert timedelta(hours=12) < now - NOW <= timedelta(days=1)
    assert len(said) == 3
    assert "The hub 127.0.0.1 was not told that https://news.example.org/world/feed." in said[0]
    assert "503 Service Unavailable" in said[0]


def test_a_new_change_gives_a_hub_another_day(tmp_path: Path, hub: Hub) -> None:
    hub.script.extend([hubs.say(503)] * 3)
    room = Room(tmp_path, {"hubs": hub.url})
    room.publish("Tide turns")
    tell(room)
    room.publish("Tide turns again", now=NOW + MINUTE / 2)
    assert {(row.attempts, row.due) for row in waiting(room)} == {(0, NOW + MINUTE / 2)}


def test_what_a_hub_says_steers_no_terminal(hub: Hub) -> None:
    def escape(_hub: Hub, handler: hubs.Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 500 \x1b[2J\x07gone\r\nContent-Length: 0\r\n\r\n")
        handler.close_connection = True

    hub.script.append(escape)
    told = websub.notify(hub.url, "https://news.example.org/world/feed.rss", 5)
    assert not told.accepted
    assert told.said.isprintable()


def test_without_a_database_there_is_nothing_to_do(tmp_path: Path) -> None:
    pings.send(tmp_path / "nowhere", Settings(), lambda _: None, lambda: False)
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_was_published_yet_there_is_nothing_to_say(tmp_path: Path) -> None:
    Store(database_of(tmp_path)).close()
    said: list[str] = []
    pings.send(tmp_path, Settings(), said.append, lambda: False)
    assert said == []
