"""Nobody skipped, nobody twice, in doubt is said: whatever happens, in whatever order.

A relay that knows what truly reached it is the judge. Two senders share a machine
whose clock is moved, whose processes die and whose power fails, at any moment.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.ledger.desk import MINUTE, NOW, Desk, die

from dispatch.ledger.facts import Outcome, State
from dispatch.ledger.ledger import Claim, Lease, Ledger
from dispatch.store import ledger as mailings

READERS = 8
SENDERS = st.sampled_from(["one", "two"])
PICK = st.integers(0, 10**6)


class Sender:
    """A process that sends, as the world sees it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.unanswered: dict[int, Lease] = {}
        """Copies that left and whose answer it has not noted."""

    def open(self) -> list[tuple[Lease, int]]:
        """Recipients without an outcome, also of leases that it does not know it has lost."""
        return [(lease, key) for lease in self.ledger.leases for key in sorted(lease._open)]


class Promise(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.desk = Desk(self.folder)
        self.senders: dict[str, Sender] = {}
        self.taken: Counter[int] = Counter()
        """Copies that the relay took, by recipient."""
        self.allowed: Counter[int] = Counter()
        """Times that somebody in doubt was sent again on demand."""
        self.doubtful: set[int] = set()
        """Recipients of whom it was truly impossible to say, at some time."""
        self.minutes = 0

    def teardown(self) -> None:
        try:
            if hasattr(self, "edition"):
                self.nobody_is_skipped()
        finally:
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

    # What senders do -----------------------------------------------------------------------------

    @rule(name=SENDERS, limit=st.integers(1, 4))
    def claim(self, name: str, limit: int) -> None:
        self.sender(name).ledger.commit(self.now, Claim(self.edition, limit, 10 * MINUTE))

    @rule(name=SENDERS)
    def commit(self, name: str) -> None:
        self.sender(name).ledger.commit(self.now)

    @rule(name=SENDERS, pick=PICK)
    def a_copy_leaves(self, name: str, pick: int) -> None:
        sender = self.sender(name)
        waiting = [(x, key) for x, key in sender.open() if key not in sender.unanswered]
        if waiting:
            lease, key = waiting[pick % len(waiting)]
            if lease.leaving(key):
                sender.unanswered[key] = lease

    @rule(name=SENDERS, pick=PICK, took=st.booleans())
    def the_relay_gets_it(self, name: str, pick: int, took: bool) -> None:
        """Copies that left arrive, or are refused; the answer comes back, and is noted."""
        sender = self.sender(name)
        if not sender.unanswered:
            return
        key = sorted(sender.unanswered)[pick % len(sender.unanswered)]
        lease = sender.unanswered.pop(key)
        self.taken[key] += took
        answers: list[State] = ["accepted"] if took else ["deferred", "bounced"]
        lease.note(Outcome(key, answers[pick % len(answers)], "so says the relay", self.now))

    @rule(name=SENDERS, pick=PICK, took=st.booleans())
    def the_connection_breaks_before_the_answer(self, name: str, pick: int, took: bool) -> None:
        sender = self.sender(name)
        if not sender.unanswered:
            return
        key = sorted(sender.unanswered)[pick % len(sender.unanswered)]
        lease = sender.unanswered.pop(key)
        self.taken[key] += took
        self.in_doubt([key])
        lease.note(Outcome(key, "in_doubt", "the connection broke"))

    @rule(name=SENDERS, pick=PICK, again=st.booleans())
    def a_copy_does_not_leave_after_all(self, name: str, pick: int, again: bool) -> None:
        sender = self.sender(name)
        if not sender.unanswered:
            return
        key = sorted(sender.unanswered)[pick % len(sender.unanswered)]
        lease = sender.unanswered.pop(key)
        if again:
            lease.stayed(key)
        else:
            lease.note(Outcome(key, "queued", ""))

    @rule(name=SENDERS, pick=PICK)
    def one_is_given_back(self, name: str, pick: int) -> None:
        sender = self.sender(name)
        waiting = [(x, key) for x, key in sender.open() if key not in sender.unanswered]
        if waiting:
            lease, key = waiting[pick % len(waiting)]
            lease.note(Outcome(key, "queued", ""))

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

    # What happens to them ------------------------------------------------------------------------

    @rule(name=SENDERS, took=st.sets(PICK, max_size=4))
    def it_is_killed(self, name: str, took: set[int]) -> None:
        sender = self.senders.pop(name, None)
        if sender:
            self.lost(sender, took)
            die(sender.ledger)

    @rule(minutes=st.sampled_from([1, 3, 11]))
    def time_passes(self, minutes: int) -> None:
        self.minutes += minutes
        self.desk.machine.time += minutes * 60

    @rule(days=st.integers(-400, 400))
    def the_time_of_day_is_set(self, days: int) -> None:
        self.minutes = min(max(0, self.minutes + days * 24 * 60), 500_000)

    @rule(cuts=st.lists(st.floats(0, 1), min_size=8, max_size=8), took=st.sets(PICK, max_size=4))
    def the_power_fails(self, cuts: list[float], took: set[int]) -> None:
        """Journals lose their ends; what is in the database stays."""
        for sender in self.senders.values():
            self.lost(sender, took)
            die(sender.ledger)
        self.senders.clear()
        self.in_doubt(row.key for row in self.desk.rows(self.edition) if row.state == "leased")
        for path, cut in zip(sorted(self.desk.journals.glob("*")), cuts, strict=False):
            data = path.read_bytes()
            path.write_bytes(data[: int(len(data) * cut)])
        self.desk.machine.boots += 1
        self.desk.machine.time = 1.0

    def lost(self, sender: Sender, took: set[int]) -> None:
        """It dies with copies on their way: the relay may yet take them."""
        self.in_doubt(sender.unanswered)
        for key in sender.unanswered:
            self.taken[key] += any(pick % READERS == key % READERS for pick in took)

    def in_doubt(self, keys) -> None:  # type: ignore[no-untyped-def]
        for key in keys:
            if self.again and key not in self.doubtful:
                self.allowed[key] += 1
            self.doubtful.add(key)

    # What the desk does --------------------------------------------------------------------------

    @rule()
    def pause(self) -> None:
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) == "sending":
                mailings.pause(connection, self.edition, "for a moment", self.now)

    @rule()
    def resume(self) -> None:
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) == "paused":
                mailings.resume(connection, self.edition, self.now)

    @rule()
    @precondition(lambda self: self.minutes > 30)
    def cancel(self) -> None:
        with self.desk.store.transaction() as connection:
            if self.desk_state(connection) in ("sending", "paused"):
                mailings.cancel(connection, self.edition, self.now)

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
    def the_sums_hold(self) -> None:
        if hasattr(self, "edition"):
            assert self.desk.findings(self.edition) == ()

    @invariant()
    def nobody_twice_and_in_doubt_is_said(self) -> None:
        if not hasattr(self, "edition"):
            return
        for row in self.desk.rows(self.edition):
            assert self.taken[row.key] <= 1 + self.allowed[row.key]
            if row.state == "accepted":
                assert self.taken[row.key] >= 1
            if row.state == "in_doubt":
                assert row.key in self.doubtful
            if row.state in ("queued", "deferred", "bounced", "cancelled", "suppressed"):
                assert self.taken[row.key] == 0 or row.doubts
            if row.doubts:
                assert row.key in self.doubtful

    def nobody_is_skipped(self) -> None:
        """In the end, everything that waits is sent, and nobody is left over."""
        for name in list(self.senders):
            self.it_is_killed(name, set())
        self.resume()
        last = self.sender("last")
        last.ledger.recover(self.now)
        self.minutes = 10**6  # past everything that is due later
        while lease := last.ledger.commit(self.now, Claim(self.edition, 3, 10 * MINUTE)):
            for recipient in lease.recipients:
                assert lease.leaving(recipient.key)
                self.taken[recipient.key] += 1
                lease.note(Outcome(recipient.key, "accepted", "250 Ok"))
        self.nobody_twice_and_in_doubt_is_said()
        self.the_sums_hold()
        assert self.desk.state(self.edition) in ("finished", "cancelled")
        counts = self.desk.counts(self.edition)
        assert sum(counts.values()) == READERS
        assert not {"queued", "leased", "deferred"} & counts.keys()
        assert list(self.desk.journals.glob("*")) == []


TestPromise = Promise.TestCase
TestPromise.settings = settings(max_examples=30, stateful_step_count=40)
