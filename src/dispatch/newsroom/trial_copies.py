"""Test copies: the newsletter as it would leave, to a few addresses, with nothing recorded.

The links in them are nobody's: they unsubscribe no one.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from dispatch.audience import addresses
from dispatch.errors import DeliveryError
from dispatch.mailing import dkim, relays
from dispatch.mailing.connections import connect
from dispatch.mailing.health import Relays
from dispatch.mailing.press import Press
from dispatch.mailing.transport import Connection, Copy, Result
from dispatch.newsroom import editions, keys, mailings
from dispatch.newsroom.database import database_of
from dispatch.newsroom.send import Order
from dispatch.settings import Settings
from dispatch.store.connection import Store

_MARK = "[Test] "


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one test copy."""

    email: str
    state: str
    reply: str

    def to_json(self) -> dict[str, str]:
        return {"email": self.email, "state": self.state, "reply": self.reply}


def send(order: Order, settings: Settings, now: datetime, to: Sequence[str]) -> list[Sent]:
    """Send a copy to each of these addresses.

    Raises:
        AudienceError: one is no address.
        ArticleError, TemplateError, SettingsError: as for a mailing.
        DeliveryError: no relay can be reached.
    """
    people = {person.key: person for person in map(addresses.parse, to)}.values()
    press = _press(order, settings, now)
    work = _Work(deque(press.copy(0, p.email, p.domain, None) for p in people))
    asyncio.run(_through_a_relay(work, settings))
    return [Sent(r.copy.recipient, r.kind, r.reply) for r in work.results]


def _press(order: Order, settings: Settings, now: datetime) -> editions.EditionPress:
    path = database_of(order.out)
    store = Store(path if path.exists() else None)  # of a test, nothing is left behind
    try:
        with store.transaction(keep=False) as connection:
            desk = editions.find_desk(connection, order.desk, settings)
            home = replace(settings, desk=order.desk)
            articles = editions.placed_articles(connection, order.names, home, now, None)
            content = editions.render(articles, desk, order.subject, settings)
            marked = replace(content.rendition, subject=_MARK + content.subject)
            content = replace(content, rendition=marked)
            composed = editions.composed(content, 0, secrets.token_hex(16), now, settings)
            tokens = keys.tokens(connection, settings, now)
    finally:
        store.close()
    own = dkim.keys_for(dkim.load(settings.dkim), composed.from_domain)
    return editions.EditionPress(Press(composed, tokens), dkim.Signer(own) if own else None)


async def _through_a_relay(work: _Work, settings: Settings) -> None:
    chance = random.Random()  # noqa: S311 - guards nothing
    choice = Relays(relays.parse_all(settings.smtp_url), chance)
    sentence = ""
    for _ in settings.smtp_url:
        relay = choice.choose({}, 0)
        if relay is None or not work.waiting:
            break
        connection = connect(relay, work, mailings.milliseconds)
        end = await connection.run()
        choice.ended(relay, end, 0)
        sentence = end.sentence or sentence
    if work.waiting:
        raise DeliveryError(f"{sentence or 'No relay took the test copy.'} Nothing was sent.")


class _Work:
    """A few copies, with no ledger behind them."""

    def __init__(self, waiting: deque[Copy]) -> None:
        self.waiting = waiting
        self.results: list[Result] = []

    def take(self, connection: Connection) -> Copy | None:
        with suppress(IndexError):
            return self.waiting.popleft()
        connection.finish()
        return None

    def leaving(self, copy: Copy) -> bool:  # noqa: ARG002
        return True

    def done(self, result: Result) -> None:
        if result.kind == "unsent":
            self.waiting.append(result.copy)
        else:
            self.results.append(result)
