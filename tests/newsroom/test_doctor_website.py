"""The website is examined where it is: a server that answers, work that waits, settings that miss."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.newsroom.access_room import Room

from dispatch import settings
from dispatch.newsroom import feed_tokens, personal_feeds, subscribers
from dispatch.newsroom.database import database_of
from dispatch.newsroom.doctor import Finding, examine_website
from dispatch.store import pings, signups
from dispatch.store.connection import Store
from dispatch.store.feed_tokens import DayRow

NOW = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with an empty database."""
    Store(database_of(tmp_path)).close()
    return tmp_path


def findings(out: Path, **variables: str) -> list[Finding]:
    given = {f"DISPATCH_{name}": value for name, value in variables.items()}
    loaded = settings.load({"DISPATCH_SITE_URL": "https://news.example.org", **given})
    return list(examine_website(loaded, "World", out, NOW))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server on this machine that gives one answer; where it listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free() -> str:
    """An address on this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def wish(name: str, at: datetime) -> signups.NewSignup:
    email = f"{name}@example.org"
    return signups.NewSignup("world", email, email, email, "example.org", "page", "Subscribe", at)


def test_a_folder_without_a_database_has_no_website(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


def test_all_is_well(out: Path) -> None:
    with answering(200, b"ok\n") as listen:
        found = findings(out, LISTEN=listen, TRUSTED_PROXIES="127.0.0.1")
    assert [finding.level for finding in found] == ["ok", "ok"]
    assert found[0].what == f"`dispatch serve` answers at {listen}."


def test_nothing_answers(out: Path) -> None:
    first, *_ = findings(out, LISTEN=free())
    assert first.level == "warning"
    assert "Nothing answers at 127.0.0.1:" in first.what


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (404, b"no"), (200, b"")])
def test_something_else_answers(out: Path, status: int, body: bytes) -> None:
    with answering(status, body) as listen:
        first, *_ = findings(out, LISTEN=listen)
    assert first.level == "error"
    assert "is not `dispatch serve`" in first.what


def test_whatever_listens_everywhere_is_asked_here(out: Path) -> None:
    with answering(200, b"ok\n") as listen:
        first, *_ = findings(out, LISTEN=listen.replace("127.0.0.1", "0.0.0.0"))
    assert first.level == "ok"


def test_a_server_elsewhere_is_not_asked(out: Path) -> None:
    (only,) = findings(out, LISTEN="192.0.2.80:8000")
    assert "Nothing waits" in only.what


def test_a_proxy_that_is_not_named(out: Path) -> None:
    found = findings(out, LISTEN=free())
    assert "DISPATCH_TRUSTED_PROXIES names none" in found[1].what
    found = findings(out, LISTEN=free(), SITE_URL="http://news.example.org")
    assert not any("PROXIES" in finding.what for finding in found)
    nothing_set = settings.load({"DISPATCH_LISTEN": free()})
    found = list(examine_website(nothing_set, "World", out, NOW))
    assert not any("PROXIES" in finding.what for finding in found)


def test_what_waits_a_moment_is_no_matter(out: Path) -> None:
    store = Store(database_of(out))
    with store.transaction() as connection:
        signups.write_down(connection, [wish("ann", NOW - timedelta(seconds=30))])
        pings.add(connection, "https://hub.example", ["https://news.example.org/f"], NOW)
    store.close()
    assert findings(out, LISTEN=free())[-1].level == "ok"


def test_what_nobody_works_off_is_told_with_what_to_do(out: Path) -> None:
    store = Store(database_of(out))
    with store.transaction() as connection:
        hour_ago = NOW - timedelta(hours=1)
        signups.write_down(connection, [wish(name, hour_ago) for name in ("ann", "ben")])
        pings.add(connection, "https://hub.example", ["https://news.example.org/f"], hour_ago)
    store.close()
    last = findings(out, LISTEN=free())[-1]
    assert last.level == "error"
    assert last.what == (
        "Nobody works off what waits: sign-ups (2) since 2026-10-09 07:00 UTC, and changes of "
        "feeds that hubs are to hear of since 2026-10-09 07:00 UTC."
    )
    assert "dispatch run" in last.todo
    assert "ann" not in last.what


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    database_of(tmp_path).write_bytes(b"no database " * 1000)
    last = findings(tmp_path, LISTEN=free())[-1]
    assert last.level == "error"
    assert "is not a database or is damaged" in last.what


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", "SES_TOPICS"),
        ("smtp.postmarkapp.com", "POSTMARK_WEBHOOK"),
        ("smtp.sendgrid.net", "SENDGRID_WEBHOOK_KEY"),
        ("smtp.eu.mailgun.org", "MAILGUN_WEBHOOK_KEY"),
        ("smtp.sparkpostmail.com", "SPARKPOST_WEBHOOK"),
        ("in-v3.mailjet.com", "MAILJET_WEBHOOK"),
    ],
)
def test_reports_of_a_service_that_would_be_refused(out: Path, host: str, name: str) -> None:
    relay = f"smtp+starttls://user:password@{host}:587"
    last = findings(out, LISTEN=free(), SMTP_URL=relay)[-1]
    assert (last.check, last.level) == ("webhooks", "warning")
    assert f"DISPATCH_{name} is not set" in last.what
    set_ = findings(out, LISTEN=free(), SMTP_URL=relay, **{name: "user:long-enough-password"})
    assert set_[-1].check == "website"
    other = findings(out, LISTEN=free(), SMTP_URL=f"smtp://{host}.example.org")
    assert other[-1].check == "website"


def test_a_desk_whose_access_changed_is_to_be_written_again(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    assert "access" not in {found.check for found in findings(room.out)}
    found = next(f for f in findings(room.out, ACCESS="private") if f.check == "access")
    assert found.level == "error"
    assert "World is private now" in found.what
    assert found.todo == "Run `dispatch rebuild --desk world`."


def test_a_personal_feed_that_seems_to_be_shared_is_told_without_whose_it_is(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path, {"access": "members"})
    room.publish()
    person = subscribers.Person("ada@reader.example.org", consent="form")
    subscribers.add(person, "world", room.out, NOW)
    personal_feeds.look_after(person.email, None, "renew", room.out, room.settings, NOW)
    database = Store(database_of(room.out))
    with database.transaction() as connection:
        feed_tokens.count(connection, [DayRow(1, NOW.date(), 400, 30)])
    database.close()
    found = next(f for f in findings(room.out, ACCESS="members") if f.check == "access")
    assert found.level == "warning"
    assert found.what.startswith("In the last week, 1 personal feed was read from 12 places")
    assert "ada" not in found.what + found.todo
