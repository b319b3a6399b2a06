"""Opening the database: SQLite with a write-ahead log, at the schema this version knows.

A new database is made from the tables in one step; an older one is brought up
to date by Alembic, which is only imported then; one made by a newer Dispatch
is refused and left as it is.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from dispatch.errors import StoreError
from dispatch.store.tables import REVISION, metadata

WAIT = 60
"""Seconds to wait for another process that is writing."""
BREATH = 0.05
"""Seconds between two transactions of who makes many. Who else wants to write looks only every
tenth of a second whether they may (SQLite's way of waiting), and would find one each time."""

_ALEMBIC_VERSION = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


class Store:
    """The database of one newsroom.

    Args:
        path: the SQLite file, made if it does not exist; None: in memory, for a
            rehearsal that leaves nothing behind.
        pooled: connections stay open for the next one who asks: for a server, whose threads
            read all the time. Opening one takes half a millisecond.
        wait: seconds for which another process that is writing is waited for.

    Raises:
        StoreError: it cannot be opened, is not a Dispatch database, or was
            made by a newer version.
    """

    def __init__(self, path: Path | None, *, pooled: bool = False, wait: int = WAIT) -> None:
        self.path = path
        if path is not None and not path.exists():
            with suppress(OSError):  # SQLite says it, too
                path.touch(mode=0o600)  # it is to hold people, and what signs their links
        self._file = _file(path)
        self._engine = _engine(path, pooled=pooled, wait=wait)
        try:
            with explained(path):
                self._bring_up_to_date()
                self._write_ahead()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on any error.

        One at a time: a second one, in any process, waits for the first.

        Args:
            keep: False rolls it back at the end, too: a rehearsal.

        Raises:
            StoreError: the database is full, locked for too long, damaged, or another one by now.
        """
        self.look()
        with (
            explained(self.path),
            self._engine.connect() as connection,
            connection.begin() as transaction,
        ):
            yield connection
            if not keep:
                transaction.rollback()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: it waits for nobody, and nobody waits for it.

        All of it sees the database as it was at the first look. What it writes is refused.

        Raises:
            StoreError: the database is damaged, or another one by now, or something was written.
        """
        self.look()
        with explained(self.path), self._engine.connect() as opened:
            connection = opened.execution_options(reading=True)
            with connection.begin():
                connection.exec_driver_sql("PRAGMA query_only = ON")
                try:
                    yield connection
                finally:
                    connection.exec_driver_sql("PRAGMA query_only = OFF")

    def look(self) -> None:
        """See that the database is still the file that was opened.

        Whoever has a file open can go on writing to it when it is long gone, and what is written
        then is lost. What was read of it is no good for another one, either: not the keys.

        Raises:
            StoreError: it is not.
        """
        if _file(self.path) != self._file:
            raise StoreError(
                f"{self.path} was removed or replaced while it was in use. Nothing is written: "
                "stop everything that uses it, put it in its place, and start it again."
            )

    def connect(self) -> Connection:
        """A connection for :class:`dispatch.store.standing.Standing`, who closes it."""
        return self._engine.connect()

    def empty_log(self) -> None:
        """Fold the write-ahead log into the file and empty it: what was erased is in neither.

        Where another process is in the middle of something for too long, its next one does it.
        """
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        self._engine.dispose()

    def _write_ahead(self) -> None:
        """Set the journal's mode, which stays in the file: only once it is known to be ours."""
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:  # whoever only opens it waits for nobody who writes
            if _revision(connection) == REVISION:
                return
        with self._engine.begin() as connection:
            found = _revision(connection)
            if found is None:
                metadata.create_all(connection, checkfirst=False)
                connection.execute(text(_ALEMBIC_VERSION))
                connection.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": REVISION})
            elif found > REVISION:
                raise StoreError(
                    f"{self.path} was made by a newer version of Dispatch (its schema is {found}, "
                    f"this version knows {REVISION}). Upgrade Dispatch, or publish into another "
                    "folder; the database was not touched."
                )
            elif found < REVISION:
                from dispatch.store.migrations import migrate

                migrate(connection)


@contextmanager
def rehearsal(path: Path) -> Iterator[Store]:
    """A store to be thrown away: a copy of the database at ``path``, or a new one.

    The database itself is only read, and nobody who writes to it has to wait.
    """
    if not path.exists():
        store = Store(None)
        try:
            yield store
        finally:
            store.close()
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with explained(path):
            _copy(path, copy)
        store = Store(copy)
        try:
            yield store
        finally:
            store.close()


def _copy(path: Path, copy: Path) -> None:
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT)
    target = sqlite3.connect(copy)
    try:
        source.backup(target)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    finally:
        target.close()
        source.close()


def _engine(path: Path | None, *, pooled: bool, wait: int) -> Engine:
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    else:
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            poolclass=QueuePool if pooled else NullPool,
            hide_parameters=True,  # an error is no place for somebody's address
            connect_args={"timeout": wait, "check_same_thread": False},
        )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # The driver's own transactions start late, at the first write: too late for a
        # decision that was made on what was read before it. _on_begin starts them instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _file(path: Path | None) -> tuple[int, int] | None:
    """Which file is at ``path``; None: there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _revision(connection: Connection) -> str | None:
    """The schema's revision, '' before the first; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StoreError(
            f"{connection.engine.url.database} is a database, but not one of Dispatch. "
            "Publish into another folder, or move that file away."
        )
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(revision or "")


def _is_full(path: Path | None) -> bool:
    """Whether the disk has no room; SQLite calls that an I/O error where it needs shared memory."""
    return path is not None and shutil.disk_usage(path.parent).free < 100_000


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Errors of the database at ``path`` as sentences.

    Raises:
        StoreError: what was raised within.
    """
    try:
        yield
    except DatabaseError as error:
        said = str(error.orig or error).lower()
        if "full" in said or ("disk i/o" in said and _is_full(path)):
            raise StoreError(
                f"There is no room left to write {path}. What was under way is undone: "
                f"make room and run it again. ({os.strerror(errno.ENOSPC)})"
            ) from error
        if "locked" in said:
            raise StoreError(
                f"{path} was in use by another process for too long. "
                "What was under way is undone: run it again when the other is done."
            ) from error
        if "readonly" in said or "unable to open" in said:
            raise StoreError(
                f"{path} cannot be written. Check its permissions, those of {path}-wal and "
                f"{path}-shm if they are there, and those of the folder; or choose another "
                "with --out."
            ) from error
        if "not a database" in said or "malformed" in said:
            raise StoreError(
                f"{path} is not a database or is damaged ({error.orig}). Move it away and restore "
                "a backup; without one, the articles' ids and first times are lost."
            ) from error
        raise StoreError(f"{path}: the database refused: {error.orig or error}.") from error
