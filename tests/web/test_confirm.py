"""Confirming over HTTP: programs that follow links confirm nobody, and nobody confirms by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html
from starlette.testclient import TestClient
from tests.newsroom.signing_up import Desk, desk_in
from tests.web.forms_filled import Clock, fields, form_of
from tests.web.served import Newsroom

from dispatch.newsroom import mailings, subscribers
from dispatch.web.site import Site


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    room = desk_in(tmp_path)
    monkeypatch.setattr(Site, "now", staticmethod(lambda: room.now))
    monkeypatch.setattr(mailings, "milliseconds", lambda: room.milliseconds)
    return room


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def client(desk: Desk, clock: Clock) -> Iterator[TestClient]:
    with Newsroom(desk.out, desk.settings).client(address="198.51.100.4") as client:
        yield client


def link(desk: Desk, email: str = "ida@example.org", page: str = "confirm") -> str:
    """The path that a link in the last mail to somebody leads to."""
    body = desk.send()[email].get_body(("plain",))
    assert body is not None
    found = re.search(rf"https://news\.example\.org(/world/{page}/\S+)", body.get_content())
    assert found is not None
    return found[1]


def asked(desk: Desk, **facts: str) -> str:
    """Somebody filled in the form; the path in the mail that they got."""
    desk.ask("ida@example.org", **facts)
    desk.work()
    return link(desk)


class TestLink:
    def test_shows_a_button_and_confirms_nothing(self, client: TestClient, desk: Desk):
        path = asked(desk)
        for _ in range(3):
            answer = client.get(path)
            assert answer.status_code == 200
            assert client.head(path).status_code == 200
            assert html.fromstring(answer.content).xpath("//form[@method='post']//button")
        assert desk.state("ida@example.org") == "pending"

    def test_shows_no_address_and_is_not_kept(self, client: TestClient, desk: Desk):
        answer = client.get(asked(desk))
        assert b"ida@" not in answer.content
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]

    def test_speaks_the_language_of_the_form(self, client: TestClient, desk: Desk):
        answer = client.get(asked(desk, language="ar"), headers={"Accept-Language": "de"})
        assert answer.headers["Content-Language"] == "ar"
        assert b'dir="rtl"' in answer.content


class TestButton:
    def test_makes_them_a_subscriber(self, client: TestClient, desk: Desk):
        path = asked(desk, text="Send me World.")
        answer = client.post(path, data=form_of(client, path))
        assert answer.status_code == 200
        person = desk.person("ida@example.org")
        assert person is not None
        assert (person.state, person.consent_ip) == ("active", "198.51.100.4")
        assert (person.consent_at, person.consent_text) == (desk.now, "Send me World.")
        token = path.rpartition("/")[2]
        links = html.fromstring(answer.content).xpath("//main//a/@href")
        assert links == [f"../preferences/{token}", f"../unsubscribe/{token}"]
        assert desk.send()["ida@example.org"]["Subject"] == "Welcome to World"

    def test_pressed_again_does_no_harm_and_says_the_same(self, client: TestClient, desk: Desk):
        path = asked(desk)
        form = form_of(client, path)
        first = client.post(path, data=form)
        second = client.post(path, data=form)
        assert (first.status_code, first.content) == (second.status_code, second.content)
        assert desk.kinds() == ["confirm", "welcome"]

    def test_in_capitals_works_too(self, client: TestClient, desk: Desk):
        head, _, token = asked(desk).rpartition("/")
        path = f"{head}/{token.upper()}"
        client.post(path, data=form_of(client, path))
        assert desk.state("ida@example.org") == "active"

    @pytest.mark.parametrize("stamp", ["", "x", "é" * 100])
    def test_of_another_site_is_the_page_again(self, client: TestClient, desk: Desk, stamp: str):
        path = asked(desk)
        answer = client.post(path, data={"stamp": stamp})
        assert answer.status_code == 200
        assert fields(answer.content)["stamp"] != stamp
        assert desk.state("ida@example.org") == "pending"

    def test_of_another_site_is_refused_where_the_browser_tells(
        self, client: TestClient, desk: Desk
    ):
        path = asked(desk)
        told = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert client.post(path, data=form_of(client, path), headers=told).status_code == 403
        assert desk.state("ida@example.org") == "pending"

    def test_of_a_page_that_was_open_for_days_takes_one_more(
        self, client: TestClient, desk: Desk, clock: Clock
    ):
        path = asked(desk)
        form = form_of(client, path)
        clock.later(2 * 86_400)
        answer = client.post(path, data=form)
        assert desk.state("ida@example.org") == "pending"
        client.post(path, data=fields(answer.content))
        assert desk.state("ida@example.org") == "active"


class TestTooLate:
    def test_offers_to_sign_up_again(self, client: TestClient, desk: Desk):
        path = asked(desk)
        form = form_of(client, path)
        desk.later(days=7, seconds=1)
        for answer in (client.get(path), client.post(path, data=form)):
            assert answer.status_code == 410
            assert html.fromstring(answer.content).xpath("//main//a/@href") == ["../subscribe"]
            assert b"ida@" not in answer.content
        assert desk.state("ida@example.org") == "pending"

    def test_and_erased_since(self, client: TestClient, desk: Desk):
        path = asked(desk)
        desk.later(days=8)
        desk.work()
        assert desk.person("ida@example.org") is None
        assert client.get(path).status_code == 410

    def test_after_they_asked_to_be_forgotten(self, client: TestClient, desk: Desk):
        path = asked(desk)
        form = form_of(client, path)
        subscribers.forget("ida@example.org", desk.out, desk.now)
        assert client.post(path, data=form).status_code == 410
        assert desk.person("ida@example.org") is None


class TestNoSuchLink:
    @pytest.mark.parametrize(
        "token",
        [
            "1-000000000000000000000000",
            "0",
            "x" * 500,
            "%00",
            "..%2f..%2fetc",
            "١-000000000000000000000000",
        ],
    )
    def test_a_token_that_was_made_up(self, client: TestClient, desk: Desk, token: str):
        asked(desk)
        answer = client.get(f"/world/confirm/{token}", headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert client.post(f"/world/confirm/{token}", data={}).status_code == 404

    def test_looks_the_same_whatever_is_wrong_with_it(self, client: TestClient, desk: Desk):
        path = asked(desk)
        desk.join("bo@example.org")
        subscribers.add(subscribers.Person("cy@example.org"), "sport", desk.out, desk.now)
        body = desk.send()["bo@example.org"].get_body(("plain",))
        assert body is not None
        preferences = re.search(r"/world/preferences/(\S+)", body.get_content())
        assert preferences is not None
        tampered = path[:-1] + ("0" if path[-1] != "0" else "1")
        with desk.database() as connection:
            from dispatch.newsroom import keys

            nobodys = keys.tokens(connection, desk.settings, desk.now).link(123_456)
        wrong = [
            tampered,
            f"/world/confirm/{preferences[1]}",  # a good token, of another mail
            f"/world/confirm/{nobodys}",  # a good token, of no mail
        ]
        pages = {client.get(one, headers={"Accept": "text/html"}).content for one in wrong}
        assert len(pages) == 1
        assert {client.get(one).status_code for one in wrong} == {404}
        assert {client.post(one, data={}).status_code for one in wrong} == {404}

    def test_a_link_of_another_desk(self, client: TestClient, desk: Desk):
        subscribers.add(subscribers.Person("cy@example.org"), "sport", desk.out, desk.now)
        path = asked(desk).replace("/world/", "/sport/")
        assert client.get(path).status_code == 404
        assert client.post(path, data={}).status_code == 404
        assert desk.state("ida@example.org") == "pending"


def test_a_scanner_that_follows_every_link_of_every_mail_changes_nothing(
    client: TestClient, desk: Desk
):
    desk.join("bo@example.org")
    desk.ask("ida@example.org", "bo@example.org")
    desk.work()
    before = (desk.person("ida@example.org"), desk.person("bo@example.org"))
    for message in desk.send().values():
        for kind in ("html", "plain"):
            body = message.get_body((kind,))
            assert body is not None
            for url in re.findall(r"https://news\.example\.org(/[^\s\"<]*)", body.get_content()):
                client.get(url)
                client.head(url)
    assert (desk.person("ida@example.org"), desk.person("bo@example.org")) == before


def test_from_the_form_to_the_newsletter(client: TestClient, desk: Desk, clock: Clock):
    """The whole journey, as a reader makes it."""
    filled = form_of(client, "/world/subscribe?language=es")
    clock.later(10)
    sent = client.post(
        "/world/subscribe", data=filled | {"email": "ida@example.org", "frequency": "daily"}
    )
    assert client.get(f"/world/{sent.headers['Location']}").status_code == 200
    desk.work()
    path = link(desk)
    client.post(path, data=form_of(client, path))
    person = desk.person("ida@example.org")
    assert person is not None
    assert (person.state, person.language, person.frequency) == ("active", "es", "daily")
    assert desk.send()["ida@example.org"]["Subject"] == "Le damos la bienvenida a World"
