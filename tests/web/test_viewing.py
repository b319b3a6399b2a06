"""The link in every copy that shows it in a browser, over HTTP."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.newsroom.desk_room import Newsroom

from dispatch.newsroom import mailings, subscribers
from dispatch.newsroom.edition_pages import Viewed
from dispatch.renditions.web import FormPage
from dispatch.store.tables import editions
from dispatch.web.app import create
from dispatch.web.pages import viewing
from dispatch.web.site import Site

SITE_URL = "https://news.example.org"


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    made = Newsroom(tmp_path)
    made.settings = replace(made.settings, site_url=SITE_URL)
    made.subscribe("ann@example.org", name="Ann Abelard")
    made.subscribe("bea@example.org", name="Bea Brandt", language="de-AT")
    return made


@pytest.fixture
def client(room: Newsroom) -> Iterator[TestClient]:
    room.make(room.article("ferry.md", "The Ferry Is Back"))
    app = create(Site(room.out, room.settings))
    with TestClient(app, base_url=SITE_URL, follow_redirects=False) as client:
        yield client


def link(room: Newsroom, email: str = "ann@example.org", number: int = 1) -> str:
    """The path of the link in somebody's copy."""
    data = mailings.replay(room.out, number, email, room.settings, room.now).data
    found = re.search(rb"/world/view/[0-9a-f]+-[0-9a-f]{24}", data.replace(b"=\r\n", b""))
    assert found is not None
    return found[0].decode()


def test_the_link_shows_the_edition_and_nobody(room: Newsroom, client: TestClient) -> None:
    answer = client.get(link(room))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "The Ferry Is Back" in answer.text
    assert "nineteen minutes" in answer.text
    for personal in ("ann@", "Ann", link(room).rpartition("/")[2]):
        assert personal not in answer.text


def test_it_is_private_not_indexed_and_tells_no_other_site(
    room: Newsroom, client: TestClient
) -> None:
    answer = client.get(link(room))
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert 'name="robots" content="noindex"' in answer.text
    assert "canonical" not in answer.text
    assert "set-cookie" not in answer.headers


def test_its_policy_allows_its_style_and_no_frame(room: Newsroom, client: TestClient) -> None:
    answer = client.get(link(room))
    policy = answer.headers["content-security-policy"]
    (sheet,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert f"'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "style=" not in answer.text


def test_each_reader_sees_what_was_written_to_them(room: Newsroom, client: TestClient) -> None:
    assert "Hello reader," in client.get(link(room)).text
    german = client.get(link(room, "bea@example.org")).text
    assert "Guten Tag," in german
    assert "Hello" not in german
    assert "The Ferry Is Back" in german


def test_head_is_answered_and_nothing_else(room: Newsroom, client: TestClient) -> None:
    assert client.head(link(room)).status_code == 200
    assert client.post(link(room)).status_code == 405


def test_a_token_in_capitals_is_the_same(room: Newsroom, client: TestClient) -> None:
    before, _, token = link(room).rpartition("/")
    assert client.get(f"{before}/{token.upper()}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/world/view/1-000000000000000000000000",
        "/world/view/x",
        "/world/view/" + "a" * 2000,
        "/world/view/1-%00",
        "/world/view/%F0%9F%98%80",
    ],
)
def test_what_is_no_token_shows_nothing(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "Ferry" not in answer.text


def test_a_token_opens_no_other_desk(room: Newsroom, client: TestClient) -> None:
    assert client.get(link(room).replace("/world/", "/sport/")).status_code == 404


def test_a_token_of_another_kind_opens_nothing(room: Newsroom, client: TestClient) -> None:
    tokens = client.app.state.site.tokens  # type: ignore[attr-defined]
    for token in (tokens.verp(1), tokens.feed(1), tokens.click(1)):
        assert client.get(f"/world/view/{token}").status_code == 404


@pytest.mark.parametrize("access", ["members", "private"])
def test_of_a_desk_for_subscribers_a_copy_can_be_seen_too(
    room: Newsroom, client: TestClient, access: str
) -> None:
    path = link(room)
    client.app.state.site.settings = replace(  # type: ignore[attr-defined]
        room.settings, values={"DISPATCH_ACCESS__WORLD": access}
    )
    answer = client.get(path)
    assert answer.status_code == 200
    assert "nineteen minutes" in answer.text
    assert "/editions/" not in answer.text
    assert ("feed.rss" in answer.text) is (access == "members")


@pytest.mark.parametrize("kind", ["confirm", "welcome", "already"])
def test_a_letter_to_one_person_is_not_shown(room: Newsroom, client: TestClient, kind: str) -> None:
    path = link(room)
    with mailings.transaction(room.out) as connection:
        connection.execute(editions.update().values(kind=kind))
    assert client.get(path).status_code == 404


def test_who_was_forgotten_left_nothing_on_it(room: Newsroom, client: TestClient) -> None:
    path = link(room)
    subscribers.forget("ann@example.org", room.out, room.now)
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Ann" not in answer.text
    assert "Hello reader," in answer.text


# What is kept ------------------------------------------------------------------------------------


def page(n: int) -> FormPage:
    return FormPage(str(n).encode(), "")


def test_a_page_that_many_ask_for_at_once_is_made_once() -> None:
    made: list[int] = []

    async def make() -> FormPage:
        made.append(1)
        await asyncio.sleep(0)
        return page(1)

    async def ask() -> None:
        pages = viewing.Pages()
        await asyncio.gather(*(pages.get(Viewed(1, "body/"), make) for _ in range(20)))

    asyncio.run(ask())
    assert len(made) == 1


def test_the_pages_that_were_asked_for_longest_ago_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewing, "MOST", 2)
    made: list[int] = []

    async def ask() -> None:
        pages = viewing.Pages()
        for n in (1, 2, 1, 3, 1, 2):

            async def make(n: int = n) -> FormPage:
                made.append(n)
                return page(n)

            assert (await pages.get(Viewed(n, "body/"), make)).html == str(n).encode()

    asyncio.run(ask())
    assert made == [1, 2, 3, 2]


def test_what_could_not_be_made_is_tried_again() -> None:
    async def ask() -> FormPage:
        pages = viewing.Pages()

        async def fail() -> FormPage:
            raise ValueError

        async def make() -> FormPage:
            return page(1)

        with pytest.raises(ValueError):
            await pages.get(Viewed(1, "body/"), fail)
        return await pages.get(Viewed(1, "body/"), make)

    assert asyncio.run(ask()) == page(1)
