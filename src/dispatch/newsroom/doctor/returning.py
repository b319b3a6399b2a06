"""Whether what comes back can arrive: bounces, unsubscribe messages, and answers of readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.newsroom.doctor.findings import Finding, Level
from dispatch.newsroom.doctor.lookups import Dns

_CHECK = "mail back"
_EXCHANGERS = 5


@dataclass(frozen=True, slots=True)
class Purpose:
    """What mail to a domain is for, and the setting that names the domain."""

    domain: str
    what: str
    setting: str
    level: Level
    """How bad it is if none can arrive."""


def purposes(return_path: str, unsubscribe: str, sender: str) -> tuple[Purpose, ...]:
    """The domains that mail must reach, each once, for what matters most."""
    every = (
        Purpose(return_path, "bounces go", "DISPATCH_RETURN_PATH", "error"),
        Purpose(unsubscribe, "unsubscribe messages go", "DISPATCH_UNSUBSCRIBE_ADDRESS", "error"),
        Purpose(sender, "answers of readers go", "DISPATCH_FROM", "warning"),
    )
    first = {purpose.domain: purpose for purpose in reversed(every)}
    return tuple(purpose for purpose in every if first[purpose.domain] is purpose)


def examine(purpose: Purpose, dns: Dns) -> Finding:
    """Whether mail can arrive.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    domain = purpose.domain
    trouble = _trouble(domain, dns.exchangers(domain), dns)
    if trouble is None:
        return Finding(_CHECK, "ok", f"{domain}, where {purpose.what}, takes mail.")
    return Finding(
        _CHECK,
        purpose.level,
        f"{domain}, where {purpose.what}, {trouble}.",
        f"Publish an MX record for {domain}, or set {purpose.setting} to an address elsewhere.",
    )


def _trouble(domain: str, exchangers: Sequence[str], dns: Dns) -> str | None:
    """Why no mail can arrive at ``domain``; None: it can (RFC 5321, 5.1)."""
    if list(exchangers) == ["."]:
        return "says that it takes no mail (a null MX)"  # RFC 7505
    hosts = list(exchangers)[:_EXCHANGERS] or [domain]
    if any(dns.addresses(host) for host in hosts):
        return None
    if exchangers:
        return f"has its mail taken by {hosts[0]}, which has no address"
    return "takes no mail: it has neither an MX record nor an address"
