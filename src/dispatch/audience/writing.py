"""Writing lists of people as CSV that a spreadsheet opens without running any of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

from dispatch.audience import values
from dispatch.audience.cells import guarded
from dispatch.audience.columns import REFUSED_BECAUSE
from dispatch.errors import OutputError
from dispatch.store.subscribers import SubscriberRow

FACTS = (
    "email", "name", "language", "timezone", "tags", "status", "joined",
    "consent_source", "consent_time", "consent_ip", "consent_text", "frequency", "paused_until",
)  # fmt: skip
"""The columns of an export; behind them come the custom fields. An import reads them all."""


class _Writer(Protocol):
    def writerow(self, row: Iterable[Any], /) -> Any: ...


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[SubscriberRow], fields: Sequence[str]) -> Iterator[str]:
    """An export, line by line; ``fields`` are the custom fields it has columns for."""
    writer: _Writer = csv.writer(_Echo(), lineterminator="\n")
    yield writer.writerow([*FACTS, *fields])
    for row in rows:
        yield writer.writerow(map(guarded, cells(row, fields)))


def cells(row: SubscriberRow, fields: Sequence[str]) -> list[str]:
    """What a subscriber is in the columns of an export."""
    own = json.loads(row.fields) if row.fields else {}
    return [
        row.email,
        row.name or "",
        row.language or "",
        row.timezone or "",
        ",".join(values.parted_tags(row.tags)),
        row.state,
        row.created.isoformat(),
        row.consent_source or "",
        row.consent_at.isoformat() if row.consent_at else "",
        row.consent_ip or "",
        row.consent_text or "",
        row.frequency,
        row.paused_until.isoformat() if row.paused_until else "",
        *(own.get(field, "") for field in fields),
    ]


class Refused:
    """The file of the rows that an import refused: their columns, and why. Made by the first one.

    Args:
        path: where; None: nowhere, for a rehearsal.
        names, delimiter: as in the list that was imported.
    """

    def __init__(self, path: Path | None, names: Sequence[str], delimiter: str) -> None:
        self.path = path
        self._names, self._delimiter = names, delimiter
        self._file: TextIO | None = None
        self._writer: _Writer | None = None

    def __enter__(self) -> Refused:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, line: int, row: Sequence[str], reason: str) -> None:
        """Write a row down.

        Raises:
            OutputError: the file cannot be written.
        """
        if self.path is None:
            return
        missing = [""] * (len(self._names) - len(row))
        because = f"line {line}: {reason}"
        try:
            writer = self._writer or self._begin(self.path)
            writer.writerow(map(guarded, [*row[: len(self._names)], *missing, because]))
        except OSError as error:
            raise OutputError(
                f"{self.path}, where refused rows go, cannot be written: {error.strerror}."
            ) from error

    def _begin(self, path: Path) -> _Writer:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, delimiter=self._delimiter, lineterminator="\n")
        self._writer.writerow(map(guarded, [*self._names, REFUSED_BECAUSE]))
        return self._writer
