"""What a message that came back changes: for the subscriber, in the ledger, and once."""

from __future__ import annotations

import io
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from tests.mailing.returned import sample
from tests.servers import postfix

from dispatch.audience import states
from dispatch.audience.states import Consent
from dispatch.errors import SettingsError, StoreError
from dispatch.ledger.facts import STATES
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import bounces
from dispatch.newsroom.bounces import Order
from dispatch.settings import Settings
from dispatch.store import ledger, subscribers
from dispatch.store import tables as t
from dispatch.store.connection import Store

KEY = "a-key-of-this-newsroom-long-enough"
SETTINGS = Settings(secret_keys=(KEY,))
TOKENS = Tokens([KEY])
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANN, EMAIL = 1, "ann@example.net"
NOTHING = dict.fromkeys(bounces.OUTCOMES, 0)


@dataclass
class Newsroom:
    """One subscriber, Ann, and any number of editions that were sent to her."""

    out: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        for name in ("new", "cur", "tmp"):
            (self.out / "Maildir" / name).mkdir(parents=True)
        self.store = Store(self.out / "dispatch.db")
        person = {"desk": "world", "address_key": EMAIL, "email": EMAIL, "domain": "example.net"}
        with self.store.transaction() as connection:
            connection.execute(
                insert(t.subscribers).values(
                    key=ANN, **person, state="active", created=NOW, changed=NOW
                )
            )

    def edition(self, state: str = "accepted") -> int:
        """Send one more edition to Ann; the key of her copy."""
        with self.store.transaction() as connection:
            made = insert(t.editions).values(
                desk="world", subject="Talks", made=self.now, seed="s", token_key="k"
            )
            edition = connection.execute(made).inserted_primary_key[0]
            connection.execute(
                insert(t.mailings).values(
                    edition=edition, state="sending", due=self.now, in_doubt="hold", candidates=1
                )
            )
            counts = [{"edition": edition, "state": s, "count": int(s == state)} for s in STATES]
            connection.execute(insert(t.mailing_counts), counts)
            copy = insert(t.recipients).values(
                edition=edition, subscriber=ANN, email=EMAIL, domain="example.net", state=state,
                due=0,
            )  # fmt: skip
            return int(connection.execute(copy).inserted_primary_key[0])

    def receive(self, name: str, copy: int, more: bytes = b"") -> Path:
        """A sample about a copy, into the Maildir; ``more`` are headers of this delivery."""
        number = len(list((self.out / "Maildir").rglob("*.*")))
        path = self.out / "Maildir" / "new" / f"{number}.host"
        path.write_bytes(more + sample(name, copy, TOKENS))
        return path

    def read(self, source: object = None, settings: Settings = SETTINGS, **order: object) -> dict:
        asked = Order(self.out, str(source or self.out / "Maildir"), **order)  # type: ignore[arg-type]
        tally = bounces.read(asked, settings, lambda: self.now, io.BytesIO())
        assert tally.read == sum(tally.counts.values())
        return {outcome: count for outcome, count in tally.counts.items() if count}

    def ann(self) -> str:
        with self.store.transaction() as connection:
            row = subscribers.subscriber(connection, ANN)
            assert row
            return row.state

    def history(self) -> list[str]:
        with self.store.transaction() as connection:
            return [move.cause for move in subscribers.moves_of(connection, ANN)]

    def comes_back(self) -> None:
        with self.store.transaction() as connection:
            consent = Consent("sign-up form", self.now)
            states.move(connection, ANN, "active", "asked again", self.now, consent)

    def copy(self, key: int) -> tuple[str, str | None]:
        """Its state and reply; the counts of its mailing say the same."""
        with self.store.transaction() as connection:
            edition, state, reply = connection.execute(
                select(t.recipients.c.edition, t.recipients.c.state, t.recipients.c.reply).where(
                    t.recipients.c.key == key
                )
            ).one()
            counts = connection.execute(
                select(t.mailing_counts.c.state, t.mailing_counts.c.count).where(
                    t.mailing_counts.c.edition == edition, t.mailing_counts.c.count != 0
                )
            ).all()
        assert counts == [(state, 1)]
        return state, reply

    def rows(self) -> list[tuple[str, str | None, str]]:
        with self.store.transaction() as connection:
            columns = (t.bounces.c.kind, t.bounces.c.status, t.bounces.c.reason)
            found = connection.execute(select(*columns).order_by(t.bounces.c.key))
            return [(kind, status, reason) for kind, status, reason in found]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    room = Newsroom(tmp_path)
    yield room
    room.store.close()


# What follows from a message -----------------------------------------------------------------------


def test_a_hard_bounce_ends_the_subscription_at_once(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("postfix-unknown-user", copy)
    assert newsroom.read() == {"bounced_hard": 1}
    assert newsroom.ann() == "bounced"
    state, reply = newsroom.copy(copy)
    assert state == "bounced"
    assert reply and reply.startswith("550 5.1.1 <ann@example.net>: Recipient address")
    assert newsroom.history() == [f"hard bounce of mailing 1: {reply}"]


def test_copies_that_still_wait_are_not_sent_after_it(newsroom: Newsroom) -> None:
    bounced, waiting = newsroom.edition(), newsroom.edition("queued")
    newsroom.receive("postfix-unknown-user", bounced)
    newsroom.read()
    assert newsroom.copy(waiting)[0] == "suppressed"


def test_soft_bounces_in_a_row_end_it_as_well(newsroom: Newsroom) -> None:
    for expected in ("active", "active", "bounced"):
        copy = newsroom.edition()
        newsroom.receive("sendmail-mailbox-full", copy)
        assert newsroom.read() == {"bounced_soft": 1}
        assert newsroom.copy(copy) == ("bounced", "552 5.2.2 Over quota")
        assert newsroom.ann() == expected
        newsroom.now += timedelta(days=1)


def test_a_copy_that_got_through_between_breaks_the_row(newsroom: Newsroom) -> None:
    copies = [newsroom.edition() for _ in range(5)]
    for n in (0, 1, 3, 4):
        newsroom.receive("sendmail-mailbox-full", copies[n])
    newsroom.read()
    assert newsroom.ann() == "active"
    newsroom.receive("sendmail-mailbox-full", copies[2])  # it came late, and closes the gap
    newsroom.read()
    assert newsroom.ann() == "bounced"


def test_copies_that_may_bounce_yet_do_not_break_the_row(newsroom: Newsroom) -> None:
    copies = [newsroom.edition() for _ in range(6)]
    for n in (2, 0, 1):  # in any order
        newsroom.receive("sendmail-mailbox-full", copies[n])
        newsroom.read()
    assert newsroom.ann() == "bounced"


def test_a_soft_bounce_is_forgotten_in_time(newsroom: Newsroom) -> None:
    for days in (0, 20, 40, 60):
        newsroom.now = NOW + timedelta(days=days)
        newsroom.receive("sendmail-mailbox-full", newsroom.edition())
        newsroom.read()
        assert newsroom.ann() == "active"
    newsroom.now += timedelta(days=5)
    newsroom.receive("sendmail-mailbox-full", newsroom.edition())
    newsroom.read()
    assert newsroom.ann() == "bounced"


def test_how_many_and_how_long_can_be_set(newsroom: Newsroom) -> None:
    newsroom.receive("sendmail-mailbox-full", newsroom.edition())
    assert newsroom.read(settings=replace(SETTINGS, soft_bounces=1)) == {"bounced_soft": 1}
    assert newsroom.ann() == "bounced"


def test_several_reports_of_one_copy_count_once(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    for n in range(5):
        newsroom.receive("sendmail-mailbox-full", copy, b"X-Delivery: %d\n" % n)
    assert newsroom.read() == {"bounced_soft": 1, "duplicates": 4}
    assert newsroom.ann() == "active"


def test_a_copy_that_was_sent_again_can_bounce_again(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("sendmail-mailbox-full", copy)
    newsroom.read()
    with newsroom.store.transaction() as connection:
        ledger.retry(connection, 1, ["bounced"], t.epoch(newsroom.now))
        connection.execute(update(t.recipients).values(state="accepted"))
        for state, count in (("queued", 0), ("accepted", 1)):
            there = t.mailing_counts.c.state == state
            connection.execute(update(t.mailing_counts).where(there).values(count=count))
    newsroom.receive("sendmail-mailbox-full", copy, b"X-Delivery: 2\n")
    assert newsroom.read() == {"bounced_soft": 1}
    assert newsroom.copy(copy)[0] == "bounced"


def test_a_bounce_settles_a_doubt(newsroom: Newsroom) -> None:
    copy = newsroom.edition("in_doubt")
    newsroom.receive("postfix-unknown-user", copy)
    newsroom.read()
    assert newsroom.copy(copy)[0] == "bounced"


@pytest.mark.parametrize("state", ["queued", "leased", "deferred", "suppressed", "cancelled"])
def test_a_copy_that_nobody_took_is_not_touched(newsroom: Newsroom, state: str) -> None:
    copy = newsroom.edition(state)
    newsroom.receive("sendmail-mailbox-full", copy)
    newsroom.read()
    assert newsroom.copy(copy) == (state, None)


def test_a_complaint_ends_it_and_keeps_the_address_out_of_that_desk(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("arf-yahoo-abuse", copy)
    assert newsroom.read() == {"complaints": 1}
    assert newsroom.ann() == "complained"
    assert newsroom.copy(copy) == ("accepted", None)
    with newsroom.store.transaction() as connection:
        (row,) = subscribers.suppressions_of(connection, EMAIL)
    assert (row.desk, row.reason) == ("world", "complaint about mailing 1")


def test_who_had_left_before_can_still_complain(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    for name in ("unsubscribe-apple-mail", "arf-known-by-its-link"):
        newsroom.receive(name, copy)
        newsroom.read()
    assert newsroom.ann() == "complained"


@pytest.mark.parametrize(
    "name", ["unsubscribe-apple-mail", "unsubscribe-in-capitals", "arf-opt-out"]
)
def test_an_unsubscribe_message_is_obeyed(newsroom: Newsroom, name: str) -> None:
    copy = newsroom.edition()
    newsroom.receive(name, copy)
    assert newsroom.read() == {"unsubscribed": 1}
    assert newsroom.ann() == "unsubscribed"
    assert newsroom.history() == ["unsubscribe message, by the address in mailing 1"]


def test_who_came_back_can_leave_again_by_the_same_address(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("unsubscribe-apple-mail", copy)
    newsroom.read()
    newsroom.comes_back()
    newsroom.receive("unsubscribe-apple-mail", copy, b"X-Delivery: 2\n")
    assert newsroom.read() == {"unsubscribed": 1}
    assert newsroom.ann() == "unsubscribed"


@pytest.mark.parametrize(
    "name",
    [
        "forged-token", "token-of-another-key", "link-token-in-a-return-path", "arf-forged",
        "unsubscribe-forged", "report-without-a-token", "unsubscribe-with-a-return-token",
        "postfix-delayed", "forwarded-to-two-one-fails", "auto-reply-german", "a-person-answers",
    ],
)  # fmt: skip
def test_what_is_not_signed_or_no_bounce_changes_nothing(newsroom: Newsroom, name: str) -> None:
    copy = newsroom.edition()
    newsroom.receive(name, copy)
    ((outcome, _),) = newsroom.read().items()
    assert outcome in ("forged", "unknown", "ignored")
    assert newsroom.ann() == "active"
    assert newsroom.copy(copy) == ("accepted", None)
    assert newsroom.rows() == []


def test_a_copy_that_is_not_in_the_database_is_told(newsroom: Newsroom) -> None:
    newsroom.receive("postfix-unknown-user", 999)
    tally = bounces.read(
        Order(newsroom.out, str(newsroom.out / "Maildir")), SETTINGS, lambda: NOW, io.BytesIO()
    )
    assert tally.counts == NOTHING | {"unknown": 1}
    assert tally.unclear[0][1] == "It is about a copy that is not in this database."


def test_links_signed_with_a_key_before_the_newest_still_count(newsroom: Newsroom) -> None:
    newsroom.receive("postfix-unknown-user", newsroom.edition())
    rotated = replace(SETTINGS, secret_keys=("a-newer-key-as-long-as-the-other", KEY))
    assert newsroom.read(settings=rotated) == {"bounced_hard": 1}


@pytest.mark.parametrize(
    "name", ["postfix-unknown-user", "arf-yahoo-abuse", "unsubscribe-apple-mail"]
)
def test_of_someone_who_was_forgotten_nothing_is_kept(newsroom: Newsroom, name: str) -> None:
    copy = newsroom.edition()
    with newsroom.store.transaction() as connection:
        ledger.erase_subscriber(connection, ANN, t.epoch(NOW))
        subscribers.erase(connection, EMAIL)
    newsroom.receive(name, copy)
    newsroom.read()
    assert EMAIL not in f"{newsroom.copy(copy)} {newsroom.rows()}"
    assert b"ann@" not in (newsroom.out / "dispatch.db").read_bytes()


def test_what_is_kept_of_a_bounce_goes_with_the_person(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("postfix-unknown-user", copy)
    newsroom.read()
    with newsroom.store.transaction() as connection:
        ledger.erase_subscriber(connection, ANN, t.epoch(NOW))
        subscribers.erase(connection, EMAIL)
    assert newsroom.copy(copy) == ("bounced", None)
    assert EMAIL not in str(newsroom.rows())


def test_the_status_is_told_where_the_words_leave_it_out(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("qmail-no-mailbox", copy)
    newsroom.read()
    assert newsroom.copy(copy)[1] == "Sorry, no mailbox here by that name. (#5.1.1)"
    other = newsroom.edition()
    newsroom.receive("opensmtpd-error", other)
    newsroom.read()
    assert newsroom.copy(other)[1] == "5.5.0: 550 Invalid recipient: <ann@example.net>"


def test_a_reason_that_means_harm_is_kept_as_one_harmless_line(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("steers-a-terminal", copy)
    newsroom.read()
    _, reply = newsroom.copy(copy)
    ((_, _, reason),) = newsroom.rows()
    for text in (reply or "", reason, *newsroom.history()):
        assert text.isprintable()
    assert len(reason) == 500


# Once, whatever happens ----------------------------------------------------------------------------


def test_a_maildir_is_read_once(newsroom: Newsroom) -> None:
    newsroom.receive("postfix-unknown-user", newsroom.edition())
    newsroom.receive("auto-reply-german", 1)
    newsroom.receive("forged-token", 1)
    assert newsroom.read() == {"bounced_hard": 1, "ignored": 1, "forged": 1}
    assert newsroom.read() == {}
    assert newsroom.read(again=True) == {"forged": 1}
    flags = sorted(path.name.split(":2,")[1] for path in (newsroom.out / "Maildir/cur").iterdir())
    assert flags == ["F", "S", "S"]


def test_a_crash_before_the_mark_counts_nothing_twice(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.receive("sendmail-mailbox-full", newsroom.edition())

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            newsroom.read()
    assert newsroom.read() == {"duplicates": 1}
    assert [kind for kind, _, _ in newsroom.rows()] == ["soft"]


def test_an_error_in_the_middle_leaves_nothing_and_the_message_unread(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = newsroom.edition()
    path = newsroom.receive("postfix-unknown-user", copy)

    def full(*_: object) -> None:
        raise StoreError("There is no room left.")

    with monkeypatch.context() as patch:
        patch.setattr(states, "move", full)
        with pytest.raises(StoreError):
            newsroom.read()
    assert newsroom.copy(copy) == ("accepted", None)
    assert newsroom.rows() == []
    assert path.exists()
    assert newsroom.read() == {"bounced_hard": 1}


@pytest.mark.parametrize("kind", ["mbox", "folder", "message"])
def test_what_is_left_as_it_is_is_remembered(newsroom: Newsroom, kind: str) -> None:
    copy = newsroom.edition()
    names = ("unsubscribe-apple-mail", "auto-reply-german", "forged-token")
    if kind == "mbox":
        source = newsroom.out / "mbox"
        source.write_bytes(b"".join(b"From x\n%s\n" % sample(n, copy, TOKENS) for n in names))
    else:
        source = newsroom.out / "folder"
        source.mkdir()
        for name in names if kind == "folder" else names[:1]:
            (source / f"{name}.eml").write_bytes(sample(name, copy, TOKENS))
        source = source if kind == "folder" else source / f"{names[0]}.eml"
    rest = {} if kind == "message" else {"ignored": 1, "forged": 1}
    assert newsroom.read(source) == {"unsubscribed": 1} | rest
    newsroom.comes_back()
    again = {"duplicates": 1} if kind == "message" else {"duplicates": 2, "forged": 1}
    assert newsroom.read(source) == again
    assert newsroom.ann() == "active"


def test_the_same_message_in_two_mailboxes_counts_once(newsroom: Newsroom) -> None:
    copy = newsroom.edition()
    newsroom.receive("postfix-unknown-user", copy)
    (newsroom.out / "mbox").write_bytes(b"From x\n" + sample("postfix-unknown-user", copy, TOKENS))
    assert newsroom.read() == {"bounced_hard": 1}
    assert newsroom.read(newsroom.out / "mbox") == {"duplicates": 1}


def test_it_can_be_stopped_between_two_messages(newsroom: Newsroom) -> None:
    for _ in range(3):
        newsroom.receive("sendmail-mailbox-full", newsroom.edition())
    order = Order(newsroom.out, str(newsroom.out / "Maildir"))
    assert bounces.read(order, SETTINGS, lambda: NOW, io.BytesIO(), lambda: True).read == 1
    assert newsroom.read() == {"bounced_soft": 2}


def test_the_bounces_of_a_real_mail_server(newsroom: Newsroom) -> None:
    full, gone = newsroom.edition(), newsroom.edition()
    with postfix.running() as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=30) as relay:
            for copy, name in ((full, "full"), (gone, "gone")):
                sender = f"bounces+{TOKENS.verp(copy)}@back.example"
                relay.sendmail(sender, [f"{name}@later.example"], "Subject: Talks\r\n\r\nText.\r\n")
        server.mails("bounces", 2)
        maildir = server.folder / "mail" / "bounces"
        assert newsroom.read(maildir) == {"bounced_hard": 1, "bounced_soft": 1}
        assert newsroom.read(maildir) == {}
        assert len(list((maildir / "cur").iterdir())) == 2
    assert {status for _, status, _ in newsroom.rows()} == {"5.1.1", "5.2.2"}
    assert "There is no such mailbox" in str(newsroom.copy(gone)[1])
    assert newsroom.ann() == "bounced"


# Where it reads ------------------------------------------------------------------------------------


def test_the_source_can_be_set(newsroom: Newsroom) -> None:
    newsroom.receive("postfix-unknown-user", newsroom.edition())
    settings = replace(SETTINGS, bounces=str(newsroom.out / "Maildir"))
    tally = bounces.read(Order(newsroom.out), settings, lambda: NOW, io.BytesIO())
    assert tally.counts == NOTHING | {"bounced_hard": 1}
    with pytest.raises(SettingsError, match="DISPATCH_BOUNCES"):
        bounces.read(Order(newsroom.out), SETTINGS, lambda: NOW, io.BytesIO())


def test_without_a_database_nothing_is_read_or_made(tmp_path: Path) -> None:
    stdin = io.BytesIO(b"Subject: x\n\n")
    with pytest.raises(StoreError, match="nothing was sent from here"):
        bounces.read(Order(tmp_path, "-"), SETTINGS, lambda: NOW, stdin)
    assert list(tmp_path.iterdir()) == []


def test_what_came_back_can_be_listed(newsroom: Newsroom) -> None:
    newsroom.receive("sendmail-mailbox-full", newsroom.edition())
    newsroom.receive("postfix-unknown-user", newsroom.edition())
    newsroom.read()
    newest, oldest = bounces.recent(newsroom.out, "world", 10)
    assert (newest.kind, newest.status, newest.edition, newest.email) == ("hard", "5.1.1", 2, EMAIL)
    assert oldest.kind == "soft"
    assert bounces.recent(newsroom.out, None, 1) == [newest]
    assert bounces.recent(newsroom.out, "sport", 10) == []
