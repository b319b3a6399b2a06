"""Dying before and after every single step of a send: the journal's, the network's, the database's.

What a death at a random instant finds rarely (test_kill.py) is found here each time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.newsroom.engine import Engine, addresses
from tests.servers.smtp import Script, SmtpServer, say, to

READERS = 4
REFUSED = addresses(READERS)[1]

DYING = """
import os, sys
from sqlalchemy.engine.base import RootTransaction
from dispatch.cli import main, mailing
from dispatch.ledger.journal import Journal
from dispatch.mailing.smtp import SmtpConnection
from dispatch.newsroom import mailings, sending

def dying(function):
    def step(*arguments, **named):
        one_more()
        result = function(*arguments, **named)
        one_more()
        return result
    return step

def one_more():
    global left
    left -= 1
    if left < 0:
        os._exit(9)

for owner, name in (
    (Journal, "_append"), (Journal, "remove"), (SmtpConnection, "_write"), (RootTransaction, "commit"),
):
    setattr(owner, name, dying(getattr(owner, name)))
for line in sys.stdin:
    if not os.fork():
        steps, folder = line.split(None, 1)
        left = int(steps)
        sys.argv = ["dispatch", "mailing", "resume", "1", "--out", folder.strip()]
        main()
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / "0").mkdir()
    return Engine(tmp_path / "0", monkeypatch)


def deaths(relay: SmtpServer, desk: Engine) -> Iterator[int]:
    """After so many steps a process has died that sent the mailing of a fresh ``desk.out``."""
    made = desk.out
    process = subprocess.Popen(
        [sys.executable, "-c", DYING],
        env={"DISPATCH_SMTP_URL": relay.url, "DISPATCH_SMTP_CONNECTIONS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        cwd=made,
    )  # fmt: skip
    assert process.stdin and process.stdout
    with process:
        for steps in range(500):
            desk.out = made.with_name(f"died after {steps}")
            shutil.copytree(made, desk.out)
            process.stdin.write(f"{steps} {desk.out}\n")
            process.stdin.flush()
            while (line := process.stdout.readline()) and not line.strip().isdigit():
                pass  # what the command printed
            if line.strip() == "0":
                break
            assert line.strip() == "9"
            yield steps
        process.stdin.close()
    assert steps > 30, "it did die, and at many steps"


def test_dying_at_any_step_skips_nobody_and_sends_nothing_twice(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": to(REFUSED, say("550 5.1.1 no such mailbox"))})) as relay:
        desk.through(relay)
        desk.mailing(READERS)
        doubtful = 0
        for steps in deaths(relay, desk):
            desk.send()
            got = Counter(relay.recipients)
            relay.accepted.clear()
            told = {email: desk.copy(email).state for email in addresses(READERS)}
            assert max(got.values()) == 1, steps
            assert told.pop(REFUSED) == "bounced", steps
            assert set(told.values()) <= {"accepted", "in_doubt"}, steps
            assert {email for email, state in told.items() if state == "accepted"} <= got.keys()
            assert list(told.values()).count("in_doubt") <= 1, steps
            assert desk.counts()["in_doubt"] == list(told.values()).count("in_doubt")
            assert desk.subscriber_state(REFUSED) == "bounced", steps
            doubtful += desk.counts()["in_doubt"]
        assert doubtful
    assert not relay.violations
