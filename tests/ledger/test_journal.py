"""The journal: read back as it was written, cut off anywhere, full of rubbish, on a full disk."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.desk import NOW, Desk, claimed, die, send

from dispatch.errors import StoreError
from dispatch.ledger import journal
from dispatch.ledger.facts import Outcome
from dispatch.ledger.journal import Journal, clean, read

LEASE, OWNER = 7, "host:1:abc"


def written(folder: Path) -> tuple[Path, list[int]]:
    """A journal of three copies, and where each frame ends."""
    path = folder / "7.journal"
    made = Journal(path, LEASE, OWNER)
    ends = [path.stat().st_size]
    for step in (
        lambda: made.leaving(1),
        lambda: made.leaving(2),
        lambda: made.reply(1, "accepted", 0, "250 2.0.0 Ok: taken as ä"),
        lambda: made.leaving(3),
        lambda: made.reply(3, "deferred", 2**40, "451 later"),
    ):
        step()
        ends.append(path.stat().st_size)
    made.close()
    return path, ends


def test_it_says_what_was_written(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    told = read(path, LEASE, OWNER)
    assert told
    assert told.whole
    assert told.left == {1, 2, 3}
    assert told.replies == {
        1: Outcome(1, "accepted", "250 2.0.0 Ok: taken as ä"),
        3: Outcome(3, "deferred", "451 later", 2**40),
    }


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """It holds the words of relays, which repeat addresses."""
    path = tmp_path / "leases" / "7.journal"
    Journal(path, LEASE, OWNER).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_cut_off_anywhere_it_says_what_stands_before_the_cut(tmp_path: Path) -> None:
    path, ends = written(tmp_path)
    data = path.read_bytes()
    for length in range(ends[0], len(data) + 1):
        path.write_bytes(data[:length])
        told = read(path, LEASE, OWNER)
        assert told
        assert told.whole
        frames = sum(end <= length for end in ends[1:])
        assert told.left == set([[], [1], [1, 2], [1, 2], [1, 2, 3], [1, 2, 3]][frames])
        assert set(told.replies) == set([[], [], [], [1], [1], [1, 3]][frames])


def test_without_its_whole_header_nothing_is_concluded_from_it(tmp_path: Path) -> None:
    path, ends = written(tmp_path)
    for length in range(ends[0]):
        path.write_bytes(path.read_bytes()[:length])
        told = read(path, LEASE, OWNER)
        assert told
        assert not told.whole


def test_one_byte_that_changed_is_noticed_and_what_stands_before_it_holds(tmp_path: Path) -> None:
    path, ends = written(tmp_path)
    data = bytearray(path.read_bytes())
    for at in range(ends[0], len(data)):
        data[at] ^= 0x55
        path.write_bytes(data)
        data[at] ^= 0x55
        told = read(path, LEASE, OWNER)
        assert told
        frames = sum(end <= at for end in ends[1:])
        assert told.left == set([[], [1], [1, 2], [1, 2], [1, 2, 3]][frames])
        torn = at - [*ends][frames] < 2  # a length that leads past the end looks cut off
        assert not told.whole or torn


@given(rubbish=st.binary(min_size=1, max_size=200))
def test_rubbish_behind_it_is_not_read_as_facts(rubbish: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path, _ = written(Path(folder))
        with path.open("ab") as file:
            file.write(rubbish)
        told = read(path, LEASE, OWNER)
    assert told
    assert told.left == {1, 2, 3}
    assert set(told.replies) == {1, 3}


def test_an_end_that_no_frame_can_have_is_not_taken_for_a_frame_that_was_cut_off(
    tmp_path: Path,
) -> None:
    path, _ = written(tmp_path)
    with path.open("ab") as file:
        file.write(b"\xff" * 20)
    told = read(path, LEASE, OWNER)
    assert told
    assert not told.whole


@pytest.mark.parametrize(("lease", "owner"), [(8, OWNER), (LEASE, "host:1:def")])
def test_a_journal_of_another_lease_is_not_taken_for_this_one(
    tmp_path: Path, lease: int, owner: str
) -> None:
    """A database that was restored from a backup gives its keys again."""
    path, _ = written(tmp_path)
    told = read(path, lease, owner)
    assert told == journal.Contents(whole=False)


def test_frames_of_another_lease_do_not_fit(tmp_path: Path) -> None:
    path, ends = written(tmp_path)
    frames = path.read_bytes()[ends[0] :]
    other = Journal(tmp_path / "8.journal", 8, OWNER)
    other.close()
    with (tmp_path / "8.journal").open("ab") as file:
        file.write(frames)
    told = read(tmp_path / "8.journal", 8, OWNER)
    assert told == journal.Contents(whole=False)


def test_a_huge_file_is_read_within_bounds(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    with path.open("ab") as file:
        file.truncate(2**40)  # zeroes, without taking room
    told = read(path, LEASE, OWNER)
    assert told
    assert not told.whole
    assert told.left == {1, 2, 3}


def test_a_missing_one_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "7.journal", LEASE, OWNER) is None


@given(words=st.text(max_size=2000))
def test_any_words_are_kept_as_one_short_line(words: str) -> None:
    kept = clean(words)
    assert len(kept) <= journal.REPLY_LENGTH
    assert kept == "" or kept.isprintable()
    kept.encode()
    assert clean(kept) == kept


# A full disk -----------------------------------------------------------------------------------


@contextmanager
def no_room(path: Path, more: int) -> Iterator[None]:
    """No file may grow larger than ``path`` and ``more`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_what_cannot_be_journalled_does_not_leave(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    path = desk.journals / f"{lease.key}.journal"
    first, second, third = (recipient.key for recipient in lease.recipients)
    with no_room(path, 20):
        assert lease.leaving(first)
        with pytest.raises(StoreError, match=r"journal cannot be written.*make room"):
            lease.leaving(second)
        lease.note(Outcome(first, "accepted", "250 Ok"))  # kept in memory
    assert lease.leaving(third)  # half a frame did not hide those behind it
    ledger.commit(NOW)
    die(ledger)
    desk.ledger("other").recover(NOW)
    assert [row.state for row in desk.rows(edition)] == ["accepted", "queued", "in_doubt"]


def test_outcomes_that_the_database_has_no_room_for_stay_in_the_journal(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    for recipient in lease.recipients:
        send(lease, recipient.key)
    with no_room(desk.journals / f"{lease.key}.journal", 0), pytest.raises(StoreError):
        ledger.commit(NOW)
    assert desk.counts(edition) == {"leased": 3}
    ledger.commit(NOW)
    assert desk.counts(edition) == {"accepted": 3}
    assert desk.findings(edition) == ()


def test_a_process_that_died_of_a_full_disk_is_recovered_exactly(desk: Desk) -> None:
    edition = desk.edition(3)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    send(lease, lease.recipients[0].key)
    with no_room(desk.journals / f"{lease.key}.journal", 0):
        with pytest.raises(StoreError):
            ledger.close(NOW)
        with pytest.raises(StoreError):
            desk.ledger("other").recover(NOW)
    assert desk.ledger("other").recover(NOW).accepted == {edition: 1}
    assert desk.counts(edition) == {"accepted": 1, "queued": 2}


def test_a_journal_that_cannot_be_read_stops_everything(desk: Desk) -> None:
    edition = desk.edition(1)
    ledger = desk.ledger()
    lease = claimed(ledger, edition)
    die(ledger)
    path = desk.journals / f"{lease.key}.journal"
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="nothing is sent until it can be"):
        desk.ledger("other").recover(NOW)
    path.rmdir()
    assert list(desk.journals.iterdir()) == []
