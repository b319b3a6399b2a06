"""What every request goes through, and what is said where something is the matter with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.web.served import SITE_URL, Newsroom, newsroom

from dispatch import settings
from dispatch.errors import StoreError
from dispatch.settings import Settings
from dispatch.web.app import create
from dispatch.web.layers.hosts import Hosts
from dispatch.web.layers.proxies import Proxies
from dispatch.web.site import Site

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROXY = "10.0.0.1"


async def who(request: Request) -> Response:
    """Tells what is known of a request."""
    client = request.client.host if request.client else None
    return JSONResponse({"client": client, "scheme": request.url.scheme})


async def fails(request: Request) -> Response:
    kind = request.query_params["kind"]
    if kind == "status":
        raise HTTPException(int(request.query_params["status"]))
    if kind == "store":
        raise StoreError("/srv/dispatch.db cannot be read.")
    raise ValueError("ann@example.org is not what was wanted")


async def takes(_request: Request) -> Response:
    return PlainTextResponse("taken")


@contextmanager
def client(
    room: Newsroom, *routes: Route, address: str = "192.0.2.7", url: str = SITE_URL
) -> Iterator[TestClient]:
    """A client of the site with more addresses: ``/who``, ``/fails`` and ``routes``."""
    app = create(Site(room.out, room.settings))
    app.router.routes[:0] = [Route("/who", who), Route("/fails", fails), *routes]
    with TestClient(app, base_url=url, follow_redirects=False, client=(address, 5000)) as made:
        yield made


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return newsroom(tmp_path_factory.mktemp("room"))


def loaded(**variables: str) -> Settings:
    given_ = {f"DISPATCH_{name}": value for name, value in variables.items()}
    common = {"DISPATCH_SITE_URL": SITE_URL, "DISPATCH_DESK": "World"}
    return settings.load({**common, **given_})


def trusting(room: Newsroom, proxies: str) -> Newsroom:
    """The same newsroom behind proxies."""
    return Newsroom(room.out, loaded(TRUSTED_PROXIES=proxies))


class TestNames:
    """The site answers to its own names and to no other."""

    @pytest.mark.parametrize(
        "host",
        ["news.example.org", "NEWS.example.org", "news.example.org.", "news.example.org:443"],
    )
    def test_its_own(self, room: Newsroom, host: str) -> None:
        with client(room) as reader:
            assert reader.get("/who", headers={"host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "news.example.org.evil.example",
            "evil.example:443",
            "xnews.example.org",
            "192.0.2.80",
            "[2001:db8::1]",
        ],
    )
    def test_another_is_misdirected(self, room: Newsroom, host: str) -> None:
        with client(room) as reader:
            answer = reader.get("/who", headers={"host": host})
        assert answer.status_code == 421

    @pytest.mark.parametrize(
        "host",
        ["", "a b", "news.example.org@evil.example", "news.example.org/x", "a,b", "a:b", "é"],
    )
    def test_none_at_all_is_refused(self, room: Newsroom, host: str) -> None:
        with client(room) as reader:
            answer = reader.get("/who", headers={b"host": host.encode("latin-1")})  # type: ignore[dict-item]
        assert answer.status_code == 400

    def test_two_are_none(self, room: Newsroom) -> None:
        with client(room) as reader:
            twice = [("host", "news.example.org"), ("host", "news.example.org")]
            assert reader.get("/who", headers=twice).status_code == 400  # type: ignore[arg-type]

    def test_a_desk_may_have_a_site_of_its_own_and_there_may_be_more(self) -> None:
        hosts = Hosts(
            loaded(
                SITE_URL__ASIA_PACIFIC="https://asia.example.org/news",
                HOSTS="www.example.org Bücher.example",
            )
        )
        for name in ("asia.example.org", "www.example.org", "xn--bcher-kva.example"):
            assert hosts.know(name)
        assert not hosts.know("example.org")

    def test_a_host_that_is_none_is_told(self) -> None:
        with pytest.raises(settings.SettingsError, match="DISPATCH_HOSTS cannot be used: a/b"):
            Hosts(loaded(HOSTS="a/b"))

    def test_this_machine_s_names_count_where_nobody_else_can_ask(self) -> None:
        here, anywhere = Hosts(loaded()), Hosts(loaded(LISTEN="0.0.0.0:8000"))
        for name in ("localhost:8000", "127.0.0.1", "[::1]:8000", "127.8.8.8"):
            assert here.know(name)
            assert not anywhere.know(name)

    @given(st.text(max_size=80))
    def test_whatever_stands_there_it_is_one_of_ours_or_it_is_not(self, host: str) -> None:
        hosts = Hosts(loaded(LISTEN="192.0.2.80:80"))
        try:
            known = hosts.know(host)
        except ValueError:
            return
        assert not known or host.lower().startswith("news.example.org")

    def test_nothing_is_built_from_it(self, room: Newsroom) -> None:
        """No address is completed with a redirect to the host that somebody named."""
        with client(room) as reader:
            answer = reader.get("/who/", headers={"host": "localhost:1234"})
        assert answer.status_code == 404
        assert "location" not in answer.headers


class TestProxies:
    """Who a request comes from is what a named proxy says, and nobody else."""

    @pytest.mark.parametrize(
        ("forwarded", "told"),
        [
            ("198.51.100.4", "198.51.100.4"),
            ("203.0.113.9, 198.51.100.4", "198.51.100.4"),  # what it was told is not believed
            ("203.0.113.9, 198.51.100.4, 10.0.0.9", "198.51.100.4"),  # two proxies of ours
            ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
            ("198.51.100.4:51234", "198.51.100.4"),
            ("[2001:db8::4]:51234", "2001:db8::4"),
            ("2001:DB8::4", "2001:db8::4"),
            ("::ffff:198.51.100.4", "198.51.100.4"),
            ("198.51.100.4, unknown", PROXY),
            ("198.51.100.4, , 10.0.0.9", "10.0.0.9"),
            ("", PROXY),
            ("<script>", PROXY),
            ("fe80::1%<script>", PROXY),
        ],
    )
    def test_the_right_most_that_is_no_proxy(
        self, room: Newsroom, forwarded: str, told: str
    ) -> None:
        with client(trusting(room, "10.0.0.0/24"), address=PROXY) as proxy:
            answer = proxy.get("/who", headers={"x-forwarded-for": forwarded})
        assert answer.json()["client"] == told

    def test_several_lines_are_one(self, room: Newsroom) -> None:
        room = trusting(room, PROXY)
        lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.4")]
        with client(room, address=PROXY) as proxy:
            assert proxy.get("/who", headers=lines).json()["client"] == "198.51.100.4"  # type: ignore[arg-type]

    def test_nobody_else_is_believed(self, room: Newsroom) -> None:
        room = trusting(room, "10.0.0.0/24")
        forged = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
        with client(room, url="http://news.example.org") as stranger:
            told = stranger.get("/who", headers=forged).json()
        assert told == {"client": "192.0.2.7", "scheme": "http"}

    @pytest.mark.parametrize(
        ("proto", "scheme"),
        [
            ("https", "https"),
            ("http, https", "https"),
            ("HTTPS", "https"),
            ("ftp", "http"),
            ("", "http"),
        ],
    )
    def test_the_scheme_is_what_it_says(self, room: Newsroom, proto: str, scheme: str) -> None:
        room = trusting(room, PROXY)
        headers = {"x-forwarded-proto": proto, "forwarded": "for=203.0.113.9;proto=https"}
        with client(room, address=PROXY, url="http://news.example.org") as proxy:
            assert proxy.get("/who", headers=headers).json()["scheme"] == scheme

    def test_a_proxy_that_is_not_named_is_told_once(
        self, room: Newsroom, caplog: pytest.LogCaptureFixture
    ) -> None:
        with client(room) as stranger:
            for _ in range(3):
                stranger.get("/who", headers={"x-forwarded-for": "203.0.113.9"})
        said = [line for line in caplog.messages if "DISPATCH_TRUSTED_PROXIES" in line]
        assert len(said) == 1
        assert "203.0.113.9" not in said[0]

    @given(st.text(st.characters(codec="latin-1"), max_size=300))
    def test_whatever_is_forwarded_the_client_is_an_address(self, forwarded: str) -> None:
        proxies = Proxies(["10.0.0.0/8", "::1"])
        assert ip_address(proxies.client("10.0.0.1", forwarded))


class TestRequestIds:
    def test_each_has_one_of_its_own(self, room: Newsroom) -> None:
        with client(room) as reader:
            first, second = (reader.get("/who").headers["x-request-id"] for _ in range(2))
        assert first != second
        assert first.isalnum()

    def test_a_proxy_s_is_kept_where_it_is_well_formed(self, room: Newsroom) -> None:
        with client(trusting(room, PROXY), address=PROXY) as proxy:
            for told, kept in (
                ("0af7651916cd43dd", True),
                ("short", False),
                ("a" * 65, False),
                ('with "quotes"', False),
                ("inject\tion", False),
            ):
                answer = proxy.get("/who", headers={"x-request-id": told})
                assert (answer.headers["x-request-id"] == told) is kept

    def test_a_stranger_s_is_not(self, room: Newsroom) -> None:
        with client(room) as stranger:
            answer = stranger.get("/who", headers={"x-request-id": "0af7651916cd43dd"})
        assert answer.headers["x-request-id"] != "0af7651916cd43dd"


class TestFormsOfOtherSites:
    """What another site makes a browser send is refused (CSRF), but where that is meant."""

    @pytest.fixture
    def reader(self, room: Newsroom) -> Iterator[TestClient]:
        room = Newsroom(room.out, loaded(FORM_ORIGINS__WORLD="https://www.example.org"))
        addresses = (
            "/world/preferences/{token}",
            "/world/unsubscribe/{token}",
            "/world/subscribe",
            "/sport/subscribe",
            "/webhooks/postmark",
            "/api/v1/articles",
        )
        routes = [Route(path, takes, methods=["GET", "POST"]) for path in addresses]
        with client(room, *routes) as reader:
            yield reader

    @pytest.mark.parametrize(
        ("headers", "taken"),
        [
            ({}, True),  # a program
            ({"sec-fetch-site": "same-origin", "origin": "null"}, True),  # our page: no referrer
            ({"sec-fetch-site": "none"}, True),  # typed, or a bookmark
            ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
            ({"sec-fetch-site": "same-site", "origin": "https://shop.example.org"}, False),
            ({"sec-fetch-site": "cross-site", "origin": SITE_URL}, False),
            ({"sec-fetch-site": "nonsense"}, False),
            ({"origin": SITE_URL}, True),  # browsers that do not say more
            ({"origin": "null"}, True),
            ({"origin": "https://evil.example"}, False),
            ({"origin": "https://news.example.org.evil.example"}, False),
            ({"origin": "evil"}, False),
        ],
    )
    def test_is_told_by_what_the_browser_says(
        self, reader: TestClient, headers: dict[str, str], taken: bool
    ) -> None:
        answer = reader.post("/world/preferences/1f4-00", headers=headers)
        assert answer.status_code == (200 if taken else 403)

    def test_looking_is_nobody_s_harm(self, reader: TestClient) -> None:
        headers = {"sec-fetch-site": "cross-site"}
        assert reader.get("/world/preferences/1f4-00", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        ("path", "origin", "taken"),
        [
            ("/world/unsubscribe/1f4-00", "https://mail.example", True),
            ("/webhooks/postmark", "https://evil.example", True),
            ("/api/v1/articles", "https://evil.example", True),
            ("/world/subscribe", "https://www.example.org", True),
            ("/world/subscribe", "https://evil.example", False),
            ("/sport/subscribe", "https://www.example.org", False),  # another desk's
            ("/world/preferences/1f4-00", "https://www.example.org", False),
        ],
    )
    def test_is_taken_where_that_is_meant(
        self, reader: TestClient, path: str, origin: str, taken: bool
    ) -> None:
        answer = reader.post(path, headers={"sec-fetch-site": "cross-site", "origin": origin})
        assert answer.status_code == (200 if taken else 403)

    def test_a_reader_is_told_what_to_do(self, reader: TestClient) -> None:
        headers = {**BROWSER, "sec-fetch-site": "cross-site", "accept-language": "de"}
        answer = reader.post("/world/subscribe", headers=headers)
        assert "von einer anderen Website" in answer.text


class TestWhereSomethingIsTheMatter:
    def test_a_reader_gets_a_page_in_their_language(self, room: Newsroom) -> None:
        with client(room) as reader:
            for language, said in (
                ("en", "There is no such page"),
                ("fr", "Cette page n’existe pas"),
            ):
                answer = reader.get("/nowhere", headers={**BROWSER, "accept-language": language})
                assert answer.status_code == 404
                assert said in answer.text
                assert answer.headers["content-language"] == language

    def test_the_page_is_that_of_the_desk_in_the_address(self, room: Newsroom) -> None:
        room.subscribe("ann@example.org", desk="sport")
        with client(room) as reader:
            assert "Sport" in reader.get("/sport/nowhere/", headers=BROWSER).text

    def test_a_program_gets_json_and_anybody_else_a_line(self, room: Newsroom) -> None:
        with client(room) as program:
            for path, accept in (("/nowhere", "application/json"), ("/api/v1/nowhere", "*/*")):
                answer = program.get(path, headers={"accept": accept})
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["status"] == 404
                assert answer.json()["request_id"] == answer.headers["x-request-id"]
            answer = program.get("/nowhere", headers={"accept": "*/*"})
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.text == "Not Found\n"

    @pytest.mark.parametrize(
        ("path", "feeds"), [("/nix", 0), ("/news/nix", 0), ("/world/nix", 3)], ids=str
    )
    def test_leads_only_to_what_there_is(self, room: Newsroom, path: str, feeds: int) -> None:
        """A page that is about no desk names none: the feeds would not be there."""
        with client(room) as reader:
            page = html.fromstring(reader.get(path, headers=BROWSER).content)
        assert len(page.xpath("//footer//a")) == feeds
        assert page.xpath("//header//a/@href")[0] == f"{SITE_URL}/"

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 415, 429, 503])
    def test_each_has_a_page(self, room: Newsroom, status: int) -> None:
        with client(room) as reader:
            address = f"/fails?kind=status&status={status}"
            answer = reader.get(address, headers=BROWSER)
            assert answer.status_code == status
            assert "<h1>" in answer.text
            assert answer.headers["cache-control"] == "no-store"

    def test_another_method_is_told_which_there_are(self, room: Newsroom) -> None:
        with client(room, Route("/who", takes, methods=["POST"])) as reader:
            answer = reader.request("DELETE", "/who", headers=BROWSER)
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, HEAD, POST"
            answer = reader.post("/world/feed.rss")
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, HEAD"

    @pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
    def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_answer(
        self, room: Newsroom, caplog: pytest.LogCaptureFixture, accept: str
    ) -> None:
        with client(room) as reader:
            answer = reader.get("/fails?kind=other", headers={"accept": accept})
        assert answer.status_code == 500
        request_id = answer.headers["x-request-id"]
        assert request_id in answer.text
        for told in ("ann@example.org", "ValueError", "Traceback", ".py"):
            assert told not in answer.text
        record = next(r for r in caplog.records if r.getMessage() == "A request failed.")
        assert record.facts == {"id": request_id}  # type: ignore[attr-defined]
        assert record.exc_info is not None

    @pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
    def test_a_database_that_does_not_answer_is_no_reader_s_fault(
        self, room: Newsroom, accept: str
    ) -> None:
        with client(room) as reader:
            answer = reader.get("/fails?kind=store", headers={"accept": accept})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "dispatch.db" not in answer.text

    def test_what_is_said_without_the_database_is_said(self, tmp_path: Path) -> None:
        room = newsroom(tmp_path)
        app = create(Site(room.out, room.settings))
        with TestClient(app, base_url=SITE_URL) as reader:
            (room.out / "dispatch.db").write_bytes(b"no database any more " * 1000)
            answer = reader.get("/world/nowhere", headers=BROWSER)
        assert answer.status_code in (404, 503)
        assert "<h1>" in answer.text
