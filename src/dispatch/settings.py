"""Settings: ``.env`` and the environment → one typed object, read once at the edge.

Every setting is a field of :class:`Settings`; its variable is ``DISPATCH_`` and
the field's name in capitals. A variable that ends in ``__<DESK>`` holds for one
desk alone: ``DISPATCH_ACCENT__ASIA_PACIFIC`` for the desk *Asia-Pacific*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import UTC, time, timedelta, tzinfo
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
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
        port = f":{parts.port}" if parts.port else ""
    except (UnicodeError, ValueError):
        raise ValueError(f"{parts.netloc} is not the name of a host") from None
    host = f"[{host}]" if ":" in host else host
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    if not re.fullmatch(r"[a-z0-9.\-:\[\]]+", host):
        raise ValueError(f"{parts.netloc} is not the name of a host")
    return f"{parts.scheme}://{host}{port}{path}"


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


def _address(value: str) -> str:
    """An address; ``{desk}``, ``{slug}``, ``{host}`` are filled in later."""
    if not re.fullmatch(r"[^<>\s@+]{1,40}@[^<>\s@]+", value.strip()):
        raise ValueError("it must be an address such as bounces@example.org")
    return value.strip()


_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KIB": 1024, "MIB": 1024**2}


_LARGEST = 10**12


def _size(value: str) -> int:
    found = re.fullmatch(r"(\d{1,12})\s*([A-Za-z]{0,3})", value.strip())
    if not found or found[2].upper() not in _UNITS or int(found[1]) == 0:
        raise ValueError("it must be a number of bytes such as 5000000 or 5 MB")
    size = int(found[1]) * _UNITS[found[2].upper()]
    if size > _LARGEST:
        raise ValueError("nobody has that much memory; say 5 MB")
    return size


def _rate(value: str) -> float:
    found = re.fullmatch(r"\d{1,7}(\.\d{1,3})?", value.strip())
    if not found:
        raise ValueError("it must be messages per second, such as 50 or 0.5; 0 for no limit")
    return float(value)


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value.strip()) or not least <= int(value) <= most:
            raise ValueError(f"it must be a number from {least:,} to {most:,}")
        return int(value)

    return parse


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd])", value.strip().lower())
    if not found:
        raise ValueError("it must be a length of time such as 90s, 30m, 2h or 5d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.strip().lower() not in choices:
            raise ValueError(f"it must be {' or '.join(choices)}")
        return value.strip().lower()

    return parse


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


def _urls(value: str) -> tuple[str, ...]:
    """Web addresses as they are: a hub's may have a query."""
    for word in value.split():
        parts = urlsplit(word)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
            raise ValueError(f"{word} is not a web address such as https://hub.example.org/")
        if not word.isascii() or any(c in '<>"' for c in word):
            raise ValueError(f"{word} holds characters that no web address has")
    return tuple(value.split())


def _origins(value: str) -> tuple[str, ...]:
    """Origins (RFC 6454): scheme, host and port."""
    for word in value.split():
        if not re.fullmatch(r"https?://[a-z0-9.\-]+(:\d{1,5})?", word):
            raise ValueError(f"{word} is not an origin such as https://www.example.org")
    return tuple(value.split())


def _networks(value: str) -> tuple[str, ...]:
    for word in value.split():
        try:
            ip_network(word)
        except ValueError:
            raise ValueError(f"{word} is neither an IP address nor a network") from None
    return tuple(value.split())


def _listen(value: str) -> tuple[str, int]:
    host, _, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise ValueError("it must be an IP address and a port such as 127.0.0.1:8000")
    return host, number


def _clock(value: str) -> time:
    if not re.fullmatch(r"\d{1,2}:\d{2}", value.strip()):
        raise ValueError("it must be a time of day such as 07:00")
    hour, minute = value.strip().split(":")
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError("it must be a time of day such as 07:00")
    return time(int(hour), int(minute))


def _login(value: str) -> str:
    user, colon, password = value.strip().partition(":")
    if not user or not colon or len(password) < 8:
        raise ValueError("it must be user:password, with a password of at least 8 characters")
    return value.strip()


def _token(value: str) -> str:
    if not re.fullmatch(r"[!-~]{16,200}", value.strip()):
        raise ValueError("it needs at least 16 characters, such as `openssl rand -hex 16` prints")
    return value.strip()


def _path(value: str) -> Path:
    try:
        return Path(value.strip()).expanduser()
    except RuntimeError:
        raise ValueError("~ means nothing here, because the user has no home folder") from None


def _setting(
    default: object,
    parse: Callable[[str], object],
    about: str,
    *,
    per_desk: bool = True,
    secret: bool = False,
) -> Any:
    metadata = {"parse": parse, "about": about, "per_desk": per_desk}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. ``about`` of each field is what ``.env.example`` says of it."""

    site_url: str = _setting(
        "https://news.example.org", _url, "Where public/ is served: every link starts with it."
    )
    publisher: str = _setting(
        "The Example Courier", _text, "The organisation, as in the masthead and the copyright line."
    )
    desk: str = _setting("News", _text, "The desk of an article that names none.", per_desk=False)
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
        Path("templates"),
        _path,
        "A folder of your own templates; they win file by file.",
        per_desk=False,
    )
    publishers: Path = _setting(
        Path("publishers.toml"),
        _path,
        "A file of publishers that your articles cite, besides those that ship with Dispatch.",
        per_desk=False,
    )
    cache: Path = _setting(
        Path("~/.cache/dispatch"),
        _path,
        "A folder for compiled templates, which spares every command some work; it may be deleted.",
        per_desk=False,
    )
    max_article_bytes: int = _setting(
        5_000_000,
        _size,
        "A larger article is refused before it is read.",
        per_desk=False,
    )
    max_email_bytes: int = _setting(
        100_000,
        _size,
        "A longer email is cut: Gmail hides what is past 102 KB.",
        per_desk=False,
    )
    smtp_url: tuple[str, ...] = _setting(
        ("smtp://localhost:25",),
        _words,
        "The relays that take the mail, parted by spaces: smtp://, smtps://, "
        "smtp+starttls://user:password@host:587, file:folder or sendmail:. docs/sending.md tells "
        "what can follow a ? (order, weight and more).",
        per_desk=False,
        secret=True,
    )
    smtp_rate: float = _setting(
        0.0, _rate, "Messages per second, all relays together; 0 for no limit.", per_desk=False
    )
    smtp_connections: int = _setting(
        20, _count(1, 1000), "Connections at once, at most, all relays together.", per_desk=False
    )
    return_path: str = _setting(
        "bounces@{host}",
        _address,
        "Where bounces go: each copy adds a plus sign and a signed token, so what stands before "
        "the @ has room for 26 characters.",
    )
    unsubscribe_address: str = _setting(
        "unsubscribe@{host}",
        _address,
        "Where a mail program may send an unsubscribe message; a token is added in the same way.",
    )
    secret_keys: tuple[str, ...] = _setting(
        (),
        _words,
        "What signs personal links, parted by spaces, the newest first: to rotate, put a new one "
        "before the others. Without any, one is made and kept in the database.",
        per_desk=False,
        secret=True,
    )
    dkim: Path = _setting(
        Path("dkim"),
        _path,
        "The folder of the DKIM keys that `dispatch dkim create` makes.",
        per_desk=False,
    )
    in_doubt: str = _setting(
        "hold",
        _choice("hold", "resend"),
        "Whether a copy that may or may not have been taken is held for a decision, or sent again.",
        per_desk=False,
    )
    retry_for: timedelta = _setting(
        timedelta(days=1),
        _duration,
        "How long a copy that is refused for the moment is tried again.",
        per_desk=False,
    )
    missed_after: timedelta = _setting(
        timedelta(hours=2),
        _duration,
        "A mailing that could not start within this time of its schedule is held.",
        per_desk=False,
    )
    soft_bounces: int = _setting(
        3, _count(1, 1000), "So many soft bounces in a row count as a hard one.", per_desk=False
    )
    soft_bounce_days: int = _setting(
        30, _count(1, 1000), "A soft bounce is forgotten after so many days.", per_desk=False
    )
    bounces: str = _setting(
        "",
        _text,
        "Where `dispatch bounces read` reads: a Maildir, an mbox file, a folder of .eml files, "
        "imaps://user:password@host/folder or imap+starttls:// with the same behind it.",
        per_desk=False,
        secret=True,
    )
    access: str = _setting(
        "public",
        _choice("public", "members", "private"),
        "Who reads a desk on the web: public; members (pages and feeds show standfirsts, the full "
        "text takes a subscriber's personal feed) or private (nothing is shown without one).",
    )
    hubs: tuple[str, ...] = _setting(
        (),
        _urls,
        "WebSub hubs that are told of every change of a feed, parted by spaces.",
    )
    privacy_url: str = _setting(
        "", _url, "What you do with subscribers' data: a page that every sign-up form links to."
    )
    form_origins: tuple[str, ...] = _setting(
        (),
        _origins,
        "Sites whose own pages may hold a sign-up form of the desk, parted by spaces, such as "
        "https://www.example.org.",
    )
    confirm_within: timedelta = _setting(
        timedelta(days=7), _duration, "How long the link in a confirmation mail works."
    )
    signups_per_ip: int = _setting(
        20,
        _count(0, 1_000_000),
        "Sign-ups an hour from one IP address; 0 for no limit.",
        per_desk=False,
    )
    signups_per_domain: int = _setting(
        500,
        _count(0, 1_000_000),
        "Confirmation mails an hour to addresses of one domain, the large mailbox providers' "
        "apart; 0 for no limit.",
        per_desk=False,
    )
    signups_per_hour: int = _setting(
        5000,
        _count(0, 1_000_000),
        "Mails an hour that answer sign-ups, all together; those beyond it wait, a day at most. "
        "0 for no limit.",
        per_desk=False,
    )
    digest_at: time = _setting(
        time(7), _clock, "When daily and weekly digests leave, in each subscriber's time zone."
    )
    digest_day: str = _setting(
        "monday", _choice(*_WEEKDAYS), "The day on which weekly digests leave."
    )
    clicks: str = _setting(
        "off",
        _choice("off", "on"),
        "Whether clicks on a newsletter's links are counted: per link, never per person.",
    )
    opens: str = _setting(
        "off",
        _choice("off", "on"),
        "Whether openings of a newsletter are counted: per edition, never per person.",
    )
    listen: tuple[str, int] = _setting(
        ("127.0.0.1", 8000),
        _listen,
        "Where `dispatch serve` listens: an IP address and a port.",
        per_desk=False,
    )
    hosts: tuple[str, ...] = _setting(
        (),
        _words,
        "Host names that `dispatch serve` answers to besides that of DISPATCH_SITE_URL, parted by "
        "spaces.",
        per_desk=False,
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        _networks,
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: IP addresses or "
        "networks, parted by spaces.",
        per_desk=False,
    )
    metrics_token: str = _setting(
        "",
        _token,
        "What Prometheus has to show (Authorization: Bearer …) to read /metrics; without it there "
        "is no such page.",
        per_desk=False,
        secret=True,
    )
    ses_topics: tuple[str, ...] = _setting(
        (),
        _words,
        "Amazon SES: the ARNs of the SNS topics whose messages are believed.",
        per_desk=False,
    )
    postmark_webhook: str = _setting(
        "",
        _login,
        "Postmark: user:password of the webhook's basic authentication.",
        per_desk=False,
        secret=True,
    )
    sendgrid_webhook_key: str = _setting(
        "", _text, "SendGrid: the verification key of the signed event webhook.", per_desk=False
    )
    mailgun_webhook_key: str = _setting(
        "", _text, "Mailgun: the HTTP webhook signing key.", per_desk=False, secret=True
    )
    sparkpost_webhook: str = _setting(
        "",
        _login,
        "SparkPost: user:password of the webhook's basic authentication.",
        per_desk=False,
        secret=True,
    )
    mailjet_webhook: str = _setting(
        "",
        _login,
        "Mailjet: user:password in the event callback's URL.",
        per_desk=False,
        secret=True,
    )
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def for_desk(self, slug: str) -> Settings:
        """The same settings with those that end in ``__<DESK>`` laid over them.

        Raises:
            SettingsError: one of those makes no sense.
        """
        suffix = "__" + variable_part(slug)
        return replace(self, **_parsed(self.values, suffix, [f for f in _SETTINGS if _per_desk(f)]))


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
    everything = {**_read(dotenv), **environment}
    values = {k: v for k, v in everything.items() if k.startswith(PREFIX)}
    return Settings(**_parsed(values, "", _SETTINGS), values=values)


def unknown(settings: Settings) -> list[str]:
    """A sentence for each ``DISPATCH_`` variable that is no setting, with what may be meant."""
    known = {variable(f.name): f for f in _SETTINGS}
    sentences = []
    for name in sorted(settings.values):
        base, of_desk, _ = name.partition("__")
        if base not in known:
            near = get_close_matches(base, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            sentences.append(f"{name} is not a setting of Dispatch.{hint}")
        elif of_desk and not _per_desk(known[base]):
            sentences.append(f"{name} has no effect: {base} holds for all desks.")
    return sentences


def _per_desk(setting: Field[Any]) -> bool:
    return bool(setting.metadata["per_desk"])


def _read(dotenv: Path | None) -> dict[str, str]:
    if dotenv is None:
        return {}
    try:
        if not dotenv.is_file():
            return {}
        from dotenv.parser import parse_stream

        with dotenv.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except UnicodeDecodeError:
        raise SettingsError(f"{dotenv} cannot be read: it is not text. Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{dotenv} cannot be read: {error.strerror}.") from error
    broken = next((b for b in bindings if b.error), None)
    if broken:
        raise SettingsError(
            f"{dotenv}, line {broken.original.line} cannot be understood. "
            "Write NAME=value, and close every quotation mark."
        )
    return {b.key: b.value for b in bindings if b.key and b.value is not None}


def _parsed(
    values: Mapping[str, str], suffix: str, settings: Iterable[Field[Any]]
) -> dict[str, Any]:
    """The settings whose variables, with ``suffix`` behind their names, are given."""
    parsed: dict[str, Any] = {}
    for setting in settings:
        name = variable(setting.name) + suffix
        value = values.get(name, "")
        if value.strip():
            try:
                parsed[setting.name] = setting.metadata["parse"](value)
            except ValueError as error:
                raise SettingsError(f"The setting {name} cannot be used: {error}.") from None
    return parsed


_SETTINGS = [f for f in fields(Settings) if "parse" in f.metadata]
