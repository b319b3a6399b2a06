"""What holds for every answer of the site, whatever the address and whoever asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient
from tests.web.process import answer, request, serving
from tests.web.served import SITE_URL, Newsroom, newsroom

from dispatch.web import api, operating, webhooks
from dispatch.web.app import create
from dispatch.web.members import feeds
from dispatch.web.pages import clicking, confirm, leaving, preferences, signup, viewing
from dispatch.web.site import Site

ROOMS = (
    *(operating, api, webhooks),
    *(signup, confirm, leaving, preferences, viewing, feeds, clicking),
)
ACCEPTED = ("text/html", "application/json", "*/*")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    return newsroom(tmp_path_factory.mktemp("room"), metrics_token="a-token-of-the-test")


@pytest.fixture(scope="module")
def reader(room: Newsroom) -> Iterator[TestClient]:
    with room.client() as reader:
        yield reader


def patterns(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route):
            yield route.path
        elif isinstance(route, Mount):
            yield from (route.path + path for path in patterns(list(route.routes)))


def addresses(room: Newsroom) -> list[str]:
    """One of each kind that there is: handlers', public files', and some where nothing is."""
    handlers = [path for module in ROOMS for path in patterns(list(module.routes))]
    filled = [re.sub(r"\{desk(:\w+)?\}", "world", path) for path in handlers]
    filled = [
        re.sub(r"\{[^}]*(token|tag)[^}]*\}", "1f4-9b0011223344556677889900", p) for p in filled
    ]
    filled = [re.sub(r"\{[^}]*\}", "1", path) for path in filled]
    public = room.out / "public"
    files = [f"/{file.relative_to(public)}" for file in public.rglob("*") if file.is_file()]
    return [*dict.fromkeys([*filled, *files, "/", "/world/", "/nowhere", "/world/nowhere"])]


def answers(reader: TestClient, room: Newsroom) -> Iterator[tuple[str, Response]]:
    """An answer of every address to every method that is likely, and to some that are not."""
    for address in addresses(room):
        for method in ("GET", "HEAD", "POST", "DELETE"):
            for accept in ACCEPTED if method == "GET" else ACCEPTED[:1]:
                given = reader.request(method, address, headers={"accept": accept})
                yield f"{method} {address} ({accept}): {given.status_code}", given  # type: ignore[misc]


def test_every_answer_keeps_the_browser_in_bounds(reader: TestClient, room: Newsroom) -> None:
    for what, given in answers(reader, room):
        assert given.status_code != 500, what
        assert given.headers["x-content-type-options"] == "nosniff", what
        assert "set-cookie" not in given.headers, what
        assert "strict-transport-security" in given.headers, what
        assert given.headers["permissions-policy"], what
        if given.headers.get("content-type", "").startswith("text/html"):
            policy = given.headers["content-security-policy"]
            assert "unsafe-inline" not in policy, what
            assert "default-src 'none'" in policy, what
            assert "frame-ancestors 'none'" in policy, what
            assert given.headers["referrer-policy"] in (
                "no-referrer",
                "strict-origin-when-cross-origin",
            ), what


def test_no_page_has_a_script_or_a_style_of_its_own(reader: TestClient, room: Newsroom) -> None:
    for what, given in answers(reader, room):
        if given.headers.get("content-type", "").startswith("text/html"):
            text = given.text.lower()  # type: ignore[attr-defined]
            for unwanted in ("<script>", "javascript:", " onclick=", " onload=", ' style="'):
                assert unwanted not in text, (what, unwanted)


def test_what_a_handler_said_itself_is_left_as_it_is(room: Newsroom) -> None:
    async def framed(_request: object) -> Response:
        policy = "default-src 'self'; frame-ancestors https://www.example.org"
        headers = {
            "Content-Security-Policy": policy,
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return HTMLResponse("<p>A form.</p>", headers=headers)

    app = create(Site(room.out, room.settings))
    app.router.routes.insert(0, Route("/framed", framed))
    with TestClient(app, base_url=SITE_URL) as reader:
        given = reader.get("/framed")
    assert given.headers["content-security-policy"].endswith("https://www.example.org")
    assert given.headers["cross-origin-resource-policy"] == "cross-origin"
    assert given.headers["x-content-type-options"] == "nosniff"


def test_a_304_does_not_change_the_policy_of_the_page_that_is_stored(room: Newsroom) -> None:
    async def unchanged(_request: object) -> Response:
        return Response(status_code=304)

    app = create(Site(room.out, room.settings))
    app.router.routes.insert(0, Route("/unchanged", unchanged))
    with TestClient(app, base_url=SITE_URL) as reader:
        assert "content-security-policy" not in reader.get("/unchanged").headers


def test_others_may_read_what_is_public_and_nothing_else(reader: TestClient) -> None:
    assert reader.get("/world/feed.rss").headers["cross-origin-resource-policy"] == "cross-origin"
    page = reader.get("/nowhere", headers={"accept": "text/html"})
    assert page.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/world/feed.rss"])
def test_on_plain_http_nothing_is_said_of_https(tmp_path: Path, path: str) -> None:
    room = newsroom(tmp_path, site_url="http://news.example.org")
    app = create(Site(room.out, room.settings))
    with TestClient(app, base_url="http://news.example.org") as reader:
        given = reader.get(path)
    assert "strict-transport-security" not in given.headers


@pytest.mark.parametrize(
    "path",
    [
        "/../dispatch.db",
        "/..%2fdispatch.db",
        "/%2e%2e/dispatch.db",
        "/world/..%2f..%2fdispatch.db",
        "/world/%2e%2e/%2e%2e/dispatch.db",
        "/..\\dispatch.db",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/world/feed.rss%00.html",
        "/....//dispatch.db",
    ],
)
def test_no_path_leads_out_of_what_is_public(reader: TestClient, path: str) -> None:
    asked = reader.build_request("GET", SITE_URL)
    asked.url = asked.url.copy_with(raw_path=path.encode())  # as it is, without tidying up
    given = reader.send(asked)
    assert given.status_code in (400, 404)
    assert b"SQLite format" not in given.content
    assert b"root:" not in given.content


@pytest.mark.parametrize("path", ["/world/", "/world/subscribe?email=", "/"])
def test_nothing_that_is_typed_becomes_a_header(reader: TestClient, path: str) -> None:
    for typed in ("%0d%0aSet-Cookie:%20a=b", "%0aSet-Cookie:%20a=b", "%00", "%e2%80%a8"):
        given = reader.get(f"{path}{typed}", headers={"accept": "text/html"})
        assert "set-cookie" not in given.headers
        assert "location" not in given.headers


def test_on_the_wire(tmp_path: Path) -> None:
    """What no client would send, and what the server adds that nobody asked for."""
    room = newsroom(tmp_path)
    with serving(room.out) as server:

        def asked(data: bytes) -> tuple[int, dict[str, str], bytes]:
            with server.connect() as connection:
                connection.sendall(data)
                return answer(connection)

        status, headers, _ = asked(request("GET", "/world/feed.rss"))
        assert status == 200
        assert "server" not in headers
        assert headers["x-content-type-options"] == "nosniff"

        status, headers, _ = asked(request("GET", "/world/feed.rss"))  # from memory, by now
        assert status == 200
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "cross-origin"

        for path in ("/../dispatch.db", "/..%2fdispatch.db", "/%2e%2e/dispatch.db"):
            status, _, body = asked(request("GET", path))
            assert status in (400, 404)
            assert b"SQLite format" not in body

        assert asked(b"GET / HTTP/1.1\r\n\r\n")[0] == 400
        assert asked(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")[0] == 421
        assert asked(b"GET / HTTP/1.1\r\nHost: a\r\nHost: news.example.org\r\n\r\n")[0] == 400
        with_cookie = request("GET", "/world/a\r\nSet-Cookie:%20a=b")
        assert "set-cookie" not in asked(with_cookie)[1]
        for line in server.lines():
            assert "evil" not in str(line)
