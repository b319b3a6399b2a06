"""The proof of a mailing: that its sums add up and that it is what was frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, LargeBinary, and_, cast, func, or_, select

from dispatch.store import counts
from dispatch.store.tables import blobs, edition_files, leases, mailings, recipients

_STATES = frozenset(
    ("queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt")
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What :func:`verify` found: proven if ``findings`` is empty.

    Args:
        counts: how many recipients are in each state, counted one by one.
        files: how many frozen files were compared with their SHA-256.
    """

    candidates: int
    counts: Mapping[str, int]
    files: int
    findings: tuple[str, ...]


def verify(connection: Connection, edition: int) -> Proof | None:
    """Count and compare everything of a mailing; None: there is none. A finding is a sentence."""
    row = connection.execute(
        select(mailings.c.candidates, mailings.c.state).where(mailings.c.edition == edition)
    ).first()
    if row is None:
        return None
    candidates, state = row
    counted: dict[str, int] = dict(
        connection.execute(
            select(recipients.c.state, func.count())
            .where(recipients.c.edition == edition)
            .group_by(recipients.c.state)
        ).all()
    )
    files = connection.execute(
        select(edition_files.c.name, edition_files.c.sha256)
        .where(edition_files.c.edition == edition)
        .order_by(edition_files.c.name)
    ).all()
    findings = (
        *_sums(candidates, state, counted, counts.of(connection, edition)),
        *_twice(connection, edition),
        *_leases(connection, edition),
        *_files(connection, files),
    )
    return Proof(candidates, counted, len(files), findings)


def _sums(
    candidates: int, state: str, counted: Mapping[str, int], told: Mapping[str, int]
) -> Iterator[str]:
    total = sum(counted.values())
    if total != candidates:
        yield f"There were {candidates:,} candidates, and {total:,} recipients are accounted for."
    for name in sorted(counted.keys() - _STATES):
        yield f"{counted[name]:,} recipients are in a state that there is not: {name!r}."
    for name in sorted(counted.keys() | told.keys()):
        if counted.get(name, 0) != told.get(name, 0):
            yield (
                f"{counted.get(name, 0):,} recipients are {name.replace('_', ' ')}, "
                f"but the sums say {told.get(name, 0):,}."
            )
    waiting = sum(counted.get(name, 0) for name in ("queued", "leased", "deferred"))
    if state == "finished" and waiting:
        yield f"The mailing is finished, but {waiting:,} recipients wait."


def _twice(connection: Connection, edition: int) -> Iterator[str]:
    for column in (recipients.c.subscriber, func.lower(recipients.c.email)):
        double = (
            select(func.count())
            .where(recipients.c.edition == edition, column.is_not(None), column != "")
            .group_by(column)
            .having(func.count() > 1)
            .subquery()
        )
        found = connection.execute(select(func.count()).select_from(double)).scalar_one()
        if found:
            yield f"{found:,} people are in the mailing more than once."
            return


def _leases(connection: Connection, edition: int) -> Iterator[str]:
    held = and_(leases.c.key == recipients.c.lease, leases.c.edition == recipients.c.edition)
    astray = (
        select(func.count())
        .select_from(recipients.outerjoin(leases, held))
        .where(
            recipients.c.edition == edition,
            or_(
                and_(recipients.c.state == "leased", leases.c.key.is_(None)),
                and_(recipients.c.state != "leased", recipients.c.lease.is_not(None)),
            ),
        )
    )
    found = connection.execute(astray).scalar_one()
    if found:
        yield f"{found:,} recipients are leased to nobody, or to somebody without being leased."


def _files(connection: Connection, files: Sequence[tuple[str, str]]) -> Iterator[str]:
    content = cast(blobs.c.data, LargeBinary)  # SQLite gives back text where text was put
    for name, digest in files:
        data = connection.execute(select(content).where(blobs.c.sha256 == digest)).scalar()
        if data is None:
            yield f"{name}, as it was frozen, is missing."
        elif sha256(data).hexdigest() != digest:
            yield f"{name} is not as it was frozen: its SHA-256 has changed."
