"""``dispatch bounces``: what it prints, and what it tells a mail server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tests.mailing.returned import sample
from tests.newsroom.test_bounces import KEY, TOKENS, Newsroom

from dispatch.cli.bounces import bounces
from dispatch.errors import DeliveryError
from dispatch.newsroom import bounces as use_case

SECRET = "s3cr3t-of-the-mailbox"


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    for name in [n for n in os.environ if n.startswith("DISPATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DISPATCH_SECRET_KEYS", KEY)
    monkeypatch.chdir(tmp_path)
    room = Newsroom(tmp_path)
    yield room
    room.store.close()


def run(*words: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(bounces, words, input=stdin, standalone_mode=False)


def piped(newsroom: Newsroom, name: str, copy: int, *words: str) -> Result:
    return run("read", "-", *words, stdin=sample(name, copy, TOKENS))


def test_it_says_what_became_of_the_messages(newsroom: Newsroom) -> None:
    copies = [newsroom.edition() for _ in range(3)]
    newsroom.receive("postfix-unknown-user", copies[0])
    newsroom.receive("arf-yahoo-abuse", copies[1])
    newsroom.receive("auto-reply-german", copies[1])
    newsroom.receive("a-person-answers", copies[2])
    result = run("read", "Maildir")
    assert result.return_value == 0
    assert result.stdout.splitlines() == [
        "Read 4 messages.",
        "  1 came back for good: nobody is there, and those subscribers get no more.",
        "  1 complained of spam: those subscribers get no more from the desk.",
        "  1 ignored: automatic answers, notices of delay or delivery.",
        "  1 not understood: left unread, nothing was done.",
    ]
    assert "3.host: It came to a return path, and is no bounce that is known." in result.stderr


def test_the_same_as_json(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.receive("postfix-unknown-user", newsroom.edition())
    monkeypatch.setenv("DISPATCH_BOUNCES", str(newsroom.out / "Maildir"))
    result = run("read", "--json")
    assert json.loads(result.stdout) == {
        "read": 1,
        "bounced_hard": 1,
        "bounced_soft": 0,
        "complaints": 0,
        "unsubscribed": 0,
        "ignored": 0,
        "unknown": 0,
        "forged": 0,
        "duplicates": 0,
    }


def test_what_came_back_is_listed(newsroom: Newsroom) -> None:
    assert run("list").stdout == "Nothing came back so far.\n"
    piped(newsroom, "steers-a-terminal", newsroom.edition())
    (line,) = run("list", "--desk", "world").stdout.splitlines()
    assert "hard        ann@example.net  mailing 1  5.1.1 550 5.1.1 [2J" in line
    assert line.isprintable()
    (row,) = json.loads(run("list", "--json").stdout)["bounces"]
    assert (row["kind"], row["status"], row["mailing"]) == ("hard", "5.1.1", 1)


# A mail server's pipe ------------------------------------------------------------------------------


def test_a_message_from_a_pipe_is_dealt_with(newsroom: Newsroom) -> None:
    assert piped(newsroom, "postfix-unknown-user", newsroom.edition()).return_value == 0
    assert newsroom.ann() == "bounced"


def test_the_address_that_the_mail_server_names_counts(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    address = f"bounces+{TOKENS.verp(copy)}@news.example.org"
    result = piped(newsroom, "report-without-a-token", copy, "--recipient", address)
    assert result.return_value == 0
    assert newsroom.ann() == "bounced"


@pytest.mark.parametrize("name", ["forged-token", "spam", "auto-reply-german"])
def test_what_it_can_make_nothing_of_is_taken_all_the_same(newsroom: Newsroom, name: str) -> None:
    """The mail server would only bounce it, to somebody who never wrote."""
    assert piped(newsroom, name, newsroom.edition()).return_value == 0


def test_the_mail_server_keeps_what_cannot_be_written_down(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.store.close()
    (newsroom.out / "dispatch.db").write_bytes(b"no database at all " * 100)
    result = piped(newsroom, "postfix-unknown-user", copy)
    assert result.return_value == os.EX_TEMPFAIL == 75
    assert "The message was not dealt with:" in result.stderr
    assert piped(newsroom, "postfix-unknown-user", 1, "--out", "elsewhere").return_value == 75


def test_the_mail_server_keeps_it_whatever_goes_wrong(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("with something secret in it")

    monkeypatch.setattr(use_case, "understand", fail)
    result = piped(newsroom, "postfix-unknown-user", newsroom.edition())
    assert result.return_value == os.EX_TEMPFAIL
    assert "ZeroDivisionError" in result.stderr
    assert "secret" not in result.output


def test_an_address_is_for_a_pipe(newsroom: Newsroom) -> None:
    result = run("read", "Maildir", "--recipient", "bounces@example.org")
    assert isinstance(result.exception, click.UsageError)


def test_the_exit_status_is_the_mail_servers(newsroom: Newsroom) -> None:
    """The program itself, as a pipe starts it."""
    words = [sys.executable, "-m", "dispatch", "bounces", "read", "-", "--out"]
    message = sample("postfix-unknown-user", newsroom.edition(), TOKENS)
    for out, status in ((str(newsroom.out), 0), ("elsewhere", 75)):
        done = subprocess.run([*words, out], input=message, capture_output=True, check=False)
        assert done.returncode == status, done.stderr
        assert b"Traceback" not in done.stderr
    assert newsroom.ann() == "bounced"


# Passwords -----------------------------------------------------------------------------------------


def test_a_password_is_never_printed(newsroom: Newsroom) -> None:
    for source in (
        f"imaps://me:{SECRET}@127.0.0.1:1/INBOX",
        f"pop3://me:{SECRET}@127.0.0.1/",
        f"imaps://me:{SECRET}@/",
        f"imap://me:{SECRET}@mail.example.org/",
        f"imaps://me:{SECRET}@[127.0.0.1/",
    ):
        result = run("read", source)
        assert isinstance(result.exception, DeliveryError)
        assert SECRET not in f"{result.exception} {result.output}"
