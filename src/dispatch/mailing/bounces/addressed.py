"""Whose copy a message is about: by the signed token of an address that it carries.

Anybody can write a bounce, and put any address of ours in it. Only a token that
we signed says whose it is, and it is looked for wherever mail servers put the
address that a message came to. They change it on the way: in capitals, with
another delimiter, with the plus sign encoded, wrapped by a forwarder (SRS).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dispatch.mailing.bounces.opening import Headers

Verify = Callable[[str], int | None]
"""A token → the recipient that it was signed for, or None."""

CAME_TO = (
    "x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to",
    "original-recipient", "apparently-to", "x-forwarded-to", "to", "cc", "resent-to",
)  # fmt: skip
"""Headers that name the address that a message came to, the most reliable first."""

SENT_FROM = ("return-path", "x-envelope-from", "x-original-return-path", "errors-to", "sender")
"""Headers of a returned message that name the address it was sent from."""

_LIKE_A_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,80}")
_MOST = 200
_APART = re.compile(r"[\s<>()\[\]\",;:]+")
_PLUS = re.compile(r"=2b|%2b", re.IGNORECASE)
_PIECES = re.compile(r"[+=]")
_URI = re.compile(r"[<>\s,/?&#=]+")


@dataclass(frozen=True, slots=True)
class Found:
    """The recipient whose token was found; else whether there was something like a token."""

    recipient: int | None
    claimed: bool = False


def find(candidates: Iterable[str], verify: Verify) -> Found:
    """The first of ``candidates`` that is signed."""
    claimed, tried = False, set[str]()
    for candidate in candidates:
        if candidate in tried or not _LIKE_A_TOKEN.fullmatch(candidate):
            continue
        if len(tried) == _MOST:
            break
        tried.add(candidate)
        claimed = True
        recipient = verify(candidate)
        if recipient is not None:
            return Found(recipient)
    return Found(None, claimed)


def in_addresses(values: Iterable[str]) -> Iterator[str]:
    """What may be a token in the addresses that ``values`` hold."""
    for value in values:
        for word in _APART.split(value):
            local, at, _ = word.rpartition("@")
            if at:
                yield from _of_local_part(local[-200:])


def in_headers(headers: Headers, names: Iterable[str]) -> Iterator[str]:
    """What may be a token in the addresses of those headers."""
    for name in names:
        yield from in_addresses(headers.all(name))


def in_links(headers: Headers) -> Iterator[str]:
    """What may be a token in List-Unsubscribe (RFC 2369)."""
    for value in headers.all("list-unsubscribe"):
        yield from _URI.split(value)
        yield from in_addresses([value])


def _of_local_part(local: str) -> Iterator[str]:
    local = _PLUS.sub("+", local)
    yield local.partition("+")[2]
    yield from _PIECES.split(local)[1:]
    yield local.partition("-")[2]
