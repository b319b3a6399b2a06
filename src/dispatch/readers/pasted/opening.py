"""What stands above an article's body: headline, standfirst, byline and fields.

The first line is the headline. What follows is told apart by evidence: a line
``By NAME``, fields such as ``Published: 2026-10-04T09:30+02:00``, and a
standfirst, which layout and length have to be for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from dispatch.article import Author, Level, Note
from dispatch.errors import ArticleError
from dispatch.markup import one_line
from dispatch.readers.correspondent import is_desk, is_name, is_title, read_byline
from dispatch.readers.embargoes import embargo_time
from dispatch.readers.pasted.dateline import split_dateline
from dispatch.readers.pasted.labels import (
    TIMES,
    field_of,
    is_language,
    is_release_line,
    keywords_of,
    unlabelled_time,
)
from dispatch.readers.pasted.layout import Line, Unit, ends_sentence, units_of
from dispatch.readers.publishers import Publishers
from dispatch.readers.times import parse_time

_LONGEST_HEADLINE = 300
_LONGEST_STANDFIRST = 400
_SENTENCES = re.compile(r"[.!?…]+[\"'”’»)]*(?=\s)|[。！？]")
# Between the parts of a line such as: By NAME | World, published 4 October 2026.
_BARS = re.compile(
    r"\s*[|｜·•]\s*|,?\s+(?=(?:last updated|(?<!last )updated|published|posted)\b)", re.IGNORECASE
)


@dataclass(slots=True)
class Opening:
    """What stands above the body, and the body's units."""

    headline: str = ""
    standfirst: str | None = None
    byline: tuple[Author, ...] = ()
    times: dict[str, datetime] = field(default_factory=dict)
    keywords: tuple[str, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    """Slug, desk and language, where given."""
    notes: list[Note] = field(default_factory=list)
    body: list[Unit] = field(default_factory=list)


def read_opening(lines: Sequence[Line], name: str, publishers: Publishers) -> Opening:
    """Reads from the headline to where the body begins.

    Args:
        lines: the article without its closing sections.
        name: what to call the file in errors.

    Raises:
        ArticleError: no headline, or one that is a paragraph; a field that
            cannot be understood. Names the line.
    """
    reader = _Reader(lines, name, publishers)
    at = reader.take_headline()
    headline = lines[at - 1].number if at else 0
    while at < len(lines):
        taken = reader.take(at)
        if not taken:
            break
        at += taken
    opening = reader.opening
    opening.body = units_of(lines[at:])
    if opening.standfirst is None and _has_standfirst(opening, headline):
        opening.standfirst = opening.body.pop(0).text
    return opening


class _Reader:
    """Takes line after line into the opening, until one belongs to the body."""

    def __init__(self, lines: Sequence[Line], name: str, publishers: Publishers) -> None:
        self.lines = lines
        self.name = name
        self.publishers = publishers
        self.opening = Opening()
        self.after_byline = False

    def take_headline(self) -> int:
        """Takes the headline and the fields above it; where the rest begins."""
        at = 0
        while at < len(self.lines) and self._is_above_headline(self.lines[at]):
            at += 1
        if not self.opening.headline and at < len(self.lines):
            self.opening.headline = one_line(self.lines[at].text)
            at += 1
        self._check_headline(self.lines[at - 1].number if at else 1)
        return at

    def _is_above_headline(self, line: Line) -> bool:
        if not line.text:
            return True
        found = field_of(line.text, first=True)
        if self.opening.headline or not (found or is_release_line(line.text)):
            return False
        return self._take_line(line)

    def _check_headline(self, number: int) -> None:
        headline = self.opening.headline
        if not any(map(str.isalnum, headline)):
            raise ArticleError(
                f"{self.name} has no headline. Write it on the first line, above the text."
            )
        if len(headline) > _LONGEST_HEADLINE:
            raise ArticleError(
                f"{self.name}, line {number}: the first line is {len(headline)} characters long, "
                "which is a paragraph and no headline. Write a headline on a line of its own "
                "above it."
            )

    def take(self, at: int) -> int:
        """Takes what is not yet the body at ``at``; how many lines, 0 where the body begins."""
        line = self.lines[at]
        if not line.text:
            return 1
        after_byline, self.after_byline = self.after_byline, False
        if self._take_line(line) or self._take_between_bars(line):
            return 1
        if after_byline and self._take_role(line.text.strip()):
            return 1
        return 0 if self.opening.standfirst else self._take_above_byline(at)

    def _take_line(self, line: Line) -> bool:
        """Takes a line that says by itself what it is."""
        text = line.text.strip()
        found = field_of(text)
        if is_release_line(text):
            self._note("info", line, f"Left out “{text}”.")
        elif found:
            self._set(*found, f"{self.name}, line {line.number}")
        elif time := unlabelled_time(text):
            self._set_unlabelled(*time, line)
        elif not self.opening.byline and (authors := read_byline(text, self.publishers)):
            self.opening.byline = authors
            self.after_byline = True
        else:
            return False
        return True

    def _take_between_bars(self, line: Line) -> bool:
        """``By NAME | World | 4 October 2026``: each part as on a line of its own."""
        parts = _BARS.split(line.text.strip())
        if len(parts) < 2 or not all(map(self._is_known_or_desk, parts)):
            return False
        for part in parts:
            if not self._take_line(Line(line.number, part)):
                self.opening.words.setdefault("desk", part)
        return True

    def _take_role(self, text: str) -> bool:
        """``World Affairs Editor`` below the byline is what its author is."""
        *others, last = self.opening.byline
        if last.role or not is_title(text):
            return False
        self.opening.byline = (*others, replace(last, role=text))
        return True

    def _take_above_byline(self, at: int) -> int:
        """A standfirst, a desk or a name shows in that a byline, a field or a role follows it."""
        end = at
        while end < min(len(self.lines), at + 4) and self._is_plain(self.lines[end]):
            end += 1
        texts = [line.text.strip() for line in self.lines[at:end]]
        if len(texts) == 2 and is_name(texts[0]) and is_title(texts[1]):
            self.opening.byline = (Author(texts[0], role=texts[1]),)
            return 2
        following = next((line.text for line in self.lines[end:] if line.text), "")
        text = one_line(" ".join(texts))
        if not 0 < len(texts) <= 3 or len(text) > _LONGEST_STANDFIRST:
            return 0
        if not self._is_known(following.strip()):
            return 0
        if is_desk(text, self.publishers):
            self.opening.words.setdefault("desk", text)
        else:
            self.opening.standfirst = text
        return end - at

    def _is_plain(self, line: Line) -> bool:
        return bool(line.text) and not self._is_known(line.text.strip())

    def _is_known(self, text: str) -> bool:
        """Whether a text says by itself what it is: field, time, byline or several of them."""
        if not text or len(text) > _LONGEST_STANDFIRST:
            return False
        if field_of(text) or unlabelled_time(text) or read_byline(text, self.publishers):
            return True
        parts = _BARS.split(text)
        return len(parts) > 1 and all(map(self._is_known_or_desk, parts))

    def _is_known_or_desk(self, text: str) -> bool:
        return bool(text) and (is_desk(text, self.publishers) or self._is_known(text))

    def _set(self, field_name: str, value: str, where: str) -> None:
        opening = self.opening
        if field_name == "embargo":
            time = embargo_time(value, where)
            opening.times["embargo"] = max(time, opening.times.get("embargo", time))
        elif field_name in TIMES:
            opening.times[field_name] = parse_time(value, field_name, where)
        elif field_name == "keywords":
            opening.keywords = keywords_of(value)
        elif field_name == "headline":
            opening.headline = value
        elif field_name == "standfirst":
            opening.standfirst = value
        elif field_name == "language" and not is_language(value):
            raise ArticleError(
                f"{where}: the language “{value[:40]}” is no language tag. "
                "Write one such as en or pt-BR."
            )
        else:
            opening.words[field_name] = value

    def _set_unlabelled(self, field_name: str, value: str, line: Line) -> None:
        """A date that nobody called a field is no error: without time and zone it is left out."""
        try:
            self._set(field_name, value, self.name)
        except ArticleError:
            label = field_name.capitalize()
            self._note(
                "warning",
                line,
                f"Left out “{line.text.strip()}”: it looks like when the article was {field_name}, "
                f"but is no time with a zone. Write {label}: 2026-10-04T09:30+02:00.",
            )

    def _note(self, level: Level, line: Line, message: str) -> None:
        self.opening.notes.append(Note(level, f"line {line.number}", message))


# Standfirst --------------------------------------------------------------------------------------


def _has_standfirst(opening: Opening, headline: int) -> bool:
    """Whether the body's first unit is the standfirst; ``headline`` is the headline's line."""
    if len(opening.body) < 2 or opening.body[0].kind != "text":
        return False
    first, *others = opening.body
    texts = [unit.text for unit in others if unit.kind == "text"][:12]
    if not texts or split_dateline(first.text)[0] or first.text[-1] in ":：":
        return False
    if len(first.text) > _LONGEST_STANDFIRST or len(_SENTENCES.findall(first.text)) > 2:
        return False
    if split_dateline(texts[0])[0]:
        return True
    adjacent = first.number == headline + 1
    parted = others[0].number > first.last + 1
    if parted and (adjacent or _is_run_on(others)):
        return len(first.text) <= (1.5 if adjacent else 0.75) * _usual_length(texts)
    return _is_short(first, texts, opening, parted=parted)


def _is_short(first: Unit, texts: Sequence[str], opening: Opening, *, parted: bool) -> bool:
    """Whether length and punctuation mark a standfirst where layout does not."""
    usual = _usual_length(texts)
    sentences = sum(map(ends_sentence, texts)) > len(texts) / 2
    if sentences and not ends_sentence(first.text) and len(first.text) <= usual:
        return True
    short = len(first.text) <= 0.6 * usual and not _SENTENCES.search(first.text)
    if short and parted:
        message = (
            "Read as the article's first paragraph. If it is the standfirst, write it directly "
            "below the headline."
        )
        opening.notes.append(Note("info", f"line {first.number}", message))
    return short and not parted


def _usual_length(texts: Sequence[str]) -> int:
    """The median, which one long or short paragraph does not move."""
    return sorted(map(len, texts))[len(texts) // 2]


def _is_run_on(units: Sequence[Unit]) -> bool:
    """Whether most units follow each other without blank lines."""
    gaps = [two.number > one.last + 1 for one, two in pairwise(units)]
    return sum(gaps) < len(gaps) / 2
