"""Giving an article its place: its id, address, version and times, for good."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from urllib.parse import quote

from sqlalchemy import Connection

from dispatch import article_json
from dispatch.article import Article, Note
from dispatch.desk import Desk
from dispatch.newsroom import identity, slugs
from dispatch.newsroom.identity import Candidate
from dispatch.store import articles as store
from dispatch.store.articles import ArticleRow


@dataclass(frozen=True, slots=True)
class Placed:
    """An article in its place. ``before`` is its row as it was, None where it is new."""

    article: Article
    row: ArticleRow
    before: ArticleRow | None
    held_back: bool
    """Its embargo has not passed: nothing of this version may become public."""

    @property
    def action(self) -> str:
        if self.before is None:
            return "published"
        if self.before.version != self.row.version:
            return "updated"
        first_public = self.before.entry is None and not self.held_back
        return "published" if first_public else "unchanged"


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
        published = max(now, article.embargo.astimezone(UTC)) if article.embargo else now
        notes.append(
            Note(
                "info",
                "published",
                f"The article names no date: {published:%Y-%m-%dT%H:%M:%SZ}, the time of its "
                "first publication, is taken and kept.",
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
    row = replace(
        before,
        own_id=article.id or before.own_id,
        file=candidate.file or before.file,
    )
    if candidate.digest != before.digest:
        said = article.updated.astimezone(UTC) if article.updated else now
        row = replace(
            row,
            version=before.version + 1,
            digest=candidate.digest,
            updated=max(said, before.updated) if article.updated else max(now, before.updated),
        )
    return row, tuple(notes)


def _free_slug(connection: Connection, desk: str, day: date, slug: str) -> str:
    if not store.slug_is_taken(connection, desk, day, slug):
        return slug
    numbered = (f"{slug}-{n}" for n in count(2))
    return next(s for s in numbered if not store.slug_is_taken(connection, desk, day, s))


_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:[^\s<>\"{}|\\^`]+")


def _tag(desk: Desk, day: date, slug: str, own_id: str | None) -> str:
    """The article's id for the world: its own if that is a URI, else a tag: URI (RFC 4151)."""
    if own_id is None:
        return f"tag:{desk.host},{day:%Y-%m-%d}:{desk.slug}/{slug}"
    if _ABSOLUTE_URI.fullmatch(own_id) and own_id.isascii():
        return own_id
    return f"tag:{desk.host},{day:%Y-%m-%d}:{desk.slug}:{quote(own_id, safe='')}"


def _embargo_note(embargo: datetime, row: ArticleRow) -> Note:
    until = f"{embargo.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if row.entry is None:
        said = "the web page and the feeds go without it until then"
    else:
        said = "it is public already, and stays as it was until then"
    return Note("warning", "embargo", f"Embargoed until {until}: {said}. Publish it again after.")
