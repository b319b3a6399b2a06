"""Reading what came back, and what follows from it for subscribers and the ledger.

Each message is one transaction: what it says is counted, the copy's row in the
ledger and the subscriber's state move together, and only then is the message
marked as read. A crash between the two has it read once more, which is harmless.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Literal

from sqlalchemy import Connection

from dispatch.audience import states
from dispatch.errors import SettingsError
from dispatch.mailing.bounces import Understood, understand
from dispatch.mailing.bounces.mailboxes import Letter, Mailbox, open_mailbox
from dispatch.mailing.bounces.severity import Verdict, judge
from dispatch.mailing.harmless import harmless
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import keys, mailings
from dispatch.newsroom.database import opened
from dispatch.settings import Settings
from dispatch.store import bounces as store
from dispatch.store import subscribers as audience_store
from dispatch.store.bounces import BounceRow, CopyRow
from dispatch.store.standing import Standing

Outcome = Literal[
    "bounced_hard", "bounced_soft", "complaints", "unsubscribed", "ignored", "unknown", "forged",
    "duplicates",
]  # fmt: skip
"""What became of a message. ``ignored``: an automatic answer, or a notice of delay or delivery."""

OUTCOMES: tuple[Outcome, ...] = (
    "bounced_hard", "bounced_soft", "complaints", "unsubscribed", "ignored", "unknown", "forged",
    "duplicates",
)  # fmt: skip

_NOTHING_SENT = "so nothing was sent from here: say with --out where it is."
_FOR_A_PERSON = ("unknown", "forged")
_AS_COUNTED: dict[store.Kind, Outcome] = {
    "hard": "bounced_hard",
    "soft": "bounced_soft",
    "complaint": "complaints",
    "unsubscribe": "unsubscribed",
}


@dataclass(slots=True)
class Tally:
    """How many messages were read, and how many became what: the sum is ``read``."""

    read: int = 0
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    unclear: list[tuple[str, str]] = field(default_factory=list)
    """Where the first few that need a person lie, and why."""

    def count(self, letter: Letter, outcome: Outcome, why: str) -> None:
        self.read += 1
        self.counts[outcome] += 1
        if outcome in _FOR_A_PERSON and len(self.unclear) < 10:
            self.unclear.append((letter.name, why))

    def to_json(self) -> dict[str, object]:
        counts: dict[str, object] = dict(self.counts.items())
        return {"read": self.read, **counts}


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for; the options of ``dispatch bounces read``.

    ``source`` None is the one that is set; ``came_to`` is the address that a
    message on standard input was sent to.
    """

    out: Path
    source: str | None = None
    came_to: str | None = None
    again: bool = False


def read(
    order: Order,
    settings: Settings,
    clock: Callable[[], datetime],
    stdin: BinaryIO,
    stopped: Callable[[], bool] = lambda: False,
) -> Tally:
    """Read all that is unread, and act on what carries a token that this newsroom signed.

    Raises:
        SettingsError: no source is named or set.
        DeliveryError: the source cannot be read.
        StoreError: there is no database, or it cannot be written; the message at hand stays unread.
    """
    source = order.source or settings.bounces
    if not source:
        raise SettingsError(
            "Nothing says where bounces are: name a Maildir, an mbox file or an IMAP folder, "
            "or set DISPATCH_BOUNCES."
        )
    tally = Tally()
    with opened(order.out, _NOTHING_SENT) as found, closing(Standing(found)) as database:
        with database.transaction() as connection:
            tokens = keys.tokens(connection, settings, clock())
        with open_mailbox(source, stdin, order.again) as mailbox:
            reader = _Reader(database, mailbox, tokens, settings, clock, order.came_to)
            for letter in mailbox.letters():
                outcome, why = reader.take(letter)
                mailbox.settle(letter, outcome not in _FOR_A_PERSON)
                tally.count(letter, outcome, why)
                if stopped():
                    break
    return tally


def recent(out: Path, desk: str | None, limit: int) -> list[BounceRow]:
    """What came back last, the newest first.

    Raises:
        StoreError: there is no database.
    """
    with opened(out, _NOTHING_SENT) as database, database.transaction() as connection:
        return store.recent(connection, desk, limit)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes one letter after the other."""

    database: Standing
    mailbox: Mailbox
    tokens: Tokens
    settings: Settings
    clock: Callable[[], datetime]
    came_to: str | None

    def take(self, letter: Letter) -> tuple[Outcome, str]:
        """What became of a letter, and why."""
        understood = understand(
            letter.data, self.tokens.read_verp, self.tokens.read_link, self.came_to
        )
        if understood.kind in ("unknown", "forged"):
            return understood.kind, understood.why
        message = sha256(letter.data).hexdigest()
        if understood.kind == "ignored" and self.mailbox.keeps_marks:
            return "ignored", understood.why
        with self.database.transaction() as connection:
            if not self.mailbox.keeps_marks and store.is_seen(connection, message):
                return "duplicates", ""
            if understood.recipient is None:
                return self._ignored(connection, message, understood.why)
            return self._act(connection, message, understood, understood.recipient)

    def _act(
        self, connection: Connection, message: str, understood: Understood, recipient: int
    ) -> tuple[Outcome, str]:
        copy = store.copy(connection, recipient)
        if copy is None:
            return "unknown", "It is about a copy that is not in this database."
        effect = Effect(connection, message, copy, self.settings, self.clock())
        if understood.kind == "complaint":
            return effect.complaint(), ""
        if understood.kind == "unsubscribe":
            return effect.unsubscribe(), ""
        verdict = judge(understood.reports, copy.email)
        if verdict is None:
            return self._ignored(connection, message, "The copy reached somebody, or may yet.")
        return effect.bounce(verdict), ""

    def _ignored(self, connection: Connection, message: str, why: str) -> tuple[Outcome, str]:
        if not self.mailbox.keeps_marks:
            store.add(connection, message, None, "seen", None, "", self.clock())
        return "ignored", why


@dataclass(frozen=True, slots=True)
class Effect:
    """What one message changes for one copy and its subscriber, in one transaction."""

    connection: Connection
    message: str
    copy: CopyRow
    settings: Settings
    now: datetime

    def bounce(self, verdict: Verdict) -> Outcome:
        """A copy that did not arrive; the subscriber leaves at once, or after several."""
        if not self._add(verdict.severity, verdict.status, harmless(verdict.reason)):
            return "duplicates"
        reply = self._reply(verdict)
        store.record_bounce(self.connection, self.copy, reply, self.now)
        if verdict.severity == "hard" or self._is_one_too_many():
            self._leave(
                "bounced", f"{verdict.severity} bounce of mailing {self.copy.edition}: {reply}"
            )
        return _AS_COUNTED[verdict.severity]

    def complaint(self) -> Outcome:
        """A reader calls it spam: this desk never writes to that address again."""
        cause = f"complaint about mailing {self.copy.edition}"
        if not self._add("complaint", None, cause):
            return "duplicates"
        subscriber = self._subscriber()
        if subscriber is not None:
            audience_store.suppress(
                self.connection, subscriber.address_key, subscriber.desk, cause, self.now
            )
        self._leave("complained", cause)
        return "complaints"

    def unsubscribe(self) -> Outcome:
        cause = f"unsubscribe message, by the address in mailing {self.copy.edition}"
        if not self._add("unsubscribe", None, cause):
            return "duplicates"
        self._leave("unsubscribed", cause)
        return "unsubscribed"

    def _add(self, kind: store.Kind, status: str | None, reason: str) -> bool:
        """Count it. False where it was counted, or the same is known of the copy."""
        connection, copy = self.connection, self.copy
        if store.is_counted(connection, self.message, copy.key):
            return False
        if store.is_said(connection, copy, kind) and not self._is_news(kind):
            return False
        if copy.is_forgotten:
            reason = "forgotten"  # the words of a bounce can hold the address
        store.add(connection, self.message, copy, kind, status, reason, self.now)
        return True

    def _reply(self, verdict: Verdict) -> str:
        """What the ledger keeps: the words, and the status code where they do not hold it."""
        if self.copy.is_forgotten:
            return verdict.status or "Bounced"
        words = harmless(verdict.reason)
        return words if (verdict.status or "") in words else f"{verdict.status}: {words}"

    def _is_news(self, kind: store.Kind) -> bool:
        """Whether another message that says what one said before of the copy counts.

        A copy bounces once, unless it was sent again since; and who left, came
        back and leaves again by an old copy's address means it.
        """
        if kind in ("hard", "soft"):
            return self.copy.state in store.MAY_BOUNCE
        subscriber = self._subscriber()
        return subscriber is not None and subscriber.state not in states.GONE

    def _is_one_too_many(self) -> bool:
        if self.copy.subscriber is None:
            return False
        since = self.now - timedelta(days=self.settings.soft_bounce_days)
        count = store.soft_in_a_row(self.connection, self.copy.subscriber, since)
        return count >= self.settings.soft_bounces

    def _leave(self, after: states.State, cause: str) -> None:
        """Move the subscriber, unless they are gone already or forgotten."""
        subscriber = self._subscriber()
        if subscriber is not None and states.is_lawful(subscriber.state, after):
            states.move(self.connection, subscriber.key, after, cause, self.now)

    def _subscriber(self) -> audience_store.SubscriberRow | None:
        if self.copy.subscriber is None:
            return None
        return audience_store.subscriber(self.connection, self.copy.subscriber)


def round_(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Read what came back, where a mailbox is set (DISPATCH_BOUNCES), and say what it was."""
    if not settings.bounces:
        return
    tally = read(Order(out), settings, mailings.now, io.BytesIO(), stopped)
    if tally.read:
        counted = ", ".join(
            f"{count:,} {outcome.replace('_', ' ')}"
            for outcome, count in tally.counts.items()
            if count
        )
        said(f"{tally.read:,} messages came back: {counted}.")
