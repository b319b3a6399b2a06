"""A Work for the tests of connections: a list of copies, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dispatch.mailing.relays import parse
from dispatch.mailing.smtp import SmtpConnection
from dispatch.mailing.transport import Connection, Copy, End, Result


def copy(key: int, text: str = "Good morning.", recipient: str = "", size: int = 0) -> Copy:
    """A copy for the reader with this number; ``size`` fills it up to so many bytes."""
    recipient = recipient or f"reader{key}@example.org"
    head = (
        f"From: desk@example.com\r\nTo: reader{key}@example.org\r\nSubject: The morning\r\n"
        f"Message-ID: <{key}@news.example.com>\r\n\r\n{text}\r\n"
    ).encode()
    lines = max(0, size - len(head)) // 76
    data = head + (b"x" * 74 + b"\r\n") * lines
    return Copy(key, f"bounces+{key}@example.com", recipient, recipient.rpartition("@")[2], data)


def copies(count: int, size: int = 0) -> list[Copy]:
    return [copy(key, size=size) for key in range(1, count + 1)]


@dataclass
class Copies:
    """Gives ``waiting`` out one by one; tells the connection to finish when all are reported.

    ``may_leave`` answers for the journal.
    """

    waiting: list[Copy]
    may_leave: Callable[[Copy], bool] = lambda _copy: True
    taken: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    results: dict[int, Result] = field(default_factory=dict)
    connection: Connection | None = None

    def take(self, connection: Connection) -> Copy | None:
        self.connection = connection
        if not self.waiting:
            return None
        copy = self.waiting.pop(0)
        self.taken.append(copy.key)
        return copy

    def leaving(self, copy: Copy) -> bool:
        assert copy.key not in self.left
        if not self.may_leave(copy):
            return False
        self.left.append(copy.key)
        return True

    def done(self, result: Result) -> None:
        key = result.copy.key
        assert key in self.taken and key not in self.results, f"{key} was reported twice"
        if result.kind in ("accepted", "in_doubt"):
            assert key in self.left, f"{key} left without being journalled"
        self.results[key] = result
        if not self.waiting and len(self.results) == len(self.taken) and self.connection:
            self.connection.finish()

    @property
    def kinds(self) -> list[str]:
        """What became of each copy that was taken, in order."""
        return [self.results[key].kind for key in self.taken]


def send(url: str, work: Copies | Sequence[Copy], *more: str) -> tuple[Copies, End]:
    """One connection's run; ``more`` are options for the URL. Every taken copy was reported."""
    work = work if isinstance(work, Copies) else Copies(list(work))
    options = "&".join(more)
    relay = parse(f"{url}?{options}" if options else url)

    async def run() -> End:
        async with asyncio.timeout(20):
            return await SmtpConnection(relay, work).run()

    end = asyncio.run(run())
    assert sorted(work.results) == sorted(work.taken)
    return work, end
