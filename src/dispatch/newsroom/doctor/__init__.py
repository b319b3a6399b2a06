"""An examination of a sending domain: what stands in the DNS, and what a provider will miss.

    subject(settings, …) ─▶ examine(subject, dns) ─▶ Finding, Finding, …
    examine_website(settings, …) ─▶ Finding, Finding, …

Nothing is asked but the DNS and the server on this machine, and nothing is changed. A question
without an answer is a finding of its own (``unknown``) and never taken for a missing record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ParamSpec
from urllib.parse import urlsplit

from dispatch.errors import DeliveryError
from dispatch.mailing import dkim, relays
from dispatch.mailing.dkim import Key, domain_name
from dispatch.mailing.relays import Relay
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.newsroom.doctor import (
    dmarc,
    domainkeys,
    own_settings,
    returning,
    spf,
)
from dispatch.newsroom.doctor import outgoing as sources
from dispatch.newsroom.doctor.findings import ALL, Finding, Level, Provider, missed
from dispatch.newsroom.doctor.lookups import Dns, UnansweredError
from dispatch.newsroom.doctor.website import examine as examine_website
from dispatch.settings import Settings, variable, variable_part

__all__ = [
    "Dns",
    "Finding",
    "Level",
    "Provider",
    "Subject",
    "examine",
    "examine_website",
    "missed",
    "subject",
]


P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Subject:
    """Who sends, and how.

    Args:
        domain, return_path, unsubscribe: the domains of the From, of bounces, and of the
            address that unsubscribe messages go to.
        site_is_set: whether somebody set the site's address.
        keys: those that sign for ``domain``.
        key_trouble: why there are none; empty where they could be read.
        addresses: that mail leaves from, as a person named them; else the relays' are looked up.
    """

    domain: str
    return_path: str
    unsubscribe: str
    site_url: str
    site_is_set: bool
    relays: tuple[Relay, ...]
    keys: tuple[Key, ...] = ()
    key_trouble: str = ""
    addresses: tuple[str, ...] = ()


def subject(
    settings: Settings, domain: str | None, desk: str | None, addresses: Sequence[str] = ()
) -> Subject:
    """What the settings of a desk say.

    Args:
        domain: of the sender; None: that of the desk's From.
        desk: None: the settings' own.
        addresses: IP addresses that mail leaves from.

    Raises:
        DispatchError: the domain, the desk or a setting cannot be used.
    """
    name = settings.desk if desk is None else desk
    slug = desk_slug(name)
    own = settings.for_desk(slug)
    sender = make_desk(name, slug, settings).sender.address.rpartition("@")[2]
    domain = domain_name(sender if domain is None else domain)
    site = variable("site_url")
    names = (site, f"{site}__{variable_part(slug)}")
    is_set = any(settings.values.get(name, "").strip() for name in names)
    # Without a site of its own, the addresses that follow from it are taken to be at the domain.
    host = (urlsplit(own.site_url).hostname or domain) if is_set else domain
    try:
        keys, trouble = dkim.keys_for(dkim.load(settings.dkim), domain), ""
    except DeliveryError as error:
        keys, trouble = (), str(error)
    return Subject(
        domain=domain,
        return_path=_domain_of(own.return_path, host),
        unsubscribe=_domain_of(own.unsubscribe_address, host),
        site_url=own.site_url,
        site_is_set=is_set,
        relays=tuple(relays.parse_all(settings.smtp_url)),
        keys=keys,
        key_trouble=trouble,
        addresses=tuple(addresses),
    )


def examine(patient: Subject, dns: Dns) -> Iterator[Finding]:
    """Everything that can be found, check by check."""
    yield from own_settings.examine(patient.site_url, patient.site_is_set, patient.relays)
    outgoing: tuple[sources.Outgoing, ...] = ()
    try:
        outgoing, findings = sources.outgoing(patient.relays, patient.addresses, dns)
        yield from findings
    except UnansweredError as error:
        yield _unknown("relay", error)
    yield from _asked("SPF", spf.examine, patient.return_path, outgoing, dns)
    if patient.key_trouble:
        yield Finding("DKIM", "error", patient.key_trouble, missed_by=ALL)
    else:
        yield from domainkeys.signing(patient.domain, patient.keys)
    for key in patient.keys:
        yield from _asked("DKIM", domainkeys.examine, key, dns)
    yield from _asked("DMARC", _dmarc, patient, dns)
    for source in outgoing:
        yield from _asked("reverse DNS", sources.examine, source, dns)
    for purpose in returning.purposes(patient.return_path, patient.unsubscribe, patient.domain):
        yield from _asked("mail back", returning.examine, purpose, dns)


def _dmarc(patient: Subject, dns: Dns) -> Iterator[Finding]:
    policy = dmarc.find(patient.domain, dns)
    signing = patient.keys[0].domain if patient.keys else None
    return dmarc.examine(patient.domain, patient.return_path, signing, policy, dns)


def _asked(
    check: str,
    examination: Callable[P, Finding | Iterator[Finding]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Iterator[Finding]:
    """What an examination finds; where the DNS gave no answer, that."""
    try:
        found = examination(*args, **kwargs)
        if isinstance(found, Finding):
            yield found
        else:
            yield from found
    except UnansweredError as error:
        yield _unknown(check, error)


def _unknown(check: str, error: UnansweredError) -> Finding:
    what = f"This could not be looked at: {error}."
    return Finding(check, "unknown", what, "Try again, or ask another resolver with --resolver.")


def _domain_of(mailbox: str, host: str) -> str:
    address = mailbox.replace("{host}", host).rpartition("<")[2].rstrip(">")
    return domain_name(address.rpartition("@")[2])
