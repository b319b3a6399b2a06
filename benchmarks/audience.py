"""Importing a list of subscribers, against the barest loader that does the same checks.

The loader is the fastest that a plain script would be: ``csv``, email-validator
for each address with the settings that Dispatch has, and SQLite with the same
indexes, all in one transaction.
"""

from __future__ import annotations

import csv
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Result, Sample, paired, run

_COMMAND = "from dispatch.cli.subscribers import subscribers; subscribers()"


def results(runs: int, rows: int) -> Iterator[Result]:
    """The import of ``rows`` rows into an empty database, and its memory beside one of few."""
    folder = Path(tempfile.mkdtemp())
    try:
        large, small = folder / "large.csv", folder / "small.csv"
        write_list(large, rows)
        write_list(small, min(rows, 10_000))
        yield paired(
            f"import of {rows:,} subscribers",
            "a bare loader",
            lambda: _import(large, folder),
            lambda: _load(large, folder),
            runs=runs,
            goal=1.5,
        )
        yield paired(
            f"import of {rows:,} subscribers, memory",
            "10,000 subscribers",
            lambda: _import(large, folder),
            lambda: _import(small, folder),
            runs=1,
            goal=1.5,
            of="memory",
        )
    finally:
        shutil.rmtree(folder)


def write_list(path: Path, rows: int) -> None:
    """A list of invented people, of the kind that a sender exports."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["email", "first name", "last name", "language", "tags", "created_at", "plan"]
        )
        for n in range(rows):
            # Mixed, so that neither the index nor the file is in the order of the other.
            mixed = n * 2_654_435_761 % 2**32
            writer.writerow([
                f"reader.{mixed}@mail{n % 50}.example.org", f"Ida{n % 300}", f"Marlow{n % 2000}",
                ("de", "en", "fr-FR")[n % 3], ("premium,press", "", "free")[n % 3],
                f"2024-0{n % 9 + 1}-15T10:00:00Z", ("pro", "basic")[n % 2],
            ])  # fmt: skip


def _import(path: Path, folder: Path) -> Sample:
    out = Path(tempfile.mkdtemp(dir=folder))
    arguments = ["import", str(path), "--desk", "world", "--out", str(out)]
    sample = run([sys.executable, "-c", _COMMAND, *arguments], folder)
    shutil.rmtree(out)
    return sample


def _load(path: Path, folder: Path) -> Sample:
    out = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", "benchmarks.audience", str(path), str(out / "bare.db")]
    sample = run(command, Path(__file__).parent.parent)
    shutil.rmtree(out)
    return sample


_TABLE = """
CREATE TABLE subscribers (
    key INTEGER PRIMARY KEY, desk VARCHAR NOT NULL, address_key VARCHAR NOT NULL,
    email VARCHAR NOT NULL, domain VARCHAR NOT NULL, name VARCHAR, language VARCHAR, tags VARCHAR,
    created DATETIME NOT NULL, plan VARCHAR, UNIQUE (desk, address_key)
)
"""


def load(path: str, database: str) -> None:
    """The bare loader."""
    connection = sqlite3.connect(database)
    connection.execute(_TABLE)
    connection.execute("CREATE INDEX subscribers_person ON subscribers (address_key)")
    with connection, Path(path).open(encoding="utf-8", newline="") as file:
        connection.executemany(
            "INSERT OR REPLACE INTO subscribers (desk, address_key, email, domain, name, language,"
            " tags, created, plan) VALUES ('world', ?, ?, ?, ?, ?, ?, ?, ?)",
            _checked(csv.reader(file)),
        )
    connection.close()


def _checked(rows: Iterator[list[str]]) -> Iterator[tuple[str, ...]]:
    from email_validator import EmailNotValidError, validate_email

    next(rows)
    for email, first, last, language, tags, created, plan in rows:
        try:
            found = validate_email(email, check_deliverability=False)
        except EmailNotValidError:
            continue
        domain = str(found.ascii_domain)
        address = f"{found.local_part}@{domain}"
        name = f"{first} {last}"
        yield address.casefold(), address, domain, name, language, tags, created, plan


if __name__ == "__main__":
    load(*sys.argv[1:])
