"""``dispatch catch``, as a process that mail programs talk to."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.needs import needed


@pytest.fixture(autouse=True)
def _aiosmtpd() -> None:
    from importlib.util import find_spec

    needed(find_spec("aiosmtpd"), "aiosmtpd")


class Catcher:
    """A running ``dispatch catch`` on a port that it picked itself."""

    def __init__(self, folder: Path, *options: str, stdout: int = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dispatch", "catch", "--port", "0", *options],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")},
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self.process.stderr
        found = re.fullmatch(r"Catching on 127\.0\.0\.1:(\d+)\n", self.process.stderr.readline())
        assert found
        self.port = int(found[1])

    def end(self, with_signal: signal.Signals = signal.SIGINT) -> str:
        """What it printed; it must end well and say nothing more on standard error."""
        self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=30)
        assert (self.process.returncode, err) == (0, "")
        return out


@contextmanager
def catching(folder: Path, *options: str, stdout: int = subprocess.PIPE) -> Iterator[Catcher]:
    catcher = Catcher(folder, *options, stdout=stdout)
    try:
        yield catcher
    finally:
        catcher.process.kill()
        catcher.process.communicate()


def letter(number: int, to: str, subject: str = "The morning letter") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "World desk <world@example.org>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{number}@news.example.org>"
    message.set_content("Good morning.\n.\n..\n")
    return message


def test_it_tells_what_came_in(tmp_path: Path):
    with catching(tmp_path) as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.send_message(letter(1, "ada@example.org"))
            client.send_message(letter(2, "søren@example.net", "Fähre \N{BELL}"))
        out = catcher.end()
    assert out.splitlines() == [
        "      1  ada@example.org  The morning letter",
        "      2  søren@example.net  Fähre \N{BELL}",
        "2 messages to 2 addresses (0.0 MB): nobody got a message twice.",
        "  From              2  World desk <world@example.org>",
        "  Subjects          1  The morning letter",
        "                    1  Fähre \N{BELL}",
    ]


def test_it_prints_what_a_person_would_read_and_follow(tmp_path: Path):
    link = f"https://news.example.org/world/confirm/{'a' * 100}"
    good, broken = letter(1, "ada@example.org"), letter(2, "bo@example.org")
    good.set_content(f"Please confirm \N{BELL}\n\n{link}\n", cte="quoted-printable")
    good.add_alternative("<p>Please confirm</p>", subtype="html")
    del broken["Content-Type"]
    broken["Content-Type"] = "text/plain; charset=nonsense"
    with catching(tmp_path, "--text") as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.send_message(good)
            client.send_message(broken)
        out = catcher.end()
    assert out.splitlines()[:6] == [
        "      1  ada@example.org  The morning letter",
        "",
        "         Please confirm \N{BELL}",
        "",
        f"         {link}",
        "",
    ]
    assert "      2  bo@example.org  The morning letter" in out


def test_on_a_terminal_many_messages_are_a_counter(tmp_path: Path):
    controller, terminal = pty.openpty()
    with catching(tmp_path, stdout=terminal) as catcher:
        os.close(terminal)
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            for number in range(500):
                client.send_message(letter(number, f"reader{number}@example.org"))
        catcher.end()
    out = b""
    with suppress(OSError):  # Linux says EIO when the other end is closed
        while part := os.read(controller, 65536):
            out += part
    os.close(controller)
    lines = out.decode().replace("\r\n", "\n").split("\n")
    assert "\r    100 messages" in out.decode()
    assert sum("The morning letter" in line for line in lines) < 200
    assert "500 messages to 500 addresses (0.1 MB): nobody got a message twice." in lines


def test_it_ends_though_a_client_is_in_the_middle_of_a_message(tmp_path: Path):
    with (
        catching(tmp_path, "--json") as catcher,
        socket.create_connection(("127.0.0.1", catcher.port), timeout=30) as client,
        client.makefile("rb") as replies,
    ):
        client.sendall(b"EHLO client\r\n" + ENVELOPE + b"Subject: x\r\n")
        while not replies.readline().startswith(b"354"):
            pass
        assert json.loads(catcher.end())["messages"] == 0
        assert replies.read() == b""


def test_a_machine_is_told_in_json(tmp_path: Path):
    with catching(tmp_path, "--json") as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.send_message(
                letter(1, "ada@example.org"), to_addrs=["ada@example.org", "b@example.org"]
            )
            client.send_message(letter(2, "ADA@example.org"))
        report = json.loads(catcher.end(signal.SIGTERM))
    assert report.pop("bytes") > 200
    assert report == {
        "messages": 2,
        "recipients": 2,
        "duplicates": 0,
        "refused": 0,
        "deferred": 0,
        "broken": 0,
        "senders": {"World desk <world@example.org>": 2},
        "subjects": {"The morning letter": 2},
    }


def test_a_message_that_somebody_gets_twice_is_noticed(tmp_path: Path):
    with catching(tmp_path) as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.send_message(letter(1, "ada@example.org"))
            client.send_message(letter(1, "bela@example.org"))
            client.send_message(letter(1, "ada@example.org", "Under another subject"))
        out = catcher.end()
    assert "3 messages to 2 addresses (0.0 MB): 1 came twice.\n" in out


def test_messages_are_kept_byte_for_byte(tmp_path: Path):
    data = b"Subject: x\r\n\r\n..two\r\n.\r\n\r\nend\r\n"
    for _ in range(2):  # the second server goes on behind what the first one left
        with catching(tmp_path, "--into", "caught") as catcher:
            with smtplib.SMTP("127.0.0.1", catcher.port) as client:
                client.sendmail("bounces+1@example.org", ["../ada@example.org"], data)
            out = catcher.end()
    assert out.endswith("The messages are in caught.\n")
    files = sorted((tmp_path / "caught").iterdir())
    assert [f.name for f in files] == [f"{n:06}-.._ada@example.org.eml" for n in (1, 2)]
    envelope = b"Return-Path: <bounces+1@example.org>\r\nX-Original-To: ../ada@example.org\r\n"
    assert files[0].read_bytes() == envelope + data


def conversation(port: int, *lines: bytes) -> list[bytes]:
    """Write everything at once, as a client that pipelines; the replies, to the connection's end."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"".join(lines))
        with connection.makefile("rb") as file:
            return [line.rstrip() for line in file]


ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"


def test_it_offers_what_the_sender_can_use(tmp_path: Path):
    with catching(tmp_path) as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.ehlo()
            offered = set(client.esmtp_features)
        catcher.end()
    assert {"pipelining", "8bitmime", "smtputf8", "size", "enhancedstatuscodes"} <= offered


def test_commands_may_be_pipelined(tmp_path: Path):
    with catching(tmp_path, "--json") as catcher:
        message = b"Subject: x\r\n\r\nhello\r\n.\r\n"
        replies = conversation(
            catcher.port, b"EHLO client\r\n", (ENVELOPE + message) * 20, b"QUIT\r\n"
        )
        assert json.loads(catcher.end())["messages"] == 20
    assert sum(reply.startswith(b"354") for reply in replies) == 20
    assert replies[-1].startswith(b"221")


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r"], ids=repr)
def test_no_message_is_smuggled_in(tmp_path: Path, end: bytes):
    smuggled = b"Subject: x\r\n\r\nhello" + end + ENVELOPE + b"Subject: y\r\n\r\nhello"
    with catching(tmp_path, "--json") as catcher:
        replies = conversation(
            catcher.port, b"EHLO client\r\n", ENVELOPE, smuggled, b"\r\n.\r\nQUIT\r\n"
        )
        report = json.loads(catcher.end())
    assert b"550 5.6.0 A line of the message does not end in CRLF" in replies
    assert (report["messages"], report["broken"]) == (0, 1)


def test_a_message_that_is_too_large_is_refused_before_it_is_sent(tmp_path: Path):
    with catching(tmp_path) as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.ehlo()
            assert client.mail("a@example.org", ["SIZE=999999999"])[0] == 552
        catcher.end()


def test_faults_meet_the_same_addresses_every_time(tmp_path: Path):
    def refused(port: int) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port) as client:
            addresses = [f"reader{n}@example.org" for n in range(200)]
            return client.sendmail("a@example.org", addresses, b"Subject: x\r\n\r\n")

    with catching(tmp_path, "--json", "--refuse", "10", "--defer", "20") as catcher:
        first, again = refused(catcher.port), refused(catcher.port)
        report = json.loads(catcher.end())
    gone = {address for address, (code, _) in first.items() if code == 550}
    later = {address for address, (code, _) in first.items() if code == 451}
    assert set(again) == gone, "who was put off is taken when tried again"
    assert 10 <= len(gone) <= 30
    assert 20 <= len(later) <= 60
    assert (report["refused"], report["deferred"]) == (2 * len(gone), len(later))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dispatch", "catch", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Mail cannot be caught on 127.0.0.1:{port}: something else listens there. "
        "Choose another --port, or 0 for a free one.\n"
    )


def test_a_host_that_is_not_here(tmp_path: Path):
    done = run(tmp_path, "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "Mail cannot be caught on 192.0.2.1:2525: " in done.stderr
    assert done.stderr.endswith("Check --host and --port.\n")


def test_a_folder_that_cannot_be_used(tmp_path: Path):
    (tmp_path / "file").touch()
    done = run(tmp_path, "--into", "file/caught")
    assert done.returncode == 1
    assert done.stderr == "Error: file/caught cannot be used for messages: Not a directory.\n"


def test_without_aiosmtpd_it_says_how_to_get_it(tmp_path: Path):
    (tmp_path / "aiosmtpd").mkdir()
    (tmp_path / "aiosmtpd" / "__init__.py").write_text("raise ImportError")
    done = run(tmp_path)  # python -m looks in the current folder first
    assert done.returncode == 1
    assert "pip install 'dispatch-newsroom[catch]'" in done.stderr
