"""Kill it at any instant: nobody is skipped, nobody gets it twice, and what is in doubt is said.

``kill -9`` strikes a send of 2,000 copies again and again, and each time it is resumed. A relay
that lives on in this process is the judge of what was really sent.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.newsroom.outside import Outside
from tests.servers.smtp import Act, Moment, Script, SmtpServer

KILLS = 100 if os.environ.get("CI") else 10
"""Of each test here; there are two."""
READERS = 2000
CONNECTIONS = 20
WINDOW = 4
LONGEST = 0.25
"""Seconds between the first connection of a run and its death, at most."""


def addresses() -> list[str]:
    return [f"reader{n}@example{n % 40}.org" for n in range(READERS)]


def refuse_some(moment: Moment) -> Act | None:
    """Every fiftieth mailbox is unknown."""
    number = int(moment.recipient.partition("@")[0].removeprefix("reader"))
    return Act(b"550 5.1.1 no such mailbox\r\n") if number % 50 == 7 else None


def slowly(moment: Moment) -> Act | None:
    """The answer to every third message comes byte by byte: a death finds more without one."""
    return Act(gap=0.001) if moment.everywhere % 3 == 0 else None


def relay(*more: str) -> SmtpServer:
    offers = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", *more)
    return SmtpServer(Script(offers, at={"RCPT": refuse_some, ".": slowly}))


@dataclass
class Deaths:
    """Mailings whose processes are killed, until that has happened often enough."""

    folder: Path
    server: SmtpServer
    chance: random.Random
    window: int
    """Copies that may be under way on a connection."""
    kills: int = 0
    mailings: int = 0

    def mailing(self) -> None:
        """One mailing from ``dispatch send`` to its end, and the comparison."""
        self.mailings += 1
        folder = self.folder / str(self.mailings)
        folder.mkdir()
        url = f"{self.server.url}?window={WINDOW}"
        desk = Outside(folder, smtp_url=url, smtp_connections=CONNECTIONS)
        desk.subscribe(*addresses())
        before, killed = len(self.server.accepted), self.kills
        made = False
        while self.kills < KILLS:
            process = desk.start(*(("mailing", "resume", "1") if made else desk.send("--json")))
            if not self._kill(process):
                break
            made = made or bool(desk.json("mailing", "list")["mailings"])
        else:
            process = desk.start(*(("mailing", "resume", "1") if made else desk.send("--json")))
            _, talk = process.communicate(timeout=60)
            assert process.returncode == 0 or "finished" in talk, talk
        self._compare(desk, before, self.kills - killed)

    def _kill(self, process: subprocess.Popen[str]) -> bool:
        """Kill it at some instant; False: it had ended, and well."""
        sessions = len(self.server.sessions)
        at_once = self.chance.random() < 0.2
        while not at_once and process.poll() is None and len(self.server.sessions) == sessions:
            time.sleep(0.002)
        try:
            process.wait(self.chance.uniform(0, LONGEST * 2 if at_once else LONGEST))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.kills += 1
            return True
        _, talk = process.communicate()
        assert process.returncode == 0 or "finished" in talk, talk
        return False

    def _compare(self, desk: Outside, before: int, kills: int) -> None:
        """What the ledger says with what the relay knows."""
        got = Counter(message.recipient for message in self.server.accepted[before:])
        ids = {m.recipient: m.message_id for m in self.server.accepted[before:]}
        told = desk.recipients()
        assert told.keys() == set(addresses())
        states = {state: {e for e, row in told.items() if row["state"] == state} for state in
                  ("accepted", "bounced", "in_doubt")}  # fmt: skip
        assert sum(map(len, states.values())) == READERS, "nobody is left waiting"
        assert max(got.values()) == 1, "nobody got it twice"
        assert states["accepted"] <= got.keys(), "whoever is said to have it has it"
        assert got.keys() <= states["accepted"] | states["in_doubt"], "nobody has it unsaid"
        assert all(told[email]["message_id"] == ids[email] for email in got)
        assert states["bounced"] | states["in_doubt"] >= {
            e for e in addresses() if int(e.partition("@")[0].removeprefix("reader")) % 50 == 7
        }
        assert len(states["in_doubt"]) <= CONNECTIONS * self.window * kills
        for email in states["in_doubt"]:
            assert told[email]["reply"]
        assert desk.json("mailing", "show", "1")["state"] == "finished"
        assert desk.proven()


@pytest.mark.parametrize("offers", [(), ("CHUNKING",)], ids=["pipelining", "chunking"])
def test_killed_at_any_instant_nobody_is_skipped_or_gets_it_twice(
    tmp_path: Path, offers: tuple[str, ...]
) -> None:
    with relay(*offers) as server:
        chance = random.Random(f"kill {offers}")
        deaths = Deaths(tmp_path, server, chance, WINDOW if "CHUNKING" in offers else 1)
        while deaths.kills < KILLS:
            deaths.mailing()
    assert not server.violations
