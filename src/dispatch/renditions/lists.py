"""Pages that list: articles of a day, days, editions, and the desks on the front page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.desk import Desk
from dispatch.renditions.language import Language
from dispatch.renditions.templates import Templates
from dispatch.renditions.web import LISTS, IndexEntry, WebPage, page


@dataclass(frozen=True, slots=True)
class Link:
    """Where something is, and what it is called."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A year, month or day, and how many articles it has."""

    label: str
    url: str
    articles: int


@dataclass(frozen=True, slots=True)
class Sent:
    """An edition of the newsletter that people have."""

    subject: str
    url: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class Around:
    """Where a page stands."""

    address: str
    """Its own."""
    trail: tuple[Link, ...]
    """What it belongs to, the widest first."""
    before: Link | None = None
    """The earlier page of its kind."""
    after: Link | None = None
    """The later one."""
    newer: str | None = None
    """Where it is one part of a list: the address of the part with what is newer than this."""
    older: str | None = None


def render_day(
    desk: Desk, day: str, entries: Sequence[IndexEntry], templates: Templates, around: Around
) -> WebPage:
    """What was published on a day, from ``web/day.html``.

    Args:
        day: in words.
        entries: newest first.

    Raises:
        TemplateError, SettingsError: as :func:`dispatch.renditions.web.render`.
    """
    return page(
        "web/day.html",
        None,
        desk,
        templates,
        sheets=LISTS,
        day=day,
        entries=entries,
        address=around.address,
        trail=around.trail,
        before=around.before,
        after=around.after,
        newer=around.newer,
        older=around.older,
    )


def render_dates(
    desk: Desk, period: str | None, dates: Sequence[Dated], templates: Templates, around: Around
) -> WebPage:
    """The days of a month, the months of a year or all years, from ``web/dates.html``.

    Args:
        period: the month or year in words; None: the whole archive.

    Raises: as for :func:`render_day`.
    """
    return page(
        "web/dates.html",
        None,
        desk,
        templates,
        sheets=LISTS,
        period=period,
        dates=dates,
        address=around.address,
        trail=around.trail,
        before=around.before,
        after=around.after,
    )


def render_editions(
    desk: Desk, editions: Sequence[Sent], templates: Templates, around: Around
) -> WebPage:
    """The editions that were sent, from ``web/editions.html``.

    Args:
        editions: newest first.

    Raises: as for :func:`render_day`.
    """
    return page(
        "web/editions.html",
        None,
        desk,
        templates,
        sheets=LISTS,
        editions=editions,
        address=around.address,
        trail=around.trail,
        newer=around.newer,
        older=around.older,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A desk on the front page."""

    desk: Desk
    lang: Language
    entries: tuple[IndexEntry, ...]
    """Its newest articles, newest first."""


def render_front(
    newsroom: Desk, desks: Sequence[Part], templates: Templates, address: str, opml: str
) -> WebPage:
    """The front page, from ``web/front.html``.

    Args:
        newsroom: what all desks have in common, as if it were one.
        address: its own.
        opml: the address of the list of all feeds.

    Raises: as for :func:`render_day`.
    """
    return page(
        "web/front.html",
        None,
        newsroom,
        templates,
        sheets=LISTS,
        desks=desks,
        address=address,
        opml=opml,
    )
