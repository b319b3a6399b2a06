"""The ledger: who may be sent to, by whom, and what became of it. docs/decisions/0003-ledger.md.

    commit ─▶ Lease ─▶ leaving, note ─▶ commit ─▶ …

One group commit, in one transaction and with one wait for the disk, records every
outcome since the last one, renews what is still held and claims more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import StoreError
from dispatch.ledger import machine
from dispatch.ledger.facts import Claim, Outcome, Recipient, Recovered
from dispatch.ledger.journal import Journal
from dispatch.ledger.lease import Lease
from dispatch.ledger.recovery import Recovery, path_of
from dispatch.store import counts, leases
from dispatch.store import ledger as mailings
from dispatch.store.connection import Store
from dispatch.store.standing import Standing

__all__ = ["Claim", "Lease", "Ledger"]

Also = Callable[[Connection], None]
Choice = Callable[[Connection], Claim | None]
Told = Callable[[Connection, Sequence[Outcome]], None]

_Noted = tuple[Lease, Outcome]


class Ledger:
    """The ledger as one process uses it; all of it in one thread, but for the leases' own methods.

    Args:
        store: the newsroom's database.
        folder: of the journals, beside the database; made when needed.
        owner: what names this process, unlike any other before or after it.
        boot: which start of the machine this is.
        clock: the machine's, in seconds; it never goes back.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        owner: str,
        boot: str | None = None,
        clock: Callable[[], float] = machine.clock,
    ) -> None:
        self._standing = Standing(store)
        self._folder = folder
        self._owner = owner
        self._boot = machine.boot() if boot is None else boot
        self._clock = clock
        self._leases: dict[int, Lease] = {}
        self._states: dict[int, str] = {}
        # Outcomes that no group commit has recorded yet. Who sends appends while the ledger's
        # thread takes from the other end: a deque is made for that.
        self._pending: deque[_Noted] = deque()
        self.leases: tuple[Lease, ...] = ()
        self.refused = 0

    leases: tuple[Lease, ...]
    """Those that are open, as of the last commit."""

    refused: int
    """Outcomes, all in all, that were not recorded because their leases had been taken away."""

    def state(self, edition: int) -> str:
        """The state of a mailing that something was leased of, as of the last commit.

        Raises:
            KeyError: nothing ever was.
        """
        return self._states[edition]

    def pause(self, edition: int, reason: str, now: int) -> None:
        """Pause a mailing, in a transaction of its own; one that has ended stays as it is.

        Raises:
            StoreError: the database cannot be written.
        """
        with self._standing.transaction() as connection:
            row = mailings.mailing(connection, edition)
            if row and row.state in ("scheduled", "sending"):
                mailings.pause(connection, edition, reason, now)

    def recover(self, now: int, told: Told | None = None) -> Recovered:
        """Take over what was leased by processes that died or were not heard of for too long.

        Call it before anything is claimed, and from time to time where others send as well.

        Args:
            now: epoch milliseconds.
            told: what else belongs into the transaction, given the outcomes that it records.

        Raises:
            StoreError: the database cannot be written, or a journal cannot be read.
        """
        recovery = Recovery(self._folder, self._boot, self._clock, self._leases.keys())
        with self._standing.transaction() as connection:
            recovered = recovery.settle(connection, now)
            if told and recovery.outcomes:
                told(connection, recovery.outcomes)
        recovery.sweep()
        return recovered

    def commit(
        self, now: int, claim: Claim | Choice | None = None, also: Also | None = None
    ) -> Lease | None:
        """The group commit: durable when it returns.

        Args:
            now: epoch milliseconds.
            claim: what to lease, besides, or who chooses it in the transaction.
            also: what else belongs into the transaction, once the outcomes are recorded in it.

        Returns:
            The new lease; None where nothing was asked for, the mailing is not sending, or
            nothing of it is due.

        Raises:
            StoreError: the database or the new lease's journal cannot be written. Nothing was
                changed: the outcomes are kept for the next commit, and are in the journals.
        """
        noted = [self._pending.popleft() for _ in range(len(self._pending))]
        group = _Group(self, noted, now)
        try:
            with self._standing.transaction() as connection:
                group.record(connection)
                if also:
                    also(connection)
                group.renew(connection)
                if callable(claim):
                    claim = claim(connection)
                if claim:
                    group.claim(connection, claim)
                group.look(connection, claim)
        except BaseException:
            self._pending.extendleft(reversed(noted))
            group.abandon()
            raise
        return group.apply()

    def close(self, now: int, also: Also | None = None, told: Told | None = None) -> Recovered:
        """Record what is noted, and give back or settle everything that is still leased.

        Who sends must have stopped. ``also`` is of the last :meth:`commit`, ``told`` of the
        last :meth:`recover`.

        Raises:
            StoreError: the database cannot be written. The next :meth:`recover`, of any process,
                does it then.
        """
        try:
            self.commit(now, also=also)
        finally:
            for lease in self._leases.values():
                lease.release()
            self._leases.clear()
            self.leases = ()
        try:
            return self.recover(now, told)
        finally:
            self._standing.close()


class _Group:
    """One group commit: what its transaction does, and what follows once that is durable."""

    def __init__(self, ledger: Ledger, noted: Sequence[_Noted], now: int) -> None:
        self._ledger = ledger
        self._now = now
        self._noted: dict[int, list[Outcome]] = {}
        for lease, outcome in noted:
            self._noted.setdefault(lease.key, []).append(outcome)
        self._lost: set[int] = set()
        self._closed: set[int] = set()
        self._renewed: dict[int, int] = {}
        self._states: dict[int, str] = {}
        self._refused = 0
        self._lease: Lease | None = None
        self._journal: Journal | None = None

    def record(self, connection: Connection) -> None:
        """Write down what was noted, where the lease still stands; close what is settled."""
        open_here = self._ledger._leases
        self._lost = open_here.keys() - leases.still_open(connection, open_here.keys())
        for key, outcomes in self._noted.items():
            if key not in open_here or key in self._lost:
                self._refused += len(outcomes)
                continue
            lease = open_here[key]
            rows = [(o.key, o.state, o.reply, o.due) for o in outcomes]
            recorded = leases.record(connection, key, lease.edition, rows, self._now)
            self._refused += len(rows) - recorded
            if len(outcomes) == lease.unrecorded:
                self._closed.add(key)
        leases.close(connection, self._closed)

    def renew(self, connection: Connection) -> None:
        """Prolong what has used up a quarter of its time."""
        clock = int(self._ledger._clock() * 1000)
        for key, lease in self._ledger._leases.items():
            if key in self._lost or key in self._closed:
                continue
            if lease.expires - clock < lease.duration_ms * 3 // 4:
                self._renewed[key] = clock + lease.duration_ms
        leases.renew(connection, self._renewed)

    def claim(self, connection: Connection, claim: Claim) -> None:
        """Lease more; the journal is there before the lease is.

        Raises:
            StoreError: the journal cannot be written.
        """
        ledger = self._ledger
        expires = int(ledger._clock() * 1000) + claim.duration_ms
        claimed = leases.claim(
            connection,
            claim.edition,
            claim.limit,
            owner=ledger._owner,
            boot=ledger._boot,
            now=self._now,
            expires=expires,
        )
        if claimed is None:
            return
        key, rows = claimed
        path = path_of(ledger._folder, key)
        try:
            self._journal = Journal(path, key, ledger._owner)
        except OSError as error:
            raise StoreError(
                f"The ledger's journal {path} cannot be made ({error.strerror or error}). Nothing "
                "more is sent, because nothing may leave that is not written down first. Make "
                "room, or check the folder's permissions, and go on with dispatch mailing resume."
            ) from error
        recipients = tuple(
            Recipient(number, claim.edition, email, domain, name, language, attempts)
            for number, email, domain, name, language, attempts in rows
        )
        self._lease = Lease(
            key,
            claim.edition,
            recipients,
            self._journal,
            ledger._pending,
            ledger._clock,
            claim.duration_ms,
        )
        self._renewed[key] = expires

    def look(self, connection: Connection, claim: Claim | None) -> None:
        """Learn the mailings' states, which others may have changed; conclude what has ended."""
        editions = {lease.edition for lease in self._ledger._leases.values()}
        if claim:
            editions.add(claim.edition)
        for edition in editions:
            self._states[edition] = counts.settle(connection, edition, self._now)

    def abandon(self) -> None:
        """It was rolled back, as far as is known: leave the new journal to the next recovery."""
        if self._journal:
            self._journal.close()

    def apply(self) -> Lease | None:
        """It is durable: now the journals of what was settled can go."""
        ledger = self._ledger
        ledger._states.update(self._states)
        ledger.refused += self._refused
        for key in self._lost:
            ledger._leases.pop(key).lose()
        for key, outcomes in self._noted.items():
            if key in ledger._leases:
                ledger._leases[key].unrecorded -= len(outcomes)
        for key in self._closed:
            ledger._leases.pop(key).finish()
        if self._lease:
            ledger._leases[self._lease.key] = self._lease
        for key, expires in self._renewed.items():
            ledger._leases[key].extend(expires)
        ledger.leases = tuple(ledger._leases.values())
        return self._lease
