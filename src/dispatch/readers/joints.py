"""What two texts look like at the place where they meet.

A *joint* is a place in a text where one thing may end and another begin: where
``Sky News`` meets ``NHS waits``. Case, digits, quotation marks and scripts speak
for or against it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Joint:
    """How much a place looks like a seam, in the points of ``evidence.py``, and why."""

    points: float
    reason: str


NONE = Joint(0, "nothing is parted")
SPACE = Joint(-3, "only a space stands there")

_OPENING = frozenset('"“„«‘‚‹「『《〈【([{¿¡')
_CLOSING = frozenset("”»›」』》〉】)]}!?…")
_APOSTROPHES = frozenset("'’ʼ`´")
_SIGNS = frozenset("$€£¥₹#@+")

_WORD_END = re.compile(r"[^\W\d_]*$")
_WORD_START = re.compile(r"[^\W\d_]*")
_LONE_LETTER = re.compile(r"(?<!\w)[^\W\d_]$")
_CAPITAL_START = re.compile(r"[A-Z][a-z]*$")
# What names carry a capital after: McDonald, DuPont, LaToya, VanDyke.
_NAME_STARTS = frozenset(
    {"Ab", "Abu", "Al", "Ben", "Bin", "D", "Da", "Dal", "De", "Del", "Des", "Di", "Dos", "Du", "El"}
    | {"Fitz", "L", "La", "Le", "Les", "Lo", "Mac", "Mc", "O", "San", "St", "Van", "Von"}
)

_SCRIPTS = (
    ("latin", "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("cyrillic", "\u0400-\u052f"),
    ("hebrew", "\u0590-\u05ff"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff"),
    ("indic", "\u0900-\u0dff"),
    ("chinese or japanese", "\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("korean", "\u1100-\u11ff\uac00-\ud7ff"),
)
_CASED = ("latin", "greek", "cyrillic")
_SCRIPT = re.compile("|".join(f"([{letters}])" for _, letters in _SCRIPTS))


def joint(before: str, after: str, joined: tuple[str, ...] = ()) -> Joint:
    """What the place between two texts looks like; neither is empty, and no space is between them.

    Args:
        joined: names that have a capital inside, such as ``YouTube``.
    """
    last, first = before[-1], after[0]
    if first in _OPENING:
        return Joint(2, "an opening mark follows without a space")
    if last in _APOSTROPHES or first in _APOSTROPHES:
        return Joint(-4, "an apostrophe ties them together")
    if last.isalpha() and first.isalpha():
        return _of_letters(before, after, joined)
    if last.isdigit() or first.isdigit():
        return _of_digits(last, first)
    return _of_signs(last, first)


def script(letter: str) -> str | None:
    """The script of a letter, None for other characters and for scripts that are not told apart."""
    found = _SCRIPT.match(letter)
    return _SCRIPTS[found.lastindex - 1][0] if found and found.lastindex else None


def _last_word(text: str) -> str:
    found = _WORD_END.search(text)
    return found[0] if found else ""


def _first_word(text: str) -> str:
    found = _WORD_START.match(text)
    return found[0] if found else ""


def _of_letters(before: str, after: str, joined: tuple[str, ...]) -> Joint:
    last, first = before[-1], after[0]
    if script(last) != script(first):
        return Joint(2, "the script changes")
    if not (last.isupper() or last.islower()):
        return Joint(0, "the script has no capitals")
    if first.islower():
        if first in "eim" and after[1:2].isupper():
            return Joint(0, "a name such as iPhone may follow")
        return Joint(-4 if last.isupper() else -3, "it is inside a word")
    if last.islower():
        return _of_capital(before, after, joined)
    return _of_acronym(before, after)


def _of_capital(before: str, after: str, joined: tuple[str, ...]) -> Joint:
    """A small letter, then a capital."""
    if _LONE_LETTER.search(before):
        return Joint(-3, "names such as eBay are written so")
    start = _CAPITAL_START.search(before)
    if start and start[0] in _NAME_STARTS:
        return Joint(-2, f"names are written so after {start[0]}")
    for name in joined:
        if _is_inside(_last_word(before), _first_word(after), name):
            return Joint(-3, f"{name} is written so")
    return Joint(2, "a capital follows a small letter")


def _is_inside(word: str, rest: str, name: str) -> bool:
    for at in range(1, len(name)):
        if name[at].isupper() and word.endswith(name[:at]) and rest.startswith(name[at:]):
            starts_there = len(word) == at or word[-at - 1].islower()
            ends_there = not rest[len(name) - at :][:1].islower()
            return starts_there and ends_there
    return False


def _of_acronym(before: str, after: str) -> Joint:
    """Two capitals: ``NPR`` and ``Why`` meet in ``NPRWhy``."""
    acronym = _last_word(before)
    if len(acronym) > 1 and acronym.isupper():
        if after[1:2].islower():
            return Joint(1.5, "a word starts after capitals")
        if after.startswith(acronym):
            return Joint(1.5, f"{acronym} is repeated")
    return Joint(-2, "it is inside a run of capitals")


def _of_digits(last: str, first: str) -> Joint:
    if last.isdigit() and first.isdigit():
        return Joint(-4, "it is inside a number")
    if first.isdigit():
        if last.isalpha():
            return Joint(1, "a number follows a letter")
        return _of_signs(last, first)
    if first.isupper():
        return Joint(1, "a capital follows a number")
    if first.islower():
        return Joint(-2, "a number and a small letter belong together")
    return Joint(0, "a letter follows a number") if first.isalpha() else _of_signs(last, first)


def _of_signs(last: str, first: str) -> Joint:
    if first in _SIGNS or unicodedata.category(first) == "So":
        return Joint(1, "a sign follows without a space")
    if last in _CLOSING and (first.isupper() or first.isdigit() or script(first) not in _CASED):
        return Joint(1.5, "it follows a closing mark without a space")
    if last == "." and first.isupper():
        return Joint(0, "it may be an abbreviation")
    return Joint(-4, "punctuation ties them together")
