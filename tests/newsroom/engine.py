"""A newsroom that really sends, to scripted relays; its time of day is moved by hand."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest
from tests.newsroom.desk_room import Newsroom
from tests.servers.smtp import SmtpServer

from dispatch.newsroom import mailings, sending
from dispatch.newsroom.mailings import Mailing, Recipient
from dispatch.newsroom.sending import Ended
from dispatch.store import subscribers
from dispatch.store.connection import Store
from dispatch.store.tables import epoch

MINUTE = 60_000


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Every run ends: one that hangs fails the test."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it did not end within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Engine(Newsroom):
    """See :class:`~tests.newsroom.desk_room.Newsroom`; ``said`` is what was told on the way."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.said: list[str] = []
        self.wall = epoch(self.now)
        monkeypatch.setattr(mailings, "milliseconds", lambda: self.wall)
        self.settings = replace(self.settings, smtp_connections=4)

    def through(self, *relays: SmtpServer | str, **settings: object) -> None:
        """Use these relays from now on."""
        urls = tuple(r if isinstance(r, str) else r.url for r in relays)
        self.settings = replace(self.settings, smtp_url=urls, **settings)  # type: ignore[arg-type]

    def mailing(self, *readers: str | int, desk: str = "world", **options: object) -> int:
        """A mailing to these readers; a number stands for so many at example.org."""
        emails: list[str] = []
        for reader in readers:
            emails += [reader] if isinstance(reader, str) else addresses(reader)
        self.subscribe(*emails, desk=desk)
        article = self.article(f"{desk}.md", f"The Ferry Is Back ({desk})")
        return self.make(article, desk=desk, **options).mailing

    def send(
        self,
        number: int = 1,
        *,
        patience: float = 0.2,
        stopped: Callable[[], bool] = lambda: False,
        step: Callable[[int], None] = lambda _copies: None,
    ) -> Ended:
        follower = sending.Follower(step, self.said.append, stopped)
        with within(30):
            return sending.send(self.out, number, self.settings, follower, patience)

    def run(self, *, once: bool = True, stopped: Callable[[], bool] = lambda: False) -> Ended:
        follower = sending.Follower(said=self.said.append, stopped=stopped)
        with within(30):
            return sending.run(self.out, self.settings, follower, once=once, patience=0.2)

    def retry(self, state: str, number: int = 1) -> None:
        mailings.retry(self.out, number, state, self.now)

    def show(self, number: int = 1) -> Mailing:
        return mailings.show(self.out, number)

    def counts(self, number: int = 1) -> Counter[str]:
        """How many are in each state, without those that nobody is in; the sums are proven."""
        assert mailings.verify(self.out, number).findings == ()
        return +Counter(self.show(number).counts)

    def copy(self, email: str, number: int = 1) -> Recipient:
        """What is told of one recipient."""
        with mailings.recipients(self.out, number, email=email) as found:
            (row,) = found
            return row

    def subscriber_state(self, email: str, desk: str = "world") -> str:
        store = Store(self.out / "dispatch.db")
        try:
            with store.transaction() as connection:
                return subscribers.at_desk(connection, desk, [email])[email].state
        finally:
            store.close()


def addresses(count: int, domain: str = "example.org") -> list[str]:
    return [f"reader{n}@{domain}" for n in range(1, count + 1)]
