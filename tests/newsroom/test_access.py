"""Who may read a desk on the web: everybody, everybody the standfirsts, or subscribers alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.newsroom.access_room import SECRET, SITE_URL, Room

from dispatch.newsroom.access import filled

PAGE = "world/2026/10/08/harbour-reopens/index.html"
TOKEN = "1f4-9b0c9b0c9b0c9b0c9b0c9b0c"


def facts_of(page: bytes) -> dict[str, object]:
    found = re.search(rb'<script type="application/ld\+json">(.*?)</script>', page)
    assert found
    facts = json.loads(found[1])
    assert isinstance(facts, dict)
    return facts


def test_a_public_desk_has_everything_in_public_and_nothing_beside_it(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    assert SECRET in room.files()[f"public/{PAGE}"].decode()
    assert facts_of(room.files()[f"public/{PAGE}"])["isAccessibleForFree"] is True
    assert not room.files("members")


def test_of_a_members_desk_everybody_sees_headline_and_standfirst_and_where_to_subscribe(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path, {"access": "members"})
    room.publish()
    page = room.files()[f"public/{PAGE}"]
    feed = json.loads(room.files()["public/world/feed.json"])
    (item,) = feed["items"]
    for text in (page.decode(), item["content_html"]):
        assert "Boats sail again after the storm." in text
        assert "The full text is for subscribers." in text
        assert f'href="{SITE_URL}/world/subscribe"' in text
    assert item["summary"] == "Boats sail again after the storm."
    assert facts_of(page)["isAccessibleForFree"] is False
    assert facts_of(page)["headline"] == "Harbour reopens"


@pytest.mark.parametrize("standfirst", ["Boats sail again after the storm.", ""])
def test_of_a_members_desk_no_word_of_the_text_is_in_public(
    tmp_path: Path, standfirst: str
) -> None:
    """Whether or not there is a standfirst, whose place the text's first words take elsewhere."""
    room = Room(tmp_path, {"access": "members"})
    for n in range(1, 54):  # more than a feed holds: there is an archive
        path = tmp_path / f"{n}.md"
        path.write_text(
            f"---\ntitle: Tide {n}\nstandfirst: {standfirst}\ndesk: World\nlang: en\n"
            f"date: 2026-09-{n % 28 + 1:02}T0{n % 9}:{n:02}+00:00\n"
            f"author:\n- name: Ada Winter\n  bio: Knows {SECRET}.\n"
            f"sources:\n- title: The {SECRET} papers\n"
            f"---\nOf {SECRET}, tide {n}.\n\n> {SECRET} quoted\n",
            encoding="utf-8",
        )
    outcomes = room.publish_files(*sorted(tmp_path.glob("*.md")))
    assert {outcome.action for outcome in outcomes} == {"published"}
    assert "public/world/archive/1.rss" in room.files()
    assert SECRET not in room.public_text().lower()
    in_full = room.files("members")
    assert all(SECRET in in_full[f"members/world/archive/1.{f}"].decode("latin-1").lower()
               for f in ("rss", "atom", "json"))  # fmt: skip


def test_even_a_template_of_the_newsroom_cannot_show_what_is_for_subscribers(
    tmp_path: Path,
) -> None:
    own = tmp_path / "templates/web/article.html"
    own.parent.mkdir(parents=True)
    own.write_text("{% for block in article.body %}{{ block|block_html }}{% endfor %}{{ facts }}")
    room = Room(tmp_path, {"access": "members", "templates": str(tmp_path / "templates")})
    room.publish()
    assert SECRET not in room.public_text()
    assert SECRET in room.files()[f"members/{PAGE}"].decode("latin-1")


def test_of_a_private_desk_nothing_is_in_public(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access__diplomacy": "private"})
    outcome = room.publish(desk="Diplomacy")
    room.publish("Another story", desk="World")
    assert not room.files("public/diplomacy")
    assert "diplomacy" not in room.public_text().lower()
    assert outcome.files["web"] == str(
        room.out / "members/diplomacy/2026/10/08/harbour-reopens/index.html"
    )
    assert Path(outcome.feeds["rss"]).is_file()


@pytest.mark.parametrize("access", ["members", "private"])
def test_subscribers_documents_are_whole_once_a_token_fills_their_gaps(
    tmp_path: Path, access: str
) -> None:
    room = Room(tmp_path, {"access": access, "hubs": "https://hub.example.org/"})
    room.publish()
    own = f"{SITE_URL}/world/members/{TOKEN}/"
    files = {name: filled(data, TOKEN) for name, data in room.files("members").items()}
    assert sorted(files) == [
        f"members/{PAGE}",
        *(f"members/world/feed.{form}" for form in ("atom", "json", "rss")),
        "members/world/index.html",
    ]
    feed = json.loads(files["members/world/feed.json"])
    assert feed["feed_url"] == f"{own}feed.json"
    assert feed["items"][0]["url"] == f"{own}2026/10/08/harbour-reopens/"
    assert SECRET in feed["items"][0]["content_html"]
    assert "hubs" not in feed
    for form in ("rss", "atom"):
        text = files[f"members/world/feed.{form}"].decode()
        assert f'href="{own}feed.{form}"' in text
        assert "hub.example.org" not in text
        assert SECRET in text
    page = files[f"members/{PAGE}"].decode()
    assert SECRET in page
    assert f'href="{own}feed.rss"' in page
    assert '<meta name="robots" content="noindex">' in page
    assert '<meta name="referrer" content="no-referrer">' in page


def test_a_subscribers_page_is_passed_on_by_the_address_that_everybody_may_have(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path, {"access": "members"})
    room.publish()
    page = filled(room.files()[f"members/{PAGE}"], TOKEN)
    everybody = f"{SITE_URL}/world/2026/10/08/harbour-reopens/"
    assert f'<link rel="canonical" href="{everybody}">' in page.decode()
    assert f'<meta property="og:url" content="{everybody}">' in page.decode()
    assert TOKEN not in json.dumps(facts_of(page))


def test_no_text_passes_for_the_gap(tmp_path: Path) -> None:
    """An article that holds what stands in an earlier document's gap, or the octet itself."""
    room = Room(tmp_path, {"access": "members"})
    text = "---\ntitle: Gap\ndesk: World\nlang: en\n---\n\nÿ \\xff &#255; members/%FF/ {secret}\n"
    room.publish("Gap", text=text)
    once = room.files()["members/world/feed.atom"]
    assert once.count(b"\xff") == filled(once, TOKEN).count(TOKEN.encode())
    assert "ÿ" in filled(once, TOKEN).decode("utf-8")


def test_a_feed_for_subscribers_is_another_feed_with_the_same_entries(tmp_path: Path) -> None:
    """So that a reader who has both does not take one for the other."""
    room = Room(tmp_path, {"access": "members"})
    room.publish()
    ids = [
        re.findall(r"<id>(.*?)</id>", filled(room.files()[name], TOKEN).decode())
        for name in ("public/world/feed.atom", "members/world/feed.atom")
    ]
    assert ids[0][0] != ids[1][0]
    assert ids[0][1:] == ids[1][1:]


def test_an_article_under_embargo_is_for_nobody_yet(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access": "members"})
    text = (
        "---\ntitle: Later\ndesk: World\nlang: en\nembargo: 2026-12-01T08:00+00:00\n---\n{secret}\n"
    )
    outcome = room.publish("Later", text=text)
    assert outcome.files["web"] is None
    assert not [name for name in room.files("members") if "later" in name]
