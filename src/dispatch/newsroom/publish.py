"""Publishing: reader → Article → renditions → files, and the desk's feeds last.

Articles go through in batches. A batch is one database transaction and one
:class:`~dispatch.syndication.release.Release` of files: both hold, or neither.
The feeds and indexes of every desk that was touched belong to the last batch,
so that a feed never names a page that is not there.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dispatch import article_json
from dispatch.article import Article, Note
from dispatch.desk import Desk
from dispatch.errors import ArticleError, DispatchError, OutputError, SettingsError, StoreError
from dispatch.newsroom import sources
from dispatch.newsroom.access import is_behind, showings
from dispatch.newsroom.database import database_of
from dispatch.newsroom.day_pages import Touched
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.newsroom.feeds import release_feeds
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.placing import Placed, place
from dispatch.newsroom.reading import read_article
from dispatch.newsroom.releasing import recover, released
from dispatch.newsroom.rendering import OUTBOX, page_path, render
from dispatch.newsroom.site_files import release_site
from dispatch.readers.publishers import Publishers
from dispatch.renditions import feed
from dispatch.settings import Settings
from dispatch.store import articles as store
from dispatch.store import pings
from dispatch.store.articles import ArticleRow, VersionRow
from dispatch.store.connection import Store, rehearsal
from dispatch.syndication import release as releases
from dispatch.syndication.release import Files

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``desk``, ``published`` and ``slug`` win over the article's own."""

    out: Path
    desk: str | None = None
    published: datetime | None = None
    slug: str | None = None
    strict: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article.

    ``action`` is ``published``, ``updated``, ``unchanged`` or ``refused``; a
    refused one has only its path and notes, of which the last says why.
    ``files`` and ``feeds`` map a rendition's name to its path; a rendition that
    is not for the public yet has None.
    """

    path: str
    action: Literal["published", "updated", "unchanged", "refused"]
    notes: tuple[Note, ...]
    id: str | None = None
    version: int | None = None
    desk: str | None = None
    slug: str | None = None
    headline: str | None = None
    files: dict[str, str | None] = field(default_factory=dict)
    feeds: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    """What it was refused for."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a run: each is called as it goes."""

    outcome: Callable[[Outcome], None]
    """With each article's outcome, in order, once it holds."""
    step: Callable[[], None] = lambda: None
    """After each article."""
    waiting: Callable[[], None] = lambda: None
    """Before waiting for another process that publishes into the same folder."""
    stopped: Callable[[], bool] = lambda: False
    """Before each article; True leaves the rest, and writes the feeds of what went through."""


def publish(
    names: Sequence[str], options: Options, settings: Settings, now: datetime, watch: Watch
) -> None:
    """Publish the articles in the files ``names``.

    Args:
        now: the time of publication, aware.

    Raises:
        OutputError, StoreError: the results cannot be written.
        TemplateError: a desk's index page cannot be made.
        SettingsError: a desk's settings make no sense.

    Whatever is raised, the batch at hand is taken back and its articles are told
    as refused; those before it hold.
    """
    run = _Run(options, settings, now.astimezone(UTC).replace(microsecond=0), watch)
    if options.dry_run:
        run.rehearse(names)
    else:
        with releases.exclusively(options.out, watch.waiting):
            run.perform(names)


class _Run:
    """One run of publish."""

    def __init__(self, options: Options, settings: Settings, now: datetime, watch: Watch) -> None:
        self.options = options
        self.settings = settings
        self.now = now
        self.watch = watch
        self.templates = open_templates(settings)
        self.publishers = Publishers.load(settings.publishers)
        self.desks: dict[str, Desk] = {}
        # Which file each article came from, to tell that two claim to be the same.
        self.files: dict[str, str] = {}
        # Desks whose access has changed, and whose earlier pages are as they were.
        self.behind: set[str] = set()
        # Archive documents that an article of this run stands in, by desk.
        self.archives: dict[str, set[int]] = {}
        # The public articles that were written, by desk.
        self.touched: dict[str, list[Touched]] = {}

    def perform(self, names: Sequence[str]) -> None:
        database = Store(database_of(self.options.out))
        try:
            recover(self.options.out, database)
            waiting = deque(enumerate(names))
            while waiting:
                self._batch(database, waiting)
        finally:
            database.close()

    def _batch(self, database: Store, waiting: deque[tuple[int, str]]) -> None:
        names: list[str] = []
        outcomes: list[Outcome] = []
        try:
            with released(self.options.out, database, self.now) as (connection, release):
                while waiting and len(names) < _BATCH and not self.watch.stopped():
                    n, name = waiting.popleft()
                    names.append(name)
                    outcomes.append(self._outcome(connection, release, name, self._time(n)))
                    self.watch.step()
                if self.watch.stopped():
                    waiting.clear()
                if not waiting:
                    self._feeds(connection, release)
        except DispatchError as error:
            outcomes = [_refused(name, str(error), error) for name in names]
            raise
        finally:
            for outcome in outcomes:
                self.watch.outcome(outcome)

    def rehearse(self, names: Sequence[str]) -> None:
        """Do everything but keep nothing."""
        with (
            rehearsal(database_of(self.options.out)) as database,
            database.transaction() as connection,
        ):
            nowhere = _Nowhere()
            for n, name in enumerate(names):
                self.watch.outcome(self._outcome(connection, nowhere, name, self._time(n)))
                self.watch.step()
            self._feeds(connection, nowhere)

    def _time(self, n: int) -> datetime:
        """The time of the run's article ``n``: no two alike, so that feeds keep their order."""
        return self.now + timedelta(milliseconds=n)

    def _outcome(self, connection: Connection, release: Files, name: str, now: datetime) -> Outcome:
        try:
            with connection.begin_nested():
                return self._publish(connection, release, name, now)
        except (OutputError, StoreError, SettingsError, SQLAlchemyError):
            raise  # these concern more than one article
        except DispatchError as error:
            return _refused(name, str(error), error)
        except Exception as error:  # one bad article stops nothing else
            return _refused(
                name,
                f"{sources.label(name)} was refused because of an error inside Dispatch "
                f"({type(error).__name__}: {error}). Run it with --debug and report what it says.",
                error,
            )

    def _publish(self, connection: Connection, release: Files, name: str, now: datetime) -> Outcome:
        article = self._read(name)
        desk_name = article.desk or self.settings.desk
        desk = self._desk(connection, desk_name)
        if desk_name != desk.name:
            note = Note("info", "desk", f"{desk_name} is printed as {desk.name}, its first name.")
            article = replace(article, notes=(*article.notes, note))
        file = None if name == sources.STANDARD_INPUT else sources.absolute(name)
        placed = place(connection, article, desk, file, now)
        self._claim(placed, name)
        rendered = render(placed.article, desk, self.templates, self.settings.max_email_bytes)
        self._record(connection, placed, None if placed.held_back else rendered.entry)

        files = {} if placed.held_back else dict(rendered.pages)
        outbox = f"outbox/{desk.slug}/{placed.article.path}"
        files |= {f"{outbox}/{part}": data for part, data in rendered.outbox.items()}
        for path, data in files.items():
            release.write(path, data)
        self.desks[desk.slug] = desk
        if placed.row.archive is not None:
            self.archives.setdefault(desk.slug, set()).add(placed.row.archive)
        return self._told(name, desk, placed, rendered.notes)

    def _desk(self, connection: Connection, name: str) -> Desk:
        slug = desk_slug(name)
        known = self.desks.get(slug)
        if known is not None:
            return known
        row = store.desk(connection, slug)
        if row is not None:
            known = make_desk(row.name, slug, self.settings, row.tag)
            if is_behind(connection, known, self.options.out):
                self.behind.add(slug)
            return known
        new = make_desk(name, slug, self.settings)
        row = store.DeskRow(slug, name, f"tag:{new.host},{self.now:%Y-%m-%d}:{slug}")
        store.add_desk(connection, row)
        return replace(new, tag=row.tag)

    def _claim(self, placed: Placed, name: str) -> None:
        """Two files of one run cannot both be an article, or each run would make two versions."""
        row = placed.row
        before = self.files.setdefault(row.id, name)
        if placed.before is None or placed.before.digest == row.digest:
            return
        if before != name and sources.absolute(before) != sources.absolute(name):
            raise ArticleError(
                f"{sources.label(name)} is the same article as {sources.label(before)} "
                f"({'both have the id ' + row.own_id if row.own_id else 'by their words'}), "
                "with another content. Give one of them an id of its own, or take it away."
            )

    def _read(self, name: str) -> Article:
        article = read_article(name, self.settings, self.publishers)
        warnings = [note for note in article.notes if note.level == "warning"]
        if self.options.strict and warnings:
            first = warnings[0]
            more = f" ({len(warnings) - 1} more)" if len(warnings) > 1 else ""
            raise ArticleError(
                f"{sources.label(name)}, {first.where}: {first.message}{more} "
                "Refused because of --strict."
            )
        return replace(
            article,
            desk=self.options.desk or article.desk,
            published=self.options.published or article.published,
            slug=self.options.slug or article.slug,
        )

    def _record(self, connection: Connection, placed: Placed, entry: feed.FeedEntry | None) -> None:
        row, article = placed.row, placed.article
        row = replace(row, entry=json.dumps(entry.to_json()) if entry else placed.row.entry)
        if placed.before is None:
            key = store.add(connection, row)
        else:
            key = row.key
            changed = {
                name: getattr(row, name)
                for name in ArticleRow.__slots__
                if getattr(row, name) != getattr(placed.before, name)
            }
            if changed:
                store.change(connection, key, **changed)
        if row.entry is not None:
            is_new = placed.before is None or placed.before.entry is None
            self.touched.setdefault(row.desk, []).append(Touched(row.day, key, is_new))
        if placed.before is None or placed.before.version != row.version:
            content = json.dumps(article_json.to_json(article), ensure_ascii=False)
            store.add_version(
                connection,
                key,
                VersionRow(row.version, self.now, row.digest, article.headline, content),
            )

    def _feeds(self, connection: Connection, release: Files) -> None:
        for slug, desk in self.desks.items():
            archives = self.archives.get(slug, set())
            topics = release_feeds(connection, release, desk, self.templates, archives)
            for hub in desk.hubs:
                pings.add(connection, hub, topics, self.now)
        if self.desks:
            release_site(
                connection,
                release,
                self.desks.values(),
                self.touched,
                self.templates,
                self.settings,
                self.options.out,
                self.now,
            )

    def _told(self, name: str, desk: Desk, placed: Placed, notes: tuple[Note, ...]) -> Outcome:
        out, path = self.options.out, placed.article.path
        outbox = out / "outbox" / desk.slug / str(path)
        if desk.slug in self.behind:
            notes = (*notes, _behind_note(desk))
        showing = showings(desk)[0]
        web_page: str | None = page_path(showing, str(path))
        if placed.row.entry is None and placed.held_back:
            web_page = None
        return Outcome(
            path=name,
            action=placed.action,
            notes=placed.article.notes + notes,
            id=placed.article.id,
            version=placed.article.version,
            desk=desk.name,
            slug=placed.article.slug,
            headline=placed.article.headline,
            files={
                "web": str(out / web_page) if web_page else None,
                **{kind: str(outbox / file) for kind, file in OUTBOX.items()},
            },
            feeds={f: str(out / showing.folder / f"feed.{f}") for f in feed.FORMS},
        )


def _behind_note(desk: Desk) -> Note:
    return Note(
        "warning",
        "access",
        f"{desk.name} is {desk.access} now, and was not when its earlier articles were written: "
        f"who may read those has not changed. Run dispatch rebuild --desk {desk.slug}.",
    )


class _Nowhere:
    """Takes files and keeps none."""

    def write(self, path: str, data: bytes) -> bool:  # noqa: ARG002
        """Nothing is written."""
        return False

    def remove(self, path: str) -> bool:  # noqa: ARG002
        """Nothing is removed."""
        return False


def _refused(name: str, why: str, error: Exception) -> Outcome:
    return Outcome(name, "refused", (Note("warning", "article", why),), error=error)
