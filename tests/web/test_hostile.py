"""What strangers try who mean harm, where it goes through more than one part of the site."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient
from tests.web.members_room import ADA, members
from tests.web.served import Newsroom, newsroom

from dispatch.web.webhooks import reception

PART = "Content-Disposition: form-data; name="


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return newsroom(tmp_path, mailgun_webhook_key="a-key-of-mailguns-own")


@pytest.mark.parametrize("path", ["subscribe", "nothing", "confirm/1-0", "members/1-0/feed.rss"])
def test_nobody_learns_that_there_is_a_private_desk(tmp_path: Path, path: str) -> None:
    room = newsroom(tmp_path, access__hidden="private")
    room.subscribe("ida@example.org", "hidden")
    as_browsers_do = {"accept": "text/html", "accept-language": "xx"}
    with room.client() as client:
        hidden = client.get(f"/hidden/{path}", headers=as_browsers_do)
        nothing = client.get(f"/nowhere/{path}", headers=as_browsers_do)
    assert hidden.status_code == nothing.status_code == 404
    assert hidden.content == nothing.content
    assert hidden.headers["content-language"] == nothing.headers["content-language"]


@pytest.mark.parametrize(
    "path", ["/..%2fmembers/x/feed.rss", "/world%2fmembers/x/feed.rss", "/world%2Fmembers%2Fx%2F"]
)
def test_escaped_slashes_lead_to_no_personal_file(tmp_path: Path, path: str) -> None:
    room = members(tmp_path)
    token = room.feeds(ADA)["rss"].split("/")[3]
    with room.news.client() as client:
        assert client.get(path).status_code == 404
        assert client.get(path.replace("x", token)).status_code == 404


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "unicode_escape", "utf-16"])
def test_a_form_says_its_words_in_utf_8(room: Newsroom, charset: str) -> None:
    body = f'--x\r\n{PART}"email"\r\n\r\nida\xff@example.org\r\n--x--\r\n'.encode("latin-1")
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    with room.client() as client:
        answer = client.post("/world/subscribe", content=body, headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_webhook_is_signed_at_a_time_that_there_is(room: Newsroom) -> None:
    signature = {"timestamp": "9" * 400, "token": "x", "signature": "x"}
    with room.client() as client:
        assert _posted(client, {"signature": signature}) == 401


def _posted(client: TestClient, message: object) -> int:
    return client.post("/webhooks/mailgun", json=message).status_code


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_nobody_is_thanked_for_what_is_written_to_a_file_that_is_gone(
    room: Newsroom, how: str
) -> None:
    asked = {"email": "ida@example.org", "consent": "Yes, please."}
    database = room.out / "dispatch.db"
    with room.client() as client:
        assert client.post("/world/subscribe.json", json=asked).status_code == 202
        backup = room.out / "backup.db"
        shutil.copy(database, backup)
        database.rename(room.out / "elsewhere.db")
        if how == "replaced":
            backup.rename(database)
        assert client.post("/world/subscribe.json", json=asked).status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/world/feed.rss").status_code == 200
        if how == "removed":
            assert not database.exists(), "no empty one is made in its place"


def test_a_strangers_body_is_not_read_where_its_head_says_that_they_are_one(tmp_path: Path) -> None:
    room = newsroom(tmp_path, postmark_webhook="user:a-password")
    too_long = b" " * (reception.MOST + 1)
    with room.client() as client:
        assert client.post("/webhooks/postmark", content=too_long).status_code == 401


def test_what_strangers_send_to_a_webhook_fills_no_memory() -> None:
    """Bodies that have not come in whole, as slow clients have them, count as well."""
    room = reception.Room(reception.ROOM)
    with ExitStack() as slow:
        for hold in [slow.enter_context(room.held()) for _ in range(4)]:
            hold(reception.MOST)
        with pytest.raises(HTTPException) as refused, room.held() as hold:
            hold(1)
        assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "30"})
    with room.held() as hold:
        hold(reception.ROOM)


def test_what_stands_among_personal_files_and_is_none_is_not_read(tmp_path: Path) -> None:
    room = members(tmp_path)
    folder, secret = room.news.out / "members/world", tmp_path / "secret.txt"
    secret.write_text("beside the newsroom")
    (folder / "link.txt").symlink_to(secret)
    (folder / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.txt")  # whoever opens one for reading waits for somebody who writes
    token = room.feeds(ADA)["rss"].split("/")[3]
    with room.news.client() as client:
        for name in ("link.txt", "elsewhere/secret.txt", "pipe.txt"):
            assert client.get(f"/world/members/{token}/{name}").status_code == 404, name
