"""Sending from the command line, where processes are stopped, doubled, starved, and interrupted."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.needs import needed
from tests.newsroom.engine import addresses
from tests.newsroom.outside import Outside
from tests.servers.smtp import Act, Moment, Script, SmtpServer, say, silence

ONCE = ("run", "--once")
LATER = f"{datetime.now(UTC) + timedelta(days=200):%Y-%m-%d} 07:00 UTC"


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that another process does."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


def ended(process: subprocess.Popen[str], seconds: float = 30) -> tuple[int, str]:
    """The exit status of a process that ends by itself, and what it said."""
    try:
        _, talk = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in talk, talk
    return process.returncode, talk


def assert_once(relay: SmtpServer) -> None:
    assert max(Counter(relay.recipients).values()) == 1, "nobody got it twice"
    assert not relay.violations


# Interrupting ------------------------------------------------------------------------------------


def test_ctrl_c_finishes_what_is_in_flight_pauses_and_says_how_to_go_on(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_rate=300)
        desk.subscribe(*addresses(1000))
        process = desk.start(*desk.send())
        until(lambda: len(relay.accepted) > 30)
        process.send_signal(signal.SIGINT)
        status, talk = ended(process)
        assert status == 130
        assert "dispatch mailing resume 1" in talk
        assert desk.json("mailing", "show", "1")["state"] == "paused"
        states = desk.states()
        assert states["in_doubt"] == states["leased"] == 0
        assert states["accepted"] == len(relay.accepted) < 1000
        desk.environment["DISPATCH_SMTP_RATE"] = "0"
        assert desk.run("mailing", "resume", "1").returncode == 0
    assert desk.states() == {"accepted": 1000}
    assert_once(relay)


def test_a_second_ctrl_c_stops_at_once_and_says_what_is_in_doubt(tmp_path: Path) -> None:
    def quiet(moment: Moment) -> Act | None:
        return silence(accepts=True) if moment.everywhere > 40 else None

    with SmtpServer(Script(at={".": quiet})) as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_connections=3)
        desk.subscribe(*addresses(100))
        process = desk.start(*desk.send())
        until(lambda: len(relay.accepted) >= 43)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None, "it waits for the answers"
        process.send_signal(signal.SIGINT)
        status, talk = ended(process, seconds=10)
        assert status == 130
        assert "3 are in doubt" in talk
        assert "dispatch mailing resume 1" in talk
        assert desk.states() == {"accepted": 40, "in_doubt": 3, "queued": 57}
        assert desk.json("mailing", "show", "1")["state"] == "paused"
    assert_once(relay)


def test_run_stays_until_it_is_terminated_and_uses_next_to_nothing(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url)
        desk.subscribe(*addresses(20))
        assert desk.run(*desk.send("--at", LATER)).returncode == 0
        process = desk.start("run")
        time.sleep(1.5)
        before = cpu_seconds(process.pid)
        time.sleep(2)
        used = cpu_seconds(process.pid) - before
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
        assert used <= 0.04, "of two seconds"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_run_takes_up_at_once_what_other_commands_leave_to_it(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url)
        desk.subscribe(*addresses(20))
        assert desk.run(*desk.send("--at", LATER)).returncode == 0
        process = desk.start("run")
        time.sleep(1)
        assert relay.accepted == []
        desk.environment["DISPATCH_SMTP_URL"] = "smtp://127.0.0.1:9"  # who resumes sends nothing
        assert desk.run("mailing", "pause", "1").returncode == 0
        bring_forward(desk.folder / "dispatch.db")
        assert desk.run("mailing", "resume", "1", "--later").returncode == 0
        until(lambda: len(relay.accepted) == 20)
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    assert desk.states() == {"accepted": 20}
    assert_once(relay)


def bring_forward(database: Path) -> None:
    """As if the time of every schedule had come."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE mailings SET due = ?", (int(time.time() * 1000),))


# Several at once ---------------------------------------------------------------------------------


def test_of_two_sends_of_one_article_at_once_the_second_is_refused(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url)
        desk.subscribe(*addresses(300))
        both = [desk.start(*desk.send()) for _ in range(2)]
        results = sorted(ended(process) for process in both)
        assert [status for status, _ in results] == [0, 1]
        assert "--again" in results[1][1]
        assert len(desk.json("mailing", "list")["mailings"]) == 1
    assert desk.states() == {"accepted": 300}
    assert_once(relay)


def test_two_processes_on_one_mailing_share_the_work(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_rate=400)
        desk.subscribe(*addresses(1500))
        first = desk.start(*desk.send())
        until(lambda: relay.accepted)
        others = [desk.start("mailing", "resume", "1"), desk.start(*ONCE)]
        for process in (first, *others):
            assert ended(process)[0] == 0
        assert desk.states() == {"accepted": 1500}
        assert len({session.number for session in relay.sessions}) > 1
    assert_once(relay)


def test_who_is_left_takes_over_from_one_that_is_killed(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_rate=100)
        desk.subscribe(*addresses(700))
        first = desk.start(*desk.send())
        until(lambda: relay.accepted)
        before = len(relay.sessions)
        second = desk.start("mailing", "resume", "1")
        until(lambda: len(relay.sessions) > before + 1)
        first.kill()
        first.communicate()
        assert ended(second)[0] == 0
        states = desk.states()
        assert states["accepted"] + states["in_doubt"] == 700
        assert desk.proven()
    assert_once(relay)


# Asleep ------------------------------------------------------------------------------------------

SHORT_LEASES = """
from dispatch.mailing import books
books._LEASE_LASTS = 1000
from dispatch.cli import main
main()
"""


def start_with_short_leases(desk: Outside, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SHORT_LEASES, *arguments],
        env=desk.environment, cwd=desk.folder, encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_one_that_slept_longer_than_its_lease_sends_nothing_of_it(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_rate=200, smtp_connections=3)
        desk.subscribe(*addresses(800))
        sleeper = start_with_short_leases(desk, *desk.send())
        until(lambda: len(relay.accepted) > 50)
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        before = len(relay.sessions)
        other = start_with_short_leases(desk, "mailing", "resume", "1")
        until(lambda: len(relay.sessions) > before)
        sleeper.send_signal(signal.SIGCONT)
        assert ended(other)[0] == 0
        assert ended(sleeper)[0] == 0
        states = desk.states()
        assert states["accepted"] + states["in_doubt"] == 800
        assert states["in_doubt"] <= 6
        assert len(relay.sessions) < 40, "what is in other hands is not tried one by one"
        assert desk.proven()
    assert_once(relay)


def test_one_that_slept_alone_goes_on(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(tmp_path, smtp_url=relay.url, smtp_rate=200, smtp_connections=3)
        desk.subscribe(*addresses(300))
        sleeper = start_with_short_leases(desk, *desk.send())
        until(lambda: len(relay.accepted) > 50)
        sleeper.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        sleeper.send_signal(signal.SIGCONT)
        assert ended(sleeper)[0] == 0
        assert desk.states() == {"accepted": 300}
    assert_once(relay)


# No room -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    needed(not mounted.returncode, "root, to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_it_and_what_left_is_known(small_disk: Path) -> None:
    with SmtpServer() as relay:
        desk = Outside(small_disk, smtp_url=relay.url, smtp_connections=3, smtp_rate=500)
        desk.subscribe(*addresses(2000))
        process = desk.start(*desk.send())
        until(lambda: len(relay.accepted) > 200)
        filler = small_disk / "filler"
        with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)
        status, talk = ended(process)
        assert status == 1
        assert "room" in talk
        filler.unlink()
        desk.environment["DISPATCH_SMTP_RATE"] = "0"
        assert desk.run("mailing", "resume", "1").returncode == 0
        told = desk.recipients()
        assert Counter(row["state"] for row in told.values()).keys() <= {"accepted", "in_doubt"}
        got = set(relay.recipients)
        assert {email for email, row in told.items() if row["state"] == "accepted"} <= got
        assert desk.proven()
    assert_once(relay)


# What is said ------------------------------------------------------------------------------------


def test_a_password_that_is_refused_is_exit_status_1_and_never_printed(tmp_path: Path) -> None:
    with SmtpServer(Script(users={"desk": "right"})) as relay:
        url = relay.url.replace("//", "//desk:wr0ng-s3cret@")
        desk = Outside(tmp_path, smtp_url=url)
        desk.subscribe(*addresses(10))
        done = desk.run(*desk.send("--debug"))
        assert done.returncode == 1
        assert "does not accept the user or password" in done.stderr
        assert "wr0ng" not in done.stdout + done.stderr
        assert done.stderr.count("does not accept") <= 2


def test_a_sender_that_is_refused_is_exit_status_1(tmp_path: Path) -> None:
    with SmtpServer(Script(at={"MAIL": say("550 5.7.1 not from here")})) as relay:
        desk = Outside(tmp_path, smtp_url=relay.url)
        desk.subscribe(*addresses(10))
        done = desk.run(*desk.send())
        assert done.returncode == 1
        assert "550 5.7.1 not from here" in done.stderr
        assert desk.states() == {"queued": 10}


def test_memory_stays_flat_however_many_are_parked(tmp_path: Path) -> None:
    def slow(moment: Moment) -> Act | None:
        return say("451 4.7.0 too fast") if moment.recipient.endswith("@slow.example") else None

    peaks = []
    for count in (1000, 8000):
        with SmtpServer(Script(at={"RCPT": slow})) as relay:
            folder = tmp_path / str(count)
            folder.mkdir()
            desk = Outside(folder, smtp_url=relay.url)
            desk.subscribe(*addresses(count, "slow.example"), *addresses(500))
            process = desk.start(*desk.send())
            until(lambda relay=relay: len(relay.accepted) == 500)  # type: ignore[misc]
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]))
            process.send_signal(signal.SIGINT)
            ended(process)
    assert peaks[1] < peaks[0] + 20_000, "kilobytes"
