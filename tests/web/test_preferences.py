"""The preference page: what readers decide, what they are told, and what they cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from starlette.testclient import TestClient
from tests.web.forms_filled import Clock
from tests.web.reader_room import IDA, Readers, at, press, readers
from tests.web.served import NOW

from dispatch.audience import values
from dispatch.newsroom import subscribers
from dispatch.store import subscribers as store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    access = {"access__culture": "members", "access__cabinet": "private"}
    room = readers(tmp_path_factory.mktemp("made"), IDA, "bo@example.org", **access)
    for desk in ("Culture", "Sports", "Cabinet"):
        room.publishes(desk)
    return room


@pytest.fixture
def room(made: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Readers:
    at(monkeypatch, NOW)
    return made.copied(tmp_path)


@pytest.fixture
def client(room: Readers) -> Iterator[TestClient]:
    with room.news.client() as client:
        yield client


def said(answer: Any) -> str:
    return str(html.fromstring(answer.content).xpath("//p[@class='said']")[0].text)


def desks(answer: Any) -> list[str]:
    """The newsletters on the page, those that they get with a star."""
    boxes = html.fromstring(answer.content).xpath("//input[starts-with(@name, 'joins-')]")
    return [b.get("name")[6:] + ("*" if b.get("checked") is not None else "") for b in boxes]


def stamped(client: TestClient, path: str, **fields: str) -> dict[str, str]:
    stamp = html.fromstring(client.get(path).content).xpath("//input[@name='stamp']/@value")[0]
    return {"stamp": stamp, **fields}


class TestNewsletters:
    def test_are_those_that_they_get_or_may_get(self, client: TestClient, room: Readers):
        assert desks(client.get(room.path("preferences"))) == ["world*", "culture", "sports"]
        room.news.subscribe(IDA, "cabinet")
        assert desks(client.get(room.path("preferences"))) == [
            "world*", "cabinet*", "culture", "sports",
        ]  # fmt: skip

    def test_are_joined_with_the_consent_on_record_and_a_welcome(
        self, client: TestClient, room: Readers
    ):
        path = room.path("preferences")
        consent = html.fromstring(client.get(path).content).xpath("//p[@id='consent']")[0].text
        answer = press(
            client, path, "choose", **{"joins-culture": "yes", "often-culture": "weekly"}
        )
        assert said(answer) == "Your changes are saved."
        assert desks(answer) == ["world*", "culture*", "sports"]
        row = room.row(desk="culture")
        assert (row.state, row.frequency, row.email) == ("active", "weekly", IDA)
        assert (row.consent_source, row.consent_text) == ("preference page", consent)
        assert (row.consent_at, row.consent_ip) == (NOW, "192.0.2.7")
        assert row.digested == NOW
        (culture,) = (s for s in room.show().subscriptions if s.row.desk == "culture")
        assert [mail.subject for mail in culture.mails] == ["Welcome to Culture"]
        assert len(culture.feeds) == 1

    def test_are_left_and_joined_again(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        assert desks(press(client, path, "choose", **{"joins-world": ""})) == [
            "world", "culture", "sports",
        ]  # fmt: skip
        assert room.state() == "unsubscribed"
        assert room.copies() == ["suppressed"]
        press(client, path, "choose", **{"joins-world": "yes"})
        assert room.state() == "active"
        assert room.row().consent_source == "preference page"

    def test_come_as_often_as_is_chosen(self, client: TestClient, room: Readers):
        room.news.subscribe(IDA, "sports")
        path = room.path("preferences")
        press(client, path, "choose", **{"often-world": "daily", "often-sports": "weekly"})
        assert (room.row().frequency, room.row(desk="sports").frequency) == ("daily", "weekly")

    def test_that_nobody_touched_stay_as_another_window_has_left_them(
        self, client: TestClient, room: Readers
    ):
        path = room.path("preferences")
        page = html.fromstring(client.get(path).content)
        (form,) = (f for f in page.forms if f.inputs["do"].value == "choose")
        opened = {name: value or "" for name, value in form.form_values()}
        client.post(
            path.replace("preferences", "unsubscribe"), data={"List-Unsubscribe": "One-Click"}
        )
        client.post(path, data={**opened, "joins-sports": "yes"})
        assert room.state() == "unsubscribed"
        assert room.state(desk="sports") == "active"

    def test_that_are_private_or_unknown_cannot_be_joined(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        for slug in ("cabinet", "nowhere", "../etc", ""):
            fields = {"do": "choose", f"was-{slug}": "", f"joins-{slug}": "yes"}
            answer = client.post(path, data=stamped(client, path, **fields))
            assert "could not be changed" in said(answer)
        assert [each.row.desk for each in room.show().subscriptions] == ["world"]

    def test_whose_desk_does_not_mail_them_cannot_be_joined(
        self, client: TestClient, room: Readers
    ):
        subscribers.suppress(IDA, "sports", "asked by letter", room.out, NOW)
        path = room.path("preferences")
        assert desks(client.get(path)) == ["world*", "culture"]
        fields = {"do": "choose", "was-sports": "", "joins-sports": "yes"}
        client.post(path, data=stamped(client, path, **fields))
        assert [each.row.desk for each in room.show().subscriptions] == ["world"]

    def test_cannot_be_joined_by_whoever_has_never_confirmed(
        self, client: TestClient, room: Readers
    ):
        with room.database() as connection:
            key = room.row(connection=connection).key
            store.change(connection, key, {"state": "pending"}, NOW)
        path = room.path("preferences")
        assert desks(client.get(path)) == []
        for slug in ("world", "sports"):
            fields = {"do": "choose", f"was-{slug}": "", f"joins-{slug}": "yes"}
            client.post(path, data=stamped(client, path, **fields))
        assert [(s.row.desk, s.row.state) for s in room.show().subscriptions] == [
            ("world", "pending")
        ]


class TestPause:
    def test_is_for_all_that_they_get(self, client: TestClient, room: Readers):
        room.news.subscribe(IDA, "sports")
        path = room.path("preferences")
        answer = press(client, path, "pause")
        assert answer.text.count("8 November 2026") == 3
        until = NOW + timedelta(days=30)
        assert [room.row(desk=d).paused_until for d in ("world", "sports")] == [until, until]
        press(client, path, "go on")
        assert [room.row(desk=d).paused_until for d in ("world", "sports")] == [None, None]

    def test_is_over_by_itself(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        path = room.path("preferences")
        press(client, path, "pause")
        at(monkeypatch, NOW + timedelta(days=31))
        assert "Pause for 30 days" in client.get(path).text


class TestFacts:
    def test_hold_at_every_desk(self, client: TestClient, room: Readers):
        room.news.subscribe(IDA, "sports", name="I. Marlow")
        facts = {"name": "  Ida\u202e Marlow ", "language": "de", "timezone": "Europe/Vienna"}
        answer = press(client, room.path("preferences"), "describe", **facts)
        assert said(answer) == "Ihre Änderungen sind gespeichert."
        for desk in ("world", "sports"):
            row = room.row(desk=desk)
            assert (row.name, row.language, row.timezone) == (
                "Ida Marlow", "de", "Europe/Vienna",
            )  # fmt: skip

    def test_can_be_taken_away(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        press(client, path, "describe", name="Ida", language="fr", timezone="Asia/Tokyo")
        press(client, path, "describe", name="", language="", timezone="")
        row = room.row()
        assert (row.name, row.language, row.timezone) == (None, None, None)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "x" * (values.LONGEST_NAME + 1)),
            ("language", "tlh"),
            ("language", "<b>"),
            ("timezone", "Middle-earth/Shire"),
            ("timezone", "../../etc/passwd"),
        ],
    )
    def test_that_cannot_be_are_marked_and_nothing_is_lost(
        self, client: TestClient, room: Readers, field: str, value: str
    ):
        good = {"name": "Ida", "language": "es", "timezone": "Asia/Tokyo"}
        answer = press(client, room.path("preferences"), "describe", **{**good, field: value})
        page = html.fromstring(answer.content)
        (marked,) = page.xpath("//*[@aria-invalid='true']")
        assert marked.get("name") == field
        (mistake,) = page.xpath(f"//p[@id='{marked.get('aria-describedby')}']")
        assert mistake.text
        for name in set(good) - {field}:
            (kept,) = page.xpath(
                f"//input[@name='{name}']/@value | //select[@name='{name}']//option[@selected]/@value"
            )
            assert kept == good[name]
        row = room.row()
        assert (row.name, row.language, row.timezone) == (None, None, None)

    def test_keep_what_is_known_although_it_is_no_choice(self, client: TestClient, room: Readers):
        with room.database() as connection:
            facts = {"language": "de-AT", "timezone": "Europe/Kyiv"}
            store.change(connection, room.row(connection=connection).key, facts, NOW)
        press(client, room.path("preferences"), "describe", name="Ida")
        row = room.row()
        assert (row.name, row.language, row.timezone) == ("Ida", "de-AT", "Europe/Kyiv")

    def test_of_a_name_are_text_and_nothing_else(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        answer = press(client, path, "describe", name='"><script>alert(1)</script>')
        assert b"<script" not in answer.content
        assert room.row().name == '"><script>alert(1)</script>'


class TestFeeds:
    def test_are_shown_to_whoever_has_them_and_can_be_made_anew(
        self, client: TestClient, room: Readers
    ):
        path = room.path("preferences")
        assert "Your own feeds" not in client.get(path).text
        press(client, path, "choose", **{"joins-culture": "yes"})
        first = self.addresses(client.get(path))
        assert [form.rpartition(".")[2] for form in first] == ["rss", "atom", "json"]
        second = self.addresses(press(client, path, "feeds"))
        assert set(first).isdisjoint(second)
        assert client.get(first[0].removeprefix("https://news.example.org")).status_code == 404
        assert client.get(second[0].removeprefix("https://news.example.org")).status_code == 200

    def test_of_others_cannot_be_made(self, client: TestClient, room: Readers):
        room.news.subscribe("bo@example.org", "culture")
        path = room.path("preferences")
        client.post(path, data=stamped(client, path, do="feeds", desk="culture"))
        assert all(not each.feeds for each in room.show("bo@example.org").subscriptions)

    @staticmethod
    def addresses(answer: Any) -> list[str]:
        return [
            str(a) for a in html.fromstring(answer.content).xpath("//a[@class='address']/@href")
        ]


class TestData:
    def test_is_all_that_is_known_as_a_file(self, client: TestClient, room: Readers):
        room.news.subscribe(IDA, "sports")
        answer = client.get(room.path("preferences") + "/data")
        assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == json.loads(json.dumps(room.show().to_json()))
        assert {each["desk"] for each in answer.json()["subscriptions"]} == {"sports", "world"}

    def test_is_for_the_holder_of_the_link_alone(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        assert client.get(path[:-1] + "/data").status_code == 404
        assert client.get(path.replace("/world/", "/sports/") + "/data").status_code == 404


class TestDeletion:
    def test_takes_a_second_page_and_is_for_good(self, client: TestClient, room: Readers):
        room.news.subscribe(IDA, "sports")
        path = room.path("preferences")
        assert room.show().is_known
        answer = client.post(path + "/delete", data=stamped(client, path + "/delete"))
        assert "Everything about you is deleted" in answer.text
        shown = room.show()
        assert shown.subscriptions == []
        assert shown.forgotten == NOW
        assert room.copies("bo@example.org") == ["queued"]
        assert room.proven()
        for file in room.out.glob("dispatch.db*"):
            assert b"ida@example" not in file.read_bytes()
        assert "Nothing is kept about you" in client.get(path).text

    def test_takes_a_stamp_of_its_own_page(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        for fields in ({}, stamped(client, path)):
            answer = client.post(path + "/delete", data=fields)
            assert "Please press the button once more" in answer.text
        assert room.state() == "active"


class TestForms:
    def test_are_asked_for_again_where_the_page_was_open_for_days(
        self, client: TestClient, room: Readers, monkeypatch: pytest.MonkeyPatch
    ):
        clock = Clock(monkeypatch)
        path = room.path("preferences")
        fields = stamped(client, path, do="describe", name="Ida Marlow")
        clock.later(100_000)
        answer = client.post(path, data=fields)
        assert "Please press the button once more" in answer.text
        assert 'value="Ida Marlow"' in answer.text
        assert room.row().name is None

    def test_of_another_site_are_refused(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        fields = stamped(client, path, do="pause")
        assert client.post(path, data=fields, headers=foreign).status_code == 403
        assert room.row().paused_until is None

    def test_can_have_a_hundred_newsletters(self, client: TestClient, room: Readers):
        path = room.path("preferences")
        many = {f"was-desk{n}": "" for n in range(120)} | {
            f"often-desk{n}": "each" for n in range(120)
        }
        answer = client.post(path, data=stamped(client, path, do="choose", **many))
        assert said(answer) == "Your changes are saved."
        assert client.post(path, data={f"f{n}": "" for n in range(500)}).status_code == 400

    def test_have_a_label_for_every_field(self, client: TestClient, room: Readers):
        page = html.fromstring(client.get(room.path("preferences")).content)
        for control in page.xpath("//input[not(@type='hidden')] | //select"):
            inside = control.xpath("ancestor::label")
            assert inside or page.xpath(f"//label[@for='{control.get('id')}']")
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
