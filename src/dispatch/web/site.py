"""What the handlers of requests share: settings, the database, templates and the keys of links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from dispatch.desk import Desk
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import keys
from dispatch.newsroom.database import database_of
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store.connection import Store
from dispatch.store.gathering import Gathering
from dispatch.web.forms import Stamps

_PATIENCE = 15
"""Seconds for which somebody who writes to the database is waited for; a proxy or a reader in front
waits little longer."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Site:
    """A newsroom's site, for as long as it is served.

    Nothing in it may wait on the event loop's thread: :meth:`read` and
    :meth:`write` are how handlers reach the database.

    Args:
        out: the folder that holds the database and ``public/``.

    Raises:
        StoreError: the database cannot be opened or made.
        SettingsError: a setting makes no sense.
    """

    def __init__(self, out: Path, settings: Settings) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out = out
        self.settings = settings
        self.templates: Templates = open_templates(settings)
        self.store = Store(database_of(out), pooled=True, wait=_PATIENCE)
        with self.store.transaction() as connection:
            self.tokens: Tokens = keys.tokens(connection, settings, self.now())
            self.stamps = Stamps(keys.form_key(connection, self.now()))
        self.gathering = Gathering(self.store)

    @staticmethod
    def now() -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)

    async def desk(self, slug: str) -> Desk | None:
        """The desk of this slug, or None where nothing is known of one."""
        return await self.read(known_desk, slug, self.settings)

    async def read(self, ask: Callable[..., Result], *values: object) -> Result:
        """``ask(connection, *values)`` in a thread, in a transaction that only reads.

        Raises:
            StoreError: the database is damaged; and whatever ``ask`` raises.
        """

        def asked() -> Result:
            with self.store.reading() as connection:
                return ask(connection, *values)

        return await asyncio.to_thread(asked)

    async def write(self, work: Callable[..., Result], *values: object) -> Result:
        """``work(connection, *values)`` in the next group commit; returns once it is durable.

        Raises:
            StoreError: it cannot be written; and whatever ``work`` raises, who is undone alone.
        """
        return await self.gathering.together(lambda c, _items: [work(c, *values)], None)

    async def write_together(
        self, together: Callable[[Connection, Sequence[Item]], Sequence[Result]], item: Item
    ) -> Result:
        """The same for work that is done for many at once (:class:`Gathering`)."""
        return await self.gathering.together(together, item)

    def close(self) -> None:
        """Finish what was asked for."""
        self.gathering.close()
        self.store.close()


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    site: Site = request.app.state.site
    return site


def ip_of(request: Request) -> str | None:
    """The IP address that a request comes from, as far as it is known."""
    return request.client.host if request.client else None
