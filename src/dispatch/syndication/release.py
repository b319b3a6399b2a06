"""Files that appear and disappear together: all of them or none, whatever happens.

A release is written whole into a staging folder beside the results, then every
file is renamed into its place, and what is to go is deleted. That takes
microseconds; a crash in between is mended by :func:`recover`, which finishes
what was decided and sweeps away what was not. Who decides is the caller: the
release's id is recorded in the database, in the transaction that the files
belong to.

    release = Release(root)          nothing yet
    release.write("a/b.html", …)     staged
    release.remove("a/c.html")       noted
    release.seal()                   durable, and nothing stands in its way
    (commit the transaction that records release.id)
    release.place()                  in its place
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from dispatch.errors import OutputError

_WORKSHOP = ".dispatch"
_MANIFEST = "manifest.json"
_MANY = 40
"""Paths that are made durable one by one, at most: each waits for the disk."""


class Files(Protocol):
    """Where files are written to: path relative to the results' folder, and what it holds."""

    def write(self, path: str, data: bytes) -> bool:
        """Whether that is something else than what stands there."""

    def remove(self, path: str) -> bool:
        """Whether there is such a file."""


class Release:
    """A set of files on its way into ``root``, placed in the order they were written.

    What is to be removed goes after that, in the order it was said.

    Raises:
        OutputError: the folder cannot be written or is full; what stood there stands.
    """

    def __init__(self, root: Path) -> None:
        # The id names a folder for a moment and appears in no result: it may be random.
        self.id = uuid.uuid4().hex
        self.root = root
        self._staging = root / _WORKSHOP / self.id
        # Dictionaries for their order, and to look things up in.
        self._written: dict[str, None] = {}
        self._removed: dict[str, None] = {}

    def write(self, path: str, data: bytes) -> bool:
        """Stage ``data`` for ``path``, relative to the root, unless that is what stands there."""
        self._removed.pop(path, None)
        with _explained(self.root):
            if path not in self._written and _holds(self.root / path, data):
                return False
            staged = self._staging / path
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(data)
            self._written[path] = None
            return True

    def remove(self, path: str) -> bool:
        """Have the file ``path``, relative to the root, go; and its folder, where that is empty.

        A link goes, and what it leads to stays.
        """
        self._written.pop(path, None)
        with _explained(self.root):
            final = self.root / path
            if final.is_dir() and not final.is_symlink():
                return False
            if not final.exists() and not final.is_symlink():
                return False
        self._removed[path] = None
        return True

    def seal(self) -> None:
        """Make it durable, and make sure that every file can be put into its place."""
        if not self.empty:
            with _explained(self.root):
                self._staging.mkdir(parents=True, exist_ok=True)
                for path in self._written:
                    _make_way(self.root / path)
                for path in self._removed:
                    _writable(self.root / path)
                decided = {"written": [*self._written], "removed": [*self._removed]}
                (self._staging / _MANIFEST).write_bytes(json.dumps(decided).encode())
                folders = (Path(folder) for folder, _, _ in os.walk(self._staging))
                files = (self._staging / path for path in (*self._written, _MANIFEST))
                _sync_all([*files, *folders, self._staging.parent])

    @property
    def empty(self) -> bool:
        return not (self._written or self._removed)

    def place(self) -> None:
        """Put every file in its place, delete what is to go, and clear the staging folder."""
        if not self.empty:
            with _explained(self.root):
                _place(self.root, self._staging, [*self._written], [*self._removed])


def unplaced(root: Path) -> bool:
    """Whether a crash left a release behind."""
    workshop = root / _WORKSHOP
    with _explained(root):
        return workshop.is_dir() and any(path.is_dir() for path in workshop.iterdir())


def under_way(root: Path, ids: Collection[str]) -> bool:
    """Whether one of the releases of these ids is not in its place yet."""
    with _explained(root):
        return any((root / _WORKSHOP / id_).is_dir() for id_ in ids)


def settled(root: Path, since: float) -> bool:
    """Whether nothing was placed or staged after ``since``, in seconds since 1970."""
    workshop = root / _WORKSHOP
    with _explained(root):
        # Its time changes with each staging folder that comes or goes.
        return not workshop.exists() or workshop.stat().st_mtime <= since


def recover(root: Path, decided: set[str]) -> None:
    """Finish the releases whose ids are in ``decided``; sweep away the others."""
    workshop = root / _WORKSHOP
    if not workshop.is_dir():
        return
    with _explained(root):
        for staging in sorted(path for path in workshop.iterdir() if path.is_dir()):
            manifest = staging / _MANIFEST
            if staging.name in decided and manifest.is_file():
                _place(root, staging, *_decided(manifest))
            else:
                shutil.rmtree(staging)


@contextmanager
def exclusively(root: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Be the only one that publishes into ``root``.

    Args:
        waiting: called before waiting for another process to finish.
    """
    with _explained(root):
        (root / _WORKSHOP).mkdir(parents=True, exist_ok=True)
        lock = os.open(root / _WORKSHOP / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # Let go by the system when the process ends, however it does.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _decided(manifest: Path) -> tuple[list[str], list[str]]:
    """What a release writes and removes."""
    decided = json.loads(manifest.read_bytes())
    if isinstance(decided, list):  # of a Dispatch that removed nothing yet
        return decided, []
    return decided["written"], decided["removed"]


def _place(root: Path, staging: Path, written: list[str], removed: list[str]) -> None:
    folders: set[Path] = set()
    for path in written:
        final = root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # placed before a crash
            _move(staging / path, final)
        folders |= {final.parent, *final.parent.parents}
    for path in removed:
        folders.add(_removed(root, root / path))
    # A later removal may have taken a folder away: then the one above it is synchronised.
    _sync_all([path for path in folders if path.is_relative_to(root) and path.is_dir()])
    shutil.rmtree(staging)


def _removed(root: Path, final: Path) -> Path:
    """Delete a file and the folders that held nothing else; returns the folder that is left."""
    final.unlink(missing_ok=True)  # deleted before a crash, maybe
    folder = final.parent
    while root not in (folder, folder.parent):  # public/ itself stays
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            break  # something else is in it
        folder = folder.parent
    return folder


def _move(staged: Path, final: Path) -> None:
    try:
        staged.replace(final)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The folder is a disk of its own, as public/ may be: into it first, then into place.
        beside = final.with_name(f".{final.name}.new")
        shutil.copyfile(staged, beside)
        _sync(beside)
        beside.replace(final)
        staged.unlink()


def _make_way(final: Path) -> None:
    """Find out now what would stop a file from being put into its place."""
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.is_dir():
        raise OutputError(f"{final} is a folder, where a file belongs. Move it away.")
    _writable(final)


def _writable(final: Path) -> None:
    if not os.access(final.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(final.parent))


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except (FileNotFoundError, NotADirectoryError):
        return False


def _sync_all(paths: Collection[Path]) -> None:
    """Have the disk hold what was written: path by path, or at once where there are many."""
    if len(paths) > _MANY:
        os.sync()
    else:
        for path in paths:
            _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename or root
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"There is no room left in {root}. What stood there stands unchanged: "
                "make room and run it again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(
                f"{where} cannot be written ({error.strerror}). Check its permissions, "
                "or choose another folder with --out."
            ) from error
        raise OutputError(f"{where} cannot be written: {error.strerror}.") from error
