"""The keys that sign personal links: from the settings, or made once and kept in the database."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection

from dispatch.mailing.tokens import Tokens
from dispatch.settings import Settings
from dispatch.store import subscribers as store

_NAME = "tokens"


def tokens(connection: Connection, settings: Settings, now: datetime) -> Tokens:
    """What signs and verifies personal links.

    The newest key signs, all verify. The one that the database keeps verifies
    even where the settings have others: links made before they did still work.
    """
    stored = store.secret(connection, _NAME, lambda: secrets.token_urlsafe(32), now)
    return Tokens((*settings.secret_keys, stored))


def form_key(connection: Connection, now: datetime) -> str:
    """What signs the forms of the site."""
    return store.secret(connection, "forms", lambda: secrets.token_urlsafe(32), now)
