"""What stands above an article's body: headline, standfirst, byline and fields.

The first line is the headline. What follows is told apart by evidence: a line
``By NAME``, fields such as ``Published: 2026-10-04T09:30+02:00``, and a
standfirst, which layout and length have to be for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from dispatch.article import Author, Note
from dispatch.errors import ArticleError
from dispatch.markup import one_line
from dispatch.readers.correspondent import is_desk, read_byline
from dispatch.readers.layout import Line, Unit, ends_sentence, units_of
from dispatch.readers.publishers import Publishers
from dispatch.readers.times import parse_time

_LONGEST_HEADLINE = 300
_LONGEST_STANDFIRST = 400

_LABELS = {
    label.strip(): name
    for name, labels in {
        "headline": "headline; title",
        "standfirst": "standfirst; dek; subtitle; subheadline; chapeau",
        "published": "published; date; veröffentlicht; publié; publié le; publicado; pubblicato",
        "updated": "updated; last updated; aktualisiert; mis à jour; mis à jour le; actualizado",
        "embargo": "embargo; embargoed; embargoed until; embargo until; sperrfrist; embargo bis;"
        "embargo jusqu'au; embargo hasta",
        "keywords": "keywords; tags; schlagwörter; stichwörter; mots-clés; palabras clave;"
        "etiquetas; parole chiave; palavras-chave",
        "slug": "slug",
        "desk": "desk; section; ressort; rubrique; sección; rubrik",
        "language": "language; lang; sprache; langue; idioma; lingua",
    }.items()
    for label in labels.split(";")
}
_FIELD = re.compile(r"(?P<label>[^\W\d_][^:：]{1,25}?)\s*[:：]\s*(?P<value>\S.*)")
_EMBARGO = re.compile(
    r"(?:strictly\s+)?(?:(?:embargo(?:ed)?|not for (?:publication|release|broadcast))\s+"
    r"(?:until|till|before|bis|jusqu['’]au|hasta)|sperrfrist)\b\s*[:：]?\s*(?P<value>\S.*)",
    re.IGNORECASE,
)
_BARE_EMBARGO = re.compile(r"\W{0,3}EMBARGO(?:ED)?\W{0,3}")
_TIMES = ("published", "updated", "embargo")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_RELEASE = re.compile(
    r"\W{0,5}(?:for immediate release|(?:press|news|media) release|pressemitteilung"
    r"|communiqué de presse|comunicado de prensa|nota de prensa)\W{0,5}",
    re.IGNORECASE,
)
# 4 October 2026, or Published October 4, 2026 at 9 am: a time that no label's colon marks.
_BARE_TIME = re.compile(
    r"(?:(?P<label>published|posted|updated|last updated)(?:\s+(?:on|at))?\s+)?"
    r"(?P<time>(?:[^\W\d_]{2,10}\.?,?\s+)?(?:\d{4}-\d\d-\d\d|\d{1,2}\.?\s+[^\W\d_]{3,10}\.?,?\s+\d{4}"
    r"|[^\W\d_]{3,10}\.?\s+\d{1,2},\s+\d{4}|\d{1,2}[./]\d{1,2}[./]\d{4})"
    r"(?:(?:,?\s*(?:at|um|à)\s+|,?\s+|t)\d{1,2}(?:[:.h]?\d{2}){0,2}\s*(?:[ap]\.?m\.?|uhr)?"
    r"\s*(?:[+-][\d:]{2,5}|(?-i:\(?[A-Z]{1,5}\)?|[A-Z][a-z]+/[A-Z]\w+))?)?)",
    re.IGNORECASE,
)
_TIME_LIKE = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|\d\s*[ap]\.?m\b", re.IGNORECASE)
_SENTENCES = re.compile(r"[.!?…]+[\"'”’»)]*(?=\s)|[。！？]")

_MONTH = (
    r"(?:jan|feb|fév|mar|mär|maa|apr|avr|abr|may|mai|mag|mei|maj|jun|juin|giu|jul|juil|lug|aug|août|ago"
    r"|sep|set|oct|okt|ott|out|nov|dec|dez|déc|dic|des|ene|gen)[^\W\d_]{0,7}"
)
# CAIRO, Oct 3 (Agency) — and Kairo/Berlin (dpa) - and BERLIN —
_DATELINE = re.compile(
    r"(?P<dateline>(?P<place>[^\W\d_][^\d—–(),:.]{1,40}(?:\.(?=[ ,])[^\d—–(),:.]{0,20})?)"
    r"(?P<region>,\s[^\W\d_][^\d—–(),:]{1,24})?"
    rf"(?P<date>,\s(?:{_MONTH}\.?\s\d{{1,2}}|\d{{1,2}}\.?(?:\sde)?\s{_MONTH})\.?(?:,?\s\d{{4}})?)?"
    r"(?P<agency>\s\([^()]{2,40}\)|(?(date)\s(?-i:[A-Z]{2,8})|(?!)))?)"
    r"\s*\.?\s*(?:—|–|--|-(?=\s))\s*(?=\S)",
    re.IGNORECASE,
)
_ACRONYMS = frozenset(
    {"NATO", "OTAN", "OPEC", "UNESCO", "UNICEF", "UNRWA", "UNHCR", "ASEAN", "FIFA", "UEFA", "NASA"}
    | {"INTERPOL", "COVID", "BRICS", "OSCE", "IAEA", "ECOWAS", "MERCOSUR", "EXCLUSIVE", "BREAKING"}
    | {"ANALYSIS", "OPINION", "UPDATE", "WATCH", "LIVE", "EXPLAINER", "VIDEO", "CORRECTION", "NOTE"}
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
    opening = Opening()
    at = _take_above_headline(lines, opening, name)
    headline = at
    if not opening.headline and at < len(lines):
        opening.headline = one_line(lines[at].text)
        at += 1
    _check_headline(opening.headline, lines, headline, name)
    while at < len(lines):
        taken = _take(lines, at, opening, name, publishers)
        if not taken:
            break
        at += taken
    opening.body = units_of(lines[at:])
    if opening.standfirst is None and _has_standfirst(opening, lines, headline):
        opening.standfirst = opening.body.pop(0).text
    return opening


# Headline and fields -----------------------------------------------------------------------------


def _take_above_headline(lines: Sequence[Line], opening: Opening, name: str) -> int:
    """Takes fields that stand above the headline; where that is."""
    for at, line in enumerate(lines):
        if not line.text or _RELEASE.fullmatch(line.text):
            _note_release(line, opening)
            continue
        found = _field(line.text, first=True)
        if not found or opening.headline:
            return at
        _set_field(*found, line, opening, name)
    return len(lines)


def _check_headline(headline: str, lines: Sequence[Line], at: int, name: str) -> None:
    if not any(map(str.isalnum, headline)):
        raise ArticleError(f"{name} has no headline. Write it on the first line, above the text.")
    if len(headline) > _LONGEST_HEADLINE:
        number = lines[min(at, len(lines) - 1)].number
        raise ArticleError(
            f"{name}, line {number}: the first line is {len(headline)} characters long, which is a "
            "paragraph and no headline. Write a headline on a line of its own above it."
        )


def _take(
    lines: Sequence[Line], at: int, opening: Opening, name: str, publishers: Publishers
) -> int:
    """Takes what is not yet the body at ``at``; how many lines it has, 0 where the body begins."""
    line = lines[at]
    if not line.text or _RELEASE.fullmatch(line.text):
        _note_release(line, opening)
        return 1
    found = _field(line.text)
    if found:
        _set_field(*found, line, opening, name)
        return 1
    if _take_bare_time(line, opening, name):
        return 1
    authors = None if opening.byline else read_byline(line.text.strip(), publishers)
    if authors:
        opening.byline = authors
        return 1
    return 0 if opening.standfirst else _take_above_byline(lines, at, opening, publishers)


def _take_above_byline(
    lines: Sequence[Line], at: int, opening: Opening, publishers: Publishers
) -> int:
    """A standfirst shows in that a byline or a field follows it."""
    end = at
    while end < len(lines) and lines[end].text and not _ends_opening(lines[end], publishers):
        end += 1
    following = next((line for line in lines[end:] if line.text), None)
    text = " ".join(line.text.strip() for line in lines[at:end])
    if following is None or not 0 < end - at <= 3 or len(text) > _LONGEST_STANDFIRST:
        return 0
    if not _ends_opening(following, publishers):
        return 0
    if is_desk(text, publishers):
        opening.words.setdefault("desk", text)
    else:
        opening.standfirst = one_line(text)
    return end - at


def _take_bare_time(line: Line, opening: Opening, name: str) -> bool:
    """Takes a line that is a date and nothing else; one that is no full time is told."""
    text = line.text.strip()
    found = _BARE_TIME.fullmatch(text)
    if not found or ends_sentence(text):
        return False
    field_name = "updated" if "updated" in (found["label"] or "").lower() else "published"
    try:
        opening.times[field_name] = parse_time(found["time"], field_name, name)
    except ArticleError:
        message = (
            f"Left out “{text}”: it looks like when the article was {field_name}, but is no time "
            f"with a zone. Write {field_name.capitalize()}: 2026-10-04T09:30+02:00."
        )
        opening.notes.append(Note("warning", f"line {line.number}", message))
    return True


def _ends_opening(line: Line, publishers: Publishers) -> bool:
    return bool(_field(line.text) or read_byline(line.text.strip(), publishers))


def _note_release(line: Line, opening: Opening) -> None:
    if line.text:
        message = f"Left out “{line.text.strip()}”."
        opening.notes.append(Note("info", f"line {line.number}", message))


def _field(text: str, *, first: bool = False) -> tuple[str, str] | None:
    """The field that a line sets, and its value. The first line is rather a headline."""
    text = text.strip()
    if _BARE_EMBARGO.fullmatch(text):
        return "embargo", ""
    found = _FIELD.fullmatch(text) if len(text) <= 1000 else None
    name = _LABELS.get(_label(found["label"])) if found else None
    if not name:
        found, name = _EMBARGO.fullmatch(text[:200]), "embargo"
    if not found:
        return None
    value = found["value"].strip()
    if name in _TIMES and not _TIME_LIKE.search(value) and (first or len(value) > 60):
        return None  # a headline such as "Embargo: what the grain ports fear", or a sentence
    return name, value


def _label(written: str) -> str:
    return one_line(written).casefold().replace("’", "'")


def _set_field(field_name: str, value: str, line: Line, opening: Opening, name: str) -> None:
    where = f"{name}, line {line.number}"
    value = one_line(value)
    if field_name in _TIMES:
        opening.times[field_name] = parse_time(value, field_name, where)
    elif field_name == "keywords":
        opening.keywords = keywords_of(value)
    elif field_name == "headline":
        opening.headline = value
    elif field_name == "standfirst":
        opening.standfirst = value
    elif field_name == "language" and not _TAG.fullmatch(value):
        raise ArticleError(
            f"{where}: the language “{value[:40]}” is no language tag. "
            "Write one such as en or pt-BR."
        )
    else:
        opening.words[field_name] = value


def keywords_of(value: str) -> tuple[str, ...]:
    """The keywords of a list that commas or semicolons part, each once."""
    words = (one_line(word) for word in re.split(r"[,;،、]", value))
    return tuple(dict.fromkeys(word for word in words if word))


# Standfirst --------------------------------------------------------------------------------------


def _has_standfirst(opening: Opening, lines: Sequence[Line], headline: int) -> bool:
    """Whether the body's first unit is the standfirst."""
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
    adjacent = headline < len(lines) and first.number == lines[headline].number + 1
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


# Dateline ----------------------------------------------------------------------------------------


def split_dateline(text: str) -> tuple[str | None, str]:
    """The dateline at a paragraph's start, as printed and without its dash, and what follows."""
    found = _DATELINE.match(text[:160])
    if not found:
        return None, text
    place, rest = found["place"].strip(), text[found.end() :]
    if _is_in_capitals(place):
        alone = not (found["agency"] or found["date"])
        if alone and (len(place) < 4 or place in _ACRONYMS or rest[0].islower()):
            return None, text
    elif not (found["agency"] or found["date"]) or rest[0].islower() or not _is_title_case(place):
        return None, text
    return found["dateline"].strip(), rest


def _is_in_capitals(place: str) -> bool:
    """Whether it is written like ``WASHINGTON`` or ``AL-ARISH``."""
    return len(place) > 1 and place.isupper()


def _is_title_case(place: str) -> bool:
    """Whether it is written like ``Frankfurt am Main``."""
    words = re.split(r"[\s/-]+", place)
    return (
        not any(word[:1].islower() and len(word) > 3 for word in words) and not words[0].islower()
    )
