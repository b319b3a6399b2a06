"""The same files behind nginx, with the configuration that ships: the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.servers.nginx import nginx
from tests.web.listening import Client, Reply, eventually, listening
from tests.web.public_folder import PublicFolder, application
from tests.web.served import newsroom

from dispatch.web.files.public import PublicFiles
from dispatch.web.layers import security
from dispatch.web.server.connection import Connection

HOST = "news.example.org"
SAME = (
    "content-type",
    "last-modified",
    "cache-control",
    "link",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "strict-transport-security",
)
"""Fields that both say in the same words."""


@dataclass(frozen=True, slots=True)
class Both:
    """A site that is served twice."""

    folder: PublicFolder
    ours: int
    theirs: int

    def ask(self, path: str, method: str = "GET", /, **fields: str) -> tuple[Reply, Reply]:
        """The answers of Dispatch and of nginx."""
        with Client(self.ours) as ours, Client(self.theirs) as theirs:
            return ours.get(path, method, **fields), theirs.get(path, method, **fields)


async def told(request: Request) -> Response:
    """What comes through the proxy."""
    said = {name: value for name, value in request.headers.items() if name.startswith("x-for")}
    return JSONResponse(
        {"method": request.method, "host": request.headers["host"], **said},
        headers={"cache-control": "no-store"},
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("room")
    room = newsroom(folder)
    public = PublicFolder(room.out / "public")
    public.place("world/archive/1.atom", (public.path / "world/feed.atom").read_bytes())
    public.place("world/archive/1.json", (public.path / "world/feed.json").read_bytes())
    public.place("pictures/a.png", b"png" * 1000)
    public.place(".git/config", "secret")
    public.place("world/.hidden", "secret")
    public.place(".well-known/security.txt", "Contact: mailto:desk@example.org")
    files = PublicFiles(public.path, room.settings, headers=security.of_public_files(room.settings))
    app = application(files, Route("/world/subscribe", told, methods=["GET", "POST"]))
    with (
        listening(app, Connection.bound_to(files)) as ours,
        nginx(folder / "nginx", public.path, ours) as theirs,
    ):
        yield Both(public, ours, theirs)
    files.close()


def article(both: Both) -> str:
    (page,) = both.folder.path.glob("world/2026/10/*/*/index.html")
    return f"/{page.parent.relative_to(both.folder.path)}/"


@pytest.mark.parametrize(
    "path",
    [
        "/world/",
        "/world/index.html",
        "article",
        "/world/feed.rss",
        "/world/feed.atom",
        "/world/feed.json",
        "/world/feed.rss?utm_source=x",
        "/world/archive/1.atom",
        "/world/archive/1.json",
        "/pictures/a.png",
        "/.well-known/security.txt",
    ],
)
def test_a_file_is_the_same(both: Both, path: str) -> None:
    path = article(both) if path == "article" else path
    ours, theirs = both.ask(path)
    assert (ours.status, theirs.status) == (200, 200)
    assert theirs.body == ours.body
    for name in SAME:
        assert theirs.fields.get(name) == ours.fields.get(name), name
    if path.endswith((".png", ".txt", ".json")):
        assert "content-security-policy" not in theirs.fields
    else:
        assert "frame-ancestors 'none'" in theirs.fields["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/world",
        "/nowhere",
        "/pictures/",
        "/.git/config",
        "/world/.hidden",
        "/world/feed.rss/",
        "//evil.example",
        "//evil.example/",
        "/world/%2e%2e/%2e%2e/%2e%2e/dispatch.db",
        "/..%2fdispatch.db",
        "/world/feed.rss%00",
        "/world/%0d%0aset-cookie:%20a=b",
    ],
)
def test_what_is_no_file_is_none(both: Both, path: str) -> None:
    for reply in both.ask(path):
        assert reply.status in (301, 308, 400, 404)
        assert "set-cookie" not in reply.fields
        if reply.status in (301, 308):
            assert (path, reply.fields["location"].strip("./")) == ("/world", "world")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions(both: Both, method: str) -> None:
    for reply, port in zip(both.ask("/world/feed.rss"), (both.ours, both.theirs), strict=True):
        with Client(port) as client:
            for fields in (
                {"if_none_match": reply.fields["etag"]},
                {"if_none_match": f'"x", W/{reply.fields["etag"]}'},
                {"if_none_match": "*"},
                {"if_modified_since": reply.fields["last-modified"]},
            ):
                same = client.get("/world/feed.rss", method, **fields)
                assert (same.status, same.body) == (304, b"")
            changed = {"if_none_match": '"x"', "if_modified_since": reply.fields["last-modified"]}
            assert client.get("/world/feed.rss", method, **changed).status == 200


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_gzip(both: Both, form: str) -> None:
    for port in (both.ours, both.theirs):
        with httpx2.Client(headers={"accept-encoding": "gzip", "host": HOST}) as client:

            def pressed(client: httpx2.Client = client, port: int = port) -> httpx2.Response:
                return client.get(f"http://127.0.0.1:{port}/world/feed.{form}")

            eventually("gzip", lambda: pressed().headers.get("content-encoding") == "gzip")
            answer = pressed()
            assert answer.content == (both.folder.path / f"world/feed.{form}").read_bytes()
            assert answer.headers["vary"].lower() == "accept-encoding"
            same = client.get(answer.url, headers={"if-none-match": answer.headers["etag"]})
            assert same.status_code == 304


def test_a_new_version_is_there_within_seconds(both: Both) -> None:
    both.folder.place("changing.txt", "old")
    assert [reply.body for reply in both.ask("/changing.txt")] == [b"old", b"old"]
    file = both.folder.place("changing.txt", "new version")
    new = [b"new version"] * 2
    eventually("new", lambda: [reply.body for reply in both.ask("/changing.txt")] == new)
    file.unlink()
    gone = [404, 404]
    eventually("gone", lambda: [reply.status for reply in both.ask("/changing.txt")] == gone)


def test_everything_else_reaches_the_application(both: Both) -> None:
    forged = {"x_forwarded_for": "192.0.2.1", "x_forwarded_proto": "gopher"}
    for method in ("GET", "POST"):
        _, reply = both.ask("/world/subscribe", method, content_length="0", **forged)
        assert json.loads(reply.body) == {
            "method": method,
            "host": HOST,
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "http",
        }
        assert reply.fields["cache-control"] == "no-store"


def test_nothing_can_be_done_to_a_file(both: Both) -> None:
    for reply in both.ask("/world/feed.rss", "POST", content_length="0"):
        assert reply.status == 405
