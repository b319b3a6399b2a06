"""Tokens of the API: who may ask it for what.

    dispatch_<43 characters of base64url>        256 bits of chance

A token is shown once, when it is made; what is kept is its SHA-256. A hash
without salt or stretching is enough: nobody can try 2²⁵⁶ of them. It is looked up by
that hash, so that no comparison tells how much of a guess was right, and an
unknown token costs what a known one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from dispatch.errors import SettingsError
from dispatch.newsroom.database import made_if_missing, opened
from dispatch.store import api_tokens as store
from dispatch.store.api_tokens import TokenRow

SCOPES = {
    "subscribers:read": "see subscribers and suppressions: list, show, export",
    "subscribers:write": "add, import, remove, forget, suppress",
    "editions:read": "see mailings and their sums; whom they went to takes subscribers:read, too",
    "editions:send": "make mailings, send test copies, pause, resume, cancel, retry",
    "articles:read": "see what was published, and have articles read and checked",
    "articles:write": "publish",
}
"""What a token may be good for, and what that allows."""

PREFIX = "dispatch_"
"""What tokens begin with, so that a scanner of repositories knows one when it finds it."""

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_NAME = re.compile(r"[^\W_][\w .@/-]{0,59}")
_LENGTH = re.compile(r"([0-9]{1,5})([dh])")
_HOURS = {"d": 24, "h": 1}
_LONGEST = timedelta(days=3650)
_SELDOM = timedelta(minutes=1)
_NONE_HERE = (
    "so there are no tokens: make one with dispatch token create, or name the folder with --out."
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: all but itself.

    Args:
        used: about when it was last used.
    """

    key: int
    name: str
    scopes: frozenset[str]
    made: datetime
    expires: datetime | None
    revoked: datetime | None
    used: datetime | None

    def state(self, now: datetime) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"

    def to_json(self, now: datetime) -> dict[str, object]:
        return {
            "name": self.name,
            "scopes": in_order(self.scopes),
            "state": self.state(now),
            "made": self.made.isoformat(),
            "expires": self.expires and self.expires.isoformat(),
            "revoked": self.revoked and self.revoked.isoformat(),
            "used": self.used and self.used.isoformat(),
        }


def in_order(scopes: Iterable[str]) -> list[str]:
    """Scopes in the order of :data:`SCOPES`."""
    return sorted(scopes, key=list(SCOPES).index)


def create(
    name: str, scopes: Iterable[str], expires: str | None, secret: str, out: Path, now: datetime
) -> tuple[str, Token]:
    """Make a token.

    Args:
        expires: after how long it stops working, such as ``90d`` or ``12h``; None: never.
        secret: 256 bits of chance, as base64url without padding.

    Returns:
        The token itself, which is not kept, and what is.

    Raises:
        SettingsError: the name, a scope or the time makes no sense, or the name is taken.
        StoreError: the database cannot be written.
    """
    text = PREFIX + secret
    assert _TOKEN.fullmatch(text), "a secret of another kind"
    _check_name(name)
    granted = _checked_scopes(scopes)
    end = now + _length(expires) if expires is not None else None
    row = TokenRow(0, name, _hash(text), " ".join(granted), now, end, None, None)
    with made_if_missing(out) as database, database.transaction() as connection:
        before = store.named(connection, name)
        if before is not None:
            told = "was revoked, and its name stays" if before.revoked else "is there already"
            raise SettingsError(f"A token {name} {told}: choose another name.")
        store.add(connection, row)
    return text, _token(row)


def every(out: Path) -> list[Token]:
    """All tokens, in the order they were made.

    Raises:
        StoreError: there is no database.
    """
    with opened(out, _NONE_HERE) as database, database.transaction() as connection:
        return [_token(row) for row in store.every(connection)]


def revoke(name: str, out: Path, now: datetime) -> bool:
    """Have a token work no more, from the next request on.

    Returns:
        False where it was revoked before.

    Raises:
        SettingsError: there is none of this name.
        StoreError: there is no database.
    """
    with opened(out, _NONE_HERE) as database, database.transaction() as connection:
        row = store.named(connection, name)
        if row is None:
            raise SettingsError(f"There is no token {name}: dispatch token list shows them.")
        if row.revoked is None:
            store.revoke(connection, row.key, now)
        return row.revoked is None


def known(connection: Connection, text: str, now: datetime) -> Token | None:
    """The token that ``text`` is; None where it is none, is revoked or has expired."""
    row = store.with_hash(connection, _hash(text))
    token = _token(row) if row else None
    return token if token is not None and token.state(now) == "active" else None


def is_due(token: Token, now: datetime) -> bool:
    """Whether it is time to write down that a token is used: once a minute is enough."""
    return token.used is None or now - token.used >= _SELDOM


def use(connection: Connection, key: int, now: datetime) -> None:
    """Write down that a token was used, if it is time to."""
    store.use(connection, key, now, now - _SELDOM)


def _token(row: TokenRow) -> Token:
    return Token(
        key=row.key,
        name=row.name,
        scopes=frozenset(row.scopes.split()),
        made=row.made,
        expires=row.expires,
        revoked=row.revoked,
        used=row.used,
    )


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"A token cannot be called {name[:60]!r}: use up to 60 letters, digits, spaces and "
            ". @ / - _, such as “website” or “crm of the foreign desk”."
        )


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        told = f"{unknown[0]} is no scope" if unknown else "A token without a scope can do nothing"
        raise SettingsError(f"{told}. There are: {', '.join(SCOPES)}.")
    return in_order(wanted)


def _length(text: str) -> timedelta:
    found = _LENGTH.fullmatch(text.strip().lower())
    hours = int(found[1]) * _HOURS[found[2]] if found else 0
    length = timedelta(hours=hours)
    if not timedelta(0) < length <= _LONGEST:
        raise SettingsError(
            f"--expires {text[:20]!r} is no length of time: write 90d or 12h, ten years at most."
        )
    return length
