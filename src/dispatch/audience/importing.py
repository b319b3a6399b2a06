"""Importing a list: new people come in, known ones are updated, and nobody comes back who left.

Rows are taken in batches, each in a transaction of its own: a sending that
runs at the same time waits for a moment and not for the whole list, memory
stays the same for any number of rows, and whoever stops an import keeps what
was taken; the list can be imported again from its beginning.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dispatch.audience import forgetting, states, values
from dispatch.audience.columns import Columns
from dispatch.audience.records import Record, Records
from dispatch.audience.states import GONE
from dispatch.audience.tables import Table
from dispatch.errors import AudienceError
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.standing import Standing
from dispatch.store.subscribers import SubscriberRow

_BATCH = 5000
"""Rows in one transaction."""
_RUBBISH = 1000
"""Rows from the beginning of which none may be usable, before the file is given up."""


_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class Report:
    """What an import did.

    rows = added + updated + unchanged + duplicates + refused + the sum of ``left_out``.
    """

    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    """Rows of an address that came before in the same list; the last row is the one that holds."""
    refused: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows of people who are not to be mailed, by why: unsubscribed, bounced, forgotten…"""
    ignored: Counter[str] = field(default_factory=Counter)
    """Values that no sense could be made of, by their kind; the rest of the row was taken."""
    line: int = 0
    """Lines of the file that are done with."""
    stopped: bool = False
    """Whether it was stopped before the end."""


@dataclass(frozen=True, slots=True)
class Import:
    """What is imported, and who watches.

    Args:
        desk: the slug of the desk that the people of the list read.
        name: what the list is called, for the histories.
        salt: of :mod:`dispatch.audience.forgetting`.
        refuse: told of each row that is refused: its line, its cells, and why.
        step: told after each batch how many bytes of the file are read.
        stopped: asked after each batch whether to stop.
    """

    desk: str
    name: str
    salt: str = field(repr=False)
    refuse: Callable[[int, list[str], str], None]
    step: Callable[[int], None]
    stopped: Callable[[], bool]


def import_table(
    database: Store, table: Table, columns: Columns, plan: Import, now: datetime
) -> Report:
    """Import the rows of a list.

    Raises:
        AudienceError: none of the first 1,000 rows can be used, or the list's
            quotation marks are broken. What came before is imported.
        StoreError: the database cannot be written.
    """
    return _Importer(database, columns, plan, now).run(table)


class _Importer:
    """One import: counts as it goes."""

    def __init__(self, database: Store, columns: Columns, plan: Import, now: datetime) -> None:
        self._connection = Standing(database)
        self._plan, self._now = plan, now
        self._records = Records(columns)
        self._report = Report(ignored=self._records.ignored)

    def run(self, table: Table) -> Report:
        report, seen = self._report, store.Seen()
        batch: dict[str, Record] = {}
        try:
            for line, cells, problem in table:
                self._take(line, cells, problem, batch)
                if len(batch) == _BATCH:
                    self._merge(batch, seen, table)
                    if self._plan.stopped():
                        report.stopped = True
                        return report
            self._merge(batch, seen, table)
        finally:
            seen.close()
            self._connection.close()
        return report

    def _take(
        self, line: int, cells: list[str], problem: str | None, batch: dict[str, Record]
    ) -> None:
        """Put what a row says into the batch, or refuse it."""
        report = self._report
        report.rows += 1
        try:
            record = self._record(cells, problem)
        except AudienceError as error:
            report.refused += 1
            self._plan.refuse(line, cells, str(error))
            if report.refused == report.rows == _RUBBISH:
                raise AudienceError(
                    f"None of the first {_RUBBISH:,} rows of {self._plan.name} can be used; the "
                    f"last of them, line {line}: {error} Nothing was imported: is it the right "
                    "file?"
                ) from None
            return
        key = record.address.key
        if batch.pop(key, None) is not None:  # the later one takes a later place as well
            report.duplicates += 1
        batch[key] = record

    def _record(self, cells: list[str], problem: str | None) -> Record:
        if problem:
            raise AudienceError(f"The row cannot be read: {problem}.")
        return self._records.record(cells)

    def _merge(self, batch: dict[str, Record], seen: store.Seen, table: Table) -> None:
        """Bring a batch into the database, and empty it."""
        if batch:
            with self._connection.transaction() as connection:
                _Batch(connection, self._plan, self._now, self._report, seen.again(batch)).merge(
                    batch
                )
            batch.clear()
        self._report.line = table.line
        self._plan.step(table.position)


class _Batch:
    """The rows of one transaction."""

    def __init__(
        self,
        connection: Connection,
        plan: Import,
        now: datetime,
        report: Report,
        again: Collection[str],
    ) -> None:
        self._connection, self._plan, self._now, self._report = connection, plan, now, report
        self._again = again
        self._cause = f"import of {plan.name}"

    def merge(self, batch: Mapping[str, Record]) -> None:
        known = store.at_desk(self._connection, self._plan.desk, batch)
        out = self._not_mailed(batch)
        new = []
        for key, record in batch.items():
            row = known.get(key)
            if row is not None:
                done = self._update(row, record, suppressed=out.get(key) == "suppressed")
            elif key in out:
                done = out[key]
            else:
                new.append(self._columns_of(record))
                done = "added"
            self._count(key, done)
        store.add(self._connection, new)

    def _count(self, key: str, done: str) -> None:
        report = self._report
        if key in self._again:
            report.duplicates += 1
        elif done in ("added", "updated", "unchanged"):
            setattr(report, done, getattr(report, done) + 1)
        else:
            report.left_out[done] += 1

    def _not_mailed(self, batch: Mapping[str, Record]) -> dict[str, str]:
        """Which addresses are not to be mailed whatever the list says, and why."""
        connection = self._connection
        out = dict.fromkeys(store.suppressed(connection, self._plan.desk, batch), "suppressed")
        if store.any_forgotten(connection):
            hashes = {forgetting.hash_of(self._plan.salt, key): key for key in batch}
            for hash_ in store.forgotten_among(connection, hashes):
                out[hashes[hash_]] = "forgotten"
        return out

    def _update(self, row: SubscriberRow, record: Record, *, suppressed: bool) -> str:
        """Bring a known subscriber up to date; says what was done."""
        said = record.state
        if said in GONE:
            if row.state == said or not states.is_lawful(row.state, said):
                return "unchanged"
            states.move(self._connection, row.key, said, self._cause, self._now)
            return "updated"
        if row.state in GONE:
            return row.state
        if suppressed:
            return "suppressed"
        moved = row.state == "pending" and said == "active"
        if moved:
            states.move(self._connection, row.key, "active", self._cause, self._now)
        changes = _changes(row, record)
        if changes:
            store.change(self._connection, row.key, changes, self._now)
        return "updated" if changes or moved else "unchanged"

    def _columns_of(self, record: Record) -> dict[str, Any]:
        """A new subscriber."""
        now = self._now
        joined = record.joined or record.consent_at
        return {
            "desk": self._plan.desk,
            "address_key": record.address.key,
            "email": record.address.email,
            "domain": record.address.domain,
            "name": record.name,
            "language": record.language,
            "timezone": record.timezone,
            "tags": values.joined_tags(record.tags or ()),
            "fields": _fields_json(record.fields or {}),
            "state": record.state or "active",
            "consent_source": record.consent_source or self._cause,
            "consent_at": record.consent_at,
            "consent_ip": record.consent_ip,
            "created": min(joined, now) if joined else now,
            "changed": now,
        }


def _changes(row: SubscriberRow, record: Record) -> dict[str, Any]:
    """What a list says otherwise than the database.

    A name, a language and the like are only replaced by something; tags and
    custom fields, whose columns the list has, also by nothing: that is how a
    tag is taken away.
    """
    said: dict[str, Any] = {
        "email": record.address.email,
        "name": record.name,
        "language": record.language,
        "timezone": record.timezone,
        "consent_source": record.consent_source,
        "consent_at": record.consent_at,
        "consent_ip": record.consent_ip,
    }
    if record.tags is not None:
        said["tags"] = values.joined_tags(record.tags)
    if record.fields is not None:
        merged = {**(json.loads(row.fields) if row.fields else {}), **record.fields}
        said["fields"] = _fields_json(merged)
    return {
        name: value
        for name, value in said.items()
        if (value is not None or name == "fields") and value != getattr(row, name)
    }


def _fields_json(fields: Mapping[str, str]) -> str | None:
    """Custom fields as they are stored; those that are empty are not."""
    kept = {name: value for name, value in sorted(fields.items()) if value}
    if not kept:
        return None
    return _json(dict(list(kept.items())[: values.MOST_FIELDS]))
