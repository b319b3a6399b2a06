"""The facts that the ledger and those who send for it exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        due: epoch milliseconds before which it is not tried again; for deferred and queued, and
            for one in doubt that its mailing wants sent again (0: ten minutes from then).
    """

    key: int
    state: State
    reply: str
    due: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish for a lease: up to ``limit`` recipients of a mailing, for ``duration_ms``.

    The lease is renewed with every group commit; it ends when none comes for that long. Choose it
    longer than anybody may keep the database locked (a minute).
    """

    edition: int
    limit: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the recipients that somebody who died had leased: counts by mailing.

    ``queued`` had not left and go on as if nothing had been; of ``in_doubt`` nobody can say.
    The others are answers that had been journalled. Those in doubt are queued again, once, where
    their mailing says so, and counted as in doubt here.
    """

    queued: Mapping[int, int] = field(default_factory=dict)
    accepted: Mapping[int, int] = field(default_factory=dict)
    deferred: Mapping[int, int] = field(default_factory=dict)
    bounced: Mapping[int, int] = field(default_factory=dict)
    in_doubt: Mapping[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there was anything to recover."""
        return any((self.queued, self.accepted, self.deferred, self.bounced, self.in_doubt))
