"""``dispatch serve`` as a process: it stops without losing what it took, and what it answered holds."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest
from tests.newsroom.desk_room import Newsroom
from tests.web.process import Process, answer, request, serving, until
from tests.web.served import newsroom

from dispatch.newsroom import keys, mailings
from dispatch.store import recipients
from dispatch.store.connection import Store
from dispatch.web.server.serving import GRACE

CLIENTS = 20
ENOUGH = 300
"""Answers before something happens to the server: it is well under way then."""


def counting(name: str) -> bytes:
    return request("POST", f"/counting/{name}")


def signing_up(name: str) -> bytes:
    """A reader of this name, who signs up through a site's own form."""
    wish = {"email": f"{name}@example.org", "consent": "Send me the newsletter."}
    body = json.dumps(wish).encode()
    return request("POST", "/world/subscribe.json", "Content-Type: application/json", body=body)


class Crowd:
    """Clients that send one request after the other on connections they keep, until it ends.

    ``answered`` holds the names of those whose answer was a good one.
    """

    def __init__(self, server: Process, asking: Callable[[str], bytes] = counting) -> None:
        self.answered: set[str] = set()
        self._server = server
        self._asking = asking
        self._numbers = count()
        self._threads = [threading.Thread(target=self._go) for _ in range(CLIENTS)]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While the body runs; the body has to end the server, and with it the crowd."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            for thread in self._threads:
                thread.join()

    def _go(self) -> None:
        while True:
            try:
                with self._server.connect() as connection:
                    self._talk(connection)
            except ConnectionRefusedError:
                return  # it listens no longer
            except OSError:
                continue  # cut off: what was under way has no answer

    def _talk(self, connection: socket.socket) -> None:
        while True:
            name = f"n{next(self._numbers)}"
            connection.sendall(self._asking(name))
            status, headers, _ = answer(connection)
            assert status in (200, 202), status
            self.answered.add(name)
            if headers.get("connection") == "close":
                return


def counted(out: Path) -> set[str]:
    """What the database holds."""
    with closing(sqlite3.connect(out / "dispatch.db")) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM counted")}


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_told_to_stop_under_load_it_answers_all_that_it_took(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    out = tmp_path / "site"
    with serving(out, *arguments) as server:
        crowd = Crowd(server)
        with crowd.at_work():
            until(lambda: len(crowd.answered) > ENOUGH)
            server.tell(signal.SIGTERM)
        assert server.ended() == 0
        errors = [line for line in server.lines() if line["level"] != "info"]
    assert counted(out) == crowd.answered
    assert errors == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_answered_and_what_is_on_its_way_taken(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path / "site") as server, server.connect() as slow, server.connect() as idle:
        idle.sendall(request("POST", "/counting/first"))
        assert answer(idle)[0] == 200
        slow.sendall(request("POST", "/slowly/one"))
        server.tell(number)
        idle.sendall(request("POST", "/counting/second"))
        status, _, body = answer(idle)
        assert (status, body) == (200, b"second")
        status, headers, body = answer(slow)
        assert (status, body) == (200, b"one")
        assert headers["connection"] == "close"
        assert server.ended() == 0


@pytest.mark.parametrize(
    ("arguments", "status"), [((), 0), (("--workers", "2"), 1)], ids=["one process", "two workers"]
)
def test_a_second_ctrl_c_ends_it_at_once(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    with serving(tmp_path / "site", *arguments) as server, server.connect() as slow:
        slow.sendall(request("POST", "/counting/first"))
        assert answer(slow)[0] == 200
        slow.sendall(request("POST", "/for-a-minute/one"))
        server.tell(signal.SIGINT)
        until(lambda: not listens(server))
        server.tell(signal.SIGINT)
        assert server.running.wait(GRACE) == status
        errors = [line["message"] for line in server.lines() if line["level"] != "info"]
        assert errors == (["What workers have under way is broken off."] if status else [])


def test_killed_under_load_all_that_was_answered_is_there_when_it_comes_back(
    tmp_path: Path,
) -> None:
    out = tmp_path / "site"
    with serving(out) as server:
        crowd = Crowd(server)
        with crowd.at_work():
            until(lambda: len(crowd.answered) > ENOUGH)
            server.tell(signal.SIGKILL)
    assert crowd.answered <= counted(out)
    with serving(out) as server, server.connect() as connection:
        connection.sendall(request("POST", "/counting/again"))
        assert answer(connection)[0] == 200
        server.tell(signal.SIGTERM)
        assert server.ended() == 0
    assert {*crowd.answered, "again"} <= counted(out)


def test_a_sign_up_that_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    out = newsroom(tmp_path).out
    with serving(out, settings={"DISPATCH_SIGNUPS_PER_IP": "0"}) as server:
        crowd = Crowd(server, signing_up)
        with crowd.at_work():
            until(lambda: len(crowd.answered) > ENOUGH)
            server.tell(signal.SIGKILL)
    with closing(sqlite3.connect(out / "dispatch.db")) as connection:
        written = {email for (email,) in connection.execute("SELECT email FROM signups")}
    assert {f"{name}@example.org" for name in crowd.answered} <= written


def test_who_was_told_that_they_have_left_has_left_after_a_kill(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.subscribe(*(f"n{number}@example.org" for number in range(10_000)))
    mailing = room.make(room.article("ferry.md", "The Ferry Is Back")).mailing
    tokens = unsubscribing(room, mailing)

    def leaving(name: str) -> bytes:
        address = f"/world/unsubscribe/{tokens[f'{name}@example.org']}"
        form = "Content-Type: application/x-www-form-urlencoded"
        return request("POST", address, form, body=b"List-Unsubscribe=One-Click")

    with serving(tmp_path) as server:
        crowd = Crowd(server, leaving)
        with crowd.at_work():
            until(lambda: len(crowd.answered) > ENOUGH)
            server.tell(signal.SIGKILL)
    with closing(sqlite3.connect(tmp_path / "dispatch.db")) as connection:
        left = connection.execute("SELECT email FROM subscribers WHERE state = 'unsubscribed'")
        gone = {email for (email,) in left}
    assert {f"{name}@example.org" for name in crowd.answered} <= gone
    assert mailings.verify(tmp_path, mailing).findings == ()  # nor of their copies that waited


def unsubscribing(room: Newsroom, mailing: int) -> dict[str, str]:
    """The token of each recipient's link, by their address."""
    store = Store(room.out / "dispatch.db")
    with store.transaction() as connection:
        link = keys.tokens(connection, room.settings, room.now).link
    tokens = {row.email: link(row.key) for row in recipients.of(store, mailing)}
    store.close()
    return tokens


def test_a_worker_that_dies_is_replaced_and_none_outlives_the_first(tmp_path: Path) -> None:
    with serving(tmp_path / "site", "--workers", "2") as server:
        until(lambda: len(server.workers()) == 2)
        first = server.workers()
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(set(server.workers()) - {first[0]}) == 2)
        with server.connect() as connection:
            connection.sendall(request("POST", "/counting/one"))
            assert answer(connection)[0] == 200
        left = server.workers()
        server.tell(signal.SIGKILL)
        server.ended()
        until(lambda: not any(alive(worker) for worker in left))
        told = next(line for line in server.lines() if line["level"] == "error")
        assert told["worker"] == first[0]


def test_workers_that_are_all_told_at_once_end_in_peace(tmp_path: Path) -> None:
    """As the manager of a service does, and a terminal: the whole group gets the signal."""
    with serving(tmp_path / "site", "--workers", "2") as server, server.connect() as slow:
        slow.sendall(request("POST", "/counting/first"))
        assert answer(slow)[0] == 200  # one of them has it
        slow.sendall(request("POST", "/slowly/one"))
        os.killpg(server.running.pid, signal.SIGTERM)
        assert answer(slow)[0] == 200
        assert server.ended() == 0
        assert [line for line in server.lines() if line["level"] != "info"] == []


def test_whichever_worker_is_asked_the_numbers_are_those_of_all(tmp_path: Path) -> None:
    token = "a-token-of-the-test"
    settings = {"DISPATCH_METRICS_TOKEN": token}
    with serving(tmp_path / "site", "--workers", "2", settings=settings) as server:
        for number in range(12):
            with server.connect() as connection:
                connection.sendall(request("POST", f"/counting/{number}"))
                assert answer(connection)[0] == 200
        with server.connect() as connection:
            connection.sendall(request("GET", "/metrics", f"Authorization: Bearer {token}"))
            text = answer(connection)[2].decode()
    labels = '{method="POST",route="/counting/{number}",status="200"}'
    assert f"dispatch_http_requests_total{labels} 12.0" in text
    assert "dispatch_commit_pieces_count 12.0" in text
    assert text.count("dispatch_resident_memory_bytes{") >= 1


def listens(server: Process) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return False
    return True


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].startswith(" Z")
