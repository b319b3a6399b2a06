"""Making a mailing: every candidate is accounted for, and everyone left out has a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.ledger.desk import MADE, MINUTE, NOW, Desk, claimed, send

from dispatch.errors import StoreError
from dispatch.ledger.facts import Outcome
from dispatch.ledger.ledger import Claim
from dispatch.store import candidates, recipients
from dispatch.store import ledger as mailings
from dispatch.store.candidates import Candidates
from dispatch.store.tables import editions, epoch, from_epoch, subscribers


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def census(desk: Desk, who: Candidates) -> candidates.Census:
    with desk.store.transaction() as connection:
        return candidates.census(connection, who)


def reasons(desk: Desk, edition: int) -> dict[str, int]:
    with desk.store.transaction() as connection:
        return recipients.reasons(connection, edition, "suppressed")


def test_every_state_but_active_is_a_reason(desk: Desk) -> None:
    for count, state in enumerate(
        ("active", "pending", "unsubscribed", "bounced", "complained"), start=1
    ):
        desk.subscribe(count, state=state)
    edition = desk.edition()
    assert desk.counts(edition) == {"queued": 1, "suppressed": 14}
    assert reasons(desk, edition) == {
        "complained": 5,
        "bounced": 4,
        "unsubscribed": 3,
        "has not confirmed": 2,
    }
    assert desk.findings(edition) == ()


def test_the_suppression_list_of_the_desk_and_that_of_all_count(desk: Desk) -> None:
    desk.subscribe(4)
    with desk.store.transaction() as connection:
        for key, of_desk, why in (
            (1, "", "by court order"),
            (2, "world", "asked"),
            (3, "sport", "asked"),
        ):
            connection.exec_driver_sql(
                "INSERT INTO suppressions SELECT address_key, ?, ?, '2026-11-18 00:00' "
                "FROM subscribers WHERE key = ?",
                (of_desk, why, key),
            )
    edition = desk.edition()
    assert reasons(desk, edition) == {
        "on the suppression list: by court order": 1,
        "on the suppression list: asked": 1,
    }
    assert desk.counts(edition) == {"queued": 2, "suppressed": 2}


def test_only_the_desks_own_subscribers_in_the_segment_are_candidates(desk: Desk) -> None:
    desk.subscribe(3, language="de")
    desk.subscribe(2, state="unsubscribed", language="de")
    desk.subscribe(2, state="pending", language="fr")
    desk.subscribe(4, desk="sport")
    edition = desk.edition(who=Candidates("world", subscribers.c.language == "de"))
    assert desk.counts(edition) == {"queued": 3, "suppressed": 2}


def test_a_census_says_beforehand_what_the_mailing_will_be(desk: Desk) -> None:
    desk.subscribe(5)
    desk.subscribe(2, state="pending")
    with desk.store.transaction() as connection:
        connection.execute(
            update(subscribers).where(subscribers.c.key <= 2).values(domain="example.net")
        )
    found = census(desk, Candidates("world"))
    assert (found.candidates, found.recipients) == (7, 5)
    assert found.excluded == {"has not confirmed": 2}
    assert list(found.domains.items()) == [("example.org", 3), ("example.net", 2)]
    edition = desk.edition()
    assert desk.counts(edition) == {"queued": 5, "suppressed": 2}
    with desk.store.transaction() as connection:
        assert recipients.domains(connection, edition, "queued") == found.domains


def test_whoever_has_an_earlier_edition_or_may_have_it_had_it_before(desk: Desk) -> None:
    first = desk.edition(6)
    ledger = desk.ledger()
    lease = claimed(ledger, first, 5)
    states = ("accepted", "in_doubt", "deferred", "bounced", "queued")
    for recipient, state in zip(lease.recipients, states, strict=True):
        send(lease, recipient.key, state)  # type: ignore[arg-type]
    ledger.commit(NOW)

    everybody = Candidates("world")
    with desk.store.transaction() as connection:
        assert candidates.had_before(connection, everybody, [first]) == 5  # all but who bounced
        assert candidates.had_before(connection, everybody, []) == 0


def test_who_was_left_out_or_cancelled_before_did_not_have_it(desk: Desk) -> None:
    desk.subscribe(1, state="pending")
    first = desk.edition(2)
    with desk.store.transaction() as connection:
        mailings.cancel(connection, first, NOW)
        connection.execute(update(subscribers).values(state="active"))
        assert candidates.had_before(connection, Candidates("world"), [first]) == 0


def test_each_in_their_own_time_zone(desk: Desk) -> None:
    zones = ("Asia/Tokyo", "Europe/Paris", None, "Mars/Olympus")
    for number, zone in enumerate(zones):
        desk.subscribe(1, timezone=zone, address_key=f"{number}")
    with desk.store.transaction() as connection:
        assert candidates.timezones(connection, Candidates("world")) == [
            "Asia/Tokyo",
            "Europe/Paris",
            "Mars/Olympus",
        ]
    start = epoch(MADE)
    by_timezone = {"Asia/Tokyo": start, "Europe/Paris": start + 8 * 60 * MINUTE}
    for _ in range(2):
        edition = desk.edition(
            by_timezone=by_timezone, state="scheduled", due=MADE + timedelta(hours=1)
        )
    assert [row.due for row in desk.rows(edition)] == [
        start,
        start + 8 * 60 * MINUTE,
        start + 60 * MINUTE,
        start + 60 * MINUTE,
    ]
    empty = desk.edition(by_timezone={})
    assert {row.due for row in desk.rows(empty)} == {start}


def test_nobody_is_in_an_edition_twice(desk: Desk) -> None:
    edition = desk.edition(2)
    schedule = candidates.Schedule("sending", MADE)
    with pytest.raises(StoreError, match="UNIQUE"), desk.store.transaction() as connection:
        candidates.snapshot(
            connection, edition, Candidates("world"), schedule, in_doubt="hold", now=NOW
        )
    assert desk.counts(edition) == {"queued": 2}


def test_nobody_at_all_makes_a_mailing_that_is_finished(desk: Desk) -> None:
    edition = desk.edition()
    assert desk.state(edition) == "finished"
    assert desk.findings(edition) == ()


def test_a_rehearsal_leaves_nothing(desk: Desk) -> None:
    edition = desk.edition(1)
    with desk.store.transaction(keep=False) as connection:
        mailings.cancel(connection, edition, NOW)
    assert desk.state(edition) == "sending"


def test_what_changes_afterwards_does_not_change_the_mailing(desk: Desk) -> None:
    edition = desk.edition(1)
    with desk.store.transaction() as connection:
        connection.execute(
            update(subscribers).values(
                email="moved@example.net", name="Grace", domain="example.net"
            )
        )
    lease = desk.ledger().commit(NOW, Claim(edition, 1, MINUTE))
    assert lease
    (recipient,) = lease.recipients
    assert (recipient.email, recipient.name) == ("reader0.active@example.org", "Ada")
    lease.note(Outcome(recipient.key, "queued", ""))


# How often they want it, and pauses --------------------------------------------------------------


def alter(desk: Desk, key: int, **values: object) -> None:
    with desk.store.transaction() as connection:
        connection.execute(update(subscribers).where(subscribers.c.key == key).values(**values))


def after(**time: float) -> datetime:
    return from_epoch(NOW) + timedelta(**time)


def test_who_gets_digests_or_paused_is_left_out_with_the_reason(desk: Desk) -> None:
    desk.subscribe(6)
    alter(desk, 1, frequency="daily")
    alter(desk, 2, frequency="weekly", paused_until=after(days=9))
    alter(desk, 3, paused_until=datetime(2026, 12, 1, 7, tzinfo=UTC))
    alter(desk, 4, paused_until=datetime(2026, 12, 2, 7, tzinfo=UTC))
    alter(desk, 5, paused_until=after(seconds=0))
    who = Candidates("world", leaves=NOW)
    edition = desk.edition(who=who)
    assert reasons(desk, edition) == {
        "gets the daily digest": 1,
        "gets the weekly digest": 1,
        "paused until 2026-12-01": 1,
        "paused until 2026-12-02": 1,
    }
    found = census(desk, who)
    assert found.excluded == {
        "paused": 2,
        "gets the daily digest": 1,
        "gets the weekly digest": 1,
    }
    assert found.candidates == found.recipients + sum(found.excluded.values()) == 6
    assert desk.counts(edition) == {"queued": 2, "suppressed": 4}
    assert desk.findings(edition) == ()


def test_a_pause_that_ends_before_the_copies_leave_is_none(desk: Desk) -> None:
    desk.subscribe(1, paused_until=after(days=1))
    assert census(desk, Candidates("world", leaves=NOW)).recipients == 0
    assert census(desk, Candidates("world", leaves=epoch(after(days=1)))).recipients == 1


def test_a_digest_is_for_those_who_want_it_alone(desk: Desk) -> None:
    desk.subscribe(3)
    alter(desk, 1, frequency="daily")
    alter(desk, 2, frequency="weekly")
    assert census(desk, Candidates("world", frequency="daily")).excluded == {
        "gets every edition by itself": 1,
        "gets the weekly digest": 1,
    }


def test_what_dispatch_itself_writes_goes_to_whoever_it_is_for(desk: Desk) -> None:
    desk.subscribe(1, frequency="weekly", paused_until=after(days=1))
    found = census(desk, Candidates("world", frequency=None))
    assert found == candidates.Census(1, 1, {}, {"example.org": 1})


def test_a_pause_stops_the_copies_that_wait_and_another_frequency_does_not(desk: Desk) -> None:
    edition = desk.edition(4)
    alter(desk, 1, paused_until=datetime(2026, 12, 1, 7, tzinfo=UTC))
    alter(desk, 2, frequency="daily", digested=after(seconds=0))
    alter(desk, 3, paused_until=after(days=-1))
    lease = claimed(desk.ledger(), edition)
    assert [one.key for one in lease.recipients] == [2, 3, 4]
    assert reasons(desk, edition) == {"paused until 2026-12-01": 1}
    assert desk.findings(edition) == ()


@pytest.mark.parametrize(
    ("kind", "state", "gets_it"),
    [
        ("confirm", "pending", True),
        ("confirm", "unsubscribed", True),
        ("welcome", "active", True),
        ("welcome", "unsubscribed", False),
        ("newsletter", "pending", False),
        ("digest", "active", False),
    ],
)
def test_what_kind_of_mail_waits_decides_what_stops_it(
    desk: Desk, kind: str, state: str, gets_it: bool
) -> None:
    """All of them paused after it was made; a pause stops nothing that Dispatch itself writes."""
    edition = desk.edition(1)
    with desk.store.transaction() as connection:
        connection.execute(update(editions).values(kind=kind))
    alter(desk, 1, state=state, paused_until=after(days=1))
    lease = desk.ledger().commit(NOW, Claim(edition, 10, MINUTE))
    assert (lease is not None) == gets_it


def test_what_dispatch_itself_writes_does_not_go_to_the_suppressed(desk: Desk) -> None:
    edition = desk.edition(1)
    with desk.store.transaction() as connection:
        connection.execute(update(editions).values(kind="confirm"))
        connection.exec_driver_sql(
            "INSERT INTO suppressions SELECT address_key, '', 'by court order', '2026-11-18 00:00' "
            "FROM subscribers"
        )
    assert desk.ledger().commit(NOW, Claim(edition, 10, MINUTE)) is None
    assert reasons(desk, edition) == {"on the suppression list: by court order": 1}
