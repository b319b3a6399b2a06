"""What an examination finds, and who minds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error", "unknown"]
"""``unknown``: the DNS gave no answer, which says nothing about what stands there."""

Provider = Literal["Gmail", "Yahoo", "Outlook"]

ALL: tuple[Provider, ...] = ("Gmail", "Yahoo", "Outlook")
"""Each asks those who send it 5,000 messages a day or more for SPF and DKIM that pass, and for a
DMARC record and an aligned domain (since 2024, Outlook since 2025)."""

GMAIL_AND_YAHOO: tuple[Provider, ...] = ("Gmail", "Yahoo")
"""They ask for names of the sending addresses, forward and reverse, and one-click unsubscribe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        check: what, in a word or two: ``SPF``.
        what: how it is, in a sentence; may quote what a stranger wrote into the DNS, as ASCII.
        todo: what to do, in a sentence; empty where there is nothing to do.
        missed_by: whose rules for bulk senders it breaks.
    """

    check: str
    level: Level
    what: str
    todo: str = ""
    missed_by: tuple[Provider, ...] = ()


def missed(findings: Sequence[Finding]) -> dict[Provider, list[str]]:
    """What each provider will miss, as the names of the checks."""
    return {
        provider: list(dict.fromkeys(f.check for f in findings if provider in f.missed_by))
        for provider in ALL
    }
