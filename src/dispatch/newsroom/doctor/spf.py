"""SPF: whether the domain that bounces go to says who may send for it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from dispatch.newsroom.doctor.findings import ALL, Finding
from dispatch.newsroom.doctor.lookups import Dns
from dispatch.newsroom.doctor.outgoing import Outgoing
from dispatch.newsroom.doctor.spf_records import LOOKUPS, Allowed, SpfError, Walk, spf_records

_CHECK = "SPF"
_LONGEST = 450  # RFC 7208, 3.4: what fits an answer over UDP


def examine(domain: str, outgoing: tuple[Outgoing, ...], dns: Dns) -> Iterator[Finding]:
    """The record of ``domain``, and whether it names the addresses that mail leaves from.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    records = spf_records(dns.texts(domain))
    if not records:
        yield Finding(
            _CHECK,
            "error",
            f"{domain}, where bounces go, has no SPF record.",
            f"Publish a TXT record for {domain}, such as: {_suggestion(outgoing)}",
            ALL,
        )
        return
    if len(records) > 1:
        yield _broken(f"{domain} has {len(records)} SPF records, and only one may stand there.")
        return
    walk = Walk(domain, dns)
    try:
        allowed = walk.follow(records[0])
    except SpfError as error:
        yield _broken(f"{domain} {error}.")
        return
    yield _record(domain, records[0], allowed, walk.lookups)
    for source in outgoing:
        yield _source(domain, source, allowed, walk.unsure)


def _broken(what: str) -> Finding:
    return Finding(
        _CHECK, "error", what, "Correct it: until then no receiver makes anything of it.", ALL
    )


def _suggestion(outgoing: tuple[Outgoing, ...]) -> str:
    networks = [f"ip{ip_address(o.address).version}:{o.address}" for o in outgoing]
    return " ".join(["v=spf1", *(networks or ["include:your-relay.example"]), "-all"])


def _record(domain: str, record: str, allowed: Allowed, lookups: int) -> Finding:
    if allowed.end == "+":
        what = f"The SPF record of {domain} ends in +all: it lets anybody send in your name."
        return Finding(_CHECK, "error", what, "End it in -all or ~all.", ALL)
    if allowed.end not in ("-", "~"):
        return Finding(
            _CHECK,
            "warning",
            f"The SPF record of {domain} does not say what to make of other senders.",
            "End it in -all, or in ~all while you are not sure that it is complete.",
        )
    if len(record) > _LONGEST:
        return Finding(
            _CHECK,
            "warning",
            f"The SPF record of {domain} has {len(record):,} characters, and not every answer "
            f"can hold more than {_LONGEST}.",
            "Move a part of it into a record of its own, and include that.",
        )
    took = f"{lookups} of {LOOKUPS} lookups"
    return Finding(_CHECK, "ok", f"{domain} has one SPF record, which takes {took} to follow.")


def _source(domain: str, source: Outgoing, allowed: Allowed, unsure: bool) -> Finding:
    address = ip_address(source.address)
    if any(address in network for network in allowed.networks):
        return Finding(_CHECK, "ok", f"The SPF record of {domain} lets {source} send.")
    if unsure:
        return Finding(
            _CHECK,
            "unknown",
            f"Whether the SPF record of {domain} lets {source} send depends on each message.",
            "Send a copy to a mailbox of your own and look for spf=pass in its headers.",
        )
    todo = f"Add ip{address.version}:{source.address} to it, before all"
    if not source.sure:
        todo += "; or what the relay's provider says, if mail leaves it from other addresses"
    what = f"The SPF record of {domain} does not let {source} send."
    if source.sure:
        return Finding(_CHECK, "error", what, f"{todo}.", ALL)
    return Finding(_CHECK, "warning", what, f"{todo}.")
