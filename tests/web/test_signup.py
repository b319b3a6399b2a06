"""Signing up over HTTP: the page, the form in other sites' pages, JSON, and what strangers try."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from tests.newsroom.signing_up import Desk, desk_in
from tests.web.forms_filled import Clock, fields, form_of
from tests.web.served import SITE_URL, Newsroom

from dispatch.newsroom import subscribers
from dispatch.web.app import create
from dispatch.web.door import Door
from dispatch.web.site import Site

PAGE = "/world/subscribe"
FRAMED = "/world/subscribe/form"
JSON = "/world/subscribe.json"
FRIEND = "https://www.example.org"
STRANGER = "https://evil.example"
CONSENT = "Yes, send me the World newsletter."


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    room = desk_in(tmp_path)
    monkeypatch.setattr(Site, "now", staticmethod(lambda: room.now))
    room.own(form_origins=f"{FRIEND} https://other.example.org", privacy_url=f"{FRIEND}/privacy")
    return room


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def client(desk: Desk, clock: Clock) -> Iterator[TestClient]:
    with served(desk) as client:
        yield client


def served(desk: Desk, address: str = "192.0.2.7") -> Any:
    return Newsroom(desk.out, desk.settings).client(address=address)


def sign_up(client: TestClient, clock: Clock, path: str = PAGE, **typed: str) -> Any:
    """Fill in the form and send it, ten seconds later."""
    filled = form_of(client, path)
    clock.later(10)
    return client.post(path, data=filled | typed)


class TestPage:
    def test_tells_browsers_and_screen_readers_what_is_asked(self, client: TestClient):
        page = html.fromstring(client.get(PAGE).content)
        (email,) = page.xpath("//input[@type='email']")
        assert email.get("autocomplete") == "email"
        assert email.get("required") is not None
        assert page.xpath(f"//label[@for='{email.get('id')}']")[0].text == "Your email address"
        (trap,) = page.xpath("//input[@name='website']")
        assert trap.get("tabindex") == "-1"
        assert trap.getparent().get("aria-hidden") == "true"
        assert page.xpath(f"//a[@href='{FRIEND}/privacy']")
        assert not page.xpath("//script | //*[@style] | //*[@onclick]")

    @pytest.mark.parametrize(
        ("accept", "asked", "language"),
        [
            ("de-AT,de;q=0.9", "", "de"),
            ("de", "?language=fr", "fr"),
            ("tlh", "?language=%00%00", "en"),
            ("ar", "?language=" + "x" * 5000, "ar"),
        ],
    )
    def test_speaks_the_readers_language(
        self, client: TestClient, accept: str, asked: str, language: str
    ):
        answer = client.get(PAGE + asked, headers={"Accept-Language": accept})
        assert answer.headers["Content-Language"] == language
        assert fields(answer.content)["language"] == language

    def test_is_not_kept_and_is_in_no_frame(self, client: TestClient):
        answer = client.get(PAGE)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers

    def test_head_and_get_write_nothing(self, client: TestClient, desk: Desk):
        for path in (PAGE, FRAMED, f"{PAGE}/thanks", f"{FRAMED}/thanks"):
            query = {"email": "ida@example.org"}
            assert client.head(path, params=query).status_code == 200
            assert client.get(path, params=query).status_code == 200
        assert desk.rows() == []

    @pytest.mark.parametrize("slug", ["nowhere", "WORLD", "world%00", "w%2Forld", "a" * 500])
    def test_of_no_desk(self, client: TestClient, slug: str):
        for path in ("subscribe", "subscribe/form", "subscribe/thanks"):
            assert client.get(f"/{slug}/{path}").status_code == 404
        assert client.post(f"/{slug}/subscribe.json", json={}).status_code == 404

    @pytest.mark.parametrize("path", [PAGE, FRAMED, f"{PAGE}/thanks"])
    def test_of_a_private_desk(self, desk: Desk, clock: Clock, path: str):
        desk.own(access="private")
        with served(desk) as client:
            assert client.get(path).status_code == 404
            assert client.post(path, data={"email": "ida@example.org"}).status_code in (404, 405)
            posted = client.post(JSON, json={"email": "ida@example.org", "consent": CONSENT})
            assert posted.status_code == 404
        assert desk.rows() == []


class TestForm:
    def test_writes_down_what_was_asked_for(self, client: TestClient, clock: Clock, desk: Desk):
        answer = sign_up(client, clock, email=" Ida@Example.ORG ", frequency="weekly")
        assert answer.status_code == 303
        (row,) = desk.rows()
        assert (row.email, row.address_key) == ("Ida@example.org", "ida@example.org")
        assert (row.desk, row.frequency, row.language) == ("world", "weekly", "en")
        assert (row.source, row.ip, row.done) == ("sign-up page", "192.0.2.7", None)

    @pytest.mark.parametrize("language", ["en", "de", "ar"])
    def test_keeps_the_consent_as_it_was_shown(
        self, client: TestClient, clock: Clock, desk: Desk, language: str
    ):
        page = client.get(PAGE, params={"language": language}).content
        clock.later(10)
        client.post(PAGE, data=fields(page) | {"email": "ida@example.org"})
        (row,) = desk.rows()
        assert row.text in " ".join(html.fromstring(page).text_content().split())
        assert "World" in row.text

    def test_leads_to_thanks_that_are_the_same_for_everybody(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        desk.join("known@example.org")
        subscribers.suppress("no@example.org", None, "a test", desk.out, desk.now)
        answers = [
            sign_up(client, clock, email=email)
            for email in ("known@example.org", "new@example.org", "no@example.org")
        ]
        assert len({(a.status_code, a.headers["Location"], a.content) for a in answers}) == 1
        pages = [client.get(f"{PAGE}/thanks?language=en").content for _ in answers]
        assert len(set(pages)) == 1
        assert b"@example.org" not in pages[0].replace(b"name@example.org", b"")

    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        answer = sign_up(client, clock, email='ida@"><script>', frequency="daily")
        assert answer.status_code == 422
        page = html.fromstring(answer.content)
        (email,) = page.xpath("//input[@type='email']")
        assert email.get("value") == 'ida@"><script>'
        assert email.get("aria-invalid") == "true"
        (said,) = page.xpath(f"//*[@id='{email.get('aria-describedby')}']")
        assert "name@example.org" in said.text
        assert fields(answer.content)["frequency"] == "daily"
        assert desk.rows() == []
        clock.later(3)
        again = client.post(PAGE, data=fields(answer.content) | {"email": "ida@example.org"})
        assert again.status_code == 303
        assert len(desk.rows()) == 1

    def test_a_name_is_taken_where_a_form_of_the_newsrooms_asks_for_one(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        sign_up(client, clock, email="ida@example.org", name="Ida Marlow")
        assert desk.rows()[0].name == "Ida Marlow"

    def test_redirects_nowhere_else(self, client: TestClient, clock: Clock):
        filled = form_of(client, PAGE)
        clock.later(10)
        answer = client.post(
            PAGE,
            data=filled | {"email": "ida@example.org", "language": "//evil.example\r\nX: y"},
            headers={"X-Forwarded-Host": "evil.example"},
        )
        assert answer.headers["Location"] == "subscribe/thanks?language=en"


class TestMachines:
    def test_that_fill_in_everything_are_thanked_and_forgotten(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        trapped = sign_up(client, clock, email="ida@example.org", website="https://evil.example")
        person = sign_up(client, clock, email="bo@example.org")
        assert (trapped.status_code, trapped.headers["Location"], trapped.content) == (
            person.status_code,
            person.headers["Location"],
            person.content,
        )
        assert [row.email for row in desk.rows()] == ["bo@example.org"]

    def test_that_are_faster_than_people_too(self, client: TestClient, clock: Clock, desk: Desk):
        filled = form_of(client, PAGE) | {"email": "ida@example.org"}
        clock.later(1)
        assert client.post(PAGE, data=filled).status_code == 303
        assert desk.rows() == []
        clock.later(1)
        assert client.post(PAGE, data=filled).status_code == 303
        assert len(desk.rows()) == 1

    @pytest.mark.parametrize("stamp", [None, "", "x", "." * 3000, "é"])
    def test_without_a_stamp_get_the_form(
        self, client: TestClient, clock: Clock, desk: Desk, stamp: str | None
    ):
        filled = form_of(client, PAGE) | {"email": "ida@example.org"}
        del filled["stamp"]
        answer = client.post(PAGE, data=filled | ({"stamp": stamp} if stamp is not None else {}))
        assert answer.status_code == 200
        assert b'role="alert"' in answer.content
        assert fields(answer.content)["email"] == "ida@example.org"
        assert desk.rows() == []

    def test_a_stamp_is_good_for_one_form_of_one_desk(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        subscribers.add(subscribers.Person("bo@example.org"), "sport", desk.out, desk.now)
        filled = form_of(client, FRAMED) | {"email": "ida@example.org"}
        clock.later(10)
        assert client.post(PAGE, data=filled).status_code == 200
        assert client.post("/sport/subscribe", data=filled).status_code == 200
        assert desk.rows() == []

    def test_a_form_of_the_day_before_yesterday_takes_one_more_click(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        filled = form_of(client, PAGE) | {"email": "ida@example.org"}
        clock.later(2 * 86_400)
        answer = client.post(PAGE, data=filled)
        assert answer.status_code == 200
        clock.later(3)
        assert client.post(PAGE, data=fields(answer.content)).status_code == 303
        assert len(desk.rows()) == 1

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"x" * 20_000, "application/x-www-form-urlencoded", 413),
            (b"a=1&" * 600, "application/x-www-form-urlencoded", 400),
            (b"email=%ff%fe", "application/x-www-form-urlencoded", 400),
            (b"{}", "text/plain", 415),
        ],
    )
    def test_what_is_no_form(
        self, client: TestClient, desk: Desk, body: bytes, kind: str, status: int
    ):
        answer = client.post(PAGE, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status
        assert desk.rows() == []


class TestFlood:
    def test_of_one_place_ends_at_the_door(self, desk: Desk, clock: Clock):
        desk.set(signups_per_ip=3)
        with served(desk) as client:
            codes = [sign_up(client, clock, email=f"r{n}@example.org") for n in range(5)]
            assert [code.status_code for code in codes] == [303, 303, 303, 429, 429]
            assert 0 < int(codes[-1].headers["Retry-After"]) <= 1200
            posted = client.post(JSON, json={"email": "x@example.org", "consent": CONSENT})
            assert posted.status_code == 429  # one limit for every path
        assert len(desk.rows()) == 3

    def test_wrong_addresses_cost_nobody_their_turn(self, desk: Desk, clock: Clock):
        desk.set(signups_per_ip=1)
        with served(desk) as client:
            for _ in range(5):
                assert sign_up(client, clock, email="ida").status_code == 422
            assert sign_up(client, clock, email="ida@example.org").status_code == 303

    def test_an_allowance_fills_up_again(self):
        door = Door(60)
        assert [door.wait("192.0.2.1", 0.0) for _ in range(61)] == [0] * 60 + [61]
        assert door.wait("192.0.2.1", 30.0) > 0
        assert door.wait("192.0.2.1", 91.0) == 0
        assert door.wait("192.0.2.1", 91.0) > 0

    def test_an_allowance_may_be_for_a_minute(self):
        door = Door(2, per=60)
        assert [door.wait("192.0.2.1", now) for now in (0.0, 0.0, 0.5)] == [0, 0, 30]
        assert door.wait("192.0.2.1", 31.0) == 0

    def test_a_site_of_ipv6_is_one_place(self):
        door = Door(1)
        assert door.wait("2001:db8:1:2::1", 0.0) == 0
        assert door.wait("2001:db8:1:2:ffff::1", 0.0) > 0
        assert door.wait("2001:db8:1:3::1", 0.0) == 0

    def test_no_limit(self):
        door = Door(0)
        assert {door.wait("192.0.2.1", 0.0) for _ in range(1000)} == {0}
        assert len(door) == 0

    def test_of_many_places_takes_no_more_memory(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("dispatch.web.door._MOST_PLACES", 100)
        door = Door(1)
        for n in range(1000):
            door.wait(f"2001:db8:{n:x}::1", float(n))
        assert len(door) == 100


class TestFormInOtherSites:
    def test_may_be_held_by_the_desks_sites_alone(self, client: TestClient):
        answer = client.get(FRAMED)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors {FRIEND} https://other.example.org")
        assert "X-Frame-Options" not in answer.headers

    def test_stays_in_its_frame(self, client: TestClient, clock: Clock, desk: Desk):
        answer = sign_up(client, clock, FRAMED, email="ida@example.org")
        assert answer.headers["Location"] == "form/thanks?language=en"
        thanks = client.get(f"{FRAMED}/thanks")
        assert FRIEND in thanks.headers["Content-Security-Policy"]
        assert desk.rows()[0].source == "sign-up form in another site's page"

    def test_is_there_only_where_a_site_is_named(self, desk: Desk, clock: Clock):
        desk.set(values={})
        with served(desk) as client:
            assert client.get(FRAMED).status_code == 404
            assert client.get(f"{FRAMED}/thanks").status_code == 404
            assert client.post(FRAMED, data={"email": "x@example.org"}).status_code == 404

    def test_a_plain_form_of_another_site_takes_one_more_click(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        told = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
        answer = client.post(PAGE, data={"email": "ida@example.org"}, headers=told)
        assert answer.status_code == 200
        assert desk.rows() == []
        clock.later(3)
        assert client.post(PAGE, data=fields(answer.content)).status_code == 303

    def test_a_form_of_a_strangers_site_is_refused(
        self, client: TestClient, clock: Clock, desk: Desk
    ):
        filled = form_of(client, PAGE) | {"email": "ida@example.org"}
        clock.later(10)
        told = {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"}
        assert client.post(PAGE, data=filled, headers=told).status_code == 403
        assert desk.rows() == []


def post(client: TestClient, given: object = None, **headers: str) -> Any:
    body = {"email": "ida@example.org", "consent": CONSENT} if given is None else given
    return client.post(JSON, json=body, headers=headers)


class TestJson:
    def test_is_accepted(self, client: TestClient, desk: Desk):
        answer = post(
            client,
            {
                "email": "Ida@example.org",
                "consent": f" {CONSENT} ",
                "frequency": "daily",
                "language": "de-AT",
                "name": "Ida Marlow",
            },
            Origin=FRIEND,
        )
        assert answer.status_code == 202
        assert answer.json()["status"] == "accepted"
        (row,) = desk.rows()
        assert (row.email, row.text, row.frequency) == ("Ida@example.org", CONSENT, "daily")
        assert (row.language, row.name, row.source) == ("de", "Ida Marlow", f"form on {FRIEND}")

    def test_says_the_same_of_everybody(self, client: TestClient, desk: Desk):
        desk.join("known@example.org")
        emails = ("known@example.org", "new@example.org")
        answers = [post(client, {"email": email, "consent": CONSENT}) for email in emails]
        assert len({(a.status_code, a.content) for a in answers}) == 1
        assert len({tuple(sorted(set(a.headers) - {"x-request-id"})) for a in answers}) == 1

    @pytest.mark.parametrize(
        "given",
        [
            {},
            [],
            "text",
            {"email": "ida@example.org"},
            {"email": "ida@example.org", "consent": " "},
            {"email": "ida@example.org", "consent": "x" * 2001},
            {"email": "ida", "consent": CONSENT},
            {"email": 7, "consent": CONSENT},
            {"email": ["ida@example.org"], "consent": CONSENT},
            {"email": "ida@example.org", "consent": CONSENT, "frequency": "hourly"},
            {"email": "ida@example.org", "consent": CONSENT, "name": {}},
            {"email": "ida@example.org\r\nBcc: x@example.org", "consent": CONSENT},
        ],
    )
    def test_that_is_wrong_is_told_so(self, client: TestClient, desk: Desk, given: object):
        answer = post(client, given, Origin=FRIEND)
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND  # so that it can be read
        assert desk.rows() == []

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"{}", "text/plain", 415),
            (b"email=ida@example.org", "application/x-www-form-urlencoded", 415),
            (b"x" * 9000, "application/json", 413),
            (b"[" * 8000, "application/json", 422),
            (b"{", "application/json", 422),
            (b"\xff\xfe", "application/json", 422),
            (b"", "application/json", 422),
            (b'{"email": NaN}', "application/json", 422),
        ],
    )
    def test_that_is_none(self, client: TestClient, body: bytes, kind: str, status: int):
        answer = client.post(JSON, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status

    @given(st.dictionaries(st.sampled_from(["email", "consent", "name", "language"]), st.text()))
    @settings(max_examples=60)
    def test_of_any_kind_is_answered(self, given: dict[str, str]):
        answer = _shared_client().post(JSON, json=given)
        assert answer.status_code in (202, 422)


_clients: list[TestClient] = []


def _shared_client() -> TestClient:
    """One for many examples; it is let go with the process."""
    if not _clients:
        from tempfile import mkdtemp

        room = desk_in(Path(mkdtemp()))
        room.set(signups_per_ip=0)
        app = create(Site(room.out, room.settings))
        _clients.append(TestClient(app, base_url=SITE_URL))
    return _clients[0]


class TestOtherSitesScripts:
    """CORS (Fetch, 3.2): by a list of names, never for everybody, and never with credentials."""

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            (FRIEND, True),
            ("https://other.example.org", True),
            (STRANGER, False),
            ("http://www.example.org", False),
            ("https://www.example.org:8443", False),
            ("https://www.example.org.evil.example", False),
            ("https://evil.example/https://www.example.org", False),
            ("null", False),
            ("*", False),
            ("", False),
        ],
    )
    def test_preflight(self, client: TestClient, origin: str, allowed: bool):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = client.options(JSON, headers=headers)
        assert answer.status_code == (204 if allowed else 403)
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        if allowed:
            assert answer.headers["Access-Control-Allow-Methods"] == "POST"
            assert answer.headers["Access-Control-Allow-Headers"] == "content-type"

    def test_a_page_of_one_of_the_desks_sites_may_post(self, client: TestClient, desk: Desk):
        answer = post(client, Origin=FRIEND, **{"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 202
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert len(desk.rows()) == 1

    def test_a_strangers_page_may_not(self, client: TestClient, desk: Desk):
        for told in ({"Sec-Fetch-Site": "cross-site"}, {}):
            answer = post(client, Origin=STRANGER, **told)
            assert answer.status_code == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert desk.rows() == []

    def test_a_program_has_no_origin_and_may(self, client: TestClient, desk: Desk):
        answer = post(client)
        assert answer.status_code == 202
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert desk.rows()[0].source == "form of a program"


def test_many_at_once_lose_nobody(desk: Desk, clock: Clock):
    desk.set(signups_per_ip=0)
    with served(desk) as client:

        def go(n: int) -> int:
            given = {"email": f"r{n}@example.org", "consent": CONSENT}
            return int(client.post(JSON, json=given).status_code)

        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(go, range(200)))
    assert set(codes) == {202}
    assert len({row.email for row in desk.rows()}) == 200


def test_nothing_of_anybody_is_looked_up_on_the_way(client: TestClient, clock: Clock, desk: Desk):
    """What is done is the same statement for every address: so is the time that it takes."""
    desk.join("known@example.org")
    asked: list[str] = []
    sign_up(client, clock, email="first@example.org")

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement.split(maxsplit=1)[0] + " " + statement.split()[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        seen = []
        for email in ("known@example.org", "new@example.org"):
            filled = form_of(client, PAGE) | {"email": email}
            clock.later(10)
            asked.clear()
            client.post(PAGE, data=filled)
            seen.append(tuple(asked))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert seen[0] == seen[1]
    assert [statement for statement in seen[0] if "SELECT" in statement] == []
