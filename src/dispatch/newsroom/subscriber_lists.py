"""Many subscribers at a time: importing a list, listing, exporting."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ColumnElement, Connection

from dispatch.audience import columns, importing, segments, values, writing
from dispatch.audience.importing import Import, Report
from dispatch.audience.reading import Table
from dispatch.errors import AudienceError
from dispatch.newsroom.database import database_of, made_if_missing, opened
from dispatch.newsroom.subscribers import NO_SUBSCRIBERS, salt_of
from dispatch.store import subscribers as store
from dispatch.store.connection import Store, rehearsal
from dispatch.store.subscribers import SubscriberRow

STANDARD_INPUT = "-"
_PAGE = 2000
"""Subscribers that are read at a time: nobody who writes has to wait for a long list."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list to be imported.

    Args:
        name: the file's, or ``-`` for standard input.
        stream: its bytes.
        size: how many; 0: nobody knows.
        beside: whether its refused rows go to a file beside it.
    """

    name: str
    stream: BinaryIO
    size: int
    beside: bool = True

    @property
    def label(self) -> str:
        return "standard input" if self.name == STANDARD_INPUT else self.name

    @property
    def short_label(self) -> str:
        """The same without its folder, for what is kept for good."""
        return values.line(Path(self.label).name, 100) or "a list"

    @property
    def refused(self) -> Path:
        """Where its refused rows go: beside it."""
        path = Path("stdin" if self.name == STANDARD_INPUT else self.name)
        return path.with_name(f"{path.stem}.rejected.csv")


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows an import.

    Args:
        step: told how many more bytes are read and then, all of them once more, merged.
        stopped: asked whether to stop.
        refused: told of each row that is refused: its line, its cells, and why.
    """

    step: Callable[[int], object] = lambda _bytes: None
    stopped: Callable[[], bool] = lambda: False
    refused: Callable[[int, list[str], str], object] = lambda _line, _cells, _why: None


@dataclass(frozen=True, slots=True)
class Imported:
    """An import's report, with what the desk should know of it."""

    report: Report
    refused: Path | None
    """The file of refused rows; None: there are none."""
    notes: list[str] = field(default_factory=list)


@contextmanager
def open_list(name: str, standard_input: BinaryIO) -> Iterator[ListFile]:
    """The list in the file ``name``.

    Raises:
        AudienceError: it cannot be read.
    """
    if name == STANDARD_INPUT:
        yield ListFile(name, standard_input, 0)
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no name of a file"
        raise AudienceError(f"{name} cannot be read: {reason}.") from error
    with stream:
        yield ListFile(name, stream, os.fstat(stream.fileno()).st_size)


def import_list(
    list_: ListFile, desk: str, out: Path, now: datetime, watch: Watch, *, dry_run: bool = False
) -> Imported:
    """Import a list of a desk's subscribers.

    Args:
        desk: its slug.
        dry_run: do all of it in a copy of the database, and keep nothing.

    Raises:
        AudienceError: it is no list, or has no column of addresses.
        OutputError: refused rows cannot be written down.
        StoreError: the database cannot be written.
    """
    table = Table(list_.stream, list_.label)
    understood = columns.understood(table.names, list_.label)
    path = list_.refused if list_.beside and not dry_run else None
    with (
        rehearsal(database_of(out)) if dry_run else made_if_missing(out) as database,
        writing.Refused(path, table.names, table.delimiter) as refused,
    ):
        with database.transaction() as connection:
            new_desk = not store.is_known_desk(connection, desk)
            salt = salt_of(connection, now)

        def refuse(line: int, cells: list[str], why: str) -> None:
            refused.add(line, cells, why)
            watch.refused(line, cells, why)

        plan = Import(desk, list_.short_label, salt, refuse, watch.step, watch.stopped)
        report = importing.import_table(database, table, understood, plan, now)
    notes = []
    if new_desk and report.added:
        notes.append(f"{desk} is a new desk here: nobody has published or subscribed there so far.")
    if understood.left_out:
        notes.append(f"Columns that were not kept: {', '.join(understood.left_out)}.")
    if table.mixed:
        notes.append(
            f"{list_.label} is not all UTF-8: the rest of it was read as Windows-1252. "
            "Look at the names with accents."
        )
    return Imported(report, path if report.refused else None, notes)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which subscribers of a desk. None: any.

    Args:
        after: the key of the last one that is known already; the list goes on behind it.
    """

    desk: str
    state: str | None = None
    tag: str | None = None
    segment: str | None = None
    limit: int | None = None
    after: int = 0


def listed(choice: Choice, out: Path) -> Iterator[SubscriberRow]:
    """The subscribers of a choice in the order they were added, read page by page.

    Raises:
        AudienceError: the segment cannot be understood.
    """
    with opened(out, NO_SUBSCRIBERS) as database:
        with database.transaction() as connection:
            conditions = _conditions(connection, choice)
        yield from _pages(database, conditions, choice)


def exported(choice: Choice, out: Path) -> Iterator[str]:
    """The same as lines of CSV, with a column for each custom field that the desk has.

    Raises:
        AudienceError: the segment cannot be understood.
    """
    with opened(out, NO_SUBSCRIBERS) as database:
        with database.transaction() as connection:
            conditions = _conditions(connection, choice)
            fields = store.field_names(connection, choice.desk)
        yield from writing.lines(_pages(database, conditions, choice), fields)


def _conditions(connection: Connection, choice: Choice) -> list[ColumnElement[bool]]:
    if not store.is_known_desk(connection, choice.desk):
        known = ", ".join(sorted(store.of_desks(connection))) or "none"
        raise AudienceError(
            f"There is no desk {choice.desk} here. Desks with subscribers: {known}."
        )
    conditions = [store.of_desk(choice.desk)]
    if choice.state:
        conditions.append(store.in_state(choice.state))
    if choice.tag:
        conditions.append(store.has_tag(values.tag(choice.tag) or ""))
    if choice.segment:
        segment = segments.parse_for(connection, choice.desk, choice.segment)
        conditions.append(segments.condition(segment))
    return conditions


def _pages(
    database: Store, conditions: Sequence[ColumnElement[bool]], choice: Choice
) -> Iterator[SubscriberRow]:
    after, left = choice.after, choice.limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        with database.transaction() as connection:
            rows = store.page(connection, conditions, after, size)
        yield from rows
        if len(rows) < size:
            return
        after = rows[-1].key
        left = None if left is None else left - len(rows)
