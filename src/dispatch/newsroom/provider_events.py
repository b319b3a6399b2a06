"""What a mail provider tells of our copies by webhook: bounces, complaints, who left.

The same follows from it as from a bounce that came by mail
(:class:`dispatch.newsroom.bounces.Effect`), and in the same way only once,
however often a provider tells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection

from dispatch.audience import addresses
from dispatch.errors import AudienceError
from dispatch.mailing.bounces.severity import Severity, Verdict, is_vague, severity
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom.bounces import Effect
from dispatch.settings import Settings
from dispatch.store import bounces as store

Kind = Literal["bounce", "complaint", "unsubscribe"]

_OURS_FOR = timedelta(days=60)
"""An address that had nothing from here for so long is complained about for another's mail: an
account at a provider may be shared."""
_LONGEST_LOCAL_PART = 64


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One thing that a provider tells of one copy."""

    id: str
    """The provider's own for the event; two events are never alike in it."""
    kind: Kind
    address: str
    """Whom the copy went to, as the provider writes it."""
    return_path: str = ""
    """The envelope's sender, where the provider tells it: our VERP token stands in it."""
    status: str = ""
    """An enhanced status code (RFC 3463), or ""."""
    words: str = ""
    """The reason, in the words of the receiving server or the provider."""
    judged: Severity | None = None
    """What the provider makes of a bounce."""


def take(
    connection: Connection,
    provider: str,
    events: Iterable[ProviderEvent],
    settings: Settings,
    tokens: Tokens,
    now: datetime,
) -> Counter[str]:
    """Act on what a provider told.

    Returns:
        How many events became what: an outcome of :mod:`dispatch.newsroom.bounces`, or
        ``unknown`` where nothing was sent to the address from here.
    """
    told: Counter[str] = Counter()
    for event in events:
        copy = _copy(connection, event, tokens, now)
        if copy is None:
            told["unknown"] += 1
            continue
        message = sha256(f"{provider} {event.kind} {event.id}".encode()).hexdigest()
        effect = Effect(connection, message, copy, settings, now)
        if event.kind == "complaint":
            told[effect.complaint()] += 1
        elif event.kind == "unsubscribe":
            told[effect.unsubscribe()] += 1
        else:
            told[effect.bounce(_verdict(event))] += 1
    return told


def _copy(
    connection: Connection, event: ProviderEvent, tokens: Tokens, now: datetime
) -> store.CopyRow | None:
    """The copy that an event is about: by our own token, or else the newest to the address."""
    local, _, _ = event.return_path.rpartition("@")
    recipient = tokens.read_verp(local.rpartition("+")[2][:_LONGEST_LOCAL_PART])
    if recipient is not None:
        return store.copy(connection, recipient)
    try:
        address = addresses.parse(event.address)
    except AudienceError:
        return None
    return store.newest_copy(connection, address.key, now - _OURS_FOR)


def _verdict(event: ProviderEvent) -> Verdict:
    """Ours where the status code says something, else the provider's."""
    found, code = severity(event.status, event.words)
    if event.judged is not None and is_vague(code):
        found = event.judged
    return Verdict(found, code, event.words or "no reason is given")
