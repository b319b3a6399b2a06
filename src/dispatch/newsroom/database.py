"""The database of a newsroom: where it lies, and opening it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.errors import StoreError

if TYPE_CHECKING:
    from dispatch.store.connection import Store


def database_of(out: Path) -> Path:
    """Where the database of the folder ``out`` lies."""
    return out / "dispatch.db"


@contextmanager
def opened(out: Path, otherwise: str) -> Iterator[Store]:
    """The database of the folder ``out``, which has to be there.

    Args:
        otherwise: what follows where it is not, and what to do: ``There is no …/dispatch.db, so …``

    Raises:
        StoreError: there is none, or it cannot be opened.
    """
    path = database_of(out)
    if not path.exists():
        raise StoreError(f"There is no {path}, {otherwise}")
    with made_if_missing(out) as database:
        yield database


@contextmanager
def made_if_missing(out: Path) -> Iterator[Store]:
    """The same; where there is none, it is made.

    Raises:
        StoreError: it cannot be opened or made.
    """
    from dispatch.store.connection import Store

    out.mkdir(parents=True, exist_ok=True)
    database = Store(database_of(out))
    try:
        yield database
    finally:
        database.close()
