"""What passes between the sender and whatever carries mail away: relays, files, programs.

A :class:`Connection` takes one :class:`Copy` after another from its
:class:`Work` and tells what became of each. It knows nothing of editions, the
ledger or other connections; the sender knows nothing of SMTP. A new way to
send is a new Connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Copy:
    """One recipient's message, ready to go.

    ``data`` is the message as composed: ASCII, CRLF line ends, CRLF at the end,
    no dots doubled. ``sender`` and ``recipient`` are the envelope's addr-specs;
    ``recipient`` may hold UTF-8 in its local part.
    """

    key: int
    sender: str
    recipient: str
    domain: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one copy.

    Args:
        kind: ``unsent`` gives the copy back: it was not tried, or failed at no fault of its own,
            and nobody can have it. ``in_doubt``: its last byte left and no answer came.
        reply: the relay's words on one line, or a sentence of ours; hostile.
        code, status: the SMTP reply code and the enhanced status (RFC 3463), where there are any.
        blame: whom the answer is about. ``recipient``: this one (or their domain); ``sender``:
            MAIL FROM was refused, as it will be for everyone; ``content``: the message was refused
            after it was sent; ``relay``: the connection failed.
    """

    copy: Copy
    kind: Literal["accepted", "deferred", "bounced", "in_doubt", "unsent"]
    reply: str
    code: int | None = None
    status: str | None = None
    blame: Literal["recipient", "sender", "content", "relay"] | None = None


class Work(Protocol):
    """Where a connection gets its copies, and whom it tells. Called in the loop's thread."""

    def take(self, connection: Connection) -> Copy | None:
        """The next copy for it; None: nothing at present, wait to be poked."""

    def leaving(self, copy: Copy) -> bool:
        """The copy's last byte is about to leave. False: it must not; it is reported unsent."""

    def done(self, result: Result) -> None:
        """Once for each copy that was taken, in any order."""


@dataclass(frozen=True, slots=True)
class End:
    """Why a connection ended.

    Args:
        kind: ``finished``: it was told to, or reached its share of messages; ``down``: the relay
            cannot be reached or broke off, try later; ``tls``: the security that is required
            was not to be had; ``auth``: the user or password was refused, do not try again.
        sentence: for the person at the desk; never holds a secret.
    """

    kind: Literal["finished", "down", "tls", "auth"]
    sentence: str = ""


class Connection(Protocol):
    """One conversation with one relay (or one open file, one running program)."""

    async def run(self) -> End:
        """Connect, take copies until told to finish, and report every one that was taken."""

    def poke(self) -> None:
        """There may be work now."""

    def finish(self) -> None:
        """Take no more; end when what is in flight is answered."""

    def abort(self) -> None:
        """End at once; what is in flight is in doubt."""
