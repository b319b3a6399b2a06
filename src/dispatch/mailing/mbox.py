"""An mbox that mail is appended to, beside other programs, with no message left there in part.

It is written under the locks that mail programs agree on: an fcntl lock and the
file ``<mbox>.lock``. The latter says what is being appended; so whoever comes
after a crash can cut off a message that is there in part. A power cut may lose
the lock's file as well: then the part stays, as a message of its own.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dispatch.mailing.files import Kept, envelope, sync_folder
from dispatch.mailing.transport import Copy

_LOCK_SECONDS = 30.0
"""How long another program may keep the mbox."""

_LOCK_PAUSE = 0.05


class Mbox:
    """An mbox file, quoted as *mboxrd*: every ``From`` that begins a line can be told from ours.

    Args:
        path: the file, made if need be.
        now: milliseconds since 1970, UTC; for the line that begins a message.
    """

    def __init__(self, path: Path, now: Callable[[], int]) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._now = now

    def open(self) -> None:
        """Make the file, and mend it where a crash left a message in part."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(b"", lambda: False):
            sync_folder(self._path.parent)

    def keep(self, copies: Sequence[Copy], stop: Callable[[], bool]) -> Kept:
        """Append the copies at one go; all are there, or none is."""
        kept = Kept()
        messages = [self._message(copy) for copy in copies]
        try:
            with self._locked(_record(messages), stop) as file:
                self._append(file, messages, kept)
        except OSError as error:
            kept.error = error
        return kept

    def _append(self, file: int, messages: list[bytes], kept: Kept) -> None:
        end = os.fstat(file).st_size
        try:
            _write_all(file, b"".join(messages))
            os.fsync(file)
            kept.replies = [f"Kept in {self._path.name}"] * len(messages)
        except OSError as error:
            kept.error = error
            try:
                os.ftruncate(file, end)
            except OSError:
                kept.unknown = len(messages)

    def _message(self, copy: Copy) -> bytes:
        """The message with its ``From`` line, with LF for CRLF, and an empty line behind it."""
        sender = re.sub(rb"[^\x21-\x7e]", b"-", copy.sender.encode()) or b"MAILER-DAEMON"
        date = datetime.fromtimestamp(self._now() / 1000, UTC).ctime()
        body = envelope(copy, b"\n") + copy.data.replace(b"\r\n", b"\n")
        quoted = re.sub(rb"(?m)^(>*From )", rb">\1", body)
        return b"From " + sender + b" " + date.encode() + b"\n" + quoted + b"\n"

    @contextmanager
    def _locked(self, record: bytes, stop: Callable[[], bool]) -> Iterator[int]:
        """The open file, locked and mended, with its end where a message may begin.

        Raises:
            OSError: it cannot be opened or written; EWOULDBLOCK: another program keeps it.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._take_locks(file, stop)
            try:
                if not os.path.samestat(os.fstat(file), self._path.stat()):
                    raise OSError(errno.ESTALE, "another program has just replaced it")
                _close_last_message(file)
                start = os.fstat(file).st_size
                _overwrite(self._lock, b"dispatch %d\n" % start + record)
                yield file
            finally:
                self._lock.unlink(missing_ok=True)
        finally:
            os.close(file)

    def _take_locks(self, file: int, stop: Callable[[], bool]) -> None:
        """Both locks, or neither: holding one while waiting for the other is how locks jam."""
        for _ in range(int(_LOCK_SECONDS / _LOCK_PAUSE)):
            if _try_lock(file):
                if self._try_lock_file(file):
                    return
                _unlock(file)
            if stop():
                break
            time.sleep(_LOCK_PAUSE)
        raise BlockingIOError(errno.EWOULDBLOCK, "it is locked by another program")

    def _try_lock_file(self, file: int) -> bool:
        """Make ``<mbox>.lock``; one that Dispatch left at a crash is settled first.

        Whoever of ours made one holds the other lock as long as it exists. We have that now:
        so its maker is gone.
        """
        try:
            lock = os.open(self._lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            left = self._lock.read_bytes() if self._lock.exists() else b""
            if not left.startswith(b"dispatch "):
                return False
            _cut_off_part(file, left)
            return True
        try:
            os.write(lock, b"dispatch 0\n")
        finally:
            os.close(lock)
        return True


def _record(messages: list[bytes]) -> bytes:
    """What is about to be appended, for whoever finds it in part: length and first line of each."""
    return b"".join(b"%d %s\n" % (len(m), m.partition(b"\n")[0]) for m in messages)


def _cut_off_part(file: int, left: bytes) -> None:
    """Shorten the mbox to its last whole message, where a crash left one of ours in part.

    Nothing is cut unless all behind its beginning is ours: a program that does not know
    our lock may have gone on behind it.
    """
    start, pieces = _pieces(left)
    size = os.fstat(file).st_size
    for length, line in pieces:
        if start < size < start + length:
            rest = os.pread(file, size - start, start)
            if (rest[: len(line)] == line[: len(rest)]) and b"\nFrom " not in rest:
                os.ftruncate(file, start)
                os.fsync(file)
            return
        start += length


def _pieces(left: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    """Where the appending began, and the messages; as far as the lock's file was written."""
    first, *lines = left.split(b"\n")[:-1] or [b""]
    found = re.fullmatch(rb"dispatch (\d{1,18})", first)
    pieces = [(int(n[1]), n[2]) for line in lines if (n := re.fullmatch(rb"(\d{1,12}) (.*)", line))]
    return (int(found[1]), pieces) if found else (0, [])


def _close_last_message(file: int) -> None:
    """End what another program, or a power cut, left without an empty line behind it."""
    size = os.fstat(file).st_size
    tail = os.pread(file, 2, max(0, size - 2))
    if tail and not tail.endswith(b"\n\n"):
        _write_all(file, b"\n" if tail.endswith(b"\n") else b"\n\n")


def _try_lock(file: int) -> bool:
    try:
        if hasattr(fcntl, "F_OFD_SETLK"):
            # As lockf() to other programs, but held by this open file and not by the whole
            # process: another connection of ours is kept out as well.
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _unlock(file: int) -> None:
    if hasattr(fcntl, "F_OFD_SETLK"):
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_UNLCK))
    else:
        fcntl.flock(file, fcntl.LOCK_UN)


def _whole_file(kind: int) -> bytes:
    """``struct flock``: type, whence, start, length (0: to the end), process."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _overwrite(path: Path, data: bytes) -> None:
    """At no moment is the file empty."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        _write_all(descriptor, data)
        os.ftruncate(descriptor, len(data))
    finally:
        os.close(descriptor)
