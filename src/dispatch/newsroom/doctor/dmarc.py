"""DMARC (RFC 7489): the policy for the sender's domain, and what it is held to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dispatch.newsroom.doctor.findings import ALL, Finding
from dispatch.newsroom.doctor.lookups import Dns
from dispatch.newsroom.doctor.tags import parse

_CHECK = "DMARC"
_ALIGNMENT = "alignment"
_POLICIES = ("none", "quarantine", "reject")
_ABOVE = 7  # with the domain itself, as many as the tree walk of RFC 9989 asks for
_REPORTS = 5
_MAILTO = re.compile(r"mailto:[^@\s,]+@([A-Za-z0-9.-]+)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """A record that applies to a domain.

    Args:
        home: where it stands: the domain itself or one above it.
        root: the topmost domain with a record; all below it belong to one organisation.
        texts: the records of ``home`` that are meant as DMARC: more than one is as good as none.
    """

    home: str
    root: str
    texts: tuple[str, ...]


def find(domain: str, dns: Dns) -> Policy | None:
    """The policy of ``domain``: its own or that of a domain above it.

    Which of those is the organisation's is found by their records, not by a list of public
    suffixes: by walking up the tree (RFC 9989).

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    labels = domain.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    found = [
        (name, texts)
        for name in (domain, *above[-_ABOVE:])
        if (texts := _records(name, dns)) and not _of_registry(texts)
    ]
    return Policy(found[0][0], found[-1][0], found[0][1]) if found else None


def examine(
    domain: str, return_path: str, signing: str | None, policy: Policy | None, dns: Dns
) -> Iterator[Finding]:
    """The policy, where its reports go, and whether SPF or DKIM speak for the sender's domain.

    Args:
        domain: of the From.
        return_path: the domain that bounces go to, which SPF is about.
        signing: the domain of the DKIM keys; None where there are none.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    if policy is None:
        yield Finding(
            _CHECK,
            "error",
            f"Neither {domain} nor a domain above it has a DMARC record.",
            f"Publish a TXT record for _dmarc.{domain}: "
            f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}",
            ALL,
        )
        tags: dict[str, str] = {}
    else:
        read = _tags(policy)
        yield _policy(domain, policy, read)
        tags = read or {}
        if read is not None:
            yield _reports(policy, tags, dns)
    yield _aligned(domain, return_path, signing, policy, tags)


def _records(domain: str, dns: Dns) -> tuple[str, ...]:
    texts = dns.texts(f"_dmarc.{domain}")
    return tuple(text for text in texts if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", text))


def _of_registry(texts: tuple[str, ...]) -> bool:
    """Whether it is about a suffix that many organisations share, such as gov.uk."""
    return any((parse(text) or {}).get("psd", "").lower() == "y" for text in texts)


def _tags(policy: Policy) -> dict[str, str] | None:
    """None where receivers make nothing of it."""
    tags = parse(policy.texts[0]) if len(policy.texts) == 1 else None
    return tags if tags and tags.get("p", "").lower() in _POLICIES else None


def _policy(domain: str, policy: Policy, tags: dict[str, str] | None) -> Finding:
    name = f"_dmarc.{policy.home}"
    if tags is None:
        what = f"{name} has a record without a policy that can be understood."
        if len(policy.texts) > 1:
            what = f"{name} has {len(policy.texts)} records, and only one may stand there."
        todo = "Publish one: v=DMARC1; p=none; rua=mailto:dmarc@" + policy.home
        return Finding(_CHECK, "error", what, todo, ALL)
    asked = tags["p"] if policy.home == domain else tags.get("sp", tags["p"])
    if asked.lower() == "none":
        return Finding(
            _CHECK,
            "ok",
            f"{name} asks for reports alone (p=none), which is enough for the providers' rules.",
            "Ask for quarantine or reject once the reports show that all your mail is signed.",
        )
    return Finding(_CHECK, "ok", f"{name} has the policy {asked.lower()}.")


def _reports(policy: Policy, tags: dict[str, str], dns: Dns) -> Finding:
    domains = [found[1].lower() for found in _MAILTO.finditer(tags.get("rua", ""))][:_REPORTS]
    if not domains:
        return Finding(
            _CHECK,
            "warning",
            f"_dmarc.{policy.home} names nobody who gets reports.",
            f"Add rua=mailto:dmarc@{policy.home}, and read what comes.",
        )
    for other in domains:
        if _below(other, policy.root) or _below(policy.root, other):
            continue
        consent = f"{policy.home}._report._dmarc.{other}"  # RFC 7489, 7.1
        if not any(text.replace(" ", "").startswith("v=DMARC1") for text in dns.texts(consent)):
            return Finding(
                _CHECK,
                "warning",
                f"Reports for {policy.home} go to {other}, which does not say that it takes them.",
                f"Have a TXT record v=DMARC1 published for {consent}.",
            )
    return Finding(_CHECK, "ok", f"Reports for {policy.home} go to {', '.join(domains)}.")


def _aligned(
    domain: str,
    return_path: str,
    signing: str | None,
    policy: Policy | None,
    tags: dict[str, str],
) -> Finding:
    root = policy.root if policy else None
    by_spf = _same(return_path, domain, root, tags.get("aspf", "r"))
    by_dkim = signing is not None and _same(signing, domain, root, tags.get("adkim", "r"))
    if not by_spf and not by_dkim:
        signed = f"{signing} signs" if signing else "nothing signs"
        return Finding(
            _ALIGNMENT,
            "error",
            f"Mail from {domain} has bounces going to {return_path}, and {signed}: neither "
            "speaks for the domain that readers see.",
            f"Make a DKIM key for {domain}, and set DISPATCH_RETURN_PATH to an address there.",
            ALL,
        )
    if not by_dkim:
        return Finding(
            _ALIGNMENT,
            "warning",
            f"Only SPF speaks for {domain}, and that is lost when mail is forwarded.",
            f"Make a DKIM key: dispatch dkim create --domain {domain}",
        )
    if not by_spf:
        return Finding(
            _ALIGNMENT,
            "warning",
            f"Only DKIM speaks for {domain}: bounces go to {return_path}.",
            f"Set DISPATCH_RETURN_PATH to an address at {domain} or below it.",
        )
    return Finding(
        _ALIGNMENT,
        "ok",
        f"The return path ({return_path}) and DKIM ({signing}) speak for {domain}.",
    )


def _same(one: str, domain: str, root: str | None, mode: str) -> bool:
    """Whether ``one`` is aligned with ``domain`` (RFC 7489, 3.1)."""
    if mode.lower() == "s":
        return one == domain
    if root is not None:
        return _below(one, root)
    return _below(one, domain) or _below(domain, one)


def _below(domain: str, above: str) -> bool:
    return domain == above or domain.endswith(f".{above}")
