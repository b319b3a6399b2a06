"""When a mailing is to leave: what ``--at`` says, in one zone or in everybody's own.

What is read: ``07:00`` (the next time that clocks show it), ``2026-11-25 07:00``,
``2026-11-25 07:00 Europe/Paris``, ``2026-11-25T07:00+01:00``. Without a zone it is the
desk's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import cache

from dispatch.errors import DeliveryError

_AT = re.compile(
    r"(?:(?P<day>\d{4}-\d{2}-\d{2})[Tt ] ?)?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r" ?(?P<zone>[A-Za-z+-][A-Za-z0-9_/:+-]{0,59})?"
)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")
_PLACE = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z0-9_+-]+){1,2}|UTC")
_EXAMPLES = '07:00, "2026-11-25 07:00" or "2026-11-25 07:00 Europe/Paris"'
_LATER = "Name a later time, or leave --at out to send now."
_LATEST = timedelta(days=366)
_LAST_ON_EARTH = timezone(timedelta(hours=-12))
"""Where a day ends last."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a mailing leaves.

    Args:
        due: in the zone it was given in.
        note: what is to be said about it, as a sentence; empty where it is plain.
    """

    due: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in everybody's own zone; on ``day``, or the next time it comes."""

    time: time
    day: date | None = None


def parse_at(text: str, now: datetime, default_zone: tzinfo) -> Schedule:
    """The moment that ``--at`` names.

    A time that clocks show twice is the earlier one; one that they leave out is moved on
    by what they leave out; both are said in the schedule's note.

    Raises:
        DeliveryError: it cannot be read, names a zone that does not exist, has passed, or is
            more than a year away.
    """
    found = _read(text)
    zone = _zone(found["zone"]) if found["zone"] else default_zone
    here = now.astimezone(zone)
    clock, day = _time(found), _day(found, here)
    due, note = _in_zone(datetime.combine(day or here.date(), clock), zone)
    if _passed(due, now) and not day:
        tomorrow = here.date() + timedelta(days=1)
        due, note = _in_zone(datetime.combine(tomorrow, clock), zone)
    if _passed(due, now):
        raise DeliveryError(f"--at {_shown(text)} has passed: it is {_written(here)} now. {_LATER}")
    return Schedule(due, note)


def parse_local(text: str, now: datetime) -> Clock:
    """The time of day, with a day or without, that ``--at`` names beside ``--local-time``.

    Raises:
        DeliveryError: it cannot be read, names a zone, has passed everywhere, or is more than a
            year away.
    """
    found = _read(text)
    if found["zone"]:
        raise DeliveryError(
            f"--at {_shown(text)} names a time zone, and --local-time is everybody's own. "
            "Leave out one of the two."
        )
    clock, day = _time(found), _day(found, now.astimezone(UTC))
    if day and _passed(datetime.combine(day, clock, _LAST_ON_EARTH), now):
        raise DeliveryError(
            f"--at {_shown(text)} has passed everywhere: "
            f"it is {_written(now.astimezone(UTC))} now. {_LATER}"
        )
    return Clock(clock, day)


def local_due(
    clock: Clock, zones: Iterable[str | None], now: datetime, default_zone: tzinfo
) -> dict[str | None, datetime]:
    """When it is ``clock`` in each zone.

    Where the time has passed on the day that was named, the copies leave at once: somebody
    further east gets the newsletter late rather than not at all.

    Args:
        zones: subscribers' zones, as often as they come; hostile.

    Returns:
        By zone. Look others up under None: that is the desk's, and stands for every zone that does
        not exist.
    """
    dues: dict[str | None, datetime] = {None: _next(clock, default_zone, now)}
    for name in zones:
        if name not in dues and (zone := place(name)):
            dues[name] = _next(clock, zone, now)
    return dues


def missed(
    mailing: int, due: int, now: int, missed_after: timedelta, zone: tzinfo = UTC
) -> str | None:
    """Why a mailing is held whose time has come and gone; None: it may leave.

    Args:
        due, now: epoch milliseconds.
        zone: the one that the sentence speaks of.
    """
    if now - due <= missed_after / timedelta(milliseconds=1):
        return None
    was, is_now = (_written(datetime.fromtimestamp(ms // 1000, zone)) for ms in (due, now))
    return (
        f"Mailing {mailing} was due at {was}, and nothing was running to send it; "
        f"now it is {is_now}. It is held: dispatch mailing resume {mailing} sends it, "
        f"dispatch mailing cancel {mailing} drops it."
    )


def _read(text: str) -> re.Match[str]:
    found = _AT.fullmatch(" ".join(text.split())) if len(text) <= 200 and text.isascii() else None
    if not found:
        raise DeliveryError(f"--at {_shown(text)} is no time. Write {_EXAMPLES}.")
    return found


def _time(found: re.Match[str]) -> time:
    try:
        return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    except ValueError:
        raise DeliveryError(
            f"--at {_shown(found.string)} is a time of day that does not exist. Write {_EXAMPLES}."
        ) from None


def _day(found: re.Match[str], now: datetime) -> date | None:
    if not found["day"]:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        raise DeliveryError(
            f"--at {_shown(found.string)} names a day that does not exist. Write {_EXAMPLES}."
        ) from None
    if day - now.date() > _LATEST:
        raise DeliveryError(
            f"--at {_shown(found.string)} is more than a year away: it is {_written(now)} now. "
            "Name an earlier day."
        )
    if now.date() - day > _LATEST:  # near year 1 there are no zones
        raise DeliveryError(
            f"--at {_shown(found.string)} has passed: it is {_written(now)} now. {_LATER}"
        )
    return day


def _zone(name: str) -> tzinfo:
    if name.upper() in ("Z", "UTC", "GMT"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset and int(offset[2]) <= 14 and int(offset[3] or 0) <= 59:
        distance = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(distance if offset[1] == "+" else -distance)
    zone = place(name)
    if not zone:
        near = get_close_matches(name, _places(), 1)
        hint = f"Did you mean {near[0]}?" if near else "Write a name such as Europe/Paris."
        raise DeliveryError(f"--at names a time zone that is not known, {name}. {hint}")
    return zone


def place(name: str | None) -> tzinfo | None:
    """The zone of that name, or None; a name is only looked for among those that exist."""
    if name not in _places():
        return None
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


@cache
def _places() -> frozenset[str]:
    """Every zone that is a place. Others are this machine's, obsolete, or count leap seconds."""
    from zoneinfo import available_timezones

    return frozenset(filter(_PLACE.fullmatch, available_timezones()))


def _in_zone(local: datetime, zone: tzinfo) -> tuple[datetime, str]:
    """The moment that clocks in ``zone`` show ``local``, and what is to be said about it."""
    first = local.replace(tzinfo=zone)
    real = first.astimezone(UTC).astimezone(zone)
    if real.replace(tzinfo=None) != local:
        return (
            real,
            f"Clocks in {zone} leave out {local:%H:%M} on that day: it leaves at {real:%H:%M}.",
        )
    if first.utcoffset() != first.replace(fold=1).utcoffset():
        return (
            first,
            f"Clocks in {zone} show {local:%H:%M} twice on that day: it leaves the first time.",
        )
    return first, ""


def _next(clock: Clock, zone: tzinfo, now: datetime) -> datetime:
    """When it is ``clock`` in ``zone``; ``now`` where that has passed on the day it names."""
    today = now.astimezone(zone).date()
    due, _ = _in_zone(datetime.combine(clock.day or today, clock.time), zone)
    if not _passed(due, now):
        return due
    if clock.day:
        return now
    return _in_zone(datetime.combine(today + timedelta(days=1), clock.time), zone)[0]


def _passed(moment: datetime, now: datetime) -> bool:
    # Two times of one zone are compared by what its clocks show, which they may show twice.
    return moment.astimezone(UTC) <= now.astimezone(UTC)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzinfo}"


def _shown(text: str) -> str:
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"
