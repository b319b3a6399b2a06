"""Watching over the server: is it alive, can it serve, and what do its numbers say."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from tests.web.served import Newsroom, newsroom

from dispatch.newsroom.database import database_of
from dispatch.store import pings, signups
from dispatch.store.connection import Store
from dispatch.store.waiting import waiting

TOKEN = "a-token-of-the-test"
SHOWN = {"authorization": f"Bearer {TOKEN}"}
NOW = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return newsroom(tmp_path, metrics_token=TOKEN)


def numbers(reader: TestClient) -> dict[str, float]:
    """What /metrics tells, by name and labels."""
    answer = reader.get("/metrics", headers=SHOWN)
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "serve-1", "news.example.org"])
def test_they_answer_whatever_the_server_is_called(room: Newsroom, path: str, host: str) -> None:
    with room.client() as watcher:
        answer = watcher.get(path, headers={**SHOWN, "host": host})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


class TestHealth:
    def test_is_told_even_where_nothing_else_works(self, room: Newsroom) -> None:
        with room.client() as watcher:
            database_of(room.out).write_bytes(b"no database " * 1000)
            assert watcher.get("/healthz").text == "ok\n"


class TestReadiness:
    def test_all_is_well(self, room: Newsroom) -> None:
        with room.client() as watcher:
            answer = watcher.get("/readyz")
        assert answer.status_code == 200
        checks = {"database": "ok", "disk": "ok", "public": "ok"}
        assert answer.json() == {"ready": True, "checks": checks}

    def test_nothing_was_published(self, room: Newsroom) -> None:
        shutil.rmtree(room.out / "public")
        with room.client() as watcher:
            answer = watcher.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["ready"] is False
        assert "nothing was published" in answer.json()["checks"]["public"]

    def test_the_database_cannot_be_read(self, room: Newsroom) -> None:
        with room.client() as watcher:
            with Store(database_of(room.out)).transaction() as connection:
                connection.execute(text("DROP TABLE signups"))
            answer = watcher.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "it cannot be read"
        assert str(room.out) not in answer.text

    def test_the_disk_is_full(self, room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = namedtuple("usage", "total used free")
        with room.client() as watcher:
            monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 1_000_000))
            answer = watcher.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["disk"] == "it is nearly full: 1 MB are free"

    def test_the_disk_cannot_be_written(
        self, room: Newsroom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with room.client() as watcher:
            shutil.move(room.out, room.out.with_name("elsewhere"))
            answer = watcher.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["disk"].startswith("it cannot be written: ")


class TestNumbers:
    def test_there_are_none_for_anybody_where_no_token_is_set(self, tmp_path: Path) -> None:
        with newsroom(tmp_path).client() as anybody:
            assert anybody.get("/metrics", headers=SHOWN).status_code == 404
            assert anybody.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404

    @pytest.mark.parametrize(
        "shown", ["", "Bearer", "Bearer a-token-of-the-tesT", TOKEN, "Bearer é"]
    )
    def test_there_are_none_without_the_token(self, room: Newsroom, shown: str) -> None:
        with room.client() as anybody:
            headers = {b"authorization": shown.encode("latin-1")}
            answer = anybody.get("/metrics", headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "dispatch_" not in answer.text

    def test_requests_are_counted_by_the_pattern_of_their_address(self, room: Newsroom) -> None:
        with room.client() as reader:
            reader.get("/healthz")
            reader.get("/nowhere/at/all")
            reader.request("BREW", "/nowhere")
            told = numbers(reader)
        counted = "dispatch_http_requests_total"
        assert told[f'{counted}{{method="GET",route="/healthz",status="200"}}'] == 1
        assert told[f'{counted}{{method="GET",route="public",status="404"}}'] == 1
        assert told[f'{counted}{{method="other",route="public",status="404"}}'] == 1
        assert told['dispatch_http_request_seconds_count{route="/healthz"}'] == 1
        assert told["dispatch_http_requests_in_flight"] == 1  # this one
        assert told["dispatch_resident_memory_bytes"] > 10_000_000

    def test_group_commits_are_counted(self, room: Newsroom) -> None:
        with room.client() as reader:
            site = reader.app.state.site  # type: ignore[attr-defined]
            site.gathering.write(lambda connection: None).result(10)
            told = numbers(reader)
        assert told["dispatch_commit_pieces_count"] == 1
        assert told['dispatch_commit_pieces_bucket{le="1.0"}'] == 1

    def test_what_waits_is_told(self, room: Newsroom) -> None:
        wait(room)
        with room.client() as reader:
            told = numbers(reader)
        assert told["dispatch_signups_waiting"] == 2
        assert told["dispatch_pings_waiting"] == 1
        assert told["dispatch_database_readable"] == 1
        for state in ("queued", "leased", "deferred", "in_doubt"):
            assert told[f'dispatch_mail{{state="{state}"}}'] == 0

    def test_a_database_that_cannot_be_read_is_told_with_the_rest(self, room: Newsroom) -> None:
        with room.client() as reader:
            with Store(database_of(room.out)).transaction() as connection:
                connection.execute(text("DROP TABLE signups"))
            told = numbers(reader)
        assert told["dispatch_database_readable"] == 0
        assert "dispatch_signups_waiting" not in told
        assert "dispatch_http_requests_in_flight" in told


def test_what_waits_and_since_when(room: Newsroom) -> None:
    wait(room)
    store = Store(database_of(room.out))
    with store.reading() as connection:
        found = waiting(connection)
    store.close()
    assert (found.signups, found.oldest_signup) == (2, NOW)
    assert (found.pings, found.oldest_ping) == (1, NOW)


def wait(room: Newsroom) -> None:
    """Two sign-ups and a ping wait; a third sign-up is done."""
    store = Store(database_of(room.out))
    with store.transaction() as connection:
        signups.write_down(connection, [asked("ann", -1), asked("ben", 0), asked("cem", 1)])
        first = signups.waiting(connection, 1)[0].key
        signups.finish(connection, [signups.Answer(first, "asked", NOW)], NOW)
        pings.add(connection, "https://hub.example", ["https://news.example.org/feed.rss"], NOW)
    store.close()


def asked(name: str, minutes: int) -> signups.NewSignup:
    """Somebody's wish, so many minutes after eight."""
    email = f"{name}@example.org"
    return signups.NewSignup(
        desk="world",
        address_key=email,
        mailbox=email,
        email=email,
        domain="example.org",
        source="sign-up page",
        text="Subscribe",
        at=NOW + timedelta(minutes=minutes),
    )
