"""Plain text as it comes when an article is pasted: headline, text, sources, correspondent.

Nothing marks the parts, so each is told by evidence: ``opening.py`` reads what
stands above the body, ``layout.py`` the body, ``sections.py`` finds the closing
sections, ``sources.py`` and ``correspondent.py`` read those. Where the evidence
does not decide, the text is left as it is and a note says so. The text itself
stands in the article to the letter: ``<script>`` and ``*this*`` are text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dispatch.article import Article, Author, Block, Note, Paragraph
from dispatch.errors import ArticleError
from dispatch.markup import escape
from dispatch.readers.correspondent import Correspondents, read_correspondents
from dispatch.readers.embargoes import embargo_line, embargo_time
from dispatch.readers.folding import fold
from dispatch.readers.pasted.dateline import split_dateline
from dispatch.readers.pasted.labels import keywords_of
from dispatch.readers.pasted.layout import Line, Unit, blocks_of, lines_of
from dispatch.readers.pasted.opening import Opening, read_opening
from dispatch.readers.pasted.sections import Closing, inline_note, take_sections
from dispatch.readers.pasted.sources import read_sources
from dispatch.readers.publishers import Publishers

_LAST_LINES = 4
"""How many lines of text at a file's end may be embargo lines."""
_BODY_SEARCHED = 200_000
"""Characters of the body in which publishers' names are looked for."""


def read(text: str, name: str, publishers: Publishers | None = None) -> Article:
    """The article that a pasted text holds.

    Args:
        text: decoded and cleaned, see ``text.py``.
        name: what to call the file in errors.
        publishers: what is known of publishers and desks; None: what ships.

    Raises:
        ArticleError: no headline, no body, or a field that cannot be
            understood. Names file and line.
    """
    known = publishers or Publishers.load()
    lines, held_until = _without_embargo_below(lines_of(text), name)
    closing = take_sections(lines)
    opening = read_opening(closing.rest, name, known)
    if "embargo" in opening.times:
        held_until.append(opening.times["embargo"])
    units = _without_notes(opening.body, closing)
    dateline, units = _without_dateline(units)
    people = _correspondents(closing, opening, known)
    unread = tuple(Paragraph(escape(line.text.strip())) for line in people.unread)
    body: tuple[Block, ...] = blocks_of(units) + unread
    if not body:
        raise ArticleError(
            f"{name} has a headline and no text below it. Add the article's text and try again."
        )
    searched = "\n".join(unit.text for unit in units)[:_BODY_SEARCHED]
    sources, doubts = read_sources(closing.sources, known, searched)
    byline = _one_byline(opening.byline, people.authors)
    desk = opening.words.get("desk") or next((a.desk for a in byline if a.desk), None)
    return Article(
        headline=opening.headline,
        body=body,
        reader="pasted",
        standfirst=opening.standfirst,
        slug=opening.words.get("slug"),
        desk=desk,
        language=opening.words.get("language"),
        byline=byline,
        dateline=dateline,
        published=opening.times.get("published"),
        updated=opening.times.get("updated"),
        embargo=max(held_until, default=None),
        keywords=opening.keywords or keywords_of(closing.keywords or ""),
        sources=sources,
        editors_note=" ".join(closing.editors_note) or None,
        rights=closing.rights,
        notes=(*opening.notes, *doubts, *people.notes, *closing.notes),
    )


def _without_embargo_below(lines: Sequence[Line], name: str) -> tuple[list[Line], list[datetime]]:
    """The lines without the embargo lines among the last, and the times those name."""
    written = [n for n, line in enumerate(lines) if line.text]
    held: dict[int, datetime] = {}
    for n in written[1:][-_LAST_LINES:]:
        value = embargo_line(lines[n].text)
        if value is not None:
            held[n] = embargo_time(value, f"{name}, line {lines[n].number}")
    return [line for n, line in enumerate(lines) if n not in held], list(held.values())


def _without_notes(units: Sequence[Unit], closing: Closing) -> list[Unit]:
    """The units that are no editor's note by their first words."""
    kept = []
    for unit in units:
        note = inline_note(unit.text) if unit.kind == "text" else None
        if note is None:
            kept.append(unit)
        else:
            closing.editors_note.append(note)
    return kept


def _without_dateline(units: Sequence[Unit]) -> tuple[str | None, list[Unit]]:
    if not units or units[0].kind != "text":
        return None, list(units)
    dateline, text = split_dateline(units[0].text)
    return dateline, [replace(units[0], texts=(text,)), *units[1:]]


def _correspondents(closing: Closing, opening: Opening, known: Publishers) -> Correspondents:
    """Those of the section, with a note on lines that name nobody; they become text again."""
    names = [author.name for author in opening.byline]
    people = read_correspondents(closing.correspondent, known, names)
    if not people.unread:
        return people
    note = Note(
        "warning",
        f"line {people.unread[0].number}",
        "The section about the correspondent names nobody here; the text was kept in the body.",
    )
    return replace(people, notes=(*people.notes, note))


def _one_byline(above: Sequence[Author], below: Sequence[Author]) -> tuple[Author, ...]:
    """The byline at the top, with what the section at the end adds to it."""
    told = {fold(author.name): author for author in below}
    merged = [_with(author, told.pop(fold(author.name), None)) for author in above]
    return (*merged, *(author for author in below if fold(author.name) in told))


def _with(author: Author, more: Author | None) -> Author:
    if more is None:
        return author
    return Author(
        author.name,
        role=author.role or more.role,
        desk=author.desk or more.desk,
        bio=more.bio,
        email=author.email or more.email,
        url=author.url or more.url,
    )
