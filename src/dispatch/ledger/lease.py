"""A lease: recipients that one owner may send to, for as long as it holds them.

The order of three steps is what everything stands on: a copy's leaving is
journalled, *then* it is made sure that the lease still stands, *then* its last
byte is sent. Who takes over a lease that has expired reads the journal after that
moment: whatever had been sent by then is in it, and nothing can be sent later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dispatch.errors import StoreError
from dispatch.ledger.facts import Outcome, Recipient
from dispatch.ledger.journal import Journal, clean

_LOST = float("-inf")


class Lease:
    """Recipients of one edition in the hands of this process. Made by the ledger alone.

    :meth:`leaving`, :meth:`stayed` and :meth:`note` belong to one thread, that of who
    sends; everything else to the ledger's.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_journal",
        "_open",
        "_pending",
        "duration_ms",
        "edition",
        "expires",
        "key",
        "recipients",
        "unrecorded",
    )

    def __init__(
        self,
        key: int,
        edition: int,
        recipients: tuple[Recipient, ...],
        journal: Journal,
        pending: deque[tuple[Lease, Outcome]],
        clock: Callable[[], float],
        duration_ms: int,
    ) -> None:
        self.key = key
        self.edition = edition
        self.recipients = recipients
        self.duration_ms = duration_ms
        self.expires = 0
        self.unrecorded = len(recipients)
        self._open = {recipient.key for recipient in recipients}
        self._journal = journal
        self._pending = pending
        self._clock = clock
        self._deadline = _LOST

    def leaving(self, key: int) -> bool:
        """Journal that the last byte of this recipient's copy is about to leave.

        Returns:
            Whether it may leave. False: the lease has expired or was taken away, or the
            recipient has an outcome already; give it back.

        Raises:
            StoreError: the journal cannot be written. The copy must not leave.
        """
        if key not in self._open or self._clock() >= self._deadline:
            return False
        try:
            self._journal.leaving(key)
        except OSError as error:
            raise _cannot_write(error) from error
        return self._clock() < self._deadline

    def stayed(self, key: int) -> None:
        """Take :meth:`leaving` back: it certainly did not leave, and will be tried again."""
        if key in self._open:
            self._write(Outcome(key, "queued", ""))

    def note(self, outcome: Outcome) -> None:
        """Journal what became of a recipient, for the next group commit to record.

        If the journal cannot be written, the outcome is kept in memory until then.

        Raises:
            ValueError: the recipient is not in the lease or has an outcome already, or a try
                cannot end in that state. An error in the program.
        """
        words = clean(outcome.reply)
        if words is not outcome.reply:
            outcome = Outcome(outcome.key, outcome.state, words, outcome.due)
        if outcome.key not in self._open:
            raise ValueError(f"recipient {outcome.key} is not in lease {self.key}, or is settled")
        self._write(outcome)
        self._open.remove(outcome.key)
        self._pending.append((self, outcome))

    def _write(self, outcome: Outcome) -> None:
        try:
            self._journal.reply(outcome.key, outcome.state, outcome.due, outcome.reply)
        except OSError:
            # Whoever recovers it sees one that left without an answer: in doubt, which is true.
            return

    # For the ledger --------------------------------------------------------------------------

    def extend(self, expires: int) -> None:
        """It is known to the database that the lease lasts until ``expires``.

        Its owner stops a little before, so that there is time between a look at
        the clock and the last byte.
        """
        self.expires = expires
        self._deadline = (expires - min(1000, self.duration_ms // 10)) / 1000

    def lose(self) -> None:
        """It was taken away: nothing of it may leave any more."""
        self._deadline = _LOST

    def release(self) -> None:
        """Let go of it unsettled, for whoever recovers it; who sends has stopped."""
        self._deadline = _LOST
        self._journal.close()

    def finish(self) -> None:
        """Everything of it is recorded, and that is durable."""
        self._deadline = _LOST
        self._journal.remove()


def _cannot_write(error: OSError) -> StoreError:
    return StoreError(
        f"The ledger's journal cannot be written ({error.strerror or error}). Sending has stopped, "
        "because nothing may leave that is not written down first. Nothing is lost: make room, "
        "and go on with dispatch mailing resume."
    )
