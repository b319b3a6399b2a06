"""Where messages that come back lie, and how it is remembered which were read.

    Maildir        what was read is moved to cur/ and marked S, as a mail program does it
    IMAP folder    what was read is marked \\Seen (imap.py)
    standard input one message, from a mail server's pipe
    mbox, a .eml file, a folder of them: left as they are

Nothing is ever deleted. What is not understood stays unread and is flagged (F,
``\\Flagged``), so that a person finds it, and is not read again unless asked.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Protocol

from dispatch.errors import DeliveryError

LARGEST = 10 * 1024 * 1024
"""Bytes of a message that are read; the rest of a larger one is passed over."""

_INFO = ":2,"
"""Stands before the flags in a Maildir file's name."""

_LOCK_WAIT = 30.0
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it lies there. ``name`` says where, to a person and to its mailbox."""

    name: str
    data: bytes


class Mailbox(Protocol):
    """Messages, one after the other, and a mark on each that was dealt with."""

    @property
    def keeps_marks(self) -> bool:
        """Whether :meth:`settle` leaves a mark; else the reader has to know what it has seen."""

    def letters(self) -> Iterator[Letter]:
        """Those that are neither read nor flagged.

        Raises:
            DeliveryError: the mailbox cannot be read.
        """

    def settle(self, letter: Letter, understood: bool) -> None:
        """Mark a letter as read, or flag it for a person.

        Raises:
            DeliveryError: it cannot be marked.
        """


@contextmanager
def open_mailbox(
    source: str, stdin: BinaryIO, again: bool = False, timeout: float = 60.0
) -> Iterator[Mailbox]:
    """What ``source`` names: ``-``, an IMAP address, a Maildir, a folder, an mbox or a message.

    Args:
        again: also the letters that were flagged.
        timeout: seconds to wait for an IMAP server at any one time.

    Raises:
        DeliveryError: there is no such thing, or it cannot be opened. Never holds a password.
    """
    if source == "-":
        yield Pipe(stdin)
    elif "://" in source:
        from dispatch.mailing.bounces.imap import open_folder

        with open_folder(source, again, timeout) as folder:
            yield folder
    else:
        yield _on_disk(Path(source).expanduser(), again)


def _on_disk(path: Path, again: bool) -> Mailbox:
    if (path / "new").is_dir() and (path / "cur").is_dir():
        return Maildir(path, again)
    if path.is_dir():
        return Files(sorted(path.glob("*.eml")))
    with _explained(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise DeliveryError(f"{path} is neither a file nor a folder with messages in it.")
        with path.open("rb") as file:
            start = file.read(5)
    return Mbox(path) if start in (b"From ", b"") else Files([path])


@dataclass(frozen=True, slots=True)
class Pipe:
    """One message on standard input. It is read to its end, or else the mail server complains."""

    stream: BinaryIO
    keeps_marks: bool = True  # the mail server does not bring it again

    def letters(self) -> Iterator[Letter]:
        data = _read(self.stream)
        while self.stream.read(_CHUNK):
            pass
        if data.strip():
            yield Letter("standard input", data)

    def settle(self, letter: Letter, understood: bool) -> None:
        """Nothing: it is gone."""


@dataclass(frozen=True, slots=True)
class Files:
    """Messages in files of their own, left as they are."""

    paths: list[Path]
    keeps_marks: bool = False

    def letters(self) -> Iterator[Letter]:
        for path in self.paths:
            with _explained(path):
                data = _read_file(path)
            if data is not None:
                yield Letter(str(path), data)

    def settle(self, letter: Letter, understood: bool) -> None:
        """Nothing: the files stay as they are."""


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir: https://cr.yp.to/proto/maildir.html, with other readers at it or not."""

    path: Path
    again: bool = False
    keeps_marks: bool = True

    def letters(self) -> Iterator[Letter]:
        for folder in ("new", "cur"):
            with _explained(self.path / folder):
                paths = sorted((self.path / folder).iterdir())
            for path in paths:
                name, _, flags = path.name.partition(_INFO)
                if name.startswith(".") or "S" in flags or ("F" in flags and not self.again):
                    continue
                with _explained(path):
                    data = _read_file(path)
                if data is not None:
                    yield Letter(str(path), data)

    def settle(self, letter: Letter, understood: bool) -> None:
        """Move it to cur/ with its mark; a crash before that only has it read once more."""
        path = Path(letter.name)
        name, _, flags = path.name.partition(_INFO)
        marked = "".join(sorted(set(flags) - {"F"} | {"S"} if understood else set(flags) | {"F"}))
        target = self.path / "cur" / f"{name}{_INFO}{marked}"
        number = 0
        while target.exists() and target != path:  # nothing is overwritten
            number += 1
            target = self.path / "cur" / f"{name}_{number}{_INFO}{marked}"
        with _explained(path):
            try:
                path.rename(target)
            except FileNotFoundError:
                return  # another reader was there first


@dataclass(frozen=True, slots=True)
class Mbox:
    """An mbox file, left as it is: copied under its lock, and read from the copy at leisure."""

    path: Path
    keeps_marks: bool = False

    def letters(self) -> Iterator[Letter]:
        with TemporaryFile() as copy:
            with _explained(self.path), self.path.open("rb") as file, _locked(file, self.path):
                while chunk := file.read(_CHUNK):
                    copy.write(chunk)
            copy.seek(0)
            for number, data in enumerate(_messages(copy), 1):
                yield Letter(f"{self.path}, message {number}", data)

    def settle(self, letter: Letter, understood: bool) -> None:
        """Nothing: the file stays as it is."""


def _messages(file: IO[bytes]) -> Iterator[bytes]:
    """Messages without the ``From`` line that parts them (RFC 4155), each up to LARGEST."""
    lines, size, empty, started = list[bytes](), 0, True, False
    while line := file.readline(_CHUNK):
        if empty and line.startswith(b"From "):
            if started:
                yield b"".join(lines).rstrip(b"\r\n")
            lines, size, started = [], 0, True
        elif size + len(line) <= LARGEST:
            lines.append(line)
            size += len(line)
        empty = line in (b"\n", b"\r\n")
    if started:
        yield b"".join(lines).rstrip(b"\r\n")


@contextmanager
def _locked(file: BinaryIO, path: Path) -> Iterator[None]:
    """The lock that mail servers take (fcntl), shared: waits for who is writing."""
    import fcntl

    until = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            break
        except (BlockingIOError, PermissionError):
            if time.monotonic() > until:
                raise DeliveryError(
                    f"{path} is locked by another program for over {_LOCK_WAIT:.0f} seconds. "
                    "Nothing was read: run it again when that is done."
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)


def _read(stream: BinaryIO) -> bytes:
    """Up to LARGEST bytes, however few a pipe gives at a time."""
    pieces, left = list[bytes](), LARGEST
    while left and (piece := stream.read(min(left, _CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _read_file(path: Path) -> bytes | None:
    """The message in a file; None where it is none, or is gone by now."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            with os.fdopen(handle, "rb", closefd=False) as file:
                return _read(file)
        return None
    finally:
        os.close(handle)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DeliveryError(
            f"There is no {path}. Name a Maildir, an mbox file, a message, or an IMAP folder such "
            "as imaps://user:password@mail.example.org/INBOX."
        ) from None
    except OSError as error:
        raise DeliveryError(f"{path} cannot be read or marked: {error.strerror}.") from error
