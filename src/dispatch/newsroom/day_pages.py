"""The archive of a desk by date: a page for each day, and calendars that lead to every one of them.

    archive/            all months
    2026/               the months of a year
    2026/10/            the days of a month
    2026/10/09/         the articles of a day

A day with many articles has parts: ``page-1.html`` holds the first fifty that came
in, ``page-2.html`` the next, and the day's own page what came last, fifty to
ninety-nine. One article more touches the last part alone, however many there are.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.newsroom.access import public_folder
from dispatch.renditions import lists
from dispatch.renditions.feed import FeedEntry
from dispatch.renditions.lists import Around, Dated, Link
from dispatch.renditions.templates import Templates
from dispatch.renditions.web import IndexEntry
from dispatch.store import articles as store
from dispatch.syndication.release import Files

PART = 50
"""Articles on a part of a day."""
_FEW = 20
"""Changed articles of a day or month whose parts are looked for one by one, at most."""


@dataclass(frozen=True, slots=True, order=True)
class Touched:
    """A public article that was written in this run; they sort as they stand in the archive."""

    day: date
    key: int
    is_new: bool
    """Whether it was not public before."""


def release_days(
    connection: Connection,
    release: Files,
    desk: Desk,
    templates: Templates,
    days: Mapping[date, int],
    touched: Iterable[Touched] | None,
) -> None:
    """Write what changed of the archive.

    Args:
        desk: one that everybody may see something of.
        days: all that it has articles of, and how many, in order.
        touched: None: everything is written.
    """
    archive = _Archive(connection, release, desk, templates, days)
    if touched is None:
        archive.write_all()
    else:
        archive.write(sorted(article for article in touched if article.day in days))
    archive.archive_page()


def listed(entry: str, desk: Desk) -> IndexEntry:
    """A stored feed entry as pages for everybody list it.

    Of an article that is for subscribers there is the standfirst, and nothing of its text.
    """
    facts = FeedEntry.from_json(json.loads(entry))
    if desk.access != "public":
        facts = replace(facts, summary=facts.standfirst or facts.title, image=None)
    return IndexEntry.of(facts)


def path_of(day: date) -> str:
    """A day as addresses have it: ``2026/10/09``."""
    return f"{day:%Y/%m/%d}"


def first_changed(
    connection: Connection, desk: str, first: date, touched: Sequence[Touched]
) -> tuple[int | None, set[int]]:
    """Where the touched articles stand among the desk's from the day ``first`` on, counted from 0.

    Returns:
        From which place on all may have moved, None where none has; and the places of others that
        changed where they stand.
    """
    moved = [article for article in touched if article.is_new]
    stayed = [article for article in touched if not article.is_new]
    if len(stayed) > _FEW:
        moved, stayed = [*touched], []

    def place(article: Touched) -> int:
        return store.place_among(connection, desk, first, article.day, article.key)

    return (place(min(moved)) if moved else None), {place(article) for article in stayed}


class _Archive:
    """The pages of one desk's archive by date."""

    def __init__(
        self,
        connection: Connection,
        release: Files,
        desk: Desk,
        templates: Templates,
        days: Mapping[date, int],
    ) -> None:
        self._connection = connection
        self._release = release
        self._desk = desk
        self._templates = templates
        self._language = templates.language(None, desk)
        self._articles = days

    def write(self, touched: Sequence[Touched]) -> None:
        """What changed with these articles, which are sorted, and what has other neighbours now."""
        for day, articles in groupby(touched, lambda article: article.day):
            self._changed_day(day, list(articles))
        days = {article.day for article in touched}
        for month in _with_neighbours(self._months, {_month(day) for day in days}):
            self._month_page(month)
        for year in _with_neighbours(self._years, {_year(day) for day in days}):
            self._year_page(year)

    def write_all(self) -> None:
        for day in self._articles:
            self._day_pages(day, range(1, self._parts(day) + 1))
        for month in self._months:
            self._month_page(month)
        for year in self._years:
            self._year_page(year)

    # Days ----------------------------------------------------------------------------------------

    def _changed_day(self, day: date, touched: Sequence[Touched]) -> None:
        """The parts of a day that changed, and the days beside it where there was no such day."""
        new = sum(article.is_new for article in touched)
        parts, before = self._parts(day), _parts(self._articles[day] - new)
        moved, stayed = first_changed(self._connection, self._desk.slug, day, touched)
        changed = {place // PART + 1 for place in stayed}
        if moved is not None:
            first = moved // PART + 1
            if parts > before:  # the last part before now has a newer one
                first = min(first, max(1, before))
            changed |= set(range(first, parts + 1))
        self._day_pages(day, sorted(part for part in changed if part <= parts))
        if new == self._articles[day]:
            for beside in _with_neighbours(self._days, {day}) - {day}:
                self._day_pages(beside, ())

    def _day_pages(self, day: date, parts: Iterable[int]) -> None:
        """These parts of a day, and its own page, which has what came last."""
        closed = self._parts(day)
        for part in parts:
            around = Around(
                self._part_url(day, part),
                self._trail(day, to_day=True),
                older=self._part_url(day, part - 1) if part > 1 else None,
                newer=self._part_url(day, part + 1) if part < closed else self._url(day),
            )
            self._write_day(day, f"page-{part}.html", (part - 1) * PART, PART, around)
        around = Around(
            self._url(day),
            self._trail(day),
            *_links_beside(self._days, day, self._day_link),
            older=self._part_url(day, closed) if closed else None,
        )
        self._write_day(day, "index.html", closed * PART, 2 * PART, around)

    def _write_day(self, day: date, name: str, skip: int, limit: int, around: Around) -> None:
        stored = store.entries_of_day(
            self._connection, self._desk.slug, day, skip=skip, limit=limit
        )
        entries = [listed(entry, self._desk) for entry in stored]
        entries.sort(key=lambda entry: entry.published, reverse=True)
        words = self._language.long_date(_noon(day))
        page = lists.render_day(self._desk, words, entries, self._templates, around)
        self._write(f"{path_of(day)}/{name}", page.html)

    def _parts(self, day: date) -> int:
        return _parts(self._articles[day])

    def _part_url(self, day: date, part: int) -> str:
        return f"{self._url(day)}page-{part}.html"

    # Calendars -----------------------------------------------------------------------------------

    def _month_page(self, month: date) -> None:
        days = [day for day in self._days if _month(day) == month]
        lines = [
            Dated(self._language.long_date(_noon(day)), self._url(day), self._articles[day])
            for day in reversed(days)
        ]
        link = self._month_link
        around = Around(
            link(month).url,
            (*self._trail_to_archive(), self._year_link(_year(month))),
            *_links_beside(self._months, month, link),
        )
        self._write_dates(f"{month:%Y/%m}", self._language.month(_noon(month)), lines, around)

    def _year_page(self, year: date) -> None:
        link = self._year_link
        around = Around(
            link(year).url, self._trail_to_archive(), *_links_beside(self._years, year, link)
        )
        months = [month for month in self._months if _year(month) == year]
        self._write_dates(f"{year:%Y}", f"{year:%Y}", self._month_lines(months), around)

    def archive_page(self) -> None:
        """All months: from here, every day can be reached."""
        around = Around(f"{self._desk.index_url}archive/", self._trail_to_archive()[:1])
        self._write_dates("archive", None, self._month_lines(self._months), around)

    def _month_lines(self, months: Sequence[date]) -> list[Dated]:
        """Newest first."""
        lines = []
        for month in reversed(months):
            link = self._month_link(month)
            lines.append(Dated(link.label, link.url, self._articles_of_month[month]))
        return lines

    def _write_dates(
        self, folder: str, period: str | None, lines: Sequence[Dated], around: Around
    ) -> None:
        page = lists.render_dates(self._desk, period, lines, self._templates, around)
        self._write(f"{folder}/index.html", page.html)

    def _write(self, path: str, data: bytes) -> None:
        self._release.write(f"{public_folder(self._desk)}/{path}", data)

    @cached_property
    def _days(self) -> list[date]:
        return list(self._articles)

    @cached_property
    def _articles_of_month(self) -> dict[date, int]:
        counted: Counter[date] = Counter()
        for day, count in self._articles.items():
            counted[_month(day)] += count
        return dict(counted)

    @property
    def _months(self) -> list[date]:
        return list(self._articles_of_month)

    @cached_property
    def _years(self) -> list[date]:
        return list(dict.fromkeys(map(_year, self._months)))

    # Links ---------------------------------------------------------------------------------------

    def _url(self, day: date) -> str:
        return f"{self._desk.index_url}{path_of(day)}/"

    def _day_link(self, day: date) -> Link:
        return Link(self._language.date(_noon(day)), self._url(day))

    def _month_link(self, month: date) -> Link:
        return Link(self._language.month(_noon(month)), f"{self._desk.index_url}{month:%Y/%m}/")

    def _year_link(self, year: date) -> Link:
        return Link(f"{year:%Y}", f"{self._desk.index_url}{year:%Y}/")

    def _trail_to_archive(self) -> tuple[Link, ...]:
        archive = Link(self._language.gettext("Archive"), f"{self._desk.index_url}archive/")
        return Link(self._desk.name, self._desk.index_url), archive

    def _trail(self, day: date, *, to_day: bool = False) -> tuple[Link, ...]:
        month = self._month_link(_month(day))
        steps = (*self._trail_to_archive(), self._year_link(_year(day)), month)
        return (*steps, self._day_link(day)) if to_day else steps


def _parts(articles: int) -> int:
    """How many parts a day with so many articles has besides its own page."""
    return max(0, articles // PART - 1)


def _month(day: date) -> date:
    """A month or year is named by its first day."""
    return day.replace(day=1)


def _year(day: date) -> date:
    return day.replace(month=1, day=1)


def _noon(day: date) -> datetime:
    """For what prints a date."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _neighbours(all_: Sequence[date], one: date) -> tuple[date | None, date | None]:
    """What stands before and behind ``one``, which is among ``all_``; they are sorted."""
    at = bisect_left(all_, one)
    return (all_[at - 1] if at else None), (all_[at + 1] if at + 1 < len(all_) else None)


def _links_beside(
    all_: Sequence[date], one: date, link: Callable[[date], Link]
) -> tuple[Link | None, Link | None]:
    before, after = _neighbours(all_, one)
    return (link(before) if before else None), (link(after) if after else None)


def _with_neighbours(all_: Sequence[date], some: Iterable[date]) -> set[date]:
    return {near for one in some for near in (one, *_neighbours(all_, one)) if near}
