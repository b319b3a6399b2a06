"""Unsubscribing over HTTP: one click by a mail program, and the page for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html
from starlette.testclient import TestClient
from tests.web.forms_filled import Clock
from tests.web.reader_room import IDA, Readers, at, press, readers
from tests.web.served import NOW

from dispatch.audience import states
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import feed_tokens, keys, subscribers
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.subscribers import Person
from dispatch.store import subscribers as store
from dispatch.web.pages import personal

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    access = {"access__culture": "members", "access__cabinet": "private"}
    return readers(tmp_path_factory.mktemp("made"), IDA, "bo@example.org", **access)


@pytest.fixture
def room(made: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Readers:
    at(monkeypatch, NOW)
    return made.copied(tmp_path)


@pytest.fixture
def client(room: Readers) -> Iterator[TestClient]:
    with room.news.client() as client:
        yield client


def heading(answer: object) -> str:
    return str(html.fromstring(answer.content).findtext(".//h1"))  # type: ignore[attr-defined]


class TestOneClick:
    def test_is_answered_at_once_without_cookies_or_a_redirect(
        self, client: TestClient, room: Readers
    ):
        answer = client.post(room.path("unsubscribe"), data=ONE_CLICK)
        assert (answer.status_code, answer.text) == (200, "Unsubscribed.\n")
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"

    def test_holds_before_it_is_answered(self, client: TestClient, room: Readers):
        client.post(room.path("unsubscribe"), data=ONE_CLICK)
        assert room.state() == "unsubscribed"
        (move,) = room.show().subscriptions[0].moves
        assert (move.before, move.after) == ("active", "unsubscribed")
        assert move.cause == "one click, by the link in mailing 1"
        assert room.state("bo@example.org") == "active"

    def test_may_come_as_multipart(self, client: TestClient, room: Readers):
        answer = client.post(
            room.path("unsubscribe"), files={"List-Unsubscribe": (None, "One-Click")}
        )
        assert answer.status_code == 200
        assert room.state() == "unsubscribed"

    def test_may_come_in_chunks_without_a_length(self, client: TestClient, room: Readers):
        part = (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--x--\r\n"
        )
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        for body in (part[:-20], part + "x" * 20_000):
            answer = client.post(
                room.path("unsubscribe"), content=iter([body.encode()]), headers=kind
            )
            assert answer.status_code in (400, 413) or "Unsubscribe from" in answer.text
            assert room.state() == "active"
        chunks = iter([part[:30].encode(), part[30:].encode()])
        assert (
            client.post(room.path("unsubscribe"), content=chunks, headers=kind).status_code == 200
        )
        assert room.state() == "unsubscribed"

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("multipart/form-data", b"--x\r\n"),
            ("multipart/form-data; boundary=", b"--\r\n\r\n----"),
            ("multipart/form-data; boundary=x", b"no such boundary"),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
            ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\na\r\n--x--\r\n'),
            ("application/x-www-form-urlencoded", b"%ff=%fe"),
            ("application/x-www-form-urlencoded", b"a&" * 51),
        ],
    )  # fmt: skip
    def test_that_is_broken_is_told_so(
        self, client: TestClient, room: Readers, kind: str, body: bytes
    ):
        headers = {"Content-Type": kind}
        answer = client.post(room.path("unsubscribe"), content=body, headers=headers)
        assert answer.status_code in (200, 400)
        assert "Unsubscribed" not in answer.text
        assert room.state() == "active"

    def test_stops_the_copies_that_wait(self, client: TestClient, room: Readers):
        room.mail()
        assert room.copies() == ["queued", "queued"]
        client.post(room.path("unsubscribe"), data=ONE_CLICK)
        assert room.copies() == ["suppressed", "suppressed"]
        assert room.copies("bo@example.org") == ["queued", "queued"]
        assert room.proven()

    def test_twice_is_as_good_as_once(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        for _ in range(3):
            assert client.post(path, data=ONE_CLICK).status_code == 200
        assert len(room.show().subscriptions[0].moves) == 1

    @pytest.mark.parametrize("state", ["bounced", "complained", "pending"])
    def test_from_another_state_goes_where_it_lawfully_may(
        self, client: TestClient, room: Readers, state: states.State
    ):
        with room.database() as connection:
            row = room.row(connection=connection)
            if state == "pending":
                store.change(connection, row.key, {"state": "pending"}, NOW)
            else:
                states.move(connection, row.key, state, "a test", NOW)
        assert client.post(room.path("unsubscribe"), data=ONE_CLICK).status_code == 200
        assert room.state() == ("complained" if state == "complained" else "unsubscribed")

    def test_works_for_a_key_that_was_the_newest_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        old, new = "the-key-of-last-year", "the-key-of-this-year"
        room = readers(tmp_path, secret_keys=f"{new} {old}")
        at(monkeypatch, NOW + timedelta(days=4000))
        token = Tokens([old]).link(1)
        with room.news.client() as client:
            assert client.post(f"/world/unsubscribe/{token}", data=ONE_CLICK).status_code == 200
            lost = Tokens(["a-key-that-is-nobodys"]).link(1)
            assert client.post(f"/world/unsubscribe/{lost}", data=ONE_CLICK).status_code == 404
        assert room.state() == "unsubscribed"

    def test_closes_the_personal_feed(self, client: TestClient, room: Readers):
        room.publishes("culture")
        room.news.subscribe(IDA, "culture")
        room.mail("culture")
        with room.database() as connection:
            desk = known_desk(connection, "culture", room.settings)
            assert desk is not None
            key = room.row(IDA, "culture", connection).key
            tokens = keys.tokens(connection, room.settings, NOW)
            feeds = feed_tokens.personal_feeds(connection, key, desk, tokens, NOW)
        assert feeds
        client.post(room.path("unsubscribe", desk="culture"), data=ONE_CLICK)
        assert room.state(desk="culture") == "unsubscribed"
        assert room.state() == "active"
        (culture, _) = room.show().subscriptions
        assert [feed.token.revoked for feed in culture.feeds] == [NOW]

    def test_is_done_for_nobody_where_the_link_is_none(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        forged = path[:-1] + ("0" if path[-1] != "0" else "1")
        with room.database() as connection:
            nobodys = keys.tokens(connection, room.settings, NOW).link(99)
        room.news.subscribe("cy@example.org", "culture")
        for wrong in (
            forged,
            path.replace("/world/", "/culture/"),
            path.replace("/world/", "/nowhere/"),
            f"/world/unsubscribe/{nobodys}",
            "/world/unsubscribe/x",
            f"/world/unsubscribe/{'9' * 4000}",
        ):
            answer = client.post(wrong, data=ONE_CLICK)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/plain")
        assert room.state() == "active"

    def test_of_somebody_forgotten_is_answered_like_any_other(
        self, client: TestClient, room: Readers
    ):
        path = room.path("unsubscribe")
        subscribers.forget(IDA, room.out, NOW)
        assert client.post(path, data=ONE_CLICK).status_code == 200

    def test_takes_the_words_of_the_standard_and_no_others(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        for fields in ({}, {"List-Unsubscribe": "yes"}, {"do": "leave"}, {"One-Click": "1"}):
            client.post(path, data=fields)
        assert client.post(path, json=ONE_CLICK).status_code == 415
        assert client.post(path, data={**ONE_CLICK, "x": "y" * 20_000}).status_code == 413
        assert room.state() == "active"

    def test_may_come_from_a_mail_program_in_a_browser(self, client: TestClient, room: Readers):
        foreign = {"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"}
        answer = client.post(room.path("unsubscribe"), data=ONE_CLICK, headers=foreign)
        assert answer.status_code == 200
        assert room.state() == "unsubscribed"

    def test_is_never_held_up(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        for _ in range(personal.CHANGES + 5):
            assert client.post(room.path("unsubscribe"), data=ONE_CLICK).status_code == 200


class TestLooking:
    def test_changes_nothing_however_often_and_however(self, client: TestClient, room: Readers):
        before = room.show()
        for page in ("unsubscribe", "preferences"):
            path = room.path(page)
            more = ["", "/data", "/delete"] if page == "preferences" else [""]
            for part in more:
                for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
                    client.request(method, path + part, params={"do": "leave", **ONE_CLICK})
        assert room.show() == before
        assert room.copies() == ["queued"]

    def test_shows_one_button_first_and_no_address(self, client: TestClient, room: Readers):
        answer = client.get(room.path("unsubscribe"))
        page = html.fromstring(answer.content)
        assert page.xpath("(//form)[1]//button")[0].text == "Unsubscribe"
        assert len(page.xpath("(//form)[1]//button")) == 1
        assert b"ida@" not in answer.content
        assert "i…@example.org" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert not page.xpath("//script")

    def test_speaks_the_language_of_the_reader_before_that_of_the_browser(
        self, client: TestClient, room: Readers
    ):
        path = room.path("unsubscribe")
        assert "Désinscription" not in heading(client.get(path))
        assert heading(client.get(path, headers={"Accept-Language": "fr"})).startswith(
            "Se désinscrire"
        )
        with room.database() as connection:
            store.change(connection, room.row(connection=connection).key, {"language": "ar"}, NOW)
        page = html.fromstring(client.get(path, headers={"Accept-Language": "fr"}).content)
        assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")

    def test_names_other_newsletters_that_they_read_and_no_others(
        self, client: TestClient, room: Readers
    ):
        for desk in ("culture", "sports"):
            room.publishes(desk.capitalize())
        room.news.subscribe(IDA, "culture")
        boxes = html.fromstring(client.get(room.path("unsubscribe")).content).xpath(
            "//input[@type='checkbox']/@name"
        )
        assert boxes == ["leave-culture"]

    def test_says_where_they_are_gone(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        client.post(path, data=ONE_CLICK)
        assert heading(client.get(path)) == "You are not subscribed to World"

    def test_of_somebody_forgotten_says_that_nothing_is_kept(
        self, client: TestClient, room: Readers
    ):
        paths = [room.path("unsubscribe"), room.path("preferences")]
        subscribers.forget(IDA, room.out, NOW)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200
            assert heading(answer) == "Nothing is kept about you here"

    def test_is_404_where_the_link_is_none(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        for wrong in (path[:-1], path.replace("/world/", "/culture/"), path + "/"):
            assert client.get(wrong).status_code == 404


class TestPressing:
    def test_unsubscribes_and_says_so(self, client: TestClient, room: Readers):
        answer = press(client, room.path("unsubscribe"), "leave")
        assert heading(answer) == "You have unsubscribed from World"
        assert room.state() == "unsubscribed"
        assert room.copies() == ["suppressed"]

    def test_takes_a_stamp_of_this_very_page(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        other = html.fromstring(client.get(room.path("unsubscribe", "bo@example.org")).content)
        foreign = other.xpath("//input[@name='stamp']/@value")[0]
        for stamp in ("", "x", foreign):
            answer = client.post(path, data={"do": "leave", "stamp": stamp})
            assert "Please press the button once more" in answer.text
        assert room.state() == "active"

    def test_asks_again_where_the_page_was_open_for_days_and_keeps_what_was_chosen(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        clock = Clock(monkeypatch)
        path = room.path("unsubscribe")
        stamp = html.fromstring(client.get(path).content).xpath("//input[@name='stamp']/@value")[0]
        clock.later(100_000)
        answer = client.post(path, data={"do": "frequency", "frequency": "weekly", "stamp": stamp})
        chosen = html.fromstring(answer.content).xpath(
            "//input[@name='frequency'][@checked]/@value"
        )
        assert chosen == ["weekly"]
        assert room.row().frequency == "each"

    def test_pauses_for_thirty_days_and_ends_the_pause(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        assert "8 November 2026" in press(client, path, "pause").text
        assert room.row().paused_until == NOW + timedelta(days=30)
        assert room.state() == "active"
        press(client, path, "go on")
        assert room.row().paused_until is None

    @pytest.mark.parametrize("frequency", ["daily", "weekly", "each"])
    def test_changes_how_often(self, client: TestClient, room: Readers, frequency: str):
        answer = press(client, room.path("unsubscribe"), "frequency", frequency=frequency)
        assert "Your changes are saved." in answer.text
        row = room.row()
        assert row.frequency == frequency
        assert (row.digested is None) == (frequency == "each")

    def test_takes_no_frequency_that_there_is_not(self, client: TestClient, room: Readers):
        press(client, room.path("unsubscribe"), "frequency", frequency="hourly")
        assert room.row().frequency == "each"

    def test_leaves_other_newsletters_or_all(self, client: TestClient, room: Readers):
        for desk in ("culture", "sports"):
            room.publishes(desk.capitalize())
            room.news.subscribe(IDA, desk)
        path = room.path("unsubscribe")
        assert "at least one" in press(client, path, "leave others").text
        answer = press(client, path, "leave others", **{"leave-sports": "yes"})
        assert heading(answer) == "You have unsubscribed from Sports"
        assert [room.state(desk=d) for d in ("world", "culture", "sports")] == [
            "active", "active", "unsubscribed",
        ]  # fmt: skip
        answer = press(client, path, "leave all")
        assert heading(answer) == "You have unsubscribed from World and Culture"

    def test_of_nonsense_changes_nothing(self, client: TestClient, room: Readers):
        before = room.show()
        for do in ("", "everything", "come back"):
            stamp = html.fromstring(client.get(room.path("unsubscribe")).content).xpath(
                "//input[@name='stamp']/@value"
            )[0]
            fields = {"do": do, "stamp": stamp, "desk": "../etc"}
            assert client.post(room.path("unsubscribe"), data=fields).status_code == 200
        assert room.show() == before

    def test_too_often_is_refused_for_a_while(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        stamp = html.fromstring(client.get(path).content).xpath("//input[@name='stamp']/@value")[0]
        fields = {"do": "pause", "stamp": stamp}
        for _ in range(personal.CHANGES):
            client.app.state.changes_door.wait_at("1", time.monotonic())  # type: ignore[attr-defined]
        answers = [client.post(path, data=fields).status_code for _ in range(2)]
        assert 429 in answers
        other = press(client, room.path("unsubscribe", "bo@example.org"), "pause")
        assert other.status_code == 200


class TestComingBack:
    def test_takes_a_click_and_puts_the_consent_on_record(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        path = room.path("unsubscribe")
        press(client, path, "leave")
        later = NOW + timedelta(hours=1)
        at(monkeypatch, later)
        shown = html.fromstring(client.get(path).content).xpath("//p[@id='consent-world']")[0].text
        answer = press(client, path, "come back")
        assert heading(answer) == "You get World again"
        row = room.row()
        assert (row.state, row.consent_at, row.consent_ip) == ("active", later, "192.0.2.7")
        assert row.consent_text == shown
        assert row.consent_source == "unsubscribe page, resubscribed"
        causes = [move.cause for move in room.show().subscriptions[0].moves]
        assert causes[-1] == "came back on the page of the link in mailing 1"

    def test_so_soon_keeps_their_place_in_the_digest(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        path = room.path("unsubscribe")
        press(client, path, "frequency", frequency="weekly")
        for days in (0, 3):
            before = room.row().digested
            press(client, path, "leave")
            at(monkeypatch, now := NOW + timedelta(days=days, hours=1 + days))
            press(client, path, "come back")
            assert room.row().digested == (now if days else before)

    def test_makes_new_personal_feeds(self, client: TestClient, room: Readers):
        room.publishes("Culture")
        room.news.subscribe(IDA, "culture")
        room.mail("culture")
        path = room.path("unsubscribe", desk="culture")
        press(client, path, "leave")
        press(client, path, "come back")
        (culture, _) = room.show().subscriptions
        assert [feed.token.revoked for feed in culture.feeds] == [None]

    def test_is_not_offered_to_whom_the_desk_keeps_out(self, client: TestClient, room: Readers):
        room.publishes("Cabinet")
        room.news.subscribe(IDA, "cabinet")
        room.mail("cabinet")
        subscribers.suppress(IDA, "world", "asked by letter", room.out, NOW)
        for desk in ("world", "cabinet"):
            path = room.path("unsubscribe", desk=desk)
            answer = press(client, path, "leave")
            assert "please ask us" in answer.text
            assert not html.fromstring(answer.content).xpath("//button")

    def test_is_refused_to_them_even_if_they_send_the_form(self, client: TestClient, room: Readers):
        path = room.path("unsubscribe")
        press(client, path, "leave")
        stamp = html.fromstring(client.get(path).content).xpath("//input[@name='stamp']/@value")[0]
        subscribers.suppress(IDA, None, "asked by letter", room.out, NOW)
        client.post(path, data={"do": "come back", "desk": "world", "stamp": stamp})
        assert room.state() == "unsubscribed"

    def test_confirms_nobody_who_was_asked_to_confirm_and_has_not(
        self, client: TestClient, room: Readers
    ):
        with room.database() as connection:
            key = room.row(connection=connection).key
            store.change(connection, key, {"state": "pending"}, NOW)
        path = room.path("unsubscribe")
        answer = press(client, path, "leave")
        assert room.state() == "unsubscribed"
        page = html.fromstring(answer.content)
        assert not page.xpath("//button")
        assert page.xpath("//a[@href='../subscribe']")

    def test_is_for_whoever_bounced_or_complained_once_the_desk_allows_it(
        self, client: TestClient, room: Readers
    ):
        for state in ("bounced", "complained"):
            with room.database() as connection:
                row = room.row(connection=connection)
                states.move(connection, row.key, state, "a test", NOW)  # type: ignore[arg-type]
            press(client, room.path("unsubscribe"), "come back")
            assert room.state() == "active"

    def test_leads_nobody_to_a_desk_that_they_never_had(self, client: TestClient, room: Readers):
        room.publishes("Sports")
        path = room.path("unsubscribe")
        stamp = html.fromstring(client.get(path).content).xpath("//input[@name='stamp']/@value")[0]
        client.post(path, data={"do": "come back", "desk": "sports", "stamp": stamp})
        assert [each.row.desk for each in room.show().subscriptions] == ["world"]


def test_a_subscriber_added_again_by_the_desk_leaves_by_an_old_link(
    client: TestClient, room: Readers
) -> None:
    path = room.path("unsubscribe")
    client.post(path, data=ONE_CLICK)
    later = NOW + timedelta(days=1)
    subscribers.add(Person(IDA, consent="wrote to the desk"), "world", room.out, later)
    client.post(path, data=ONE_CLICK)
    assert room.state() == "unsubscribed"
