"""A desk with readers and an edition, for the tests of the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from dispatch.ledger.facts import Outcome, State
from dispatch.ledger.ledger import Claim, Lease, Ledger
from dispatch.store import candidates, counts, editions, ledger, proof, recipients
from dispatch.store.candidates import Candidates, Schedule
from dispatch.store.connection import Store
from dispatch.store.tables import subscribers

NOW = 1_795_000_000_000
"""A moment, in milliseconds since 1970."""

MADE = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
MINUTE = 60_000


@dataclass
class Machine:
    """A machine whose clock is moved by hand, and that can go down."""

    time: float = 1000.0
    boots: int = 1
    step: float = 0.0
    """Seconds that pass whenever somebody looks at it."""

    def clock(self) -> float:
        self.time += self.step
        return self.time

    @property
    def boot(self) -> str:
        return f"boot {self.boots}"


@dataclass
class Desk:
    """A newsroom's folder with its database; see :meth:`edition`."""

    folder: Path
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        self.store = Store(self.folder / "dispatch.db")
        self.journals = self.folder / "dispatch.db.leases"
        self._ledgers: list[Ledger] = []

    def subscribe(self, count: int, desk: str = "world", **values: object) -> None:
        """More readers: the values of each are the same but for the address."""
        with self.store.transaction() as connection:
            rows = []
            for number in range(count):
                address = f"reader{number}.{values.get('state', 'active')}@example.org"
                row = {
                    "desk": desk,
                    "address_key": address,
                    "email": address,
                    "domain": "example.org",
                    "name": "Ada",
                    "state": "active",
                    "created": MADE,
                    "changed": MADE,
                }
                rows.append({**row, **values})
            connection.execute(insert(subscribers), rows)

    def edition(
        self,
        count: int = 0,
        *,
        state: str = "sending",
        in_doubt: str = "hold",
        due: datetime = MADE,
        who: Candidates | None = None,
        by_timezone: dict[str, int] | None = None,
    ) -> int:
        """A mailing to ``count`` new readers, and to those there are."""
        if count:
            self.subscribe(count)
        with self.store.transaction() as connection:
            key = editions.add(
                connection, editions.EditionRow(0, "world", "The ferry", None, MADE, "seed", "key")
            )
            schedule = Schedule(state, due, by_timezone)
            who = who or Candidates("world")
            candidates.snapshot(connection, key, who, schedule, in_doubt=in_doubt, now=NOW)
        return key

    def ledger(self, owner: str = "one") -> Ledger:
        made = Ledger(
            self.store, self.journals, owner, boot=self.machine.boot, clock=self.machine.clock
        )
        self._ledgers.append(made)
        return made

    def counts(self, edition: int) -> Counter[str]:
        """Recipients by state, without the states that nobody is in."""
        with self.store.transaction() as connection:
            return +Counter(counts.of(connection, edition))

    def rows(self, edition: int) -> list[recipients.RecipientRow]:
        return list(recipients.of(self.store, edition))

    def state(self, edition: int) -> str:
        with self.store.transaction() as connection:
            found = ledger.mailing(connection, edition)
        assert found
        return found.state

    def findings(self, edition: int) -> tuple[str, ...]:
        with self.store.transaction() as connection:
            found = proof.verify(connection, edition)
        assert found
        return found.findings

    def close(self) -> None:
        for made in self._ledgers:
            die(made)
        self.store.close()


def claimed(ledger: Ledger, edition: int, limit: int = 100, duration: int = 10 * MINUTE) -> Lease:
    """A lease that is sure to be given."""
    lease = ledger.commit(NOW, Claim(edition, limit, duration))
    assert lease
    return lease


def send(lease: Lease, key: int, state: State = "accepted", reply: str = "250 Ok") -> None:
    """A copy leaves and is answered."""
    assert lease.leaving(key)
    lease.note(Outcome(key, state, reply))


def die(ledger: Ledger) -> None:
    """The process is gone: nothing more is recorded, and the system lets go of its files."""
    for lease in ledger.leases:
        lease.release()
    ledger._standing.close()
