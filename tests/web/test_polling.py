"""Feeds that are polled: by thousands at once, while they change, and by the programs people use."""

from __future__ import annotations

import asyncio
import resource
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError

import feedparser
import httpx2
import pytest
from tests.web.listening import PATIENCE, listening
from tests.web.public_folder import PublicFolder, application
from tests.web.served import newsroom

from dispatch.web.files.public import PublicFiles
from dispatch.web.server.connection import Connection, Counts

READERS = 2000
POLLS = 5
REPLACED_AFTER = 2 * READERS
"""Answers; so some polls of every reader find nothing new."""


def edition(number: int) -> bytes:
    """A feed of 40 KB; any two of them differ everywhere."""
    lines = (sha256(f"{number}/{line}".encode()).hexdigest() for line in range(600))
    return f"<rss><!-- {number} -->".encode() + "\n".join(lines).encode() + b"</rss>"


@contextmanager
def many_files() -> Iterator[None]:
    """Both ends of every connection are open files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * READERS), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd:
    """Readers of a feed, which is replaced after every so many of their answers."""

    def __init__(self, folder: PublicFolder, port: int) -> None:
        self._folder = folder
        self._port = port
        self._bodies: dict[str, bytes] = {}
        """What came with an entity tag."""
        self.newest = 0
        self.statuses: Counter[int] = Counter()

    async def polls(self) -> None:
        """All of them poll at once, and one goes on until it has the last edition."""
        readers = (self._reader(lambda _number, polls: polls == POLLS) for _ in range(READERS))
        await asyncio.wait_for(asyncio.gather(*readers), 5 * PATIENCE)
        last = self._reader(lambda number, _polls: number == self.newest)
        await asyncio.wait_for(last, PATIENCE)

    async def _reader(self, content: Callable[[int, int], bool]) -> None:
        """Polls on one connection, and says each time which copy it has.

        Args:
            content: whether that is enough, after the edition it has and so many polls.
        """
        stream, line = await asyncio.open_connection("127.0.0.1", self._port)
        tag, number, polls = "", -1, 0
        while not content(number, polls):
            condition = f"if-none-match: {tag}\r\n" if tag else ""
            request = f"GET /world/feed.rss HTTP/1.1\r\nhost: news.example.org\r\n{condition}\r\n"
            line.write(request.encode())
            polls += 1
            head = (await stream.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = dict(entry.split(": ", 1) for entry in head[1:-2])
            self._count(int(head[0].split()[1]))
            if " 304 " in head[0]:
                assert fields["etag"] == tag
                continue
            tag = fields["etag"]
            body = await stream.readexactly(int(fields["content-length"]))
            came = int(body.split(b" ", 2)[1])
            assert came > number, "an older edition came after a newer one"
            assert body == self._bodies.setdefault(tag, edition(came)), "not whole, or not its tag"
            number = came
        line.close()
        await line.wait_closed()

    def _count(self, status: int) -> None:
        self.statuses[status] += 1
        if self.statuses.total() % REPLACED_AFTER == 0:
            self.newest += 1
            self._folder.place("world/feed.rss", edition(self.newest))


def test_thousands_of_readers_while_the_feed_changes(tmp_path: Path) -> None:
    folder = PublicFolder(tmp_path / "public")
    folder.place("world/feed.rss", edition(0))
    files = folder.files()
    counts = Counts()
    connection = Connection.bound_to(files, counts=counts)
    with many_files(), listening(application(files), connection) as port:
        crowd = Crowd(folder, port)
        asyncio.run(crowd.polls())
    files.close()
    assert crowd.newest >= 2
    assert set(crowd.statuses) == {200, 304}
    assert counts.answered.total() > READERS
    assert not counts.cut


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a newsroom's public files, over HTTP."""
    room = newsroom(tmp_path_factory.mktemp("room"))
    files = PublicFiles(room.out / "public", room.settings)
    with listening(application(files), Connection.bound_to(files)) as port:
        yield f"http://127.0.0.1:{port}"
    files.close()


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feedparser(site: str, form: str) -> None:
    url = f"{site}/world/feed.{form}"
    first = feedparser.parse(url)
    assert (first.status, first.bozo) == (200, False)
    assert [entry.title for entry in first.entries] == ["Harbour reopens after the storm"]
    by_tag = feedparser.parse(url, etag=first.etag)
    by_date = feedparser.parse(url, modified=first.modified)
    assert (by_tag.status, by_date.status) == (304, 304)
    assert not by_tag.entries


def test_httpx(site: str) -> None:
    url = f"{site}/world/feed.atom"
    with httpx2.Client() as client:
        whole = client.get(url, headers={"accept-encoding": "identity"})
        for coding in ("br", "gzip"):
            pressed = client.get(url, headers={"accept-encoding": f"{coding}, identity;q=0"})
            assert pressed.headers["content-encoding"] == coding
            assert pressed.text == whole.text
            same = client.get(url, headers={"if-none-match": pressed.headers["etag"]})
            assert same.status_code == 304


def test_a_client_of_the_standard_library(site: str) -> None:
    url = f"{site}/world/feed.rss"
    with urllib.request.urlopen(url) as answer:
        modified, body = answer.headers["Last-Modified"], answer.read()
        assert answer.headers.get_content_charset() == "utf-8"
        assert b"Harbour reopens" in body
    again = urllib.request.Request(url, headers={"If-Modified-Since": modified})
    with pytest.raises(HTTPError) as unmodified:
        urllib.request.urlopen(again)
    with unmodified.value as answer:
        assert (answer.code, answer.read()) == (304, b"")
