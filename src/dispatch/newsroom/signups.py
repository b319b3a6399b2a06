"""Signing up: what was asked for is written down, worked off, and answered by mail.

    a form ──▶ a row that waits ──work off──▶ pending, and a mail ──their click──▶ active
               (always, for everybody)        (or nothing)

A form is only written down: whoever fills it in learns nothing about the address.
What comes of it is decided here, where every path meets, and told to nobody but
the address itself. Whoever left, bounced, complained or was forgotten is asked like
anybody else; they come back by their own click alone (:mod:`.confirming`).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from dispatch.audience import addresses, values
from dispatch.audience.mailboxes import mailbox_of
from dispatch.desk import Desk
from dispatch.errors import DeliveryError
from dispatch.newsroom import mailings, system_mail
from dispatch.newsroom.database import database_of, made_if_missing
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.signup_limits import ASKED_IN_A_MONTH, DAY, MONTH, Counts
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import ledger as ledger_store
from dispatch.store import signups as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store import system_mail as mail_store
from dispatch.store.connection import BREATH
from dispatch.store.signups import Answer, NewSignup, SignupRow
from dispatch.store.subscribers import SubscriberRow
from dispatch.store.system_mail import Addressee
from dispatch.store.tables import epoch

UNCONFIRMED = "sign-up, not confirmed yet"
"""Stands for the consent of somebody who was asked and has not answered."""

_BATCH = 50
"""Rows of one transaction: who writes meanwhile waits for it, so it is to be short."""
_KEPT = timedelta(days=2)
"""So long what was done is kept, for limits; longer where the link of a mail still works."""
_LONGEST_NAME = 64
_LONGEST_TEXT = 2000


# Asking ------------------------------------------------------------------------------------------


def asked_for(
    email: str,
    desk: str,
    *,
    source: str,
    text: str,
    at: datetime,
    ip: str | None = None,
    language: str | None = None,
    frequency: str = "each",
    name: str | None = None,
) -> NewSignup:
    """What somebody asked for at a form, to be written down with :func:`store.write_down`.

    Args:
        source: which form it was.
        text: what stood at the button.
        frequency: ``each``, ``daily`` or ``weekly``; anything else is taken for the first.
        name: may be anything; one that could lead anybody anywhere is left out.

    Raises:
        AudienceError: the address is none.
    """
    address = addresses.parse(email)
    return NewSignup(
        desk=desk,
        address_key=address.key,
        mailbox=mailbox_of(address),
        email=address.email,
        domain=address.domain,
        source=source,
        text=values.line(text, _LONGEST_TEXT) or "",
        at=at,
        name=_harmless(name),
        language=values.language(language) if language else None,
        frequency=frequency if frequency in values.FREQUENCIES else "each",
        ip=values.ip(ip) if ip else None,
    )


def _harmless(name: str | None) -> str | None:
    """A name as people have them: newsletters will greet its owner with it."""
    line = values.line(name, _LONGEST_NAME + 1) if name else None
    if line is None or len(line) > _LONGEST_NAME:
        return None
    spam = any(sign in line.lower() for sign in ("://", "www.", "@", "<", ">", "http"))
    return None if spam or sum(map(str.isdigit, line)) > 4 else line


# Working off -------------------------------------------------------------------------------------


def work_off(
    out: Path, settings: Settings, _said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Answer what waits, as the rounds of ``dispatch run`` do; delete what was kept long enough."""
    work(out, settings, mailings.now(), stopped)


def work(
    out: Path,
    settings: Settings,
    now: datetime,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """The same at ``now``. Several processes may do it at once: each row is answered once.

    Raises:
        DeliveryError: so many were answered within an hour that the others wait.
        StoreError: the database cannot be read or written.
        TemplateError, SettingsError: there can be no mail. What waits goes on waiting.
    """
    if not database_of(out).exists():
        return
    with made_if_missing(out) as database:
        with database.reading() as connection:
            waits, over = store.any_waits(connection), store.any_is_over(connection, now)
        if over:
            with database.transaction() as connection:
                sweep(connection, now)
        if not waits:
            return
        templates = open_templates(settings)
        after: int | None = 0
        waits = False
        while after is not None and not stopped():
            if after:
                time.sleep(BREATH)
            with database.transaction() as connection:
                after, waits = _work_off_some(connection, after, templates, settings, now)
    if waits:
        raise DeliveryError(
            f"{settings.signups_per_hour:,} were answered by mail within an hour, and the others "
            "wait: raise DISPATCH_SIGNUPS_PER_HOUR if so many people do subscribe."
        )


def sweep(connection: Connection, now: datetime) -> None:
    """Delete what was kept long enough, and with it whoever was asked and never answered."""
    subscriber_store.shred(connection)
    unconfirmed = store.never_confirmed(connection, UNCONFIRMED, now)
    for subscriber in unconfirmed:
        ledger_store.erase_subscriber(connection, subscriber, epoch(now))
    store.drop(connection, unconfirmed)
    store.sweep(connection, now)


def _work_off_some(
    connection: Connection,
    after: int,
    templates: Templates,
    settings: Settings,
    now: datetime,
) -> tuple[int | None, bool]:
    """Answer the next rows that wait.

    Returns:
        The last one's key, None where that is all; and whether some wait for the next hour.
    """
    rows = store.waiting(connection, _BATCH, after)
    counts = Counts.of(connection, rows, settings, now)
    by_desk: defaultdict[str, list[SignupRow]] = defaultdict(list)
    answers: list[Answer] = []
    for row in rows:
        if reason := _too_late(row, now) or counts.why_not(row):
            answers.append(Answer(row.key, reason, now + _KEPT))
        else:
            by_desk[row.desk].append(row)
    for slug, own in by_desk.items():
        desk = known_desk(connection, slug, settings)
        if desk is None or desk.access == "private":
            answers += [Answer(row.key, "the desk takes no sign-ups", now + _KEPT) for row in own]
        else:
            answers += _Desk(connection, desk, templates, settings, now).answer(own, counts)
    store.finish(connection, answers, now)
    if len(answers) < len(rows):
        return None, True
    return (rows[-1].key if len(rows) == _BATCH else None), False


def _too_late(row: SignupRow, now: datetime) -> str | None:
    """Nobody remembers what they asked for the day before yesterday."""
    return "too late" if now - row.at > DAY else None


class _Desk:
    """Sign-ups of one desk, in one transaction."""

    def __init__(
        self,
        connection: Connection,
        desk: Desk,
        templates: Templates,
        settings: Settings,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._desk = desk
        self._templates = templates
        self._settings = settings
        self._now = now
        within = settings.for_desk(desk.slug).confirm_within
        self._until = now + max(within, _KEPT)

    def answer(self, rows: Sequence[SignupRow], counts: Counts) -> list[Answer]:
        """What comes of each row; none for those that wait on."""
        connection, slug = self._connection, self._desk.slug
        keys = {row.address_key for row in rows}
        people = subscriber_store.at_desk(connection, slug, keys)
        suppressed = subscriber_store.suppressed(connection, slug, keys)
        asked = mail_store.times(
            connection,
            "confirm",
            [person.key for person in people.values()],
            self._now - MONTH,
        )
        mailed: dict[str, list[SignupRow]] = {"confirm": [], "already": []}
        answers = []
        for row in rows:
            person = people.get(row.address_key)
            kind, outcome = _kind(person)
            reason = counts.why_no_mail(row, outcome)
            if row.address_key in suppressed:
                reason = "suppressed"
            elif kind == "confirm" and person and asked.get(person.key, 0) >= ASKED_IN_A_MONTH:
                reason = "asked often enough"
            if reason is not None:
                answers.append(Answer(row.key, reason, self._now + _KEPT))
            elif not counts.all_taken:
                counts.count(row, outcome)
                mailed[kind].append(row)
        self._add([row for row in mailed["confirm"] if row.address_key not in people])
        return (
            answers
            + self._mail("confirm", mailed["confirm"])
            + self._mail("already", mailed["already"])
        )

    def _add(self, rows: Sequence[SignupRow]) -> None:
        """New people. Until they confirm, nothing is kept of them but the address."""
        subscriber_store.add(
            self._connection,
            [
                {
                    "desk": row.desk,
                    "address_key": row.address_key,
                    "email": row.email,
                    "domain": row.domain,
                    "state": "pending",
                    "consent_source": UNCONFIRMED,
                    "created": self._now,
                    "changed": self._now,
                }
                for row in rows
            ],
        )

    def _mail(self, kind: str, rows: Sequence[SignupRow]) -> list[Answer]:
        people = subscriber_store.at_desk(
            self._connection, self._desk.slug, {row.address_key for row in rows}
        )
        addressees = [
            Addressee(person.key, person.email, person.domain, row.language)
            for row in rows
            for person in [people[row.address_key]]
        ]
        copies = system_mail.queue(
            self._connection,
            kind,
            self._desk,
            addressees,
            self._templates,
            self._settings,
            self._now,
        )
        outcome = "asked" if kind == "confirm" else "told"
        answers = []
        for row, addressee in zip(rows, addressees, strict=True):
            copy = copies.get(addressee.subscriber)
            if copy is None:
                answers.append(Answer(row.key, f"{outcome} today", self._now + _KEPT))
            else:
                answers.append(Answer(row.key, outcome, self._until, copy))
        return answers


def _kind(person: SubscriberRow | None) -> tuple[str, str]:
    """Which mail answers somebody, and the outcome that says so."""
    if person is not None and person.state == "active":
        return "already", "told"
    return "confirm", "asked"
