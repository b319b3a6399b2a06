"""Where mail is handed to: each URL of the settings → a :class:`Relay`.

    smtp://host:25                               no encryption
    smtps://user:password@host:465               encrypted from the first byte
    smtp+starttls://user:password@host:587       encrypted by STARTTLS, or nothing is sent
    file:folder, file:mails.mbox                 written to disk
    sendmail:, sendmail:/usr/sbin/sendmail       handed to a program

What follows a ``?`` are the fields of :class:`Relay`: ``?order=1&weight=3``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from dispatch.errors import SettingsError

Scheme = Literal["smtp", "smtps", "smtp+starttls", "file", "sendmail"]

_PORTS: dict[str, int] = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_VARIABLE = "DISPATCH_SMTP_URL"
_ESCAPING = "In a user or password, write each of / ? # @ : % as % and its code, such as %2F for /."


@dataclass(slots=True)
class Learned:
    """What connections have found out about a relay; shared by all of one run.

    PIPELINING is *untried* until copies were accepted that way (*proven*), or
    the relay's answers got out of step (*broken*). If the connection was lost
    between a command and its answer, that may have been the reason (*suspected*):
    the next connection does without, and if copies are accepted then, it was.
    """

    pipelining: Literal["untried", "proven", "suspected", "broken"] = "untried"

    @property
    def may_pipeline(self) -> bool:
        return self.pipelining in ("untried", "proven")


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay, and how to deal with it.

    Args:
        host, port: of an SMTP relay; the host as it is looked up, in ASCII.
        user, password: empty where it asks for none. Neither is ever printed: with some
            providers the user is a secret as well.
        path: the folder or mbox of ``file:``, the program of ``sendmail:`` (empty: the usual one).
        order: relays with a higher one are used while none with a lower one works.
        weight: its share among those of the same order.
        messages: after so many, a connection is closed and another one opened; 0 for no limit.
        window: whole copies that may be under way on a connection (CHUNKING, RFC 3030).
        pipelining: whether to use it where it is offered.
        timeout: seconds that an answer is waited for, at most; 0: as in RFC 5321 4.5.3.2.
        idle: seconds after which a connection that has nothing to do is closed.
        helo: the name to greet with; empty for the machine's.
        auth: the mechanism; empty for one that is offered. ``xoauth2`` takes a token for password.
        cleartext_auth: sends user and password over the network without encryption.
        ca: a PEM file of the authorities that may vouch for the relay; empty for the system's.
        warm: the day that it is first sent from, for an IP address that providers do not know yet.
    """

    scheme: Scheme
    host: str = ""
    port: int = 0
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    path: str = ""
    order: int = 0
    weight: int = 1
    messages: int = 1000
    window: int = 8
    pipelining: bool = True
    timeout: float = 0.0
    idle: float = 60.0
    helo: str = ""
    auth: Literal["", "plain", "login", "xoauth2"] = ""
    cleartext_auth: bool = False
    ca: str = ""
    warm: date | None = None
    learned: Learned = field(default_factory=Learned, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What it is called in sentences: ``mail.example.org:587``, ``file:folder``.

        Health, pace and warming are kept by it: of one run no two have the same
        (:func:`parse_all`).
        """
        if self.scheme in _PORTS:
            host = f"[{self.host}]" if ":" in self.host else self.host
            return f"{host}:{self.port}"
        return f"{self.scheme}:{self.path}" if self.path else self.scheme


def parse_all(urls: Iterable[str]) -> list[Relay]:
    """The relays of the settings, in their order.

    Raises:
        SettingsError: as :func:`parse`; or the same one is named twice.
    """
    relays: dict[str, Relay] = {}
    for relay in map(parse, urls):
        if relay.name in relays:
            raise SettingsError(
                f"{_VARIABLE} names the relay {relay.name} twice. Leave one of the two out; "
                "weight=2 gives a relay twice its share."
            )
        relays[relay.name] = relay
    return list(relays.values())


def parse(url: str) -> Relay:
    """The relay of ``url``.

    Raises:
        SettingsError: it cannot be understood; the message never repeats what may be a secret.
    """
    url = url.strip()
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    if not url.isprintable() or " " in url:
        raise _refused("holds a space or a control character")
    if scheme in _PORTS:
        return _smtp(scheme, url)  # type: ignore[arg-type]
    if colon and scheme in ("file", "sendmail"):
        path, _, query = url[len(scheme) + 1 :].partition("?")
        path = unquote(path.removeprefix("//"))
        if not path.isprintable():
            raise _refused("has a control character in its path")
        if scheme == "file" and not path:
            raise _refused("names no folder: write file:folder or file:mails.mbox")
        return Relay(scheme, path=path, **_options(query, _LOCAL))  # type: ignore[arg-type]
    raise _refused("does not begin with smtp://, smtps://, smtp+starttls://, file: or sendmail:")


def _smtp(scheme: Scheme, url: str) -> Relay:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message would repeat part of a password
        raise _refused(f"cannot be understood. {_ESCAPING}") from None
    host = _host(parts.hostname)
    if parts.fragment or parts.path not in ("", "/"):
        raise _refused(f"has something behind the host. {_ESCAPING}")
    if port == 0:
        raise _refused("has the port 0")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and not password:
        raise _refused("names a user and no password")
    if password and not user:
        raise _refused("holds a password and no user")
    if "\0" in user + password:
        raise _refused("has a NUL in the user or password")
    options = _options(parts.query, _OPTIONS)
    if options.get("auth") and not user:
        raise _refused(
            "says how to log in (auth) and not who: it needs user:password@ before the host"
        )
    return Relay(scheme, host, port or _PORTS[scheme], user, password, **options)  # type: ignore[arg-type]


def _host(host: str | None) -> str:
    """``host`` in ASCII, as it is looked up."""
    if not host:
        raise _refused("names no host: write smtp://mail.example.org")
    if ":" in host:  # urlsplit lets [anything] through
        import ipaddress

        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise _refused("has something in [ ] that is not an IPv6 address") from None
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", name):
        raise _refused(f"has no proper name of a host. {_ESCAPING}")
    return name


def _options(query: str, known: dict[str, Callable[[str], object]]) -> dict[str, object]:
    options: dict[str, object] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            near = get_close_matches(name, known, 1)
            if near and re.fullmatch(r"[\w-]+", name):
                raise _refused(f"has an option {name}: did you mean {near[0]}?", end="")
            # It may be half of a password with a ? in it.
            options_are = f"there are {', '.join(known)}"
            raise _refused(f"has an option that Dispatch does not know: {options_are}. {_ESCAPING}")
        if name in options:
            raise _refused(f"has the option {name} twice")
        try:
            options[name] = known[name](value)
        except ValueError as error:
            raise _refused(f"has an option {name} that cannot be used: {error}") from None
    return {name.replace("-", "_"): value for name, value in options.items()}


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"it must be a number from {least:,} to {most:,}")
        return int(value)

    return parse


def _seconds(value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value) or float(value) == 0:
        raise ValueError("it must be a number of seconds, such as 30")
    return float(value)


def _yes(value: str) -> bool:
    if value.lower() not in ("yes", "no"):
        raise ValueError("it must be yes or no")
    return value.lower() == "yes"


def _mechanism(value: str) -> str:
    if value.lower() not in ("plain", "login", "xoauth2"):
        raise ValueError("it must be plain, login or xoauth2")
    return value.lower()


def _helo(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,255}|\[[A-Za-z0-9.:]{1,64}\]", value):
        raise ValueError("it must be the name of this machine, such as mail.example.org")
    return value


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("it must be a day such as 2026-11-20") from None


def _file(value: str) -> str:
    if not value:
        raise ValueError("it must be the path of a file")
    return value


_LOCAL: dict[str, Callable[[str], object]] = {
    "order": _whole(0, 1000),
    "weight": _whole(1, 1000),
}
_OPTIONS: dict[str, Callable[[str], object]] = {
    **_LOCAL,
    "messages": _whole(0, 1_000_000),
    "window": _whole(1, 100),
    "pipelining": _yes,
    "timeout": _seconds,
    "idle": _seconds,
    "helo": _helo,
    "auth": _mechanism,
    "cleartext-auth": _yes,
    "ca": _file,
    "warm": _day,
}


def _refused(what: str, end: str = ".") -> SettingsError:
    end = "" if what.endswith(".") else end
    return SettingsError(f"A relay in {_VARIABLE} {what}{end}")
