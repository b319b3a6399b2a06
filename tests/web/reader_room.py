"""A served newsroom whose readers have got a mailing, and the links that stood in their copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Connection
from starlette.testclient import TestClient
from tests.web import served
from tests.web.served import ARTICLE, NOW

from dispatch.audience import addresses
from dispatch.newsroom import keys, publish, send, subscribers
from dispatch.newsroom.database import database_of
from dispatch.newsroom.send import Order
from dispatch.newsroom.subscribers import Profile
from dispatch.settings import Settings
from dispatch.store import ledger, proof, recipients
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.subscribers import SubscriberRow
from dispatch.web.site import Site

IDA = "ida@example.org"


@dataclass(frozen=True, slots=True)
class Readers:
    """The newsroom; ``mailing`` is the number of what was sent last."""

    news: served.Newsroom

    @property
    def out(self) -> Path:
        return self.news.out

    @property
    def settings(self) -> Settings:
        return self.news.settings

    def publishes(self, desk: str) -> None:
        """Another desk comes to be."""
        article = self.out.parent / f"{desk}.txt"
        article.write_text(f"News of {desk}\n\n{ARTICLE}", encoding="utf-8")
        watch = publish.Watch(lambda outcome: None)
        home = replace(self.settings, desk=desk)
        publish.publish([str(article)], publish.Options(self.out), home, NOW, watch)

    def mail(self, desk: str = "world") -> int:
        """Make a mailing to all of a desk; its copies wait. Returns its number."""
        article = self.out.parent / f"mailed-to-{desk}.txt"
        article.write_text(ARTICLE, encoding="utf-8")
        order = Order(self.out, (str(article),), desk, again=True)
        return send.make(order, replace(self.settings, desk=desk), NOW).mailing

    def path(self, page: str, email: str = IDA, desk: str = "world") -> str:
        """Where a link of somebody's newest copy leads: ``/world/unsubscribe/1-…``."""
        with self.database() as connection:
            row = self.row(email, desk, connection)
            copy = recipients.history(connection, row.key)[0]
            found = recipients.of_subscriber(connection, copy.edition, row.key)
            assert found is not None
            token = keys.tokens(connection, self.settings, NOW).link(found.key)
        return f"/{desk}/{page}/{token}"

    def row(
        self, email: str = IDA, desk: str = "world", connection: Connection | None = None
    ) -> SubscriberRow:
        if connection is None:
            with self.database() as connection:
                return self.row(email, desk, connection)
        key = addresses.parse(email).key
        return store.at_desk(connection, desk, [key])[key]

    def state(self, email: str = IDA, desk: str = "world") -> str:
        return self.row(email, desk).state

    def show(self, email: str = IDA) -> Profile:
        return subscribers.show(email, self.out, NOW)

    def copies(self, email: str = IDA) -> list[str]:
        """The states of somebody's copies, newest first, at all desks."""
        subscriptions = self.show(email).subscriptions
        return [mail.state for each in subscriptions for mail in each.mails]

    def copied(self, folder: Path) -> Readers:
        """The same in another folder: making one takes half a second, copying it a hundredth."""
        shutil.copytree(self.out, folder / self.out.name)
        return Readers(served.Newsroom(folder / self.out.name, self.settings))

    def proven(self) -> bool:
        """Whether the sums of every mailing are right."""
        with self.database() as connection:
            found = [proof.verify(connection, row.edition) for row in ledger.every(connection)]
        return all(each is not None and not each.findings for each in found)

    @contextmanager
    def database(self) -> Iterator[Connection]:
        database = Store(database_of(self.out))
        try:
            with database.transaction() as connection:
                yield connection
        finally:
            database.close()


def readers(folder: Path, *emails: str, **variables: str) -> Readers:
    """A newsroom whose World desk has these readers, each with a copy that waits."""
    room = Readers(served.newsroom(folder, smtp_url=f"file:{folder / 'mail'}", **variables))
    for email in emails or (IDA,):
        room.news.subscribe(email)
    room.mail()
    return room


def press(client: TestClient, path: str, do: str, **fields: str) -> Any:
    """Fetch the page at ``path``, and press the button ``do`` of it, with fields changed.

    A field that is given as an empty text is sent as a box that is not ticked: not at all.
    """
    page = html.fromstring(client.get(path).content)
    for form in page.forms:
        sent = {name: value or "" for name, value in form.form_values()}
        buttons = form.xpath(".//button[@name='do']/@value") or [sent.get("do")]
        if do in buttons:
            changed = {**sent, **fields, "do": do}
            kept = {n: v for n, v in changed.items() if v or n.startswith("was-")}
            return client.post(path, data=kept)
    raise AssertionError(f"there is no button {do!r} at {path}")


def at(monkeypatch: pytest.MonkeyPatch, moment: Any) -> None:
    """What time it is for the site from now on."""
    monkeypatch.setattr(Site, "now", staticmethod(lambda: moment))
