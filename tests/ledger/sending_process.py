"""Processes that send, to be killed, stopped and let race; run by test_processes.py.

    python sending_process.py kill FOLDER EDITION SEED   kill senders at random instants
    python sending_process.py race FOLDER EDITION        two senders at once
    python sending_process.py pause FOLDER EDITION       one that is stopped in mid-flight

The relay is a file: a copy is taken at the moment its recipient's key is written there.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dispatch.ledger.facts import Outcome
from dispatch.ledger.ledger import Claim, Lease, Ledger
from dispatch.store.connection import Store

LEASE, WINDOW = 40, 5
MINUTE = 60_000


def now() -> int:
    return time.time_ns() // 1_000_000


def say(*what: object) -> None:
    sys.stdout.write(" ".join(map(str, what)) + "\n")
    sys.stdout.flush()


def send(folder: Path, edition: int) -> None:
    """Send until nothing waits: copies in one thread, group commits in another."""
    ledger = Ledger(
        Store(folder / "dispatch.db"), folder / "dispatch.db.leases", f"{os.getpid()}.{now()}"
    )
    relay = os.open(folder / "relay", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ledger.recover(now())
    while lease := ledger.commit(now(), Claim(edition, LEASE, MINUTE)):
        sender = threading.Thread(target=carry, args=(lease, relay))
        sender.start()
        while sender.is_alive():
            ledger.commit(now())
    ledger.close(now())


def carry(lease: Lease, relay: int) -> None:
    """Copies leave in windows, and their answers come back after all of a window have left."""
    keys = [recipient.key for recipient in lease.recipients]
    for window in (keys[at : at + WINDOW] for at in range(0, len(keys), WINDOW)):
        left = [key for key in window if lease.leaving(key)]
        for key in left:
            os.write(relay, b"%d\n" % key)
        time.sleep(0.001)  # the relay thinks about it
        for key in window:
            lease.note(Outcome(key, "accepted" if key in left else "queued", "250 Ok"))


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    return child


def kill(folder: Path, edition: int, seed: int) -> None:
    """Start a sender and kill it, until one comes to the end; print how many were killed."""
    chance = random.Random(seed)
    killed = 0
    while True:
        child = forked(lambda: send(folder, edition))
        if killed < 40:
            time.sleep(chance.uniform(0, 0.06))  # the instant is what the test is about
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        killed += 1
    say(killed)
    sys.exit(os.WEXITSTATUS(status))


def race(folder: Path, edition: int) -> None:
    children = [forked(lambda: send(folder, edition)) for _ in range(3)]
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


def pause(folder: Path, edition: int) -> None:
    """Lease for a moment, let one leave, be stopped; then try to go on, and print what came of it.

    Lines: the recipients that it holds; then, for each of them, whether it may leave; then how
    many outcomes were refused.
    """
    ledger = Ledger(Store(folder / "dispatch.db"), folder / "dispatch.db.leases", "sleeper")
    lease = ledger.commit(now(), Claim(edition, 3, 2000))
    assert lease
    assert lease.leaving(lease.recipients[0].key)
    say(*(recipient.key for recipient in lease.recipients))
    os.kill(os.getpid(), signal.SIGSTOP)
    say(*(int(lease.leaving(recipient.key)) for recipient in lease.recipients))
    for recipient in lease.recipients:
        lease.note(Outcome(recipient.key, "accepted", "250 a lie"))
    ledger.commit(now())
    say(ledger.refused)


if __name__ == "__main__":
    what, folder, edition, *rest = sys.argv[1:]
    {"kill": kill, "race": race, "pause": pause}[what](Path(folder), int(edition), *map(int, rest))
