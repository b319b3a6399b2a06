"""Giving an article its place: its id, address, version and times, for good."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import Connection

from dispatch import article_json
from dispatch.article import Article, Note
from dispatch.desk import Desk
from dispatch.newsroom import identity, slugs
from dispatch.newsroom.identity import Candidate
from dispatch.store import articles as store
from dispatch.store.articles import ArticleRow
from dispatch.store.tables import epoch


@dataclass(frozen=True, slots=True)
class Placed:
    """An article in its place. ``before`` is its row as it was, None where it is new."""

    article: Article
    row: ArticleRow
    before: ArticleRow | None
    held_back: bool
    """Its embargo has not passed: nothing of this version may become public."""

    @property
    def action(self) -> Literal["published", "updated", "unchanged"]:
        """``published`` where it is new or newly public, ``updated`` or ``unchanged``."""
        if self.before is None:
            return "published"
        if self.before.version != self.row.version:
            return "updated"
        was_public = self.before.public_version == self.row.public_version
        return "unchanged" if was_public else "published"


def place(
    connection: Connection, article: Article, desk: Desk, file: str | None, now: datetime
) -> Placed:
    """Find the article's earlier publication or a free place; reads the database only.

    Args:
        file: the absolute path it was read from; None: standard input.

    Raises:
        ArticleError: its slug cannot stand in an address.
    """
    candidate = _candidate(article, desk, file)
    before = identity.find(connection, candidate, now.astimezone(desk.timezone).date())
    held_back = article.embargo is not None and article.embargo > now
    if before is None:
        row, notes = _new(connection, candidate, desk, now)
    else:
        row, notes = _again(candidate, before, now)
    if held_back and article.embargo:
        notes = (*notes, _embargo_note(article.embargo, row))
    elif row.published > now:
        notes = (*notes, _future_note(row.published))
    if not held_back:
        since = row.public_since
        if row.public_version is None:
            since = _public_since(connection, desk.slug, now)
        row = replace(row, public_version=row.version, public_since=since)
    placed = replace(
        article,
        id=row.id,
        slug=row.slug,
        desk=desk.name,
        path=f"{row.day:%Y/%m/%d}/{row.slug}",
        version=row.version,
        published=row.published,
        updated=row.updated,
        notes=article.notes + notes,
    )
    return Placed(placed, row, before, held_back)


def _public_since(connection: Connection, desk: str, now: datetime) -> datetime:
    """A time that is later than that of every article of the desk that is public already."""
    newest = store.newest_public_since(connection, desk)
    if newest is None or epoch(newest) < epoch(now):
        return now
    return newest + timedelta(milliseconds=1)


def _candidate(article: Article, desk: Desk, file: str | None) -> Candidate:
    digest = article_json.digest(article)
    if article.slug is not None:
        slug = slugs.asked(article.slug, "slug")
    else:
        language = article.language or desk.language
        slug = slugs.slugify(article.headline, language) or f"article-{digest[:8]}"
    day = article.published.astimezone(desk.timezone).date() if article.published else None
    return Candidate(article, desk.slug, slug, day, file, digest)


def _new(
    connection: Connection, candidate: Candidate, desk: Desk, now: datetime
) -> tuple[ArticleRow, tuple[Note, ...]]:
    article = candidate.article
    notes: list[Note] = []
    if article.published is None:
        published = _first_public(article, now)
        which = "the end of its embargo" if published > now else "the time of its first publication"
        notes.append(
            Note(
                "info",
                "published",
                f"The article names no date: {published:%Y-%m-%dT%H:%M:%SZ}, {which}, "
                "is taken and kept.",
            )
        )
    else:
        published = article.published.astimezone(UTC)
    day = published.astimezone(desk.timezone).date()
    slug = _free_slug(connection, desk.slug, day, candidate.slug)
    if slug != candidate.slug:
        notes.append(
            Note(
                "info",
                "slug",
                f"Another article of this day has the slug {candidate.slug}: this one is {slug}. "
                "Give it a slug or an id of its own to choose.",
            )
        )
    row = ArticleRow(
        key=0,
        id=_tag(desk, day, slug, article.id),
        own_id=article.id,
        desk=desk.slug,
        day=day,
        slug=slug,
        asked_slug=candidate.slug,
        dated=article.published is not None,
        file=candidate.file,
        published=published,
        updated=max(published, article.updated.astimezone(UTC)) if article.updated else published,
        version=1,
        public_version=None,
        digest=candidate.digest,
        entry=None,
        archive=None,
    )
    return row, tuple(notes)


def _again(
    candidate: Candidate, before: ArticleRow, now: datetime
) -> tuple[ArticleRow, tuple[Note, ...]]:
    article = candidate.article
    notes: list[Note] = []
    if article.published and article.published.astimezone(UTC) != before.published:
        notes.append(
            Note(
                "info",
                "published",
                f"First published {before.published:%Y-%m-%dT%H:%M:%SZ}, and that stays; "
                f"the article now says {article.published.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}.",
            )
        )
    if candidate.slug not in (before.slug, before.asked_slug):
        notes.append(
            Note(
                "info",
                "slug",
                f"Taken for the next version of {before.slug} ({before.day}), and it keeps that "
                "address. Give it an id of its own if it is another article.",
            )
        )
    row = replace(
        before,
        own_id=article.id or before.own_id,
        asked_slug=candidate.slug,
        file=_file(candidate, before),
    )
    waits_no_longer = before.public_version is None and not before.dated and before.published > now
    if waits_no_longer:  # its embargo was lifted or moved
        published = _first_public(article, now)  # which is never before now
        row = replace(row, published=published, updated=published)
    if candidate.digest != before.digest:
        row = replace(
            row,
            version=before.version + 1,
            digest=candidate.digest,
            updated=max(row.published, _moved(article, before, now)),
        )
    return row, tuple(notes)


def _first_public(article: Article, now: datetime) -> datetime:
    """When an article that names no date becomes public for the first time."""
    return max(now, article.embargo.astimezone(UTC)) if article.embargo else now


def _moved(article: Article, before: ArticleRow, now: datetime) -> datetime:
    """The time of a new version: what it says, where that is later than before, else now."""
    said = article.updated.astimezone(UTC) if article.updated else now
    if before.updated < said <= now:
        return said
    return max(now, before.updated + timedelta(seconds=1))


def _file(candidate: Candidate, before: ArticleRow) -> str | None:
    """Where it is read from: a twin does not take the place of the file that is known."""
    known = before.file
    if candidate.file is None or (known and known != candidate.file and Path(known).exists()):
        return known
    return candidate.file


def _free_slug(connection: Connection, desk: str, day: date, slug: str) -> str:
    if not store.slug_is_taken(connection, desk, day, slug):
        return slug
    numbered = (f"{slug}-{n}" for n in count(2))
    return next(s for s in numbered if not store.slug_is_taken(connection, desk, day, s))


_URI = re.compile(r"(?:tag|urn|https?):[^\s<>\"{}|\\^`]+")


def _tag(desk: Desk, day: date, slug: str, own_id: str | None) -> str:
    """The article's id for the world: its own if that is a URI, else a tag: URI (RFC 4151)."""
    if own_id is None:
        return f"tag:{desk.host},{day:%Y-%m-%d}:{desk.slug}/{slug}"
    if _URI.fullmatch(own_id) and own_id.isascii():
        return own_id
    return f"tag:{desk.host},{day:%Y-%m-%d}:{desk.slug}:{quote(own_id, safe='')}"


def _embargo_note(embargo: datetime, row: ArticleRow) -> Note:
    until = f"{embargo.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if row.entry is None:
        said = "the web page and the feeds go without it until then"
    else:
        said = "it is public already, and stays as it was until then"
    return Note("warning", "embargo", f"Embargoed until {until}: {said}. Publish it again after.")


def _future_note(published: datetime) -> Note:
    return Note(
        "warning",
        "published",
        f"It is dated {published:%Y-%m-%d %H:%M} UTC, which is still to come, and is public now. "
        "Give it an embargo to hold it back.",
    )
