"""A newsroom that people sign up with, without a web server; its time of day is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, select
from tests.web.served import NOW, Newsroom, newsroom

from dispatch.newsroom import confirming, keys, mailings, sending, signups, subscribers
from dispatch.newsroom.confirming import Click, Invitation
from dispatch.newsroom.own_templates import open_templates
from dispatch.settings import Settings
from dispatch.store import ledger, proof
from dispatch.store import signups as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.connection import Store
from dispatch.store.signups import SignupRow
from dispatch.store.subscribers import SubscriberRow
from dispatch.store.tables import editions, epoch, recipients
from dispatch.store.tables import signups as table


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was queued: its recipient's key, and what for."""

    key: int
    kind: str
    email: str
    state: str


@cache
def _pattern() -> tuple[TemporaryDirectory[str], Newsroom]:
    """A newsroom that each test has a copy of: publishing an article takes a while."""
    folder = TemporaryDirectory()
    return folder, newsroom(Path(folder.name))


def desk_in(folder: Path) -> Desk:
    """The World desk of a newsroom of its own in ``folder``."""
    _, room = _pattern()
    return Desk(Path(copytree(room.out, folder / "site")), room.settings, NOW)


class Desk:
    """The World desk of a newsroom in ``out``."""

    def __init__(self, out: Path, settings: Settings, now: datetime) -> None:
        self.out = out
        self.now = now
        self.settings = replace(settings, smtp_url=(f"file:{out / 'mails'}",))

    def set(self, **values: object) -> None:
        self.settings = replace(self.settings, **values)  # type: ignore[arg-type]

    def own(self, **variables: str) -> None:
        """Set what is set for a desk: ``access``, ``confirm_within`` and the like."""
        given = {f"DISPATCH_{name.upper()}__WORLD": value for name, value in variables.items()}
        self.set(values={**self.settings.values, **given})

    @contextmanager
    def database(self) -> Iterator[Connection]:
        opened = Store(self.out / "dispatch.db")
        try:
            with opened.transaction() as connection:
                yield connection
        finally:
            opened.close()

    # What people do --------------------------------------------------------------------------

    def ask(self, *emails: str, desk: str = "world", **facts: str) -> None:
        """Fill in the form."""
        values = {"source": "sign-up page", "text": "Send me World.", "ip": "192.0.2.7", **facts}
        rows = [signups.asked_for(email, desk, at=self.now, **values) for email in emails]  # type: ignore[arg-type]
        with self.database() as connection:
            store.write_down(connection, rows)

    def click(
        self, key: int, *, desk: str = "world", ip: str = "198.51.100.4"
    ) -> Invitation | None:
        """Press the button that the link in a confirmation leads to."""
        templates = open_templates(self.settings)
        with self.database() as connection:
            tokens = keys.tokens(connection, self.settings, self.now)
            click = Click(key, desk, ip, self.now)
            return confirming.confirm(connection, click, templates, tokens, self.settings)

    def look(self, key: int, *, desk: str = "world") -> Invitation | None:
        """Follow the link, and press nothing."""
        with self.database() as connection:
            return confirming.invitation(connection, key, desk, self.settings, self.now)

    def join(self, email: str, **facts: str) -> None:
        """Become a subscriber, by the form and the click."""
        self.ask(email, **facts)
        self.work()
        self.click(self.mails(email)[-1].key)

    def leave(self, email: str, desk: str = "world") -> None:
        subscribers.remove(email, desk, self.out, self.now, everywhere=False)

    # What Dispatch does ----------------------------------------------------------------------

    def work(self) -> None:
        """One round of ``dispatch run``."""
        signups.work(self.out, self.settings, self.now)

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)

    def send(self, said: list[str] | None = None) -> dict[str, EmailMessage]:
        """Send what is due. Returns all mails so far, by their recipient; of several the last."""
        told = said if said is not None else []
        follower = sending.Follower(said=told.append)
        sending.run(self.out, self.settings, follower, once=True, patience=0.2)
        found: dict[str, EmailMessage] = {}
        for file in sorted((self.out / "mails").glob("*.eml"), key=lambda f: f.stat().st_mtime_ns):
            message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
            assert isinstance(message, EmailMessage)
            found[str(message["X-Original-To"])] = message
        return found

    # What is known ---------------------------------------------------------------------------

    def person(self, email: str, desk: str = "world") -> SubscriberRow | None:
        with self.database() as connection:
            return subscriber_store.at_desk(connection, desk, [email]).get(email)

    def state(self, email: str, desk: str = "world") -> str | None:
        person = self.person(email, desk)
        return person and person.state

    def mails(self, email: str | None = None) -> list[Mail]:
        """What was queued, the first one first; the sums of each mailing are proven."""
        query = (
            select(recipients.c.key, editions.c.kind, recipients.c.email, recipients.c.state)
            .join(editions, editions.c.key == recipients.c.edition)
            .order_by(recipients.c.key)
        )
        with self.database() as connection:
            for row in ledger.every(connection, on_demand=True):
                found = proof.verify(connection, row.edition)
                assert found is not None
                assert found.findings == ()
            rows = [Mail(*row) for row in connection.execute(query)]
        return [row for row in rows if email in (None, row.email)]

    def kinds(self, email: str | None = None) -> list[str]:
        return [mail.kind for mail in self.mails(email)]

    def rows(self) -> list[SignupRow]:
        with self.database() as connection:
            found = connection.execute(select(table).order_by(table.c.key)).mappings()
            return [SignupRow(**row) for row in found]

    def outcomes(self) -> list[str | None]:
        return [row.outcome for row in self.rows()]

    def listed(self, *, on_demand: bool) -> list[str]:
        found = mailings.every(self.out, on_demand=on_demand)
        return [mailing.subject for mailing in found]

    @property
    def milliseconds(self) -> int:
        return epoch(self.now)
