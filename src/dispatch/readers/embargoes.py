"""Fields and lines that ask for an article to be held back, in words that name no field of ours.

What asks for that and cannot be obeyed is refused: a leak is worse than a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from dispatch.article import Block, Crosshead, Paragraph
from dispatch.errors import ArticleError
from dispatch.markup import block_text
from dispatch.readers.front_matter import Value
from dispatch.readers.given import folded
from dispatch.readers.times import parse_time

_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
_HELD = frozenset({"hold", "onhold", "held"})
_RELEASE_TIMES = frozenset({"after", "at", "date", "datetime", "on", "time", "until"})
_JOINED = re.compile(
    r"(?:hold|held)(?:for|till|until)|release(?:after|at|date|on|time|until)|publishafter|notbefore"
    r"|donotpublish|notforrelease|notforpublication"
)
_STATES = frozenset({"poststate", "poststatus", "state", "status", "workflowstate"})
_UNFINISHED = frozenset({
    "draft", "embargo", "embargoed", "hold", "held", "inreview", "notready", "onhold", "pending",
    "pendingreview", "private", "review", "scheduled", "spiked", "unpublished",
})  # fmt: skip
NO = frozenset({"false", "no", "off", "0", "none", "null", "never"})
"""What says, as a value, that there is no such thing."""


def holding(name: str, value: Value) -> str | None:
    """The name of the field that asks to hold the article back: ``name``, or one within ``value``.

    None where neither does, or where it says that there is nothing to hold.
    """
    return next(_holding(name, value), None)


def _holding(name: str, value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        for inner, part in value.items():
            yield from _holding(inner, part)
    text = folded(value) if isinstance(value, str) else ""
    is_set = value not in (None, "", [], {}) and text not in NO
    if is_set and (_asks_to_hold(name) or (folded(name) in _STATES and text in _UNFINISHED)):
        yield name


def _asks_to_hold(name: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(name)]
    if any(word in _HELD or word.startswith("embargo") for word in words):
        return True
    if _JOINED.match(folded(name)):
        return True
    return any(
        word in ("release", "released") and following in _RELEASE_TIMES
        for word, following in pairwise(words)
    )


# Lines ------------------------------------------------------------------------------------------

_LONGEST_LINE = 200
_OUTER_BLOCKS = 3
_LONGEST_VALUE = 60
_LINE = re.compile(
    r"\W{0,5}(?P<how>strictly\s+|under\s+(?:strict\s+)?)?"
    r"(?:(?P<word>embargo(?:ed)?|hold(?=\s+for\s+(?:release|publication)\b))\b"
    r"|(?=(?:not for|do not)\s+[a-z]+\s+(?:before|until|till)\b)"
    r"|(?=not for (?:publication|release)\W*$))"
    r"(?P<rest>.*)",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"\W{0,5}(?:(?:strictly\s+)?(?:not for (?:broadcast|publication|release|use)"
    r"|do not (?:broadcast|publish|release|use)|no (?:publication|release)"
    r"|for (?:publication|release)(?: at| on)?"
    r"|not before|before|until|till|bis|hasta|jusqu['’]au)\b[\s:：–—-]*+)++",
    re.IGNORECASE,
)
_TIME = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|\d\s*[ap]\.?m\b", re.IGNORECASE)
_DAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|midnight|noon|today|tomorrow|tonight)\b",
    re.IGNORECASE,
)
_CLOCK_FIRST = re.compile(
    r"(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})\s*(?P<zone>[A-Z]{1,4}|[+-]\d\d:?\d\d)?\s*,?\s+"
    r"(?:on\s+)?(?:[a-z]{3,6}day,?\s+)?(?P<day>\d{1,2}\s+[a-z]{3,9}\s+\d{4})",
    re.IGNORECASE,
)


def embargo_line(text: str) -> str | None:
    """Until when a line that is plainly an embargo says to hold; '' where it does not say.

    None where it is none: a headline such as "Embargo on grain lifted".
    """
    text = text.strip()
    found = _LINE.fullmatch(text) if len(text) <= _LONGEST_LINE else None
    if found is None:
        return None
    rest = found["rest"].strip()
    holds = _HOLDS.match(rest)
    value = (rest[holds.end() :] if holds else rest).strip(" \t.:：–—-*()[]!")
    is_shouted = _is_in_capitals(text)
    if not value:
        return "" if is_shouted or holds or found["how"] else None
    if holds:
        is_short = len(value) <= _LONGEST_VALUE
        return value if is_short or is_shouted else None
    is_marked = rest[0] in ":：–—-(" or (is_shouted and rest[0].isdigit())
    is_firm = is_shouted or (found["word"] or "").lower() == "embargoed"
    has_time = _TIME.search(value) or (is_firm and _DAY.search(value))
    return value if is_marked and has_time and len(value) <= _LONGEST_VALUE else None


def embargo_time(value: str, where: str) -> datetime:
    """The time that an embargo line names, the clock before the day or behind it.

    Raises:
        ArticleError: see :func:`~dispatch.readers.times.parse_time`.
    """
    if found := _CLOCK_FIRST.fullmatch(value):
        clock = f"{found['hour'].zfill(2)}:{found['minute']}"
        value = f"{found['day']} {clock} {found['zone'] or ''}"
    return parse_time(value, "embargo", where)


def _is_in_capitals(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(map(str.isupper, letters)) > 0.6 * len(letters)


def refuse_embargo_lines(body: Sequence[Block], name: str, remedy: str) -> None:
    """Refuses an article with an embargo line among its first or last paragraphs.

    Args:
        remedy: what to do about it, as a sentence.

    Raises:
        ArticleError: there is one. A sentence that names the line.
    """
    for block in (*body[:_OUTER_BLOCKS], *body[-_OUTER_BLOCKS:]):
        text = block_text(block) if isinstance(block, Crosshead | Paragraph) else ""
        if embargo_line(text) is not None:
            raise ArticleError(f"{name}: the line “{text}” asks to hold the article back. {remedy}")
