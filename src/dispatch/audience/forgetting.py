"""Forgetting people, and still knowing whom not to take in again.

What stays of somebody who asked to be forgotten is an HMAC of their address,
made with a random key of this newsroom, the salt: without it nobody can tell
the address, or try a list of addresses against it.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import Connection

from dispatch.store import feed_tokens, ledger, signups
from dispatch.store import subscribers as store
from dispatch.store.tables import epoch

SALT = "forgotten"
"""The name of the salt among the secrets."""


def hash_of(salt: str, address_key: str) -> str:
    """What stays of an address."""
    return hmac.digest(salt.encode(), address_key.encode(), "sha256").hex()


def forget(connection: Connection, address_key: str, salt: str, now: datetime) -> int:
    """Erase a person at every desk; what was sent to them remains as numbers alone.

    Returns:
        How many desks' subscriber they were.
    """
    store.shred(connection)
    rows = store.of_person(connection, address_key)
    for row in rows:
        ledger.erase_subscriber(connection, row.key, epoch(now))
        feed_tokens.erase(connection, row.key, now)
    store.erase(connection, address_key)
    signups.erase(connection, address_key)
    store.forget(connection, hash_of(salt, address_key), now)
    return len(rows)
