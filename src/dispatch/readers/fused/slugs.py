"""How far the address of a page repeats a title."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.readers.folding import forms, parts
from dispatch.readers.fused.addresses import Site
from dispatch.readers.joints import script

# Small words that slugs leave out, in the languages of most addresses.
_SMALL_WORDS = """
    a an the of in on at to for and or as by with from is are was were be has have its it this that
    his her s der die das den dem des ein eine und im am zu von mit le la les l un une du de d et au
    aux en dans el los las una del y e al o que se il lo gli i di da os as het een van och og
"""
_SMALL = frozenset(_SMALL_WORDS.split())
# What a desk puts before a title and seldom into its address.
_KICKER_WORDS = """
    live video watch opinion exclusive analysis explainer explained breaking podcast review
    interview update updated factbox gallery
"""
_KICKERS = frozenset(_KICKER_WORDS.split())
_ID = re.compile(r"\d{4,}|[0-9a-f]{6,}|[a-z]?\d{3,}")
_MOST_WORDS = 12
_LONGEST_KICKER = 30


@dataclass(frozen=True, slots=True)
class Repeat:
    """How many of a title's first words an address repeats, and how surely that is no accident."""

    words: int = 0
    points: float = 0

    @property
    def is_sure(self) -> bool:
        return self.points >= 5


NO_REPEAT = Repeat()


def repeat_of(title: str, site: Site | None) -> Repeat:
    """The best repetition of the title's first words among the segments of an address."""
    if site is None:
        return NO_REPEAT
    found = _best(title[:200], site)
    kicker, colon, rest = title[:200].partition(": ")
    if not found.points and colon and len(kicker) <= _LONGEST_KICKER:
        behind = _best(rest, site)
        return Repeat(behind.words, max(0, behind.points - 1.5))
    return found


def _best(title: str, site: Site) -> Repeat:
    words = parts(title)[:_MOST_WORDS]
    repeats = (_repeat(words, slug) for slug in site.slugs) if words else ()
    return max(repeats, key=_points, default=NO_REPEAT)


def starts_slug(text: str, site: Site | None) -> bool:
    """Whether ``text`` starts with the first word of a slug, letter by letter."""
    if site is None:
        return False
    firsts = (slug[0] for slug in site.slugs if slug and len(slug[0]) > 2)
    return any(form.startswith(first) for first in firsts for form in forms(text[: len(first)]))


def _points(repeat: Repeat) -> float:
    return repeat.points


def _repeat(words: list[str], slug: tuple[str, ...]) -> Repeat:
    start = 1 if len(slug) > 2 and _ID.fullmatch(slug[0]) and not _taken(words[0], slug, 0) else 0
    at, repeated, letters, cost = start, 0, 0, 0.0
    for n, word in enumerate(words):
        if at >= len(slug):
            break
        taken = _taken(word, slug, at)
        if taken:
            repeated += 1
            letters += min(len(word), sum(map(len, slug[at : at + taken])))
            at += taken
        elif n == 0:
            cost = 1 if _may_be_left_out(word, first=True) else 2.5
        elif not _may_be_left_out(word):
            break
    whole = all(map(_ID.fullmatch, slug[at:]))
    points = _worth(words[0], repeated, letters, whole=whole)
    return Repeat(repeated, max(0, points - cost))


def _taken(word: str, slug: tuple[str, ...], at: int) -> int:
    """How many words of the slug, from ``at`` on, are ``word``: O'Neil may be o-neil, or oneil."""
    possible = forms(word)
    for apostrophe in ("'s", "’s"):
        if word.endswith(apostrophe):
            possible += forms(word.removesuffix(apostrophe))
    for size in range(1, 5):
        if "".join(slug[at : at + size]) in possible:
            return min(size, len(slug) - at)
    last = slug[at]
    if at == len(slug) - 1 and len(last) > 2 and any(form.startswith(last) for form in possible):
        return 1  # a slug that was cut off
    return int(script(word[0]) == "chinese or japanese" and _common(word, last) > 3)


def _common(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _may_be_left_out(word: str, *, first: bool = False) -> bool:
    plain = forms(word)[0] if forms(word) else ""
    return plain in _SMALL or (first and plain in _KICKERS)


def _worth(first: str, words: int, letters: int, *, whole: bool) -> float:
    if script(first[0]) == "chinese or japanese":  # no spaces: the title is one long word
        return 6 if letters > 7 else 4 if letters > 3 else 0
    if words > 3 or (words == 3 and (letters > 9 or whole)):
        return 6
    if words == 3 or (words == 2 and whole):
        return 5
    if words == 2:
        return 4 if letters > 7 else 3
    if words == 1:
        return 4 if whole and letters > 7 else 1.5 if letters > 4 else 0
    return 0
