"""Bringing an older database up to date, with Alembic.

Each file under ``versions/`` is one step; its revision is a four-digit number,
so that a newer database is known by a greater one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import StoreError


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the migrations that ``connection``'s database lacks, in its transaction.

    Raises:
        StoreError: the database is at a revision that no migration leads on from.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, target)
    except CommandError as error:
        database = connection.engine.url.database
        raise StoreError(
            f"{database} is at a schema that no migration leads on from ({error}). "
            "Restore a backup, or publish into another folder."
        ) from error
