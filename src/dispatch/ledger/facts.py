"""The facts that the ledger and those who send for it exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal[
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt"
]

WAITING: tuple[State, ...] = ("queued", "leased", "deferred")
"""States that something is still to come of."""

STATES: tuple[State, ...] = (
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in_doubt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscriber in one edition, leased. ``attempts`` counts the tries before this one."""

    key: int
    edition: int
    email: str
    domain: str
    name: str | None
    language: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try to send.

    Args:
        key: the recipient's.
        state: ``accepted``, ``deferred``, ``bounced`` or ``in_doubt``; ``queued`` gives it back
            untried.
        reply: the relay's words, or a sentence of ours; hostile, any text.
        due: epoch milliseconds before which it is not tried again; for deferred and queued.
    """

    key: int
    state: State
    reply: str
    due: int = 0
