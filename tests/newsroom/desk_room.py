"""A newsroom with subscribers, for the tests of sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dispatch.newsroom import send
from dispatch.newsroom.send import Order, Plan
from dispatch.settings import Settings
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.tables import subscribers

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BODY = """The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard.

Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat.
"""


class Newsroom:
    """A folder with articles and a database; ``now`` moves by hand."""

    def __init__(self, folder: Path) -> None:
        self.out = folder
        self.now = NOW
        self.settings = Settings(
            templates=folder / "templates", publishers=folder / "none.toml", dkim=folder / "dkim"
        )

    def article(self, name: str, headline: str, **fields: str) -> str:
        front = "".join(f"{key}: {value}\n" for key, value in fields.items())
        path = self.out / name
        path.write_text(f"---\ntitle: {headline}\nlang: en\n{front}---\n\n{BODY}", encoding="utf-8")
        return str(path)

    def subscribe(self, *emails: str, desk: str = "world", **values: object) -> None:
        row = {
            "desk": desk,
            "name": None,
            "state": "active",
            "created": self.now,
            "changed": self.now,
            **values,
        }
        database = Store(self.out / "dispatch.db")
        with database.transaction() as connection:
            rows = [
                {
                    **row,
                    "address_key": email.lower(),
                    "email": email,
                    "domain": email.rpartition("@")[2],
                }
                for email in emails
            ]
            connection.execute(subscribers.insert(), rows)
        database.close()

    def suppress(self, email: str, reason: str, desk: str = "") -> None:
        database = Store(self.out / "dispatch.db")
        with database.transaction() as connection:
            store.suppress(connection, email, desk, reason, self.now)
        database.close()

    def order(self, *names: str, **options: object) -> Order:
        return replace(Order(self.out, names, "world"), **options)  # type: ignore[arg-type]

    def rehearse(self, *names: str, **options: object) -> Plan:
        return send.rehearse(self.order(*names, **options), self.settings, self.now)

    def make(self, *names: str, **options: object) -> Plan:
        return send.make(self.order(*names, **options), self.settings, self.now)
