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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatch.ledger.facts import Recipient, Recovered
from dispatch.ledger.ledger import Ledger
from dispatch.mailing import dkim, relays
from dispatch.mailing.connections import connect
from dispatch.mailing.health import Relays
from dispatch.mailing.sender import Limits, Means, Press, Sender, Watch
from dispatch.mailing.transport import Result
from dispatch.mailing.verdicts import Verdicts
from dispatch.newsroom import editions, mailings, refusals, schedules
from dispatch.newsroom.mailings import Mailing
from dispatch.settings import Settings
from dispatch.store import ledger as ledger_store
from dispatch.store.connection import Store

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


def send(out: Path, number: int, settings: Settings, follower: Follower) -> Ended:
    """Send what is due of one mailing, now.

    Ctrl-C (``follower.stopped``) pauses it.

    Raises:
        StoreError: the ledger cannot be written.
        SettingsError: the relays' settings make no sense.
    """
    ended = _work(out, settings, follower, only=number, stay=False)
    if ended.stopped:
        mailings.pause(out, number, mailings.now(), "Paused with Ctrl-C.")
    return ended


def run(out: Path, settings: Settings, follower: Follower, *, once: bool) -> Ended:
    """Send whatever is due, of all mailings; stays until it is stopped, unless ``once``."""
    return _work(out, settings, follower, only=None, stay=not once)


def advice(mailing: Mailing, ended: Ended) -> Iterator[str]:
    """What the desk should know and may do next."""
    number, counts = mailing.number, mailing.counts
    if ended.unreachable:
        yield f"{ended.unreachable} Nothing is lost: dispatch mailing resume {number} goes on."
    elif mailing.state in ("paused", "held"):
        yield f"It is {mailing.state}: dispatch mailing resume {number} goes on."
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
    out: Path, settings: Settings, follower: Follower, *, only: int | None, stay: bool
) -> Ended:
    begun = time.monotonic()
    stopped = False

    def asked() -> bool:
        nonlocal stopped
        stopped = stopped or follower.stopped()
        return stopped

    with _books(out) as (store, ledger):
        watch = Watch(
            progress=lambda states: follower.step(_done(states)),
            said=follower.said,
            stopped=asked,
            refused=lambda refused: _refused(store, refused, settings),
        )
        means = _means(store, ledger, settings, follower, only)
        limits = Limits(settings.smtp_rate, settings.smtp_connections, _PATIENCE)
        sender = Sender(means, limits, watch, stay=stay)
        _tell_recovered(ledger.recover(mailings.milliseconds()), follower)
        asyncio.run(sender.run())
    return Ended(time.monotonic() - begun, stopped, sender.unreachable)


def _tell_recovered(recovered: Recovered, follower: Follower) -> None:
    """What an earlier process left behind, and what became of it."""
    for number, count in recovered.in_doubt.items():
        follower.said(
            f"Mailing {number} was cut off: {count:,} copies were in flight at that moment and are "
            f"in doubt. dispatch mailing recipients {number} --state in-doubt lists them."
        )


def _done(states: Counter[str]) -> int:
    """Copies that are not simply given back."""
    return states.total() - states["queued"]


@contextmanager
def _books(out: Path) -> Iterator[tuple[Store, Ledger]]:
    path = editions.database(out)
    store = Store(path)
    try:
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        yield store, Ledger(store, path.with_name(f"{path.name}.leases"), owner)
    finally:
        store.close()


def _means(
    store: Store, ledger: Ledger, settings: Settings, follower: Follower, only: int | None
) -> Means:
    chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
    signing = dkim.load(settings.dkim)
    return Means(
        ledger=ledger,
        due=lambda now: _due(store, settings, follower, only, now),
        press=lambda edition: _press(store, edition, settings, signing),
        signing=bool(signing),
        connect=connect,
        relays=Relays([relays.parse(url) for url in settings.smtp_url], chance),
        verdicts=Verdicts(settings.retry_for, chance),
        now=mailings.milliseconds,
    )


def _due(
    store: Store, settings: Settings, follower: Follower, only: int | None, now: int
) -> int | None:
    """A mailing with copies that may leave now; schedules that were missed are held."""
    with store.transaction() as connection:
        for number, due in ledger_store.scheduled(connection, now):
            sentence = schedules.missed(number, due, now, settings.missed_after, settings.timezone)
            if sentence is None:
                ledger_store.begin(connection, number, now)
            else:
                ledger_store.hold(connection, number, sentence, now)
                follower.said(sentence)
        return ledger_store.due(connection, now, only)


def _press(store: Store, edition: int, settings: Settings, signing: Sequence[dkim.Key]) -> Press:
    with store.transaction() as connection:
        made = editions.press(connection, edition, settings, mailings.now(), signing)
    return lambda r: made.copy(r.key, r.email, r.domain, r.name)


def _refused(store: Store, refused: Sequence[tuple[Recipient, Result]], settings: Settings) -> None:
    """A refusal during the dialogue is a bounce, with all that follows for the subscriber."""
    with store.transaction() as connection:
        for recipient, result in refused:
            refusals.told_by_relay(
                connection, recipient.key, result.status, result.reply, settings, mailings.now()
            )
