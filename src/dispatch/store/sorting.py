"""Sorting more rows than memory holds, in a temporary file of SQLite's.

A list comes in the order in which people joined. Put into an index in that
order, each of them changes another page of it, which is written again and again;
sorted by the index's key, a page is written once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from dispatch.errors import StoreError


class Sorter:
    """Takes rows, each with a key in its first column, and gives them back by their keys.

    Of rows that have the same key, the last one that came is given back.

    Args:
        width: columns of a row; what is in them, SQLite can keep: texts, numbers, None.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._connection = sqlite3.connect("", isolation_level=None)  # "": a temporary file
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA cache_size = -16384")  # KiB
        columns = ", ".join(f"c{n}" for n in range(width))
        self._connection.execute(f"CREATE TABLE rows (n INTEGER PRIMARY KEY, {columns})")

    def __enter__(self) -> Sorter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take more rows.

        Raises:
            StoreError: there is no room for temporary files.
        """
        places = ", ".join("?" * self._width)
        with _explained():
            self._connection.execute("BEGIN")
            self._connection.executemany(f"INSERT INTO rows VALUES (NULL, {places})", rows)  # noqa: S608
            self._connection.execute("COMMIT")

    def batches(self, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """All rows by their keys, no key twice, so many at a time.

        Raises:
            StoreError: there is no room for temporary files.
        """
        columns = ", ".join(f"c{n}" for n in range(self._width))
        with _explained():
            # With max(), SQLite takes the other columns from the row that has the maximum.
            found = self._connection.execute(
                f"SELECT {columns}, max(n) FROM rows GROUP BY c0"  # noqa: S608
            )
            while batch := found.fetchmany(size):
                yield [row[:-1] for row in batch]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"The list cannot be sorted: {error}. Make room where temporary files go, or name "
            "another folder for them with SQLITE_TMPDIR."
        ) from error
