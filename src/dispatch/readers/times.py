"""Reading the times that people write into articles.

A time without a zone is refused, never guessed: an embargo an hour off is a
leak. What is read: ISO 8601 and RFC 3339 (``2026-10-04T09:30+02:00``), RFC 5322
dates (``Sun, 04 Oct 2026 09:30:00 +0200``) and ``2026-10-04 09:30 Europe/Paris``.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from dispatch.errors import ArticleError

_CLOCK = (
    r"(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?"
)
_ZONE = r"\s*(?P<zone>\S{1,60}(?:\s*\[\S{1,60}\])?)?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})(?P<dash>-?)(?P<month>\d{{2}})(?P=dash)(?P<day>\d{{2}})"
    rf"(?:(?:[Tt]|\s+|,\s*){_CLOCK}{_ZONE})?"
)
_WRITTEN = re.compile(
    r"(?:[^\W\d]{2,9},?\s+)?(?P<day>\d{1,2})\s+(?P<month>[A-Za-z]{3,9})\s+(?P<year>\d{4})"
    rf"(?:(?:\s+|,\s*){_CLOCK}{_ZONE})?"
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

_OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")
_UTC = frozenset({"Z", "UTC", "UT", "GMT"})
_PLACE = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z0-9_+-]+){1,2}")
# Abbreviations that mean one thing; CST, IST, BST, EST and AST mean several.
_ABBREVIATIONS = {
    "WET": (0, "Europe/Lisbon"),
    "WEST": (1, "Europe/Lisbon"),
    "CET": (1, "Europe/Paris"),
    "CEST": (2, "Europe/Paris"),
    "EET": (2, "Europe/Athens"),
    "EEST": (3, "Europe/Athens"),
    "MSK": (3, "Europe/Moscow"),
    "JST": (9, "Asia/Tokyo"),
}
_EXAMPLE = "2026-10-04T09:30+02:00"


def parse_time(value: str, field: str, where: str) -> datetime:
    """The time that ``value`` names, with the offset from UTC that it has there and then.

    Args:
        field: the field's name, for errors: ``published``.
        where: file and line, for errors: ``talks.txt, line 3``.

    Raises:
        ArticleError: no time of day, no zone or an ambiguous one, a date that
            does not exist, a year outside 1900 to 2199, or nothing readable.
    """
    text = " ".join(value.split()).replace("\u2212", "-")  # the typographic minus
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    try:
        return _parse(text)
    except _UnreadableError as error:
        raise ArticleError(f"{where}: the field {field} {error.about(shown)}") from None


class _UnreadableError(Exception):
    """Why a value is no time: what is wrong with it, and what to do."""

    def __init__(self, problem: str, advice: str = f"Write it such as {_EXAMPLE}.") -> None:
        super().__init__(problem)
        self.problem, self.advice = problem, advice

    def about(self, value: str) -> str:
        return f"{self.problem}: “{value}”. {self.advice}"


def _parse(text: str) -> datetime:
    found = _ISO.fullmatch(text) or _WRITTEN.fullmatch(text)
    if not found or not text.isascii():
        raise _UnreadableError("is not a date and time that can be read")
    date = _date(found)
    if found["hour"] is None:
        raise _UnreadableError(
            "has a date but no time of day",
            f"Write both, and the time zone, such as {date:%Y-%m-%d}T09:30+02:00.",
        )
    if found["zone"] is None:
        local = _local(found, date)
        raise _UnreadableError(
            "has no time zone", f"Write it with one, such as {local:%Y-%m-%dT%H:%M}+02:00."
        )
    return _in_zone(_local(found, date), found["zone"])


def _date(found: re.Match[str]) -> datetime:
    year = int(found["year"])
    try:
        date = datetime(year, _month(found["month"]), int(found["day"]))  # noqa: DTZ001
    except ValueError:
        raise _UnreadableError("is a date that does not exist") from None
    if not 1900 <= year <= 2199:
        raise _UnreadableError("has a year outside 1900 to 2199")
    return date


def _month(written: str) -> int:
    if written.isdigit():
        return int(written)
    for number, month in enumerate(_MONTHS, 1):
        if month.startswith(written.lower()):
            return number
    raise _UnreadableError("names a month that is not known")


def _local(found: re.Match[str], date: datetime) -> datetime:
    microsecond = int((found["fraction"] or "0").ljust(6, "0")[:6])
    try:
        return date.replace(
            hour=int(found["hour"]),
            minute=int(found["minute"]),
            second=int(found["second"] or 0),
            microsecond=microsecond,
        )
    except ValueError:
        raise _UnreadableError("is a time of day that does not exist") from None


def _in_zone(local: datetime, written: str) -> datetime:
    zone, _, place = written.removesuffix("]").partition("[")  # RFC 9557: +02:00[Europe/Paris]
    zone = zone.strip().strip("()") or place
    if zone.upper() in _UTC:
        return local.replace(tzinfo=timezone.utc)  # noqa: UP017 - as the other fixed offsets
    offset = _OFFSET.fullmatch(zone)
    if offset:
        return _at(local, _fixed(offset))
    if zone in _ABBREVIATIONS:
        return _by_abbreviation(local, zone)
    if _PLACE.fullmatch(zone):
        return _at(local, _offset_in(local, zone))
    raise _UnreadableError(
        f"has a time zone that is not known or has several meanings, {zone[:30]}",
        f"Write its distance from UTC, such as {local:%Y-%m-%dT%H:%M}+02:00.",
    )


def _at(local: datetime, offset: timedelta) -> datetime:
    return local.replace(tzinfo=timezone(offset))


def _fixed(found: re.Match[str]) -> timedelta:
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > 14 or minutes > 59:
        raise _UnreadableError("has a time zone that does not exist")
    sign = 1 if found["sign"] == "+" else -1
    return sign * timedelta(hours=hours, minutes=minutes)


def _by_abbreviation(local: datetime, zone: str) -> datetime:
    hours, place = _ABBREVIATIONS[zone]
    offset = timedelta(hours=hours)
    if _offset_in(local, place) != offset:
        raise _UnreadableError(
            f"has the time zone {zone}, which clocks do not show on that day",
            f"Write the distance from UTC, such as {local:%Y-%m-%dT%H:%M}+02:00.",
        )
    return _at(local, offset)


def _offset_in(local: datetime, place: str) -> timedelta:
    """The offset of a place's clocks; a time at which they are put forward or back is refused."""
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(place)
    except (KeyError, ValueError, OSError):
        raise _UnreadableError(
            f"has a time zone that does not exist, {place}",
            f"Write a name such as Europe/Paris, or {local:%Y-%m-%dT%H:%M}+02:00.",
        ) from None
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    if first != second:
        raise _UnreadableError(
            f"is a time at which clocks in {place} are put forward or back",
            f"Write the distance from UTC, such as {local:%Y-%m-%dT%H:%M}+02:00.",
        )
    return first
