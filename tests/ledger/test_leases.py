"""Leases: who may send, what a group commit records, and what is known after a death."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.desk import MINUTE, NOW, Desk, claimed, die, send

from dispatch.errors import StoreError
from dispatch.ledger import machine
from dispatch.ledger.facts import Outcome
from dispatch.ledger.ledger import Claim
from dispatch.store import leases
from dispatch.store import ledger as mailings


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


# What happens when all goes well ---------------------------------------------------------------


def test_everyone_is_leased_once_and_what_became_of_them_is_recorded(desk: Desk) -> None:
    edition = desk.edition(5)
    ledger = desk.ledger()
    first, second = claimed(ledger, edition, 3), claimed(ledger, edition, 3)
    assert desk.counts(edition) == {"leased": 5}
    assert {len(first.recipients), len(second.recipients)} == {3, 2}
    for lease in (first, second):
        for recipient in lease.recipients:
            send(lease, recipient.key, reply=f"250 taken as {recipient.key}")
    ledger.commit(NOW + MINUTE)
    rows = desk.rows(edition)
    assert {row.state for row in rows} == {"accepted"}
    assert [row.reply for row in rows] == [f"250 taken as {row.key}" for row in rows]
    assert {(row.attempts, row.at) for row in rows} == {(1, NOW + MINUTE)}


def test_a_mailing_of_which_nothing_waits_is_finished_and_no_journal_is_left(desk: Desk) -> None:
    edition = desk.edition(2)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    for recipient in lease.recipients:
        send(lease, recipient.key)
    assert ledger.commit(NOW, Claim(edition, 10, MINUTE)) is None
    assert ledger.state(edition) == "finished"
    assert ledger.leases == ()
    assert list(desk.journals.iterdir()) == []
    assert desk.findings(edition) == ()


def test_one_commit_records_and_claims(desk: Desk) -> None:
    edition = desk.edition(4)
    ledger = desk.ledger()
    first = claimed(ledger, edition, 2)
    for recipient in first.recipients:
        send(first, recipient.key)
    second = ledger.commit(NOW, Claim(edition, 2, MINUTE))
    assert second
    assert ledger.leases == (second,)
    assert desk.counts(edition) == {"accepted": 2, "leased": 2}


def test_each_answer_has_its_state_and_counts_as_a_try_but_what_was_given_back(desk: Desk) -> None:
    edition = desk.edition(5)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    a, b, c, d, e = (recipient.key for recipient in lease.recipients)
    send(lease, a)
    send(lease, b, "bounced", "550 5.1.1 nobody here")
    assert lease.leaving(c)
    lease.note(Outcome(c, "deferred", "451 4.7.1 later", due=NOW + MINUTE))
    send(lease, d, "in_doubt", "the connection broke")
    lease.note(Outcome(e, "queued", ""))
    ledger.commit(NOW)
    found = {row.key: (row.state, row.attempts, row.due) for row in desk.rows(edition)}
    assert found == {
        a: ("accepted", 1, 0),
        b: ("bounced", 1, 0),
        c: ("deferred", 1, NOW + MINUTE),
        d: ("in_doubt", 1, NOW + 10 * MINUTE),
        e: ("queued", 0, 0),
    }


def test_what_is_given_back_keeps_the_words_of_the_last_try(desk: Desk) -> None:
    edition = desk.edition(1)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    (recipient,) = lease.recipients
    send(lease, recipient.key, "deferred", "451 later")
    again = ledger.commit(NOW, Claim(edition, 1, MINUTE))
    assert again
    assert again.recipients[0].attempts == 1
    again.note(Outcome(recipient.key, "queued", ""))
    ledger.commit(NOW)
    (row,) = desk.rows(edition)
    assert (row.state, row.reply, row.attempts) == ("queued", "451 later", 1)


def test_nothing_is_leased_before_it_is_due(desk: Desk) -> None:
    edition = desk.edition(1)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    lease.note(Outcome(lease.recipients[0].key, "deferred", "451 later", due=NOW + MINUTE))
    assert ledger.commit(NOW, Claim(edition, 1, MINUTE)) is None
    with desk.store.transaction() as connection:
        assert mailings.due(connection, NOW) is None
        assert mailings.next_due(connection) == NOW + MINUTE
        assert mailings.due(connection, NOW + MINUTE) == edition
    assert ledger.commit(NOW + MINUTE, Claim(edition, 1, MINUTE))


def test_retries_that_are_due_do_not_keep_the_others_waiting(desk: Desk) -> None:
    edition = desk.edition(6)
    ledger = desk.ledger()
    lease = claimed(ledger, edition, 4)
    for recipient in lease.recipients:
        lease.note(Outcome(recipient.key, "deferred", "451 later", due=NOW))
    mixed = ledger.commit(NOW, Claim(edition, 4, MINUTE))
    assert mixed
    assert sorted(recipient.attempts for recipient in mixed.recipients) == [0, 0, 1, 1]
    rest = ledger.commit(NOW, Claim(edition, 4, MINUTE))
    assert rest
    assert [recipient.attempts for recipient in rest.recipients] == [1, 1]


def test_who_may_not_be_mailed_any_more_is_not_leased(desk: Desk) -> None:
    """However it came to that, and whether or not the ledger was told."""
    edition = desk.edition(4)
    ledger = desk.ledger()
    with desk.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE subscribers SET state = 'complained' WHERE key = 1")
        connection.exec_driver_sql(
            "INSERT INTO suppressions SELECT address_key, '', 'asked by letter', '2026-11-18 00:00' "
            "FROM subscribers WHERE key = 2"
        )
        connection.exec_driver_sql("DELETE FROM subscribers WHERE key = 3")
    lease = claimed(ledger, edition)
    assert [recipient.email for recipient in lease.recipients] == ["reader3.active@example.org"]
    assert {(row.state, row.reply) for row in desk.rows(edition)} == {
        ("suppressed", "complained"),
        ("suppressed", "on the suppression list: asked by letter"),
        ("suppressed", "removed from the list"),
        ("leased", None),
    }
    assert desk.findings(edition) == ()


def test_a_mailing_whose_last_readers_all_left_is_finished(desk: Desk) -> None:
    edition = desk.edition(30)
    with desk.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE subscribers SET state = 'unsubscribed'")
    ledger = desk.ledger()
    assert ledger.commit(NOW, Claim(edition, 7, MINUTE)) is None
    assert ledger.state(edition) == "finished"
    assert desk.counts(edition) == {"suppressed": 30}
    assert desk.findings(edition) == ()


def test_outcomes_may_be_noted_while_a_commit_runs(desk: Desk) -> None:
    edition = desk.edition(400)
    ledger = desk.ledger()
    lease = claimed(ledger, edition, 400)

    def sends() -> None:
        for recipient in lease.recipients:
            send(lease, recipient.key)

    sender = threading.Thread(target=sends)
    sender.start()
    while sender.is_alive():
        ledger.commit(NOW)
    ledger.commit(NOW)
    assert desk.counts(edition) == {"accepted": 400}
    assert ledger.refused == 0


def test_a_recipient_has_one_outcome(desk: Desk) -> None:
    edition = desk.edition(1)
    lease = claimed(desk.ledger(), edition)
    key = lease.recipients[0].key
    send(lease, key)
    assert not lease.leaving(key)
    with pytest.raises(ValueError, match="settled"):
        lease.note(Outcome(key, "bounced", "550 no"))
    with pytest.raises(ValueError, match="not in lease"):
        lease.note(Outcome(12345, "accepted", "250 Ok"))


@pytest.mark.parametrize("state", ["leased", "suppressed", "cancelled"])
def test_a_try_cannot_end_in_every_state(desk: Desk, state: str) -> None:
    lease = claimed(desk.ledger(), desk.edition(1))
    with pytest.raises(ValueError, match="cannot end"):
        lease.note(Outcome(lease.recipients[0].key, state, ""))  # type: ignore[arg-type]


def test_the_words_of_a_relay_are_kept_short_and_on_one_line(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    hostile = ("550 \x1b[31mred\r\nSubject: x\x00", "é\ud800 " + "9" * 10_000, "'; DROP TABLE --")
    for recipient, words in zip(lease.recipients, hostile, strict=True):
        send(lease, recipient.key, "bounced", words)
    ledger.commit(NOW)
    assert [row.reply for row in desk.rows(edition)] == [
        "550 [31mred Subject: x",
        "é " + "9" * 497,
        "'; DROP TABLE --",
    ]


# Death -----------------------------------------------------------------------------------------


def test_what_a_killed_process_leaves_behind(desk: Desk) -> None:
    """Answered is answered, what had left is in doubt, the rest goes on as if nothing had been."""
    edition = desk.edition(4)
    first = desk.ledger("first")
    lease = claimed(first, edition)
    answered, refused, left, _untouched = (recipient.key for recipient in lease.recipients)
    send(lease, answered, reply="250 taken")
    send(lease, refused, "bounced", "550 nobody here")
    assert lease.leaving(left)
    die(first)

    recovered = desk.ledger("second").recover(NOW)
    assert (recovered.accepted, recovered.bounced) == ({edition: 1}, {edition: 1})
    assert (recovered.in_doubt, recovered.queued) == ({edition: 1}, {edition: 1})
    found = [(row.state, row.reply) for row in desk.rows(edition)]
    assert found[:2] == [("accepted", "250 taken"), ("bounced", "550 nobody here")]
    assert found[2][0] == "in_doubt"
    assert "before the relay had answered" in str(found[2][1])
    assert found[3] == ("queued", None)
    assert desk.findings(edition) == ()
    assert list(desk.journals.iterdir()) == []


def test_what_certainly_did_not_leave_is_not_in_doubt(desk: Desk) -> None:
    edition = desk.edition(2)
    first = desk.ledger("first")
    lease = claimed(first, edition)
    stayed, left_later = (recipient.key for recipient in lease.recipients)
    for key in (stayed, left_later):
        assert lease.leaving(key)
        lease.stayed(key)
    assert lease.leaving(left_later)
    die(first)
    desk.ledger("second").recover(NOW)
    assert {row.key: row.state for row in desk.rows(edition)} == {
        stayed: "queued",
        left_later: "in_doubt",
    }


def test_the_living_are_left_alone(desk: Desk) -> None:
    edition = desk.edition(2)
    lease = claimed(desk.ledger("first"), edition)
    assert not desk.ledger("second").recover(NOW)
    assert lease.leaving(lease.recipients[0].key)


def test_a_journal_that_somebody_removed_leaves_doubt(desk: Desk) -> None:
    edition = desk.edition(2)
    first = desk.ledger("first")
    claimed(first, edition)
    for path in desk.journals.iterdir():
        path.unlink()
    die(first)
    assert desk.ledger("second").recover(NOW).in_doubt == {edition: 2}
    assert all("missing" in str(row.reply) for row in desk.rows(edition))


def test_after_a_power_cut_only_an_answer_is_believed(desk: Desk) -> None:
    edition = desk.edition(3)
    first = desk.ledger("first")
    lease = claimed(first, edition, 2)
    send(lease, lease.recipients[0].key)
    die(first)
    desk.machine.boots += 1
    desk.machine.time = 1.0
    recovered = desk.ledger("second").recover(NOW)
    assert (recovered.accepted, recovered.in_doubt) == ({edition: 1}, {edition: 1})
    assert desk.counts(edition) == {"accepted": 1, "in_doubt": 1, "queued": 1}


def test_a_journal_without_a_lease_is_swept_away(desk: Desk) -> None:
    """It belongs to a claim that was never committed, or to a lease that was closed."""
    edition = desk.edition(2)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    (desk.journals / f"{lease.key + 1}.journal").write_bytes(b"left behind")
    assert not desk.ledger("second").recover(NOW)
    assert [path.name for path in desk.journals.iterdir()] == [f"{lease.key}.journal"]


def test_who_was_in_doubt_is_sent_again_once_and_later_where_the_mailing_says_so(
    desk: Desk,
) -> None:
    edition = desk.edition(1, in_doubt="resend")
    for now, state in ((NOW, "queued"), (NOW + 10 * MINUTE, "in_doubt")):
        sender = desk.ledger(f"at {now}")
        assert now == NOW or sender.commit(now - 1, Claim(edition, 1, MINUTE)) is None
        lease = sender.commit(now, Claim(edition, 1, MINUTE))
        assert lease
        assert lease.leaving(lease.recipients[0].key)
        die(sender)
        assert desk.ledger("next").recover(now).in_doubt == {edition: 1}
        (row,) = desk.rows(edition)
        assert row.state == state
    assert (row.doubts, row.attempts) == (2, 2)
    assert desk.findings(edition) == ()


def test_a_second_chance_that_is_cancelled_or_suppressed_is_in_doubt_again(desk: Desk) -> None:
    """Nobody can say that the first copy was not taken."""
    edition = desk.edition(2, in_doubt="resend")
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    for recipient in lease.recipients:
        send(lease, recipient.key, "in_doubt", "the connection broke")
    ledger.commit(NOW)
    assert desk.counts(edition) == {"queued": 2}
    with desk.store.transaction() as connection:
        mailings.suppress_subscriber(connection, 1, "unsubscribed", NOW)
        mailings.cancel(connection, edition, NOW)
    assert {(row.state, row.reply) for row in desk.rows(edition)} == {
        ("in_doubt", "the connection broke")
    }


# Expiry ----------------------------------------------------------------------------------------


def test_a_lease_ends_unless_it_is_renewed(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition, 3, duration=MINUTE)
    a, b, c = (recipient.key for recipient in lease.recipients)
    desk.machine.time += 50
    assert lease.leaving(a)
    ledger.commit(NOW)
    desk.machine.time += 50
    assert lease.leaving(b)
    desk.machine.time += 10
    assert not lease.leaving(c)
    ledger.commit(NOW)  # nobody has taken it meanwhile
    assert lease.leaving(c)


def test_a_pause_between_the_journal_and_the_last_byte_is_noticed(desk: Desk) -> None:
    edition = desk.edition(1)
    lease = claimed(desk.ledger(), edition, duration=MINUTE)
    desk.machine.step = 40  # the lease stands before the journal is written, and not behind it
    assert not lease.leaving(lease.recipients[0].key)
    assert desk.ledger("other").recover(NOW).in_doubt == {edition: 1}


def test_who_comes_back_from_a_long_pause_can_neither_send_nor_record(desk: Desk) -> None:
    edition = desk.edition(3)
    sleeper, other = desk.ledger("sleeper"), desk.ledger("other")
    lease = claimed(sleeper, edition, duration=MINUTE)
    answered, left, waiting = (recipient.key for recipient in lease.recipients)
    send(lease, answered)
    assert lease.leaving(left)
    desk.machine.time += 61
    assert not lease.leaving(waiting)

    other.recover(NOW)
    assert {row.key: row.state for row in desk.rows(edition)} == {
        answered: "accepted",
        left: "in_doubt",
        waiting: "queued",
    }
    again = claimed(other, edition)
    assert [recipient.key for recipient in again.recipients] == [waiting]

    assert not lease.leaving(waiting)
    lease.note(Outcome(left, "accepted", "250 late"))
    lease.note(Outcome(waiting, "accepted", "250 a lie"))
    sleeper.commit(NOW)
    assert sleeper.refused == 3
    assert sleeper.leases == ()
    assert desk.counts(edition) == {"accepted": 1, "in_doubt": 1, "leased": 1}
    assert not lease.leaving(waiting)
    assert desk.findings(edition) == ()


def test_a_commit_does_not_bring_back_a_lease_that_was_taken_away(desk: Desk) -> None:
    edition = desk.edition(2)
    sleeper, other = desk.ledger("sleeper"), desk.ledger("other")
    lease = claimed(sleeper, edition, duration=MINUTE)
    desk.machine.time += 61
    other.recover(NOW)
    claimed(other, edition)
    sleeper.commit(NOW)
    assert sleeper.leases == ()
    assert not any(lease.leaving(recipient.key) for recipient in lease.recipients)


def test_only_who_holds_a_recipient_can_record_its_outcome(desk: Desk) -> None:
    edition = desk.edition(1)
    lease = claimed(desk.ledger(), edition)
    (recipient,) = lease.recipients
    with desk.store.transaction() as connection:
        outcome = [(recipient.key, "accepted", "250 a lie", 0)]
        assert leases.record(connection, lease.key + 1, edition, outcome, NOW) == 0
        assert leases.record(connection, lease.key, edition, outcome, NOW) == 1
        assert leases.record(connection, lease.key, edition, outcome, NOW) == 0
    assert desk.counts(edition) == {"accepted": 1}


def test_the_time_of_day_may_be_set_to_anything(desk: Desk) -> None:
    edition = desk.edition(2)
    ledger, other = desk.ledger("one"), desk.ledger("other")
    lease = claimed(ledger, edition, duration=MINUTE)
    a_year = 365 * 24 * 60 * MINUTE
    for now in (NOW + a_year, NOW - a_year):
        assert not other.recover(now)
        ledger.commit(now)
    for recipient in lease.recipients:
        send(lease, recipient.key)
    ledger.commit(NOW - a_year)
    assert desk.counts(edition) == {"accepted": 2}


def test_the_machines_clock_goes_on_and_its_start_has_one_name() -> None:
    assert 0 < machine.clock() <= machine.clock()
    assert machine.boot() == machine.boot() != ""


# Pausing and cancelling, by anybody ------------------------------------------------------------


def test_the_owner_learns_of_a_pause_at_the_next_commit_and_gives_back(desk: Desk) -> None:
    edition = desk.edition(2)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    assert ledger.state(edition) == "sending"
    with desk.store.transaction() as connection:
        mailings.pause(connection, edition, "To look at something.", NOW)
    ledger.commit(NOW)
    assert ledger.state(edition) == "paused"
    for recipient in lease.recipients:
        lease.note(Outcome(recipient.key, "queued", ""))
    assert ledger.commit(NOW, Claim(edition, 10, MINUTE)) is None
    assert desk.counts(edition) == {"queued": 2}


def test_what_is_in_flight_when_a_mailing_is_cancelled_is_recorded_and_the_rest_cancelled(
    desk: Desk,
) -> None:
    edition = desk.edition(4)
    ledger = desk.ledger()
    lease = claimed(ledger, edition, 3)
    taken, later, back = (recipient.key for recipient in lease.recipients)
    with desk.store.transaction() as connection:
        assert mailings.cancel(connection, edition, NOW) == "cancelled"
    assert desk.counts(edition) == {"cancelled": 1, "leased": 3}
    send(lease, taken)
    send(lease, later, "deferred", "451 later")
    lease.note(Outcome(back, "queued", ""))
    ledger.commit(NOW)
    assert ledger.state(edition) == "cancelled"
    assert desk.counts(edition) == {"accepted": 1, "cancelled": 3}
    assert desk.findings(edition) == ()


def test_what_a_dead_owner_held_of_a_cancelled_mailing_is_cancelled(desk: Desk) -> None:
    edition = desk.edition(2)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    assert lease.leaving(lease.recipients[0].key)
    with desk.store.transaction() as connection:
        mailings.cancel(connection, edition, NOW)
    die(ledger)
    desk.ledger("other").recover(NOW)
    assert desk.counts(edition) == {"in_doubt": 1, "cancelled": 1}


def test_the_ledger_pauses_a_mailing_and_leaves_one_that_has_ended(desk: Desk) -> None:
    edition = desk.edition(1)
    ledger = desk.ledger()
    ledger.pause(edition, "The relay does not take mail from this desk.", NOW)
    assert desk.state(edition) == "paused"
    with desk.store.transaction() as connection:
        mailings.cancel(connection, edition, NOW)
    ledger.pause(edition, "Once more.", NOW)
    assert desk.state(edition) == "cancelled"


def test_closing_records_what_is_noted_and_gives_back_the_rest(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    send(lease, lease.recipients[0].key)
    assert lease.leaving(lease.recipients[1].key)
    recovered = ledger.close(NOW)
    assert (recovered.queued, recovered.in_doubt) == ({edition: 1}, {edition: 1})
    assert desk.counts(edition) == {"accepted": 1, "in_doubt": 1, "queued": 1}
    assert list(desk.journals.iterdir()) == []


# When it cannot be written ---------------------------------------------------------------------


def test_a_commit_that_fails_changes_nothing_and_the_next_one_makes_up_for_it(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition, 2)
    for recipient in lease.recipients:
        send(lease, recipient.key)
    desk.journals.rename(desk.folder / "aside")
    desk.journals.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"journal .* cannot be made"):
        ledger.commit(NOW, Claim(edition, 1, MINUTE))
    assert desk.counts(edition) == {"leased": 2, "queued": 1}
    desk.journals.unlink()
    (desk.folder / "aside").rename(desk.journals)
    assert ledger.commit(NOW, Claim(edition, 1, MINUTE))
    assert desk.counts(edition) == {"accepted": 2, "leased": 1}
    assert ledger.refused == 0


def test_a_journal_that_lies_where_a_new_one_belongs_counts_for_nothing(desk: Desk) -> None:
    """It is of a claim that was never committed: the lease's key is given again."""
    edition = desk.edition(1)
    desk.journals.mkdir()
    (desk.journals / "1.journal").write_bytes(b"of a claim that failed")
    ledger = desk.ledger()
    assert claimed(ledger, edition).key == 1
    die(ledger)
    assert desk.ledger("other").recover(NOW).queued == {edition: 1}
