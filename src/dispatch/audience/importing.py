"""Importing a list: new people come in, known ones are updated, and nobody comes back who left.

A list is read to its end before anything is written: one that turns out to be
broken changes nothing. Its people are sorted by address, and then merged in
batches, each in a transaction of its own: a sending that runs at the same time
waits for a moment and not for the whole list, memory stays the same for any
number of rows, and whoever stops an import keeps what was merged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dispatch.audience import forgetting, states, values
from dispatch.audience.columns import Columns
from dispatch.audience.reading import Table
from dispatch.audience.records import Record, Records
from dispatch.audience.states import GONE
from dispatch.errors import AudienceError
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.sorting import Sorter
from dispatch.store.standing import Standing
from dispatch.store.subscribers import SubscriberRow

_BATCH = 5000
"""People in one transaction."""
_RUBBISH = 1000
"""So many rows are refused before it is asked whether the file is a list at all."""
_USABLE = 0.01
"""Of a list, more than this part of its rows can be used."""


@dataclass(slots=True)
class Report:
    """What an import did.

    rows = added + updated + unchanged + duplicates + refused + not_reached + all of ``left_out``.
    """

    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    """Rows of an address that came again later in the list; the last row is the one that holds."""
    refused: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """People who are not to be mailed, by why: unsubscribed, bounced, forgotten…"""
    ignored: Counter[str] = field(default_factory=Counter)
    """Values that no sense could be made of, by their kind; the rest of the row was taken."""
    not_reached: int = 0
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
        step: told how many more bytes of the list are read and, all of them once more, merged.
        stopped: asked between batches whether to stop.
    """

    desk: str
    name: str
    salt: str = field(repr=False)
    refuse: Callable[[int, list[str], str], None]
    step: Callable[[int], object]
    stopped: Callable[[], bool]


def import_table(
    database: Store, table: Table, columns: Columns, plan: Import, now: datetime
) -> Report:
    """Import the rows of a list.

    Raises:
        AudienceError: hardly any of the first 1,000 rows or more can be used, or the
            list's quotation marks are broken. Nothing was imported.
        StoreError: the database cannot be written.
    """
    report = Report()
    with Sorter(len(Record._fields)) as people:
        _read(table, columns, plan, report, people)
        if report.stopped:
            report.not_reached = report.rows - report.refused
        else:
            _merge(database, people, table.position, plan, report, now)
    return report


def _read(table: Table, columns: Columns, plan: Import, report: Report, people: Sorter) -> None:
    """Read a list to its end: its people into the sorter, rows that cannot be used refused."""
    records = Records(columns)
    report.ignored = records.ignored
    batch: list[Record] = []
    before = 0
    for line, cells, problem in table:
        report.rows += 1
        try:
            batch.append(_record(records, cells, problem))
        except AudienceError as error:
            report.refused += 1
            plan.refuse(line, cells, str(error))
            if report.refused % _RUBBISH == 0 and _is_rubbish(report):
                raise AudienceError(_rubbish(plan.name, report, line, error)) from None
        if len(batch) == _BATCH:
            people.put(batch)
            batch.clear()
            plan.step(table.position - before)
            before = table.position
            if plan.stopped():
                report.stopped = True
                return
    people.put(batch)
    plan.step(table.position - before)


def _record(records: Records, cells: list[str], problem: str | None) -> Record:
    if problem:
        raise AudienceError(f"The row cannot be read: {problem}.")
    return records.record(cells)


def _is_rubbish(report: Report) -> bool:
    return report.rows - report.refused <= report.rows * _USABLE


def _rubbish(name: str, report: Report, line: int, error: AudienceError) -> str:
    return (
        f"Of the first {report.rows:,} rows of {name}, {report.refused:,} cannot be used; the last "
        f"of them, line {line}: {error} Nothing was imported: is it the right file?"
    )


def _merge(
    database: Store, people: Sorter, size: int, plan: Import, report: Report, now: datetime
) -> None:
    """Bring the people of a list into the database; ``size`` is the list's, in bytes."""
    rows = report.rows - report.refused
    done = 0
    connection = Standing(database)
    try:
        for batch in people.batches(_BATCH):
            if plan.stopped():
                report.stopped = True
                report.not_reached = rows - done
                return
            with connection.transaction() as opened:
                _Batch(opened, plan, now, report).merge([Record(*row) for row in batch])
            done += len(batch)
            plan.step(size * len(batch) // max(rows, 1))
        report.duplicates = rows - done
    finally:
        connection.close()


class _Batch:
    """The people of one transaction."""

    def __init__(self, connection: Connection, plan: Import, now: datetime, report: Report) -> None:
        self._connection, self._plan, self._now, self._report = connection, plan, now, report
        self._cause = f"import of {plan.name}"

    def merge(self, batch: Sequence[Record]) -> None:
        keys = [record.address_key for record in batch]
        known = store.at_desk(self._connection, self._plan.desk, keys)
        out = self._not_mailed(keys)
        new = []
        for record in batch:
            row = known.get(record.address_key)
            if row is not None:
                self._count(self._update(row, record, suppressed=row.address_key in out))
            elif record.address_key in out:
                self._count(out[record.address_key])
            else:
                new.append(self._columns_of(record))
        store.add(self._connection, new)
        self._report.added += len(new)

    def _count(self, done: str) -> None:
        if done == "updated":
            self._report.updated += 1
        elif done == "unchanged":
            self._report.unchanged += 1
        else:
            self._report.left_out[done] += 1

    def _not_mailed(self, keys: Sequence[str]) -> dict[str, str]:
        """Which addresses are not to be mailed whatever the list says, and why."""
        connection, out = self._connection, {}
        if store.any_suppressions(connection):
            suppressed = store.suppressed(connection, self._plan.desk, keys)
            out.update(dict.fromkeys(suppressed, "suppressed"))
        if store.any_forgotten(connection):
            hashes = {forgetting.hash_of(self._plan.salt, key): key for key in keys}
            for hash_ in store.forgotten_among(connection, hashes):
                out[hashes[hash_]] = "forgotten"
        return out

    def _update(self, row: SubscriberRow, record: Record, *, suppressed: bool) -> str:
        """Bring a known subscriber up to date; says what was done, or why they are left out."""
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
        consent_at = _time(record.consent_at)
        joined = _time(record.joined) or consent_at or self._now
        return {
            "desk": self._plan.desk,
            "address_key": record.address_key,
            "email": record.email,
            "domain": record.domain,
            "name": record.name,
            "language": record.language,
            "timezone": record.timezone,
            "tags": record.tags or "",
            "fields": _with_fields(None, record.fields),
            "state": record.state or "active",
            "consent_source": record.consent_source or self._cause,
            "consent_at": consent_at,
            "consent_ip": record.consent_ip,
            "consent_text": record.consent_text,
            "frequency": record.frequency or "each",
            "paused_until": _time(record.paused_until),
            "digested": self._now if record.frequency in ("daily", "weekly") else None,
            "created": min(joined, self._now),
            "changed": self._now,
        }


def _changes(row: SubscriberRow, record: Record) -> dict[str, Any]:
    """What a list says otherwise than the database.

    A name, a language and the like are only replaced by something; tags and
    custom fields, whose columns the list has, also by nothing: that is how a
    tag is taken away. How often somebody gets mail, and whether they pause, is
    their own choice: a list says it of those who are new.
    """
    said: dict[str, Any] = {
        "email": record.email,
        "name": record.name,
        "language": record.language,
        "timezone": record.timezone,
        "tags": record.tags,
    }
    changes = {
        name: value
        for name, value in said.items()
        if value is not None and value != getattr(row, name)
    }
    changes |= _consent_changes(row, record)
    fields = _with_fields(row.fields, record.fields)
    return {**changes, "fields": fields} if fields != row.fields else changes


def _consent_changes(row: SubscriberRow, record: Record) -> dict[str, Any]:
    """What a list says otherwise of somebody's consent.

    Another consent replaces the one on record as a whole, so that no time and no
    words stand beside a source that they do not belong to; one of which the words
    are on record is only replaced by another that has its own.
    """
    said = {
        "consent_source": record.consent_source,
        "consent_at": _time(record.consent_at),
        "consent_ip": record.consent_ip,
        "consent_text": record.consent_text,
    }
    if not any(said.values()) or (row.consent_text and not record.consent_text):
        return {}
    another = record.consent_source not in (None, row.consent_source)
    return {
        name: value
        for name, value in said.items()
        if value != getattr(row, name) and (another or value is not None)
    }


def _with_fields(stored: str | None, said: str | None) -> str | None:
    """Custom fields with those that a list says laid over them; the empty ones are gone."""
    if said is None:
        return stored
    fields: Mapping[str, str] = {**(json.loads(stored) if stored else {}), **json.loads(said)}
    kept = [(name, fields[name]) for name in sorted(fields) if fields[name]]
    return values.to_json(dict(kept[: values.MOST_FIELDS])) if kept else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
