"""Who may read a desk on the web, and so which documents there are of it, and where they lie.

======== ============================ ======================
access   under ``public/<desk>/``     under ``members/<desk>/``
======== ============================ ======================
public   everything, in full          nothing
members  headlines and standfirsts    everything, in full
private  nothing                      everything, in full
======== ============================ ======================

``members/`` lies beside ``public/`` and is never served as files: what is in it
reaches a subscriber through an address of their own (``dispatch.web.members.feeds``).
Its documents are written once for all of them, with a gap in each address where
the subscriber's token belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.store import articles as store

_GAP = b"\xff"
"""No UTF-8 text has this octet (RFC 3629, 1), so it is a gap wherever it is."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One set of a desk's documents."""

    folder: str
    """Where they lie below the results' folder."""
    in_full: bool
    """Whether they hold the articles' text, or standfirsts."""
    personal: bool
    """Whether their addresses have gaps for a subscriber's token."""


def showings(desk: Desk) -> tuple[Showing, ...]:
    """The sets of documents that there are of ``desk``; everybody's first."""
    public = Showing(public_folder(desk), desk.access == "public", personal=False)
    members = Showing(members_folder(desk), in_full=True, personal=True)
    return {"public": (public,), "members": (public, members), "private": (members,)}[desk.access]


def public_folder(desk: Desk) -> str:
    """Where what everybody may read lies."""
    return f"public/{desk.slug}"


def members_folder(desk: Desk) -> str:
    """Where what subscribers may read lies."""
    return f"members/{desk.slug}"


def is_behind(connection: Connection, desk: Desk, out: Path) -> bool:
    """Whether what lies in the folder ``out`` is of another access than the desk has now.

    That is so from when DISPATCH_ACCESS was changed until the desk is written again. Articles
    that are published meanwhile do not hide it: the desk's first one is looked at.
    """
    first = store.public_articles(connection, desk.slug, 0, 1)
    if not first:
        return False
    page = f"{first[0].day:%Y/%m/%d}/{first[0].slug}/index.html"
    folders = (public_folder(desk), members_folder(desk))
    wanted = {showing.folder for showing in showings(desk)}
    written = {folder for folder in folders if (out / folder / page).is_file()}
    feeds = {folder for folder in folders if (out / folder / "feed.json").is_file()}
    return written != wanted or not feeds <= wanted


def with_gaps(desk: Desk, source: str, write: Callable[[Desk], list[bytes]]) -> list[bytes]:
    """What ``write`` makes of the desk of a reader, with gaps in the place of their token.

    Args:
        source: every text that the documents are made of.
    """
    # No text can hold the hash of itself: what is replaced is nothing but the token.
    token = sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    return [data.replace(token.encode(), _GAP) for data in write(desk.for_reader(token))]


def filled(document: bytes, token: str) -> bytes:
    """A document of ``members/`` for the subscriber with this token."""
    return document.replace(_GAP, token.encode("ascii"))
