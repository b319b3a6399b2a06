"""Files and database as one decision: a transaction, and the release that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from dispatch.store import articles as store
from dispatch.store.connection import Store
from dispatch.syndication import release as releases
from dispatch.syndication.release import Release


@contextmanager
def released(out: Path, database: Store, now: datetime) -> Iterator[tuple[Connection, Release]]:
    """A transaction and a release into ``out``: both hold at the end, or neither.

    The caller is alone in the folder (:func:`dispatch.syndication.release.exclusively`), and
    what was left of earlier releases is mended (:func:`recover`).

    Raises:
        OutputError, StoreError: it cannot be written; and whatever the body raises.
    """
    release = Release(out)
    try:
        with database.transaction() as connection:
            store.forget_releases(connection)  # all of them were put into place
            yield connection, release
            if not release.empty:
                release.seal()
                store.record_release(connection, release.id, now)
        release.place()
    except BaseException:
        # Whether the transaction still held is the database's to say.
        recover(out, database)
        raise


def recover(out: Path, database: Store) -> None:
    """Finish what a crash left half-placed."""
    if releases.unplaced(out):
        with database.transaction() as connection:
            decided = store.recorded_releases(connection)
        releases.recover(out, decided)
