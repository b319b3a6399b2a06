"""The addresses that mail leaves from: have they names, and do the names lead back to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from dispatch.mailing.relays import Relay
from dispatch.newsroom.doctor.findings import GMAIL_AND_YAHOO, Finding
from dispatch.newsroom.doctor.lookups import Dns

_CHECK = "reverse DNS"
_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An address that mail leaves from.

    Args:
        relay: the host it was found by; empty where a person named the address.
    """

    address: str
    relay: str = ""

    @property
    def sure(self) -> bool:
        """Whether a person said so: a relay may hand mail on from other addresses."""
        return not self.relay

    def __str__(self) -> str:
        return f"{self.address} ({self.relay})" if self.relay else self.address


def outgoing(
    relays: Sequence[Relay], named: Sequence[str], dns: Dns
) -> tuple[tuple[Outgoing, ...], list[Finding]]:
    """The public addresses that are ``named``, or those of the relays; and what could not be found.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    if named:
        return tuple(Outgoing(address) for address in dict.fromkeys(named)), []
    found: dict[str, Outgoing] = {}
    findings = []
    for host in dict.fromkeys(relay.host for relay in relays if relay.host):
        addresses = _addresses(host, dns)
        public = [address for address in addresses if ip_address(address).is_global]
        found |= {address: Outgoing(address, host) for address in public}
        if not addresses:
            findings.append(_without_address(host))
    if not found and not findings:
        findings.append(_hidden())
    return tuple(found.values())[:_ADDRESSES], findings


def examine(source: Outgoing, dns: Dns) -> Finding:
    """Whether the address has a name, and one that leads back to it.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    names = dns.names(source.address)[:_ADDRESSES]
    confirmed = [name for name in names if _leads_back(name, source.address, dns)]
    if confirmed:
        return Finding(_CHECK, "ok", f"{source} is named {confirmed[0]}, which leads back to it.")
    what = f"{source} has no name (PTR record)."
    if names:
        what = f"{source} is named {names[0]}, and that does not lead back to it."
    todo = "Have whoever provides the address give it a name, and give that name the address."
    if source.sure:
        return Finding(_CHECK, "error", what, todo, GMAIL_AND_YAHOO)
    return Finding(_CHECK, "warning", what, todo)


def _addresses(host: str, dns: Dns) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        return ["127.0.0.1"] if host == "localhost" else dns.addresses(host)


def _leads_back(name: str, address: str, dns: Dns) -> bool:
    return any(ip_address(found) == ip_address(address) for found in dns.addresses(name))


def _without_address(host: str) -> Finding:
    return Finding(
        "relay",
        "error",
        f"The relay {host} has no address in the DNS.",
        "Correct DISPATCH_SMTP_URL, or the DNS.",
    )


def _hidden() -> Finding:
    return Finding(
        "relay",
        "unknown",
        "From which address mail leaves does not show: no relay has a public one.",
        "Say which with --ip, so that SPF and reverse DNS can be looked at.",
    )
