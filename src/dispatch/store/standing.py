"""A connection that stays open, for who writes many times a second.

Opening the database takes half a millisecond, and closing it as its last user
folds the write-ahead log back into it, which waits for the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from dispatch.store.connection import Store, explained


class Standing:
    """One connection to the database of ``store``, opened when first needed; for one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As :meth:`dispatch.store.connection.Store.transaction`.

        Raises:
            StoreError: the database is full, locked for too long, damaged, or another one by now.
        """
        self._store.look()
        with explained(self._store.path):
            if self._connection is None:
                self._connection = self._store.connect()
            try:
                with self._connection.begin():
                    yield self._connection
            except BaseException:
                self.close()  # whatever is the matter with it, the next one is a new one
                raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
