"""Leases: recipients in the hands of one owner. The hot path of the ledger.

Recipients come into a lease and out of it as a whole here: a row is leased if and
only if the lease it names is open. Who takes a lease away closes it in the same
transaction, so that its former owner finds nothing left to write to.

Every function takes a connection of a write transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, update

from dispatch.store import counts
from dispatch.store.mailable import why_not_recipient
from dispatch.store.tables import from_epoch, leases, mailings, recipients, subscribers

_ANOTHER_TRY = 600_000
"""Milliseconds before one in doubt is sent again, where that is wanted: so long may a relay take to
answer (RFC 5321, 4.5.3.2.6)."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A row of ``leases``; ``expires`` by the machine's clock, in milliseconds."""

    key: int
    edition: int
    owner: str
    boot: str
    expires: int


LeasedRow = tuple[int, str, str, str | None, str | None, int]
"""A recipient's key, email, domain, name, language, and the tries so far."""

OutcomeRow = tuple[int, str, str, int]
"""A recipient's key, new state, reply ('' keeps the last), and due in epoch milliseconds."""


def open_leases(connection: Connection) -> list[LeaseRow]:
    columns = (leases.c.key, leases.c.edition, leases.c.owner, leases.c.boot, leases.c.expires)
    return [LeaseRow(*row) for row in connection.execute(select(*columns))]


def still_open(connection: Connection, keys: Collection[int]) -> set[int]:
    """Which of these leases were not taken away."""
    if not keys:
        return set()
    return set(connection.execute(select(leases.c.key).where(leases.c.key.in_(keys))).scalars())


def leased(connection: Connection, lease: int, edition: int) -> list[int]:
    """The keys of the recipients that are in the lease."""
    return list(connection.execute(_LEASED, {"of_edition": edition, "of_lease": lease}).scalars())


def renew(connection: Connection, expires: Mapping[int, int]) -> None:
    """New times to expire, by the leases' keys."""
    if expires:
        rows = [{"of_lease": key, "at": at} for key, at in expires.items()]
        connection.execute(_RENEW, rows)


def close(connection: Connection, keys: Collection[int]) -> None:
    """Close leases; what was in them must have been recorded before."""
    if keys:
        connection.execute(delete(leases).where(leases.c.key.in_(keys)))


def claim(
    connection: Connection,
    edition: int,
    limit: int,
    *,
    owner: str,
    boot: str,
    now: int,
    expires: int,
) -> tuple[int, list[LeasedRow]] | None:
    """Lease up to ``limit`` recipients that are due, of a mailing that is sending.

    Retries that are due get half of it, at most, as long as others wait. Who may
    not be mailed any more is suppressed instead of leased.

    Returns:
        The lease's key and its recipients; None where nothing is due.
    """
    state = select(mailings.c.state).where(mailings.c.edition == edition)
    if connection.execute(state).scalar() != "sending" or not _is_due(connection, edition, now):
        return None
    made = insert(leases).values(
        edition=edition, owner=owner, boot=boot, made=from_epoch(now), expires=expires
    )
    lease = int(connection.execute(made).lastrowid)
    rows: list[LeasedRow] = []
    while not rows:
        taken = _take(connection, edition, lease, limit, now)
        if not taken:
            close(connection, [lease])  # nobody who was due may be mailed any more
            return None
        dropped = _drop_unmailable(connection, edition, lease, now)
        rows = [row for row in taken if row[0] not in dropped]
    return lease, rows


def _is_due(connection: Connection, edition: int, now: int) -> bool:
    values = {"of_edition": edition, "now": now, "room": 1}
    return any(connection.execute(due, values).first() for due in _DUE.values())


def _take(
    connection: Connection, edition: int, lease: int, limit: int, now: int
) -> list[LeasedRow]:
    rows: list[LeasedRow] = []
    for state, most in (("deferred", max(1, limit // 2)), ("queued", limit), ("deferred", limit)):
        room = min(most, limit - len(rows))
        if room <= 0:
            break
        values = {"of_edition": edition, "now": now, "room": room, "key_of_lease": lease}
        taken = connection.execute(_CLAIM[state], values).all()
        counts.add(connection, edition, {state: -len(taken), "leased": len(taken)})
        rows.extend(taken)
    rows.sort()
    return rows


def _drop_unmailable(connection: Connection, edition: int, lease: int, now: int) -> set[int]:
    """Give up what may not be mailed any more, however it came to that: nobody has it yet."""
    values = {"of_edition": edition, "of_lease": lease, "now": now}
    found = connection.execute(_UNMAILABLE, values)
    reasons = dict(found.all())
    if reasons:
        rows: list[OutcomeRow] = [(key, "queued", "", 0) for key in reasons]
        record(connection, lease, edition, rows, now)
        for reason in set(reasons.values()):
            keys = [key for key, why in reasons.items() if why == reason]
            counts.withdraw(connection, recipients.c.key.in_(keys), "suppressed", reason, now)
    return set(reasons)


def record(
    connection: Connection, lease: int, edition: int, outcomes: Iterable[OutcomeRow], now: int
) -> int:
    """Write down what became of recipients in the lease; they are in it no longer.

    One in doubt is queued again if the mailing says so, the first time.

    Returns:
        How many were recorded: only those that the lease still held.
    """
    by_state: dict[str, list[tuple[int, str, str, int]]] = {}
    for row in outcomes:
        by_state.setdefault(row[1], []).append(row)
    doubted = by_state.pop("in_doubt", [])
    more = _record_doubts(connection, lease, edition, doubted, now) if doubted else Counter()
    for state, rows in by_state.items():
        tried = 0 if state == "queued" else 1
        values = [
            (state, due, tried, now, reply or None, key, lease) for key, _, reply, due in rows
        ]
        more[state] += connection.exec_driver_sql(_RECORD, values).rowcount
    recorded = more.total()
    more["leased"] -= recorded
    counts.add(connection, edition, more)
    return recorded


def _record_doubts(
    connection: Connection, lease: int, edition: int, doubted: Sequence[OutcomeRow], now: int
) -> Counter[str]:
    policy = select(mailings.c.in_doubt, mailings.c.state).where(mailings.c.edition == edition)
    in_doubt, state = connection.execute(policy).one()
    again = "queued" if in_doubt == "resend" and state != "cancelled" else "in_doubt"
    more: Counter[str] = Counter()
    for key, _, reply, due in doubted:
        values = (again, due or now + _ANOTHER_TRY, now, reply or None, key, lease)
        more.update(connection.exec_driver_sql(_RECORD_DOUBT, values).scalars())
    return more


# Statements --------------------------------------------------------------------------------------

_LEASED = select(recipients.c.key).where(
    recipients.c.edition == bindparam("of_edition"),
    counts.in_state("leased"),
    recipients.c.lease == bindparam("of_lease"),
)

_RENEW = update(leases).where(leases.c.key == bindparam("of_lease")).values(expires=bindparam("at"))

_DUE = {
    state: select(recipients.c.key)
    .where(
        recipients.c.edition == bindparam("of_edition"),
        counts.in_state(state),
        recipients.c.due <= bindparam("now"),
    )
    .order_by(recipients.c.due)
    .limit(bindparam("room"))
    for state in ("deferred", "queued")
}

_CLAIM = {
    state: update(recipients)
    .where(recipients.c.key.in_(due.correlate(None)))
    .values(state="leased", lease=bindparam("key_of_lease"))
    .returning(
        recipients.c.key,
        recipients.c.email,
        recipients.c.domain,
        recipients.c.name,
        recipients.c.language,
        recipients.c.attempts,
    )
    for state, due in _DUE.items()
}

_WHY_NOT = why_not_recipient(bindparam("now", type_=BigInteger))

_UNMAILABLE = (
    select(recipients.c.key, _WHY_NOT)
    .select_from(recipients.outerjoin(subscribers, subscribers.c.key == recipients.c.subscriber))
    .where(
        recipients.c.edition == bindparam("of_edition"),
        counts.in_state("leased"),
        recipients.c.lease == bindparam("of_lease"),
        _WHY_NOT.is_not(None),
    )
)

# Once for every message that is sent, so they are written out: the driver takes the rows as they
# are, in half the time. The words of a relay about someone who was forgotten are not kept, because
# relays repeat addresses.
_RECORD = """
    UPDATE recipients
    SET state = ?, due = max(due, ?), attempts = attempts + ?, at = ?, lease = NULL,
        reply = CASE email WHEN '' THEN NULL ELSE coalesce(?, reply) END
    WHERE key = ? AND lease = ? AND state = 'leased'
"""

_RECORD_DOUBT = """
    UPDATE recipients
    SET state = CASE doubts WHEN 0 THEN ? ELSE 'in_doubt' END, doubts = doubts + 1,
        due = max(due, ?), attempts = attempts + 1, at = ?, lease = NULL,
        reply = CASE email WHEN '' THEN NULL ELSE coalesce(?, reply) END
    WHERE key = ? AND lease = ? AND state = 'leased'
    RETURNING state
"""
