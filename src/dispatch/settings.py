"""Settings: ``.env`` and the environment → one typed object, read once at the edge.

Every setting is a field of :class:`Settings`; its variable is ``DISPATCH_`` and
the field's name in capitals. A variable that ends in ``__<DESK>`` holds for one
desk alone: ``DISPATCH_ACCENT__ASIA_PACIFIC`` for the desk *Asia-Pacific*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch.errors import SettingsError

PREFIX = "DISPATCH_"


def _text(value: str) -> str:
    line = " ".join(value.split())
    if not line or any(ord(c) < 32 or ord(c) == 127 for c in line):
        raise ValueError("it needs some text, on one line")
    return line


def _url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it must be a web address such as https://news.example.org")
    try:
        host = parts.hostname.encode("idna").decode("ascii")  # ids and feeds hold ASCII only
    except UnicodeError:
        raise ValueError(f"{parts.hostname} is not the name of a host") from None
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", value.strip()):
        raise ValueError("it must be a language tag (BCP 47) such as en or pt-BR")
    return value.strip()


def _timezone(value: str) -> tzinfo:
    name = value.strip()
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it must be a time zone such as UTC or Europe/Paris") from None


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value.strip()):
        raise ValueError("it must be a colour such as #8c1c13")
    return value.strip().lower()


def _mailbox(value: str) -> str:
    """``Name <address>`` or an address; ``{desk}``, ``{slug}``, ``{host}`` are filled in later."""
    if not re.fullmatch(r"([^<>\"\x00-\x1f]*<)?[^<>\s@]+@[^<>\s@]+>?", value.strip()):
        raise ValueError("it must be an address such as World desk <world@example.org>")
    return value.strip()


_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KIB": 1024, "MIB": 1024**2}


def _size(value: str) -> int:
    found = re.fullmatch(r"(\d{1,12})\s*([A-Za-z]{0,3})", value.strip())
    if not found or found[2].upper() not in _UNITS or int(found[1]) == 0:
        raise ValueError("it must be a number of bytes such as 5000000 or 5 MB")
    return int(found[1]) * _UNITS[found[2].upper()]


def _path(value: str) -> Path:
    return Path(value.strip())


def _setting(default: object, parse: Callable[[str], object], about: str) -> Any:
    return field(default=default, metadata={"parse": parse, "about": about})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. ``about`` of each field is what ``.env.example`` says of it."""

    site_url: str = _setting(
        "https://news.example.org", _url, "Where public/ is served: every link starts with it."
    )
    publisher: str = _setting(
        "The Example Courier", _text, "The organisation, as in the masthead and the copyright line."
    )
    desk: str = _setting("News", _text, "The desk of an article that names none.")
    language: str = _setting(
        "en", _language, "The language of an article that names none (BCP 47)."
    )
    timezone: tzinfo = _setting(
        UTC, _timezone, "The time zone that dates are printed in, such as Europe/Paris."
    )
    from_: str = _setting(
        "{desk} <{slug}@{host}>",
        _mailbox,
        "The newsletter's sender. {desk}, {slug} and {host} are the desk's name, its name in "
        "addresses, and the site's host.",
    )
    contact: str = _setting(
        "{slug}@{host}", _text, "Where partners reach the desk: an address or telephone number."
    )
    postal_address: str = _setting(
        "1 Example Street, Exampletown",
        _text,
        "The postal address in the newsletter's footer; many countries require one.",
    )
    rights: str = _setting(
        "© {year} {publisher}", _text, "The copyright line of an article that has none of its own."
    )
    usage_terms: str = _setting(
        "For use by contracted partners. Please credit {publisher}.",
        _text,
        "What a partner may do with the wire copy.",
    )
    accent: str = _setting("#8c1c13", _colour, "The colour of mastheads and links.")
    templates: Path = _setting(
        Path("templates"), _path, "A folder of your own templates; they win file by file."
    )
    publishers: Path = _setting(
        Path("publishers.toml"),
        _path,
        "A file of publishers that your articles cite, besides those that ship with Dispatch.",
    )
    cache: Path = _setting(
        Path("~/.cache/dispatch"),
        _path,
        "A folder for compiled templates, which spares every command some work; it may be deleted.",
    )
    max_article_bytes: int = _setting(
        5_000_000, _size, "A larger article is refused before it is read."
    )
    max_email_bytes: int = _setting(
        100_000, _size, "A longer email is cut: Gmail hides what is past 102 KB."
    )
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def for_desk(self, slug: str) -> Settings:
        """The same settings with those that end in ``__<DESK>`` laid over them."""
        return _parsed(self.values, "__" + variable_part(slug))


def variable_part(slug: str) -> str:
    """A desk's slug as it stands in a variable: ``asia-pacific`` → ``ASIA_PACIFIC``."""
    return re.sub(r"[^A-Z0-9]", "_", slug.upper())


def variable(name: str) -> str:
    """The variable of the field ``name``."""
    return PREFIX + name.rstrip("_").upper()


def load(environment: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    """Settings from ``environment``, before ``dotenv``, before the defaults.

    Raises:
        SettingsError: a value makes no sense or the file cannot be read. The
            message names the variable, never a value that could be a secret.
    """
    values = {**_read(dotenv), **environment}
    return _parsed({k: v for k, v in values.items() if k.startswith(PREFIX)}, "")


def unknown(settings: Settings) -> list[str]:
    """A sentence for each ``DISPATCH_`` variable that is no setting, with what may be meant."""
    known = {variable(f.name) for f in _SETTINGS}
    sentences = []
    for name in sorted(settings.values):
        base = name.partition("__")[0]
        if base not in known:
            near = get_close_matches(base, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            sentences.append(f"{name} is not a setting of Dispatch.{hint}")
    return sentences


def _read(dotenv: Path | None) -> dict[str, str]:
    if dotenv is None or not dotenv.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        found = dotenv_values(dotenv, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{dotenv} cannot be read: {error}. Save it as UTF-8 text.") from error
    return {name: value for name, value in found.items() if value is not None}


def _parsed(values: Mapping[str, str], suffix: str) -> Settings:
    parsed: dict[str, object] = {}
    for setting in _SETTINGS:
        for name in (variable(setting.name) + suffix, variable(setting.name)):
            value = values.get(name, "")
            if not value.strip():
                continue
            try:
                parsed[setting.name] = setting.metadata["parse"](value)
            except ValueError as error:
                raise SettingsError(f"The setting {name} cannot be used: {error}.") from None
            break
    return Settings(**parsed, values=values)  # type: ignore[arg-type]


_SETTINGS = [f for f in fields(Settings) if "parse" in f.metadata]
