"""Parting a source that was pasted as one run: publisher, title and address.

``Example WireHarbour reopenshttps://example.org/harbour-reopens`` is parted by
weighing evidence (``evidence.py``) for every place where it might be. Where the
evidence does not decide, the text stays whole and the alternatives are told.

No letter is ever lost: the parts of a :class:`Split`, joined again, are the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dispatch.readers.folding import fold
from dispatch.readers.fused.addresses import Site, find_urls, site_of
from dispatch.readers.fused.evidence import DETECTORS, Candidate, Evidence, Item, Part, Surroundings
from dispatch.readers.fused.slugs import repeat_of, starts_slug
from dispatch.readers.joints import NONE, SPACE, Joint, joint
from dispatch.readers.publishers import Publishers

SURE = 5
"""Points from which a text is parted."""
MARGIN = 1.5
"""By how many points the best candidate must lead the next."""
DOUBT = 2
"""Points from which a candidate that was not taken is told."""
LONGEST_NAME = 80
"""Characters; no publisher's name is longer."""


_BREAK = re.compile(r" *[\n\t]\s*")


@dataclass(frozen=True, slots=True)
class Split:
    """A line in its parts."""

    parts: tuple[Part, ...]
    doubt: tuple[str, ...] = ()
    """Where the evidence did not decide: the alternatives in words, best first."""

    @property
    def publisher(self) -> str | None:
        return self._of("publisher") or None

    @property
    def title(self) -> str:
        """The title on one line; the address itself where nothing else stands there."""
        return self._of("title") or self._of("url")

    @property
    def url(self) -> str | None:
        return self._of("url") or None

    def joined(self) -> str:
        """The line again, to the letter."""
        return "".join(part.text for part in self.parts)

    def _of(self, kind: str) -> str:
        found = (_BREAK.sub(" ", part.text) for part in self.parts if part.kind == kind)
        return " ".join(text for text in found if text)


# Around the address ------------------------------------------------------------------------------

# What may stand at the ends of a text without being a part of it.
_LEADING = re.compile(r"[\s\-–—|:•*>)\]]*")
_TRAILING = re.compile(r"[\s\-–—|:,;(<\[→]*$")
_LINK = re.compile(r"(?P<before>[^\[\]]*)\[(?P<title>[^\[\]]+)\]\($")  # [title](address)
_NAMED_BEFORE = re.compile(r"(?P<name>\S.{0,80}?)(?P<seam>\s*[:|,–—-]\s*)$")
_NAMED_AFTER = re.compile(r"(?P<seam>\)\s*[(|,–—-]\s*)(?P<name>\S.{0,80}?)(?P<end>[)\s.]*)$")


def items(line: str) -> tuple[str, ...]:
    """The line cut where one item ends and the next begins, if it holds several addresses."""
    spans = find_urls(line)
    if len(spans) < 2:
        return (line,)
    if _has_letters(line[: spans[0][0]]):
        cuts = [end + len(_closing(line, end)) for _, end in spans[:-1]]
    else:
        cuts = [start for start, _ in spans[1:]]
    return tuple(line[a:b] for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True))


def split(line: str, around: Surroundings) -> Split:
    """Parts one item: a line, without its bullet, that holds one address at most."""
    spans = find_urls(line)
    if not spans:
        return _in_frame((), line, (), None, around)
    start, end = spans[0]
    url = (Part("url", line[start:end]),)
    head, tail, site = line[:start], line[end:], site_of(line[start:end])
    if not _has_letters(head):
        return _in_frame((Part("seam", head), *url), tail, (), site, around)
    link = _LINK.match(head)
    if link and tail.startswith(")"):
        return _linked(link, url, tail, site, around)
    return _in_frame((), head, (*url, *_rest(tail)), site, around)


def _linked(
    link: re.Match[str], url: tuple[Part, ...], tail: str, site: Site | None, around: Surroundings
) -> Split:
    """``[Title](address)``: the publisher may be named before it or behind."""
    before, title = link["before"], Part("title", link["title"])
    opening, closing = Part("seam", "["), Part("seam", "](")
    named = _NAMED_BEFORE.match(before)
    if named:
        name, seam = Part("publisher", named["name"]), Part("seam", named["seam"])
        return Split(_filled(name, seam, opening, title, closing, *url, *_rest(tail)))
    named = None if _has_letters(before) else _NAMED_AFTER.match(tail)
    if named:
        name, seam = Part("publisher", named["name"]), Part("seam", named["seam"])
        start, end = Part("seam", before), Part("seam", named["end"])
        return Split(_filled(start, opening, title, closing, *url, seam, name, end))
    lead = (*_rest(before), opening)
    return _in_frame(lead, link["title"], (closing, *url, *_rest(tail)), site, around)


def _in_frame(
    before: tuple[Part, ...],
    text: str,
    after: tuple[Part, ...],
    site: Site | None,
    around: Surroundings,
) -> Split:
    """Parts the text, and sets it between the other parts of the line."""
    if not _has_letters(text):
        return Split(_filled(*before, Part("seam", text), *after))
    lead = _LEADING.match(text)
    start = lead.end() if lead else 0
    end = len(text) - len(_ending(text))
    taken, doubt = _decide(text[start:end], site, around)
    inner = (Part("seam", text[:start]), *taken.parts, Part("seam", text[end:]))
    return Split(_filled(*before, *inner, *after), doubt)


def _rest(text: str) -> tuple[Part, ...]:
    """What stands beside an address and is no title by itself, such as (seen on 3 May)."""
    if not _has_letters(text):
        return (Part("seam", text),)
    lead = _LEADING.match(text)
    start = lead.end() if lead else 0
    end = len(text.rstrip())
    return Part("seam", text[:start]), Part("title", text[start:end]), Part("seam", text[end:])


def _ending(text: str) -> str:
    found = _TRAILING.search(text[-50:])
    return found[0] if found else ""


def _closing(line: str, end: int) -> str:
    """The punctuation and space that follow an address."""
    rest = line[end : end + 50]
    return rest[: len(rest) - len(rest.lstrip(" \t.,;:)]>}»”’!?"))]


def _has_letters(text: str) -> bool:
    return any(map(str.isalnum, text))


def _filled(*parts: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.text)


# Weighing ----------------------------------------------------------------------------------------


def _decide(
    text: str, site: Site | None, around: Surroundings
) -> tuple[Candidate, tuple[str, ...]]:
    """The candidate that the evidence is for, else the whole text and what else it may be."""
    candidates = list(_candidates(text, site, around.publishers))
    best = max((candidate.repeat for candidate in candidates), key=lambda repeat: repeat.points)
    item = Item(site, around, best)
    weighed = [(_weigh(candidate, item), candidate) for candidate in candidates]
    whole_points, whole = weighed[0]
    ranked = sorted(weighed[1:], key=lambda pair: -pair[0])
    if not ranked:
        return whole, ()
    top_points, top = ranked[0]
    next_points = max(whole_points, ranked[1][0] if len(ranked) > 1 else 0)
    if top_points >= SURE and top_points - next_points >= MARGIN:
        return top, ()
    if top_points >= DOUBT and whole_points - top_points < MARGIN:
        close = [pair[1] for pair in ranked[:3] if pair[0] >= max(DOUBT, top_points - 3)]
        return whole, tuple(_told(candidate, item) for candidate in close)
    return whole, ()


def _weigh(candidate: Candidate, item: Item) -> float:
    return sum(evidence.points for evidence in _evidence(candidate, item))


def _evidence(candidate: Candidate, item: Item) -> list[Evidence]:
    return [found for detector in DETECTORS if (found := detector(candidate, item))]


def _told(candidate: Candidate, item: Item) -> str:
    strongest = max(_evidence(candidate, item), key=lambda evidence: evidence.points)
    title = candidate.title if len(candidate.title) <= 40 else f"{candidate.title[:39]}…"
    return f"“{candidate.publisher}” and “{title}” ({strongest.reason})"


# Candidates --------------------------------------------------------------------------------------

_DELIMITER = re.compile(
    r"(?P<bar>\s*[|｜]\s*)|(?P<tab>[ ]*\t\s*)|(?P<line>[ ]*\n\s*)|(?P<dash>\s+[-–—·•»~]\s+|—)"
    r"|(?P<gap>[ ]{2,})|(?P<colon>:\s+|：)|(?P<comma>,\s+(?=[\"“„«]))|(?P<stop>\.\s+(?=[\"“„«]))"
)
# How much each looks like a seam after the publisher, and before it.
_DELIMITERS = {
    "bar": (5.5, 3.5, "a bar parts them"),
    "tab": (4, 2, "a tab parts them"),
    "line": (4, 1.5, "a line end parts them"),
    "gap": (2, 1, "a wide space parts them"),
    "dash": (1.5, 1.5, "a dash parts them"),
    "colon": (1, None, "a colon parts them"),
    "comma": (2, None, "a quotation mark follows a comma"),
    "stop": (1.5, None, "a quotation mark follows a full stop"),
}
_IN_BRACKETS = re.compile(r"(?P<seam>\s*[(（])(?P<name>[^()（）]{2,80})(?P<end>[)）]\.?)$")


def _candidates(text: str, site: Site | None, known: Publishers) -> Iterator[Candidate]:
    """Every way of parting ``text`` that is worth weighing; the first leaves it whole."""
    yield Candidate((Part("title", text),), NONE, repeat_of(text, site))
    yield from _run_together(text, site, known)
    yield from _publisher_last(text, site, known)
    yield from _delimited(text, site)
    bracket = _IN_BRACKETS.search(text, max(0, len(text) - LONGEST_NAME - 10))
    if bracket and bracket.start():
        title = text[: bracket.start()]
        seam, end = Part("seam", bracket["seam"]), Part("seam", bracket["end"])
        parts = (Part("title", title), seam, Part("publisher", bracket["name"]), end)
        yield Candidate(parts, Joint(2.5, "brackets part them"), repeat_of(title, site))


def _run_together(text: str, site: Site | None, known: Publishers) -> Iterator[Candidate]:
    """The publisher first, and nothing or a single space before the title."""
    for at in range(1, min(len(text) - 1, LONGEST_NAME)):
        if text[at - 1].isspace():
            continue
        if text[at].isspace():
            if not text[at + 1].isspace():
                yield _forward(text[:at], text[at], text[at + 1 :], SPACE, site)
            continue
        place = joint(text[:at], text[at : at + 40], known.joined)
        if place.points > -3 or _is_told_otherwise(text, at, site, known):
            yield _forward(text[:at], "", text[at:], place, site)


def _is_told_otherwise(text: str, at: int, site: Site | None, known: Publishers) -> bool:
    """Whether something else than the place's looks is for it: lower-case titles exist."""
    if known.knows(text[:at]) or (site and fold(text[:at]) in site.names):
        return True
    return starts_slug(text[at : at + 40], site)


def _publisher_last(text: str, site: Site | None, known: Publishers) -> Iterator[Candidate]:
    """The title first, and nothing before the publisher: only for names that are known."""
    for at in range(max(1, len(text) - LONGEST_NAME), len(text) - 1):
        title, name = text[:at], text[at:]
        if title[-1].isspace() or not (known.knows(name) or (site and fold(name) in site.names)):
            continue
        parts = (Part("title", title), Part("publisher", name))
        place = joint(title[-LONGEST_NAME:], name, known.joined)
        yield Candidate(parts, place, repeat_of(title, site))


def _delimited(text: str, site: Site | None) -> Iterator[Candidate]:
    """A delimiter between publisher and title, or between title and publisher."""
    for found in _DELIMITER.finditer(text, 0, LONGEST_NAME + 10):
        first, second = text[: found.start()], text[found.end() :]
        points, _, reason = _DELIMITERS[str(found.lastgroup)]
        if first and second:
            if found.lastgroup == "bar" and len(first.split()) > len(second.split()):
                points = 3
            if found.lastgroup == "line" and len(first) > 40:
                points = 1  # rather a title that was wrapped
            yield _forward(first, found[0], second, Joint(points, reason), site)
    for found in _DELIMITER.finditer(text, max(0, len(text) - LONGEST_NAME - 10)):
        first, second = text[: found.start()], text[found.end() :]
        _, reversed_points, reason = _DELIMITERS[str(found.lastgroup)]
        if first and second and reversed_points is not None:
            parts = (Part("title", first), Part("seam", found[0]), Part("publisher", second))
            yield Candidate(parts, Joint(reversed_points, reason), repeat_of(first, site))


def _forward(publisher: str, seam: str, title: str, place: Joint, site: Site | None) -> Candidate:
    parts = (Part("publisher", publisher), Part("seam", seam), Part("title", title))
    return Candidate(_filled(*parts), place, repeat_of(title, site))
