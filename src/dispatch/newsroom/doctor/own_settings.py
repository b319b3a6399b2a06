"""What our own settings say: addresses that are only examples, links and relays without TLS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from dispatch.mailing.relays import Relay
from dispatch.newsroom.doctor.findings import GMAIL_AND_YAHOO, Finding


def examine(site_url: str, is_set: bool, relays: Sequence[Relay]) -> Iterator[Finding]:
    """The unsubscribe link and the relays; asks nobody.

    Args:
        is_set: whether somebody set the site's address.
    """
    yield _unsubscribe(site_url, is_set)
    for relay in relays:
        if relay.host:
            yield _encrypted(relay)


def _unsubscribe(site_url: str, is_set: bool) -> Finding:
    check = "one-click unsubscribe"
    if not is_set:
        return Finding(
            check,
            "error",
            f"DISPATCH_SITE_URL is not set: unsubscribe links lead to {site_url}, an example.",
            "Set it to the address where public/ is served.",
            GMAIL_AND_YAHOO,
        )
    parts = urlsplit(site_url)
    if parts.scheme != "https":
        return Finding(
            check,
            "error",
            f"Unsubscribe links lead to {site_url}, which is not encrypted.",
            "Serve it with https, and set DISPATCH_SITE_URL to that: RFC 8058 asks for it.",
            GMAIL_AND_YAHOO,
        )
    return Finding(check, "ok", f"Unsubscribe links lead to {parts.hostname} with https.")


def _encrypted(relay: Relay) -> Finding:
    if relay.scheme != "smtp":
        return Finding("TLS", "ok", f"Mail goes to {relay.name} encrypted.")
    if _here(relay.host):
        return Finding(
            "TLS",
            "ok",
            f"Mail goes to {relay.name} without leaving this machine.",
            "See to it that the relay itself uses TLS when it hands mail on: Gmail asks for that.",
        )
    return Finding(
        "TLS",
        "warning",
        f"Mail goes to {relay.name} unencrypted.",
        "Write smtp+starttls:// or smtps:// in DISPATCH_SMTP_URL.",
    )


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
