"""What a rendition says in its own words: labels, dates and the direction of writing.

Labels are English in the templates and are looked up in gettext catalogues,
``templates/locale/<language>.po``, by the nearest language (``de-AT``, then
``de``). Month and weekday names and the forms of dates are labels too: a date
printed today is printed the same after any upgrade of any library.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from gettext import NullTranslations
from typing import TypeVar

_T = TypeVar("_T")

_RIGHT_TO_LEFT = frozenset(
    [
        "ar",
        "arc",
        "ckb",
        "dv",
        "fa",
        "he",
        "ks",
        "ku-arab",
        "nqo",
        "ps",
        "sd",
        "syr",
        "ug",
        "ur",
        "yi",
    ]
)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONGEST = 100
"""Characters of a tag that are looked at; RFC 5646, 4.4.1 asks for 35."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Language:
    """One language of renditions. ``tag`` is BCP 47; ``direction`` is ``ltr`` or ``rtl``."""

    tag: str
    direction: str = "ltr"
    translations: NullTranslations = field(default_factory=NullTranslations)

    def gettext(self, label: str) -> str:
        return self.translations.gettext(label)

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.translations.ngettext(one, many, n)

    def date(self, time: datetime) -> str:
        """Such as ``4 October 2026``, in the zone the time is in."""
        return self.gettext("%(day)s %(month)s %(year)d") % self._date_words(time)

    def long_date(self, time: datetime) -> str:
        """Such as ``Sunday, 4 October 2026``."""
        return self.gettext("%(weekday)s, %(day)s %(month)s %(year)d") % self._date_words(time)

    def month(self, time: datetime) -> str:
        """Such as ``October 2026``."""
        return self.gettext("%(month)s %(year)d") % self._date_words(time)

    def clock(self, time: datetime) -> str:
        """Such as ``09:30 UTC``."""
        words = {"hour": time.hour, "minute": time.minute, "zone": time.tzname() or ""}
        return (self.gettext("%(hour)02d:%(minute)02d %(zone)s") % words).strip()

    def names(self, names: list[str]) -> str:
        """Such as ``Ann, Ben and Cid``."""
        if len(names) < 2:
            return "".join(names)
        *first, last = names
        listed = self.gettext(", ").join(first)
        return self.gettext("%(names)s and %(last)s") % {"names": listed, "last": last}

    def _date_words(self, time: datetime) -> dict[str, object]:
        return {
            "weekday": self.gettext(_WEEKDAYS[time.weekday()]),
            "day": self.gettext("1") if time.day == 1 else str(time.day),  # in French, 1er
            "month": self.gettext(_MONTHS[time.month - 1]),
            "year": time.year,
        }


ENGLISH = Language("en")
"""What labels are written in: the language of whatever has no catalogue."""


def lookup(tag: str, known: Mapping[str, _T]) -> _T | None:
    """What is ``known`` for the nearest language: ``de-AT``, else ``de`` (RFC 4647, 3.4).

    Args:
        tag: BCP 47, in letters of any case; may be anything.
        known: by tags in lower case.
    """
    return next((known[name] for name in _ranges(tag) if name in known), None)


def _ranges(tag: str) -> Iterator[str]:
    name = tag[:_LONGEST].lower().replace("_", "-")
    while name:
        yield name
        name = name.rpartition("-")[0]


def direction(tag: str | None, text: str) -> str:
    """``rtl`` or ``ltr``: by the language where it is known, else by the first strong letter."""
    if tag:
        language, *rest = tag.lower().replace("_", "-").split("-")
        if any(part in {"arab", "hebr", "syrc", "thaa", "nkoo"} for part in rest):
            return "rtl"
        if "latn" in rest:
            return "ltr"
        return "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"
