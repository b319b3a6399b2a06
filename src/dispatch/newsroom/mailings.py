"""Mailings as the desk sees them: their states, who got what, and what can be done about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from dispatch.audience import addresses
from dispatch.errors import AudienceError, DeliveryError
from dispatch.ledger.facts import STATES, WAITING
from dispatch.mailing.press import message_id
from dispatch.mailing.transport import Copy
from dispatch.newsroom import clicks, editions, system_mail
from dispatch.newsroom.clicks import Figures
from dispatch.newsroom.database import opened
from dispatch.newsroom.desks import desk_slug
from dispatch.settings import Settings
from dispatch.store import counts, proof
from dispatch.store import editions as edition_store
from dispatch.store import ledger as store
from dispatch.store import recipients as recipient_store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.ledger import MailingRow
from dispatch.store.recipients import RecipientRow
from dispatch.store.tables import epoch, from_epoch

_NOTHING_SENT = "so nothing was published or sent from here: name the right folder with --out."
_TOLD_WHY = ("deferred", "bounced", "suppressed")
_REASONS = 5
"""The most frequent ones are told; `dispatch mailing recipients` tells each."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """A mailing as it stands; ``counts`` has every state of its recipients."""

    number: int
    desk: str
    subject: str
    state: str
    reason: str | None
    counts: dict[str, int]
    candidates: int
    segment: str | None
    in_doubt: str
    made: datetime
    due: datetime
    started: datetime | None
    finished: datetime | None
    articles: tuple[tuple[str, int], ...]
    reasons: dict[str, dict[str, int]]
    """Of those who did not get it: by state, why, and how many."""
    figures: Figures | None = None
    """What was counted of clicks and openings; None: nothing is known of that."""

    @property
    def waiting(self) -> int:
        """How many copies something is still to come of."""
        return sum(self.counts[state] for state in WAITING)

    def to_json(self) -> dict[str, object]:
        return {
            "mailing": self.number,
            "desk": self.desk,
            "subject": self.subject,
            "state": self.state,
            "reason": self.reason,
            "counts": self.counts,
            "candidates": self.candidates,
            "segment": self.segment,
            "in_doubt": self.in_doubt,
            "made": self.made.isoformat(),
            "due": self.due.isoformat(),
            "started": self.started and self.started.isoformat(),
            "finished": self.finished and self.finished.isoformat(),
            "articles": [{"id": id_, "version": version} for id_, version in self.articles],
            "reasons": self.reasons,
            **(self.figures.to_json() if self.figures else {}),
        }


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient as the desk is told of them."""

    email: str
    name: str | None
    state: str
    reply: str | None
    at: datetime | None
    due: datetime | None
    attempts: int
    message_id: str
    key: int

    def to_json(self) -> dict[str, object]:
        return {
            "email": self.email,
            "name": self.name,
            "state": self.state,
            "reply": self.reply,
            "at": self.at and self.at.isoformat(),
            "due": self.due and self.due.isoformat(),
            "attempts": self.attempts,
            "message_id": self.message_id,
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """The sums of a mailing, counted one by one; proven if ``findings`` is empty."""

    number: int
    candidates: int
    counts: dict[str, int]
    files: int
    findings: tuple[str, ...]

    @property
    def equation(self) -> str:
        """candidates = accepted + bounced + … + waiting."""
        final = [state for state in STATES if state not in WAITING]
        terms = [f"{self.counts.get(s, 0):,} {s.replace('_', ' ')}" for s in final]
        waiting = sum(self.counts.get(state, 0) for state in WAITING)
        return f"{self.candidates:,} candidates = {' + '.join(terms)} + {waiting:,} waiting"

    def to_json(self) -> dict[str, object]:
        return {
            "mailing": self.number,
            "proven": not self.findings,
            "candidates": self.candidates,
            "counts": {state: self.counts.get(state, 0) for state in STATES},
            "files": self.files,
            "findings": list(self.findings),
        }


def now() -> datetime:
    """The time of day; commands and the sender stand at the edge, where clocks are."""
    return datetime.now(UTC)


def milliseconds() -> int:
    """The same in milliseconds since 1970, as the ledger counts."""
    return time.time_ns() // 1_000_000


def every(
    out: Path,
    desk: str | None = None,
    *,
    before: int | None = None,
    limit: int | None = None,
    on_demand: bool = False,
) -> list[Mailing]:
    """All mailings, or those of a desk, the newest first.

    Args:
        before: only those that are older than the mailing of this number.
        limit: so many at most.
        on_demand: whether what Dispatch itself writes is among them: confirmations, welcomes.
    """
    with transaction(out) as connection:
        slug = desk_slug(desk) if desk else None
        rows = store.every(connection, slug, before=before, limit=limit, on_demand=on_demand)
        return [_mailing(connection, row) for row in rows]


def is_known(connection: Connection, number: int) -> bool:
    """Whether there is a mailing of this number."""
    return store.mailing(connection, number) is not None


def show(out: Path, number: int) -> Mailing:
    """One mailing.

    Raises:
        DeliveryError: there is none of this number; so do all others here.
    """
    with transaction(out) as connection:
        found = _found(connection, number)
        figures = clicks.figures(connection, number)
        return replace(found, reasons=_reasons(connection, found), figures=figures)


@contextmanager
def recipients(
    out: Path, number: int, state: str | None = None, email: str | None = None, *, after: int = 0
) -> Iterator[Iterator[Recipient]]:
    """The recipients of a mailing, all or those in a state or with an address; page by page.

    Args:
        after: the key of the last one that is known already; the list goes on behind it.
    """
    with opened(out, _NOTHING_SENT) as database:
        with database.transaction() as connection:
            _found(connection, number)
            row, composition = editions.thawed(connection, number)
            named = _with_email(connection, number, email) if email is not None else None
        states = [state] if state else None
        found = (
            iter([named]) if named else recipient_store.of(database, number, states, after=after)
        )
        seed, host = row.seed.encode(), composition.host
        yield (_recipient(one, message_id(seed, host, one.key)) for one in found)


def pause(out: Path, number: int, at: datetime, reason: str = "Paused by the desk.") -> Mailing:
    """Nothing more leaves until it is resumed."""
    with transaction(out) as connection:
        store.pause(connection, number, reason, epoch(at))
        return _found(connection, number)


def resume(out: Path, number: int, at: datetime) -> Mailing:
    """Let a paused or held mailing go on; one that is sending goes on anyway."""
    with transaction(out) as connection:
        store.resume(connection, number, epoch(at))
        return _found(connection, number)


def cancel(out: Path, number: int, at: datetime) -> Mailing:
    """Nothing more leaves, for good."""
    with transaction(out) as connection:
        store.cancel(connection, number, epoch(at))
        return _found(connection, number)


def retry(out: Path, number: int, state: str, at: datetime) -> tuple[Mailing, str]:
    """Queue the recipients in ``state`` again: deferred, bounced or in_doubt.

    Returns:
        The mailing, and a sentence on how many of them were.
    """
    with transaction(out) as connection:
        asked = _found(connection, number).counts[state]
        queued = store.retry(connection, number, [state], epoch(at))
        return _found(connection, number), _retried(number, state.replace("_", " "), asked, queued)


def _retried(number: int, state: str, asked: int, queued: int) -> str:
    if not asked:
        return f"No copy of mailing {number} is {state}: there is nothing to send again."
    told = f"{queued:,} of {asked:,} that were {state} are queued again."
    if queued == asked:
        return told
    return (
        f"{told} The others may not be mailed any more: dispatch subscribers show ADDRESS says why."
    )


def verify(out: Path, number: int) -> Proof:
    """Count everything of a mailing one by one, and compare what is stored with what was frozen."""
    with transaction(out) as connection:
        found = proof.verify(connection, number)
        if found is None:
            raise _unknown(number)
        return Proof(number, found.candidates, dict(found.counts), found.files, found.findings)


def replay(out: Path, number: int, email: str, settings: Settings, at: datetime) -> Copy:
    """The copy of one recipient, byte for byte as it was or will be sent.

    Raises:
        DeliveryError: the address is none of the mailing's recipients, or got no copy.
    """
    with transaction(out) as connection:
        _found(connection, number)
        row = _with_email(connection, number, email)
        if row.state == "suppressed":
            raise DeliveryError(f"{email} got no copy of mailing {number}: {row.reply}.")
        made = editions.press(connection, number, settings, at)
        given = system_mail.given(connection, made.asks_for, row.key, settings)
        return made.copy(row.key, row.email, row.domain, row.name, row.language, given)


@contextmanager
def transaction(out: Path) -> Iterator[Connection]:
    """A transaction of the folder's database."""
    with opened(out, _NOTHING_SENT) as database, database.transaction() as connection:
        yield connection


def _found(connection: Connection, number: int) -> Mailing:
    row = store.mailing(connection, number)
    if row is None:
        raise _unknown(number)
    return _mailing(connection, row)


def _unknown(number: int) -> DeliveryError:
    return DeliveryError(f"There is no mailing {number}. dispatch mailing list shows them.")


def _mailing(connection: Connection, row: MailingRow) -> Mailing:
    found = counts.of(connection, row.edition)
    return Mailing(
        number=row.edition,
        desk=row.desk,
        subject=row.subject,
        state=row.state,
        reason=row.reason,
        counts={state: found.get(state, 0) for state in STATES},
        candidates=row.candidates,
        segment=row.segment,
        in_doubt=row.in_doubt,
        made=row.made,
        due=row.due,
        started=row.started,
        finished=row.finished,
        articles=tuple(edition_store.articles_of(connection, row.edition)),
        reasons={},
    )


def _reasons(connection: Connection, mailing: Mailing) -> dict[str, dict[str, int]]:
    found = {}
    for state in _TOLD_WHY:
        if mailing.counts[state]:
            why = recipient_store.reasons(connection, mailing.number, state)
            found[state] = dict(list(why.items())[:_REASONS])
    return found


def _with_email(connection: Connection, number: int, email: str) -> RecipientRow:
    """The recipient who is known by this address now, or had it when the mailing was made."""
    mailed = _as_mailed(email)
    people = subscriber_store.of_person(connection, addresses.key_of(mailed))
    rows = [recipient_store.of_subscriber(connection, number, person.key) for person in people]
    row = next(filter(None, rows), None) or recipient_store.with_email(connection, number, mailed)
    if row is None:
        raise DeliveryError(
            f"{email} is no recipient of mailing {number}. "
            f"dispatch mailing recipients {number} lists them."
        )
    return row


def _as_mailed(email: str) -> str:
    try:
        return addresses.parse(email).email
    except AudienceError:
        return email.strip()


def _recipient(row: RecipientRow, message_id: str) -> Recipient:
    waits = row.state in ("queued", "deferred") and row.due
    return Recipient(
        email=row.email,
        name=row.name,
        state=row.state,
        reply=row.reply,
        at=from_epoch(row.at) if row.at is not None else None,
        due=from_epoch(row.due) if waits else None,
        attempts=row.attempts,
        message_id=message_id,
        key=row.key,
    )
