"""Which articles stand in which sitemap: a desk's by month, and the news sitemap of all desks.

    public/<desk>/sitemap-2026-10.xml      the first 2,000 articles of a month
    public/<desk>/sitemap-2026-10-2.xml    the next

An article more touches one of them, however many there are.
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.newsroom.access import public_folder
from dispatch.newsroom.day_pages import Touched, first_changed, path_of
from dispatch.renditions.feed import FeedEntry
from dispatch.store import articles as store
from dispatch.store.articles import AddressRow
from dispatch.syndication import sitemaps
from dispatch.syndication.release import Files
from dispatch.syndication.sitemaps import News, Url

_NEWS_AGE = timedelta(days=2)
"""Of the oldest article in the news sitemap, as Google has it."""


def release_sitemaps(
    connection: Connection,
    release: Files,
    desk: Desk,
    days: Mapping[date, int],
    touched: Sequence[Touched] | None,
) -> None:
    """Write the desk's sitemaps that hold one of the touched articles; with None, all."""
    for month, articles in _months(days).items():
        changed = set(range(_parts(articles)))
        if touched is not None:
            mine = [article for article in touched if article.day.replace(day=1) == month]
            moved, stayed = first_changed(connection, desk.slug, month, mine)
            after = _parts(articles) if moved is None else moved // sitemaps.URLS
            changed &= {place // sitemaps.URLS for place in stayed} | set(
                range(after, len(changed))
            )
        for part in sorted(changed):
            release.write(
                f"{public_folder(desk)}/{_sitemap_name(month, part)}",
                _sitemap(connection, desk, month, part),
            )


def _sitemap(connection: Connection, desk: Desk, month: date, part: int) -> bytes:
    last = month.replace(day=monthrange(month.year, month.month)[1])
    skip, limit = part * sitemaps.URLS, sitemaps.URLS
    rows = store.addresses(connection, desk.slug, month, last, skip=skip, limit=limit)
    return sitemaps.sitemap(
        Url(f"{desk.index_url}{path_of(row.day)}/{row.slug}/", _changed(row)) for row in rows
    )


def _changed(row: AddressRow) -> datetime:
    """Nothing tells of a version that is not public yet."""
    return FeedEntry.from_json(json.loads(row.entry)).updated if row.entry else row.updated


def _parts(articles: int) -> int:
    """How many sitemaps a month with so many articles has."""
    return -(-articles // sitemaps.URLS)


def _sitemap_name(month: date, part: int) -> str:
    return f"sitemap-{month:%Y-%m}{f'-{part + 1}' if part else ''}.xml"


def listed_sitemaps(desk: Desk, days: Mapping[date, int]) -> list[Url]:
    """The desk's sitemaps."""
    return [
        Url(f"{desk.index_url}{_sitemap_name(month, part)}")
        for month, articles in _months(days).items()
        for part in range(_parts(articles))
    ]


def _months(days: Mapping[date, int]) -> dict[date, int]:
    """The same for months, each by its first day."""
    months: Counter[date] = Counter()
    for day, articles in days.items():
        months[day.replace(day=1)] += articles
    return dict(months)


def news_sitemap(connection: Connection, desks: Sequence[Desk], now: datetime) -> tuple[str, bytes]:
    """The path of the news sitemap, and what it holds now: the newest articles, newest first."""
    found: list[tuple[Desk, FeedEntry]] = []
    for desk in desks:
        entries = store.entries_between(connection, desk.slug, now - _NEWS_AGE, now, sitemaps.NEWS)
        found += [(desk, FeedEntry.from_json(json.loads(entry))) for entry in entries]
    found.sort(key=lambda pair: pair[1].published, reverse=True)
    news = [
        News(entry.url, desk.publisher, entry.language, entry.published, entry.title)
        for desk, entry in found[: sitemaps.NEWS]
    ]
    return "public/news-sitemap.xml", sitemaps.news_sitemap(news)
