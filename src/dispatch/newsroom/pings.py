"""Telling WebSub hubs that a feed has changed.

A publish writes down whom to tell of what (``store.pings``), in the transaction
that its files belong to, and goes on. Telling them is a round of `dispatch run`:
a hub that is slow or gone keeps nobody waiting but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dispatch.newsroom import mailings
from dispatch.newsroom.database import database_of, opened
from dispatch.settings import Settings
from dispatch.store import articles
from dispatch.store import pings as store
from dispatch.store.pings import PingRow
from dispatch.syndication import release as releases
from dispatch.syndication import websub
from dispatch.syndication.websub import Told

if TYPE_CHECKING:
    from dispatch.store.connection import Store

WITHIN = 10.0
"""Seconds that a hub has to answer."""

_SETTLING = 1.0
"""Seconds; `dispatch serve` knows of a change after half of one."""
_AT_ONCE = 4
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=6)
_GIVEN_UP = timedelta(days=1)
_DIGITS = 6  # of seconds: eleven days, which nobody waits


def send(
    out: Path,
    settings: Settings,  # noqa: ARG001 - whom to tell was written down with what
    said: Callable[[str], None],
    stopped: Callable[[], bool],
) -> None:
    """Tell hubs what they are to be told by now, as the rounds of ``dispatch run`` do.

    Just after a release nobody is told: a hub that asks at once for what `dispatch serve` looked
    at a moment ago would find that nothing has changed, and would not ask again.
    """
    now = mailings.now()
    if database_of(out).exists() and releases.settled(out, now.timestamp() - _SETTLING):
        tell(out, now, said, stopped)


def tell(
    out: Path,
    now: datetime,
    said: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Tell each hub what it is to be told at ``now``; what fails is tried again later.

    Args:
        said: is told of each change that a hub was not told of for a day, which is given up.
        stopped: True ends the round after those that are being told.

    Raises:
        StoreError: the database cannot be read or written.
    """
    if not database_of(out).exists():
        return
    with opened(out, "so no hub waits for anything.") as database:
        rows = _due(out, database, now)
        if not rows:
            return
        by_hub = [list(of_hub) for _, of_hub in groupby(_sorted(rows), attrgetter("hub"))]
        with ThreadPoolExecutor(_AT_ONCE, "pings") as pool:
            for told in pool.map(lambda of_hub: _tell(of_hub, stopped), by_hub):
                _record(database, told, now, said)


def _due(out: Path, database: Store, now: datetime) -> list[PingRow]:
    """What is to be told; nothing while the files that it is about are on their way."""
    with database.reading() as connection:
        rows = store.due(connection, now)
        decided = articles.recorded_releases(connection) if rows else set()
    return [] if releases.under_way(out, decided) else rows


def _sorted(rows: Iterable[PingRow]) -> list[PingRow]:
    return sorted(rows, key=attrgetter("hub"))  # and the oldest of each hub first, as before


@dataclass(frozen=True, slots=True)
class _Attempt:
    row: PingRow
    told: Told


def _tell(rows: Sequence[PingRow], stopped: Callable[[], bool]) -> list[_Attempt]:
    """Tell one hub; where it does not answer, the rest is not even tried."""
    attempts: list[_Attempt] = []
    for row in rows:
        if stopped():
            break
        gone = attempts and not attempts[-1].told.reached
        told = attempts[-1].told if gone else websub.notify(row.hub, row.topic, WITHIN)
        attempts.append(_Attempt(row, told))
    return attempts


def _record(
    database: Store, attempts: Iterable[_Attempt], now: datetime, said: Callable[[str], None]
) -> None:
    with database.transaction() as connection:
        for attempt in attempts:
            row, told = attempt.row, attempt.told
            if told.accepted:
                store.told(connection, row)
                continue
            due = now + delay(row.attempts + 1, told.retry_after, now)
            if due - row.made > _GIVEN_UP:
                store.told(connection, row)
                said(
                    f"The hub {host(row.hub)} was not told that {row.topic} has changed, and "
                    f"nobody will tell it: for a day it could not be ({told.said}). "
                    "Its subscribers see the change when they poll. Check DISPATCH_HUBS."
                )
            else:
                store.put_off(connection, row, due, row.attempts + 1, told.said)


def delay(attempts: int, retry_after: str | None, now: datetime) -> timedelta:
    """How long to wait after so many failures in a row: a minute, twice as long each time.

    As long as the hub asks for, where that is longer (RFC 9110, 10.2.3); but six hours at most.
    """
    usual: timedelta = _FIRST * 2 ** min(attempts - 1, 20)
    return min(max(usual, _asked_for(retry_after, now)), _LONGEST)


def _asked_for(retry_after: str | None, now: datetime) -> timedelta:
    """Nothing or less, where it asks for nothing that is understood."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) <= _DIGITS else _LONGEST
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware - now


def host(hub: str) -> str:
    """What a hub is called in sentences: its address may hold a password."""
    return urlsplit(hub).hostname or hub
