"""``sendmail:``: a local program takes each copy. The programs are shell scripts, and real."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

import pytest
from tests.mailing.pile import Pile, copy

from dispatch.mailing.sendmail import SendmailConnection
from dispatch.mailing.transport import End


def program(folder: Path, script: str) -> Path:
    path = folder / "sendmail"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def sent(path: Path, pile: Pile, seconds: float = 30) -> End:
    async def run() -> End:
        return await SendmailConnection(path, pile, seconds).run()

    return asyncio.run(run())


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A program that notes its arguments, its input and its environment."""
    script = (
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "data = sys.stdin.buffer.read().decode('latin-1')\n"
        "seen = [sys.argv[1:], data, sorted(os.environ), os.getsid(0) == os.getpid()]\n"
        "with Path(__file__).with_name('seen').open('a') as file:\n"
        "    file.write(json.dumps(seen) + '\\n')\n"
    )
    path = tmp_path / "sendmail"
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def seen(path: Path) -> list:
    return [json.loads(line) for line in path.with_name("seen").read_text("utf-8").splitlines()]


def test_the_program_gets_envelope_and_message(notes: Path):
    pile = Pile([copy(1), copy(2, to="søren@example.org", text="..\n.\n")])
    assert sent(notes, pile) == End("finished")
    (one, data, _, _), (two, other, _, _) = seen(notes)
    assert one == ["-i", "-f", "bounces+1@example.org", "--", "reader1@example.org"]
    assert two == ["-i", "-f", "bounces+2@example.org", "--", "søren@example.org"]
    assert data.encode() == copy(1).data.replace(b"\r\n", b"\n")
    assert other.endswith("\n\n..\n.\n\n")
    assert pile.told() == {1: "accepted", 2: "accepted"}
    assert pile.results[0].reply == "The program took it (exit status 0)."


@pytest.mark.parametrize(
    "address",
    ["-oQ/tmp/x@example.org", "--help", "$(touch x)@example.org", "a;touch x@b.example", "a b@c"],
)
def test_an_address_is_an_argument_and_nothing_else(notes: Path, address: str):
    pile = Pile([copy(1, to=address, sender=address)])
    sent(notes, pile)
    assert seen(notes)[0][0] == ["-i", "-f", address, "--", address]
    assert not notes.with_name("x").exists()


def test_a_nul_in_an_address_is_refused(notes: Path):
    pile = Pile([copy(1, to="a\0b@example.org"), copy(2)])
    assert sent(notes, pile).kind == "finished"
    assert pile.told() == {1: "bounced", 2: "accepted"}


def test_settings_are_kept_from_the_program(notes: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISPATCH_SECRET_KEYS", "hush")
    sent(notes, Pile([copy(1)]))
    _, _, environment, _ = seen(notes)[0]
    assert "PATH" in environment
    assert not [name for name in environment if name.startswith("DISPATCH_")]


def test_the_terminals_ctrl_c_does_not_reach_it(notes: Path):
    sent(notes, Pile([copy(1)]))
    assert seen(notes)[0][3], "it leads a session of its own"


@pytest.mark.parametrize(
    ("status", "kind", "blame"),
    [
        (65, "bounced", "content"),
        (67, "bounced", "recipient"),
        (68, "bounced", "recipient"),
        (69, "deferred", "relay"),
        (75, "deferred", "relay"),
        (76, "deferred", "relay"),
        (1, "deferred", "relay"),
        (127, "deferred", "relay"),
    ],
)
def test_what_an_exit_status_means_for_a_copy(tmp_path: Path, status: int, kind: str, blame: str):
    pile = Pile([copy(1), copy(2)])
    path = program(tmp_path, f"cat >/dev/null; echo 'No such user:' >&2; echo ' x'; exit {status}")
    assert sent(path, pile) == End("finished")
    assert [(r.kind, r.blame) for r in pile.results] == [(kind, blame)] * 2
    assert pile.results[0].reply.startswith("sendmail: ")
    assert pile.results[0].reply.endswith(f"(exit status {status}). No such user: x")


@pytest.mark.parametrize("status", [64, 66, 70, 71, 72, 73, 74, 77, 78])
def test_what_is_wrong_with_the_machine_is_nobodys_bounce(tmp_path: Path, status: int):
    pile = Pile([copy(1), copy(2)])
    end = sent(program(tmp_path, f"echo 'queue: no space'; exit {status}"), pile)
    assert end.kind == "down"
    assert str(tmp_path / "sendmail") in end.sentence
    assert "queue: no space Check DISPATCH_SMTP_URL" in end.sentence
    assert pile.told() == {1: "unsent"}
    assert len(pile.waiting) == 1


def test_a_program_that_is_not_there(tmp_path: Path):
    pile = Pile([copy(1)])
    end = sent(tmp_path / "nothing", pile)
    assert (end.kind, pile.told()) == ("down", {1: "unsent"})
    assert end.sentence.startswith(f"{tmp_path / 'nothing'} cannot be run: No such file")


def test_a_program_that_does_not_end_leaves_its_copy_in_doubt(tmp_path: Path):
    path = program(tmp_path, 'case "$5" in reader1@*) sleep 60;; esac')
    pile = Pile([copy(1), copy(2)])
    assert sent(path, pile, seconds=0.3).kind == "finished"
    assert pile.told() == {1: "in_doubt", 2: "accepted"}
    assert "did not end in time" in pile.results[0].reply


def test_a_program_that_dies_leaves_its_copy_in_doubt(tmp_path: Path):
    pile = Pile([copy(1)])
    sent(program(tmp_path, "kill -9 $$"), pile)
    assert pile.told() == {1: "in_doubt"}


def test_what_a_program_leaves_running_is_not_waited_for(tmp_path: Path):
    path = program(tmp_path, "cat >/dev/null; sleep 2 & exit 0")
    pile = Pile([copy(1)])
    sent(path, pile, seconds=1)
    assert pile.told() == {1: "accepted"}


def test_a_program_that_does_not_read_decides_by_its_exit_status(tmp_path: Path):
    pile = Pile([copy(1, text="x\n" * 200_000)])
    sent(program(tmp_path, "exit 67"), pile)
    assert pile.told() == {1: "bounced"}


def test_what_a_program_says_is_kept_within_bounds(tmp_path: Path):
    pile = Pile([copy(1)])
    sent(
        program(tmp_path, "cat >/dev/null; yes \"$(printf '\\033[31m')\" | head -n 99999; exit 1"),
        pile,
    )
    assert len(pile.results[0].reply) < 700
    assert pile.results[0].reply.isprintable()


def test_what_must_not_leave_is_not_handed_over(notes: Path):
    pile = Pile([copy(1), copy(2)], leave=lambda copy: copy.key != 1)
    sent(notes, pile)
    assert pile.told() == {1: "unsent", 2: "accepted"}
    assert len(seen(notes)) == 1


def test_abort_kills_it_and_leaves_the_copy_in_doubt(tmp_path: Path):
    """The program tells through a named pipe that it runs."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = program(tmp_path, f"echo started >{pipe}; sleep 60")
    pile = Pile([copy(1), copy(2)])

    async def run() -> End:
        connection = SendmailConnection(path, pile)
        loop = asyncio.get_running_loop()

        def watch() -> None:
            pipe.read_text()
            loop.call_soon_threadsafe(connection.abort)

        watcher = threading.Thread(target=watch)
        watcher.start()
        end = await connection.run()
        watcher.join()
        return end

    assert asyncio.run(run()).kind == "finished"
    assert pile.told() == {1: "in_doubt"}
