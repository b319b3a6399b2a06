"""What follows for a subscriber whom a relay refused in the dialogue: the same as of a bounce."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from dispatch.mailing.bounces.severity import Verdict, severity
from dispatch.newsroom.bounces import Effect
from dispatch.settings import Settings
from dispatch.store import bounces as store


def told_by_relay(
    connection: Connection,
    recipient: int,
    status: str | None,
    reply: str,
    settings: Settings,
    now: datetime,
) -> None:
    """Count a refusal for good; the subscriber leaves at once, or after several.

    Args:
        recipient: the key of their row in the ledger, which says *bounced* already.
        status: the enhanced status code (RFC 3463), where there was one.
    """
    copy = store.copy(connection, recipient)
    if copy is None or copy.subscriber is None:
        return
    found, code = severity(status or "", reply)
    refusal = sha256(f"refused by a relay: {recipient} {now.isoformat()}".encode()).hexdigest()
    Effect(connection, refusal, copy, settings, now).bounce(Verdict(found, code, reply))


def told_by_journal(
    connection: Connection, recipient: int, reply: str, settings: Settings, now: datetime
) -> None:
    """The same, where nothing but the words are known: they count where they are clear.

    Of anything else it cannot be told whether it was about the recipient or the message.
    """
    if severity("", reply)[0] == "hard":
        told_by_relay(connection, recipient, None, reply, settings, now)
