"""The list of invented subscribers is what ``samples/README.md`` says of it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

from dispatch.newsroom.sources import expand


def test_it_holds_a_thousand_subscribers_and_rows_to_refuse(samples: Path, tmp_path: Path):
    path = tmp_path / "subscribers.csv"  # what is refused is written beside it
    path.write_bytes((samples / "subscribers.csv").read_bytes())
    command = ("dispatch", "subscribers", "import", path.name, "--desk", "world", "--json")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert (told["added"], told["duplicates"], told["refused"]) == (1014, 0, 8)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["status"] == "unsubscribed" for row in rows) == 14
    assert len({row["language"] for row in rows}) == 17


def test_it_is_no_article(samples: Path):
    assert not [name for name in expand([str(samples)], Path("templates")) if "subscribers" in name]
