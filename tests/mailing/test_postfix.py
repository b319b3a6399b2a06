"""Through a real Postfix: what a mail server that knows its trade makes of what we say."""

from __future__ import annotations

import asyncio
import email
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from tests.mailing.pile import Pile, copy
from tests.servers.postfix import Postfix, running

from dispatch.mailing.connections import connect
from dispatch.mailing.relays import parse
from dispatch.mailing.transport import Copy, End


@pytest.fixture(scope="module")
def started() -> Iterator[Postfix]:
    with running() as server:
        yield server


@pytest.fixture
def postfix(started: Postfix) -> Postfix:
    started.empty()
    return started


def sent(postfix: Postfix, pile: Pile, options: str = "") -> End:
    async def run() -> End:
        return await connect(
            parse(f"smtp://127.0.0.1:{postfix.port}{options}"), pile, lambda: 0
        ).run()

    return asyncio.run(run())


def delivered(mails: list[bytes]) -> dict[str, bytes]:
    """What Postfix delivered to whom: the message as it was sent, without what Postfix put on top."""
    found: dict[str, bytes] = {}
    for mail in mails:
        top = re.match(
            rb"Return-Path: .*\nX-Original-To: (.*)\nDelivered-To: .*\nReceived: .*\n(?:[ \t].*\n)*",
            mail,
        )
        assert top, mail[:500]
        recipient = top[1].decode()
        assert recipient not in found, f"{recipient} got it twice"
        found[recipient] = mail[top.end() :].replace(b"\n", b"\r\n")
    return found


TEXTS = ["Good morning.", ".", "..\n.\n\n", "x" * 900, "\n".join(["." * 60] * 400), ""]


@pytest.mark.parametrize(
    "options", ["", "?window=1", "?pipelining=no", "?messages=7"], ids=lambda o: o or "as offered"
)
def test_every_message_arrives_once_byte_for_byte(postfix: Postfix, options: str):
    copies = [copy(n, text=TEXTS[n % len(TEXTS)]) for n in range(1, 101)]
    pile = Pile(copies)
    while pile.waiting:
        assert sent(postfix, pile, options).kind == "finished"
    assert set(pile.told().values()) == {"accepted"}
    assert delivered(postfix.mails("readers", 100)) == {c.recipient: c.data for c in copies}
    assert all("queued as" in result.reply for result in pile.results)


def test_an_unknown_mailbox_is_refused_for_that_recipient_alone(postfix: Postfix):
    """The answer to RCPT comes when MAIL, RCPT and the message are under way behind each other."""
    pile = Pile(
        copy(n, to=f"{'known' if n % 3 else f'nobody{n}'}@strict.example") for n in range(1, 31)
    )
    assert sent(postfix, pile).kind == "finished"
    assert pile.told() == {n: "accepted" if n % 3 else "bounced" for n in range(1, 31)}
    refused = next(result for result in pile.results if result.kind == "bounced")
    assert (refused.code, refused.status, refused.blame) == (550, "5.1.1", "recipient")
    assert len(postfix.mails("readers", 20)) == 20


def test_an_address_beyond_ascii_arrives(postfix: Postfix):
    pile = Pile([reader := copy(1, to="søren@example.org")])
    assert sent(postfix, pile).kind == "finished"
    assert pile.told() == {1: "accepted"}
    assert delivered(postfix.mails("readers", 1)) == {"søren@example.org": reader.data}


def test_what_is_larger_than_it_takes_is_not_sent(postfix: Postfix):
    large = copy(1, to="large@example.org", text="\n".join(["x" * 70] * 150_000))
    pile = Pile([large, copy(2)])
    assert sent(postfix, pile).kind == "finished"
    assert pile.told() == {1: "bounced", 2: "accepted"}
    assert large.recipient not in postfix.log(), "it was told the size, and no more"


def test_it_bounces_to_the_return_path_of_each_copy(postfix: Postfix):
    pile = Pile(
        copy(n, to=f"{who}{n}@later.example", sender=f"bounces+{n}.token@back.example")
        for n, who in enumerate(["full", "gone", "gone", "full"])
    )
    sent(postfix, pile)
    assert set(pile.told().values()) == {"accepted"}
    told = {}
    for mail in postfix.mails("bounces", 4):
        report = email.message_from_bytes(mail, policy=default)
        assert report.get_content_type() == "multipart/report"
        (status,) = re.findall(rb"^Status: (.*)", mail, re.MULTILINE)
        told[str(report["Delivered-To"])] = status
    assert told == {
        "bounces+0.token@back.example": b"5.2.2",
        "bounces+1.token@back.example": b"5.1.1",
        "bounces+2.token@back.example": b"5.1.1",
        "bounces+3.token@back.example": b"5.2.2",
    }


def through_sendmail(postfix: Postfix, copies: list[Copy]) -> Pile:
    """Postfix's own ``sendmail``, told whose settings to read."""
    script = postfix.folder / "sendmail"
    script.write_text(f'#!/bin/sh\nMAIL_CONFIG={postfix.config} exec /usr/sbin/sendmail "$@"\n')
    script.chmod(0o755)
    pile = Pile(copies)

    async def run() -> End:
        return await connect(parse(f"sendmail:{script}"), pile, lambda: 0).run()

    assert asyncio.run(run()).kind == "finished"
    return pile


def test_its_sendmail_takes_copies_too(postfix: Postfix):
    copies = [copy(1), copy(2, to="søren@example.org", text=".\n..\nFrom here"), copy(3)]
    pile = through_sendmail(postfix, copies)
    assert set(pile.told().values()) == {"accepted"}
    assert delivered(postfix.mails("readers", 3)) == {c.recipient: c.data for c in copies}


class Newsroom:
    """The command line in a folder of its own, with this Postfix for a relay."""

    def __init__(self, folder: Path, postfix: Postfix) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
        self.environment = kept | {
            "DISPATCH_SMTP_URL": f"smtp://127.0.0.1:{postfix.port}",
            "DISPATCH_RETURN_PATH": "bounces@back.example",
        }

    def run(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "dispatch", *arguments, "--json"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def counts(self) -> dict[str, int]:
        counts = self.run("mailing", "show", "1")["counts"]
        return {state: count for state, count in counts.items() if count}

    def state(self, email: str) -> str:
        (subscriber,) = self.run("subscribers", "show", email)["subscriptions"]
        return str(subscriber["state"])


def test_the_whole_road_there_and_back(postfix: Postfix, tmp_path: Path, samples: Path):
    """200 subscribers: who reads it, who is refused at once, and who bounces afterwards."""
    reading = ["søren@example.org", *(f"reader{n}@example.org" for n in range(139))]
    refused = [f"nobody{n}@strict.example" for n in range(20)]
    gone = [f"gone{n}@later.example" for n in range(30)]
    full = [f"full{n}@later.example" for n in range(10)]
    everybody = [*reading, *refused, *gone, *full]
    (tmp_path / "readers.csv").write_text("email\n" + "\n".join(everybody), encoding="utf-8")
    newsroom = Newsroom(tmp_path, postfix)
    newsroom.run("subscribers", "import", "readers.csv", "--desk", "world")

    newsroom.run("send", str(samples / "harbour-ferry.txt"), "--desk", "world", "--yes")
    assert newsroom.counts() == {"accepted": 180, "bounced": 20}
    mails = delivered(postfix.mails("readers", 140))
    assert set(mails) == set(reading)
    for recipient, mail in mails.items():
        message = email.message_from_bytes(mail, policy=default)
        assert not message.defects
        assert recipient.isascii() <= (message["To"].addresses[0].addr_spec == recipient)
    assert len({email.message_from_bytes(mail)["Message-ID"] for mail in mails.values()}) == 140

    postfix.mails("bounces", 40)
    maildir = str(postfix.folder / "mail" / "bounces")
    told = newsroom.run("bounces", "read", maildir)
    assert (told["bounced_hard"], told["bounced_soft"], told["forged"]) == (30, 10, 0)
    assert newsroom.run("bounces", "read", maildir)["read"] == 0, "each is read once"
    assert newsroom.counts() == {"accepted": 140, "bounced": 60}
    assert newsroom.state("nobody7@strict.example") == "bounced"
    assert newsroom.state("gone7@later.example") == "bounced"
    assert newsroom.state("full7@later.example") == "active", "a full mailbox may be emptied"
    assert newsroom.state("søren@example.org") == "active"
    assert newsroom.run("mailing", "verify", "1")["proven"] is True
