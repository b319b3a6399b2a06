"""What a sender is given: how fast it may go, what it works with, and who follows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection as Transaction

from dispatch.ledger.facts import Outcome, Recipient
from dispatch.ledger.ledger import Ledger
from dispatch.mailing.health import Relays
from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import Connection, Copy, Result, Work
from dispatch.mailing.verdicts import Verdicts
from dispatch.mailing.warming import Warming

Press = Callable[[Recipient], Copy]
"""Makes a recipient's copy, complete and signed; DeliveryError: there can be none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast it may go.

    Args:
        rate: messages per second; 0 for no limit.
        connections: at once, at most.
        patience: seconds that every relay may be down before a run that does not stay gives up.
    """

    rate: float
    connections: int
    patience: float


class Room(Protocol):
    """What the newsroom decides; for the ledger's thread. ``now`` is in epoch milliseconds."""

    def due(self, transaction: Transaction, now: int, after: int) -> int | None:
        """A mailing with copies that are due: the next behind ``after``, in a circle; or None."""

    def sends(self, transaction: Transaction, edition: int) -> bool:
        """Whether the mailing is being sent: not paused, not at its end."""

    def press(self, edition: int) -> Press:
        """The press of a mailing.

        Raises:
            DeliveryError: there can be none; the mailing is paused.
        """

    def refused(
        self, transaction: Transaction, refused: Sequence[tuple[Recipient, Result]]
    ) -> None:
        """These were refused for good, which is recorded in the same transaction."""

    def recovered(self, transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
        """These are recorded, from the journals of a process that died."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a sender works with.

    Args:
        ledger: its own; used in one thread only.
        signing: whether making a copy takes so long that it is worth threads of its own.
        connect: a new connection to a relay.
        now: the time of day, for what is written down: epoch milliseconds.
    """

    ledger: Ledger
    room: Room
    signing: bool
    connect: Callable[[Relay, Work], Connection]
    relays: Relays[Relay]
    warming: Warming
    verdicts: Verdicts
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a run; called in the loop's thread, except ``said``, which any thread calls."""

    progress: Callable[[Counter[str]], None] = lambda _states: None
    """With the states of copies that were recorded since the last call."""
    said: Callable[[str], None] = lambda _sentence: None
    """With a sentence about what has gone wrong and is being dealt with."""
    stopped: Callable[[], bool] = lambda: False
    """Asked often; True finishes what is in flight and ends."""
