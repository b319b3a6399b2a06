"""What `dispatch run` does besides sending."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from tests.newsroom.desk_room import Newsroom

from dispatch.newsroom import mailings, rounds


def bounce(newsroom: Newsroom, address: str) -> bytes:
    """What a relay writes when the copy of ``address`` cannot be handed on."""
    copy = mailings.replay(newsroom.out, 1, address, newsroom.settings, newsroom.now)
    return (
        f"From: MAILER-DAEMON@mail.example.net\r\nTo: {copy.sender}\r\n"
        "Subject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "--b--\r\n"
    ).encode()


def test_bounces_are_read_while_something_else_runs(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    newsroom.subscribe("ann@example.org")
    newsroom.make(newsroom.article("ferry.md", "The Ferry Is Back"))
    mailbox = tmp_path / "bounces"
    for folder in ("new", "cur", "tmp"):
        (mailbox / folder).mkdir(parents=True)
    (mailbox / "new" / "1").write_bytes(bounce(newsroom, "ann@example.org"))
    settings = replace(newsroom.settings, bounces=str(mailbox))

    told = threading.Event()
    said: list[str] = []

    def hear(sentence: str) -> None:
        said.append(sentence)
        told.set()

    with rounds.rounds(newsroom.out, settings, hear):
        assert told.wait(30)
    assert said == ["1 messages came back: 1 bounced hard."]
    assert list((mailbox / "new").iterdir()) == []


def test_a_mailbox_that_cannot_be_read_is_said_and_stops_nothing(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    newsroom.subscribe("ann@example.org")
    said: list[str] = []
    settings = replace(newsroom.settings, bounces=str(tmp_path / "nowhere"))
    rounds.once(newsroom.out, settings, said.append)
    assert len(said) == 1
    assert said[0].startswith("Bounces could not be read: ")
    assert "nowhere" in said[0]


def test_nothing_is_read_where_no_mailbox_is_set(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path)
    said: list[str] = []
    with rounds.rounds(newsroom.out, newsroom.settings, said.append):
        rounds.once(newsroom.out, newsroom.settings, said.append)
    assert said == []
