"""The list of sources at an article's end: lines to publisher, title and address."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dispatch.article import Note, Source
from dispatch.readers.fused import LONGEST_NAME, Split, items, split
from dispatch.readers.fused.addresses import find_urls, site_of
from dispatch.readers.fused.evidence import Surroundings
from dispatch.readers.pasted.layout import Line
from dispatch.readers.publishers import Publishers

_BULLET = re.compile(r"\s*(?:[-*–—·]\s+|[•‣◦▪●]\s*)")
_NUMBER = re.compile(r"\s*(?:\[(\d{1,3})\]|(\d{1,3})[.)])\s+")
_MOST_SIBLINGS = 500


def read_sources(
    lines: Sequence[Line], publishers: Publishers, body: str
) -> tuple[tuple[Source, ...], tuple[Note, ...]]:
    """The sources that a section lists, and a warning for each that could not be parted.

    Args:
        lines: the section without its heading.
        body: the article's text, which may mention publishers.
    """
    entries = [
        (number, item) for number, text in _entries(lines, publishers) for item in items(text)
    ]
    around = Surroundings(publishers, body, _siblings(text for _, text in entries))
    sources, notes = [], []
    for number, text in entries:
        parted = split(text, around)
        if not parted.title:
            continue
        sources.append(Source(parted.title, parted.publisher, parted.url))
        if parted.doubt:
            notes.append(_doubt(number, parted))
    return tuple(sources), tuple(notes)


def looks_like_sources(lines: Sequence[Line]) -> bool:
    """Whether lines read as a list of sources and not as prose under a crosshead."""
    texts = [line.text for line in lines if line.text]
    listed = sum(map(is_source, texts))
    return bool(texts) and listed >= 0.6 * len(texts)


def is_source(text: str) -> bool:
    """Whether a line may be an entry: an address, a bullet, or a short text that is no sentence."""
    if find_urls(text[:3000]) or _BULLET.match(text) or _NUMBER.match(text):
        return True
    dated = re.search(r"\(\d{4}[a-z]?\)", text[:200])
    return len(text) < 160 and (dated is not None or text[-1] not in '.!?…。！？”"')


def _doubt(number: int, parted: Split) -> Note:
    return Note(
        "warning",
        f"line {number}",
        "It is not certain where the publisher's name ends and the title begins, so the source "
        f"was kept whole. It may be {'; or '.join(parted.doubt)}. Write “ | ” between the two.",
    )


def _siblings(texts: Iterable[str]) -> Mapping[tuple[str, str], int]:
    """How many different entries start with a text, by host and text."""
    found: Counter[tuple[str, str]] = Counter()
    for text in list(dict.fromkeys(texts))[:_MOST_SIBLINGS]:
        spans = find_urls(text)
        site = site_of(text[slice(*spans[0])]) if spans else None
        head = text[: spans[0][0]] if spans else text
        host = site.host if site else ""
        found.update((host, head[:end]) for end in range(2, min(len(head), LONGEST_NAME)))
    return found


# Lines to entries --------------------------------------------------------------------------------


def _entries(lines: Sequence[Line], publishers: Publishers) -> list[tuple[int, str]]:
    """The number of the first line and the text of each entry, without its bullet."""
    marker = _marker(lines)
    if marker:
        return _marked_entries(lines, marker)
    entries: list[tuple[int, str]] = []
    for group in _groups(lines):
        entries += _unmarked_entries(group, publishers)
    return entries


def _marker(lines: Sequence[Line]) -> re.Pattern[str] | None:
    """What starts the entries: bullets, numbers that count up, or nothing."""
    if any(_BULLET.match(line.text) for line in lines):
        return _BULLET
    numbers = [int(m[1] or m[2]) for line in lines if (m := _NUMBER.match(line.text))]
    counted = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return _NUMBER if counted and (len(numbers) > 1 or numbers[0] == 1) else None


def _marked_entries(lines: Sequence[Line], marker: re.Pattern[str]) -> list[tuple[int, str]]:
    entries: list[tuple[int, list[str]]] = []
    after_blank = False
    for line in lines:
        found = marker.match(line.text)
        text = line.text[found.end() :] if found else line.text.strip()
        goes_on = entries and not found and not after_blank and not _has_url(entries[-1][1][-1])
        if goes_on:
            entries[-1][1].append(text)
        elif text:
            entries.append((line.number, [text]))
        after_blank = not line.text
    return [(number, "\n".join(texts)) for number, texts in entries]


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    groups: list[list[Line]] = [[]]
    for line in lines:
        if line.text:
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _unmarked_entries(group: list[Line], publishers: Publishers) -> list[tuple[int, str]]:
    """A line each; but publisher, title and address may stand on lines of their own."""
    entries: list[tuple[int, str]] = []
    waiting: list[Line] = []
    for line in group:
        if not _has_url(line.text):
            waiting.append(line)
            continue
        cut = len(waiting) - _belonging(waiting, line, publishers, alone=len(group) == 3)
        entries += [(early.number, early.text.strip()) for early in waiting[:cut]]
        lines = [*waiting[cut:], line]
        entries.append((lines[0].number, _text(lines)))
        waiting = []
    return [*entries, *((line.number, line.text.strip()) for line in waiting)]


def _belonging(waiting: Sequence[Line], line: Line, publishers: Publishers, *, alone: bool) -> int:
    """How many of the lines before an address belong to it: its title, or publisher and title.

    Args:
        alone: whether blank lines part just three lines from the rest.
    """
    start, _ = find_urls(line.text)[0]
    titled = bool(line.text[:start].strip())
    count = 1 if titled else 2
    if len(waiting) >= count:
        first = waiting[-count].text.strip()
        parted = split(_text([*waiting[-count:], line]), Surroundings(publishers))
        like_a_name = len(first.split()) < 6 and not re.search(r"\d|[.!?…]$", first)
        if parted.publisher == first or (alone and not titled and like_a_name):
            return count
    return 0 if titled else min(1, len(waiting))


def _text(lines: Sequence[Line]) -> str:
    return "\n".join(line.text.strip() for line in lines)


def _has_url(text: str) -> bool:
    return bool(find_urls(text))
