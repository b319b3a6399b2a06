"""Mail that is kept instead of sent: a folder of ``.eml`` files, or an mbox.

For a look at what would go out, for an archive, and for programs that fetch
mail from there. *Accepted* means that the message is on the disk, synced.

A message in a folder has a name of its own, which stays the same when it is
tried again: what a crash left half done is written anew, and never twice.
``mbox.py`` tells how an mbox is written.

Both put the envelope on top of the message, as a mailbox has it: ``Return-Path``
(RFC 5321, 4.4) and ``X-Original-To``.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from dispatch.mailing.transport import Copy, End, Result, Work

_BATCH = 16
"""Copies that are written before any is reported: what a crash can leave in doubt."""


class Mailbox(Protocol):
    """Where messages are kept; its methods block, and are called in a thread."""

    def open(self) -> None:
        """Make sure that it can be used.

        Raises:
            OSError: it cannot.
        """

    def keep(self, copies: Sequence[Copy], stop: Callable[[], bool]) -> Kept:
        """Keep the copies in order, until one fails or ``stop`` says so."""


class Kept:
    """What became of a batch: the words for each copy that is on the disk, in order.

    Args:
        error: why the rest was not kept.
        unknown: how many after those that were kept may be there or not.
    """

    __slots__ = ("error", "replies", "unknown")

    def __init__(self) -> None:
        self.replies: list[str] = []
        self.error: OSError | None = None
        self.unknown = 0


class FileConnection:
    """Hands copies to a mailbox; see :class:`dispatch.mailing.transport.Connection`."""

    def __init__(self, mailbox: Mailbox, path: Path, work: Work) -> None:
        self._mailbox = mailbox
        self._path = path
        self._work = work
        self._poked = asyncio.Event()
        self._finishing = False
        self._stop = threading.Event()

    async def run(self) -> End:
        """Keep what comes until told to finish; ends ``down`` where nothing can be written."""
        try:
            await asyncio.to_thread(self._mailbox.open)
        except OSError as error:
            return End("down", self._sentence(error))
        while True:
            self._poked.clear()
            batch = self._batch()
            if batch:
                failed = await self._keep(batch)
                if failed:
                    return End("down", self._sentence(failed))
            elif self._finishing:
                return End("finished")
            else:
                await self._poked.wait()

    def poke(self) -> None:
        """There may be work now."""
        self._poked.set()

    def finish(self) -> None:
        """Take no more, and end."""
        self._finishing = True
        self._poked.set()

    def abort(self) -> None:
        """Keep what is being written at this moment, give back the rest, and end."""
        self._stop.set()
        self.finish()

    def _batch(self) -> list[Copy]:
        """Copies that may leave."""
        batch: list[Copy] = []
        while not self._finishing and len(batch) < _BATCH:
            copy = self._work.take(self)
            if copy is None:
                break
            if self._work.leaving(copy):
                batch.append(copy)
            else:
                self._work.done(Result(copy, "unsent", "It was not to leave any more."))
        return batch

    async def _keep(self, batch: list[Copy]) -> OSError | None:
        kept = await asyncio.to_thread(self._mailbox.keep, batch, self._stop.is_set)
        there = len(kept.replies)
        for copy, reply in zip(batch, kept.replies, strict=False):
            self._work.done(Result(copy, "accepted", reply))
        for number, copy in enumerate(batch[there:]):
            unknown = number < kept.unknown
            self._work.done(
                Result(copy, "in_doubt", f"It may be in {self._path.name}, in part.")
                if unknown
                else Result(copy, "unsent", "It was not written.")
            )
        return kept.error

    def _sentence(self, error: OSError) -> str:
        what = f"Mail cannot be kept in {self._path}: "
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return what + "the disk is full. Make room, and resume the mailing."
        if error.errno == errno.EWOULDBLOCK:
            return what + (
                f"another program keeps it locked. If none is running, delete {self._path}.lock."
            )
        return what + f"{error.strerror or error}. Check DISPATCH_SMTP_URL and who may write there."


class Folder:
    """A folder of ``.eml`` files: made if need be, each file there in whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> None:
        """Make the folder."""
        self._path.mkdir(parents=True, exist_ok=True)
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def keep(self, copies: Sequence[Copy], stop: Callable[[], bool]) -> Kept:
        """Write each to a hidden name, sync, rename; then sync the folder once for all."""
        kept = Kept()
        try:
            for copy in copies:
                if stop():
                    break
                name = _name(copy)
                self._write(name, envelope(copy, b"\r\n") + copy.data)
                kept.replies.append(f"Kept as {name}")
        except OSError as error:
            kept.error = error
        try:
            sync_folder(self._path)
        except OSError as error:
            kept.error = error
            kept.unknown = len(kept.replies)
            kept.replies.clear()
        return kept

    def _write(self, name: str, data: bytes) -> None:
        temporary = self._path / f".{name}.part"
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path / name)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise


def _name(copy: Copy) -> str:
    """A file name for a copy: the same whenever it is tried, another for any other message.

    The key alone is not enough, since another database may write into the same folder; the
    Message-ID stays as it is however often a copy is tried.
    """
    address = re.sub(r"[^\w.+@-]", "_", copy.recipient)[:40]
    head = copy.data.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?im)^message-id:[ \t\r\n]*(\S+)", head)
    digest = blake2b(found[1] if found else head, digest_size=4).hexdigest()
    return f"{copy.key:08}-{address}-{digest}.eml"


def envelope(copy: Copy, end: bytes) -> bytes:
    """The envelope as two header fields. A line end in an address would add another."""
    lines = (f"Return-Path: <{copy.sender}>", f"X-Original-To: {copy.recipient}")
    return b"".join(
        re.sub(r"[\x00-\x1f\x7f]", "", x).encode("utf-8", "replace") + end for x in lines
    )


def sync_folder(path: Path) -> None:
    """Names are on the disk once their folder is synced."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
