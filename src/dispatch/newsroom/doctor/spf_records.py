"""An SPF record (RFC 7208), followed through all that it includes, within the limits it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from dispatch.newsroom.doctor.lookups import Dns

Network = IPv4Network | IPv6Network

LOOKUPS = 10  # RFC 7208, 4.6.4
_VOIDS = 2
_EXCHANGERS = 10
_EVERYONE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))

_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::((?:[^\s/%]|%\{[^}\s]*\}|%[%_-])*))?"  # a domain, perhaps with macros, or an address
    r"(?:/(\d{1,3}))?(?://(\d{1,3}))?",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(\S*)")


class SpfError(Exception):
    """The record is worthless to everyone (permerror); the message goes on from a domain's name."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who may send: networks, and the qualifier of ``all`` (empty: there is none)."""

    networks: tuple[Network, ...]
    end: str


class Walk:
    """One walk through a record and all that it includes, as a receiver makes it.

    Args:
        domain: whose record it is.

    Raises:
        SpfError: (follow) the record is broken, or asks for more than a receiver does.
        UnansweredError: (follow) the DNS gave no answer.
    """

    def __init__(self, domain: str, dns: Dns) -> None:
        self.domain = domain
        self.lookups = 0
        self.unsure = False
        """Whether a term depends on the message: a macro, ``exists`` or ``ptr``."""
        self._dns = dns
        self._voids = 0

    def follow(self, record: str) -> Allowed:
        return self._followed(self.domain, record, (self.domain,))

    def _followed(self, domain: str, record: str, way: tuple[str, ...]) -> Allowed:
        """``way``: the domains that led here, this one last."""
        networks: list[Network] = []
        redirect = None
        for term in record.split(" ")[1:]:
            if not term:
                continue
            if found := _MECHANISM.fullmatch(term):
                qualifier, name = found[1] or "+", found[2].lower()
                if name == "all":  # what follows is never looked at (RFC 7208, 5.1)
                    return Allowed((*networks, *(_EVERYONE if qualifier == "+" else ())), qualifier)
                of_term = self._networks(name, found, domain, way)
                networks += of_term if qualifier == "+" else ()
            elif modifier := _MODIFIER.fullmatch(term):
                redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
            else:
                raise SpfError(f"has an SPF record with {quoted(term)}, which means nothing")
        if redirect is None:
            return Allowed(tuple(networks), "")
        other = self._included(redirect, way)
        return Allowed((*networks, *other.networks), other.end)

    def _networks(
        self, name: str, term: re.Match[str], domain: str, way: tuple[str, ...]
    ) -> tuple[Network, ...]:
        if name in ("ip4", "ip6"):
            return (_network(name, term),)
        if name == "include":
            return self._included(term[3] or "", way).networks
        self._count()
        target = term[3] or domain
        if name in ("exists", "ptr") or "%" in target:
            self.unsure = True
            return ()
        hosts = [target]
        if name == "mx":
            hosts = self._dns.exchangers(target)[:_EXCHANGERS]
        addresses = [address for host in hosts for address in self._dns.addresses(host)]
        self._note_void(addresses)
        return tuple(_around(address, term) for address in addresses)

    def _included(self, target: str, way: tuple[str, ...]) -> Allowed:
        self._count()
        target = target.lower().removesuffix(".")
        if "%" in target:
            self.unsure = True
            return Allowed((), "?")
        if target in way:
            raise SpfError(f"has an SPF record that comes back to {quoted(target)} without end")
        records = spf_records(self._dns.texts(target))
        if len(records) != 1:
            number = "no SPF record" if not records else f"{len(records)} SPF records"
            raise SpfError(f"has an SPF record that includes {quoted(target)}, which has {number}")
        return self._followed(target, records[0], (*way, target))

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > LOOKUPS:
            raise SpfError(f"has an SPF record that takes more than {LOOKUPS} lookups to follow")

    def _note_void(self, found: list[str]) -> None:
        self._voids += not found
        if self._voids > _VOIDS:
            raise SpfError(f"has an SPF record with more than {_VOIDS} names that do not exist")


def spf_records(texts: list[str]) -> list[str]:
    """The TXT records that are meant as SPF (RFC 7208, 4.5)."""
    return [text for text in texts if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]


def quoted(text: str) -> str:
    """A stranger's text, cut to what a sentence can hold."""
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def _network(name: str, term: re.Match[str]) -> Network:
    prefix = f"/{term[4]}" if term[4] else ""
    try:
        network = ip_network(f"{term[3] or ''}{prefix}", strict=False)
    except ValueError:
        network = None
    if network is None or f"ip{network.version}" != name or term[5]:
        raise SpfError(f"has an SPF record with {quoted(term[0])}, which is no network")
    return network


def _around(address: str, term: re.Match[str]) -> Network:
    """The address with the prefix that the term has for its kind (RFC 7208, 5.6)."""
    prefix = term[5] if ":" in address else term[4]
    try:
        return ip_network(f"{address}/{prefix}" if prefix else address, strict=False)
    except ValueError:
        raise SpfError(f"has an SPF record with {quoted(term[0])}, which is no network") from None
