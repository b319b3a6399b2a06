"""Mailboxes of every kind: what is read, and how it is marked so that it is read once."""

from __future__ import annotations

import io
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.mailing.imap_server import PASSWORD, USER, ImapServer, certificate

from dispatch.errors import DeliveryError
from dispatch.mailing.bounces import mailboxes
from dispatch.mailing.bounces.imap import parse_address
from dispatch.mailing.bounces.mailboxes import LARGEST, open_mailbox


def names(source: object, again: bool = False) -> list[str]:
    with open_mailbox(str(source), io.BytesIO(), again) as mailbox:
        return [Path(letter.name).name for letter in mailbox.letters()]


def settle_all(source: object, understood: bool, again: bool = False, timeout: float = 5) -> int:
    count = 0
    with open_mailbox(str(source), io.BytesIO(), again, timeout) as mailbox:
        for letter in mailbox.letters():
            mailbox.settle(letter, understood)
            count += 1
    return count


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


# Maildir -----------------------------------------------------------------------------------------


def test_a_maildir_gives_what_is_new_and_what_nobody_read(maildir: Path) -> None:
    for name in ("new/1.a.host", "new/2.b.host", "cur/3.c.host:2,", "cur/4.d.host:2,R"):
        (maildir / name).write_bytes(name.encode())
    for name in ("cur/5.e.host:2,S", "cur/6.f.host:2,RS", "cur/7.g.host:2,F", "tmp/8.h", "new/.x"):
        (maildir / name).write_bytes(b"not this one")
    (maildir / "new" / "folder").mkdir()
    os.mkfifo(maildir / "new" / "fifo")
    assert names(maildir) == ["1.a.host", "2.b.host", "3.c.host:2,", "4.d.host:2,R"]
    assert "7.g.host:2,F" in names(maildir, again=True)


def test_what_was_read_is_moved_to_cur_with_its_mark(maildir: Path) -> None:
    (maildir / "new/1.a.host").write_bytes(b"one")
    (maildir / "cur/2.b.host:2,RF").write_bytes(b"two")
    assert settle_all(maildir, understood=True, again=True) == 2
    left = {path.relative_to(maildir).as_posix() for path in maildir.rglob("*") if path.is_file()}
    assert left == {"cur/1.a.host:2,S", "cur/2.b.host:2,RS"}
    assert names(maildir, again=True) == []


def test_what_is_not_understood_stays_unread_and_is_flagged(maildir: Path) -> None:
    (maildir / "new/1.a.host").write_bytes(b"one")
    settle_all(maildir, understood=False)
    assert (maildir / "cur/1.a.host:2,F").read_bytes() == b"one"
    assert names(maildir) == []
    assert names(maildir, again=True) == ["1.a.host:2,F"]


def test_nothing_is_overwritten(maildir: Path) -> None:
    (maildir / "new/1.a.host").write_bytes(b"new")
    (maildir / "cur/1.a.host:2,S").write_bytes(b"old")
    settle_all(maildir, understood=True)
    assert (maildir / "cur/1.a.host:2,S").read_bytes() == b"old"
    assert (maildir / "cur/1.a.host_1:2,S").read_bytes() == b"new"


def test_another_reader_may_take_a_message_away(maildir: Path) -> None:
    for name in ("1", "2", "3"):
        (maildir / "new" / name).write_bytes(b"x")
    with open_mailbox(str(maildir), io.BytesIO()) as mailbox:
        letters = mailbox.letters()
        first = next(letters)
        (maildir / "new/1").rename(maildir / "cur/1:2,S")
        (maildir / "new/2").unlink()
        mailbox.settle(first, understood=True)
        assert [Path(letter.name).name for letter in letters] == ["3"]


def test_no_more_of_a_message_is_read_than_there_is_room_for(maildir: Path) -> None:
    with (maildir / "new/1").open("wb") as file:
        file.truncate(LARGEST + 1000)
    with open_mailbox(str(maildir), io.BytesIO()) as mailbox:
        assert [len(letter.data) for letter in mailbox.letters()] == [LARGEST]


# mbox, files, standard input -----------------------------------------------------------------------

MBOX = b"""From MAILER-DAEMON Tue Nov 24 07:00:05 2026
Subject: one

It begins.
From here on it is text, since the line before it is not
>From the start
empty.

From MAILER-DAEMON Tue Nov 24 07:00:06 2026
Subject: two

"""


def test_an_mbox_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    path.write_bytes(MBOX)
    before = path.stat()
    with open_mailbox(str(path), io.BytesIO()) as mailbox:
        assert not mailbox.keeps_marks
        found = [letter.data for letter in mailbox.letters()]
    assert settle_all(path, understood=True) == 2
    assert [data.splitlines()[0] for data in found] == [b"Subject: one", b"Subject: two"]
    assert path.read_bytes() == MBOX
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_message_of_an_mbox_is_the_same_when_another_comes_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    found = []
    for data in (MBOX.rstrip(), MBOX, MBOX + b"From x\nSubject: three\n"):
        path.write_bytes(data)
        with open_mailbox(str(path), io.BytesIO()) as mailbox:
            found.append([letter.data for letter in mailbox.letters()][:2])
    assert found[0] == found[1] == found[2]


def test_an_mbox_that_is_being_written_to_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bounces"
    path.write_bytes(MBOX)
    holds = (
        "import fcntl, sys\n"
        "with open(sys.argv[1], 'r+b') as file:\n"
        "    fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "    print(flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(  # a lock of one's own process would not be in the way
        [sys.executable, "-c", holds, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout and other.stdin
        other.stdout.readline()
        monkeypatch.setattr(mailboxes, "_LOCK_WAIT", 0.1)
        with pytest.raises(DeliveryError, match="is locked by another program"):
            names(path)
        other.stdin.write(b"\n")
        other.stdin.flush()
        other.wait()
    assert len(names(path)) == 2


def test_an_mbox_of_one_endless_line_is_read_in_bounds(tmp_path: Path) -> None:
    path = tmp_path / "bounces"
    with path.open("wb") as file:
        file.write(b"From x\n")
        file.truncate(3 * LARGEST)
    with open_mailbox(str(path), io.BytesIO()) as mailbox:
        assert [len(letter.data) <= LARGEST for letter in mailbox.letters()] == [True]


def test_a_message_or_a_folder_of_them_is_read_and_left(tmp_path: Path) -> None:
    for name in ("b.eml", "a.eml", "notes.txt"):
        (tmp_path / name).write_bytes(b"Subject: x\n\n")
    assert names(tmp_path) == ["a.eml", "b.eml"]
    assert names(tmp_path / "b.eml") == ["b.eml"]
    assert settle_all(tmp_path, understood=True) == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_standard_input_is_one_message_and_read_to_its_end() -> None:
    stream = io.BytesIO(b"x" * (LARGEST + 5_000_000))
    with open_mailbox("-", stream) as mailbox:
        assert [len(letter.data) for letter in mailbox.letters()] == [LARGEST]
    assert stream.read() == b""
    with open_mailbox("-", io.BytesIO(b"\n\n")) as mailbox:
        assert list(mailbox.letters()) == []


def test_what_is_no_mailbox_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"There is no .*nothing\. Name a Maildir"):
        names(tmp_path / "nothing")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(DeliveryError, match="neither a file nor a folder"):
        names(tmp_path / "fifo")
    (tmp_path / "empty").touch()
    assert names(tmp_path / "empty") == []


# IMAP --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    context, trusted = certificate(tmp_path_factory.mktemp("tls"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(trusted))
        yield context


def url(server: ImapServer, scheme: str, folder: str = "", host: str = "localhost") -> str:
    return f"{scheme}://{quote(USER, '')}:{quote(PASSWORD, '')}@{host}:{server.port}/{folder}"


def test_an_imap_folder_is_read_once_over_tls(tls: ssl.SSLContext) -> None:
    server = ImapServer({7: b"Subject: a\r\n\r\n", 9: b"Subject: b\r\n\r\n"}, tls=tls, at_once=True)
    with server.serving():
        assert settle_all(url(server, "imaps"), understood=True) == 2
        assert settle_all(url(server, "imaps"), understood=True) == 0
    assert server.flags == {7: {"\\Seen"}, 9: {"\\Seen"}}
    assert server.said.count(b"LOGOUT") == 2


def test_starttls_comes_before_the_password(tls: ssl.SSLContext) -> None:
    server = ImapServer({1: b"x"}, tls=tls)
    with server.serving():
        assert settle_all(url(server, "imap+starttls"), understood=True) == 1
    assert server.said.index(b"STARTTLS") < server.said.index(b"AUTHENTICATE PLAIN")


def test_what_is_flagged_is_read_again_when_asked_and_then_not_flagged(
    tls: ssl.SSLContext,
) -> None:
    server = ImapServer({1: b"x"}, tls=tls, at_once=True)
    with server.serving():
        settle_all(url(server, "imaps"), understood=False)
        assert server.flags == {1: {"\\Flagged"}}
        assert settle_all(url(server, "imaps"), understood=True) == 0
        assert settle_all(url(server, "imaps"), understood=True, again=True) == 1
    assert server.flags == {1: {"\\Seen"}}


def test_a_folder_may_have_any_name(tls: ssl.SSLContext) -> None:
    for name, wire in (
        ("Rückläufer", b'"R&APw-ckl&AOQ-ufer"'),
        ("a & b", b'"a &- b"'),
        ('say "no"\\', b'"say \\"no\\"\\\\"'),
        ("台北", b'"&U,BTFw-"'),
    ):
        server = ImapServer({1: b"x"}, folder=wire, tls=tls, at_once=True)
        with server.serving():
            assert settle_all(url(server, "imaps", quote(name)), understood=True) == 1


def test_an_old_server_is_logged_in_to_with_what_it_knows(tls: ssl.SSLContext) -> None:
    server = ImapServer({1: b"x"}, plain=False)
    with server.serving():
        source = f"imap://me:secret@127.0.0.1:{server.port}"
        assert settle_all(source, understood=True) == 1
        assert b'LOGIN me "secret"' in server.said
        with pytest.raises(DeliveryError, match="check the user and the password"):
            settle_all(url(server, "imap"), understood=True)  # LOGIN is ASCII only


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("silent", "does not answer"),
        ("garbage", "cannot be read"),
        ("no-login", "check the user and the password"),
        ("no-folder", r"no the folder INBOX: there is no \[31msuch folder"),
        ("cut-off", "cannot be read"),
        ("no-starttls", "cannot be read"),
        ("no-store", "read only"),
    ],
)
def test_a_fault_is_a_sentence_without_the_password(
    fault: str, said: str, tls: ssl.SSLContext
) -> None:
    server = ImapServer({1: b"Subject: a message of some length\r\n\r\n"}, tls=tls, fault=fault)
    with server.serving(), pytest.raises(DeliveryError, match=said) as caught:
        settle_all(url(server, "imap+starttls"), understood=True, timeout=0.5)
    for secret in (PASSWORD, quote(PASSWORD, ""), "w/"):
        assert secret not in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.__cause__ is None
    if fault == "no-starttls":
        assert not any(line.startswith((b"LOGIN", b"AUTH")) for line in server.said)


def test_what_is_said_in_clear_behind_starttls_counts_for_nothing(tls: ssl.SSLContext) -> None:
    server = ImapServer({1: b"x"}, tls=tls, fault="injects")
    with server.serving():
        assert settle_all(url(server, "imap+starttls"), understood=True) == 1
    assert b"AUTHENTICATE PLAIN" in server.said  # the injected line knew nothing of it


def test_a_message_that_vanished_is_passed_over(tls: ssl.SSLContext) -> None:
    server = ImapServer({1: b"x"}, tls=tls, at_once=True, fault="vanished")
    with server.serving():
        assert settle_all(url(server, "imaps"), understood=True) == 0


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_a_certificate_that_is_not_trusted_gets_no_password(
    scheme: str, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    server = ImapServer({1: b"x"}, tls=tls, at_once=scheme == "imaps")
    with server.serving(), pytest.raises(DeliveryError, match="certificate is not good"):
        settle_all(url(server, scheme), understood=True)
    assert not any(line.startswith((b"LOGIN", b"AUTH")) for line in server.said)


def test_a_server_that_is_away_is_told() -> None:
    with pytest.raises(DeliveryError, match=r"cannot be read: .*refused"):
        settle_all("imap://u:p@127.0.0.1:1/", understood=True)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://u:secret@host/", "https:// is not a way to read bounces"),
        ("imaps://host/INBOX", "needs a host, a user and a password"),
        ("imaps://u:secret@/INBOX", "needs a host, a user and a password"),
        ("imaps://u:secret@host:port/INBOX", "makes no sense"),
        ("imaps://u:secret@[::1/INBOX", "makes no sense"),
        ("imaps://u:secret/half@host/INBOX", "makes no sense"),
        ("imaps://u:secret%0d%0a1 DELETE@host/INBOX", "control character"),
        ("imap://u:secret@host/INBOX", "would send the password to host"),
    ],
)
def test_an_address_that_makes_no_sense_is_told_without_the_password(
    source: str, said: str
) -> None:
    with pytest.raises(DeliveryError, match=said) as caught:
        names(source)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or "secret" not in str(caught.value.__context__)


def test_the_password_is_not_in_what_is_printed() -> None:
    address = parse_address("imaps://me%40example.org:s%3Acret@mail.example.org/Bounces/2026")
    assert (address.user, address.password) == ("me@example.org", "s:cret")
    assert (address.port, address.folder) == (993, "Bounces/2026")
    assert "s:cret" not in f"{address} {address!r}"
