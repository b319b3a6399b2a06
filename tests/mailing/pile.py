"""A pile of copies that a connection works off, and what it told of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dispatch.mailing.transport import Connection, Copy, Result


def copy(key: int, *, to: str | None = None, text: str = "Good morning.", **other: str) -> Copy:
    """A small newsletter to the reader with the number ``key``."""
    recipient = to or f"reader{key}@example.org"
    lines = [
        "From: World desk <world@example.org>",
        f"To: {recipient}" if recipient.isascii() else "To: undisclosed-recipients:;",
        "Date: Wed, 25 Nov 2026 07:00:00 +0000",
        f"Message-ID: <{key}@news.example.org>",
        "Subject: The morning letter",
        "",
        *text.split("\n"),
    ]
    data = "".join(line + "\r\n" for line in lines).encode("ascii")
    sender = other.get("sender", f"bounces+{key}@example.org")
    return Copy(key, sender, recipient, recipient.rpartition("@")[2], data)


class Pile:
    """Work of a fixed size: when all of it is taken the connection is told to finish.

    Args:
        leave: whether a copy may leave; asked as the ledger's journal would be.
    """

    def __init__(
        self, copies: Iterable[Copy], leave: Callable[[Copy], bool] = lambda _copy: True
    ) -> None:
        self.waiting = list(copies)
        self.left: list[Copy] = []
        self.results: list[Result] = []
        self._leave = leave

    def take(self, connection: Connection) -> Copy | None:
        if not self.waiting:
            connection.finish()
            return None
        return self.waiting.pop(0)

    def leaving(self, copy: Copy) -> bool:
        if not self._leave(copy):
            return False
        self.left.append(copy)
        return True

    def done(self, result: Result) -> None:
        self.results.append(result)

    def told(self) -> dict[int, str]:
        """Each copy's key, and what became of it; no copy may be told twice."""
        told = {result.copy.key: result.kind for result in self.results}
        assert len(told) == len(self.results)
        return {key: told[key] for key in sorted(told)}
