"""Where articles come from: files, folders, patterns, standard input, and programs."""

from __future__ import annotations

import errno
import glob
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from stat import S_ISREG

from dispatch.errors import ArticleError

STANDARD_INPUT = "-"
SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"})
_RESULTS = frozenset({"public", "outbox", "templates"})


def expand(names: Iterable[str], templates: Path) -> list[str]:
    """The files that ``names`` mean, each once, in order.

    A folder means the articles in it and below (by their suffix; hidden files,
    READMEs, ``templates`` and what Dispatch itself wrote are left out), a
    pattern such as ``stories/*.md`` those that match. A name that means nothing,
    or a folder that cannot be read, stays as it is, to be refused when it is read.
    """
    files: dict[str, None] = {}
    for name in names:
        try:
            files |= dict.fromkeys(_meant_by(name, os.path.realpath(templates)))
        except (OSError, ValueError):
            files[name] = None
    return list(files)


def _meant_by(name: str, templates: str) -> list[str]:
    path = Path(name)
    if not name or name == STANDARD_INPUT:
        return [name]
    if path.is_dir():
        return list(_articles_in(path, templates))
    if not path.exists() and glob.has_magic(name):
        return sorted(glob.glob(name, recursive=True)) or [name]  # noqa: PTH207
    return [name]


def _articles_in(folder: Path, templates: str) -> Iterator[str]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        yield str(folder)
        return
    results_here = any(path.name in (".dispatch", "dispatch.db") for path in paths)
    for path in paths:
        ours = results_here and path.name in _RESULTS
        if path.name.startswith(".") or ours or os.path.realpath(path) == templates:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _articles_in(path, templates)
        elif path.suffix.lower() in SUFFIXES and path.stem.lower() != "readme" and path.is_file():
            yield str(path)


_handed_in: ContextVar[Mapping[str, bytes]] = ContextVar("handed_in", default={})  # noqa: B039


@contextmanager
def handed_in(articles: Mapping[str, bytes]) -> Iterator[None]:
    """Within it, these names mean the articles that a program handed in, and no files.

    Args:
        articles: what each says, by the name that it is told from others by.
    """
    before = _handed_in.set(articles)
    try:
        yield
    finally:
        _handed_in.reset(before)


_said_once: dict[str, bytes] = {}
"""What was read from where nothing can be read twice."""


def read(name: str, limit: int) -> bytes:
    """The bytes of one article; at most ``limit`` of them are ever held.

    Standard input and pipes say what they say once: whoever asks again gets the same.

    Raises:
        ArticleError: it does not exist, cannot be read, or is larger than ``limit``.
    """
    if name in _said_once:
        return _said_once[name]
    try:
        if name in _handed_in.get():
            data, again = _handed_in.get()[name], True
        elif name == STANDARD_INPUT:
            data, again = sys.stdin.buffer.read(limit + 1) if sys.stdin else b"", False
        else:
            with Path(name).open("rb") as file:
                data, again = file.read(limit + 1), S_ISREG(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        raise ArticleError(_unreadable(name, error)) from error
    except ValueError:  # a NUL in the name
        raise ArticleError(f"{name!r} is not the name of a file.") from None
    if len(data) > limit:
        raise ArticleError(
            f"{label(name)} is larger than {limit / 1_000_000:g} MB, the limit for an article. "
            "If it really is one, set DISPATCH_MAX_ARTICLE_BYTES to more."
        )
    if not again:
        _said_once[name] = data
    return data


def absolute(name: str) -> str:
    """The file's absolute path as text that any database takes, whatever bytes its name has.

    Of an article that was handed in it is a name that no file has.
    """
    if name in _handed_in.get():
        return f"handed in: {name}"
    return os.fsencode(Path(name).absolute()).decode("utf-8", "backslashreplace")


def label(name: str) -> str:
    """What to call the file in a sentence."""
    return "standard input" if name == STANDARD_INPUT else name


def _unreadable(name: str, error: OSError) -> str:
    if not name:
        return "The name of an article is empty. Name a file, a folder, or - for standard input."
    if error.errno == errno.ENOENT:
        return f"There is no file {name}. Check the name and the folder you are in."
    if error.errno == errno.EISDIR:
        return f"{name} is a folder."
    return f"{label(name)} cannot be read: {error.strerror}."
