"""Where articles come from: files, folders, patterns and standard input."""

from __future__ import annotations

import errno
import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from dispatch.errors import ArticleError

STANDARD_INPUT = "-"
SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"})
_OURS = ("public", "outbox", "templates")


def expand(names: Iterable[str], out: Path) -> list[str]:
    """The files that ``names`` mean, each once, in order.

    A folder means the articles in it and below (by their suffix; hidden files,
    READMEs and what Dispatch itself wrote are left out), a pattern such as
    ``stories/*.md`` those that match. A name that means nothing stays as it is,
    to be refused when it is read.
    """
    files: dict[str, None] = {}
    for name in names:
        path = Path(name)
        if name == STANDARD_INPUT:
            files[name] = None
        elif path.is_dir():
            files |= dict.fromkeys(_articles_in(path, out))
        elif not path.exists() and glob.has_magic(name):
            files |= dict.fromkeys(sorted(glob.glob(name, recursive=True)) or [name])  # noqa: PTH207
        else:
            files[name] = None
    return list(files)


def _articles_in(folder: Path, out: Path) -> Iterator[str]:
    ours = {(out / name).resolve() for name in _OURS}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.resolve() in ours:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _articles_in(path, out)
        elif path.suffix.lower() in SUFFIXES and path.stem.lower() != "readme" and path.is_file():
            yield str(path)


def read(name: str, limit: int) -> bytes:
    """The bytes of one article; at most ``limit`` of them are ever held.

    Raises:
        ArticleError: it does not exist, cannot be read, or is larger than ``limit``.
    """
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise ArticleError(_unreadable(name, error)) from error
    except ValueError:  # a NUL in the name
        raise ArticleError(f"{name!r} is not the name of a file.") from None
    if len(data) > limit:
        raise ArticleError(
            f"{label(name)} is larger than {limit / 1_000_000:g} MB, the limit for an article. "
            "If it really is one, set DISPATCH_MAX_ARTICLE_BYTES to more."
        )
    return data


def label(name: str) -> str:
    """What to call the file in a sentence."""
    return "standard input" if name == STANDARD_INPUT else name


def _unreadable(name: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"There is no file {name}. Check the name and the folder you are in."
    if error.errno == errno.EISDIR:
        return f"{name} is a folder."
    return f"{label(name)} cannot be read: {error.strerror}."
