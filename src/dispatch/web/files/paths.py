"""From the path of a request to that of a file, and to nothing else."""

from __future__ import annotations

import re
from urllib.parse import quote

LONGEST = 2048
"""Bytes of a path: an address that a desk makes has 300 at most."""
_LONGEST_NAME = 255
"""Bytes of a name, as file systems have it."""
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%(..)")
_NEVER = re.compile(r"[\x00-\x1f\x7f/\\]")
_PLAIN = "!$&'()*+,;=:@~"
"""What needs no escape, besides letters, digits and ``-._`` (RFC 3986, 3.3)."""


def file_of(raw: bytes) -> str | None:
    """The file that a path asks for, relative to the folder; None where it can be none.

    ``/world/`` is ``world/`` and ``/`` is the empty string: folders, as their slash says. A path
    that is spelled as no address of ours is (dot segments, empty segments, escaped slashes or
    zeros, backslashes, hidden names) has no file, rather than one that somebody before us may
    have understood otherwise.

    Args:
        raw: the path as it came, with its escapes and without the query.
    """
    if not raw.startswith(b"/") or len(raw) > LONGEST or _BROKEN_ESCAPE.search(raw):
        return None
    *folders, last = raw[1:].split(b"/")
    names: list[str] = []
    for part in [*folders, last] if last else folders:
        name = _name(part, first=not names)
        if name is None:
            return None
        names.append(name)
    return "/".join(names) + ("/" if folders and not last else "")


def address_of(file: str) -> str:
    """The path that a file is asked for with: of all its spellings the one that is ours."""
    return "/" + quote(file, safe="/" + _PLAIN)


def _name(part: bytes, *, first: bool) -> str | None:
    """The name of a folder or file, None where it is not one to be shown."""
    plain = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), part)
    if not plain or len(plain) > _LONGEST_NAME:
        return None
    try:
        name = plain.decode()
    except UnicodeDecodeError:
        return None
    hidden = name.startswith(".") and not (first and name == ".well-known")  # RFC 8615
    return None if hidden or _NEVER.search(name) else name
