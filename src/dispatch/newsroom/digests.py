"""Daily and weekly digests: who gets one now, and of what.

Nothing says which digests were made. A digest is due to a subscriber where
something became public behind their position and not behind the last moment at
which digests leave in their time zone. Making it moves their position in the same
transaction, so that whoever comes next, after a crash or at the same time, finds
nothing left to do.
"""

from __future__ import annotations

import json
import secrets
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from sqlalchemy import Connection

from dispatch import article_json
from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import DispatchError
from dispatch.newsroom import editions, keys, mailings, schedules
from dispatch.newsroom.database import database_of, made_if_missing
from dispatch.settings import Settings
from dispatch.store import articles as article_store
from dispatch.store import candidates as candidate_store
from dispatch.store import digests as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.articles import ArticleRow
from dispatch.store.candidates import Candidates, Schedule
from dispatch.store.connection import BREATH, Store
from dispatch.store.digests import PublicRow, Readers
from dispatch.store.tables import epoch

MOST = 20
"""Articles of a digest; it says that the desk's page has the others."""

_DAYTIME = timedelta(hours=12)
"""So long after its time a digest that was missed still leaves, if it is the same day there."""

_LONGEST = timedelta(days=62)
"""What is older stands in no digest: somebody may pause for a while and find everything."""

_OF_AN_ARCHIVE = timedelta(days=31)
"""An article that is dated so long before it became public is no news, but an archive's."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class _Due:
    """Digests that are to be made, where anything was published."""

    readers: Readers
    until: datetime
    """What became public later belongs to the next one."""


def make_due(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Make the digests that are due by now, as the rounds of ``dispatch run`` do."""
    make(out, settings, mailings.now(), said, stopped)


def make(
    out: Path,
    settings: Settings,
    now: datetime,
    said: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Make the digests that are due at ``now``: editions of their own kind, with their recipients.

    Each is one transaction. What is wrong with one desk does not keep the others from theirs.

    Args:
        said: is told of each edition, as a sentence.

    Raises:
        StoreError: the database cannot be written.
        DispatchError: what was wrong with a desk; the first of them.
    """
    if not database_of(out).exists():
        return
    wrong: list[DispatchError] = []
    with made_if_missing(out) as database:
        with database.reading() as connection:
            dues = list(_dues(connection, settings, now))
        for due in dues:
            try:
                _make_all(database, due, settings, now, said, stopped)
            except DispatchError as error:
                wrong.append(error)
    if wrong:
        raise wrong[0]


def _make_all(
    database: Store,
    due: _Due,
    settings: Settings,
    now: datetime,
    said: Callable[[str], None],
    stopped: Callable[[], bool],
) -> None:
    """One edition after the other, for all who have the same articles to come."""
    left = True
    while left and not stopped():
        with database.transaction() as connection:
            left, sentence = _make_next(connection, due, settings, now)
        if sentence:
            said(sentence)
        if left:
            time.sleep(BREATH)


# When --------------------------------------------------------------------------------------------


def _dues(connection: Connection, settings: Settings, now: datetime) -> Iterator[_Due]:
    """All digests that leave at this hour of the day, somewhere."""
    audiences: dict[tuple[str, str], set[str]] = defaultdict(set)
    for desk, frequency, zone in store.audiences(connection):
        audiences[desk, frequency] |= {zone} if zone else set()
    for (desk, frequency), names in sorted(audiences.items()):
        yield from _of_desk(desk, frequency, names, settings.for_desk(desk), now)


def _of_desk(
    desk: str, frequency: str, names: set[str], own: Settings, now: datetime
) -> Iterator[_Due]:
    """By the moment at which they were due; who is in no zone that exists is in the desk's."""
    home = _latest(own, frequency, own.timezone, now)
    elsewhere: dict[datetime | None, set[str]] = defaultdict(set)
    for name in names:
        zone = schedules.place(name)
        moment = _latest(own, frequency, zone, now) if zone else home
        if moment != home:
            elsewhere[moment].add(name)
    if home:
        others = frozenset[str]().union(*elsewhere.values())
        yield _Due(Readers(desk, frequency, others, others=True), home)
    for moment, zones in elsewhere.items():
        if moment:
            yield _Due(Readers(desk, frequency, frozenset(zones)), moment)


def _latest(own: Settings, frequency: str, zone: tzinfo, now: datetime) -> datetime | None:
    """The last moment at which digests left in ``zone``; None where it is no hour for them.

    A weekly one that was missed leaves on the next day, and collects no more than it would have.
    """
    today = _passed(own, zone, now)
    late = now - today > _DAYTIME or today.astimezone(zone).date() != now.astimezone(zone).date()
    if late:
        return None
    weekday = _WEEKDAYS.index(own.digest_day) if frequency == "weekly" else None
    return _passed(own, zone, now, weekday)


def _passed(own: Settings, zone: tzinfo, now: datetime, weekday: int | None = None) -> datetime:
    """When clocks in ``zone`` last showed the time of digests, on ``weekday`` or any, in UTC.

    A time that they show twice is the first one; one that they leave out is moved on by what they
    leave out.
    """
    day = now.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, own.digest_at, zone).astimezone(UTC)
        if moment <= now and weekday in (None, day.weekday()):
            return moment
        day -= timedelta(days=1)


# What --------------------------------------------------------------------------------------------


def _make_next(
    connection: Connection, due: _Due, settings: Settings, now: datetime
) -> tuple[bool, str]:
    """Make the edition of those who have waited longest.

    Returns:
        Whether there may be others to make, and what is to be said.
    """
    desk = due.readers.desk
    fresh = [
        article
        for article in store.became_public(connection, desk, due.until - _LONGEST, due.until)
        if article.since - article.published < _OF_AN_ARCHIVE
    ]
    readers = due.readers.condition(now)
    position = store.earliest_position(connection, readers, fresh[-1].since) if fresh else None
    if position is None:
        return False, ""
    chosen, more, before = _chosen(fresh, position)
    who = readers & store.is_behind(before)
    active = who & store.is_active()
    candidates = Candidates(desk, active, due.readers.frequency, leaves=epoch(now))
    sentence = ""
    if candidate_store.census(connection, candidates).recipients:
        sentence = _mail(connection, chosen, candidates, settings, now, more=more)
    store.move_on(connection, who, fresh[-1].since)
    return True, sentence


def _chosen(
    fresh: Sequence[PublicRow], position: datetime
) -> tuple[list[PublicRow], bool, datetime]:
    """What a digest holds for whoever is at ``position``.

    Args:
        fresh: by the time at which they became public; some of them behind ``position``.

    Returns:
        The articles in the order of the desk's index; whether there are more; and the time before
        which every later position has the same to come.
    """
    first = bisect_right(fresh, position, key=lambda article: article.since)
    newest = sorted(fresh[first:], key=lambda a: (a.published, a.key), reverse=True)
    chosen = newest[:MOST]
    last, spare = first, len(newest) - MOST
    while spare > 1 and fresh[last] not in chosen:
        last, spare = last + 1, spare - 1
    return chosen, len(newest) > MOST, fresh[last].since


def _mail(
    connection: Connection,
    chosen: Sequence[PublicRow],
    candidates: Candidates,
    settings: Settings,
    now: datetime,
    *,
    more: bool,
) -> str:
    """Freeze the edition and queue its recipients; returns the sentence that says so."""
    desk = editions.find_desk(connection, candidates.desk, settings)
    stored = store.as_public(connection, [article.key for article in chosen])
    articles = [_article(*stored[article.key], desk) for article in chosen]
    content = editions.render(
        articles,
        desk,
        f"{desk.name}: {articles[0].headline}",
        settings,
        candidate_store.languages(connection, candidates),
        collected=True,
        more=more,
    )
    number = editions.freeze(
        connection,
        content,
        segment=None,
        seed=secrets.token_hex(16),
        token_key=keys.tokens(connection, settings, now).newest,
        made=now,
        settings=settings,
        kind="digest",
    )
    found = candidate_store.snapshot(
        connection,
        number,
        candidates,
        Schedule("sending", now),
        in_doubt=settings.in_doubt,
        now=epoch(now),
    )
    return (
        f"Mailing {number} is the {candidates.frequency} digest of {desk.name}, "
        f"for {found['queued']:,} of its subscribers."
    )


def _article(row: ArticleRow, content: str, desk: Desk) -> Article:
    """The article as it was stored, in the place that it has now."""
    return replace(
        article_json.from_json(json.loads(content)),
        id=row.id,
        slug=row.slug,
        desk=desk.name,
        path=f"{row.day:%Y/%m/%d}/{row.slug}",
        version=row.public_version,
        published=row.published,
    )


# Who changes their mind --------------------------------------------------------------------------


def switched(connection: Connection, subscriber: int, frequency: str, now: datetime) -> bool:
    """Have a subscriber get what they chose from here on.

    Who had every edition by itself starts with what is published next; who changes from one
    digest to another is told of nothing twice, and misses nothing.

    Args:
        subscriber: the key.
        frequency: ``each``, ``daily`` or ``weekly``.

    Returns:
        False where they had chosen that before, or there is no such subscriber.
    """
    row = subscriber_store.subscriber(connection, subscriber)
    if row is None or row.frequency == frequency:
        return False
    values: dict[str, object] = {"frequency": frequency}
    if row.frequency == "each":
        newest = article_store.newest_public_since(connection, row.desk)
        values["digested"] = now if newest is None else max(now, newest)
    subscriber_store.change(connection, row.key, values, now)
    return True
