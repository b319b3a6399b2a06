"""One subscriber, in the words of a desk: add, remove, show, forget, suppress."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from dispatch.audience import addresses, forgetting, states, values
from dispatch.audience.addresses import Address
from dispatch.audience.states import GONE, Consent, State
from dispatch.errors import ArticleError, AudienceError
from dispatch.newsroom.database import made_if_missing, opened
from dispatch.newsroom.desks import desk_slug
from dispatch.store import feed_tokens as feeds
from dispatch.store import ledger, recipients, signups
from dispatch.store import subscribers as store
from dispatch.store.feed_tokens import DayRow, TokenRow
from dispatch.store.recipients import CopyRow
from dispatch.store.signups import SignupRow
from dispatch.store.subscribers import EVERY_DESK, MoveRow, SubscriberRow, SuppressionRow
from dispatch.store.tables import epoch, from_epoch

_DAYS = 400
"""Days of a personal feed's use that are told, the newest."""
NO_SUBSCRIBERS = "so there are no subscribers: import some, or name the folder with --out."


def slug_of(desk: str) -> str:
    """A desk's slug by its name.

    Raises:
        AudienceError: it cannot be a desk's name.
    """
    try:
        return desk_slug(desk)
    except ArticleError as error:
        raise AudienceError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Person:
    """What ``add`` was told of somebody. None: nothing."""

    email: str
    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    tags: tuple[str, ...] | None = None
    consent: str | None = None
    consent_at: str | None = None
    consent_ip: str | None = None
    pending: bool = False


def add(person: Person, desk: str, out: Path, now: datetime) -> tuple[str, str]:
    """Add a subscriber, or bring one up to date.

    Whoever left, bounced or complained, and whoever was forgotten, comes back
    by their own new consent alone; whoever is suppressed does not. Who has been
    asked to confirm stays pending until there is consent.

    Returns:
        The address as it is kept, and ``added``, ``updated`` or ``unchanged``.

    Raises:
        AudienceError: the address or a value cannot be used, or they may not be added.
    """
    address = addresses.parse(person.email)
    facts, consent = _facts(person), _consent(person, now)
    after: State = "pending" if person.pending else "active"
    with made_if_missing(out) as database, database.transaction() as connection:
        _refuse_suppressed(connection, address, desk)
        _refuse_forgotten(connection, address, consent, now)
        row = store.at_desk(connection, desk, [address.key]).get(address.key)
        if row is None:
            store.add(connection, [_new_row(address, desk, after, facts, now)])
            return address.email, "added"
        moved = False
        if row.state in GONE or (row.state == "pending" and consent):
            cause = f"consent: {consent.source}" if consent else "added by the desk"
            moved = states.move(connection, row.key, after, cause, now, consent)
        said = {"email": address.email, **facts}
        changes = {
            name: value
            for name, value in said.items()
            if value is not None and value != getattr(row, name)
        }
        if consent and "consent_source" in changes:  # not beside what an earlier one says
            changes |= {
                "consent_at": consent.at,
                "consent_ip": consent.ip,
                "consent_text": consent.text,
            }
        if changes:
            store.change(connection, row.key, changes, now)
        return address.email, "updated" if moved or changes else "unchanged"


def _facts(person: Person) -> dict[str, Any]:
    """The columns that are said, each as it is kept."""
    return {
        "name": values.name(person.name) if person.name else None,
        "language": _checked("language", person.language, values.language, "de or pt-BR"),
        "timezone": _checked("timezone", person.timezone, values.timezone, "Europe/Vienna"),
        "tags": None
        if person.tags is None
        else values.joined_tags(values.tags(",".join(person.tags))),
        "consent_source": values.source(person.consent) if person.consent else None,
        "consent_at": _checked(
            "consent time", person.consent_at, values.time, "2026-10-04T09:30+02:00"
        ),
        "consent_ip": _checked("IP address", person.consent_ip, values.ip, "192.0.2.7"),
    }


def _checked(what: str, text: str | None, parse: Callable[[str], object], example: str) -> object:
    value = parse(text) if text else None
    if text and value is None:
        raise AudienceError(
            f"The {what} “{text[:60]}” is not understood: write it such as {example}."
        )
    return value


def _consent(person: Person, now: datetime) -> Consent | None:
    source = values.source(person.consent) if person.consent else None
    if source is None:
        return None
    at = values.time(person.consent_at) if person.consent_at else None
    if at is not None and at > now:
        raise AudienceError(f"The consent time {at:%Y-%m-%d %H:%M} UTC is yet to come.")
    return Consent(source, at or now, values.ip(person.consent_ip or ""))


def _new_row(
    address: Address, desk: str, state: State, facts: dict[str, Any], now: datetime
) -> dict[str, Any]:
    consent_at = facts["consent_at"] or (now if facts["consent_source"] else None)
    return {
        "desk": desk,
        "address_key": address.key,
        "email": address.email,
        "domain": address.domain,
        "state": state,
        "created": now,
        "changed": now,
        **facts,
        "tags": facts["tags"] or "",
        "consent_at": consent_at,
        "fields": None,
    }


def _refuse_suppressed(connection: Connection, address: Address, desk: str) -> None:
    for row in store.suppressions_of(connection, address.key):
        if row.desk in (desk, EVERY_DESK):
            option = f" --desk {row.desk}" if row.desk else ""
            raise AudienceError(
                f"{address.email} is suppressed ({row.reason}) and was not added. If they may be "
                f"mailed again: dispatch subscribers unsuppress {address.email}{option}"
            )


def _refuse_forgotten(
    connection: Connection, address: Address, consent: Consent | None, now: datetime
) -> None:
    if not store.any_forgotten(connection):
        return
    hash_ = forgetting.hash_of(salt_of(connection, now), address.key)
    since = store.forgotten_at(connection, hash_)
    if since is None:
        return
    if consent is None or consent.at < since:
        raise AudienceError(
            f"{address.email} asked to be forgotten and was not added. If they have come back "
            'themselves since, say where: --consent "sign-up form".'
        )
    store.unforget(connection, hash_)


def remove(
    email: str, desk: str | None, out: Path, now: datetime, *, everywhere: bool
) -> list[str]:
    """Unsubscribe somebody from a desk, from the only one they read, or from all.

    Returns:
        The desks that they left now; none where they had left before.

    Raises:
        AudienceError: they do not read that desk, or read several and none was named.
    """
    address = addresses.parse(email)
    with opened(out, NO_SUBSCRIBERS) as database, database.transaction() as connection:
        rows = store.of_person(connection, address.key)
        if desk is not None:
            rows = [row for row in rows if row.desk == desk]
        if not rows:
            where = f" {desk}" if desk else " any desk here"
            raise AudienceError(f"{address.email} does not subscribe to{where}.")
        if len(rows) > 1 and not everywhere:
            names = ", ".join(row.desk for row in rows)
            raise AudienceError(
                f"{address.email} subscribes to {names}: say which with --desk, or --all."
            )
        return [row.desk for row in rows if _leave(connection, row, now)]


def _leave(connection: Connection, row: SubscriberRow, now: datetime) -> bool:
    if not states.is_lawful(row.state, "unsubscribed"):
        return False  # they have left, or complained, which says more
    return states.move(connection, row.key, "unsubscribed", "removed by the desk", now)


@dataclass(frozen=True, slots=True)
class PersonalFeed:
    """A personal feed, and the days on which it was read last."""

    token: TokenRow
    days: list[DayRow]

    def to_json(self) -> dict[str, object]:
        return {
            "made": self.token.made.isoformat(),
            "revoked": self.token.revoked.isoformat() if self.token.revoked else None,
            "days": [
                {"day": day.day.isoformat(), "reads": day.reads, "places": day.places}
                for day in self.days
            ],
        }


@dataclass(frozen=True, slots=True)
class Subscription:
    """A person at one desk: who they are there, how they came to it, what they were sent."""

    row: SubscriberRow
    moves: list[MoveRow]
    mails: list[CopyRow]
    feeds: list[PersonalFeed]

    def to_json(self) -> dict[str, object]:
        mails = [
            {
                "mailing": mail.edition,
                "subject": mail.subject,
                "state": mail.state,
                "at": from_epoch(mail.at).isoformat() if mail.at else None,
                "attempts": mail.attempts,
                "reply": mail.reply,
            }
            for mail in self.mails
        ]
        moves = [
            {"at": m.at.isoformat(), "before": m.before, "after": m.after, "cause": m.cause}
            for m in self.moves
        ]
        feeds = [feed.to_json() for feed in self.feeds]
        return {**row_json(self.row), "moves": moves, "mailings": mails, "feeds": feeds}


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that is known of an address."""

    email: str
    subscriptions: list[Subscription]
    suppressions: list[SuppressionRow]
    forgotten: datetime | None
    signups: list[SignupRow]

    @property
    def is_known(self) -> bool:
        return bool(self.subscriptions or self.suppressions or self.forgotten or self.signups)

    def to_json(self) -> dict[str, object]:
        return {
            "email": self.email,
            "subscriptions": [each.to_json() for each in self.subscriptions],
            "suppressions": [
                {"desk": s.desk or None, "reason": s.reason, "at": s.at.isoformat()}
                for s in self.suppressions
            ],
            "forgotten": self.forgotten.isoformat() if self.forgotten else None,
            "sign_ups": [
                {
                    "desk": s.desk,
                    "at": s.at.isoformat(),
                    "ip": s.ip,
                    "source": s.source,
                    "text": s.text,
                    "name": s.name,
                    "language": s.language,
                    "timezone": s.timezone,
                    "frequency": s.frequency,
                    "done": s.done.isoformat() if s.done else None,
                    "outcome": s.outcome,
                }
                for s in self.signups
            ],
        }


def show(email: str, out: Path, now: datetime) -> Profile:
    """Everything that is known of an address, at all desks.

    Raises:
        AudienceError: it is no address.
    """
    address = addresses.parse(email)
    with opened(out, NO_SUBSCRIBERS) as database, database.transaction() as connection:
        return profile(connection, address.key, address.email, now)


def profile(connection: Connection, address_key: str, email: str, now: datetime) -> Profile:
    """The same in a transaction.

    Args:
        email: what is shown where nobody is known.
    """
    subscriptions = [
        Subscription(
            row,
            store.moves_of(connection, row.key),
            recipients.history(connection, row.key),
            [
                PersonalFeed(token, feeds.days_of(connection, token.key, _DAYS))
                for token in feeds.of_subscriber(connection, row.key)
            ],
        )
        for row in store.of_person(connection, address_key)
    ]
    forgotten = None
    if store.any_forgotten(connection):
        hash_ = forgetting.hash_of(salt_of(connection, now), address_key)
        forgotten = store.forgotten_at(connection, hash_)
    return Profile(
        subscriptions[0].row.email if subscriptions else email,
        subscriptions,
        store.suppressions_of(connection, address_key),
        forgotten,
        signups.of_address(connection, address_key),
    )


def row_json(row: SubscriberRow) -> dict[str, object]:
    """A subscriber as data."""
    return {
        "desk": row.desk,
        "email": row.email,
        "name": row.name,
        "language": row.language,
        "timezone": row.timezone,
        "tags": list(values.parted_tags(row.tags)),
        "fields": json.loads(row.fields) if row.fields else {},
        "state": row.state,
        "consent": {
            "source": row.consent_source,
            "at": row.consent_at.isoformat() if row.consent_at else None,
            "ip": row.consent_ip,
            "text": row.consent_text,
        },
        "frequency": row.frequency,
        "paused_until": row.paused_until.isoformat() if row.paused_until else None,
        "joined": row.created.isoformat(),
        "changed": row.changed.isoformat(),
    }


def forget(email: str, out: Path, now: datetime) -> int:
    """Erase a person at all desks, and see to it that no list brings them back.

    Returns:
        How many desks' subscriber they were.
    """
    address = addresses.parse(email)
    with made_if_missing(out) as database:
        with database.transaction() as connection:
            desks = forgetting.forget(connection, address.key, salt_of(connection, now), now)
        database.empty_log()
        return desks


def suppress(email: str, desk: str | None, reason: str, out: Path, now: datetime) -> str:
    """Keep an address from being mailed by a desk or, with None, by any. What waits is stopped.

    Returns:
        The address as it is kept.

    Raises:
        AudienceError: it is no address, or there is no reason.
    """
    address = addresses.parse(email)
    why = values.source(reason)
    if why is None:
        raise AudienceError("A suppression needs a reason, for whoever wonders about it later.")
    with made_if_missing(out) as database, database.transaction() as connection:
        store.suppress(connection, address.key, desk or EVERY_DESK, why, now)
        for row in store.of_person(connection, address.key):
            if desk in (None, row.desk):
                told = f"on the suppression list: {why}"
                ledger.suppress_subscriber(connection, row.key, told, epoch(now))
    return address.email


def unsuppress(email: str, desk: str | None, out: Path) -> str:
    """Lift a suppression of a desk or, with None, the one for all desks.

    Raises:
        AudienceError: there is none.
    """
    address = addresses.parse(email)
    with opened(out, NO_SUBSCRIBERS) as database, database.transaction() as connection:
        if store.unsuppress(connection, address.key, desk or EVERY_DESK):
            return address.email
        others = [row.desk for row in store.suppressions_of(connection, address.key)]
    where = f"by {desk}" if desk else "by every desk"
    there = [f"--desk {other}" if other else "for every desk, without --desk" for other in others]
    hint = f" It is {' and '.join(there)}." if there else ""
    raise AudienceError(f"{address.email} is not suppressed {where}.{hint}")


def salt_of(connection: Connection, now: datetime) -> str:
    return store.secret(connection, forgetting.SALT, lambda: secrets.token_hex(32), now)
