"""What the desk does to a mailing, what happens to its readers, and the proof of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ledger.desk import MADE, MINUTE, NOW, Desk, claimed, send

from dispatch.errors import DeliveryError
from dispatch.ledger.facts import Outcome
from dispatch.ledger.ledger import Claim
from dispatch.store import editions, recipients
from dispatch.store import ledger as mailings
from dispatch.store.connection import Store


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def sent(desk: Desk, *states: str) -> int:
    """A mailing whose recipients came to these states, one each."""
    edition = desk.edition(len(states))
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    for recipient, state in zip(lease.recipients, states, strict=True):
        send(lease, recipient.key, state, f"so says the relay of {recipient.email}")  # type: ignore[arg-type]
    ledger.commit(NOW)
    return edition


# The states of a mailing -----------------------------------------------------------------------


def test_a_scheduled_mailing_waits_for_its_time(desk: Desk) -> None:
    edition = desk.edition(1, state="scheduled", due=MADE + timedelta(hours=1))
    at = int(MADE.timestamp() * 1000) + 60 * MINUTE
    assert desk.ledger().commit(at, Claim(edition, 1, MINUTE)) is None
    with desk.store.transaction() as connection:
        assert mailings.scheduled(connection, at - 1) == []
        assert mailings.next_due(connection) == at
        assert mailings.scheduled(connection, at) == [(edition, at)]
        assert mailings.begin(connection, edition, at) == "sending"
        assert mailings.due(connection, at) == edition
    assert desk.ledger().commit(at, Claim(edition, 1, MINUTE))


def test_pause_and_resume(desk: Desk) -> None:
    edition = desk.edition(1)
    with desk.store.transaction() as connection:
        assert mailings.pause(connection, edition, "The headline is wrong.", NOW) == "paused"
        assert mailings.hold(connection, edition, "Held as well.", NOW) == "paused"
        row = mailings.mailing(connection, edition)
        assert row
        assert row.reason == "The headline is wrong."
        assert mailings.due(connection, NOW) is None
        assert mailings.next_due(connection) is None
        assert mailings.resume(connection, edition, NOW) == "sending"
        row = mailings.mailing(connection, edition)
        assert row
        assert (row.reason, row.started) == (None, MADE)


def test_a_schedule_that_was_paused_is_a_schedule_again_or_begins_if_it_is_past(desk: Desk) -> None:
    edition = desk.edition(1, state="scheduled", due=MADE)
    before, after = int(MADE.timestamp() * 1000) - 1, NOW
    with desk.store.transaction() as connection:
        mailings.hold(connection, edition, "It was missed.", before)
        assert mailings.resume(connection, edition, before) == "scheduled"
        mailings.pause(connection, edition, "Wait.", after)
        assert mailings.resume(connection, edition, after) == "sending"


def test_cancelling_is_for_good(desk: Desk) -> None:
    edition = desk.edition(2)
    with desk.store.transaction() as connection:
        assert mailings.cancel(connection, edition, NOW) == "cancelled"
        assert mailings.cancel(connection, edition, NOW) == "cancelled"
        for forbidden in (
            lambda: mailings.resume(connection, edition, NOW),
            lambda: mailings.pause(connection, edition, "", NOW),
            lambda: mailings.retry(connection, edition, ["bounced"], NOW),
        ):
            with pytest.raises(DeliveryError, match=f"Mailing {edition} is cancelled"):
                forbidden()
    assert desk.counts(edition) == {"cancelled": 2}
    assert desk.findings(edition) == ()


def test_what_is_finished_can_be_neither_paused_nor_cancelled(desk: Desk) -> None:
    edition = sent(desk, "accepted")
    assert desk.state(edition) == "finished"
    with desk.store.transaction() as connection:
        for forbidden in (
            lambda: mailings.resume(connection, edition, NOW),
            lambda: mailings.pause(connection, edition, "", NOW),
            lambda: mailings.cancel(connection, edition, NOW),
        ):
            with pytest.raises(DeliveryError, match=f"Mailing {edition} is finished"):
                forbidden()


def test_a_mailing_that_there_is_not(desk: Desk) -> None:
    with desk.store.transaction() as connection:
        with pytest.raises(DeliveryError, match="There is no mailing 9"):
            mailings.pause(connection, 9, "", NOW)
        assert mailings.mailing(connection, 9) is None
        assert mailings.every(connection) == []


def test_mailings_take_turns(desk: Desk) -> None:
    a, b, c = desk.edition(2), desk.edition(), desk.edition()
    with desk.store.transaction() as connection:
        assert [mailings.due(connection, NOW, after=after) for after in (0, a, b, c)] == [
            a,
            b,
            c,
            a,
        ]
        assert mailings.due(connection, NOW, only=b) == b
        mailings.pause(connection, b, "", NOW)
        assert mailings.due(connection, NOW, only=b) is None
        assert mailings.due(connection, NOW, after=a) == c
        assert [row.edition for row in mailings.every(connection, "world")] == [c, b, a]
        assert mailings.every(connection, "sport") == []


# Trying again ----------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_tried_again_and_never_what_was_accepted(desk: Desk) -> None:
    edition = sent(desk, "accepted", "bounced", "in_doubt", "deferred")
    with desk.store.transaction() as connection:
        assert mailings.retry(connection, edition, ["in_doubt"], NOW) == 1
        with pytest.raises(DeliveryError, match="What is accepted is not tried again"):
            mailings.retry(connection, edition, ["bounced", "accepted"], NOW)
    assert desk.counts(edition) == {"accepted": 1, "bounced": 1, "queued": 1, "deferred": 1}


def test_a_finished_mailing_goes_on_for_what_is_tried_again(desk: Desk) -> None:
    edition = sent(desk, "accepted", "bounced")
    assert desk.state(edition) == "finished"
    with desk.store.transaction() as connection:
        assert mailings.retry(connection, edition, ["bounced", "in_doubt"], NOW) == 1
    assert desk.state(edition) == "sending"
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    assert lease.recipients[0].attempts == 1
    send(lease, lease.recipients[0].key)
    ledger.commit(NOW)
    assert desk.state(edition) == "finished"
    assert desk.findings(edition) == ()


def test_who_left_meanwhile_is_not_tried_again(desk: Desk) -> None:
    edition = sent(desk, "bounced", "bounced")
    with desk.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE subscribers SET state = 'unsubscribed' WHERE key = 1")
        assert mailings.retry(connection, edition, ["bounced"], NOW) == 1
    assert [row.state for row in desk.rows(edition)] == ["bounced", "queued"]


# Readers who go --------------------------------------------------------------------------------


def test_who_unsubscribes_is_taken_out_of_everything_that_waits(desk: Desk) -> None:
    first = sent(desk, "accepted", "deferred")
    second = desk.edition()
    with desk.store.transaction() as connection:
        for reader in (1, 2):
            mailings.suppress_subscriber(connection, reader, "unsubscribed", NOW)
    assert [(row.state, row.reply) for row in desk.rows(first)][1] == ("suppressed", "unsubscribed")
    assert desk.counts(first) == {"accepted": 1, "suppressed": 1}
    assert desk.state(first) == desk.state(second) == "finished"
    assert desk.findings(first) == desk.findings(second) == ()


def test_a_copy_in_flight_when_its_reader_is_forgotten_is_counted_and_names_nobody(
    desk: Desk,
) -> None:
    edition = desk.edition(2)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    with desk.store.transaction() as connection:
        mailings.erase_subscriber(connection, 1, NOW)
    first, second = (recipient.key for recipient in lease.recipients)
    send(lease, first, "bounced", "550 reader0.active@example.org is unknown")
    lease.note(Outcome(second, "queued", ""))
    ledger.commit(NOW)
    row = desk.rows(edition)[0]
    assert (row.email, row.domain, row.name, row.subscriber, row.reply) == (
        "",
        "",
        None,
        None,
        None,
    )
    assert row.state == "bounced"
    assert desk.findings(edition) == ()


def test_who_is_forgotten_is_in_the_sums_and_nowhere_else(desk: Desk) -> None:
    edition = sent(desk, "accepted", "deferred", "bounced")
    with desk.store.transaction() as connection:
        for reader in (1, 2, 3):
            mailings.erase_subscriber(connection, reader, NOW)
        assert recipients.history(connection, 1) == []
        assert recipients.with_email(connection, edition, "") is None
    rows = desk.rows(edition)
    assert {(row.email, row.name) for row in rows} == {("", None)}
    assert [row.reply for row in rows if row.reply] == ["forgotten"]  # why it did not leave
    assert desk.counts(edition) == {"accepted": 1, "suppressed": 1, "bounced": 1}
    assert desk.findings(edition) == ()


# Questions -------------------------------------------------------------------------------------


def test_who_got_what_can_be_asked_in_every_way(desk: Desk) -> None:
    edition = sent(desk, "accepted", "bounced")
    other = desk.edition()
    with desk.store.transaction() as connection:
        (bounced,) = recipients.page(connection, edition, ["bounced"])
        assert recipients.with_key(connection, bounced.key) == bounced
        assert recipients.of_subscriber(connection, edition, 2) == bounced
        assert recipients.with_email(connection, edition, "Reader1.Active@EXAMPLE.org") == bounced
        assert recipients.with_email(connection, edition, "nobody@example.org") is None
        history = recipients.history(connection, 2)
    assert [(copy.edition, copy.subject, copy.state) for copy in history] == [
        (other, "The ferry", "queued"),
        (edition, "The ferry", "bounced"),
    ]


def test_a_long_list_is_read_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "_PAGE", 3)
    edition = desk.edition(7)
    assert [row.key for row in recipients.of(desk.store, edition)] == list(range(1, 8))
    assert list(recipients.of(desk.store, edition, ["accepted"])) == []


# The proof -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM recipients WHERE key = 1", "2 candidates, and 1 recipients"),
        ("UPDATE recipients SET state = 'accepted' WHERE key = 1", "but the sums say"),
        ("UPDATE recipients SET state = 'sent' WHERE key = 1", "a state that there is not: 'sent'"),
        ("UPDATE recipients SET state = 'leased' WHERE key = 1", "leased to nobody"),
        ("UPDATE recipients SET lease = 5 WHERE key = 1", "leased to nobody"),
        ("UPDATE recipients SET email = 'READER0.active@example.org'", "more than once"),
        ("UPDATE mailings SET state = 'finished'", "finished, but 2 recipients wait"),
        ("UPDATE blobs SET data = 'another'", "body/en is not as it was frozen"),
        ("DELETE FROM blobs", "body/en, as it was frozen, is missing"),
    ],
)
def test_whatever_does_not_add_up_is_found(desk: Desk, damage: str, finding: str) -> None:
    edition = desk.edition(2)
    with desk.store.transaction() as connection:
        editions.freeze(connection, edition, {"body/en": b"The ferry is late."})
    assert desk.findings(edition) == ()
    damaged(desk.store, damage)
    assert finding in " ".join(desk.findings(edition))


def damaged(store: Store, statement: str) -> None:
    import sqlite3

    assert store.path
    with sqlite3.connect(store.path) as connection:  # which minds no foreign keys
        connection.execute(statement)
    connection.close()
