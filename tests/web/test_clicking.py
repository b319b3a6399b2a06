"""Counted links over HTTP: where they lead, what is counted, and what nobody can make of them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.web.served import NOW, SITE_URL, Newsroom, newsroom

from dispatch.newsroom import clicks, editions, mailings, send
from dispatch.newsroom.clicks import Figures
from dispatch.newsroom.send import Order

TARGET = "https://ferry.example.net/times?from=a&to=%C3%A9#noon"


class Counting:
    """A newsroom that counts, with one edition."""

    def __init__(self, folder: Path) -> None:
        self.room: Newsroom = newsroom(folder, clicks="on", opens="on")
        self.room.subscribe("ann@example.org")
        article = folder / "ferry.md"
        article.write_text(
            f"# The Ferry Is Back\n\nThe first ferry left at dawn: the [times]({TARGET}).\n\n"
            "Forty passengers were aboard.\n",
            encoding="utf-8",
        )
        order = Order(self.room.out, (str(article),), "world")
        self.number = send.make(order, self.room.settings, NOW).mailing
        with mailings.transaction(self.room.out) as connection:
            html = editions.thawed(connection, self.number)[1].browser_html()
        self.link = re.findall(r'href="[^"]*(/world/click/[^"]*)"', html)[0]
        self.image = re.findall(r'src="[^"]*(/world/open/[^"]*)"', html)[0]

    @property
    def figures(self) -> Figures:
        found = mailings.show(self.room.out, self.number).figures
        assert found
        return found

    @property
    def clicks(self) -> int:
        return dict(self.figures.clicks)[TARGET]


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def test_a_link_leads_to_what_was_stored_and_is_counted(counting: Counting) -> None:
    with counting.room.client() as client:
        for _ in range(3):
            answer = client.get(counting.link)
            assert answer.status_code == 302
            assert answer.headers["location"] == TARGET
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert "set-cookie" not in answer.headers
    # The server has ended: what it counted is written.
    assert counting.clicks == 3


def test_the_image_is_a_gif_and_counts_openings(counting: Counting) -> None:
    with counting.room.client() as client:
        answer = client.get(counting.image)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"GIF89a")
    assert counting.figures == Figures(1, ((TARGET, 0),))


def test_what_only_looks_ahead_is_not_counted(counting: Counting) -> None:
    ahead = [
        {"Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"X-Purpose": "preview"},
        {"X-moz": "prefetch"},
    ]
    with counting.room.client() as client:
        for path in (counting.link, counting.image):
            assert client.head(path).status_code in (200, 302)
            for headers in ahead:
                assert client.get(path, headers=headers).status_code in (200, 302)
    assert counting.figures == Figures(None, ((TARGET, 0),))


def test_counts_of_several_servers_add_up(counting: Counting) -> None:
    with counting.room.client() as one, counting.room.client() as other:
        for client in (one, other, other):
            client.get(counting.link)
    with counting.room.client() as client:
        client.get(counting.link)
    assert counting.clicks == 4


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_else_is_done_there(counting: Counting, method: str) -> None:
    with counting.room.client() as client:
        assert client.request(method, counting.link).status_code in (403, 405)
    assert counting.clicks == 0


def test_nobody_can_have_it_lead_elsewhere(counting: Counting) -> None:
    token = counting.link.rpartition("/")[2]
    number, _, mac = token.partition("-")
    forged = [
        f"{number}-{'0' * 24}",
        f"{int(number, 16) + 1:x}-{mac}",
        f"{token}0",
        f"{token}%0d%0aLocation:%20https:%2f%2fevil.example",
        "https:%2f%2fevil.example",
        counting.image.rpartition("/")[2].removesuffix(".gif"),
        "f" * 4000,
    ]
    with counting.room.client() as client:
        for text in forged:
            answer = client.get(f"/world/click/{text}")
            assert answer.status_code == 404, text
            assert "location" not in answer.headers
        assert client.get(counting.link.replace("/world/", "/business/")).status_code == 404
        assert client.get(f"/world/open/{token}.gif").status_code == 404
        answer = client.get(
            f"{counting.link}?url=https://evil.example",
            headers={"X-Forwarded-Host": "evil.example"},
        )
        assert answer.headers["location"] == TARGET


def test_links_in_the_mail_are_on_the_site(counting: Counting) -> None:
    assert urlsplit(SITE_URL).netloc == "news.example.org"
    with mailings.transaction(counting.room.out) as connection:
        html = editions.thawed(connection, counting.number)[1].browser_html()
        assert f'href="{SITE_URL}{counting.link}"' in html
        shown = clicks.uncounted(connection, counting.number, html)
    assert "/click/" not in shown
    assert "/open/" not in shown
