"""Writing a desk's pages and feeds again, from the articles that the database keeps.

After a template, DISPATCH_ACCESS or another setting has changed. Articles keep
their versions, times and addresses; nothing becomes public that was not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from dispatch import article_json
from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import StoreError
from dispatch.newsroom.access import members_folder, public_folder, showings
from dispatch.newsroom.database import opened
from dispatch.newsroom.desks import make_desk
from dispatch.newsroom.feeds import release_feeds
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.releasing import recover, released
from dispatch.newsroom.rendering import pages
from dispatch.newsroom.site_files import release_site
from dispatch.renditions import feed
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import articles as store
from dispatch.store import pings
from dispatch.store.articles import ArticleRow
from dispatch.store.connection import Store
from dispatch.syndication import release as releases
from dispatch.syndication.release import Release

_BATCH = 50
_DOCUMENT = re.compile(r".*\.(html|rss|atom|json|xml|opml|txt)(\.(gz|br|zst))?")
"""Files that may be Dispatch's, and so what it said of a desk; others are the desk's own."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done for one desk."""

    desk: str
    access: str
    articles: int
    removed: int
    """Files that are not to be there, and are not any more."""
    left: tuple[str, ...] = ()
    """Files that are not to be there either, but that Dispatch did not write."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a rebuild: each is called as it goes."""

    desk: Callable[[Rebuilt], None]
    """With what was done for each desk, once it holds."""
    waiting: Callable[[], None] = lambda: None
    """Before waiting for another process that publishes into the same folder."""
    stopped: Callable[[], bool] = lambda: False
    """Before each batch of articles; True leaves the rest."""


def rebuild(slug: str | None, out: Path, settings: Settings, now: datetime, watch: Watch) -> None:
    """Write the pages and feeds of a desk or, with None, of every desk again.

    Each batch of articles holds, or nothing of it; the feeds come last. What everybody could
    read and may not read any more goes before all else. Broken off, it is to be run again.

    Raises:
        StoreError: nothing was published here, or not by this desk.
        TemplateError, SettingsError, OutputError: the pages cannot be made or written.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    nothing = "so there is nothing to write again: name the right folder with --out."
    templates = open_templates(settings)
    with (
        opened(out, nothing) as database,
        releases.exclusively(out, watch.waiting),
    ):
        recover(out, database)
        with database.reading() as connection:
            rows = store.desks_of_articles(connection)
        if slug is not None and slug not in {row.slug for row in rows}:
            known = ", ".join(row.slug for row in rows) or "none"
            raise StoreError(f"The desk {slug} has published nothing here. There is: {known}.")
        for row in rows:
            if slug in (None, row.slug) and not watch.stopped():
                desk = make_desk(row.name, row.slug, settings, row.tag)
                done = _Desk(desk, out, database, templates, settings, now).write(watch.stopped)
                if done is not None:
                    watch.desk(done)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One desk that is written again."""

    desk: Desk
    out: Path
    database: Store
    templates: Templates
    settings: Settings
    now: datetime

    def write(self, stopped: Callable[[], bool]) -> Rebuilt | None:
        """Returns None where it was stopped before it was done."""
        removed, left = self._hide()
        count, last = 0, 0
        while True:
            if stopped():
                return None
            with released(self.out, self.database, self.now) as (connection, release):
                rows = store.public_articles(connection, self.desk.slug, last, _BATCH)
                for row in rows:
                    self._article(connection, release, row)
                if len(rows) < _BATCH:
                    self._feeds(connection, release)
                    removed += self._sweep(release)
            count += len(rows)
            if len(rows) < _BATCH:
                return Rebuilt(self.desk.name, self.desk.access, count, removed, left)
            last = rows[-1].key

    def _hide(self) -> tuple[int, tuple[str, ...]]:
        """Take away what everybody could read of a desk that is private now."""
        if self.desk.access != "private":
            return 0, ()
        found = list(self._files(public_folder(self.desk)))
        documents = [path for path in found if _DOCUMENT.fullmatch(path)]
        with released(self.out, self.database, self.now) as (_, release):
            removed = sum(release.remove(path) for path in documents)
        return removed, tuple(path for path in found if path not in documents)

    def _sweep(self, release: Release) -> int:
        """Take away subscribers' documents of a desk that everybody reads in full."""
        folder = members_folder(self.desk)
        if any(showing.folder == folder for showing in showings(self.desk)):
            return 0
        return sum(release.remove(path) for path in self._files(folder))

    def _files(self, folder: str) -> Iterator[str]:
        """The files in ``folder``, by their paths below the results' folder, in order."""
        for path in sorted((self.out / folder).rglob("*")):
            if path.is_symlink() or not path.is_dir():
                yield path.relative_to(self.out).as_posix()

    def _article(self, connection: Connection, release: Release, row: ArticleRow) -> None:
        article = _placed(connection, row)
        for path, data in pages(article, self.desk, self.templates).items():
            release.write(path, data)
        entry = json.dumps(feed.render(article, self.desk, self.templates).to_json())
        if entry != row.entry:
            store.change(connection, row.key, entry=entry)

    def _feeds(self, connection: Connection, release: Release) -> None:
        archives = set(range(1, store.archives(connection, self.desk.slug) + 1))
        topics = release_feeds(connection, release, self.desk, self.templates, archives)
        for hub in self.desk.hubs:
            pings.add(connection, hub, topics, self.now)
        release_site(
            connection,
            release,
            [self.desk],
            None,
            self.templates,
            self.settings,
            self.out,
            self.now,
        )


def _placed(connection: Connection, row: ArticleRow) -> Article:
    """The article as it was when it last became public."""
    number = row.public_version or row.version
    version = store.version(connection, row.key, number)
    if version is None:
        raise StoreError(
            f"Version {number} of {row.slug} ({row.day}) is missing in the database. "
            "Restore a backup, or publish the article again from its file."
        )
    article = article_json.from_json(json.loads(version.content))
    # The row knows when it really became public: the end of an embargo moves.
    updated = row.updated if number == row.version else article.updated
    return replace(
        article,
        id=row.id,
        slug=row.slug,
        path=f"{row.day:%Y/%m/%d}/{row.slug}",
        version=number,
        published=row.published,
        updated=updated,
    )
