"""Personal feeds over HTTP: who has the address reads it, until it is revoked; nobody else."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import brotli
import feedparser
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.syndication.feed_rules import faults_of_atom, faults_of_rss
from tests.web.members_room import ADA, BEN, Members, members
from tests.web.served import NOW, SITE_URL

from dispatch.newsroom import publish, rebuild, subscribers
from dispatch.web.members import feeds as page

TEXT = "Ferries sail again from noon"
KINDS = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
}


@pytest.fixture
def room(tmp_path: Path) -> Members:
    return members(tmp_path)


@pytest.mark.parametrize("form", KINDS)
def test_a_subscriber_reads_the_full_text_at_their_own_address(room: Members, form: str) -> None:
    address = room.feeds(ADA)[form]
    with room.news.client() as client:
        answer = client.get(address)
    assert answer.status_code == 200
    assert TEXT in answer.text
    assert f"{SITE_URL}{address}" in answer.text, "its own address is in it"
    assert answer.headers["content-type"] == KINDS[form]
    assert re.fullmatch(r"private, max-age=\d+", answer.headers["cache-control"])
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["vary"] == "accept-encoding"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("form", "faults"), [("rss", faults_of_rss), ("atom", faults_of_atom)])
def test_personal_feeds_are_as_valid_as_public_ones(room, form, faults) -> None:  # type: ignore[no-untyped-def]
    address = room.feeds(ADA)[form]
    with room.news.client() as client:
        assert faults(client.get(address).content, f"{SITE_URL}{address}") == []


def test_everybody_else_reads_headlines_and_standfirsts(room: Members) -> None:
    with room.news.client() as client:
        for form in KINDS:
            answer = client.get(f"/world/feed.{form}")
            assert "Harbour reopens" in answer.text
            assert TEXT not in answer.text
            assert answer.headers["cache-control"].startswith("public")


def test_the_entries_lead_to_pages_of_the_subscriber_and_those_to_one_another(
    room: Members,
) -> None:
    with room.news.client() as client:
        feed = feedparser.parse(client.get(room.feeds(ADA)["atom"]).content)
        article = feed.entries[0].link.removeprefix(SITE_URL)
        answer = client.get(article)
        assert answer.status_code == 200
        assert TEXT in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        index = re.search(rf'href="{SITE_URL}(/world/members/[^/"]+/)"', answer.text)
        assert index
        assert article in client.get(index[1]).text


def test_the_files_themselves_are_never_served(room: Members) -> None:
    inside = "/world/feed.json"
    with room.news.client() as client:
        for path in (
            f"/members{inside}",
            f"/world/members{inside}",
            f"/../members{inside}",
            f"/%2e%2e/members{inside}",
            f"/world/..%2f..%2fmembers{inside}",
        ):
            assert client.get(path).status_code in (400, 404), path


def test_two_subscribers_get_different_bytes_and_different_tags(room: Members) -> None:
    with room.news.client() as client:
        ada, ben = (client.get(room.feeds(who)["rss"]) for who in (ADA, BEN))
        assert ada.headers["etag"] != ben.headers["etag"]
        assert ada.content != ben.content
        stolen = client.get(room.feeds(BEN)["rss"], headers={"If-None-Match": ada.headers["etag"]})
        assert stolen.status_code == 200


def test_a_copy_that_is_still_good_is_not_sent_again(room: Members) -> None:
    address = room.feeds(ADA)["rss"]
    with room.news.client() as client:
        first = client.get(address)
        tag, date = first.headers["etag"], first.headers["last-modified"]
        for headers in (
            {"If-None-Match": tag},
            {"If-None-Match": f'"other", W/{tag}'},
            {"If-None-Match": "*"},
            {"If-Modified-Since": date},
        ):
            again = client.get(address, headers=headers)
            assert again.status_code == 304, headers
            assert again.content == b""
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == first.headers["cache-control"]
        old = format_datetime(datetime.now(UTC) - timedelta(days=400), usegmt=True)
        for headers in ({"If-Modified-Since": old}, {"If-None-Match": '"x"',
                                                     "If-Modified-Since": date}):  # fmt: skip
            assert client.get(address, headers=headers).status_code == 200, headers


def test_a_changed_feed_is_sent_with_another_tag(room: Members, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("dispatch.web.members.documents._FRESH", 0)
    address = room.feeds(ADA)["json"]
    with room.news.client() as client:
        tag = client.get(address).headers["etag"]
        article = room.news.out.parent / "tide.txt"
        article.write_text("Tide turns\n\nBy Ada Winter\n\nIt turned at noon, as it does.\n")
        publish.publish(
            [str(article)],
            publish.Options(room.news.out),
            room.news.settings,
            NOW + timedelta(hours=1),
            publish.Watch(lambda outcome: None),
        )
        answer = client.get(address, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["items"][0]["title"] == "Tide turns"


def test_head_says_the_same_without_a_body(room: Members) -> None:
    address = room.feeds(ADA)["atom"]
    with room.news.client() as client:
        get, head = client.get(address), client.head(address)
    same = ("etag", "content-type", "cache-control", "last-modified", "content-length")
    assert [head.headers[name] for name in same] == [get.headers[name] for name in same]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_reading_is_possible(room: Members, method: str) -> None:
    with room.news.client() as client:
        assert client.request(method, room.feeds(ADA)["rss"]).status_code == 405


@pytest.mark.parametrize(
    ("coding", "unpacked"),
    [
        ("gzip", gzip.decompress),
        ("br", brotli.decompress),
        ("zstd", zstandard.ZstdDecompressor().decompress),
    ],
)
def test_it_is_compressed_for_who_wants_that(room, coding, unpacked) -> None:  # type: ignore[no-untyped-def]
    address = room.feeds(ADA)["json"]
    with room.news.client() as client:
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        with client.stream("GET", address, headers={"Accept-Encoding": coding}) as answer:
            packed = b"".join(answer.iter_raw())
            assert answer.headers["content-encoding"] == coding
            assert answer.headers["etag"] != plain.headers["etag"]
    assert unpacked(packed) == plain.content
    assert len(packed) < len(plain.content)


# Who may not -------------------------------------------------------------------------------------


def refused(client: TestClient, address: str) -> tuple[int, bytes, dict[str, str]]:
    answer = client.get(address)
    varying = ("x-request-id", "date")
    return (
        answer.status_code,
        answer.content,
        {name: value for name, value in answer.headers.items() if name not in varying},
    )


def test_forged_revoked_unknown_and_missing_get_the_same_answer(room: Members) -> None:
    revoked = room.feeds(ADA)["rss"]
    good = room.renew(ADA)["rss"]
    token = good.split("/")[3]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    with room.news.client() as client:
        assert client.get(good).status_code == 200
        answers = [
            refused(client, path)
            for path in (
                revoked,
                f"/world/members/{forged}/feed.rss",
                "/world/members/ffff-000000000000000000000000/feed.rss",
                "/world/members/x/feed.rss",
                f"/world/members/{token}/feed.xml",
                f"/world/members/{token}/archive/9.rss",
            )
        ]
    assert answers[0][0] == 404
    assert answers[0][2]["x-robots-tag"] == "noindex"
    assert all(answer == answers[0] for answer in answers[1:])


def test_a_token_of_another_kind_or_desk_opens_nothing(tmp_path: Path) -> None:
    room = members(tmp_path)
    room.news.subscribe(ADA, "culture")
    with room._connection() as connection:
        tokens = room._tokens(connection)
        key = room.key(connection, ADA)
    culture = room.feeds(ADA, "culture")["rss"].replace("/culture/", "/world/")
    with room.news.client() as client:
        for path in (culture, *(f"/world/members/{make(key)}/feed.rss"
                                for make in (tokens.link, tokens.verp, tokens.click))):  # fmt: skip
            assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("how", ["remove", "forget", "suppress"])
def test_who_leaves_reads_no_more(room: Members, how: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    address = room.feeds(ADA)["rss"]
    now = NOW + timedelta(hours=1)
    monkeypatch.setattr(page, "REVOKED_WITHIN", 0)
    with room.news.client() as client:
        assert client.get(address).status_code == 200
        if how == "remove":
            subscribers.remove(ADA, "world", room.news.out, now, everywhere=False)
        elif how == "forget":
            subscribers.forget(ADA, room.news.out, now)
        else:
            subscribers.suppress(ADA, None, "asked by telephone", room.news.out, now)
        # Suppression is about mail: they stay subscribers, and may go on reading.
        assert client.get(address).status_code == (200 if how == "suppress" else 404)
        assert client.get(room.feeds(BEN)["rss"]).status_code == 200


def test_who_comes_back_gets_another_address_and_the_old_one_stays_dead(room: Members) -> None:
    before = room.feeds(ADA)["rss"]
    subscribers.remove(ADA, "world", room.news.out, NOW, everywhere=False)
    assert room.feeds(ADA) == {}
    later = NOW + timedelta(days=1)
    person = subscribers.Person(ADA, consent="sign-up form")
    subscribers.add(person, "world", room.news.out, later)
    with room.news.client() as client:
        assert client.get(before).status_code == 404
        assert client.get(room.feeds(ADA)["rss"]).status_code == 200


def test_whoever_gets_the_number_of_somebody_forgotten_does_not_get_their_feed(
    room: Members,
) -> None:
    address = room.feeds(BEN)["rss"]
    subscribers.forget(BEN, room.news.out, NOW)
    room.news.subscribe("cleo@reader.example.org")  # takes the key that became free
    with room.news.client() as client:
        assert client.get(address).status_code == 404
        assert client.get(room.feeds("cleo@reader.example.org")["rss"]).status_code == 200
    assert address not in room.feeds("cleo@reader.example.org").values()


def test_a_revoked_address_works_for_seconds_at_most(room: Members, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    clock = [100.0]
    monkeypatch.setattr(page, "monotonic", lambda: clock[0])
    address = room.feeds(ADA)["rss"]
    with room.news.client() as client:
        assert client.get(address).status_code == 200
        room.renew(ADA)
        clock[0] += page.REVOKED_WITHIN
        assert client.get(address).status_code == 404


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_path_leads_out_of_the_desk(client: TestClient, token: str, rest: str) -> None:
    from urllib.parse import quote

    for path in (rest, quote(rest, safe=""), f"../../{rest}", f"%2e%2e/{quote(rest)}"):
        request = f"/world/members/{token}/" + quote(path, safe="/%")
        answer = client.get(request.split("?")[0].split("#")[0])
        assert answer.status_code in (200, 307, 404, 400)
        if answer.status_code == 200:
            assert TEXT in answer.text or "Harbour" in answer.text


@pytest.fixture
def token(room: Members) -> str:
    return room.feeds(ADA)["rss"].split("/")[3]


@pytest.fixture
def client(room: Members):  # type: ignore[no-untyped-def]
    with room.news.client() as opened:
        yield opened


def test_traversal_reads_no_other_file(client: TestClient, token: str, room: Members) -> None:
    (room.news.out / "members/secret.txt").write_text("beside the desk")
    for rest in (
        "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "..\\secret.txt",
        "feed.rss%00", "./feed.rss", "//feed.rss", "archive/../../secret.txt", ".hidden",
    ):  # fmt: skip
        answer = client.get(f"/world/members/{token}/{rest}")
        assert "beside the desk" not in answer.text, rest


# When a desk changes -----------------------------------------------------------------------------


def test_of_a_private_desk_subscribers_read_everything_and_others_nothing(tmp_path: Path) -> None:
    room = members(tmp_path, access="private")
    with room.news.client() as client:
        assert TEXT in client.get(room.feeds(ADA)["json"]).text
        for path in ("/world/", "/world/feed.rss", "/world/feed.atom", "/world/feed.json"):
            assert client.get(path).status_code == 404, path


def test_a_desk_that_became_public_sends_its_subscribers_to_the_public_feed(
    tmp_path: Path,
) -> None:
    room = members(tmp_path)
    address = room.feeds(ADA)["rss"]
    public = members(tmp_path, access="public")
    rebuild.rebuild(None, public.news.out, public.news.settings, NOW,
                    rebuild.Watch(lambda done: None))  # fmt: skip
    with public.news.client() as client:
        answer = client.get(address)
        assert answer.status_code == 307
        assert answer.headers["location"] == f"{SITE_URL}/world/feed.rss"
        assert TEXT in client.get("/world/feed.rss").text
    assert public.feeds(ADA) == {}


# Use ---------------------------------------------------------------------------------------------


def use(room: Members) -> list[tuple[int, int]]:
    from dispatch.store import feed_tokens as store

    with room._connection() as connection:
        key = room.key(connection, ADA)
        token = store.of_subscriber(connection, key)[0].key
        return [(day.reads, day.places) for day in store.days_of(connection, token, 10)]


def test_reads_are_counted_by_day_and_none_is_lost_at_the_end(room: Members) -> None:
    address = room.feeds(ADA)["rss"]
    with room.news.client() as client:
        tag = client.get(address).headers["etag"]
        client.get(address, headers={"If-None-Match": tag})
        client.get(room.feeds(BEN)["rss"])
    assert use(room) == [(2, 1)]
    with room.news.client(address="2001:db8::1") as client:
        client.get(address)
    assert use(room) == [(3, 1)], "another process does not know the places of the first"


def test_a_feed_that_is_read_from_many_places_is_noticed(room: Members) -> None:
    from dispatch.newsroom.feed_tokens import MANY_PLACES, Shared
    from dispatch.web.members.use import FeedUse
    from dispatch.web.site import Site

    room.feeds(ADA)
    site = Site(room.news.out, room.news.settings)
    use_ = FeedUse(site)

    async def read() -> None:
        for n in range(MANY_PLACES):
            use_.note(1, f"192.0.2.{n}", NOW)
            use_.note(1, f"192.0.2.{n}", NOW)
            use_.note(1, f"2001:db8:0:1::{n:x}", NOW)  # one network: one place
            use_.note(1, f"::ffff:192.0.2.{n}", NOW)  # the same as above
        use_.finish()

    import asyncio

    asyncio.run(read())
    site.close()
    assert use(room) == [(MANY_PLACES * 4, MANY_PLACES + 1)]
    assert room.shared() == [Shared(ADA, "world", NOW.date(), MANY_PLACES + 1)]


def test_nothing_of_where_it_was_read_is_kept(room: Members) -> None:
    with room.news.client(address="192.0.2.77") as client:
        client.get(room.feeds(ADA)["rss"])
    database = b"".join(path.read_bytes() for path in room.news.out.glob("dispatch.db*"))
    assert b"192.0.2.77" not in database
