"""The website: does the server answer, does anybody work off what it takes, and is it set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from dispatch.errors import StoreError
from dispatch.mailing import relays
from dispatch.newsroom.database import database_of, opened
from dispatch.newsroom.desks import desk_slug
from dispatch.newsroom.doctor import members
from dispatch.newsroom.doctor.findings import Finding
from dispatch.settings import Settings, variable

_CHECK = "website"
_PATIENCE = 3.0
"""Seconds: it is on this machine."""
_SIGNUPS_AFTER = timedelta(minutes=5)
_PINGS_AFTER = timedelta(minutes=15)

_WEBHOOKS = (
    ("amazonaws.com", "Amazon SES", "ses_topics"),
    ("postmarkapp.com", "Postmark", "postmark_webhook"),
    ("sendgrid.net", "SendGrid", "sendgrid_webhook_key"),
    ("mailgun.org", "Mailgun", "mailgun_webhook_key"),
    ("sparkpostmail.com", "SparkPost", "sparkpost_webhook"),
    ("mailjet.com", "Mailjet", "mailjet_webhook"),
)
"""The domains of services' relays, and the setting that lets their reports in."""


def examine(settings: Settings, desk: str | None, out: Path, now: datetime) -> Iterator[Finding]:
    """Everything that can be found on this machine; nothing where ``out`` has no database.

    Args:
        desk: None: the settings' own.
    """
    if not database_of(out).exists():
        return
    own = settings.for_desk(desk_slug(settings.desk if desk is None else desk))
    # Of a desk's own settings, only the site's address is about the website.
    settings = replace(settings, site_url=own.site_url)
    answering = _server(settings)
    if answering is not None:
        yield answering
        yield from _proxies(settings)
    yield from _waiting(out, now)
    yield from members.examine(settings, out, now)
    yield from _webhooks(settings)


def _server(settings: Settings) -> Finding | None:
    """Whether the server answers; None where it would not be on this machine's own addresses."""
    host, port = settings.listen
    address = ip_address(host)
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if isinstance(address, IPv4Address) else "::1")
    if not address.is_loopback:
        return None
    where = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    try:
        said = _asked(str(address), port)
    except ConnectionRefusedError:
        return Finding(
            _CHECK,
            "warning",
            f"Nothing answers at {where}, where `dispatch serve` would listen.",
            "Start it, or set DISPATCH_LISTEN to where it listens: without it, nobody can sign up "
            "or leave with one click.",
        )
    except (OSError, HTTPException):
        said = b""
    if said != b"ok\n":
        return Finding(
            _CHECK,
            "error",
            f"What answers at {where} is not `dispatch serve`, or it does not answer as it should.",
            "Look what listens there; DISPATCH_LISTEN says where `dispatch serve` does.",
        )
    return Finding(_CHECK, "ok", f"`dispatch serve` answers at {where}.")


def _asked(host: str, port: int) -> bytes:
    connection = HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read(100)
    finally:
        connection.close()


def _proxies(settings: Settings) -> Iterator[Finding]:
    """Who serves https is a proxy; a site's address that nobody set tells nothing."""
    is_set = "DISPATCH_SITE_URL" in settings.values
    is_behind_one = is_set and settings.site_url.startswith("https:")
    if is_behind_one and not settings.trusted_proxies:
        yield Finding(
            _CHECK,
            "warning",
            "Readers come through a proxy, and DISPATCH_TRUSTED_PROXIES names none: to the limits "
            "of sign-ups, all of them are one.",
            "Set it to the proxy's address, such as 127.0.0.1, and have the proxy set "
            "X-Forwarded-For and X-Forwarded-Proto.",
        )


def _waiting(out: Path, now: datetime) -> Iterator[Finding]:
    """Whether `dispatch run` does its part."""
    from dispatch.store.waiting import waiting

    try:
        with opened(out, "so nothing waits.") as store, store.reading() as connection:
            found = waiting(connection)
    except StoreError as error:
        yield Finding(_CHECK, "error", str(error))
        return
    late = []
    if found.oldest_signup is not None and now - found.oldest_signup > _SIGNUPS_AFTER:
        late.append(f"sign-ups ({found.signups:,}) since {_told(found.oldest_signup)}")
    if found.oldest_ping is not None and now - found.oldest_ping > _PINGS_AFTER:
        late.append(f"changes of feeds that hubs are to hear of since {_told(found.oldest_ping)}")
    if late:
        yield Finding(
            _CHECK,
            "error",
            f"Nobody works off what waits: {', and '.join(late)}.",
            "Start `dispatch run`, and see to it that it keeps running.",
        )
    else:
        yield Finding(_CHECK, "ok", "Nothing waits that `dispatch run` should have worked off.")


def _webhooks(settings: Settings) -> Iterator[Finding]:
    """Whether a service that sends the mail can report what became of it."""
    hosts = [relay.host for relay in relays.parse_all(settings.smtp_url)]
    for domain, service, name in _WEBHOOKS:
        used = any(host == domain or host.endswith(f".{domain}") for host in hosts)
        if used and not getattr(settings, name):
            yield Finding(
                "webhooks",
                "warning",
                f"Mail goes through {service}, and {variable(name)} is not set: what it reports of "
                "bounces and complaints is refused.",
                f"Set {variable(name)}, and the webhook's address at {service}; docs/webhooks.md "
                "tells how.",
            )


def _told(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
