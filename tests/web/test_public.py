"""Public files over HTTP, by the letter: what a reader's program gets for what it asks."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import brotli
import httpx2
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.web.public_folder import (
    FEED,
    HUB,
    PAGE,
    SITE_URL,
    PublicFolder,
    application,
    public_folder,
)
from tests.web.served import newsroom

from dispatch import settings
from dispatch.web.files.file import Answer, PublicFile, Version
from dispatch.web.files.headers import kind_of
from dispatch.web.files.paths import address_of, file_of
from dispatch.web.files.public import PublicFiles

FEED_PATH = "/world/feed.rss"
WRITTEN = datetime(2026, 10, 9, 8, 0, 0, tzinfo=UTC)
UNPACK = {
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
    "gzip": gzip.decompress,
}
CODINGS = sorted(UNPACK)


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, with the bytes of its body as they came."""

    status: int
    fields: httpx2.Headers
    body: bytes

    @property
    def etag(self) -> str:
        return self.fields["etag"]


class Reader:
    """A program that reads the files of a folder."""

    def __init__(self, files: PublicFiles) -> None:
        self.files = files
        self._client = TestClient(application(files), base_url=SITE_URL, follow_redirects=False)

    def ask(self, path: str, method: str = "GET", /, **fields: str) -> Got:
        """``fields`` are header fields with ``_`` for ``-``; it takes no coding unless it says so."""
        headers = {"accept-encoding": ""}
        headers |= {name.replace("_", "-"): value for name, value in fields.items()}
        with self._client.stream(method, path, headers=headers) as answer:
            return Got(answer.status_code, answer.headers, b"".join(answer.iter_raw()))

    def pressed(self, path: str, coding: str) -> Got:
        """The file in a coding: a client that takes nothing else waits until it is made."""
        return self.ask(path, accept_encoding=f"{coding}, identity;q=0")


@pytest.fixture
def folder(tmp_path: Path) -> PublicFolder:
    made = public_folder(tmp_path)
    made.place("world/feed.rss", FEED, modified=WRITTEN.timestamp())
    return made


@pytest.fixture
def reader(folder: PublicFolder) -> Iterator[Reader]:
    files = folder.files()
    yield Reader(files)
    files.close()


class TestWhatIsSaid:
    """The header of an answer."""

    def test_of_a_feed(self, reader: Reader) -> None:
        got = reader.ask(FEED_PATH)
        assert (got.status, got.body) == (200, FEED.encode())
        said = {name: value for name, value in got.fields.items() if name != "etag"}
        assert said == {
            "content-type": "application/rss+xml; charset=utf-8",
            "content-length": str(len(FEED)),
            "last-modified": "Fri, 09 Oct 2026 08:00:00 GMT",
            "cache-control": "public, max-age=60",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
            "content-security-policy": "script-src 'none'; object-src 'none'; sandbox; "
            "frame-ancestors 'none'",
            "link": f'<{SITE_URL}{FEED_PATH}>; rel="self", <{HUB}>; rel="hub"',
        }

    def test_of_a_page_with_the_policy_that_it_names_itself(self, reader: Reader) -> None:
        got = reader.ask("/world/")
        assert (got.status, got.body) == (200, PAGE.encode())
        said = got.fields
        assert said["content-type"] == "text/html; charset=utf-8"
        assert said["content-security-policy"] == (
            "default-src 'none'; style-src 'sha256-c3R5bGU='; frame-ancestors 'none'"
        )
        assert said["referrer-policy"] == "strict-origin-when-cross-origin"
        assert said["cross-origin-opener-policy"] == "same-origin"
        assert "link" not in said

    @pytest.mark.parametrize(
        "policy",
        ["x\r\nset-cookie: a=b", "ümlaut", "&#10;set-cookie: a=b", '" onload="', "x" * 3000],
    )
    def test_a_policy_that_would_break_out_is_not_believed(
        self, folder: PublicFolder, reader: Reader, policy: str
    ) -> None:
        meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        folder.place("page.html", meta)
        got = reader.ask("/page.html")
        assert got.fields["content-security-policy"] == (
            "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
        )
        assert "set-cookie" not in got.fields

    def test_what_the_house_says_of_every_file(self, folder: PublicFolder) -> None:
        got = Reader(folder.files(**{"Strict-Transport-Security": "max-age=1"})).ask("/world/")
        assert got.fields["strict-transport-security"] == "max-age=1"

    def test_no_value_can_end_its_line(self) -> None:
        with pytest.raises(ValueError, match="link cannot be"):
            Answer(200, [("link", "<https://a.example>\r\nset-cookie: a=b")], b"")

    def test_links_are_those_of_the_desk(self, folder: PublicFolder) -> None:
        loaded = settings.load(
            {
                "DISPATCH_SITE_URL": SITE_URL,
                "DISPATCH_SITE_URL__WORLD": "https://world.example.org/news",
                "DISPATCH_HUBS__WORLD": "https://a.example/ https://b.example/",
            }
        )
        got = Reader(PublicFiles(folder.path, loaded)).ask(FEED_PATH)
        assert got.fields["link"] == (
            '<https://world.example.org/news/world/feed.rss>; rel="self", '
            '<https://a.example/>; rel="hub", <https://b.example/>; rel="hub"'
        )

    def test_a_hub_tells_of_feeds_and_not_of_their_archives(
        self, folder: PublicFolder, reader: Reader
    ) -> None:
        folder.place("world/archive/1.atom", FEED)
        got = reader.ask("/world/archive/1.atom")
        assert got.fields["link"] == f'<{SITE_URL}/world/archive/1.atom>; rel="self"'
        assert got.fields["cache-control"] == "public, max-age=3600"

    @pytest.mark.parametrize(
        ("name", "media_type", "max_age"),
        [
            ("world/feed.rss", "application/rss+xml; charset=utf-8", 60),
            ("world/feed.atom", "application/atom+xml; charset=utf-8", 60),
            ("world/feed.json", "application/feed+json", 60),
            ("world/archive/1.json", "application/feed+json", 3600),
            ("world/archive/1.html", "text/html; charset=utf-8", 3600),
            ("world/2026/10/09/x/index.html", "text/html; charset=utf-8", 60),
            ("feeds.opml", "text/x-opml; charset=utf-8", 300),
            ("sitemap.xml", "application/xml; charset=utf-8", 300),
            ("robots.txt", "text/plain; charset=utf-8", 300),
            ("manifest.json", "application/json", 300),
            ("a/picture.JPG", "image/jpeg", 86_400),
            ("a/picture.svg", "image/svg+xml; charset=utf-8", 300),
            ("a/thing", "application/octet-stream", 300),
            ("a/thing.exe", "application/octet-stream", 300),
        ],
    )
    def test_types(self, name: str, media_type: str, max_age: int) -> None:
        kind = kind_of(name)
        assert (kind.media_type, kind.max_age) == (media_type, max_age)

    def test_of_what_was_really_published(self, tmp_path: Path) -> None:
        room = newsroom(tmp_path)
        reader = Reader(PublicFiles(room.out / "public", room.settings))
        page = reader.ask("/world/")
        assert page.fields["content-security-policy"].startswith("default-src 'none'; img-src")
        assert "unsafe" not in page.fields["content-security-policy"]
        for form in ("rss", "atom", "json"):
            feed = reader.ask(f"/world/feed.{form}")
            assert feed.status == 200
            assert f'<{SITE_URL}/world/feed.{form}>; rel="self"' in feed.fields["link"]
            assert f"{SITE_URL}/world/feed.{form}".encode() in feed.body


class TestConditions:
    """If-None-Match and If-Modified-Since (RFC 9110, 13)."""

    def test_a_copy_that_is_good(self, reader: Reader) -> None:
        whole = reader.ask(FEED_PATH)
        got = reader.ask(FEED_PATH, if_none_match=whole.etag)
        assert (got.status, got.body) == (304, b"")
        assert dict(got.fields) == {
            "etag": whole.etag,
            "cache-control": "public, max-age=60",
            "vary": "accept-encoding",
        }

    def test_tags_are_strong_and_of_the_content(self, folder: PublicFolder, reader: Reader) -> None:
        first = reader.ask(FEED_PATH).etag
        assert first.startswith('"')
        folder.place("world/feed.rss", FEED, modified=WRITTEN.timestamp() + 60)
        assert reader.ask(FEED_PATH).etag == first
        folder.place("world/feed.rss", FEED + " ", modified=WRITTEN.timestamp() + 60)
        assert reader.ask(FEED_PATH).etag != first

    @pytest.mark.parametrize(
        ("field", "status"),
        [
            ("{}", 304),
            ("W/{}", 304),
            ('"other", {}', 304),
            ('"other",W/{},', 304),
            ("*", 304),
            ('"other"', 200),
            ("", 200),
            ("unquoted", 200),
            ('"other" {}', 200),
        ],
    )
    def test_if_none_match(self, reader: Reader, field: str, status: int) -> None:
        etag = reader.ask(FEED_PATH).etag
        assert reader.ask(FEED_PATH, if_none_match=field.format(etag)).status == status

    @pytest.mark.parametrize(
        ("field", "status"),
        [
            ("Fri, 09 Oct 2026 08:00:00 GMT", 304),
            ("Friday, 09-Oct-26 08:00:00 GMT", 304),
            ("Fri Oct  9 08:00:00 2026", 304),
            ("Fri, 09 Oct 2026 08:00:01 GMT", 304),
            ("Fri, 09 Oct 2026 07:59:59 GMT", 200),
            ("yesterday", 200),
            ("", 200),
        ],
    )
    def test_if_modified_since(self, reader: Reader, field: str, status: int) -> None:
        assert reader.ask(FEED_PATH, if_modified_since=field).status == status

    def test_the_tag_has_precedence_over_the_date(self, reader: Reader) -> None:
        etag, never = reader.ask(FEED_PATH).etag, format_datetime(WRITTEN, usegmt=True)
        long_ago = "Thu, 01 Jan 1970 00:00:00 GMT"
        changed = reader.ask(FEED_PATH, if_none_match='"other"', if_modified_since=never)
        same = reader.ask(FEED_PATH, if_none_match=etag, if_modified_since=long_ago)
        assert (changed.status, same.status) == (200, 304)

    def test_head_is_get_without_a_body(self, reader: Reader) -> None:
        for fields in ({}, {"if_none_match": "*"}, {"accept_encoding": "gzip, identity;q=0"}):
            get = reader.ask(FEED_PATH, "GET", **fields)
            head = reader.ask(FEED_PATH, "HEAD", **fields)
            assert (head.status, head.fields, head.body) == (get.status, get.fields, b"")

    @pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE"])
    def test_nothing_else_can_be_done(self, reader: Reader, method: str) -> None:
        got = reader.ask(FEED_PATH, method)
        assert (got.status, got.fields["allow"]) == (405, "GET, HEAD")

    def test_ranges_are_left_out(self, reader: Reader) -> None:
        got = reader.ask(FEED_PATH, range="bytes=0-9")
        assert (got.status, got.body) == (200, FEED.encode())
        assert "accept-ranges" not in got.fields


class TestCodings:
    """Compressed once, and chosen by Accept-Encoding."""

    @pytest.mark.parametrize("coding", CODINGS)
    def test_each(self, reader: Reader, coding: str) -> None:
        got = reader.pressed(FEED_PATH, coding)
        assert got.fields["content-encoding"] == coding
        assert got.fields["content-length"] == str(len(got.body))
        assert got.fields["vary"] == "accept-encoding"
        assert UNPACK[coding](got.body) == FEED.encode()
        assert len(got.body) < len(FEED) / 10

    def test_each_has_a_tag_of_its_own(self, reader: Reader) -> None:
        tags = {reader.pressed(FEED_PATH, coding).etag for coding in CODINGS}
        assert len(tags | {reader.ask(FEED_PATH).etag}) == 4

    def test_nobody_waits_who_takes_the_file_as_it_is(self, reader: Reader) -> None:
        first = reader.ask(FEED_PATH, accept_encoding="gzip, br")
        assert "content-encoding" not in first.fields
        reader.pressed(FEED_PATH, "br")
        assert reader.ask(FEED_PATH, accept_encoding="gzip, br").fields["content-encoding"] == "br"

    def test_what_is_asked_for_is_made_in_the_background(self, reader: Reader) -> None:
        def coding() -> str | None:
            return reader.ask(FEED_PATH, accept_encoding="gzip").fields.get("content-encoding")

        assert any(coding() == "gzip" for _ in range(1000))

    def test_a_copy_in_any_coding_that_the_client_takes_is_good(self, reader: Reader) -> None:
        as_it_is = reader.ask(FEED_PATH).etag
        tag = reader.pressed(FEED_PATH, "br").etag
        same = reader.ask(FEED_PATH, accept_encoding="br, gzip", if_none_match=as_it_is)
        assert (same.status, same.etag) == (304, as_it_is)
        same = reader.ask(FEED_PATH, accept_encoding="br, gzip", if_none_match=tag)
        assert (same.status, same.etag) == (304, tag)
        other = reader.ask(FEED_PATH, accept_encoding="gzip", if_none_match=tag)
        assert other.status == 200

    def test_a_tag_outlives_the_server(self, folder: PublicFolder, reader: Reader) -> None:
        tag = reader.pressed(FEED_PATH, "br").etag
        restarted = Reader(folder.files())
        got = restarted.ask(FEED_PATH, accept_encoding="br", if_none_match=tag)
        assert (got.status, got.etag) == (304, tag)

    def test_who_takes_nothing_gets_nothing(self, folder: PublicFolder, reader: Reader) -> None:
        folder.place("small.txt", "small")
        for path in (FEED_PATH, "/small.txt"):
            got = reader.ask(path, accept_encoding="identity;q=0, deflate")
            assert (got.status, got.fields["vary"]) == (406, "accept-encoding")

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("small.txt", b"a" * 500),
            ("picture.png", b"a" * 5000),
            ("noise.txt", os.urandom(5000)),
        ],
        ids=["small", "compressed by nature", "noise"],
    )
    def test_what_gains_nothing_stays_as_it_is(
        self, folder: PublicFolder, reader: Reader, name: str, data: bytes
    ) -> None:
        folder.place(name, data)
        assert reader.pressed(f"/{name}", "gzip").status == 406
        got = reader.ask(f"/{name}", accept_encoding="gzip")
        assert (got.status, got.body) == (200, data)
        assert "content-encoding" not in got.fields


class TestPlaces:
    """From paths to files."""

    def test_a_folder_has_a_page(self, reader: Reader) -> None:
        assert reader.ask("/world/").body == reader.ask("/world/index.html").body

    def test_a_folder_without_its_slash_is_elsewhere(
        self, folder: PublicFolder, reader: Reader
    ) -> None:
        folder.place("world/2026/a:b/index.html", PAGE)
        for path, to in [
            ("/world", "./world/"),
            ("/world?to=//evil.example", "./world/"),
            ("/w%6Frld", "./world/"),
            ("/world/2026/a:b", "./a%3Ab/"),
        ]:
            got = reader.ask(path)
            assert (got.status, got.fields["location"]) == (308, to)

    def test_a_folder_without_a_page_is_nothing(self, folder: PublicFolder, reader: Reader) -> None:
        folder.place("pictures/a.png", b"png")
        assert reader.ask("/pictures").status == reader.ask("/pictures/").status == 404
        assert reader.ask("/").status == 404

    def test_a_file_is_no_folder(self, reader: Reader) -> None:
        assert reader.ask(f"{FEED_PATH}/").status == 404
        assert reader.ask(f"{FEED_PATH}/index.html").status == 404

    def test_a_query_changes_nothing(self, reader: Reader) -> None:
        assert reader.ask(f"{FEED_PATH}?utm_source=x&a=%00").body == FEED.encode()

    def test_a_name_may_need_escapes(self, folder: PublicFolder, reader: Reader) -> None:
        folder.place("world/größe 50%.txt", "text")
        assert reader.ask("/world/gr%C3%B6%C3%9Fe%2050%25.txt").body == b"text"

    def test_security_txt_is_not_hidden(self, folder: PublicFolder, reader: Reader) -> None:
        folder.place(".well-known/security.txt", "Contact: mailto:desk@example.org")
        assert reader.ask("/.well-known/security.txt").status == 200

    def test_what_is_not_there_comes_and_goes(self, folder: PublicFolder, reader: Reader) -> None:
        assert reader.ask("/new.txt").status == 404
        file = folder.place("new.txt", "new")
        assert reader.ask("/new.txt").body == b"new"
        folder.place("new.txt", "newer")
        assert reader.ask("/new.txt").body == b"newer"
        file.unlink()
        assert reader.ask("/new.txt").status == 404

    def test_a_folder_may_come_into_being_later(self, tmp_path: Path) -> None:
        folder = PublicFolder(tmp_path / "public")
        reader = Reader(folder.files())
        assert reader.ask("/world/").status == 404
        folder.place("world/index.html", PAGE)
        assert reader.ask("/world/").status == 200


class TestHostilePaths:
    """Whoever spells a path as no address of ours is spelled gets nothing."""

    @pytest.mark.parametrize(
        "path",
        [
            b"",
            b"*",
            b"world/",
            b"//evil.example",
            b"//evil.example/",
            b"//world/",
            b"/world//",
            b"/world//feed.rss",
            b"/./world/",
            b"/world/.",
            b"/world/..",
            b"/world/../world/",
            b"/../secret.txt",
            b"/world/../../secret.txt",
            b"/%2e%2e/secret.txt",
            b"/%2E%2E%2Fsecret.txt",
            b"/..%2fsecret.txt",
            b"/..%5csecret.txt",
            b"/..\\secret.txt",
            b"/world\\feed.rss",
            b"/%252e%252e/secret.txt",
            b"/world%2ffeed.rss",
            b"/world/feed.rss%00",
            b"/world/feed.rss%00.png",
            b"/world/feed.rss\x00",
            b"/world/feed.rss%0d%0aset-cookie:%20a=b",
            b"/world/feed.rss%0a",
            b"/world/feed.rss%7f",
            b"/world/feed.rss%",
            b"/world/feed.rss%2",
            b"/world/feed.rss%zz",
            b"/world/feed.rss%ff",
            b"/world/%c0%ae%c0%ae/feed.rss",
            b"/.hidden",
            b"/%2ehidden",
            b"/.git/config",
            b"/world/.hidden",
            b"/world/.well-known/x",
            b"/" + b"a" * 300,
            b"/" + b"a/" * 2000,
            b"/" + b"%41" * 1000,
        ],
        ids=lambda path: path[:40].decode("latin-1"),
    )
    def test_nothing_is_there(self, folder: PublicFolder, path: bytes) -> None:
        (folder.path.parent / "secret.txt").write_text("secret")
        for name in (".hidden", ".git/config", "world/.hidden", "world/.well-known/x"):
            folder.place(name, "hidden")
        files = folder.files()
        assert asyncio.run(files.find(path)) is None
        assert not files.ready
        files.close()

    def test_links_that_lead_out_lead_nowhere(self, folder: PublicFolder, reader: Reader) -> None:
        outside = folder.path.parent / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text("secret")
        (folder.path / "file.txt").symlink_to(outside / "secret.txt")
        (folder.path / "folder").symlink_to(outside)
        (folder.path / "round").symlink_to("round")
        (folder.path / "broken").symlink_to("nowhere")
        (folder.path / "inside.rss").symlink_to("world/feed.rss")
        asked = ["/file.txt", "/folder/secret.txt", "/folder", "/folder/", "/round", "/broken"]
        assert [reader.ask(path).status for path in asked] == [404] * len(asked)
        assert reader.ask("/inside.rss").body == FEED.encode()

    def test_a_folder_that_is_itself_a_link_is_as_good(self, folder: PublicFolder) -> None:
        link = folder.path.parent / "current"
        link.symlink_to(folder.path)
        assert Reader(PublicFolder(link).files()).ask(FEED_PATH).status == 200

    def test_only_files_are_read(self, folder: PublicFolder, reader: Reader) -> None:
        os.mkfifo(folder.path / "pipe.txt")
        (folder.path / "empty" / "index.html").mkdir(parents=True)
        assert reader.ask("/pipe.txt").status == 404
        assert reader.ask("/empty/").status == 404
        assert reader.ask("/empty/index.html").status == 404

    @given(st.binary(max_size=60).map(lambda tail: b"/" + tail))
    def test_no_path_names_anything_outside(self, path: bytes) -> None:
        name = file_of(path)
        if name is not None:
            parts = name.split("/")
            assert not name.startswith("/")
            assert not {"", ".", ".."} & set(parts[:-1])
            assert "\\" not in name
            assert "\0" not in name
            assert file_of(address_of(name).encode()) == name


class TestMemory:
    """What is kept in memory is bounded."""

    def test_what_was_not_asked_for_longest_falls_out(self, folder: PublicFolder) -> None:
        for number in range(20):
            folder.place(f"{number}.txt", b"a" * 5000)
        files = folder.files(memory=100_000)
        reader = Reader(files)
        for number in range(20):
            assert reader.ask(f"/{number}.txt").status == 200
        assert b"/19.txt" in files.ready
        assert b"/0.txt" not in files.ready
        assert sum(file.weight for file in files.ready.values()) <= 100_000
        assert reader.ask("/0.txt").body == b"a" * 5000

    def test_compressed_forms_count(self, folder: PublicFolder) -> None:
        noise = os.urandom(6000).hex().encode()
        for number in range(8):
            folder.place(f"{number}.txt", noise)
        files = folder.files(memory=200_000)
        reader = Reader(files)
        for number in range(8):
            for coding in CODINGS:
                assert UNPACK[coding](reader.pressed(f"/{number}.txt", coding).body) == noise
        reader.ask("/world/")
        assert sum(file.weight for file in files.ready.values()) <= 200_000
        assert b"/0.txt" not in files.ready

    def test_the_length_is_that_of_what_is_sent(self, folder: PublicFolder) -> None:
        file = folder.place("growing.txt", "as it was")
        version = Version.of(file.stat())
        grown = PublicFile("growing.txt", version, b"as it is now", kind_of("growing.txt"))
        answer = grown.answer(("identity",), None, None)
        assert answer is not None
        assert dict(answer.fields)[b"content-length"] == b"12"

    def test_other_spellings_are_not_kept(self, folder: PublicFolder) -> None:
        files = folder.files()
        reader = Reader(files)
        for path in ("/world/feed.rss", "/world/%66eed.rss", "/world/feed.rs%73", "/world/"):
            assert reader.ask(path).status == 200
        assert set(files.ready) == {b"/world/feed.rss", b"/world/"}

    def test_a_large_file_is_read_from_the_disk(self, folder: PublicFolder) -> None:
        large = os.urandom(700_000)
        folder.place("large.pdf", large)
        files = folder.files(memory=1_000_000)
        reader = Reader(files)
        got = reader.ask("/large.pdf")
        assert (got.status, got.body) == (200, large)
        assert got.fields["content-length"] == "700000"
        assert reader.ask("/large.pdf", if_none_match=got.etag).status == 304
        assert reader.ask("/large.pdf", "HEAD").fields == got.fields
        assert not files.ready
        folder.place("large.pdf", large[::-1])
        assert reader.ask("/large.pdf", if_none_match=got.etag).body == large[::-1]
