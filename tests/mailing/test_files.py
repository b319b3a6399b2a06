"""``file:``: a folder of .eml files and an mbox."""

from __future__ import annotations

import asyncio
import fcntl
import mailbox
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mailing.pile import Pile, copy

from dispatch.mailing import mbox as mbox_module
from dispatch.mailing.connections import connect
from dispatch.mailing.files import FileConnection, Folder
from dispatch.mailing.mbox import Mbox
from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import End

NOON = 1_795_608_000_000  # 2026-11-25 12:00 UTC


def kept_in_folder(path: Path, pile: Pile) -> End:
    async def run() -> End:
        return await FileConnection(Folder(path), path, pile).run()

    return asyncio.run(run())


def kept_in_mbox(path: Path, pile: Pile) -> End:
    async def run() -> End:
        return await FileConnection(Mbox(path, lambda: NOON), path, pile).run()

    return asyncio.run(run())


def without_envelope(data: bytes) -> bytes:
    return re.sub(rb"\AReturn-Path: .*\r?\nX-Original-To: .*\r?\n", b"", data)


def messages(path: Path) -> list[bytes]:
    """The messages of an mbox as they were sent: unquoted, with CRLF, without the envelope."""
    found = re.split(rb"(?m)^From \S+ .*\n", path.read_bytes())
    assert found[0] == b""
    bodies = [re.sub(rb"(?m)^>(>*From )", rb"\1", m.removesuffix(b"\n")) for m in found[1:]]
    return [without_envelope(body).replace(b"\n", b"\r\n") for body in bodies]


class TestFolder:
    def test_keeps_each_message_byte_for_byte(self, tmp_path: Path):
        pile = Pile(copies := [copy(key) for key in range(1, 41)])
        assert kept_in_folder(tmp_path / "out" / "mail", pile).kind == "finished"
        files = sorted((tmp_path / "out" / "mail").iterdir())
        assert [without_envelope(f.read_bytes()) for f in files] == [c.data for c in copies]
        assert set(pile.told().values()) == {"accepted"}
        assert pile.results[0].reply == f"Kept as {files[0].name}"

    def test_the_envelope_stands_on_top(self, tmp_path: Path):
        kept_in_folder(tmp_path, Pile([copy(7, to="søren@example.org")]))
        (file,) = tmp_path.iterdir()
        assert file.read_bytes().startswith(
            b"Return-Path: <bounces+7@example.org>\r\nX-Original-To: s\xc3\xb8ren@example.org\r\nFrom: "
        )

    def test_another_try_overwrites_what_the_first_one_left(self, tmp_path: Path):
        kept_in_folder(tmp_path, Pile([copy(1)]))
        kept_in_folder(tmp_path, Pile([copy(1), copy(2)]))
        assert len(list(tmp_path.iterdir())) == 2

    def test_another_message_with_the_same_key_overwrites_nothing(self, tmp_path: Path):
        one, other = copy(1), copy(1)
        moved = other.data.replace(b"<1@news", b"<1@other")
        kept_in_folder(tmp_path, Pile([one]))
        kept_in_folder(tmp_path, Pile([type(other)(1, "a@b.example", one.recipient, "", moved)]))
        assert len(list(tmp_path.iterdir())) == 2

    @pytest.mark.parametrize(
        "address", ["../../etc/passwd@example.org", '"a/b"@example.org', "x" * 300 + "@example.org"]
    )
    def test_an_address_leads_nowhere_else(self, tmp_path: Path, address: str):
        pile = Pile([copy(1, to=address)])
        assert kept_in_folder(tmp_path / "mail", pile).kind == "finished"
        assert [p.name for p in tmp_path.iterdir()] == ["mail"]
        assert len(list((tmp_path / "mail").iterdir())) == 1

    def test_an_address_adds_no_header_field(self, tmp_path: Path):
        kept_in_folder(tmp_path, Pile([copy(1, sender="a@b.example\r\nBcc: x@b.example")]))
        (file,) = tmp_path.iterdir()
        assert message_from_bytes(file.read_bytes())["Bcc"] is None

    def test_what_must_not_leave_is_not_written(self, tmp_path: Path):
        pile = Pile([copy(1), copy(2), copy(3)], leave=lambda copy: copy.key != 2)
        kept_in_folder(tmp_path, pile)
        assert pile.told() == {1: "accepted", 2: "unsent", 3: "accepted"}
        assert [p.name[:8] for p in sorted(tmp_path.iterdir())] == ["00000001", "00000003"]

    def test_a_folder_that_cannot_be_made_takes_nothing(self, tmp_path: Path):
        (tmp_path / "mail").write_text("a file")
        pile = Pile([copy(1)])
        end = kept_in_folder(tmp_path / "mail", pile)
        assert (end.kind, pile.results, len(pile.waiting)) == ("down", [], 1)
        assert f"Mail cannot be kept in {tmp_path / 'mail'}: File exists." in end.sentence

    def test_a_full_disk_gives_copies_back(self, tmp_path: Path, full_disk: None):
        pile = Pile([copy(1), copy(2), copy(3, text="x" * 5000), copy(4)])
        end = kept_in_folder(tmp_path, pile)
        assert end.kind == "down"
        assert pile.told() == {1: "accepted", 2: "accepted", 3: "unsent", 4: "unsent"}
        assert [p.name[:8] for p in sorted(tmp_path.iterdir())] == ["00000001", "00000002"]

    def test_it_waits_for_work_and_ends_when_told(self, tmp_path: Path):
        async def run() -> tuple[End, Pile]:
            pile = Patient([copy(1)])
            connection = FileConnection(Folder(tmp_path), tmp_path, pile)
            task = asyncio.create_task(connection.run())
            await pile.idle.wait()
            pile.waiting.append(copy(2))
            pile.idle.clear()
            connection.poke()
            await pile.idle.wait()
            connection.finish()
            return await task, pile

        end, pile = asyncio.run(run())
        assert end == End("finished")
        assert pile.told() == {1: "accepted", 2: "accepted"}


class Patient(Pile):
    """Work that may still come: says when a connection found none."""

    def __init__(self, copies: list) -> None:
        super().__init__(copies)
        self.idle = asyncio.Event()

    def take(self, connection):
        if self.waiting:
            return self.waiting.pop(0)
        self.idle.set()
        return None


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond 4,000 bytes: the system refuses the write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


class TestMbox:
    def test_keeps_each_message_byte_for_byte(self, tmp_path: Path):
        pile = Pile(copies := [copy(key) for key in range(40)])
        assert kept_in_mbox(tmp_path / "out" / "a.mbox", pile).kind == "finished"
        assert messages(tmp_path / "out" / "a.mbox") == [c.data for c in copies]
        assert set(pile.told().values()) == {"accepted"}
        assert list((tmp_path / "out").iterdir()) == [tmp_path / "out" / "a.mbox"]

    def test_other_programs_can_read_it(self, tmp_path: Path):
        kept_in_mbox(tmp_path / "a.mbox", Pile([copy(1), copy(2, text="From here\n\nFrom there")]))
        box = mailbox.mbox(tmp_path / "a.mbox")
        assert [m["Message-ID"] for m in box] == ["<1@news.example.org>", "<2@news.example.org>"]
        assert box[0].get_from() == "bounces+1@example.org Wed Nov 25 12:00:00 2026"
        box.close()

    @given(st.lists(st.lists(st.sampled_from(["From ", ">From ", ">>From", "x", ""])), max_size=4))
    def test_lines_that_look_like_its_own_come_back_as_they_were(self, tmp_path_factory, texts):
        path = tmp_path_factory.mktemp("mbox") / "a.mbox"
        copies = [copy(key, text="\n".join(lines)) for key, lines in enumerate(texts)]
        kept_in_mbox(path, Pile(copies))
        if copies:
            assert messages(path) == [c.data for c in copies]

    def test_what_another_program_left_unended_is_ended(self, tmp_path: Path):
        path = tmp_path / "a.mbox"
        path.write_bytes(b"From a@example.org Wed Nov 25 11:00:00 2026\nSubject: x\n\nhello")
        kept_in_mbox(path, Pile([copy(1)]))
        first, second = path.read_bytes().split(b"\n\nFrom ")
        assert first.endswith(b"hello")
        assert second.startswith(b"bounces+1@example.org ")

    def test_a_full_disk_leaves_no_part_and_gives_copies_back(self, tmp_path: Path, full_disk):
        path = tmp_path / "a.mbox"
        kept_in_mbox(path, Pile([copy(1)]))
        before = path.read_bytes()
        pile = Pile([copy(2), copy(3, text="x" * 5000)])
        end = kept_in_mbox(path, pile)
        assert end.kind == "down"
        assert pile.told() == {2: "unsent", 3: "unsent"}
        assert path.read_bytes() == before

    def test_two_connections_append_in_turn(self, tmp_path: Path):
        path = tmp_path / "a.mbox"

        async def run() -> list[Pile]:
            piles = [Pile([copy(n * 100 + i) for i in range(50)]) for n in range(4)]
            await asyncio.gather(
                *(FileConnection(Mbox(path, lambda: NOON), path, pile).run() for pile in piles)
            )
            return piles

        piles = asyncio.run(run())
        assert all(set(pile.told().values()) == {"accepted"} for pile in piles)
        sent = sorted(r.copy.data for pile in piles for r in pile.results)
        assert sorted(messages(path)) == sent


@pytest.mark.parametrize(("name", "is_file"), [("a.mbox", True), ("mail", False), ("mbox", False)])
def test_the_name_decides_between_an_mbox_and_a_folder(tmp_path: Path, name: str, is_file: bool):
    async def run() -> End:
        relay = Relay("file", path=str(tmp_path / name))
        return await connect(relay, Pile([copy(1)]), lambda: NOON).run()

    assert asyncio.run(run()).kind == "finished"
    assert (tmp_path / name).is_file() == is_file


class TestMboxLocks:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(mbox_module, "_LOCK_SECONDS", 0.2)

    def test_a_lock_file_of_another_program_is_respected(self, tmp_path: Path):
        path = tmp_path / "a.mbox"
        (tmp_path / "a.mbox.lock").write_text("4711")
        end = kept_in_mbox(path, pile := Pile([copy(1)]))
        assert (end.kind, pile.results) == ("down", [])
        assert end.sentence == (
            f"Mail cannot be kept in {path}: another program keeps it locked. "
            f"If none is running, delete {path}.lock."
        )
        assert (tmp_path / "a.mbox.lock").read_text() == "4711"

    def test_an_fcntl_lock_of_another_program_is_respected(self, tmp_path: Path):
        path = tmp_path / "a.mbox"
        path.touch()
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import fcntl, sys\nf = open(sys.argv[1], 'r+b')\nfcntl.lockf(f, fcntl.LOCK_EX)\n"
                "print('locked', flush=True)\nsys.stdin.read()",
                str(path),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with holder:
            assert holder.stdout
            assert holder.stdout.readline() == b"locked\n"
            assert kept_in_mbox(path, Pile([copy(1)])).kind == "down"
            assert holder.stdin
            holder.stdin.close()
        assert kept_in_mbox(path, Pile([copy(1)])).kind == "finished"

    def test_no_lock_is_left(self, tmp_path: Path):
        path = tmp_path / "a.mbox"
        kept_in_mbox(path, Pile([copy(1)]))
        assert not (tmp_path / "a.mbox.lock").exists()
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


DIES = """
import asyncio, resource, signal, sys
from pathlib import Path
from tests.mailing.pile import Pile, copy
from dispatch.mailing.files import FileConnection
from dispatch.mailing.mbox import Mbox

path, size = Path(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # what kills a process that writes beyond its limit
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

async def run():
    await FileConnection(Mbox(path, lambda: 0), path, Pile([copy(11), copy(12)])).run()

asyncio.run(run())
"""


class TestMboxAfterACrash:
    """``kill -9`` in the middle of appending two messages to a box that holds one."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        kept_in_mbox(tmp_path / "a.mbox", Pile([copy(1)]))
        return tmp_path / "a.mbox"

    def die(self, path: Path, after: int) -> None:
        """The system kills it when it writes another byte after so many of the two messages."""
        root = Path(__file__).parent.parent.parent
        died = subprocess.run(
            [sys.executable, "-c", DIES, str(path), str(path.stat().st_size + after)],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            check=False,
        )
        assert died.returncode == -signal.SIGXFSZ, died.stderr
        assert path.with_name("a.mbox.lock").exists()

    @pytest.mark.parametrize(("after", "whole"), [(0, 1), (3, 1), (60, 1), (400, 2), (600, 2)])
    def test_no_message_is_there_in_part(self, path: Path, after: int, whole: int):
        self.die(path, after)
        kept_in_mbox(path, Pile([copy(21)]))
        keys = [*[1, 11, 12][:whole], 21]
        assert messages(path) == [copy(key).data for key in keys]
        assert not path.with_name("a.mbox.lock").exists()

    def test_what_another_program_appended_behind_it_stays(self, path: Path):
        self.die(path, 60)
        other = b"\nFrom b@example.org Wed Nov 25 12:30:00 2026\nSubject: y\n\nhi\n\n"
        with path.open("ab") as file:
            file.write(other)
        kept_in_mbox(path, Pile([copy(21)]))
        assert other in path.read_bytes()
        assert path.read_bytes().count(b"\nFrom ") == 3
