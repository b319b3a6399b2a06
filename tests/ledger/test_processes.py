"""Real processes: killed at random instants, stopped and let go on, racing for the same mailing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.desk import NOW, Desk
from tests.ledger.sending_process import WINDOW

from dispatch.ledger import machine
from dispatch.ledger.ledger import Ledger

SCRIPT = Path(__file__).with_name("sending_process.py")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def command(what: str, desk: Desk, edition: int, *more: int) -> list[str]:
    return [sys.executable, str(SCRIPT), what, str(desk.folder), str(edition), *map(str, more)]


def taken(desk: Desk) -> Counter[int]:
    """What the relay took, by recipient."""
    return Counter(int(line) for line in (desk.folder / "relay").read_text().split())


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_instants_nobody_is_skipped_and_nobody_gets_it_twice(
    desk: Desk, seed: int
) -> None:
    edition = desk.edition(2000)
    ended = subprocess.run(
        command("kill", desk, edition, seed),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    killed = int(ended.stdout)
    relay = taken(desk)
    rows = desk.rows(edition)
    assert set(relay.values()) == {1}
    assert {row.state for row in rows} <= {"accepted", "in_doubt"}
    assert {row.key for row in rows if row.state == "accepted"} <= relay.keys()
    doubted = {row.key for row in rows if row.state == "in_doubt"}
    assert relay.keys() <= {row.key for row in rows if row.state == "accepted"} | doubted
    assert len(doubted) <= killed * WINDOW  # copies in flight, no more
    assert desk.state(edition) == "finished"
    assert desk.findings(edition) == ()
    assert list(desk.journals.iterdir()) == []


def test_several_senders_of_one_mailing_share_it(desk: Desk) -> None:
    edition = desk.edition(600)
    ended = subprocess.run(
        command("race", desk, edition), capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert taken(desk) == dict.fromkeys((row.key for row in desk.rows(edition)), 1)
    assert desk.counts(edition) == {"accepted": 600}
    assert desk.findings(edition) == ()


def test_a_process_that_was_stopped_for_too_long_can_neither_send_nor_record(desk: Desk) -> None:
    edition = desk.edition(3)
    with subprocess.Popen(
        command("pause", desk, edition), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        left, *waiting = map(int, child.stdout.readline().split())
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        other = Ledger(desk.store, desk.journals, "other")
        end = machine.clock() + 30
        while not (recovered := other.recover(NOW)) and machine.clock() < end:
            time.sleep(0.02)  # the lease ends by the machine's clock, which nobody can move
        assert (recovered.in_doubt, recovered.queued) == ({edition: 1}, {edition: 2})
        child.send_signal(signal.SIGCONT)
        may_leave, refused = child.stdout.readline(), child.stdout.readline()
    assert may_leave.split() == ["0", "0", "0"]
    assert int(refused) == 3
    assert {row.key: row.state for row in desk.rows(edition)} == {
        left: "in_doubt",
        **dict.fromkeys(waiting, "queued"),
    }
    other.close(NOW)
