"""The sender: takes what is due from the ledger, hands it to relays, writes back what became of it.

    Books ──lease──▶ Backlog ──take──▶ Lines ──▶ relays
      ▲                                  │
      └───── group commit ◀── done ◀─────┘

Everything happens in one event loop, but for the ledger's transactions, which
have a thread of their own (:mod:`dispatch.mailing.books`), and for signatures,
where there are any (:mod:`dispatch.mailing.ahead`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from dispatch.errors import DeliveryError, StoreError
from dispatch.ledger.facts import Outcome, Recipient
from dispatch.ledger.lease import Lease
from dispatch.mailing.ahead import Ahead
from dispatch.mailing.backlog import Backlog
from dispatch.mailing.books import Books
from dispatch.mailing.lines import Line, Lines
from dispatch.mailing.means import Limits, Means, Watch
from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.transport import Connection, Copy, Result
from dispatch.mailing.verdicts import BROKEN_CONNECTIONS

_LEASE = 1000
"""Recipients that are leased at once, at most: what a power cut can leave in doubt."""
_LEASE_SECONDS = 2.0
"""Of work at the rate that is set: no more is leased, so that a pause takes hold soon."""
_GROUP = 0.1
"""Seconds between two group commits, where there is nothing to hurry for."""
_IDLE = 1.0
"""Seconds between two looks at what is due, where nothing was."""
_PARKED = 2 * _LEASE
"""Recipients whose domains rest that are held, at most."""
_CONTENT_REFUSED = 10
"""Refusals of the message itself, one after another, before the mailing is paused."""
_GRACE = 10.0
"""Seconds for what is in flight to be answered, when something went wrong."""


class Sender:
    """One run of sending; makes no decision about which mailing, when or to whom.

    Args:
        stay: go on when nothing is due, until it is stopped.
    """

    def __init__(self, means: Means, limits: Limits, watch: Watch, *, stay: bool) -> None:
        self._means = means
        self._limits = limits
        self._watch = watch
        self._stay = stay
        self._most = _LEASE
        if limits.rate:
            self._most = max(1, min(_LEASE, int(limits.rate * _LEASE_SECONDS)))
        self._in_flight: dict[int, Line] = {}
        self._content_refused: Counter[int] = Counter()
        self._pausing: set[int] = set()
        self._stopping = False
        self._error: BaseException | None = None
        self._down_since: float | None = None
        self._no_relay_before = 0.0
        self.unreachable = ""
        """Why it gave up, where every relay was down for too long."""

    # A run -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what is due, until nothing is or it is stopped.

        Cancelled, it stops at once: what is in flight is in doubt.

        Raises:
            StoreError: the ledger cannot be written. What was in flight is in doubt, no more.
            DispatchError: a copy cannot be made.
        """
        self._begin()
        keeping = asyncio.create_task(self._lines.keep())
        grace = 0.0
        try:
            await self._keep_books()
            grace = _GRACE
        except Exception as error:
            self._fail(error)
            grace = _GRACE
        finally:
            self._stopping = True
            await self._lines.close(grace)
            await asyncio.wait([keeping])
            if self._ahead:
                self._ahead.close()
            await self._close_books()
        if self._error:
            raise self._error

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._books = Books(self._means, self._watch.said)
        self._domains = Domains()
        self._backlog = Backlog(
            self._press,
            Rate(self._limits.rate),
            self._domains,
            self._loop.time,
            ahead=self._means.signing,
        )
        self._ahead = None
        if self._means.signing:
            self._ahead = Ahead(self._backlog, self._made, self._made_ahead, self._fail)
        self._lines = Lines(
            self._means,
            self,
            self._limits.connections,
            slowly=bool(self._limits.rate),
            demand=lambda: 0 if self._stopping else len(self._books.held),
            said=self._watch.said,
            none=self._no_relay,
            failed=self._fail,
        )

    async def _keep_books(self) -> None:
        """Group commits, one after another, until there is nothing left to do."""
        books = self._books
        while not self._error:
            if not self._stopping and self._watch.stopped():
                self._stop()
            want = self._wanted()
            lease = await books.commit(want)
            self._settle(lease)
            if lease and len(lease.recipients) == want:
                continue
            if not books.held:
                if self._stopping:
                    return
                ended = not (lease or self._stay or books.waits)
                if want and ended and not await books.recover():
                    return
            books.hurry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GROUP if books.held else _IDLE):
                    await books.hurry.wait()

    def _wanted(self) -> int:
        """How many recipients to lease."""
        if self._stopping or self._loop.time() < self._no_relay_before:
            return 0
        return self._most if self._backlog.at_hand <= self._most else 0

    def _settle(self, lease: Lease | None) -> None:
        """Do what follows from a commit."""
        books, backlog = self._books, self._backlog
        if recorded := books.take_recorded():
            self._watch.progress(recorded)
        if lease and lease.edition in books.presses:
            backlog.add(lease.recipients)
        elif lease:  # there can be no copies, and it is paused
            books.give_back(recipient.key for recipient in lease.recipients)
        if lost := set(books.lost()):
            books.forget(backlog.withdraw(lost.__contains__))
        if halted := books.halted():  # here or by another process
            self._pausing -= halted
            self._withdraw(halted)
        if self._pausing:
            self._withdraw(self._pausing)
        if backlog.parked > _PARKED:
            now = self._loop.time()
            books.put_off((key, turn - now) for key, turn in backlog.surplus(_PARKED // 2))
        books.forget_presses()
        if lease:
            if self._ahead:
                self._ahead.go_on()
            self._lines.changed.set()
            self._lines.poke()

    def _withdraw(self, editions: set[int]) -> None:
        held = self._books.held
        self._books.give_back(
            self._backlog.withdraw(lambda key: held[key].recipient.edition in editions)
        )

    # Copies: what connections ask for and tell -------------------------------------------------

    def take(self, connection: Connection) -> Copy | None:
        """The next copy that may leave."""
        if self._stopping:
            return None
        line, now = self._lines.of(connection), self._loop.time()
        line.idle = ""
        if not self._lines.may_take(line, now):
            return None
        copy = self._backlog.take()
        if copy is None:
            line.idle = "work"
            self._lines.unused(line, now)
            if self._backlog.wake is not None:
                self._lines.wake_at(self._backlog.wake)
        else:
            self._in_flight[copy.key] = line
            if self._backlog.at_hand == self._most:
                self._books.hurry.set()
        if self._ahead:
            self._ahead.go_on()
        return copy

    def leaving(self, copy: Copy) -> bool:
        """Journal that the copy's last byte is about to leave; False: it must not."""
        try:
            return self._books.held[copy.key].lease.leaving(copy.key)
        except StoreError as error:
            self._fail(error)
            return False

    def done(self, result: Result) -> None:
        """What became of a copy."""
        copy = result.copy
        now = self._loop.time()
        self._lines.answered(self._in_flight.pop(copy.key), result, now)
        held = self._books.held[copy.key]
        if result.kind == "unsent" and result.blame == "relay":
            held.broken += 1
            if held.broken < BROKEN_CONNECTIONS and not self._stopping:
                held.lease.stayed(copy.key)
                self._backlog.put_back(copy)
                self._lines.wake()
                return
        if result.kind == "accepted":
            self._down_since = None
        self._domains.told(copy.domain, result, now)
        outcome = self._means.verdicts.outcome(
            result, held.recipient, held.broken, self._means.now()
        )
        self._heed(result, outcome, held.recipient)
        self._books.record(outcome)

    def _heed(self, result: Result, outcome: Outcome, recipient: Recipient) -> None:
        """What the answer means beyond its recipient's copy."""
        edition = recipient.edition
        if result.kind == "accepted":
            if self._content_refused:
                self._content_refused.pop(edition, None)
        elif result.blame == "sender":
            self._pause(edition, f"The relay does not take mail from this desk: {result.reply}")
        elif outcome.state == "bounced" and result.blame == "content":
            self._content_refused[edition] += 1
            if self._content_refused[edition] >= _CONTENT_REFUSED:
                self._pause(
                    edition, f"The relay refuses the message, one after another: {result.reply}"
                )
        elif outcome.state == "bounced" and result.blame == "recipient":
            self._books.refuse(recipient, result)

    def _pause(self, edition: int, reason: str) -> None:
        """Pause a mailing, beginning with what is at hand."""
        if edition not in self._pausing:
            self._pausing.add(edition)
            self._content_refused.pop(edition, None)
            self._watch.said(reason)
            self._books.pause(edition, reason)
            self._withdraw({edition})

    # Making copies -----------------------------------------------------------------------------

    def _press(self, recipient: Recipient) -> Copy | None:
        made = self._made(recipient)
        if isinstance(made, Copy):
            return made
        self._books.record(made)
        return None

    def _made(self, recipient: Recipient) -> Copy | Outcome:
        """A recipient's copy, or why there can be none; in any thread."""
        press = self._books.presses.get(recipient.edition)
        if press is None:  # its lease was lost in the meantime
            return Outcome(recipient.key, "queued", "")
        try:
            return press(recipient)
        except DeliveryError as error:
            return Outcome(recipient.key, "bounced", str(error))

    def _made_ahead(self, made: Sequence[Copy | Outcome]) -> None:
        self._backlog.ready(one for one in made if isinstance(one, Copy))
        for one in made:
            if isinstance(one, Outcome):
                self._books.record(one)
        if self._stopping:
            self._books.give_back(self._backlog.withdraw())
        self._lines.poke()

    # The end -----------------------------------------------------------------------------------

    def _no_relay(self) -> None:
        """No relay can be tried now: give everything back until one can."""
        now = self._loop.time()
        if self._down_since is None:
            self._down_since = now
        again = self._means.relays.next_try(now)
        if again is None or (not self._stay and again - self._down_since > self._limits.patience):
            self.unreachable = self._means.relays.sentence(now)
            self._stop()
            return
        self._no_relay_before = again
        held = self._books.held  # who was at a connection that broke off is suspected to break it
        self._books.give_back(self._backlog.withdraw(lambda key: not held[key].broken))

    def _stop(self) -> None:
        """Finish what is in flight, give back the rest."""
        self._stopping = True
        self._books.give_back(self._backlog.withdraw())
        self._lines.finish()
        self._books.hurry.set()

    def _fail(self, error: BaseException) -> None:
        """Something is wrong: send nothing more."""
        self._error = self._error or error
        self._stopping = True
        self._books.hurry.set()

    async def _close_books(self) -> None:
        try:
            await self._books.close()
        except StoreError as error:
            self._error = self._error or error
