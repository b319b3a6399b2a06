"""A served newsroom whose World desk is for subscribers, and who they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from tests.web import served
from tests.web.served import NOW, SITE_URL

from dispatch.audience import addresses
from dispatch.desk import Desk
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import feed_tokens, keys
from dispatch.newsroom.database import database_of
from dispatch.newsroom.desks import known_desk
from dispatch.store import subscribers as store
from dispatch.store.connection import Store


@dataclass(frozen=True, slots=True)
class Members:
    """The newsroom, with ways to look after its subscribers' personal feeds."""

    news: served.Newsroom

    def feeds(self, email: str, desk: str = "world") -> dict[str, str]:
        """The paths of a subscriber's personal feeds, by form."""
        with self._connection() as connection:
            of, tokens = self._desk(connection, desk), self._tokens(connection)
            key = self.key(connection, email, desk)
            made = feed_tokens.personal_feeds(connection, key, of, tokens, NOW)
        return {form: url.removeprefix(SITE_URL) for form, url in made.items()}

    def renew(self, email: str, desk: str = "world") -> dict[str, str]:
        """New paths; those before no longer work."""
        with self._connection() as connection:
            of, tokens = self._desk(connection, desk), self._tokens(connection)
            key = self.key(connection, email, desk)
            made = feed_tokens.renew(connection, key, of, tokens, NOW)
        return {form: url.removeprefix(SITE_URL) for form, url in made.items()}

    def shared(self) -> list[feed_tokens.Shared]:
        with self._connection() as connection:
            return feed_tokens.shared(connection, NOW)

    @staticmethod
    def key(connection: Connection, email: str, desk: str = "world") -> int:
        address = addresses.parse(email).key
        return store.at_desk(connection, desk, [address])[address].key

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        database = Store(database_of(self.news.out))
        try:
            with database.transaction() as connection:
                yield connection
        finally:
            database.close()

    def _desk(self, connection: Connection, slug: str) -> Desk:
        found = known_desk(connection, slug, self.news.settings)
        assert found is not None
        return found

    def _tokens(self, connection: Connection) -> Tokens:
        return keys.tokens(connection, self.news.settings, NOW)


def members(folder: Path, **variables: str) -> Members:
    """A newsroom in ``folder`` with Ada and Ben, who read its World desk."""
    news = served.newsroom(folder, **{"access": "members", **variables})
    for name in ("ada", "ben"):
        news.subscribe(f"{name}@reader.example.org")
    return Members(news)


ADA, BEN = "ada@reader.example.org", "ben@reader.example.org"
