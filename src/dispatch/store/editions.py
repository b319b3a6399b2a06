"""Editions: what was frozen, of which articles, and under which names.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, or_, select

from dispatch.store.tables import blobs, edition_articles, edition_files, editions, mailings


@dataclass(frozen=True, slots=True)
class EditionRow:
    """A row of ``editions``; the columns are explained there."""

    key: int
    desk: str
    subject: str
    segment: str | None
    made: datetime
    seed: str
    token_key: str
    kind: str = "newsletter"


def add(connection: Connection, row: EditionRow) -> int:
    """Add an edition; ``row.key`` is ignored. Returns its number, which is never given twice."""
    values = {column: getattr(row, column) for column in EditionRow.__slots__ if column != "key"}
    return int(connection.execute(insert(editions).values(values)).lastrowid)


def edition(connection: Connection, key: int) -> EditionRow | None:
    found = connection.execute(select(editions).where(editions.c.key == key)).first()
    return EditionRow(*found) if found else None


def every(connection: Connection, desk: str | None = None) -> list[EditionRow]:
    """All editions, or those of a desk, the newest first."""
    wanted = select(editions).order_by(editions.c.key.desc())
    if desk is not None:
        wanted = wanted.where(editions.c.desk == desk)
    return [EditionRow(*row) for row in connection.execute(wanted)]


def add_articles(
    connection: Connection, edition: int, articles_: Sequence[tuple[str, int]]
) -> None:
    """Record the ids and versions of an edition's articles, the lead story first."""
    rows = [
        {"edition": edition, "position": n, "article": id_, "version": version}
        for n, (id_, version) in enumerate(articles_)
    ]
    connection.execute(insert(edition_articles), rows)


def articles_of(connection: Connection, edition: int) -> list[tuple[str, int]]:
    """Ids and versions of an edition's articles, the lead story first."""
    found = connection.execute(
        select(edition_articles.c.article, edition_articles.c.version)
        .where(edition_articles.c.edition == edition)
        .order_by(edition_articles.c.position)
    )
    return [(id_, version) for id_, version in found]


def with_articles(connection: Connection, desk: str, ids: Iterable[str]) -> list[int]:
    """The desk's earlier editions that held one of these articles, the oldest first.

    A mailing that was cancelled before it began is none: nobody has it.
    """
    found = connection.execute(
        select(editions.c.key)
        .join(edition_articles, edition_articles.c.edition == editions.c.key)
        .join(mailings, mailings.c.edition == editions.c.key)
        .where(
            editions.c.desk == desk,
            edition_articles.c.article.in_(list(ids)),
            or_(mailings.c.state != "cancelled", mailings.c.started.is_not(None)),
        )
        .distinct()
        .order_by(editions.c.key)
    )
    return [key for (key,) in found]


# The archive -------------------------------------------------------------------------------------

SHOWN = ("newsletter", "digest")
"""The kinds that a desk's archive holds; the others are letters to one person."""


@dataclass(frozen=True, slots=True)
class BegunRow:
    """An edition whose mailing has begun: from then on, people have it."""

    number: int
    subject: str
    started: datetime


def begun(connection: Connection, desk: str) -> list[BegunRow]:
    """The desk's editions that people have, in the order in which their mailings began.

    Digests leave at many hours, in each time zone's morning and for whoever comes back from a
    pause: of those that began on one day (UTC) under one subject, it is the first.
    """
    found = connection.execute(
        select(editions.c.key, editions.c.subject, mailings.c.started, editions.c.kind)
        .join(mailings, mailings.c.edition == editions.c.key)
        .where(editions.c.desk == desk, editions.c.kind.in_(SHOWN), mailings.c.started.is_not(None))
        .order_by(mailings.c.started, editions.c.key)
    )
    rows: list[BegunRow] = []
    digests: set[tuple[str, date]] = set()
    for number, subject, started, kind in found:
        alike = (subject, started.date())
        if kind != "digest" or alike not in digests:
            rows.append(BegunRow(number, subject, started))
        if kind == "digest":
            digests.add(alike)
    return rows


def sent(connection: Connection, edition: int) -> datetime | None:
    """When its mailing began; None where it has not."""
    found = select(mailings.c.started).where(mailings.c.edition == edition)
    return connection.execute(found).scalar()


def desks_of_editions(connection: Connection) -> list[str]:
    """The slugs of the desks that have an edition for an archive."""
    found = connection.execute(
        select(editions.c.desk)
        .where(editions.c.kind.in_(SHOWN))
        .distinct()
        .order_by(editions.c.desk)
    )
    return [desk for (desk,) in found]


# What was frozen ---------------------------------------------------------------------------------


def freeze(connection: Connection, edition: int, files: Mapping[str, bytes]) -> None:
    """Keep ``files``, by name, as the edition's; equal ones are kept once."""
    for name, data in files.items():
        digest = sha256(data).hexdigest()
        known = select(blobs.c.sha256).where(blobs.c.sha256 == digest)
        if connection.execute(known).first() is None:
            connection.execute(insert(blobs).values(sha256=digest, data=data))
        connection.execute(insert(edition_files).values(edition=edition, name=name, sha256=digest))


def names(connection: Connection, edition: int, prefix: str) -> list[str]:
    """The names of the edition's files that begin with ``prefix``."""
    found = connection.execute(
        select(edition_files.c.name).where(
            edition_files.c.edition == edition, edition_files.c.name.startswith(prefix)
        )
    )
    return [str(name) for (name,) in found]


def frozen(connection: Connection, edition: int, prefix: str) -> dict[str, bytes]:
    """The edition's files whose names begin with ``prefix``."""
    found = connection.execute(
        select(edition_files.c.name, blobs.c.data)
        .join(blobs, blobs.c.sha256 == edition_files.c.sha256)
        .where(edition_files.c.edition == edition, edition_files.c.name.startswith(prefix))
    )
    return {str(name): bytes(data) for name, data in found}
