"""The files of a site that belong to no single article: archive, front page, sitemaps and more.

    index.html                       the front page: the desks and their newest articles
    feeds.opml                       all desks' feeds
    robots.txt
    sitemap.xml                      lists the other sitemaps: sitemap-desks.xml, each desk's
    <desk>/sitemap-<yyyy>-<mm>.xml   by month, and parts of a large one behind ``-2`` and so on
    news-sitemap.xml                 what was published in the last two days
    <desk>/…                         by date (:mod:`~dispatch.newsroom.day_pages`) and by edition
                                     (:mod:`~dispatch.newsroom.edition_pages`)

They are written by publishing, with the feeds; what the clock changes, and editions
whose mailing has begun, by `dispatch run`; all of them by `dispatch rebuild`. There
is nothing in them of a desk that is private, not even its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.errors import DeliveryError
from dispatch.newsroom import day_pages, edition_pages
from dispatch.newsroom.database import database_of, made_if_missing
from dispatch.newsroom.day_pages import Touched, listed
from dispatch.newsroom.desks import known_desk, make_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.releasing import recover, released
from dispatch.newsroom.sitemap_files import listed_sitemaps, news_sitemap, release_sitemaps
from dispatch.renditions import lists
from dispatch.renditions.lists import Part
from dispatch.renditions.message import PAGES
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import articles as store
from dispatch.store import editions as edition_store
from dispatch.syndication import release as releases
from dispatch.syndication import sitemaps
from dispatch.syndication.opml import Outline, opml
from dispatch.syndication.release import Files
from dispatch.syndication.robots import robots_txt
from dispatch.syndication.sitemaps import Url

_ON_FRONT = 5
"""Articles of each desk on the front page."""
_PERSONAL = sorted({*PAGES.values(), "click", "confirm", "members", "open"})
"""The first parts, below a desk, of addresses that are one person's."""


def release_site(
    connection: Connection,
    release: Files,
    desks: Iterable[Desk],
    touched: Mapping[str, Iterable[Touched]] | None,
    templates: Templates,
    settings: Settings,
    out: Path,
    now: datetime,
) -> list[str]:
    """Write what changed of the site's files because something was published.

    Args:
        desks: those that published.
        touched: their public articles that were written, by the desk's slug; None: all is written.
        out: the results' folder, to see which editions stand in the archive.

    Returns:
        A sentence for each edition that cannot be shown.
    """
    faults: list[str] = []
    for desk in desks:
        if desk.is_shown:
            articles = None if touched is None else list(touched.get(desk.slug, ()))
            days = store.days(connection, desk.slug)
            day_pages.release_days(connection, release, desk, templates, days, articles)
            release_sitemaps(connection, release, desk, days, articles)
            there = edition_pages.written(out, desk)
            faults += edition_pages.release_editions(
                connection, release, desk, templates, there, again=touched is None
            )
    _release_front(connection, release, templates, settings, now)
    return faults


def bring_up_to_date(
    out: Path,
    settings: Settings,
    said: Callable[[str], None],  # noqa: ARG001 - what every round is given
    stopped: Callable[[], bool],
) -> None:
    """Write what is due now without anything being published. See :func:`catch_up`."""
    if database_of(out).exists() and not stopped():
        catch_up(out, settings, datetime.now(UTC).replace(microsecond=0))


def catch_up(out: Path, settings: Settings, now: datetime) -> None:
    """Write the editions whose mailing has begun, and the news sitemap as it is at ``now``.

    Where another process publishes, it is left to the next time.

    Raises:
        StoreError, OutputError, TemplateError, SettingsError: it cannot be written.
        DeliveryError: an edition cannot be shown; the others are.
    """
    with made_if_missing(out) as database:
        with database.reading() as connection:
            behind = [
                desk
                for desk in _desks_of_editions(connection, settings)
                if edition_pages.is_behind(connection, desk, out)
            ]
            desks = _shown_desks(connection, settings)
            news = news_sitemap(connection, desks, now)
        if not desks or (not behind and _stands(out, news)):
            return
        with suppress(_BusyError), releases.exclusively(out, _busy):
            recover(out, database)
            faults: list[str] = []
            with released(out, database, now) as (connection, release):
                release.write(*news)
                for desk in behind:
                    there = edition_pages.written(out, desk)
                    faults += edition_pages.release_editions(
                        connection, release, desk, open_templates(settings), there
                    )
            if faults:
                raise DeliveryError(" ".join(faults))


class _BusyError(Exception):
    """Another process publishes into the folder."""


def _busy() -> None:
    raise _BusyError


def _stands(out: Path, file: tuple[str, bytes]) -> bool:
    path, data = file
    try:
        return (out / path).read_bytes() == data
    except OSError:
        return False


def _shown_desks(connection: Connection, settings: Settings) -> list[Desk]:
    """The desks that everybody may see something of, by their slugs."""
    rows = store.desks_of_articles(connection)
    desks = [make_desk(row.name, row.slug, settings, row.tag) for row in rows]
    return [desk for desk in desks if desk.is_shown]


def _desks_of_editions(connection: Connection, settings: Settings) -> list[Desk]:
    slugs = edition_store.desks_of_editions(connection)
    known = (known_desk(connection, slug, settings) for slug in slugs)
    return [desk for desk in known if desk is not None and desk.is_shown]


# What all desks share ----------------------------------------------------------------------------


def _release_front(
    connection: Connection,
    release: Files,
    templates: Templates,
    settings: Settings,
    now: datetime,
) -> None:
    """Write what speaks of all desks; what leads to other files comes last."""
    desks = _shown_desks(connection, settings)
    site_url, publisher = settings.site_url, settings.publisher
    release.write(*news_sitemap(connection, desks, now))
    pages = [Url(f"{site_url}/"), *(Url(desk.index_url) for desk in desks)]
    release.write("public/sitemap-desks.xml", sitemaps.sitemap(pages[: sitemaps.URLS]))
    listed_ = [Url(f"{site_url}/sitemap-desks.xml")]
    for desk in desks:
        listed_ += listed_sitemaps(desk, store.days(connection, desk.slug))
    names = ["news-sitemap.xml"]
    for number, data in enumerate(sitemaps.index(listed_), start=1):
        names.append("sitemap.xml" if number == 1 else f"sitemap-{number}.xml")
        release.write(f"public/{names[-1]}", data)
    outlines = [
        Outline(
            f"{desk.publisher}: {desk.name}", desk.feed_url("rss"), desk.index_url, desk.language
        )
        for desk in desks
    ]
    release.write("public/feeds.opml", opml(publisher, publisher, f"{site_url}/", outlines))
    front = _front_page(connection, desks, templates, settings)
    release.write("public/index.html", front)
    kept_out = [f"{urlsplit(desk.index_url).path}{page}/" for desk in desks for page in _PERSONAL]
    release.write(
        "public/robots.txt", robots_txt(kept_out, [f"{site_url}/{name}" for name in names])
    )


def _front_page(
    connection: Connection, desks: Sequence[Desk], templates: Templates, settings: Settings
) -> bytes:
    parts = []
    for desk in desks:
        newest = store.newest_entries(connection, desk.slug, _ON_FRONT)
        entries = tuple(listed(entry, desk) for _, entry in newest)
        parts.append(Part(desk, templates.language(None, desk), entries))
    common = replace(settings, values={})  # of no single desk
    newsroom = replace(make_desk(settings.publisher, "news", common), access="public")
    front = lists.render_front(
        newsroom,
        parts,
        templates,
        f"{settings.site_url}/",
        f"{settings.site_url}/feeds.opml",
    )
    return front.html
