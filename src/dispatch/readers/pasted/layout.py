"""Plain lines to blocks: paragraphs, lists, quotations, rules and crossheads.

Pasted text says with line ends, blank lines, indents and signs what a page said
with markup. How it uses them is found out first: one paragraph to a line, or
lines that were wrapped at some width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from dispatch.article import Block, Crosshead, Html, List, Paragraph, Quotation, Rule
from dispatch.markup import escape
from dispatch.readers.joints import script


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file. ``number`` counts from 1; ``text`` has no white space at its end."""

    number: int
    text: str


Kind = Literal["text", "bullets", "dashes", "numbers", "quotation", "rule"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines that belong together: a paragraph, a list, a quotation or a rule."""

    kind: Kind
    number: int
    """The number of its first line."""
    last: int
    """The number of its last line."""
    texts: tuple[str, ...]
    """The paragraph; the items of a list; the paragraphs of a quotation."""
    as_typed: tuple[str, ...] = ()
    """The items of a list with what marks them."""
    first: int = 1
    """The number that a numbered list starts with."""

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""


_MARKERS: dict[Kind, re.Pattern[str]] = {
    "bullets": re.compile(r"\s*(?:[-*]\s+|[•‣◦▪●·]\s*)(?=\S)"),
    "dashes": re.compile(r"\s*–\s+(?=\S)"),
    "numbers": re.compile(r"\s*(\d{1,3})[.)]\s+(?=\S)"),
}
_QUOTED = re.compile(r"\s*>\s?")
_ATTRIBUTION = re.compile(r"(?:—|–|--)\s*(?=\S)")
_RULE = re.compile(
    r"\s*(?:(?:\*\s?){3,}|(?:-\s?){3,}|(?:_\s?){3,}|(?:=\s?){3,}|(?:~\s?){3,}|(?:#\s?){3}|(?:•\s?){3}|⁂)\s*"
)
_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।][\"'”’»›)\]」』]*$")
_SPACES = re.compile(r"[ \t]+")
_INDENT = re.compile(r"(?: {2,}|\t)\S")
_QUOTES = frozenset('"“”„«»‘「」『』')
_CREDIT = re.compile(
    r"(?:photo(?:graph)?|picture|image|credit|foto|bild|source|via)s?\s*(?:[:：/©]|by\b)",
    re.IGNORECASE,
)


def lines_of(text: str) -> list[Line]:
    """The lines of a text, numbered."""
    return [Line(number, line.rstrip()) for number, line in enumerate(text.split("\n"), 1)]


def ends_sentence(text: str) -> bool:
    return bool(_SENTENCE_END.search(text[-20:]))


# Wrapped or not ----------------------------------------------------------------------------------


def wrap_width(lines: Sequence[Line]) -> int | None:
    """The width at which the lines were wrapped; None where each is a paragraph.

    Lines were wrapped if hardly one could have taken the next line's first word
    too, and few of them end a sentence.
    """
    pairs = [
        (line.text, following.text)
        for line, following in pairwise(lines)
        if line.text and following.text and "://" not in line.text + following.text
    ]
    width = max((max(len(one), len(two)) for one, two in pairs), default=0)
    if len(pairs) < 2 or not 40 <= width <= 100:
        return None
    full = sum(not _would_fit(one, two, width) for one, two in pairs)
    ending = sum(ends_sentence(one) for one, _ in pairs)
    return width if full >= 0.7 * len(pairs) and ending <= 0.4 * len(pairs) else None


def _would_fit(line: str, following: str, width: int) -> bool:
    """Whether the line had room for the first word of the next."""
    first = following.split(maxsplit=1)[0]
    need = 3 if script(first[0]) == "chinese or japanese" else len(first) + 1
    return len(line) + need <= width


# Lines to units ----------------------------------------------------------------------------------


def units_of(lines: Sequence[Line]) -> list[Unit]:
    """The lines as units, in order."""
    width = wrap_width(lines)
    units: list[Unit] = []
    group: list[Line] = []
    for line in [*lines, Line(0, "")]:
        if line.text:
            group.append(line)
        else:
            units += _units_of_group(group, width)
            group = []
    return list(_settled(_merged(units)))


def _units_of_group(group: Sequence[Line], width: int | None) -> Iterator[Unit]:
    """The units of lines that no blank line parts."""
    at = 0
    while at < len(group):
        end = _end_of_unit(group, at, width)
        yield _unit(group[at:end], width)
        at = end


def _kind(text: str) -> Kind:
    if _RULE.fullmatch(text):
        return "rule"
    if _QUOTED.match(text):
        return "quotation"
    return next((kind for kind, marker in _MARKERS.items() if marker.match(text)), "text")


def _end_of_unit(group: Sequence[Line], at: int, width: int | None) -> int:
    kind = _kind(group[at].text)
    end = at + 1
    while kind != "rule" and end < len(group) and _goes_on(kind, group, end, width):
        end += 1
    return end


def _goes_on(kind: Kind, group: Sequence[Line], at: int, width: int | None) -> bool:
    """Whether the line at ``at`` belongs to the unit of the line before."""
    before, text = group[at - 1].text, group[at].text
    following = _kind(text)
    if kind == "quotation" or following != "text":
        return following == kind
    indented = bool(_INDENT.match(text))
    if kind != "text":
        return indented or (width is not None and not _would_fit(before, text, width))
    if width is None or (indented and not _INDENT.match(before)):
        return False
    return not (ends_sentence(before) and _would_fit(before, text, width))


def _unit(lines: Sequence[Line], width: int | None) -> Unit:
    kind, number, last = _kind(lines[0].text), lines[0].number, lines[-1].number
    texts = [line.text for line in lines]
    if kind == "rule":
        return Unit("rule", number, last, ())
    if kind == "text":
        return Unit("text", number, last, (_joined(texts),))
    if kind == "quotation":
        inner = [Line(line.number, _QUOTED.sub("", line.text, count=1)) for line in lines]
        return Unit("quotation", number, last, tuple(_paragraphs(inner, width)))
    marker = _MARKERS[kind]
    items: list[list[str]] = []
    for text in texts:
        if marker.match(text):
            items.append([])
        items[-1].append(text)
    as_typed = tuple(map(_joined, items))
    plain = tuple(marker.sub("", item, count=1) for item in as_typed)
    found = marker.match(texts[0])
    first = int(found[1]) if kind == "numbers" and found else 1
    return Unit(kind, number, last, plain, as_typed, first)


def _paragraphs(lines: Sequence[Line], width: int | None) -> Iterator[str]:
    """What stands inside a quotation: paragraphs alone, whatever signs they start with."""
    group: list[str] = []
    for line in lines:
        fits = width is None or (group and _would_fit(group[-1], line.text or "x", width - 2))
        if group and (not line.text or fits):
            yield _joined(group)
            group = []
        if line.text:
            group.append(line.text)
    if group:
        yield _joined(group)


def _joined(texts: Sequence[str]) -> str:
    joined = [texts[0].strip()]
    for following in map(str.strip, texts[1:]):
        last = joined[-1]
        wide = script(last[-1]) == script(following[0]) == "chinese or japanese"
        hyphened = last[-1] == "-" and last[-2:-1].isalpha() and following[0].islower()
        joined += [following] if wide or hyphened else [" ", following]
    return _SPACES.sub(" ", "".join(joined))


def _merged(units: Sequence[Unit]) -> list[Unit]:
    """Lists whose items blank lines part become one."""
    merged: list[Unit] = []
    for unit in units:
        before = merged[-1] if merged else None
        if before and unit.kind == before.kind and unit.kind in _MARKERS:
            counts_on = unit.first == before.first + len(before.texts)
            if unit.kind != "numbers" or counts_on:
                texts, typed = before.texts + unit.texts, before.as_typed + unit.as_typed
                merged[-1] = replace(before, last=unit.last, texts=texts, as_typed=typed)
                continue
        merged.append(unit)
    return merged


def _settled(units: Sequence[Unit]) -> Iterator[Unit]:
    """What only looked like a list becomes paragraphs again: a year, or a line of dialogue."""
    for unit in units:
        if unit.kind in ("dashes", "numbers") and not _is_list(unit):
            yield from (Unit("text", unit.number, unit.last, (text,)) for text in unit.as_typed)
        else:
            yield unit


def _is_list(unit: Unit) -> bool:
    if len(unit.texts) < 2:
        return False
    if unit.kind == "dashes":
        return sum(map(ends_sentence, unit.texts)) <= len(unit.texts) / 2
    numbers = [
        int(found[1]) for text in unit.as_typed if (found := _MARKERS["numbers"].match(text))
    ]
    return numbers == list(range(unit.first, unit.first + len(unit.texts)))


# Units to blocks ---------------------------------------------------------------------------------


def blocks_of(units: Sequence[Unit]) -> tuple[Block, ...]:
    """The units as blocks of an article; text stands in them to the letter."""
    blocks: list[Block] = []
    for n, unit in enumerate(units):
        following = units[n + 1] if n + 1 < len(units) else None
        before = units[n - 1] if n and not isinstance(blocks[-1], Crosshead) else None
        if before and following and _is_crosshead(unit, before, following):
            blocks.append(Crosshead(escape(unit.text)))
        else:
            blocks.append(_block(unit))
    return tuple(blocks)


def _block(unit: Unit) -> Block:
    match unit.kind:
        case "text":
            return Paragraph(escape(unit.text))
        case "rule":
            return Rule()
        case "quotation":
            return _quotation(unit.texts)
        case _:
            items = tuple((Paragraph(escape(text)),) for text in unit.texts)
            return List(items, ordered=unit.kind == "numbers", start=unit.first)


def _quotation(texts: tuple[str, ...]) -> Quotation:
    attribution: Html | None = None
    found = _ATTRIBUTION.match(texts[-1]) if len(texts) > 1 else None
    if found:
        attribution = escape(texts[-1][found.end() :])
        texts = texts[:-1]
    return Quotation(tuple(Paragraph(escape(text)) for text in texts), attribution)


def _is_crosshead(unit: Unit, before: Unit, following: Unit) -> bool:
    """A short line without closing punctuation, between longer paragraphs."""
    text = unit.text
    if unit.kind != "text" or len(text) > 80 or len(text.split()) > 12 or _CREDIT.match(text):
        return False
    if text[0].islower() or text[0] in _QUOTES or text[-1] in ",;:—–-" or text[-1] in _QUOTES:
        return False
    if ends_sentence(text) and text[-1] not in "?？":
        return False
    return _is_longer(before, text) and _is_longer(following, text)


def _is_longer(unit: Unit, text: str) -> bool:
    if unit.kind != "text":
        return unit.kind != "rule"
    return len(unit.text) > len(text) and (ends_sentence(unit.text) or unit.text[-1] in ":：")
