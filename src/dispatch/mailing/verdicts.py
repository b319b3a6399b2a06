"""From a connection's result to what the ledger records.

accepted                                   → accepted
refused for good                           → bounced
refused for the moment                     → deferred, or bounced when it was tried long enough
no answer after the last byte              → in doubt
never left, at no fault of its own         → queued again
never left, and the relay broke off at it  → deferred, after a few connections
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from dispatch.ledger.facts import Outcome, Recipient
from dispatch.mailing.retries import retry_at
from dispatch.mailing.transport import Result

BROKEN_CONNECTIONS = 3
"""At the same copy, before it is suspected to be what breaks them."""


@dataclass(slots=True)
class Verdicts:
    """What a result means for its recipient.

    Args:
        retry_for: how long a copy that is refused for the moment is tried again.
        chance: spreads the retries.
    """

    retry_for: timedelta
    chance: Random

    def outcome(self, result: Result, recipient: Recipient, broken: int, now: int) -> Outcome:
        """The outcome to be recorded.

        Args:
            broken: how many connections have broken off at this copy before its last byte.
            now: epoch milliseconds.
        """
        key = recipient.key
        match result.kind:
            case "accepted" | "bounced" | "in_doubt":
                return Outcome(key, result.kind, result.reply)
            case "unsent" if result.blame != "relay" or broken < BROKEN_CONNECTIONS:
                return Outcome(key, "queued", "")
            case _:
                return self._later(result, recipient, now)

    def _later(self, result: Result, recipient: Recipient, now: int) -> Outcome:
        due = retry_at(recipient.attempts, now, self.retry_for, self.chance)
        if due is None:
            tried = f"Given up after {recipient.attempts + 1} tries. The last answer: "
            return Outcome(recipient.key, "bounced", tried + result.reply)
        return Outcome(recipient.key, "deferred", result.reply, due)
