"""A newsroom as its desk meets it: a folder, and the command line in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ARTICLE = """---
title: The Ferry Is Back
desk: World
lang: en
---

The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard.

Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat.
"""


class Outside:
    """Runs ``dispatch`` in ``folder``; ``settings`` are DISPATCH_ variables, their names in short."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.article = folder / "ferry.md"
        self.article.write_text(ARTICLE, encoding="utf-8")
        mine = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
        named = {f"DISPATCH_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = {**mine, **named}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that goes on in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "dispatch", *arguments],
            env=self.environment, cwd=self.folder, encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """A command, to its end; one that hangs fails the test."""
        process = self.start(*arguments)
        try:
            printed, talk = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert "Traceback" not in talk, talk
        return subprocess.CompletedProcess(arguments, process.returncode, printed, talk)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def subscribe(self, *emails: str, desk: str = "world") -> None:
        table = self.folder / "readers.csv"
        table.write_text("email\n" + "".join(f"{e}\n" for e in emails), encoding="utf-8")
        done = self.run("subscribers", "import", str(table), "--desk", desk)
        assert done.returncode == 0, done.stderr

    def send(self, *options: str) -> tuple[str, ...]:
        return ("send", str(self.article), "--desk", "world", *options)

    def recipients(self, number: int = 1) -> dict[str, dict[str, Any]]:
        """What ``dispatch mailing recipients`` tells, by address."""
        found = self.json("mailing", "recipients", str(number))
        assert len({row["email"] for row in found}) == len(found)
        return {row["email"]: row for row in found}

    def states(self, number: int = 1) -> Counter[str]:
        return Counter(row["state"] for row in self.recipients(number).values())

    def proven(self, number: int = 1) -> bool:
        return bool(self.json("mailing", "verify", str(number))["proven"])
