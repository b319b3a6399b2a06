"""What a list says of a person, made safe to keep: names, tags, languages, times and the like.

Everything here was written by a stranger. Each function gives the value as it
is kept, or None where it says nothing or cannot be understood; none raises.
"""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch.markup.characters import is_blank, one_line

LONGEST_NAME = 200
LONGEST_TAG = 60
MOST_TAGS = 50
LONGEST_FIELD = 500
LONGEST_FIELD_NAME = 60
MOST_FIELDS = 50
FREQUENCIES = ("each", "daily", "weekly")
_LONGEST_SOURCE = 200
_LONGEST_CONSENT = 2000

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_TAG_ENDS = re.compile(r"[,;|\n\"\[\]]+")
_NO_LETTERS = re.compile(r"[\W_]+")


def line(text: str, longest: int) -> str | None:
    """Text on one line: no control characters, no line ends, no bidi overrides, not too long.

    So a name cannot end the header it stands in, or turn round what follows it.
    """
    if not text.isprintable() or "  " in text:
        text = "" if is_blank(text) else one_line(text)
    return text.strip()[:longest].strip() or None


def name(text: str) -> str | None:
    return line(text, LONGEST_NAME)


def source(text: str) -> str | None:
    """Where a consent comes from."""
    return line(text, _LONGEST_SOURCE)


def consent_text(text: str) -> str | None:
    """What stood at the button that somebody pressed."""
    return line(text, _LONGEST_CONSENT)


def frequency(text: str) -> str | None:
    """How often somebody gets mail: ``each`` edition, or a ``daily`` or ``weekly`` digest."""
    word = text.strip().casefold()
    return word if word in FREQUENCIES else None


def tag(text: str) -> str | None:
    """One tag, in lower case: *Premium* and *premium* are the same."""
    if text.isascii() and text.isalnum():
        return text[:LONGEST_TAG].lower()
    return line(_TAG_ENDS.sub(" ", text).casefold(), LONGEST_TAG)


def tags(text: str) -> tuple[str, ...]:
    """Tags parted by commas, semicolons, bars or lines, quoted or not, or a JSON list; sorted."""
    if not text:
        return ()
    found = {tag(part) for part in _TAG_ENDS.split(text[:10_000])}
    return tuple(sorted(t for t in found if t))[:MOST_TAGS]


def joined_tags(found: tuple[str, ...]) -> str:
    """Tags as they are stored: ``|one|two|``."""
    return f"|{'|'.join(found)}|" if found else ""


def parted_tags(stored: str) -> tuple[str, ...]:
    """The reverse of :func:`joined_tags`."""
    return tuple(stored.strip("|").split("|")) if stored else ()


@lru_cache(maxsize=1000)
def language(text: str) -> str | None:
    """A language tag as BCP 47 writes it (RFC 5646 2.1.1): ``DE_at`` → ``de-AT``."""
    text = text.strip().replace("_", "-").partition(".")[0]
    if not _LANGUAGE.fullmatch(text):
        return None
    first, *others = text.lower().split("-")
    cased = {2: str.upper, 4: str.title}
    return "-".join([first, *(cased.get(len(part), str)(part) for part in others)])


@lru_cache(maxsize=1000)
def timezone(text: str) -> str | None:
    """The name of a time zone that is known here, such as ``Europe/Vienna``."""
    text = text.strip()
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return text


@lru_cache(maxsize=1)
def timezones() -> tuple[str, ...]:
    """The names of time zones that people choose from: one for each that a country has, and UTC."""
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return (*sorted(row[2] for row in rows), "UTC")


def masked(email: str) -> str:
    """An address as it is shown where others may look on: ``i…@example.org``."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}…@{domain}"


def time(text: str) -> datetime | None:
    """A time in ISO 8601, as all the senders' exports write it; without a zone it is UTC."""
    text = text.strip().removesuffix(" UTC").replace(" +", "+")
    if len(text) > 40:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1990 <= found.year <= 2199 else None


def ip(text: str) -> str | None:
    """An IPv4 or IPv6 address."""
    text = text.strip()
    try:
        return str(ipaddress.ip_address(text)) if len(text) <= 45 else None
    except ValueError:
        return None


@lru_cache(maxsize=1000)
def field_name(text: str) -> str:
    """A custom field's name: lower case, and an underscore for whatever is no letter or digit."""
    return _NO_LETTERS.sub("_", text.casefold())[:LONGEST_FIELD_NAME].strip("_")


def field_value(text: str) -> str | None:
    return line(text, LONGEST_FIELD)


to_json = json.JSONEncoder(ensure_ascii=False).encode
"""Custom fields as they are stored: with no escapes, which the database would not see through."""


def attributes(text: str) -> dict[str, str] | None:
    """The texts, numbers and yes or no of a JSON object, as custom fields; what is nested is left.

    None: it is no JSON object.
    """
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    fields = {}
    for key, value in list(found.items())[:MOST_FIELDS]:
        if isinstance(value, str | int | float) and (name := field_name(key)):
            written = value if isinstance(value, str) else json.dumps(value)
            if kept := field_value(written):
                fields[name] = kept
    return fields
