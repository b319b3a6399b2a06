"""The journal of a lease: what left, and what came back, until the database knows it.

A file that is only appended to, one ``write`` for each fact, with no waiting for
the disk. It survives the death of the process, however sudden, because the
system keeps what was written; it may lose its end when the machine goes down.
Its owner holds a lock on it (``flock``), which the system lets go when the
owner dies, and at no other time.

    header    a line that names the lease and its owner
    frame     length of the payload (2 bytes), CRC-32 (4 bytes), the payload
    payload   LEAVING and a recipient's key, or
              REPLY, a recipient's key, state, due (8 bytes), the words in UTF-8

The checksums begin with that of the header, so that no frame of another lease fits.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from dispatch.ledger.facts import Outcome, State

REPLY_LENGTH = 500
"""Characters of a reply that are kept."""

_LARGEST = 64_000_000
"""Bytes of a journal that are read: ten times what the largest lease can fill."""

_LEAVING, _REPLY = 1, 2
_FRAME = struct.Struct("<HI")
_LEFT = struct.Struct("<Bq")
_REPLIED = struct.Struct("<BqBq")
_LONGEST = _REPLIED.size + 4 * REPLY_LENGTH

_STATES: tuple[State, ...] = ("queued", "accepted", "deferred", "bounced", "in_doubt")
_CODES = {state: code for code, state in enumerate(_STATES)}

_frame, _left, _replied = _FRAME.pack, _LEFT.pack, _REPLIED.pack


class Journal:
    """The journal of a lease of ``owner``, made new and locked; ``path`` is replaced.

    Raises:
        OSError: it cannot be written, when made and from every method; what was
            written before stands.
    """

    def __init__(self, path: Path, lease: int, owner: str) -> None:
        header = _header(lease, owner)
        self._path = path
        self._file = -1
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # of a lease that was never given: its key is used again
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = 0
        self._seed = crc32(header)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._append(header)
        except BaseException:
            self.close()
            raise

    def leaving(self, key: int) -> None:
        """The last byte of this recipient's copy is about to leave."""
        payload = _left(_LEAVING, key)
        self._append(_frame(9, crc32(payload, self._seed)) + payload)

    def reply(self, key: int, state: State, due: int, words: str) -> None:
        """What became of it. The words are those of :func:`dispatch.ledger.journal.clean`.

        Raises:
            ValueError: the state is none that a try can end in.
        """
        code = _CODES.get(state)
        if code is None:
            raise ValueError(f"a try cannot end in the state {state}")
        payload = _replied(_REPLY, key, code, due) + words.encode()
        self._append(_frame(len(payload), crc32(payload, self._seed)) + payload)

    def close(self) -> None:
        """Let go of it: from now on it can be settled by whoever comes first."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """The database knows everything that is in it."""
        self._path.unlink(missing_ok=True)
        self.close()

    def __del__(self) -> None:
        # One that was taken away may still be written to by who sends, in another thread: only
        # when nobody can do that any more may its number be given to another file.
        self.close()

    def _append(self, frame: bytes) -> None:
        written = 0
        try:
            written = os.write(self._file, frame)
        finally:
            if written != len(frame):
                with suppress(OSError):
                    os.ftruncate(self._file, self._size)  # half a frame would hide later ones
        if written != len(frame):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written


def clean(words: str) -> str:
    """A reply as it is kept: one line of printable text that any database takes, and short."""
    if len(words) <= REPLY_LENGTH and words.isascii() and words.isprintable():
        return words
    line = "".join(c if c.isprintable() else " " for c in words[:REPLY_LENGTH])
    return " ".join(line.split())


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal says.

    Args:
        left: recipients whose copies may have left.
        replies: what became of copies; these are settled, whether they left or not.
        whole: whether it says everything that its owner wrote, but for a last frame that the
            death of the owner cut off. Otherwise the frames that can be read are given.
    """

    left: set[int] = field(default_factory=set)
    replies: dict[int, Outcome] = field(default_factory=dict)
    whole: bool = True


def read(path: Path, lease: int, owner: str) -> Contents | None:
    """The journal of a lease; None: there is no such file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    header = _header(lease, owner)
    if not data.startswith(header):
        return Contents(whole=False)
    return _contents(memoryview(data)[len(header) :], crc32(header))


def _contents(data: memoryview, seed: int) -> Contents:
    left: set[int] = set()
    replies: dict[int, Outcome] = {}
    at = 0
    while at < len(data):
        if len(data) - at < _FRAME.size:
            return Contents(left, replies)
        length, checksum = _FRAME.unpack_from(data, at)
        payload = data[at + _FRAME.size : at + _FRAME.size + length]
        if len(payload) < length:
            return Contents(left, replies, whole=length <= _LONGEST)
        outcome = _payload(payload) if crc32(payload, seed) == checksum else None
        if outcome is None:
            return Contents(left, replies, whole=False)
        if isinstance(outcome, Outcome):
            replies[outcome.key] = outcome
        else:
            left.add(outcome)
            replies.pop(outcome, None)  # it was given another try
        at += _FRAME.size + length
    return Contents(left, replies)


def _payload(payload: memoryview) -> Outcome | int | None:
    """An outcome, the key of a recipient whose copy left, or None for what is neither."""
    kind = payload[0] if len(payload) else 0
    if kind == _LEAVING and len(payload) == _LEFT.size:
        return int(_LEFT.unpack(payload)[1])
    if kind == _REPLY and len(payload) >= _REPLIED.size:
        _, key, code, due = _REPLIED.unpack_from(payload)
        words = bytes(payload[_REPLIED.size :]).decode(errors="replace")
        return Outcome(key, _STATES[code], words, due) if code < len(_STATES) else None
    return None


def is_free(file: int) -> bool:
    """Whether nobody holds the lock of an open journal; it is ours then, until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _header(lease: int, owner: str) -> bytes:
    return f"dispatch ledger 1, lease {lease} of {owner!r}\n".encode(errors="backslashreplace")
