"""Sending what is due: a sender with everything it needs, for one mailing or for all of them."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import DeliveryError
from dispatch.ledger.facts import Outcome, Recipient
from dispatch.ledger.ledger import Ledger
from dispatch.mailing import dkim, relays
from dispatch.mailing.connections import connect
from dispatch.mailing.health import Relays
from dispatch.mailing.means import Limits, Means, Press, Watch
from dispatch.mailing.sender import Sender
from dispatch.mailing.transport import Copy, Result
from dispatch.mailing.verdicts import Verdicts
from dispatch.mailing.warming import Warming
from dispatch.newsroom import editions, mailings, refusals, schedules, system_mail
from dispatch.newsroom.database import database_of, opened
from dispatch.newsroom.mailings import Mailing
from dispatch.settings import Settings
from dispatch.store import ledger as ledger_store
from dispatch.store.connection import Store

_LOOK_AGAIN = 60_000
"""Milliseconds between two looks at whether a time zone of a mailing was missed."""
_PATIENCE = 30.0
"""Seconds that every relay may be down before `dispatch send` leaves it to later."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Who watches: ``step`` with each number of copies done, ``said`` with sentences."""

    step: Callable[[int], None] = lambda _copies: None
    said: Callable[[str], None] = lambda _sentence: None
    stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of sending ended."""

    seconds: float
    stopped: bool
    unreachable: str
    """Why no relay could be reached, as a sentence; empty where one could."""


def send(
    out: Path, number: int, settings: Settings, follower: Follower, patience: float = _PATIENCE
) -> Ended:
    """Send what is due of one mailing, now.

    Ctrl-C (``follower.stopped``) pauses it; a second one (KeyboardInterrupt) does so at once.

    Args:
        patience: seconds that every relay may be down before the rest is left to later.

    Raises:
        StoreError: the ledger cannot be written.
        SettingsError: the relays' settings make no sense.
    """
    ended = _work(out, settings, follower, patience, only=number, stay=False)
    if ended.stopped:
        with suppress(DeliveryError):  # it has just come to its end
            mailings.pause(out, number, mailings.now(), "Paused with Ctrl-C.")
    return ended


def run(
    out: Path,
    settings: Settings,
    follower: Follower,
    *,
    once: bool,
    patience: float = _PATIENCE,
) -> Ended:
    """Send whatever is due, of all mailings; stays until it is stopped, unless ``once``."""
    return _work(out, settings, follower, patience, only=None, stay=not once)


def advice(mailing: Mailing, ended: Ended) -> Iterator[str]:
    """What the desk should know and may do next."""
    number, counts = mailing.number, mailing.counts
    if ended.unreachable:
        yield f"{ended.unreachable} Nothing is lost: dispatch mailing resume {number} goes on."
    elif mailing.state in ("paused", "held"):
        yield f"It is {mailing.state}: dispatch mailing resume {number} goes on."
    elif counts["queued"] and mailing.state == "sending":
        yield (
            f"{counts['queued']:,} wait for their turn: keep dispatch run running, or call "
            f"dispatch mailing resume {number} later."
        )
    if counts["deferred"] and mailing.state == "sending":
        yield (
            f"{counts['deferred']:,} were refused for the moment and are tried again later: "
            "keep dispatch run running, or call it from time to time with --once."
        )
    if counts["in_doubt"]:
        yield (
            f"{counts['in_doubt']:,} are in doubt: the relay may or may not have taken them. "
            f"dispatch mailing recipients {number} --state in-doubt lists them; by their "
            f"Message-ID its log can tell. dispatch mailing retry {number} --state in-doubt sends "
            "them again."
        )


def _work(
    out: Path,
    settings: Settings,
    follower: Follower,
    patience: float,
    *,
    only: int | None,
    stay: bool,
) -> Ended:
    begun = time.monotonic()
    stopped = False

    def asked() -> bool:
        nonlocal stopped
        stopped = stopped or follower.stopped()
        return stopped

    with _books(out) as (store, ledger):
        room = Room(store, settings, follower.said, only)
        watch = Watch(lambda states: follower.step(_done(states)), follower.said, asked)
        limits = Limits(settings.smtp_rate, settings.smtp_connections, patience)
        sender = Sender(_means(ledger, room, settings), limits, watch, stay=stay)
        try:
            asyncio.run(sender.run())
        except KeyboardInterrupt:  # a second Ctrl-C: the books are in order, all the same
            stopped = True
    return Ended(time.monotonic() - begun, stopped, sender.unreachable)


def _done(states: Counter[str]) -> int:
    """Copies that are not simply given back."""
    return states.total() - states["queued"]


@contextmanager
def _books(out: Path) -> Iterator[tuple[Store, Ledger]]:
    path = database_of(out)
    with opened(out, "so nothing waits to be sent: name the right folder with --out.") as store:
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        yield store, Ledger(store, path.with_name(f"{path.name}.leases"), owner)


def _means(ledger: Ledger, room: Room, settings: Settings) -> Means:
    chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
    known = relays.parse_all(settings.smtp_url)
    return Means(
        ledger=ledger,
        room=room,
        # Ed25519 takes less time than handing a copy from thread to thread.
        signing=any(key.algorithm == "rsa" for key in room.signing),
        connect=lambda relay, work: connect(relay, work, mailings.milliseconds),
        relays=Relays(known, chance),
        warming=Warming({relay.name: relay.warm for relay in known if relay.warm}),
        verdicts=Verdicts(settings.retry_for, chance),
        now=mailings.milliseconds,
    )


class Room:
    """What the newsroom decides for a sender (:class:`dispatch.mailing.means.Room`).

    Args:
        only: the one mailing that is sent; None: all of them.
    """

    def __init__(
        self, store: Store, settings: Settings, said: Callable[[str], None], only: int | None
    ) -> None:
        self._store = store
        self._settings = settings
        self._said = said
        self._only = only
        self._looked_at: dict[int, int] = {}
        self.signing = dkim.load(settings.dkim)

    def due(self, transaction: Connection, now: int, after: int) -> int | None:
        """A mailing with copies that are due; schedules that were missed are held."""
        settings = self._settings
        for number, due in ledger_store.scheduled(transaction, now):
            if self._only not in (None, number):
                continue
            sentence = schedules.missed(number, due, now, settings.missed_after, settings.timezone)
            if sentence is None:
                ledger_store.begin(transaction, number, now)
            else:
                ledger_store.hold(transaction, number, sentence, now)
                self._said(sentence)
        while (edition := ledger_store.due(transaction, now, self._only, after)) is not None:
            if self._only is not None or not self._hold_if_overslept(transaction, edition, now):
                break
        return edition

    def _hold_if_overslept(self, transaction: Connection, edition: int, now: int) -> bool:
        """Hold a mailing of which a time zone was missed while nothing was running."""
        if now - self._looked_at.get(edition, 0) < _LOOK_AGAIN:
            return False
        self._looked_at[edition] = now
        settings = self._settings
        late = now - int(settings.missed_after.total_seconds() * 1000)
        due = ledger_store.overslept(transaction, edition, late)
        if due is None:
            return False
        sentence = schedules.missed(edition, due, now, settings.missed_after, settings.timezone)
        ledger_store.hold(transaction, edition, sentence or "", now)
        self._said(sentence or "")
        return True

    def sends(self, transaction: Connection, edition: int) -> bool:
        """Whether the mailing is being sent."""
        found = ledger_store.mailing(transaction, edition)
        return found is not None and found.state == "sending"

    def press(self, edition: int) -> Press:
        """The press of a mailing."""
        with self._store.transaction() as connection:
            made = editions.press(connection, edition, self._settings, mailings.now(), self.signing)
        if not made.asks_for:
            return lambda r: made.copy(r.key, r.email, r.domain, r.name, r.language)

        def copy(r: Recipient) -> Copy:
            with self._store.reading() as connection:
                given = system_mail.given(connection, made.asks_for, r.key, self._settings)
            return made.copy(r.key, r.email, r.domain, r.name, r.language, given)

        return copy

    def refused(self, transaction: Connection, refused: Sequence[tuple[Recipient, Result]]) -> None:
        """A refusal during the dialogue is a bounce, with all that follows for the subscriber."""
        for recipient, result in refused:
            refusals.told_by_relay(
                transaction, recipient.key, result.status, result.reply, self._settings,
                mailings.now(),
            )  # fmt: skip

    def recovered(self, transaction: Connection, outcomes: Sequence[Outcome]) -> None:
        """The same, of those whose refusal only the journal of a dead process knew."""
        for outcome in outcomes:
            if outcome.state == "bounced":
                refusals.told_by_journal(
                    transaction, outcome.key, outcome.reply, self._settings, mailings.now()
                )
