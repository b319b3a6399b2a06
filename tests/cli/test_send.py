"""Sending from the command line: what is printed, what a machine reads, exit statuses, secrets."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import termios
from contextlib import suppress
from email import message_from_bytes, policy
from pathlib import Path

import pytest

ARTICLE = """---
title: The Ferry Is Back
desk: World
lang: en
---

The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard.
"""
READERS = """email,name,tags
ann@example.org,Ann Weaver,premium
ben@example.com,"Ben ""Bo"" Ash",
cid@example.com,,premium
"""


class Shell:
    """Runs ``dispatch`` in a folder of its own; mail is kept in ``mails/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mine = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
        self.environment = {**mine, "DISPATCH_SMTP_URL": "file:mails", "NO_COLOR": "1"}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dispatch", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def at_terminal(self, keys: str, *arguments: str) -> tuple[int, str, str]:
        """Somebody types ``keys`` as soon as they are asked; status, what was printed, and said."""
        ours, terminal = os.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "dispatch", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            encoding="utf-8",
            preexec_fn=_with_terminal,  # noqa: PLW1509 - there are no threads here
        )
        os.close(terminal)
        told = b""
        with suppress(OSError):  # EIO: the other end is closed
            while True:
                ready, _, _ = select.select([ours], [], [], 2)
                piece = os.read(ours, 4096) if ready else b""
                told += piece
                # A Ctrl-C in the very moment before Python waits for input is seen at the next
                # one: a person presses again.
                if b"[y/N]" in (told if not ready else piece):
                    os.write(ours, keys.encode())
        os.close(ours)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out, told.decode()

    def ok(self, *arguments: str, **environment: str) -> str:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> dict[str, object]:
        return dict(json.loads(self.ok(*arguments, "--json")))


def _with_terminal() -> None:
    """Make standard input the terminal of a process, so that Ctrl-C reaches it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "article.md").write_text(ARTICLE, encoding="utf-8")
    (tmp_path / "readers.csv").write_text(READERS, encoding="utf-8")
    shell = Shell(tmp_path)
    shell.ok("subscribers", "import", "readers.csv", "--desk", "world")
    return shell


def test_a_send_hands_on_a_copy_for_each_and_says_so(shell: Shell) -> None:
    done = shell.run("send", "article.md", "--desk", "world")
    assert done.returncode == 0, done.stderr
    assert "Mailing 1: 3 recipients of 3." in done.stderr
    assert "finished" in done.stdout
    messages = [
        message_from_bytes(p.read_bytes(), policy=policy.default)
        for p in (shell.folder / "mails").glob("*.eml")
    ]
    assert sorted(m["To"].addresses[0].addr_spec for m in messages) == [
        "ann@example.org", "ben@example.com", "cid@example.com",
    ]  # fmt: skip
    assert {m["To"].addresses[0].display_name for m in messages} == {
        "Ann Weaver",
        'Ben "Bo" Ash',
        "",
    }


def test_the_number_and_the_counts_are_there_for_a_machine(shell: Shell) -> None:
    sent = shell.json("send", "article.md", "--desk", "world")
    assert sent["mailing"] == 1
    shown = shell.json("mailing", "show", "1")
    assert (shown["mailing"], shown["desk"], shown["subject"], shown["state"]) == (
        1, "world", "The Ferry Is Back", "finished",
    )  # fmt: skip
    assert shown["counts"] == {
        "queued": 0, "leased": 0, "accepted": 3, "deferred": 0, "bounced": 0, "suppressed": 0,
        "cancelled": 0, "in_doubt": 0,
    }  # fmt: skip
    rows = json.loads(shell.ok("mailing", "recipients", "1", "--json"))
    assert [row["email"] for row in rows] == [
        "ann@example.org",
        "ben@example.com",
        "cid@example.com",
    ]
    for row in rows:
        assert {"email", "state", "reply", "at", "attempts", "message_id"} <= set(row)
        assert (row["state"], row["attempts"]) == ("accepted", 1)
    assert json.loads(shell.ok("mailing", "recipients", "1", "--state", "in-doubt", "--json")) == []
    listed = shell.json("mailing", "list")["mailings"]
    assert [m["mailing"] for m in listed] == [1]  # type: ignore[attr-defined]
    assert shell.json("mailing", "verify", "1")["proven"] is True


def test_a_replay_is_the_message_to_the_byte(shell: Shell) -> None:
    shell.ok("send", "article.md", "--desk", "world")
    done = subprocess.run(
        [sys.executable, "-m", "dispatch", "mailing", "replay", "1", "--to", "Ann@example.org"],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        check=True,
    )
    (kept,) = [p.read_bytes() for p in (shell.folder / "mails").glob("*ann*.eml")]
    assert done.stdout
    assert kept.replace(b"\r\n", b"\n").endswith(done.stdout.replace(b"\r\n", b"\n"))
    assert b"\r\n" in done.stdout


def test_a_rehearsal_says_what_would_happen_and_sends_nothing(shell: Shell) -> None:
    done = shell.run(
        "send", "article.md", "--desk", "world", "--segment", "tag:premium", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    assert "A rehearsal: nothing was written and nothing was sent." in done.stderr
    plan = shell.json(
        "send", "article.md", "--desk", "world", "--segment", "tag:premium", "--dry-run"
    )
    assert (plan["candidates"], plan["recipients"], plan["mailing"]) == (2, 2, None)
    assert plan["domains"] == {"example.com": 1, "example.org": 1}
    assert not (shell.folder / "mails").exists()
    assert shell.json("mailing", "list") == {"mailings": []}


def test_a_test_copy_goes_to_that_address_alone_and_is_recorded_nowhere(shell: Shell) -> None:
    done = shell.run("send", "article.md", "--desk", "world", "--test", "you@example.org")
    assert done.returncode == 0, done.stderr
    (message,) = [p.read_bytes() for p in (shell.folder / "mails").glob("*.eml")]
    assert b"\r\nTo: you@example.org\r\n" in message or b"\nTo: <you@example.org>" in message
    assert b"Subject: [Test] The Ferry Is Back" in message
    assert shell.json("mailing", "list") == {"mailings": []}


def test_the_same_article_a_second_time_needs_again(shell: Shell) -> None:
    shell.ok("send", "article.md", "--desk", "world")
    refused = shell.run("send", "article.md", "--desk", "world")
    assert refused.returncode == 1
    assert "sent before, in mailing 1: 3 of 3 recipients" in refused.stderr
    assert "Traceback" not in refused.stderr
    shell.ok("send", "article.md", "--desk", "world", "--again")
    assert len(list((shell.folder / "mails").glob("*.eml"))) == 6


def test_a_schedule_waits_for_dispatch_run(shell: Shell) -> None:
    made = shell.json(
        "send", "article.md", "--desk", "world", "--at", "2027-01-04 07:00 Europe/Paris"
    )
    assert made["scheduled"] is True
    assert shell.json("mailing", "show", "1")["state"] == "scheduled"
    shell.ok("run", "--once")
    resumed = shell.run("mailing", "resume", "1")  # of no use before its time, and it says so
    assert "It leaves at 2027-01-04 06:00 UTC" in resumed.stderr
    assert not (shell.folder / "mails").exists()
    shell.ok("mailing", "cancel", "1")
    counts = shell.json("mailing", "show", "1")["counts"]
    assert counts["cancelled"] == 3  # type: ignore[index]
    assert shell.run("mailing", "resume", "1").returncode == 1


@pytest.mark.parametrize(
    "arguments", [("--local-time",), ("--at", "25:00"), ("--at", "2020-01-01 07:00")]
)
def test_a_time_that_makes_no_sense_is_told(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell.run("send", "article.md", "--desk", "world", *arguments)
    assert done.returncode in (1, 2)
    assert "--at" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_relay_that_is_not_there_loses_nothing(shell: Shell) -> None:
    done = shell.run(
        "send", "article.md", "--desk", "world",
        DISPATCH_SMTP_URL="smtp://user:s3cr3t-word@127.0.0.1:1",
    )  # fmt: skip
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "dispatch mailing resume 1" in done.stderr
    assert "s3cr3t-word" not in done.stderr + done.stdout
    shown = shell.json("mailing", "show", "1")
    assert shown["state"] == "sending"
    shell.ok("mailing", "resume", "1")
    assert shell.json("mailing", "show", "1")["state"] == "finished"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("smtp://", "names no host"),
        ("http://mail.example.org", "does not begin with smtp://"),
        ("smtp://u:s3cr3t-word@mail.example.org/x", "something behind the host"),
    ],
)
def test_a_relay_that_makes_no_sense_is_refused_without_its_secrets(
    shell: Shell, url: str, says: str
) -> None:
    done = shell.run("send", "article.md", "--desk", "world", "--yes", DISPATCH_SMTP_URL=url)
    assert done.returncode == 2
    assert says in done.stderr
    assert "s3cr3t-word" not in done.stderr + done.stdout
    assert shell.json("mailing", "list") == {"mailings": []}


def test_what_is_asked_of_a_mailing_that_is_not_there_is_a_sentence(shell: Shell) -> None:
    for command in ("show", "verify", "pause", "resume", "cancel", "recipients"):
        done = shell.run("mailing", command, "7")
        assert done.returncode == 1
        assert "There is no mailing 7" in done.stderr


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "one"])
def test_a_number_that_no_mailing_can_have_is_wrong_usage(shell: Shell, number: str) -> None:
    for command in ("show", "verify", "pause", "resume", "cancel", "recipients"):
        done = shell.run("mailing", command, number)
        assert done.returncode == 2
        assert "NUMBER" in done.stderr


# At a terminal -----------------------------------------------------------------------------------


def test_a_no_to_the_question_sends_nothing_and_says_so(shell: Shell) -> None:
    status, out, talk = shell.at_terminal("n\n", "send", "article.md", "--desk", "world")
    assert status == 1
    assert "Send it to 3 recipients now?" in talk
    assert talk.rstrip().endswith("Nothing was sent.")
    assert out == ""
    assert shell.json("mailing", "list") == {"mailings": []}


def test_ctrl_c_at_the_question_says_that_nothing_was_done(shell: Shell) -> None:
    status, _, talk = shell.at_terminal("\x03", "send", "article.md", "--desk", "world")
    assert status == 130
    assert "Stopped. Nothing was done." in talk
    assert shell.json("mailing", "list") == {"mailings": []}


def test_the_question_leaves_standard_output_to_the_data(shell: Shell) -> None:
    status, out, talk = shell.at_terminal("y\n", "send", "article.md", "--desk", "world", "--json")
    assert status == 0
    assert "candidates  3" in talk
    assert json.loads(out)["counts"]["accepted"] == 3


def test_what_would_be_refused_is_not_asked_about(shell: Shell) -> None:
    shell.ok("send", "article.md", "--desk", "world")
    status, _, talk = shell.at_terminal("y\n", "send", "article.md", "--desk", "world")
    assert status == 1
    assert "sent before" in talk
    assert "now?" not in talk


def test_a_closed_standard_input_is_no_terminal(shell: Shell) -> None:
    done = subprocess.run(
        f"exec '{sys.executable}' -m dispatch send article.md --desk world <&-",
        shell=True,
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert shell.json("mailing", "show", "1")["state"] == "finished"


# What an impatient user types --------------------------------------------------------------------


def test_what_is_refused_is_not_published_either(shell: Shell) -> None:
    done = shell.run("send", "article.md", "--desk", "world", "--segment", "tag:premum")
    assert done.returncode == 1
    assert "No subscriber of world has the tag premum. Did you mean premium?" in done.stderr
    assert not (shell.folder / "public").exists()


def test_a_tag_that_nobody_has_is_told_before_everybody_gets_it(shell: Shell) -> None:
    done = shell.run(
        "send", "article.md", "--desk", "world", "--segment", "not tag:premum", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    assert "No subscriber of world has the tag premum. Did you mean premium?" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--segment", "", "it is empty"),
        ("--segment", "city:Vienna", "no subscriber of world has a city"),
        ("--subject", " ", "The subject is empty"),
    ],
)
def test_an_empty_or_unknown_choice_reaches_nobody(
    shell: Shell, option: str, value: str, says: str
) -> None:
    done = shell.run("send", "article.md", "--desk", "world", option, value)
    assert done.returncode == 1
    assert says in done.stderr
    assert shell.json("mailing", "list") == {"mailings": []}


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--yes",)])
def test_a_folder_without_subscribers_stays_as_it_is(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    (shell.folder / "empty").mkdir()
    for out in ("empty", "not-there"):
        done = shell.run("send", "article.md", "--desk", "world", "--out", out, *arguments)
        assert done.returncode == 1
        assert f"There is no {out}/dispatch.db" in done.stderr
        assert "dispatch subscribers import" in done.stderr
    assert list((shell.folder / "empty").iterdir()) == []
    assert not (shell.folder / "not-there").exists()


def test_where_nothing_was_sent_from_run_says_so_and_makes_nothing(shell: Shell) -> None:
    for out in (".", "not-there"):
        done = shell.run("run", "--once", "--out", f"elsewhere/{out}")
        assert done.returncode == 1
        assert "so nothing waits to be sent: name the right folder with --out." in done.stderr
    assert not (shell.folder / "elsewhere").exists()


def test_a_test_copy_needs_no_subscribers_and_leaves_no_database(shell: Shell) -> None:
    arguments = ("--test", "you@example.org", "--test", "You@example.org", "--out", "not-there")
    told = shell.ok("send", "article.md", "--desk", "world", *arguments)
    assert told.count("accepted") == 1  # one copy for one address, however it is typed
    assert not (shell.folder / "not-there").exists()


def test_an_article_that_was_changed_since_is_told_so(shell: Shell) -> None:
    shell.ok("send", "article.md", "--desk", "world")
    (shell.folder / "article.md").write_text(ARTICLE.replace("forty", "fifty"), encoding="utf-8")
    refused = shell.run("send", "article.md", "--desk", "world")
    assert refused.returncode == 1
    assert "Changed since: “The Ferry Is Back”." in refused.stderr
    plan = shell.run("send", "article.md", "--desk", "world", "--again", "--dry-run")
    assert "in mailing 1: they get it twice. Changed since: “The Ferry Is Back”." in plan.stderr


def test_addresses_of_an_example_are_warned_of(shell: Shell) -> None:
    dry = ("send", "article.md", "--desk", "world", "--dry-run")
    told = shell.run(*dry).stderr
    assert "DISPATCH_SITE_URL is not set: sender, links and unsubscribing lead" in told
    assert "DISPATCH_POSTAL_ADDRESS is not set: the footer names an example" in told
    own = {
        "DISPATCH_SITE_URL__WORLD": "https://news.example.com",
        "DISPATCH_POSTAL_ADDRESS": "2 Quay Street, Port Ellery",
    }
    assert "not set" not in shell.run(*dry, **own).stderr


def test_a_retry_of_nothing_says_so(shell: Shell) -> None:
    shell.ok("send", "article.md", "--desk", "world")
    done = shell.run("mailing", "retry", "1", "--state", "in-doubt")
    assert "No copy of mailing 1 is in doubt: there is nothing to send again." in done.stderr


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_an_article_can_come_through_a_pipe(shell: Shell, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dispatch", "send", name, "--desk", "world", "--yes"],
        cwd=shell.folder,
        env=shell.environment,
        input=ARTICLE,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert shell.json("mailing", "show", "1")["subject"] == "The Ferry Is Back"
