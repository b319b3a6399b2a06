"""Whether a client's copy is still good: If-None-Match and If-Modified-Since (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

_TAG = re.compile(rb'[ \t]*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)|[ \t]*,')

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS = (
    # IMF-fixdate, RFC 850 and asctime: a recipient has to know all three (RFC 9110, 5.6.7).
    rf"[a-z]{{3}}, (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_CLOCK} gmt",
    rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_CLOCK} gmt",
    rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})",
)
_DATES = tuple(re.compile(form, re.ASCII | re.IGNORECASE) for form in _FORMS)
_LONGEST_DATE = 40


def tags(field: bytes) -> Iterator[bytes]:
    """The entity tags of If-None-Match, without their ``W/``: it compares weakly (8.8.3.2).

    What follows something that is no tag is not read: a list that is broken names nothing, and
    the client gets the whole answer.
    """
    at = 0
    while at < len(field):
        found = _TAG.match(field, at)
        if found is None:
            return
        if found[1] is not None:
            yield found[1]
        at = found.end()


def any_tag(field: bytes) -> bool:
    """Whether If-None-Match is ``*``: any copy is good."""
    return field.strip(b" \t") == b"*"


def parse_date(field: bytes, now: datetime) -> datetime | None:
    """A date of HTTP in any of its three forms, aware, in UTC; None where it is none.

    Args:
        now: decides about the century of a year of two digits, which is never more than fifty
            years ahead.
    """
    text = field[:_LONGEST_DATE].decode("latin-1").strip(" \t")
    found = next(filter(None, (form.fullmatch(text) for form in _DATES)), None)
    if found is None or found["month"].lower() not in _MONTHS:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += now.year // 100 * 100
        if year > now.year + 50:
            year -= 100
    try:
        return datetime(
            year,
            _MONTHS.index(found["month"].lower()) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(int(found["second"]), 59),  # a leap second is one that Python does not know
            tzinfo=UTC,
        )
    except ValueError:
        return None
