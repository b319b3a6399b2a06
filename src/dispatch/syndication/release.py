"""Files that appear together: all of them or none, whatever happens.

A release is written whole into a staging folder beside the results, then every
file is renamed into its place. That takes microseconds; a crash in between is
mended by :func:`recover`, which finishes what was decided and sweeps away what
was not. Who decides is the caller: the
release's id is recorded in the database, in the transaction that the files
belong to.

    release = Release(root)          nothing yet
    release.write("a/b.html", …)     staged
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

    def write(self, path: str, data: bytes) -> None: ...


class Release:
    """A set of files on its way into ``root``, placed in the order they were written.

    Raises:
        OutputError: the folder cannot be written or is full; what stood there stands.
    """

    def __init__(self, root: Path) -> None:
        # The id names a folder for a moment and appears in no result: it may be random.
        self.id = uuid.uuid4().hex
        self.root = root
        self._staging = root / _WORKSHOP / self.id
        self._paths: list[str] = []

    def write(self, path: str, data: bytes) -> None:
        """Stage ``data`` for ``path``, relative to the root, unless that is what stands there."""
        with _explained(self.root):
            if path not in self._paths and _holds(self.root / path, data):
                return
            staged = self._staging / path
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(data)
            if path not in self._paths:
                self._paths.append(path)

    def seal(self) -> None:
        """Make it durable, and make sure that every file can be put into its place."""
        if self._paths:
            with _explained(self.root):
                for path in self._paths:
                    _make_way(self.root / path)
                (self._staging / _MANIFEST).write_bytes(json.dumps(self._paths).encode())
                folders = (Path(folder) for folder, _, _ in os.walk(self._staging))
                files = (self._staging / path for path in (*self._paths, _MANIFEST))
                _sync_all([*files, *folders, self._staging.parent])

    @property
    def empty(self) -> bool:
        return not self._paths

    def place(self) -> None:
        """Put every file in its place and clear the staging folder."""
        if self._paths:
            with _explained(self.root):
                _place(self.root, self._staging, self._paths)


def unplaced(root: Path) -> bool:
    """Whether a crash left a release behind."""
    workshop = root / _WORKSHOP
    with _explained(root):
        return workshop.is_dir() and any(path.is_dir() for path in workshop.iterdir())


def recover(root: Path, decided: set[str]) -> None:
    """Finish the releases whose ids are in ``decided``; sweep away the others."""
    workshop = root / _WORKSHOP
    if not workshop.is_dir():
        return
    with _explained(root):
        for staging in sorted(path for path in workshop.iterdir() if path.is_dir()):
            manifest = staging / _MANIFEST
            if staging.name in decided and manifest.is_file():
                _place(root, staging, json.loads(manifest.read_bytes()))
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


def _place(root: Path, staging: Path, paths: list[str]) -> None:
    folders: set[Path] = set()
    for path in paths:
        final = root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # placed before a crash
            _move(staging / path, final)
        folders |= {final.parent, *final.parent.parents}
    _sync_all([folder for folder in folders if folder.is_relative_to(root)])
    shutil.rmtree(staging)


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
