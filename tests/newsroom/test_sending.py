"""What goes wrong between the ledger and the relays, and what becomes of each copy.

Every run here ends, and after each of them the sums of the mailing are proven.
"""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.newsroom.engine import MINUTE, Engine, addresses
from tests.servers.smtp import (
    Act,
    Moment,
    Script,
    SmtpServer,
    Stage,
    close,
    once,
    reset,
    say,
    silence,
    to,
)

from dispatch.errors import StoreError
from dispatch.mailing import sender
from dispatch.newsroom import dkim, mailings
from dispatch.store import subscribers as audience
from dispatch.store.connection import Store
from dispatch.store.tables import epoch, from_epoch, recipients

CHUNKS = ("PIPELINING", "CHUNKING", "8BITMIME", "ENHANCEDSTATUSCODES")
SLOW_DOWN = say("451 4.7.0 too fast")
FIRST, SECOND = addresses(2)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(tmp_path, monkeypatch)


# All is well -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offers", [(), ("PIPELINING",), CHUNKS], ids=["plain", "piped", "chunked"])
def test_everybody_gets_it_once(desk: Engine, offers: tuple[str, ...]) -> None:
    with SmtpServer(Script(offers)) as relay:
        desk.through(relay)
        desk.mailing(50)
        ended = desk.send()
    assert not ended.unreachable
    assert sorted(relay.recipients) == sorted(addresses(50))
    assert desk.counts() == {"accepted": 50}
    assert desk.show().state == "finished"
    assert desk.copy(FIRST).reply == "250 2.0.0 ok: queued as 4XyZ"
    assert desk.copy(FIRST).message_id in relay.message_ids
    assert not relay.violations


def test_what_is_sent_is_what_replay_shows(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(FIRST)
        desk.send()
    (message,) = relay.accepted
    shown = mailings.replay(desk.out, 1, FIRST, desk.settings, desk.now)
    assert (message.data, message.sender) == (shown.data, shown.sender)


def test_copies_that_are_signed_ahead_go_once_and_stop_as_others_do(desk: Engine) -> None:
    dkim.create(desk.settings.dkim, "news.example.org", {"ed25519": "autumn"})
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing('"a b"@example.org', 900)
        ended = desk.send(stopped=lambda: len(relay.accepted) > 300)
        assert ended.stopped
        counts = desk.counts()
        assert counts["in_doubt"] == counts["leased"] == 0
        assert counts["queued"] > 0
        mailings.resume(desk.out, 1, desk.now)
        desk.send()
    assert desk.counts() == {"accepted": 900, "bounced": 1}
    assert sorted(relay.recipients) == sorted(addresses(900))
    assert all(message.data.startswith(b"DKIM-Signature:") for message in relay.accepted)


# One recipient -----------------------------------------------------------------------------------


def test_who_is_refused_for_good_bounces_at_once_and_is_not_mailed_again(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": to(FIRST, say("550 5.1.1 no such mailbox"))})) as relay:
        desk.through(relay)
        desk.mailing(20)
        desk.send()
    assert desk.counts() == {"accepted": 19, "bounced": 1}
    assert desk.copy(FIRST).state == "bounced"
    assert desk.copy(FIRST).reply == "550 5.1.1 no such mailbox"
    assert desk.subscriber_state(FIRST) == "bounced"
    assert desk.subscriber_state(SECOND) == "active"


def test_a_refusal_that_may_pass_is_counted_and_loses_no_reader(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": to(FIRST, say("552 5.2.2 mailbox full"))})) as relay:
        desk.through(relay)
        desk.mailing(FIRST)
        desk.send()
    assert desk.counts() == {"bounced": 1}
    assert desk.subscriber_state(FIRST) == "active"


def test_who_is_greylisted_is_tried_again_when_it_is_time(desk: Engine) -> None:
    def greylisting(moment: Moment) -> Act | None:
        return say("450 4.7.1 greylisted, come back") if moment.everywhere <= 20 else None

    with SmtpServer(Script(at={"RCPT": greylisting})) as relay:
        desk.through(relay)
        desk.mailing(20)
        desk.send()
        assert desk.counts() == {"deferred": 20}
        due = desk.copy(FIRST).due
        assert due and 5 <= (due - desk.now).total_seconds() / 60 <= 6
        desk.run()
        assert relay.accepted == [], "it is not time yet"
        desk.wall += 7 * MINUTE
        desk.run()
    assert desk.counts() == {"accepted": 20}
    assert desk.copy(FIRST).attempts == 2
    assert max(Counter(relay.recipients).values()) == 1


def test_the_desk_may_order_that_they_are_tried_at_once(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": once(say("450 4.7.1 greylisted"))})) as relay:
        desk.through(relay)
        desk.mailing(FIRST)
        desk.send()
        desk.retry("deferred")
        desk.send()
    assert desk.counts() == {"accepted": 1}


def test_who_is_put_off_for_a_whole_day_bounces(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": say("450 4.2.1 not now")})) as relay:
        desk.through(relay)
        desk.mailing(FIRST)
        desk.send()
        for _ in range(100):
            if desk.counts() != {"deferred": 1}:
                break
            desk.wall += 60 * MINUTE
            desk.run()
    assert desk.counts() == {"bounced": 1}
    assert "Given up after" in (desk.copy(FIRST).reply or "")
    assert "450 4.2.1 not now" in (desk.copy(FIRST).reply or "")


def test_an_address_that_cannot_be_mailed_bounces_and_the_rest_goes_on(desk: Engine) -> None:
    odd = '"a b"@example.org'
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(odd, 3)
        desk.send()
    assert desk.counts() == {"accepted": 3, "bounced": 1}
    assert "cannot be mailed" in (desk.copy(odd).reply or "")


def test_an_address_with_other_letters_needs_a_relay_that_can_read_them(desk: Engine) -> None:
    greek = "ελένη@example.org"
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(greek, 3)
        desk.send()
        assert desk.counts() == {"accepted": 3, "bounced": 1}
        assert "SMTPUTF8" in (desk.copy(greek).reply or "")
        assert desk.subscriber_state(greek) == "active"
        relay.script = Script((*CHUNKS, "SMTPUTF8"))
        desk.retry("bounced")
        desk.send()
    assert desk.counts() == {"accepted": 4}


# In doubt ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("offers", [("PIPELINING",), CHUNKS], ids=["piped", "chunked"])
def test_no_answer_after_the_last_byte_is_in_doubt_and_held(
    desk: Engine, offers: tuple[str, ...], taken: bool
) -> None:
    script = Script(offers, at={".": to(FIRST, reset(accepts=taken))})
    with SmtpServer(script) as relay:
        desk.through(relay, smtp_connections=1)
        desk.mailing(20)
        desk.send()
        desk.run()
    counts = desk.counts()
    assert counts["in_doubt"] >= 1
    assert counts["accepted"] + counts["in_doubt"] == 20
    assert desk.copy(FIRST).state == "in_doubt"
    assert "broke the connection off" in (desk.copy(FIRST).reply or "")
    assert max(Counter(relay.recipients).values()) == 1
    assert desk.show().state == "finished"


def test_in_doubt_can_be_sent_again_once_unasked(desk: Engine) -> None:
    script = Script(at={".": to(FIRST, reset(accepts=True))})
    with SmtpServer(script) as relay:
        desk.through(relay, smtp_connections=1)
        desk.mailing(FIRST, in_doubt="resend")
        desk.send()
        assert desk.counts() == {"queued": 1}
        desk.run()
        assert len(relay.accepted) == 1, "a relay may take ten minutes to answer"
        desk.wall += 11 * MINUTE
        desk.run()
        desk.wall += 60 * MINUTE
        desk.run()
    assert len(relay.accepted) == 2
    assert len(set(relay.message_ids)) == 1, "its Message-ID tells that both are the same"
    assert desk.counts() == {"in_doubt": 1}


def test_in_doubt_is_sent_again_on_demand(desk: Engine) -> None:
    with SmtpServer(Script(at={".": once(reset())})) as relay:
        desk.through(relay)
        desk.mailing(FIRST)
        desk.send()
        assert desk.counts() == {"in_doubt": 1}
        desk.retry("in_doubt")
        desk.send()
    assert desk.counts() == {"accepted": 1}


# The connection ----------------------------------------------------------------------------------

STAGES: list[Stage] = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("act", [reset(), close()], ids=["reset", "close"])
def test_a_connection_that_breaks_before_the_last_byte_costs_nothing(
    desk: Engine, stage: Stage, act: Act
) -> None:
    # A message comes in one piece where it is small: what breaks at its first bytes is in doubt.
    with SmtpServer(Script(at={stage: once(act)})) as relay:
        desk.through(relay)
        desk.mailing(20)
        ended = desk.send(patience=5)
    assert not ended.unreachable
    counts = desk.counts()
    assert counts["in_doubt"] <= (1 if stage == "body" else 0)
    assert counts["accepted"] + counts["in_doubt"] == 20
    assert max(Counter(relay.recipients).values()) == 1


@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_relay_that_says_421_is_left_and_tried_again(desk: Engine, stage: Stage) -> None:
    bye = say("421 4.3.2 closing down", then="close")
    with SmtpServer(Script(at={stage: once(bye)})) as relay:
        desk.through(relay)
        desk.mailing(*(f"reader@example{n}.org" for n in range(20)))
        ended = desk.send(patience=5)
        assert not ended.unreachable
        assert desk.counts()["in_doubt"] == 0
        desk.wall += 10 * MINUTE
        desk.run()
    assert desk.counts() == {"accepted": 20}
    assert max(Counter(relay.recipients).values()) == 1


@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_relay_that_falls_silent_is_given_up_in_time(desk: Engine, stage: Stage) -> None:
    with SmtpServer(Script(at={stage: once(silence())})) as relay:
        desk.through(f"{relay.url}?timeout=0.3")
        desk.mailing(20)
        ended = desk.send(patience=5)
    assert not ended.unreachable
    counts = desk.counts()
    assert counts["in_doubt"] <= (2 if stage == "." else 0)
    assert counts["accepted"] + counts["in_doubt"] == 20


def test_a_copy_that_breaks_every_connection_is_put_off_and_the_rest_goes_on(desk: Engine) -> None:
    with SmtpServer(Script(at={"RCPT": to(FIRST, reset())})) as relay:
        desk.through(relay, smtp_connections=1)
        desk.mailing(5)
        desk.send(patience=10)
    assert desk.counts() == {"accepted": 4, "deferred": 1}
    assert desk.copy(FIRST).state == "deferred"


def test_a_relay_with_connections_for_few_is_not_taken_to_be_down(desk: Engine) -> None:
    def full(moment: Moment) -> Act | None:
        return say("421 4.7.0 too many connections", then="close") if moment.session > 1 else None

    with SmtpServer(Script(at={"connect": full})) as relay:
        desk.through(relay, smtp_connections=20)
        desk.mailing(100)
        ended = desk.send()
    assert not ended.unreachable
    assert desk.counts() == {"accepted": 100}


# The sender and the message ----------------------------------------------------------------------


def test_a_sender_that_is_refused_pauses_the_mailing_and_is_nobodys_bounce(desk: Engine) -> None:
    with SmtpServer(Script(at={"MAIL": say("550 5.7.1 you may not send here")})) as relay:
        desk.through(relay)
        desk.mailing(30)
        desk.send()
    assert relay.accepted == []
    assert desk.counts() == {"queued": 30}
    assert desk.show().state == "paused"
    assert "550 5.7.1 you may not send here" in (desk.show().reason or "")
    assert "does not take mail from this desk" in " ".join(desk.said)
    assert desk.subscriber_state(FIRST) == "active"


def test_a_message_that_is_refused_again_and_again_pauses_the_mailing(desk: Engine) -> None:
    with SmtpServer(Script(at={".": say("554 5.7.1 looks like spam")})) as relay:
        desk.through(relay, smtp_connections=2)
        desk.mailing(200)
        desk.send()
    assert desk.show().state == "paused"
    counts = desk.counts()
    assert 10 <= counts["bounced"] <= 14, "no more than were in flight when it was the tenth"
    assert counts["queued"] == 200 - counts["bounced"]
    assert desk.subscriber_state(FIRST) == "active", "the message was refused, not the reader"
    assert len([s for s in desk.said if "one after another" in s]) == 1


def test_a_message_that_is_refused_now_and_then_pauses_nothing(desk: Engine) -> None:
    def every_other(moment: Moment) -> Act | None:
        return say("554 5.7.1 looks like spam") if moment.everywhere % 2 else None

    with SmtpServer(Script(at={".": every_other})) as relay:
        desk.through(relay)
        desk.mailing(100)
        desk.send()
    assert desk.show().state == "finished"
    assert desk.counts() == {"accepted": 50, "bounced": 50}


# Relays ------------------------------------------------------------------------------------------


def nobody_listens() -> str:
    with SmtpServer() as relay:
        return relay.url


def test_a_password_that_is_refused_stops_it_with_a_sentence(desk: Engine) -> None:
    with SmtpServer(Script(users={"desk": "right"})) as relay:
        desk.through(relay.url.replace("//", "//desk:wr0ng-s3cret@"))
        desk.mailing(30)
        ended = desk.send(patience=20)
        assert len(relay.sessions) <= 4, "it is not tried again: accounts are locked for that"
    assert "does not accept the user or password" in ended.unreachable
    assert "wr0ng-s3cret" not in ended.unreachable + " ".join(desk.said)
    assert desk.counts() == {"queued": 30}
    assert desk.show().state == "sending"


def test_when_every_relay_is_down_it_gives_up_and_nothing_is_lost(desk: Engine) -> None:
    desk.through(nobody_listens(), nobody_listens())
    desk.mailing(30)
    ended = desk.send(patience=1.5)
    assert 0.5 < ended.seconds < 10
    assert ended.unreachable.startswith("All relays are down")
    assert desk.counts() == {"queued": 30}
    with SmtpServer() as relay:
        desk.through(relay)
        desk.send()
    assert desk.counts() == {"accepted": 30}


def test_a_relay_that_comes_back_soon_is_used_again(desk: Engine) -> None:
    with SmtpServer() as relay:
        port, url = relay.port, relay.url
    desk.through(url)
    desk.mailing(30)
    back: list[SmtpServer] = []

    def open_up(sentence: str) -> None:
        if not back:
            back.append(SmtpServer(port=port).__enter__())
        desk.said.append(sentence)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "said", _Listener(open_up))
        ended = desk.send(patience=20)
    back[0].__exit__()
    assert not ended.unreachable
    assert desk.counts() == {"accepted": 30}


class _Listener(list[str]):
    def __init__(self, hears: Callable[[str], None]) -> None:
        super().__init__()
        self._hears = hears

    def append(self, sentence: str) -> None:
        super().append(sentence)
        self._hears(sentence) if len(self) == 1 else None


def test_when_one_of_two_relays_is_down_everything_goes_through_the_other(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(nobody_listens(), relay)
        desk.mailing(100)
        ended = desk.send()
    assert not ended.unreachable
    assert len(relay.accepted) == 100
    assert desk.counts() == {"accepted": 100}


def test_relays_of_a_higher_order_wait_until_the_others_are_down(desk: Engine) -> None:
    with SmtpServer() as first, SmtpServer() as second:
        desk.through(f"{second.url}?order=2", f"{first.url}?order=1")
        desk.mailing(50)
        desk.send()
        assert (len(first.accepted), len(second.accepted)) == (50, 0)
    with SmtpServer() as second:
        desk.through(f"{second.url}?order=2", f"{first.url}?order=1")
        desk.mailing(30, desk="business")
        desk.send(2)
        assert len(second.accepted) == 30


def test_a_relay_that_breaks_off_in_the_middle_hands_over_to_the_next(desk: Engine) -> None:
    def fails_after_ten(moment: Moment) -> Act | None:
        return reset() if moment.everywhere > 10 else None

    with SmtpServer(Script(at={"MAIL": fails_after_ten})) as first, SmtpServer() as second:
        desk.through(f"{first.url}?order=1", f"{second.url}?order=2")
        desk.mailing(200)
        ended = desk.send()
        got = Counter(first.recipients + second.recipients)
    assert not ended.unreachable
    assert max(got.values()) == 1
    counts = desk.counts()
    assert counts["accepted"] == len(got) == 200 - counts["deferred"] - counts["in_doubt"]
    assert counts["accepted"] >= 190


def test_a_relay_that_slows_us_down_does_not_slow_the_other(desk: Engine) -> None:
    def slow_down(moment: Moment) -> Act | None:
        return say("451 4.3.2 too busy") if moment.everywhere <= 40 else None

    with SmtpServer(Script(at={"MAIL": slow_down})) as busy, SmtpServer() as well:
        desk.through(busy, well)
        desk.mailing(400)
        ended = desk.send()
        assert len(well.accepted) > 300
    assert ended.seconds < 5
    counts = desk.counts()
    assert counts["accepted"] + counts["deferred"] == 400
    assert counts["deferred"] <= 40


# Domains and rates -------------------------------------------------------------------------------


def test_a_domain_that_slows_us_down_holds_up_nobody_else(desk: Engine) -> None:
    def slow(moment: Moment) -> Act | None:
        return SLOW_DOWN if moment.recipient.endswith("@slow.example") else None

    others = addresses(300, "fast.example")
    slows = addresses(60, "slow.example")
    seen: list[float] = []

    def stop_when_the_others_have_it() -> bool:
        return len(relay.accepted) == 300

    with SmtpServer(Script(at={"RCPT": slow})) as relay:
        desk.through(relay)
        desk.mailing(*itertools.chain(*zip(slows, others, strict=False)), *others[60:])
        begun = time.monotonic()
        desk.send(stopped=stop_when_the_others_have_it)
        seen.append(time.monotonic() - begun)
    assert seen[0] < 5
    assert sorted(relay.recipients) == sorted(others)
    counts = desk.counts()
    assert counts["accepted"] == 300
    assert counts["queued"] + counts["deferred"] == 60
    assert counts["queued"] > 30, "it is not asked again and again"


def test_readers_who_are_put_off_for_a_slow_domain_still_get_their_turn(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_PARKED", 10)

    def slow_down_once(moment: Moment) -> Act | None:
        return SLOW_DOWN if moment.everywhere == 60 else None

    with SmtpServer(Script(at={"RCPT": slow_down_once})) as relay:
        desk.through(relay, smtp_connections=1)
        desk.mailing(100)
        ended = threading.Event()
        clock = threading.Thread(target=go_with_time, args=(desk, ended))
        clock.start()
        desk.send()
        ended.set()
        clock.join()
    assert desk.counts() == {"accepted": 99, "deferred": 1}


def go_with_time(desk: Engine, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        desk.wall += 50


def test_the_rate_is_held_at_the_door(desk: Engine) -> None:
    times: list[float] = []

    def noted(_moment: Moment) -> None:
        times.append(time.monotonic())

    with SmtpServer(Script(at={".": noted})) as relay:
        desk.through(relay, smtp_rate=100.0)
        desk.mailing(120)
        desk.send()
    assert len(times) == 120
    assert times[-1] - times[0] >= 119 / 100 - 0.1
    for first, last in zip(times, times[50:], strict=False):
        assert last - first >= 50 / 100 - 0.1


def test_connections_follow_from_the_rate(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay, smtp_rate=50.0, smtp_connections=20)
        desk.mailing(40)
        desk.send()
        assert len(relay.sessions) <= 5
    assert desk.counts() == {"accepted": 40}


# Warming up --------------------------------------------------------------------------------------


def test_a_new_relay_takes_what_its_day_allows_and_the_rest_waits(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(f"{relay.url}?warm=2026-11-24")
        desk.mailing(700)
        ended = desk.send()
        assert ended.seconds < 20
        assert "is being warmed up" in ended.unreachable
        assert len(relay.accepted) == 500
        assert desk.counts() == {"accepted": 500, "queued": 200}
        again = desk.send()
        assert "is being warmed up" in again.unreachable
        assert len(relay.accepted) == 500, "what it took is remembered"
        desk.wall += 24 * 60 * MINUTE
        assert not desk.send().unreachable
    assert desk.counts() == {"accepted": 700}


def test_while_one_relay_is_warmed_up_the_others_take_the_rest(desk: Engine) -> None:
    with SmtpServer() as new, SmtpServer() as old:
        desk.through(f"{new.url}?warm=2026-11-24&order=1", f"{old.url}?order=2")
        desk.mailing(700)
        ended = desk.send()
        assert not ended.unreachable
        assert (len(new.accepted), len(old.accepted)) == (500, 200)
    assert desk.counts() == {"accepted": 700}


def test_what_a_new_relay_refuses_is_not_counted_against_it(desk: Engine) -> None:
    def refuse(moment: Moment) -> Act | None:
        return say("550 5.1.1 unknown") if moment.everywhere % 10 == 0 else None

    with SmtpServer(Script(at={"RCPT": refuse})) as relay:
        desk.through(f"{relay.url}?warm=2026-11-24")
        desk.mailing(650)
        desk.send()
        assert len(relay.accepted) == 500


# The desk ----------------------------------------------------------------------------------------


def after(copies: int, action: Callable[[], object]) -> Callable[[int], None]:
    """Do ``action`` once, when so many copies are done: as another process would, elsewhere."""
    total = [0]
    threads: list[threading.Thread] = []

    def step(count: int) -> None:
        total[0] += count
        if total[0] >= copies and not threads:
            threads.append(threading.Thread(target=action))
            threads[0].start()

    return step


@pytest.mark.parametrize(
    ("action", "state"), [(mailings.pause, "paused"), (mailings.cancel, "cancelled")]
)
def test_pausing_and_cancelling_from_elsewhere_take_hold_within_a_second(
    desk: Engine, action: Callable[..., object], state: str
) -> None:
    at: list[float] = []

    def act() -> None:
        action(desk.out, 1, desk.now)
        at.append(time.monotonic())

    with SmtpServer() as relay:
        desk.through(relay, smtp_rate=200.0)
        desk.mailing(1000)
        desk.send(step=after(100, act))
        assert time.monotonic() - at[0] < 1.5
    counts = desk.counts()
    assert desk.show().state == state
    assert len(relay.accepted) == counts["accepted"] < 600
    left = "queued" if state == "paused" else "cancelled"
    assert counts[left] == 1000 - counts["accepted"]


def test_who_unsubscribes_while_the_mailing_waits_gets_no_copy(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(20)
        mailings.pause(desk.out, 1, desk.now)
        store = Store(desk.out / "dispatch.db")
        with store.transaction() as connection:
            reader = audience.at_desk(connection, "world", [FIRST])[FIRST]
            audience.move(connection, reader, "unsubscribed", "by a link", desk.now)
        store.close()
        mailings.resume(desk.out, 1, desk.now)
        desk.send()
    assert FIRST not in relay.recipients
    assert desk.counts() == {"accepted": 19, "suppressed": 1}
    assert desk.copy(FIRST).reply == "unsubscribed"


def test_ctrl_c_finishes_what_is_in_flight_and_pauses(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay, smtp_rate=300.0)
        desk.mailing(1000)
        ended = desk.send(stopped=lambda: len(relay.accepted) >= 50)
    assert ended.stopped
    assert desk.show().state == "paused"
    counts = desk.counts()
    assert counts["in_doubt"] == counts["leased"] == 0
    assert counts["accepted"] == len(relay.accepted)


def test_a_second_ctrl_c_does_not_wait_for_an_answer(desk: Engine) -> None:
    def quiet(moment: Moment) -> Act | None:
        return silence() if moment.everywhere > 40 else None

    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)

    with SmtpServer(Script(at={".": quiet})) as relay:
        desk.through(relay)
        desk.mailing(100)
        begun = time.monotonic()
        timer = threading.Timer(1.0, interrupt)
        timer.start()
        assert desk.send().stopped
        assert time.monotonic() - begun < 5
    assert desk.show().state == "paused"
    counts = desk.counts()
    assert counts["accepted"] == 40
    assert 1 <= counts["in_doubt"] <= 4
    assert counts["queued"] == 60 - counts["in_doubt"]


# The time of day ---------------------------------------------------------------------------------


def test_a_clock_that_steps_back_and_forth_loses_nobody(desk: Engine) -> None:
    def jump(moment: Moment) -> None:
        desk.wall += (-60 if moment.everywhere % 2 else 90) * MINUTE

    with SmtpServer(Script(at={".": jump})) as relay:
        desk.through(relay)
        desk.mailing(200)
        desk.send()
    assert desk.counts() == {"accepted": 200}
    assert max(Counter(relay.recipients).values()) == 1


def test_a_schedule_that_was_missed_is_held_with_a_sentence(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(20, at="2026-11-24 07:00 UTC")
        desk.run()
        assert desk.show().state == "scheduled"
        desk.wall += 61 * MINUTE + 150 * MINUTE
        desk.run()
        assert relay.accepted == []
        assert desk.show().state == "held"
        assert "nothing was running to send it" in " ".join(desk.said)
        mailings.resume(desk.out, 1, from_epoch(desk.wall))
        desk.run()
    assert desk.counts() == {"accepted": 20}


def test_a_schedule_that_is_a_little_late_goes_out(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(20, at="2026-11-24 07:00 UTC")
        desk.wall += 90 * MINUTE
        desk.run()
    assert desk.counts() == {"accepted": 20}


def test_sending_one_mailing_does_not_begin_another(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(5)
        desk.mailing(5, desk="business", at="2026-11-24 07:00 UTC")
        desk.wall += 61 * MINUTE
        desk.send(1)
        assert desk.show(2).state == "scheduled"
        desk.run()
    assert desk.counts(2) == {"accepted": 5}


# Several mailings --------------------------------------------------------------------------------


def test_mailings_of_several_desks_are_served_in_turn(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay, smtp_rate=400.0)
        desk.mailing(1500)
        desk.mailing(200, desk="business")
        desk.run(stopped=lambda: desk_done(desk, 2))
    assert desk.counts(2) == {"accepted": 200}
    assert desk.counts(1)["accepted"] < 1400


def desk_done(desk: Engine, number: int) -> bool:
    return desk.show(number).state == "finished"


def test_a_mailing_that_cannot_be_made_holds_up_no_other(desk: Engine) -> None:
    with SmtpServer() as relay:
        desk.through(relay, secret_keys=("a first key, long enough",))
        desk.mailing(5)
        desk.settings = replace(desk.settings, secret_keys=("another key, long enough",))
        desk.mailing(5, desk="business")
        ended = desk.run()
    assert not ended.unreachable
    assert desk.counts(2) == {"accepted": 5}
    assert desk.counts(1) == {"queued": 5}
    assert desk.show(1).state == "paused"
    assert desk.show(1).reason


# The ledger --------------------------------------------------------------------------------------


def test_when_the_journal_cannot_be_written_nothing_more_leaves(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatch.ledger import journal

    left = [50]
    real = journal.Journal.leaving

    def full(self: journal.Journal, key: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(self, key)

    with SmtpServer() as relay:
        desk.through(relay)
        desk.mailing(200)
        monkeypatch.setattr(journal.Journal, "leaving", full)
        with pytest.raises(StoreError, match="journal cannot be written"):
            desk.send()
        assert len(relay.accepted) <= 50
        monkeypatch.undo()
        desk.send()
    assert desk.counts()["accepted"] == 200
    assert max(Counter(relay.recipients).values()) == 1


def local_mailing(desk: Engine) -> None:
    """Two readers whose seven o'clock is ten hours apart; the first has had it."""
    desk.subscribe("tokyo@example.org", timezone="Asia/Tokyo")
    desk.subscribe("paris@example.org", timezone="Europe/Paris")
    desk.make(desk.article("ferry.md", "The Ferry Is Back"), at="2026-11-25 07:00", local_time=True)
    desk.wall = epoch(datetime(2026, 11, 24, 22, 0, tzinfo=UTC))
    desk.run()
    assert desk.counts() == {"accepted": 1, "queued": 1}


def test_a_time_zone_that_was_missed_is_held_and_sent_when_the_desk_says_so(desk: Engine) -> None:
    with SmtpServer() as server:
        desk.through(server)
        local_mailing(desk)
        desk.wall = epoch(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))  # Paris: 10:00, due at 7:00
        desk.run()
        assert desk.counts() == {"accepted": 1, "queued": 1}
        assert desk.show().state == "held"
        assert "was due at 2026-11-25 06:00 UTC" in desk.said[-1]

        mailings.resume(desk.out, 1, from_epoch(desk.wall))
        desk.run()
        assert desk.counts() == {"accepted": 2}


def test_a_time_zone_is_sent_when_its_time_has_come(desk: Engine) -> None:
    with SmtpServer() as server:
        desk.through(server)
        local_mailing(desk)
        desk.wall = epoch(datetime(2026, 11, 25, 6, 30, tzinfo=UTC))
        desk.run()
        assert desk.counts() == {"accepted": 2}


def test_a_mailing_that_is_merely_slow_is_not_held(desk: Engine) -> None:
    with SmtpServer() as server:
        desk.through(server)
        local_mailing(desk)
        store = Store(desk.out / "dispatch.db")
        with store.transaction() as connection:  # another reader in Paris had it at eight
            connection.execute(
                recipients.update()
                .where(recipients.c.email == "tokyo@example.org")
                .values(at=epoch(datetime(2026, 11, 25, 7, 0, tzinfo=UTC)))
            )
        store.close()
        desk.wall = epoch(datetime(2026, 11, 25, 9, 30, tzinfo=UTC))
        desk.run()
        assert desk.counts() == {"accepted": 2}
