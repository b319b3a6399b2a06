"""Who may use the API, and what they ordered: questions to, and changes of, their tables.

Every function takes a connection of a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from dispatch.store.tables import api_requests, api_tokens


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row of ``api_tokens``; the columns are explained there."""

    key: int
    name: str
    hash: str
    scopes: str
    made: datetime
    expires: datetime | None
    revoked: datetime | None
    used: datetime | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A mailing that was ordered with a key: what was ordered, and which one it is."""

    digest: str
    edition: int


_COLUMNS = [api_tokens.c[name] for name in TokenRow.__slots__]


def add(connection: Connection, row: TokenRow) -> None:
    """Add a token; ``row.key`` is ignored."""
    values = {name: getattr(row, name) for name in TokenRow.__slots__ if name != "key"}
    connection.execute(insert(api_tokens).values(values))


def with_hash(connection: Connection, hash_: str) -> TokenRow | None:
    found = connection.execute(select(*_COLUMNS).where(api_tokens.c.hash == hash_)).first()
    return TokenRow(*found) if found else None


def named(connection: Connection, name: str) -> TokenRow | None:
    found = connection.execute(select(*_COLUMNS).where(api_tokens.c.name == name)).first()
    return TokenRow(*found) if found else None


def every(connection: Connection) -> list[TokenRow]:
    """All of them, in the order they were made."""
    found = connection.execute(select(*_COLUMNS).order_by(api_tokens.c.key))
    return [TokenRow(*row) for row in found]


def revoke(connection: Connection, key: int, at: datetime) -> None:
    connection.execute(update(api_tokens).where(api_tokens.c.key == key).values(revoked=at))


def use(connection: Connection, key: int, at: datetime, unless_since: datetime) -> None:
    """Write down that a token was used, unless that was written down since ``unless_since``."""
    earlier = or_(api_tokens.c.used.is_(None), api_tokens.c.used <= unless_since)
    connection.execute(update(api_tokens).where(api_tokens.c.key == key, earlier).values(used=at))


# What was ordered --------------------------------------------------------------------------------


def request(connection: Connection, token: int, idempotency_key: str) -> RequestRow | None:
    wanted = select(api_requests.c.digest, api_requests.c.edition).where(
        api_requests.c.token == token, api_requests.c.idempotency_key == idempotency_key
    )
    found = connection.execute(wanted).first()
    return RequestRow(*found) if found else None


def add_request(
    connection: Connection, token: int, idempotency_key: str, row: RequestRow, made: datetime
) -> None:
    connection.execute(
        insert(api_requests).values(
            token=token,
            idempotency_key=idempotency_key,
            digest=row.digest,
            edition=row.edition,
            made=made,
        )
    )


def forget_requests(connection: Connection, before: datetime) -> None:
    connection.execute(delete(api_requests).where(api_requests.c.made < before))
