"""The sender: takes what is due from the ledger, hands it to relays, writes back what became of it.

    ledger ──lease──▶ Backlog ──take──▶ connections ──▶ relays
      ▲                                      │
      └──── group commit ◀── outcomes ◀──────┘

Everything happens in one event loop, but for the ledger's transactions, which
have a thread of their own, and for signatures, where there are any. One group
commit records what became of copies, renews what is held and leases more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from dispatch.errors import DeliveryError
from dispatch.ledger.facts import Claim, Outcome, Recipient
from dispatch.ledger.lease import Lease
from dispatch.ledger.ledger import Ledger
from dispatch.mailing.backlog import Backlog
from dispatch.mailing.health import Relays
from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import Connection, Copy, End, Result, Work
from dispatch.mailing.verdicts import Verdicts

Press = Callable[[Recipient], Copy]
"""Makes a recipient's copy, complete and signed; DeliveryError: there can be none."""

_LEASE = 1000
"""Recipients that are leased at once, at most: what a power cut can leave in doubt."""
_LEASE_SECONDS = 2.0
"""Of work at the rate that is set: no more is leased, so that a pause takes hold soon."""
_LEASE_LASTS = 120_000
"""Milliseconds before somebody else may take over what a sender holds and does not renew."""
_GROUP = 0.1
"""Seconds between two group commits, where there is nothing to hurry for."""
_PARKED = 2 * _LEASE
"""Copies for domains that rest, before they are given back to the ledger."""
_AHEAD = 200
"""Signed copies that are made before they are asked for."""
_SIGNED_AT_ONCE = 16
_CONTENT_REFUSED = 10
"""Refusals of the message itself, one after another, before the mailing is paused."""
_SIGNERS = 2


class Clock(Protocol):
    """The time of day, for what is written down."""

    def __call__(self) -> int:
        """Milliseconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast it may go. ``rate`` is in messages per second, 0 for no limit."""

    rate: float
    connections: int
    patience: float
    """Seconds that every relay may be down before a run that does not stay gives up."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows a run; called in the loop's thread, except ``refused``."""

    progress: Callable[[Counter[str]], None] = lambda _states: None
    """With the states of copies that were recorded since the last call."""
    said: Callable[[str], None] = lambda _sentence: None
    """With a sentence about what has gone wrong and is being dealt with."""
    stopped: Callable[[], bool] = lambda: False
    """Asked often; True finishes what is in flight and ends."""
    refused: Callable[[Sequence[tuple[Recipient, Result]]], None] = lambda _refused: None
    """With recipients that were refused for good, once that is recorded; in the ledger's thread."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a sender works with.

    Args:
        ledger: its own; used in one thread only.
        due: the number of a mailing with work due, or None; called in the ledger's thread.
        press: a mailing's press, made when first needed; called in the ledger's thread.
        signing: whether making a copy takes so long that it is worth threads of its own.
        connect: a new connection to a relay.
    """

    ledger: Ledger
    due: Callable[[int], int | None]
    press: Callable[[int], Press]
    signing: bool
    connect: Callable[[Relay, Work], Connection]
    relays: Relays[Relay]
    verdicts: Verdicts
    now: Clock


@dataclass(slots=True)
class _Held:
    """A leased recipient that has no outcome yet."""

    lease: Lease
    recipient: Recipient
    broken: int = 0


@dataclass(slots=True)
class _Line:
    """An open connection."""

    relay: Relay
    connection: Connection
    opened: float
    idle: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)


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
        self._held: dict[int, _Held] = {}
        self._in_flight: dict[int, Relay] = {}
        self._lines: dict[int, _Line] = {}
        self._presses: dict[int, Press] = {}
        self._refused: list[tuple[Recipient, Result]] = []
        self._recorded: Counter[str] = Counter()
        self._content_refused: Counter[int] = Counter()
        self._to_pause: dict[int, str] = {}
        self._signing = 0
        self._low = 0
        self._stopping = False
        self._error: BaseException | None = None
        self._down_since: float | None = None
        self._no_relay_before = 0.0
        self._books_changed = asyncio.Event()
        self._lines_changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.unreachable = ""
        """Why it gave up, where every relay was down for too long."""

    async def run(self) -> None:
        """Send what is due, until nothing is or it is stopped.

        Raises:
            StoreError: the ledger cannot be written. What was in flight is in doubt, no more.
            DispatchError: a copy cannot be made.
        """
        self._loop = asyncio.get_running_loop()
        self._rate = Rate(self._limits.rate)
        self._domains = Domains()
        self._relay_paces = Domains(frozenset({"relay", "sender"}))
        press = None if self._means.signing else self._pressed
        self._backlog = Backlog(press, self._rate, self._domains, self._loop.time)
        self._books = ThreadPoolExecutor(1, "ledger")
        self._signers = ThreadPoolExecutor(_SIGNERS, "signer") if self._means.signing else None
        lines = asyncio.create_task(self._keep_lines())
        try:
            await self._keep_books()
        finally:
            lines.cancel()
            with suppress(asyncio.CancelledError):
                await lines
            await self._close_lines()
            if not self._error:
                await self._loop.run_in_executor(self._books, self._close_ledger)
            self._books.shutdown()
            if self._signers:
                self._signers.shutdown()
        if self._error:
            raise self._error

    # The ledger ------------------------------------------------------------------------------

    async def _keep_books(self) -> None:
        """Group commits, one after another, until there is nothing left to do."""
        while not self._error:
            if not self._stopping and self._watch.stopped():
                self._stop()
            want = self._wanted()
            lease = await self._loop.run_in_executor(self._books, self._commit, want)
            self._tell_progress()
            if lease:
                self._hold(lease)
            self._give_back_what_was_halted()
            self._give_back_what_rests()
            if lease and len(lease.recipients) == want:
                continue
            if not self._held and (self._stopping or not (lease or self._stay)):
                self._tell_progress()
                return
            self._books_changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._books_changed.wait(), self._pause_of_books())

    def _pause_of_books(self) -> float:
        return _GROUP if self._held else 1.0

    def _wanted(self) -> int:
        """How many recipients to lease."""
        if self._stopping or self._loop.time() < self._no_relay_before:
            return 0
        most = _LEASE
        if self._limits.rate:
            most = max(1, min(_LEASE, int(self._limits.rate * _LEASE_SECONDS)))
        self._low = most
        return most if self._backlog.at_hand <= most else 0

    def _commit(self, want: int) -> Lease | None:
        """One group commit, in the ledger's thread."""
        now = self._means.now()
        ledger = self._means.ledger
        while self._to_pause:
            ledger.pause(*self._to_pause.popitem(), now)
        edition = self._means.due(now) if want else None
        claim = None if edition is None else Claim(edition, want, _LEASE_LASTS)
        lease = ledger.commit(now, claim)
        refused, self._refused = self._refused, []
        if refused:
            self._watch.refused(refused)
        if lease and lease.edition not in self._presses:
            self._presses[lease.edition] = self._means.press(lease.edition)
        return lease

    def _close_ledger(self) -> None:
        self._means.ledger.close(self._means.now())

    def _hold(self, lease: Lease) -> None:
        for recipient in lease.recipients:
            self._held[recipient.key] = _Held(lease, recipient)
        self._backlog.add(lease.recipients)
        self._sign_ahead()
        self._lines_changed.set()
        self._poke()

    def _tell_progress(self) -> None:
        if self._recorded:
            recorded, self._recorded = self._recorded, Counter()
            self._watch.progress(recorded)

    def _record(self, held: _Held, outcome: Outcome) -> None:
        try:
            held.lease.note(outcome)
        except BaseException as error:
            self._fail(error)
            return
        del self._held[outcome.key]
        self._recorded[outcome.state] += 1
        if not self._held:
            self._books_changed.set()

    def _give_back(self, keys: Sequence[int], due: int = 0) -> None:
        for key in keys:
            self._record(self._held[key], Outcome(key, "queued", "", due))

    def _give_back_what_was_halted(self) -> None:
        """What belongs to mailings that were paused or cancelled, here or by another process."""
        halted = {e for e in self._editions() if self._means.ledger.state(e) != "sending"}
        if halted:
            self._give_back(
                self._backlog.withdraw(lambda key: self._held[key].recipient.edition in halted)
            )

    def _editions(self) -> set[int]:
        return {lease.edition for lease in self._means.ledger.leases}

    def _give_back_what_rests(self) -> None:
        """Where domains that rest hold too many copies, or what would run out of its lease."""
        if self._backlog.parked_copies <= _PARKED:
            return
        now, wall = self._loop.time(), self._means.now()
        for key, wake in self._backlog.unpark():
            self._give_back([key], wall + int(max(0.0, wake - now) * 1000))

    # Copies: what connections ask for and tell -------------------------------------------------

    def take(self, connection: Connection) -> Copy | None:
        """The next copy that may leave."""
        if self._stopping:
            return None
        line = self._lines[id(connection)]
        now = self._loop.time()
        wait = self._relay_paces.may_send(line.relay.name, now)
        if wait:
            line.idle = True
            self._wake_at(now + wait)
            return None
        try:
            copy = self._backlog.take()
        except BaseException as error:
            self._fail(error)
            return None
        line.idle = copy is None
        if copy is None:
            self._relay_paces.unused(line.relay.name, now)
            if self._backlog.wake is not None:
                self._wake_at(self._backlog.wake)
        else:
            self._in_flight[copy.key] = line.relay
            if self._backlog.at_hand == self._low:
                self._books_changed.set()
        if self._signers:
            self._sign_ahead()
        return copy

    def leaving(self, copy: Copy) -> bool:
        """Journal that the copy's last byte is about to leave; False: it must not."""
        try:
            return self._held[copy.key].lease.leaving(copy.key)
        except BaseException as error:
            self._fail(error)
            return False

    def done(self, result: Result) -> None:
        """What became of a copy."""
        copy = result.copy
        relay = self._in_flight.pop(copy.key)
        held = self._held[copy.key]
        now = self._loop.time()
        if result.kind == "unsent" and result.blame == "relay":
            held.broken += 1
            if held.broken < 3 and not self._stopping:
                held.lease.stayed(copy.key)
                self._backlog.put_back(copy)
                return
        if result.blame != "relay":
            self._means.relays.answered(relay, now)
        self._domains.told(copy.domain, result, now)
        self._relay_paces.told(relay.name, result, now)
        self._heed(result, held.recipient)
        self._record(
            held,
            self._means.verdicts.outcome(result, held.recipient, held.broken, self._means.now()),
        )

    def _heed(self, result: Result, recipient: Recipient) -> None:
        """What the answer means beyond its recipient."""
        edition = recipient.edition
        if result.kind == "accepted":
            self._content_refused.pop(edition, None)
        elif result.blame == "sender":
            self._pause(edition, f"The relay does not take mail from this desk: {result.reply}")
        elif result.kind == "bounced" and result.blame == "content":
            self._content_refused[edition] += 1
            if self._content_refused[edition] >= _CONTENT_REFUSED:
                self._pause(
                    edition, f"The relay refuses the message, one after another: {result.reply}"
                )
        elif result.kind == "bounced":
            self._refused.append((recipient, result))

    def _pause(self, edition: int, reason: str) -> None:
        if edition not in self._to_pause:
            self._to_pause[edition] = reason
            self._watch.said(reason)
            self._books_changed.set()

    def _pressed(self, recipient: Recipient) -> Copy | None:
        made = self._made(recipient)
        if isinstance(made, Copy):
            return made
        self._record(self._held[recipient.key], made)
        return None

    def _made(self, recipient: Recipient) -> Copy | Outcome:
        """A recipient's copy, or why there can be none."""
        try:
            return self._presses[recipient.edition](recipient)
        except DeliveryError as error:
            return Outcome(recipient.key, "bounced", str(error))

    def _sign_ahead(self) -> None:
        """Have copies made in other threads, a few ahead of what is asked for."""
        while self._signers and self._backlog.pressed + self._signing < _AHEAD:
            batch = self._backlog.unpressed(_SIGNED_AT_ONCE)
            if not batch:
                return
            self._signing += len(batch)
            made = self._loop.run_in_executor(self._signers, self._made_of, batch)
            made.add_done_callback(self._signed)

    def _made_of(self, batch: Sequence[Recipient]) -> list[Copy | Outcome]:
        return [self._made(recipient) for recipient in batch]

    def _signed(self, made: asyncio.Future[list[Copy | Outcome]]) -> None:
        if made.exception():
            self._fail(made.exception())
            return
        self._signing -= len(made.result())
        copies = [one for one in made.result() if isinstance(one, Copy)]
        for outcome in made.result():
            if isinstance(outcome, Outcome):
                self._record(self._held[outcome.key], outcome)
        if self._stopping:
            self._give_back([copy.key for copy in copies])
            return
        self._backlog.ready(copies)
        self._poke()

    # Connections -------------------------------------------------------------------------------

    async def _keep_lines(self) -> None:
        """Open connections where there is work and nobody idle to do it."""
        while True:
            opened = not self._stopping and self._open_one()
            if opened and not self._limits.rate:
                continue
            self._lines_changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lines_changed.wait(), 0.05 if self._held else 1.0)

    def _open_one(self) -> bool:
        now = self._loop.time()
        if len(self._lines) >= self._limits.connections:
            self._make_room_for_a_trial(now)
            return False
        idle = any(line.idle for line in self._lines.values())
        if idle or len(self._lines) >= len(self._held):
            return False
        open_now = Counter(line.relay.name for line in self._lines.values())
        relay = self._means.relays.choose(open_now, now)
        if relay is None:
            if not self._lines:
                self._all_down()
            return False
        self._down_since = self._down_since if not self._lines else None
        line = _Line(relay, self._means.connect(relay, self), now)
        self._lines[id(line.connection)] = line
        line.task = self._loop.create_task(self._converse(line))
        return True

    def _make_room_for_a_trial(self, now: float) -> None:
        """Let one connection go where a relay that was down is to be tried again."""
        if self._means.relays.wants_trial(now):
            next(iter(self._lines.values())).connection.finish()

    async def _converse(self, line: _Line) -> None:
        try:
            end = await line.connection.run()
        except Exception as error:
            self._fail(error)
            return
        finally:
            del self._lines[id(line.connection)]
            self._lines_changed.set()
        self._means.relays.ended(line.relay, end, self._loop.time(), opened=line.opened)
        if end.kind != "finished" and not self._stopping:
            self._tell_end(end)

    def _tell_end(self, end: End) -> None:
        if end.sentence:
            self._watch.said(end.sentence)

    def _all_down(self) -> None:
        """No relay can be tried now: give everything back until one can."""
        now = self._loop.time()
        self._down_since = self._down_since or now
        again = self._means.relays.next_try(now)
        sentence = self._means.relays.sentence(now)
        if again is None or (not self._stay and now - self._down_since > self._limits.patience):
            self.unreachable = sentence
            self._stop()
            return
        self._no_relay_before = max(self._no_relay_before, again)

    def _wake_at(self, time: float) -> None:
        """Poke idle connections when the pace allows another copy."""
        if self._timer is None or time < self._timer.when():
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_at(time, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._poke()

    def _poke(self) -> None:
        """Give idle connections work for as long as there is any."""
        for line in list(self._lines.values()):
            if line.idle:
                line.idle = False
                line.connection.poke()
                if line.idle:
                    return

    # The end -----------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Finish what is in flight, give back the rest."""
        self._stopping = True
        self._give_back(self._backlog.withdraw())
        for line in self._lines.values():
            line.connection.finish()
        self._books_changed.set()

    def _fail(self, error: BaseException | None) -> None:
        """Stop at once: what is in flight is settled from the journal by the next run."""
        self._error = self._error or error
        self._stopping = True
        self._books_changed.set()

    async def _close_lines(self) -> None:
        tasks = [line.task for line in self._lines.values() if line.task]
        for line in list(self._lines.values()):
            if self._error:
                line.connection.abort()
            else:
                line.connection.finish()
        if tasks:
            await asyncio.wait(tasks, timeout=10)
