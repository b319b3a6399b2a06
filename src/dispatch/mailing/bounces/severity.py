"""What a bounce says of an address: that nobody is there, or that it did not work this time.

    hard    nobody can be reached there, today or tomorrow: it is not mailed again
    soft    full, refused for what the message was or who sent it, given up on: it counts

The enhanced status code (RFC 3463 and IANA's list of them) decides where it
says something. Where it does not (``5.0.0``, none at all) the words do, and in
doubt it is soft: a reader who is lost by mistake does not come back, and an
address that is dead bounces again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dispatch.mailing.harmless import harmless

Severity = Literal["hard", "soft"]

HARD = {
    "5.1.1": "there is no such mailbox",
    "5.1.2": "there is no such domain",
    "5.1.3": "it is not an address",
    "5.1.6": "the mailbox has moved",
    "5.1.10": "the domain takes no mail",
    "5.2.1": "the mailbox is disabled",
    "5.4.4": "no way leads to the domain",
    "5.4.310": "there is no such domain",
}
"""Status codes after which an address is not mailed again, and why."""

_VAGUE = re.compile(r"5\.(?:[0-9]\.0|4\.1|5\.[0-4])")
"""Says too little, or is used for anything: the words decide."""

_IN_WORDS = re.compile(r"(?<![\d.])([45]\.\d\.\d{1,3})(?![\d]|\.\d)")
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")

_SOFT_WORDS = re.compile(
    r"quota|mailbox (?:is )?full|too many messages|out of (?:storage|space)|too large"
    r"|spam|junk|virus|content|policy|reputation|block(?:ed|list)|blacklist|denylist"
    r"|dmarc|\bspf\b|dkim|sender (?:address )?(?:rejected|denied|verif)"
    r"|greylist|rate limit|temporar|try again|\blater\b|timed? ?out",
    re.IGNORECASE,
)
_HARD_WORDS = re.compile(
    r"(?:user|recipient|mailbox|account|address|alias|person) (?:is )?(?:unknown|not found"
    r"|disabled|unavailable|invalid|does(?: not|n't) exist"
    r"|has been (?:disabled|deactivated|closed))"
    r"|(?:unknown|invalid|no such|non-?existent) (?:local )?"
    r"(?:user|recipient|mailbox|account|address|person)"
    r"|(?:domain|address|user|account) (?:that you tried to reach )?does(?: not|n't) exist"
    r"|does(?: not|n't) have an? \S{1,60} account|not a valid (?:user|recipient|mailbox|address)"
    r"|recipient address rejected: access denied|no mailbox here|no longer (?:valid|in use)"
    r"|(?:could|was)n't (?:be )?found|(?:host|domain) (?:not found|unknown)|unroute?able address"
    r"|empf.{1,4}nger (?:ist )?unbekannt|adresse (?:ist )?unbekannt|existiert nicht"
    r"|destinataire inconnu|utilisateur inconnu|n'existe pas",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says of one address.

    Args:
        addresses: how it names the address, in lower case; none where it does not.
        action: as in RFC 3464 2.3.3; ``other`` for delivered, relayed and expanded.
        status: of RFC 3463, as stated; "" where it is not.
        words: the reason, in the words of a stranger: any text.
    """

    addresses: tuple[str, ...]
    action: Literal["failed", "delayed", "other"]
    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows for the address. ``reason`` is one line and ends without a full stop."""

    severity: Severity
    status: str | None
    reason: str


def judge(reports: Sequence[Report], email: str) -> Verdict | None:
    """What ``reports``, all of one message, mean for the copy that went to ``email``.

    Whoever forwards their mail to several places, one of which fails, is still
    reached: such reports name other addresses than ours. Then the mildest counts.

    Returns: None where the copy did not fail, or not yet.
    """
    ours = [report for report in reports if email.lower() in report.addresses] or list(reports)
    if any(report.action != "failed" for report in ours):
        return None
    verdicts = [_verdict(report) for report in ours]
    verdicts.sort(key=lambda verdict: verdict.severity != "soft")
    return verdicts[0] if verdicts else None


def severity(status: str, words: str) -> tuple[Severity, str | None]:
    """Hard or soft, and the status code that says so, from a code and a reply.

    Args:
        status: an enhanced status code, which may be wrong, vague or "".
        words: a server's reply; any text.
    """
    words = words[:2000]
    found = _STATUS.match(status)
    code = found[1] if found else None
    if code is None or code.endswith(".0") or code == "5.4.1":
        better = _IN_WORDS.search(words)
        code = better[1] if better and not better[1].endswith(".0") else code
    if code is not None and code in HARD:
        return "hard", code
    if is_vague(code):
        dead = _HARD_WORDS.search(words) and not _SOFT_WORDS.search(words)
        return ("hard" if dead else "soft"), code
    return "soft", code


def is_vague(code: str | None) -> bool:
    """Whether a status code, as :func:`severity` gives it, leaves open what it means."""
    return code is None or _VAGUE.fullmatch(code) is not None


def _verdict(report: Report) -> Verdict:
    found, code = severity(report.status, report.words)
    reason = harmless(report.words) or HARD.get(code or "", "no reason is given")
    return Verdict(found, code, reason)
