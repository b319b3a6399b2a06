"""The tables, as SQLAlchemy Core sees them. Changing them needs a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

REVISION = "0001"
"""The newest migration: what a database made today is stamped with."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive one is refused: nobody could say when it was."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

desks = Table(
    "desks",
    metadata,
    Column("slug", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("tag", String, nullable=False),  # its feed's id, a tag: URI; never changes
    # How many archive documents (RFC 5005) the desk's feeds have.
    Column("archives", Integer, nullable=False, default=0, server_default="0"),
)

articles = Table(
    "articles",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", String, nullable=False),  # tag: URI, RFC 4151
    Column("own_id", String),  # the desk's own, from the article
    Column("desk", String, ForeignKey("desks.slug"), nullable=False),
    Column("day", Date, nullable=False),  # of its address; never moves
    Column("slug", String, nullable=False),  # of its address; never moves
    Column("asked_slug", String, nullable=False),  # before another article's stood in its way
    Column("dated", Boolean, nullable=False),  # whether the article named its own day
    Column("file", String),  # where it was last read from; None: standard input
    Column("published", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("public_version", Integer),  # the newest that became public; None: embargoed so far
    Column("digest", String, nullable=False),
    # What the desk's feeds print of it, as JSON; None while it is not for the public.
    Column("entry", Text),
    Column("archive", Integer),  # the archive document it stands in, if in one
    UniqueConstraint("desk", "day", "slug", name="articles_address"),
    UniqueConstraint("desk", "own_id", name="articles_own_id"),
)
Index("articles_newest", articles.c.desk, articles.c.published.desc(), articles.c.key.desc())
Index("articles_asked_slug", articles.c.desk, articles.c.asked_slug)
Index("articles_slug", articles.c.desk, articles.c.slug)
Index("articles_digest", articles.c.desk, articles.c.digest)
Index("articles_file", articles.c.desk, articles.c.file)
Index("articles_archive", articles.c.desk, articles.c.archive)

versions = Table(
    "versions",
    metadata,
    Column("article", Integer, ForeignKey("articles.key"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("made", UtcTime, nullable=False),
    Column("digest", String, nullable=False),
    Column("headline", String, nullable=False),
    Column("content", Text, nullable=False),  # the whole article, as JSON
)

# A set of files that was written whole but may not stand in its place yet.
releases = Table(
    "releases",
    metadata,
    Column("id", String, primary_key=True),
    Column("made", UtcTime, nullable=False),
)

__all__ = ["REVISION", "UtcTime", "articles", "desks", "metadata", "releases", "versions"]
