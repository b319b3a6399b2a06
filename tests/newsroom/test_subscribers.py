"""The audience of a desk: who comes in, who is brought up to date, who never comes back."""

from __future__ import annotations

import csv
import errno
import io
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.ledger.desk import Desk

from dispatch.audience import states
from dispatch.audience.states import GONE, STATES, Consent
from dispatch.errors import AudienceError, OutputError, StoreError
from dispatch.newsroom import subscriber_lists as lists
from dispatch.newsroom import subscribers as people
from dispatch.newsroom.subscriber_lists import Choice, Imported, Watch
from dispatch.newsroom.subscribers import Person, Profile
from dispatch.store import subscribers as store
from dispatch.store.connection import Store

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)


@dataclass
class Room:
    """A newsroom's folder, and what the desk does there."""

    out: Path
    now: datetime = NOW

    def imports(self, text: str, desk: str = "world", **options: Any) -> Imported:
        """Import a list that stands in a file."""
        path = self.out / "list.csv"
        path.write_text(text, encoding="utf-8")
        watch = options.pop("watch", Watch())
        with lists.open_list(str(path), io.BytesIO()) as list_:
            return lists.import_list(list_, desk, self.out, self.now, watch, **options)

    def add(self, email: str, desk: str = "world", **facts: Any) -> str:
        return people.add(Person(email, **facts), desk, self.out, self.now)[1]

    def leave(self, email: str, desk: str | None = None, *, everywhere: bool = False) -> list[str]:
        return people.remove(email, desk, self.out, self.now, everywhere=everywhere)

    def show(self, email: str) -> Profile:
        return people.show(email, self.out, self.now)

    def state(self, email: str, desk: str = "world") -> str | None:
        rows = [s.row for s in self.show(email).subscriptions if s.row.desk == desk]
        return rows[0].state if rows else None

    def emails(self, **choice: Any) -> list[str]:
        return [row.email for row in lists.listed(Choice("world", **choice), self.out)]

    def move(self, email: str, after: states.State) -> None:
        """Somebody bounces or complains."""
        database = Store(self.out / "dispatch.db")
        with database.transaction() as connection:
            (row,) = store.of_person(connection, email)
            states.move(connection, row.key, after, "a test", self.now)
        database.close()

    def later(self) -> None:
        self.now += timedelta(days=1)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def counts(done: Imported) -> tuple[int, int, int, int, int, int]:
    r = done.report
    assert r.rows == (
        r.added + r.updated + r.unchanged + r.duplicates + r.refused + r.not_reached
        + sum(r.left_out.values())
    )  # fmt: skip
    return (r.added, r.updated, r.unchanged, r.duplicates, r.refused, sum(r.left_out.values()))


# Import ------------------------------------------------------------------------------------------


def test_a_list_comes_in_and_again_changes_nothing(room: Room) -> None:
    text = "email,name,tags,plan\nida@example.org,Ida,press,pro\nbo@example.org,Bo,,\n"
    assert counts(room.imports(text)) == (2, 0, 0, 0, 0, 0)
    room.later()
    assert counts(room.imports(text)) == (0, 0, 2, 0, 0, 0)
    (ida,) = room.show("ida@example.org").subscriptions
    assert ida.row.changed == NOW
    assert ida.to_json() == {
        "desk": "world",
        "email": "ida@example.org",
        "name": "Ida",
        "language": None,
        "timezone": None,
        "tags": ["press"],
        "fields": {"plan": "pro"},
        "state": "active",
        "consent": {"source": "import of list.csv", "at": None, "ip": None, "text": None},
        "frequency": "each",
        "paused_until": None,
        "joined": NOW.isoformat(),
        "changed": NOW.isoformat(),
        "moves": [],
        "mailings": [],
        "feeds": [],
    }


def test_a_list_brings_people_up_to_date(room: Room) -> None:
    room.imports(
        "email,name,language,tags,plan,city\n"
        "Ida@example.org,Ida,de,press;vip,pro,Port Ellery\nbo@example.org,Bo,en,,,\n"
    )
    done = room.imports("email,name,tags,plan\nida@example.org,,vip,\nbo@example.org,Bo,,\n")
    assert counts(done) == (0, 1, 1, 0, 0, 0)
    (ida,) = room.show("ida@example.org").subscriptions
    assert (ida.row.name, ida.row.language, ida.row.tags) == ("Ida", "de", "|vip|")
    assert ida.row.fields == '{"city": "Port Ellery"}'


def test_one_person_reads_two_newsletters_and_leaves_one(room: Room) -> None:
    room.imports("email\nida@example.org\n")
    room.imports("email\nida@example.org\n", "asia")
    with pytest.raises(AudienceError, match="subscribes to asia, world: say which"):
        room.leave("ida@example.org")
    assert room.leave("IDA@example.org", "world") == ["world"]
    assert (room.state("ida@example.org"), room.state("ida@example.org", "asia")) == (
        "unsubscribed",
        "active",
    )


@pytest.mark.parametrize("state", GONE)
def test_an_import_never_brings_back_who_left(room: Room, state: states.State) -> None:
    room.add("ida@example.org")
    room.move("ida@example.org", state)
    done = room.imports("email,status,name\nida@example.org,active,New\nbo@example.org,,\n")
    assert counts(done) == (1, 0, 0, 0, 0, 1)
    assert done.report.left_out == {state: 1}
    assert room.state("ida@example.org") == state
    assert room.show("ida@example.org").subscriptions[0].row.name is None


def test_an_import_brings_in_nobody_who_is_suppressed_or_forgotten(room: Room) -> None:
    room.add("di@example.org")
    room.add("ed@example.org")
    people.suppress("IDA@example.org", None, "asked by letter", room.out, NOW)
    people.suppress("bo@example.org", "asia", "asked by letter", room.out, NOW)
    people.suppress("di@example.org", "world", "asked by letter", room.out, NOW)
    people.forget("cy@example.org", room.out, NOW)
    text = "email,name\nida@example.org,I\nbo@example.org,B\ncy@example.org,C\ndi@example.org,D\n"
    done = room.imports(text)
    assert counts(done) == (1, 0, 0, 0, 0, 3)
    assert done.report.left_out == {"suppressed": 2, "forgotten": 1}
    assert room.emails() == ["di@example.org", "ed@example.org", "bo@example.org"]
    assert room.show("di@example.org").subscriptions[0].row.name is None


def test_a_list_that_says_unsubscribed_is_obeyed(room: Room) -> None:
    for name in ("ida", "bo", "cy"):
        room.add(f"{name}@example.org")
    done = room.imports(
        "email,status\nida@example.org,unsubscribed\nbo@example.org,cleaned\n"
        "cy@example.org,complained\ndi@example.org,unsubscribed\ned@example.org,pending\n"
    )
    assert counts(done) == (2, 3, 0, 0, 0, 0)
    names = ("ida", "bo", "cy", "di", "ed")
    assert [room.state(f"{name}@example.org") for name in names] == [
        "unsubscribed", "bounced", "complained", "unsubscribed", "pending",
    ]  # fmt: skip
    (ida,) = room.show("ida@example.org").subscriptions
    assert [(m.before, m.after) for m in ida.moves] == [("active", "unsubscribed")]
    assert ida.moves[0].cause == "import of list.csv"


def test_who_has_not_confirmed_is_confirmed_only_by_a_list_that_says_so(room: Room) -> None:
    room.add("ida@example.org", pending=True)
    room.imports("email\nida@example.org\n")
    assert room.state("ida@example.org") == "pending"
    room.imports("email,status\nida@example.org,confirmed\n")
    assert room.state("ida@example.org") == "active"


def test_of_rows_with_one_address_the_last_holds(room: Room) -> None:
    text = "email,name\nida@example.org,One\nbo@example.org,Bo\nIDA@Example.org,Two\n"
    assert counts(room.imports(text)) == (2, 0, 0, 1, 0, 0)
    assert room.show("ida@example.org").subscriptions[0].row.name == "Two"
    assert room.show("ida@example.org").subscriptions[0].row.email == "IDA@example.org"


def test_refused_rows_are_written_down_and_the_rest_goes_in(room: Room) -> None:
    done = room.imports(
        "email;name;note\nida@example.org;Ida;\n=cmd|x;Mallory;@SUM(A1)\n"
        '"""a b""@x.org";"quoted; name";"two\nlines"\nbo@example.org;Bo;;extra\ncy@example.org;Cy\n'
    )
    assert counts(done) == (2, 0, 0, 0, 3, 0)
    assert done.refused == room.out / "list.rejected.csv"
    with done.refused.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["email", "name", "note", "refused_because"]
    assert [row[:3] for row in rows[1:]] == [
        ["'=cmd|x", "Mallory", "'@SUM(A1)"],
        ['"a b"@x.org', "quoted; name", "two\nlines"],
        ["bo@example.org", "Bo", ""],
    ]
    assert rows[1][3].startswith("line 3: “=cmd|x” cannot be used as an email address")
    assert rows[3][3] == "line 6: The row cannot be read: it has 4 cells, and there are 3 columns."


def test_a_mended_list_of_refused_rows_can_be_imported(room: Room) -> None:
    done = room.imports("email,name\nida@example,-Ida-\n")
    assert done.refused
    mended = done.refused.read_text(encoding="utf-8").replace("ida@example,", "ida@example.org,")
    assert counts(room.imports(mended)) == (1, 0, 0, 0, 0, 0)
    (ida,) = room.show("ida@example.org").subscriptions
    assert (ida.row.name, ida.row.fields) == ("-Ida-", None)


def test_a_rehearsal_says_the_same_and_writes_nothing(room: Room) -> None:
    text = "email\nida@example.org\nbad\n"
    rehearsed = room.imports(text, dry_run=True)
    assert not (room.out / "dispatch.db").exists()
    assert rehearsed.refused is None
    room.add("bo@example.org")
    assert counts(room.imports(text, dry_run=True)) == counts(rehearsed) == (1, 0, 0, 0, 1, 0)
    assert room.emails() == ["bo@example.org"]
    assert not (room.out / "list.rejected.csv").exists()
    assert counts(room.imports(text)) == (1, 0, 0, 0, 1, 0)


def many(count: int) -> str:
    return "email\n" + "".join(f"r{n}@example.org\n" for n in range(count))


def test_who_stops_an_import_keeps_what_was_merged(room: Room) -> None:
    asked = iter([False, False, False, True])  # read, read, merge, merge
    done = room.imports(many(12_000), watch=Watch(stopped=lambda: next(asked)))
    assert done.report.stopped
    assert (done.report.added, done.report.not_reached) == (5000, 7000)
    assert len(room.emails()) == 5000
    assert counts(room.imports(many(12_000))) == (7000, 0, 5000, 0, 0, 0)


def test_who_stops_while_the_list_is_read_has_imported_nothing(room: Room) -> None:
    done = room.imports(many(12_000), watch=Watch(stopped=lambda: True))
    assert (done.report.stopped, done.report.not_reached) == (True, 5000)
    assert room.show("r0@example.org").is_known is False


def test_progress_goes_through_the_list_twice(room: Room) -> None:
    steps: list[int] = []
    text = many(12_000)
    room.imports(text, watch=Watch(step=steps.append))
    assert len(steps) == 6
    assert sum(steps[:3]) == len(text)
    assert sum(steps) == pytest.approx(2 * len(text), abs=10)


def test_a_list_that_is_broken_at_its_end_changes_nothing(room: Room) -> None:
    room.add("bo@example.org")
    with pytest.raises(AudienceError, match="a quotation mark is not closed"):
        room.imports(many(6000) + '"x@example.org,Ida\n' * 1000)
    assert room.emails() == ["bo@example.org"]


def test_a_file_of_rubbish_is_given_up_after_a_thousand_rows(room: Room) -> None:
    with pytest.raises(AudienceError, match=r"first 1,000 rows of .*, 1,000 cannot") as caught:
        room.imports("email\n" + "rubbish\n" * 100_000)
    assert "line 1001: “rubbish” cannot be used" in str(caught.value)
    refused = (room.out / "list.rejected.csv").read_text(encoding="utf-8")
    assert len(refused.splitlines()) == 1001


def test_a_file_with_hardly_anything_but_rubbish_is_given_up_too(room: Room) -> None:
    with pytest.raises(AudienceError, match=r"first 1,001 rows of .*, 1,000 cannot.*is it the"):
        room.imports("email\nida@example.org\n" + "rubbish\n" * 100_000)
    assert len((room.out / "list.rejected.csv").read_text().splitlines()) == 1001
    assert room.show("ida@example.org").is_known is False


def test_a_desk_that_is_not_there_has_no_list_to_print(room: Room) -> None:
    room.add("ida@example.org")
    for read in (lists.listed, lists.exported):
        with pytest.raises(AudienceError, match=r"no desk wrold here\. .*subscribers: world\."):
            list(read(lists.Choice("wrold"), room.out))


def test_a_new_desk_and_columns_that_were_not_kept_are_told(room: Room) -> None:
    done = room.imports("email,plan,Plan\nida@example.org,a,b\n", "wrold")
    assert done.notes == [
        "wrold is a new desk here: nobody has published or subscribed there so far.",
        "Columns that were not kept: Plan.",
    ]
    assert room.imports("email\nida@example.org\n", "wrold").notes == []


def test_a_list_in_an_older_encoding_is_read_and_told(room: Room) -> None:
    stream = io.BytesIO("email,name\nida@example.org,Zoë\n".encode("cp1252"))
    with lists.open_list("-", stream) as list_:
        done = lists.import_list(list_, "world", room.out, NOW, Watch())
    assert "was read as Windows-1252" in done.notes[-1]
    assert room.show("ida@example.org").subscriptions[0].row.name == "Zoë"


def test_refused_rows_of_standard_input_have_a_place(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(room.out)
    with lists.open_list("-", io.BytesIO(b"email\nbad\n")) as list_:
        done = lists.import_list(list_, "world", room.out, NOW, Watch())
    assert str(done.refused) == "stdin.rejected.csv"


def test_refused_rows_that_cannot_be_written_down_stop_the_import(room: Room) -> None:
    (room.out / "list.rejected.csv").mkdir()
    with pytest.raises(OutputError, match="where refused rows go"):
        room.imports("email\nida@example.org\nbad\n")


def test_a_list_that_cannot_be_read_to_its_end(room: Room) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with (
        lists.open_list("-", Broken(b"email\na@example.org\n")) as list_,
        pytest.raises(AudienceError, match="standard input cannot be read: Input/output error"),
    ):
        lists.import_list(list_, "world", room.out, NOW, Watch())


@pytest.mark.parametrize("name", ["missing.csv", "a\0b"])
def test_a_list_that_is_not_there(name: str) -> None:
    with pytest.raises(AudienceError, match="cannot be read"), lists.open_list(name, io.BytesIO()):
        pass


# One person --------------------------------------------------------------------------------------


def test_adding_and_bringing_up_to_date(room: Room) -> None:
    assert room.add("Ida@Example.org", name="Ida\r\nBcc: x@y.org", tags=("VIP", "press")) == "added"
    assert room.add("ida@example.org", language="de_at") == "updated"
    assert room.add("ida@example.org", language="de-AT") == "unchanged"
    (ida,) = room.show("ida@example.org").subscriptions
    assert (ida.row.email, ida.row.name) == ("ida@example.org", "Ida Bcc: x@y.org")
    assert (ida.row.language, ida.row.tags) == ("de-AT", "|press|vip|")


@pytest.mark.parametrize(
    "facts",
    [
        {"language": "German!"},
        {"timezone": "Mars/Base"},
        {"consent": "form", "consent_at": "soon"},
        {"consent": "form", "consent_ip": "1.2.3"},
    ],
)
def test_what_is_not_understood_is_refused(room: Room, facts: dict[str, str]) -> None:
    with pytest.raises(AudienceError, match="is not understood: write it such as"):
        room.add("ida@example.org", **facts)


def test_who_left_comes_back_by_their_own_consent_alone(room: Room) -> None:
    room.add("ida@example.org")
    room.leave("ida@example.org")
    with pytest.raises(AudienceError, match="comes back only by their own new consent"):
        room.add("ida@example.org")
    assert (
        room.add("ida@example.org", consent="form at the fair", consent_ip="192.0.2.7") == "updated"
    )
    (ida,) = room.show("ida@example.org").subscriptions
    assert ida.row.state == "active"
    assert (ida.row.consent_source, ida.row.consent_at) == ("form at the fair", NOW)
    assert [(m.after, m.cause) for m in ida.moves] == [
        ("unsubscribed", "removed by the desk"),
        ("active", "consent: form at the fair"),
    ]


def test_another_consent_is_not_put_beside_the_time_address_and_words_of_an_earlier_one(
    room: Room,
) -> None:
    room.imports(
        "email,consent source,consent time,consent ip,consent text\n"
        "ida@example.org,fair,2026-01-04,192.0.2.7,Yes\n"
    )
    room.add("ida@example.org", consent="sign-up form")
    (ida,) = room.show("ida@example.org").subscriptions
    row = ida.row
    assert (row.consent_source, row.consent_at, row.consent_ip, row.consent_text) == (
        "sign-up form", NOW, None, None,
    )  # fmt: skip
    assert room.add("ida@example.org", consent="sign-up form") == "unchanged"


def test_a_list_replaces_a_consent_as_a_whole_and_never_one_with_its_words(room: Room) -> None:
    def consent() -> tuple[object, ...]:
        (ida,) = room.show("ida@example.org").subscriptions
        row = ida.row
        return row.consent_source, row.consent_at, row.consent_ip, row.consent_text

    room.imports("email,consent source,consent ip\nida@example.org,fair,192.0.2.7\n")
    room.imports("email,consent source\nida@example.org,card\n")
    assert consent() == ("card", None, None, None)
    room.imports("email,consent source,consent text\nida@example.org,sign-up page,Yes\n")
    room.imports("email,consent source,consent ip\nida@example.org,fair,192.0.2.7\n")
    assert consent() == ("sign-up page", None, None, "Yes")


def test_consent_that_was_taken_back_is_no_consent(room: Room) -> None:
    room.add("ida@example.org")
    people.forget("bo@example.org", room.out, NOW)
    room.leave("ida@example.org")
    room.later()
    with pytest.raises(AudienceError, match="is yet to come"):
        room.add("ida@example.org", consent="form", consent_at="2026-11-27T12:00Z")
    for name, says in (("ida", "it takes a newer consent"), ("bo", "asked to be forgotten")):
        with pytest.raises(AudienceError, match=says):
            room.add(f"{name}@example.org", consent="form", consent_at="2026-11-24T12:00Z")
        room.add(f"{name}@example.org", consent="form", consent_at="2026-11-25T12:00Z")
        assert room.state(f"{name}@example.org") == "active"


def test_who_was_asked_stays_pending_until_there_is_consent(room: Room) -> None:
    room.add("ida@example.org", pending=True)
    assert room.add("ida@example.org", name="Ida") == "updated"
    assert room.state("ida@example.org") == "pending"
    room.add("ida@example.org", consent="confirmed by mail")
    assert room.state("ida@example.org") == "active"


def test_leaving(room: Room) -> None:
    room.add("ida@example.org")
    room.add("ida@example.org", "asia")
    assert room.leave("ida@example.org", everywhere=True) == ["asia", "world"]
    assert room.leave("ida@example.org", everywhere=True) == []
    with pytest.raises(AudienceError, match=r"bo@example\.org does not subscribe to any desk"):
        room.leave("bo@example.org")
    with pytest.raises(AudienceError, match="does not subscribe to sport"):
        room.leave("ida@example.org", "sport")


def test_suppressing(room: Room) -> None:
    room.add("ida@example.org")
    people.suppress("ida@example.org", "world", "asked\r\nby letter", room.out, NOW)
    (row,) = room.show("ida@example.org").suppressions
    assert (row.desk, row.reason) == ("world", "asked by letter")
    with pytest.raises(AudienceError, match=r"is suppressed \(asked by letter\) and was not added"):
        room.add("ida@example.org", consent="form")
    assert room.add("ida@example.org", "asia") == "added"
    with pytest.raises(AudienceError, match=r"not suppressed by every desk\. It is --desk world"):
        people.unsuppress("ida@example.org", None, room.out)
    people.unsuppress("ida@example.org", "world", room.out)
    assert room.show("ida@example.org").suppressions == []
    with pytest.raises(AudienceError, match="needs a reason"):
        people.suppress("ida@example.org", None, " \n", room.out, NOW)


def test_where_there_is_no_database_nothing_is_made(room: Room) -> None:
    for ask in (
        room.emails,
        lambda: room.show("a@example.org"),
        lambda: room.leave("a@example.org"),
    ):
        with pytest.raises(StoreError, match="so there are no subscribers"):
            ask()
    assert list(room.out.iterdir()) == []


# What waits for somebody who leaves ----------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("leave", "unsubscribed"),
        ("bounce", "bounced"),
        ("suppress", "on the suppression list: asked"),
        ("import", "unsubscribed"),
        ("forget", "forgotten"),
    ],
)
def test_their_waiting_copy_is_stopped(desk: Desk, how: str, reason: str | None) -> None:
    room = Room(desk.folder)
    room.add("ida@example.org")
    room.add("bo@example.org")
    edition = desk.edition()
    assert desk.counts(edition) == {"queued": 2}
    match how:
        case "leave":
            room.leave("ida@example.org")
        case "bounce":
            room.move("ida@example.org", "bounced")
        case "suppress":
            people.suppress("ida@example.org", None, "asked", room.out, NOW)
        case "import":
            room.imports("email,status\nida@example.org,unsubscribed\n")
        case _:
            people.forget("ida@example.org", room.out, NOW)
    assert desk.counts(edition) == {"queued": 1, "suppressed": 1}
    (row,) = [row for row in desk.rows(edition) if row.state == "suppressed"]
    assert row.reply == reason
    assert desk.findings(edition) == ()
    if how != "forget":
        (mail,) = room.show("ida@example.org").subscriptions[0].mails
        assert (mail.edition, mail.subject, mail.state) == (edition, "The ferry", "suppressed")


def test_who_is_forgotten_is_nowhere_any_more(desk: Desk) -> None:
    room = Room(desk.folder)
    facts = {"name": "Ida Marlow", "consent": "fair", "consent_ip": "192.0.2.77"}
    room.add("Ida.Marlow@example.org", **facts)
    room.add("ida.marlow@example.org", "asia", **facts)
    edition = desk.edition()
    people.suppress("ida.marlow@example.org", "asia", "marlow asked", room.out, NOW)
    assert people.forget("IDA.MARLOW@example.org", room.out, NOW) == 2
    profile = room.show("ida.marlow@example.org")
    assert (profile.subscriptions, profile.suppressions, profile.forgotten) == ([], [], NOW)
    assert sum(desk.counts(edition).values()) == 1
    for file in room.out.iterdir():
        if file.is_file():
            data = file.read_bytes().lower()
            assert b"marlow" not in data and b"192.0.2.77" not in data, file


def test_who_is_forgotten_is_not_in_the_log_of_another_process_either(desk: Desk) -> None:
    room = Room(desk.folder)
    other = sqlite3.connect(room.out / "dispatch.db")  # as `dispatch run` has it, for days
    other.execute("SELECT count(*) FROM subscribers").fetchall()
    room.add("ida.marlow@example.org")
    people.forget("ida.marlow@example.org", room.out, NOW)
    left = [file.name for file in room.out.glob("dispatch.db*") if file.is_file()]
    assert "dispatch.db-wal" in left
    for name in left:
        assert b"marlow" not in (room.out / name).read_bytes().lower(), name
    other.close()


def test_who_is_forgotten_comes_back_by_their_own_consent_alone(room: Room) -> None:
    room.add("ida@example.org")
    people.forget("ida@example.org", room.out, NOW)
    people.forget("ida@example.org", room.out, NOW)
    with pytest.raises(AudienceError, match="asked to be forgotten and was not added"):
        room.add("ida@example.org")
    assert room.add("ida@example.org", consent="sign-up form") == "added"
    assert room.show("ida@example.org").forgotten is None


# Lists -------------------------------------------------------------------------------------------


def test_choosing(room: Room) -> None:
    room.imports(
        "email,tags,language,plan,joined,status\n"
        "a@example.org,vip,de,pro,2026-01-01,\nb@example.com,press,de-AT,,2026-02-01,\n"
        "c@example.org,VIP,en,pro,2026-03-01,unsubscribed\n"
    )
    room.add("d@example.org", "asia")
    assert room.emails() == ["a@example.org", "b@example.com", "c@example.org"]
    assert room.emails(tag="Vip") == ["a@example.org", "c@example.org"]
    assert room.emails(state="active", limit=1) == ["a@example.org"]
    assert room.emails(segment="language:de and joined>2026-01-31") == ["b@example.com"]
    assert room.emails(segment="not plan:pro") == ["b@example.com"]
    with pytest.raises(AudienceError, match=r"has a plna. Did you mean plan\?"):
        room.emails(segment="plna:pro")


def test_a_long_list_is_read_in_pages(room: Room) -> None:
    room.imports(many(4500))
    assert len(set(room.emails())) == 4500
    assert len(room.emails(limit=4321)) == 4321


def test_an_export_is_safe_to_open_and_comes_back_whole(room: Room, tmp_path: Path) -> None:
    room.imports(
        "email,name,tags,language,timezone,status,created_at,consent time,consent ip,source,plan,a b\n"
        '+ida@example.org,"=HYPERLINK(""x"")",a b;c,de-AT,Europe/Vienna,pending,2026-01-01,'
        '2026-01-02,192.0.2.7,@fair,-1,"\'=x, ""y"""\nbo@example.org,,,,,,,,,,,\n'
    )
    text = "".join(lists.exported(Choice("world"), room.out))
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)
    other = Room(tmp_path / "other")
    other.out.mkdir()
    assert counts(other.imports(text)) == (2, 0, 0, 0, 0, 0)
    for email in ("+ida@example.org", "bo@example.org"):
        (before,), (after,) = room.show(email).subscriptions, other.show(email).subscriptions
        assert replace(before.row, key=0) == replace(after.row, key=0)
    assert "".join(lists.exported(Choice("world"), other.out)) == text


def test_what_readers_decided_goes_into_an_export_and_comes_from_a_list_for_the_new_alone(
    room: Room, tmp_path: Path
) -> None:
    text = (
        "email,frequency,paused until,consent text\n"
        'ida@example.org,Weekly,2026-12-24T08:00Z,"Yes, send it"\nbo@example.org,monthly,never,\n'
    )
    done = room.imports(text)
    assert done.report.ignored == {"frequency": 1, "paused_until": 1}
    (ida,) = room.show("ida@example.org").subscriptions
    assert (ida.row.frequency, ida.row.consent_text) == ("weekly", "Yes, send it")
    assert ida.row.paused_until == datetime(2026, 12, 24, 8, 0, tzinfo=UTC)
    assert ida.row.digested == NOW  # what was published before they came is not collected for them
    other = Room(tmp_path / "other")
    other.out.mkdir()
    other.imports("".join(lists.exported(Choice("world"), room.out)))
    (there,) = other.show("ida@example.org").subscriptions
    assert replace(there.row, key=0) == replace(ida.row, key=0)
    assert counts(room.imports("email,frequency,paused until\nida@example.org,each,\n"))[2] == 1
    assert room.show("ida@example.org").subscriptions[0].row.frequency == "weekly"


def test_a_list_is_read_while_others_write(room: Room) -> None:
    room.imports(many(4500))
    seen = 0
    for row in lists.listed(Choice("world"), room.out):
        seen += 1
        if seen in (1, 2500):
            room.leave(row.email)
    assert seen == 4500


# States ------------------------------------------------------------------------------------------


@settings(max_examples=30, stateful_step_count=15)
class Life(RuleBasedStateMachine):
    """A subscriber's life: whatever happens, only lawful moves, all of them on record."""

    def __init__(self) -> None:
        super().__init__()
        self.database = Store(None)
        row = {
            "desk": "world", "address_key": "a@b.c", "email": "a@b.c", "domain": "b.c",
            "created": NOW, "changed": NOW, "state": "pending",
        }  # fmt: skip
        with self.database.transaction() as connection:
            store.add(connection, [row])
        self.path = ["pending"]

    @rule(after=st.sampled_from(STATES), consent=st.booleans())
    def happens(self, after: states.State, consent: bool) -> None:
        before = self.path[-1]
        given = Consent("form", NOW) if consent else None
        with self.database.transaction() as connection:
            try:
                moved = states.move(connection, 1, after, "why", NOW, given)
            except AudienceError:
                assert not states.is_lawful(before, after, by_consent=consent)
                assert after != before
                assert not (before in GONE and after == "active" and consent)
                return
        assert moved == (after != before)
        if moved:
            assert before not in GONE or after in GONE or consent
            self.path.append(after)

    @invariant()
    def the_history_is_whole(self) -> None:
        with self.database.transaction() as connection:
            row = store.subscriber(connection, 1)
            moves = store.moves_of(connection, 1)
        assert row is not None
        assert row.state == self.path[-1]
        assert [(m.before, m.after) for m in moves] == list(
            zip(self.path, self.path[1:], strict=False)
        )

    def teardown(self) -> None:
        self.database.close()


TestLife = Life.TestCase


def test_nobody_is_moved_who_is_not_there(room: Room) -> None:
    room.add("ida@example.org")
    database = Store(room.out / "dispatch.db")
    with (
        database.transaction() as connection,
        pytest.raises(AudienceError, match="no subscriber with the number 99"),
    ):
        states.move(connection, 99, "active", "why", NOW)
    database.close()


def test_a_secret_is_made_once_and_never_again(room: Room) -> None:
    room.add("ida@example.org")
    database = Store(room.out / "dispatch.db")
    made = iter(["first", "second", "third"])
    with database.transaction() as connection:
        for name, value in (("a", "first"), ("a", "first"), ("b", "second"), ("a", "first")):
            assert store.secret(connection, name, lambda: next(made), NOW) == value
    database.close()
