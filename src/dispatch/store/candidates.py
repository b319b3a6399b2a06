"""Making a mailing: who is looked at, who gets a copy, and why each of the others gets none.

All of it happens inside the database, so that a million candidates take
seconds and no memory. Every candidate becomes a recipient: queued, or
suppressed with the reason as its reply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    case,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import FromClause

from dispatch.errors import StoreError
from dispatch.store import counts
from dispatch.store.mailable import PAUSED, why_not_subscriber
from dispatch.store.tables import epoch, mailings, recipients, subscribers

_STATES = (
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt",
)  # fmt: skip

_ZONES = Table(
    "mailing_zones",
    MetaData(),
    Column("timezone", String, primary_key=True),
    Column("due", BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who is looked at for an edition.

    Args:
        desk: its slug.
        where: over the columns of ``subscribers``, such as a segment; None: all of the desk.
        frequency: who wants to be mailed otherwise gets no copy, as they said: ``each`` for an
            edition by itself, ``daily`` or ``weekly`` for a digest. None: everybody gets one.
        leaves: epoch milliseconds; who pauses longer gets no copy. None: pauses do not count.
    """

    desk: str
    where: ColumnElement[bool] | None = None
    frequency: str | None = "each"
    leaves: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When copies leave.

    Args:
        state: the mailing's, at first: ``scheduled`` or ``sending``.
        due: of the mailing: before it, nothing leaves.
        by_timezone: for subscribers of these time zones, epoch milliseconds of their own.
        otherwise: for everyone else, the same; None: their copies leave when the mailing does.
    """

    state: str
    due: datetime
    by_timezone: Mapping[str, int] | None = None
    otherwise: int | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """What a mailing to candidates would be: candidates = recipients + the sum of excluded."""

    candidates: int
    recipients: int
    excluded: Mapping[str, int]
    """Why, and how many; the most frequent first. Pauses are one, whenever they end."""
    domains: Mapping[str, int]
    """The recipients' domains, and how many each has; the largest first."""


def census(connection: Connection, candidates: Candidates) -> Census:
    """Count who would get a copy and who would not, without writing anything."""
    asked = _asked(candidates).subquery()
    total = func.count()
    by_reason = select(asked.c.reason, total).group_by(asked.c.reason).order_by(total.desc())
    reasons: Counter[str | None] = Counter()
    for reason, count in connection.execute(by_reason):
        reasons["paused" if reason and reason.startswith(PAUSED) else reason] += count
    by_domain = (
        select(asked.c.domain, total)
        .where(asked.c.reason.is_(None))
        .group_by(asked.c.domain)
        .order_by(total.desc(), asked.c.domain)
    )
    return Census(
        candidates=reasons.total(),
        recipients=reasons.pop(None, 0),
        excluded={str(reason): count for reason, count in reasons.most_common()},
        domains=dict(connection.execute(by_domain).all()),
    )


def timezones(connection: Connection, candidates: Candidates) -> list[str]:
    """The distinct time zones of the candidates, as subscribers gave them."""
    wanted = (
        select(subscribers.c.timezone)
        .where(*_conditions(candidates), subscribers.c.timezone.is_not(None))
        .distinct()
        .order_by(subscribers.c.timezone)
    )
    return list(connection.execute(wanted).scalars())


def languages(connection: Connection, candidates: Candidates) -> Iterator[str]:
    """The distinct languages of the recipients, as they are known of them; there may be many."""
    asked = _asked(candidates).subquery()
    wanted = (
        select(asked.c.language)
        .where(asked.c.reason.is_(None), asked.c.language.is_not(None))
        .distinct()
        .execution_options(yield_per=1000)
    )
    yield from connection.execute(wanted).scalars()


def had_before(connection: Connection, candidates: Candidates, earlier: Sequence[int]) -> int:
    """How many who would get a copy had one of the ``earlier`` editions, or may have."""
    if not earlier:
        return 0
    before = recipients.alias()
    had = (
        select(before.c.key)
        .where(
            before.c.edition.in_(earlier), before.c.subscriber == subscribers.c.key, _has_it(before)
        )
        .correlate(subscribers)
        .exists()
    )
    asked = _asked(candidates).where(had).subquery()
    wanted = select(func.count()).select_from(asked).where(asked.c.reason.is_(None))
    return int(connection.execute(wanted).scalar_one())


def snapshot(
    connection: Connection,
    edition: int,
    candidates: Candidates,
    schedule: Schedule,
    *,
    in_doubt: str,
    now: int,
) -> dict[str, int]:
    """Make the mailing of an edition: all candidates as they are at this moment.

    Args:
        in_doubt: ``hold`` or ``resend``.
        now: epoch milliseconds.

    Returns:
        How many are queued and suppressed; together they are the candidates.

    Raises:
        StoreError: the sums do not add up; nothing is made.
    """
    _insert(connection, edition, candidates, schedule, now)
    by_state = (
        select(recipients.c.state, func.count())
        .where(recipients.c.edition == edition)
        .group_by(recipients.c.state)
    )
    found = dict.fromkeys(_STATES, 0) | dict(connection.execute(by_state).all())
    count = select(func.count()).select_from(subscribers).where(*_conditions(candidates))
    expected = int(connection.execute(count).scalar_one())
    if sum(found.values()) != expected:
        raise StoreError(
            f"Of {expected:,} candidates, {sum(found.values()):,} were written down: "
            "the mailing was not made. Check the disk, and run it again."
        )
    counts.begin(connection, edition, found)
    connection.execute(
        insert(mailings).values(
            edition=edition,
            state=schedule.state,
            due=schedule.due,
            in_doubt=in_doubt,
            candidates=expected,
            started=schedule.due if schedule.state == "sending" else None,
        )
    )
    counts.settle(connection, edition, now)
    return found


def _insert(
    connection: Connection, edition: int, candidates: Candidates, schedule: Schedule, now: int
) -> None:
    due: ColumnElement[Any] = literal(0, BigInteger)
    tables: FromClause = subscribers
    if schedule.by_timezone is not None:
        _ZONES.create(connection)
        rows = [{"timezone": zone, "due": at} for zone, at in schedule.by_timezone.items()]
        if rows:
            connection.execute(insert(_ZONES), rows)
        tables = subscribers.outerjoin(_ZONES, _ZONES.c.timezone == subscribers.c.timezone)
        others = epoch(schedule.due) if schedule.otherwise is None else schedule.otherwise
        due = func.coalesce(_ZONES.c.due, others)
    asked = _asked(candidates, due.label("due")).select_from(tables).subquery()
    everyone = select(
        literal(edition),
        asked.c.key,
        asked.c.email,
        asked.c.domain,
        asked.c.name,
        asked.c.language,
        case((asked.c.reason.is_(None), "queued"), else_="suppressed"),
        asked.c.due,
        literal(now, BigInteger),
        asked.c.reason,
    ).order_by(asked.c.key)
    columns = (
        "edition", "subscriber", "email", "domain", "name", "language", "state", "due", "at",
        "reply",
    )  # fmt: skip
    connection.execute(insert(recipients).from_select(columns, everyone))
    if schedule.by_timezone is not None:
        _ZONES.drop(connection)


def _asked(candidates: Candidates, *more: ColumnElement[Any]) -> Select[Any]:
    """Candidates with the reason why one gets no copy; NULL: they get one."""
    columns = (
        subscribers.c.key,
        subscribers.c.email,
        subscribers.c.domain,
        subscribers.c.name,
        subscribers.c.language,
    )
    reason = why_not_subscriber(candidates.frequency, candidates.leaves).label("reason")
    return select(*columns, reason, *more).where(*_conditions(candidates))


def _conditions(candidates: Candidates) -> list[ColumnElement[bool]]:
    conditions = [subscribers.c.desk == candidates.desk]
    return conditions if candidates.where is None else [*conditions, candidates.where]


def _has_it(row: FromClause) -> ColumnElement[bool]:
    """Whether a recipient has a copy, may have one, or is about to get one."""
    had = row.c.state.in_(("accepted", "in_doubt", "queued", "leased", "deferred"))
    return or_(had, row.c.doubts > 0)
