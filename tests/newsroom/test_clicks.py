"""Counted clicks and openings: what is counted, what is left alone, and what the desk is told."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.newsroom.desk_room import NOW, Newsroom

from dispatch.cli.mailing import mailing
from dispatch.desk import Desk, Mailbox
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import clicks, editions, keys, mailings
from dispatch.newsroom.clicks import Tally
from dispatch.renditions.email import EmailRendition
from dispatch.store import clicks as store
from dispatch.store.connection import Store
from dispatch.store.editions import EditionRow, add

HREF = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    made = Newsroom(tmp_path)
    made.settings = replace(made.settings, clicks="on")
    made.subscribe("ann@example.org", "ben@example.org")
    return made


def copy(newsroom: Newsroom, number: int, address: str = "ann@example.org") -> EmailMessage:
    found = mailings.replay(newsroom.out, number, address, newsroom.settings, newsroom.now)
    message = email.message_from_bytes(found.data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def links(newsroom: Newsroom, number: int) -> dict[str, str]:
    """What was stored for each counted link of somebody's copy."""
    html = part(copy(newsroom, number), "html")
    with Store(newsroom.out / "dispatch.db").transaction() as connection:
        tokens = keys.tokens(connection, newsroom.settings, newsroom.now)
        found = {}
        for url in HREF.findall(html):
            if "/click/" in url:
                row = clicks.link(connection, url.rpartition("/")[2], "world", tokens)
                assert row is not None
                found[url] = row.url
        return found


def ferry(newsroom: Newsroom, **fields: str) -> str:
    path = Path(newsroom.article("ferry.md", "The Ferry Is Back", **fields))
    text = path.read_text(encoding="utf-8")
    more = (
        "\nRead the [timetable](https://ferry.example.net/times?from=a&to=b#noon), the "
        "[timetable again](https://ferry.example.net/times?from=a&to=b#noon), the [map](http://map.example.net/) or "
        "[write to us](mailto:ferry@example.net).\n"
    )
    path.write_text(text + more, encoding="utf-8")
    return str(path)


def test_links_lead_through_the_site_and_are_the_same_in_every_copy(newsroom: Newsroom) -> None:
    number = newsroom.make(ferry(newsroom)).mailing
    found = links(newsroom, number)
    assert set(found.values()) >= {"https://ferry.example.net/times?from=a&to=b#noon"}
    for url in found:
        assert re.fullmatch(r"https://news\.example\.org/world/click/[0-9a-f]+-[0-9a-f]{24}", url)
    of_ann = part(copy(newsroom, number), "html")
    of_ben = part(copy(newsroom, number, "ben@example.org"), "html")
    assert {u for u in HREF.findall(of_ann) if "/click/" in u} == {
        u for u in HREF.findall(of_ben) if "/click/" in u
    }
    assert of_ann.count(next(u for u, to in found.items() if "ferry.example" in to)) == 2


def test_personal_links_mail_addresses_and_the_plain_text_are_left_alone(
    newsroom: Newsroom,
) -> None:
    message = copy(newsroom, newsroom.make(ferry(newsroom)).mailing)
    left = [url for url in HREF.findall(part(message, "html")) if "/click/" not in url]
    assert "mailto:ferry@example.net" in left
    for page in ("unsubscribe", "preferences", "view"):
        assert any(f"https://news.example.org/world/{page}/" in url for url in left)
    assert "/click/" not in part(message, "plain")
    assert "https://ferry.example.net/times" in part(message, "plain")
    assert "/click/" not in str(message["List-Unsubscribe"])


def test_both_are_off_unless_they_are_turned_on(newsroom: Newsroom) -> None:
    newsroom.settings = replace(newsroom.settings, clicks="off")
    number = newsroom.make(ferry(newsroom)).mailing
    html = part(copy(newsroom, number), "html")
    assert "/click/" not in html
    assert "/open/" not in html
    assert mailings.show(newsroom.out, number).figures == clicks.Figures(None, ())


def test_openings_are_an_image_that_is_the_same_for_everyone(newsroom: Newsroom) -> None:
    newsroom.settings = replace(newsroom.settings, clicks="off", opens="on")
    number = newsroom.make(ferry(newsroom)).mailing
    htmls = [part(copy(newsroom, number, f"{who}@example.org"), "html") for who in ("ann", "ben")]
    found = {re.findall(r'<img src="([^"]*/open/[^"]*)"', html)[-1] for html in htmls}
    assert len(found) == 1
    token = found.pop().rpartition("/")[2].removesuffix(".gif")
    with Store(newsroom.out / "dispatch.db").transaction() as connection:
        tokens = keys.tokens(connection, newsroom.settings, newsroom.now)
        assert clicks.opened(connection, token, "world", tokens) == number
        assert clicks.opened(connection, token, "business", tokens) is None
        assert clicks.link(connection, token, "world", tokens) is None


def test_what_the_web_shows_of_an_edition_has_its_links_as_they_were(newsroom: Newsroom) -> None:
    newsroom.settings = replace(newsroom.settings, clicks="off")
    plain = newsroom.make(ferry(newsroom)).mailing
    newsroom.settings = replace(newsroom.settings, clicks="on", opens="on")
    number = newsroom.make(ferry(newsroom), again=True).mailing
    with Store(newsroom.out / "dispatch.db").transaction() as connection:
        _, composition = editions.thawed(connection, number)
        html = clicks.uncounted(connection, number, composition.browser_html())
        assert html == editions.thawed(connection, plain)[1].browser_html()


def test_the_desk_is_told_the_sums(newsroom: Newsroom) -> None:
    newsroom.settings = replace(newsroom.settings, opens="on")
    number = newsroom.make(ferry(newsroom)).mailing
    with Store(newsroom.out / "dispatch.db").transaction() as connection:
        (key,) = [key for key, url in store.links_of(connection, number) if "ferry.example" in url]
        for days in (0, 0, 1):
            tally = Tally()
            tally.followed(number, key, newsroom.now + timedelta(days=days))
            tally.followed(number, key, newsroom.now + timedelta(days=days))
            tally.followed(number, clicks.OPENING, newsroom.now)
            clicks.add(connection, tally.taken())
            assert tally.taken() == {}
    found = mailings.show(newsroom.out, number).to_json()
    assert found["opens"] == 3
    told = found["clicks"]
    assert isinstance(told, list)
    assert told[0] == {"url": "https://ferry.example.net/times?from=a&to=b#noon", "count": 6}
    assert told[1:] == [{"url": "http://map.example.net/", "count": 0}]
    shown = CliRunner().invoke(mailing, ["show", str(number), "--out", str(newsroom.out)])
    assert shown.output.endswith(
        "openings    about 3\n"
        "clicks      about 6\n"
        "                     6  https://ferry.example.net/times?from=a&to=b#noon\n"
    )


def test_what_could_not_be_written_is_kept_with_what_came_since(newsroom: Newsroom) -> None:
    tally = Tally()
    tally.followed(1, 2, newsroom.now)
    taken = tally.taken()
    tally.followed(1, 2, newsroom.now)
    tally.put_back(taken)
    assert tally.taken() == {(1, 2, newsroom.now.date()): 2}


# Any HTML ----------------------------------------------------------------------------------------

DESK = Desk(
    name="World",
    slug="world",
    publisher="The Example Courier",
    site_url="https://news.example.org",
    sender=Mailbox("World", "world@news.example.org"),
    contact="",
    postal_address="",
    usage_terms="",
    rights="",
    language="en",
)
TOKENS = Tokens(["a secret of at least 16"])
PIECES = st.sampled_from(
    [
        '<a href="https://a.example/">',
        '<a\nclass="x > y"\n href="https://a.example/?a=1&amp;b=%22">',
        '<A HREF="http://b.example/é">',
        '<a href="javascript:alert(1)">',
        '<a href="https:///nowhere">',
        '<a href="https://a.example/&#13;&#10;Set-Cookie: x">',
        '<a href="https://a.example/ b">',
        '<a href="">',
        "<a href='https://c.example/'>",
        '<a href="https://d.example/',
        '<!--[if mso]><a href="https://e.example/"><![endif]-->',
        '<area href="https://f.example/"><abbr title="<a href=">',
        "</a>", "<p>", '"', ">", "<a", ' href="', "text", "</body>",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_the_html_is_what_is_stored_is_a_web_address_and_the_rest_stays(
    html: str,
) -> None:
    database = Store(None)
    rendition = EmailRendition("", "en", html.encode(), b"", b"", ())
    with database.transaction() as connection:
        row = EditionRow(0, "world", "The ferry", None, NOW, "seed", TOKENS.newest)
        number = add(connection, row)
        made = clicks.counted(
            connection, rendition, DESK, number, TOKENS, clicks=True, opens=False
        ).html.decode()
        for _, url in store.links_of(connection, number):
            assert re.fullmatch(r"https?://[!-~]+", url)
        back = clicks.uncounted(connection, number, made)
    database.close()
    assert back == html
