"""The dateline: where and when a report was filed, at the start of its first paragraph."""

from __future__ import annotations

import re

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
