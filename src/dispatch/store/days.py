"""The day of a moment in SQL, which every database writes in its own way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class day_of(GenericFunction[str]):  # noqa: N801 - stands among SQL, as its functions do
    """The day (UTC) of a column of epoch milliseconds, such as ``2026-12-01``."""

    type = String()
    inherit_cache = True

    def __init__(self, milliseconds: ColumnElement[Any]) -> None:
        super().__init__(milliseconds)


@compiles(day_of)
def _on_sqlite(element: day_of, compiler: Any, **options: Any) -> str:
    milliseconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d', ({milliseconds}) / 1000, 'unixepoch')"


@compiles(day_of, "postgresql")
def _on_postgresql(element: day_of, compiler: Any, **options: Any) -> str:
    milliseconds = compiler.process(element.clauses, **options)
    return f"to_char(to_timestamp(({milliseconds}) / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
