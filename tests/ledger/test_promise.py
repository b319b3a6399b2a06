"""Nobody skipped, nobody twice, in doubt is said: whatever happens, in whatever order.

A relay that knows what truly reached it is the judge. Two senders share a machine
whose clock is moved, whose processes die and whose power fails, at any moment.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.ledger.desk import MINUTE, NOW, Desk, die

from dispatch.ledger.facts import Outcome, State
from dispatch.ledger.ledger import Claim, Lease, Ledger
from dispatch.store import ledger as mailings
from dispatch.store import proof, recipients
from dispatch.store.standing import Standing

READERS = 8
SENDERS = st.sampled_from(["one", "two"])
PICK = st.integers(0, 1)
COUNT = st.integers(1, 3)
TOOK = st.integers(0, 2**READERS - 1)
"""Whom the relay takes a copy of, if one is on its way: a bit for each reader."""


class Sender:
    """A process that sends, as the world sees it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.unanswered: dict[int, Lease] = {}
        """Copies that left and whose answer it has not noted."""

    def unsent(self) -> list[tuple[Lease, int]]:
        """Recipients without an outcome whose copies did not leave, as far as it knows."""
        return [
            (lease, key)
            for lease in self.ledger.leases
            for key in sorted(lease._open - self.unanswered.keys())
        ]

    def answered(self, count: int) -> list[tuple[int, Lease]]:
        """Some of those that wait for an answer; they wait no longer."""
        return [(key, self.unanswered.pop(key)) for key in sorted(self.unanswered)[:count]]


def pick(among: list[Any], which: int) -> Any:
    return among[which % len(among)]


def takes(took: int, key: int) -> bool:
    return bool(took >> (key - 1) & 1)


class Promise(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.desk = Desk(self.folder)
        self.looking = Standing(self.desk.store)
        self.senders: dict[str, Sender] = {}
        self.taken: Counter[int] = Counter()
        """Copies that the relay took, by recipient."""
        self.allowed: Counter[int] = Counter()
        """Times that somebody in doubt was sent again on demand."""
        self.doubtful: set[int] = set()
        """Recipients of whom it was truly impossible to say, at some time."""
        self.abandoned = False
        """Whether there may be something to recover."""
        self.minutes = 0

    def teardown(self) -> None:
        try:
            if hasattr(self, "edition"):
                self.nobody_is_skipped()
        finally:
            self.looking.close()
            self.desk.close()
            shutil.rmtree(self.folder)

    @initialize(in_doubt=st.sampled_from(["hold", "resend"]))
    def a_mailing(self, in_doubt: str) -> None:
        self.again = in_doubt == "resend"
        self.edition = self.desk.edition(READERS, in_doubt=in_doubt)

    @property
    def now(self) -> int:
        return NOW + self.minutes * MINUTE

    def sender(self, name: str) -> Sender:
        if name not in self.senders:
            self.senders[name] = Sender(self.desk.ledger(f"{name} {len(self.desk._ledgers)}"))
        return self.senders[name]

    def waiting(self) -> list[Sender]:
        """Senders that wait for an answer."""
        return [sender for _, sender in sorted(self.senders.items()) if sender.unanswered]

    def holding(self) -> list[str]:
        """Names of those that hold a lease, or believe so."""
        return sorted(name for name, sender in self.senders.items() if sender.ledger.leases)

    # What senders do -----------------------------------------------------------------------------

    @rule(name=SENDERS, count=st.integers(0, 3))
    def commit(self, name: str, count: int) -> None:
        claim = Claim(self.edition, count, 10 * MINUTE) if count else None
        self.sender(name).ledger.commit(self.now, claim)

    @rule(name=SENDERS, count=COUNT)
    def copies_leave(self, name: str, count: int) -> None:
        sender = self.sender(name)
        if not sender.unsent():
            self.commit(name, count)
        for lease, key in sender.unsent()[:count]:
            if lease.leaving(key):
                sender.unanswered[key] = lease

    @precondition(waiting)
    @rule(which=PICK, count=COUNT, took=TOOK, final=st.booleans())
    def answers_come(self, which: int, count: int, took: int, final: bool) -> None:
        """Copies that left arrive, or are refused, and their answers are noted."""
        for key, lease in pick(self.waiting(), which).answered(count):
            self.taken[key] += takes(took, key)
            refused: State = "bounced" if final else "deferred"
            state = "accepted" if takes(took, key) else refused
            lease.note(Outcome(key, state, "so says the relay", self.now))

    @rule(name=SENDERS, count=COUNT, took=TOOK, final=st.booleans())
    def all_goes_well(self, name: str, count: int, took: int, final: bool) -> None:
        self.copies_leave(name, count)
        if self.waiting():
            self.answers_come(0, count, took, final)

    @precondition(waiting)
    @rule(which=PICK, count=COUNT, took=TOOK)
    def the_connection_breaks_before_the_answers(self, which: int, count: int, took: int) -> None:
        for key, lease in pick(self.waiting(), which).answered(count):
            self.taken[key] += takes(took, key)
            self.in_doubt([key])
            lease.note(Outcome(key, "in_doubt", "the connection broke"))

    @precondition(waiting)
    @rule(which=PICK, count=COUNT, again=st.booleans())
    def copies_do_not_leave_after_all(self, which: int, count: int, again: bool) -> None:
        for key, lease in pick(self.waiting(), which).answered(count):
            if again:
                lease.stayed(key)
            else:
                lease.note(Outcome(key, "queued", ""))

    @precondition(holding)
    @rule(which=PICK, count=COUNT)
    def some_are_given_back(self, which: int, count: int) -> None:
        for lease, key in self.senders[pick(self.holding(), which)].unsent()[:count]:
            lease.note(Outcome(key, "queued", ""))

    @precondition(lambda self: self.abandoned)
    @rule(name=SENDERS)
    def recover(self, name: str) -> None:
        """What others left behind. If one of them lives on with an expired lease, that is in doubt
        of which it waits for an answer."""
        for other, sender in self.senders.items():
            if other != name:
                self.in_doubt(
                    key
                    for key, lease in sender.unanswered.items()
                    if self.desk.machine.time * 1000 >= lease.expires
                )
        self.sender(name).ledger.recover(self.now)
        self.abandoned = False

    # What happens to them ------------------------------------------------------------------------

    @precondition(holding)
    @rule(which=PICK, took=TOOK)
    def one_is_killed(self, which: int, took: int) -> None:
        self.lost(pick(self.holding(), which), took)

    @precondition(holding)
    @rule(cuts=st.lists(st.floats(0, 1), min_size=4, max_size=4), took=TOOK)
    def the_power_fails(self, cuts: list[float], took: int) -> None:
        """Journals lose their ends; what is in the database stays."""
        for name in list(self.senders):
            self.lost(name, took)
        self.in_doubt(row.key for row in self.desk.rows(self.edition) if row.state == "leased")
        for number, path in enumerate(sorted(self.desk.journals.glob("*"))):
            data = path.read_bytes()
            path.write_bytes(data[: int(len(data) * cuts[number % 4])])
        self.desk.machine.boots += 1
        self.desk.machine.time = 1.0

    @precondition(holding)
    @rule(minutes=st.sampled_from([1, 5, 11]), days=st.sampled_from([0, 0, 0, -300, 300]))
    def time_passes(self, minutes: int, days: int) -> None:
        """And the time of day may be set meanwhile."""
        self.desk.machine.time += minutes * 60
        self.minutes = min(max(0, self.minutes + minutes + days * 24 * 60), 500_000)
        self.abandoned = True

    def lost(self, name: str, took: int) -> None:
        """It dies with copies on their way: the relay may yet take them."""
        sender = self.senders.pop(name)
        self.in_doubt(sender.unanswered)
        for key in sender.unanswered:
            self.taken[key] += takes(took, key)
        die(sender.ledger)
        self.abandoned = True

    def in_doubt(self, keys: Iterable[int]) -> None:
        for key in keys:
            if self.again and key not in self.doubtful:
                self.allowed[key] += 1
            self.doubtful.add(key)

    # What the desk does --------------------------------------------------------------------------

    @precondition(lambda self: self.taken)
    @rule()
    def pause_or_resume(self) -> None:
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) == "sending":
                mailings.pause(connection, self.edition, "for a moment", self.now)
            elif self.desk_state(connection) == "paused":
                mailings.resume(connection, self.edition, self.now)

    @precondition(lambda self: len(self.taken) > READERS // 2)
    @rule()
    def cancel(self) -> None:
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) in ("sending", "paused"):
                mailings.cancel(connection, self.edition, self.now)

    @precondition(lambda self: self.taken)
    @rule(state=st.sampled_from(["deferred", "bounced", "in_doubt"]))
    def retry(self, state: str) -> None:
        before = [row for row in self.desk.rows(self.edition) if row.state == state]
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) != "cancelled":
                mailings.retry(connection, self.edition, [state], self.now)
        after = {row.key: row.state for row in self.desk.rows(self.edition)}
        for row in before:
            if state == "in_doubt" and after[row.key] == "queued":
                self.allowed[row.key] += 1

    @precondition(lambda self: self.taken)
    @rule(reader=st.integers(1, READERS))
    def a_reader_leaves(self, reader: int) -> None:
        with self.desk.store.transaction() as connection:
            connection.exec_driver_sql(
                "UPDATE subscribers SET state = 'unsubscribed' WHERE key = ?", (reader,)
            )
            mailings.suppress_subscriber(connection, reader, "unsubscribed", self.now)

    def desk_state(self, connection) -> str:  # type: ignore[no-untyped-def]
        found = mailings.mailing(connection, self.edition)
        assert found
        return found.state

    # The promise ---------------------------------------------------------------------------------

    @invariant()
    def nobody_twice_and_in_doubt_is_said(self) -> None:
        if not hasattr(self, "edition"):
            return
        with self.looking.transaction() as connection:
            found = proof.verify(connection, self.edition)
            rows = recipients.page(connection, self.edition)
        assert found
        assert found.findings == ()
        for row in rows:
            assert self.taken[row.key] <= 1 + self.allowed[row.key]
            if row.state == "accepted":
                assert self.taken[row.key] >= 1
            elif row.state == "in_doubt":
                assert row.key in self.doubtful
            elif row.state != "leased":
                assert self.taken[row.key] == 0 or row.doubts
            if row.doubts:
                assert row.key in self.doubtful

    def nobody_is_skipped(self) -> None:
        """In the end, everything that waits is sent, and nobody is left over."""
        for name in list(self.senders):
            self.lost(name, 0)
        with self.desk.store.transaction() as connection:
            paused = self.desk_state(connection) == "paused"
        if paused:
            self.pause_or_resume()
        last = self.sender("last")
        last.ledger.recover(self.now)
        self.minutes = 10**6  # past everything that is due later
        while lease := last.ledger.commit(self.now, Claim(self.edition, 3, 10 * MINUTE)):
            for recipient in lease.recipients:
                assert lease.leaving(recipient.key)
                self.taken[recipient.key] += 1
                lease.note(Outcome(recipient.key, "accepted", "250 Ok"))
        self.nobody_twice_and_in_doubt_is_said()
        assert self.desk.state(self.edition) in ("finished", "cancelled")
        counts = self.desk.counts(self.edition)
        assert sum(counts.values()) == READERS
        assert not {"queued", "leased", "deferred"} & counts.keys()
        assert list(self.desk.journals.glob("*")) == []


TestPromise = Promise.TestCase
TestPromise.settings = settings(max_examples=60, stateful_step_count=40)
