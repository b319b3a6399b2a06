"""The SMTP client with servers that fail: what becomes of each copy, and of the connection.

Each table has a row for a fault and a column for a way of sending. The fault
meets the second of three copies; the first has been accepted.
"""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.servers.copies import Copies, copies, copy, send
from tests.servers.smtp import (
    Act,
    Script,
    SmtpServer,
    Stage,
    close,
    deaf,
    drip,
    nth,
    once,
    reset,
    say,
    silence,
    to,
)

from dispatch.mailing.relays import Learned, parse
from dispatch.mailing.smtp import SmtpConnection
from dispatch.mailing.transport import Connection, Copy, End, Result

OFFERS = {
    "lock-step": ("SIZE",),
    "pipelining": ("SIZE", "PIPELINING"),
    "chunking": ("SIZE", "PIPELINING", "CHUNKING"),
}
SHORT = "timeout=0.3"
"""Seconds for servers that never answer; long enough for those that do."""

# The connection is lost ------------------------------------------------------------------------

LOST = [
    # at            lock-step   pipelining  chunking: whole copies leave at once
    ("MAIL", reset(), "unsent", "unsent", "in_doubt"),
    ("RCPT", reset(), "unsent", "unsent", "in_doubt"),
    ("DATA", reset(), "unsent", "unsent", None),
    ("body", reset(), "in_doubt", "in_doubt", "in_doubt"),
    (".", reset(), "in_doubt", "in_doubt", "in_doubt"),
    (".", reset(accepts=True), "in_doubt", "in_doubt", "in_doubt"),
    ("MAIL", close(), "unsent", "unsent", "in_doubt"),
    ("RCPT", close(), "unsent", "unsent", "in_doubt"),
    ("DATA", close(), "unsent", "unsent", None),
    ("body", close(), "in_doubt", "in_doubt", "in_doubt"),
    (".", close(accepts=True), "in_doubt", "in_doubt", "in_doubt"),
    ("MAIL", silence(), "unsent", "unsent", "in_doubt"),
    ("RCPT", silence(), "unsent", "unsent", "in_doubt"),
    ("DATA", silence(), "unsent", "unsent", None),
    (".", silence(accepts=True), "in_doubt", "in_doubt", "in_doubt"),
    ("MAIL", drip("250 2.1.0 fine, fine, fine", 0.1), "unsent", "unsent", "in_doubt"),
    (".", drip("250 2.0.0 taken, I dare say", 0.1), "in_doubt", "in_doubt", "in_doubt"),
    ("MAIL", say("rubbish"), "unsent", "unsent", "in_doubt"),
    ("RCPT", say("250-more", "550 less"), "unsent", "unsent", "in_doubt"),
    (".", say(""), "in_doubt", "in_doubt", "in_doubt"),
    (".", Act(b"250 2.0", "close"), "in_doubt", "in_doubt", "in_doubt"),
    (".", Act(b"\0" * 100_000), "in_doubt", "in_doubt", "in_doubt"),
    ("MAIL", Act(b"250-on and on\r\n" * 5000), "unsent", "unsent", "in_doubt"),
]  # fmt: skip


def ways(rows: list[tuple[Stage, Act, str | None, str | None, str | None]]) -> object:
    cells = [
        pytest.param(stage, act, way, kind, id=f"{stage}-{number}-{way}")
        for number, (stage, act, *kinds) in enumerate(rows)
        for way, kind in zip(OFFERS, kinds, strict=True)
        if kind
    ]
    return pytest.mark.parametrize(("stage", "act", "way", "kind"), cells)


@ways(LOST)
def test_a_connection_that_is_lost(stage: Stage, act: Act, way: str, kind: str) -> None:
    with SmtpServer(Script(OFFERS[way], at={stage: nth(2, act)})) as server:
        work, end = send(server.url, copies(3), SHORT)
        name = f"127.0.0.1:{server.port}"
    assert work.kinds[:2] == ["accepted", kind]
    assert set(work.kinds[2:]) <= {"unsent", "in_doubt"}
    if kind == "unsent":
        assert 2 not in work.left
    assert work.results[2].blame == "relay"
    assert end.kind == "down"
    assert end.sentence == work.results[2].reply
    assert end.sentence.startswith(f"The relay {name} ")
    assert server.violations == []


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("then", ["reset", "close"])
def test_what_was_answered_stays_answered(way: str, then: str) -> None:
    act = Act(b"250 2.0.0 queued as 2\r\n", then)  # type: ignore[arg-type]
    with SmtpServer(Script(OFFERS[way], at={".": nth(2, act)})) as server:
        work, end = send(server.url, copies(3))
    assert work.kinds[:2] == ["accepted", "accepted"]
    assert server.recipients == ["reader1@example.org", "reader2@example.org"]
    assert end.kind in ("down", "finished")
    assert work.results[2].reply == "250 2.0.0 queued as 2"


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("act", [reset(), close(), deaf()])
def test_a_large_message_that_breaks_off_in_the_middle_is_not_in_doubt(way: str, act: Act) -> None:
    script = Script(OFFERS[way], at={"body": nth(2, act)}, receive_buffer=4096)
    with SmtpServer(script) as server:
        work, end = send(server.url, [copy(1), copy(2, size=6_000_000), copy(3)], SHORT)
    assert work.kinds[:2] == ["accepted", "unsent"]
    assert 2 not in work.left
    assert end.kind == "down"
    assert server.recipients == ["reader1@example.org"]


@pytest.mark.parametrize("way", OFFERS)
def test_a_server_that_stops_reading_is_left(way: str) -> None:
    """Many copies that would each fit into one write."""
    script = Script(OFFERS[way], at={"body": nth(3, deaf())}, receive_buffer=4096)
    with SmtpServer(script) as server:
        work, end = send(server.url, copies(60, size=60_000), "timeout=0.3")
    assert end.kind == "down"
    assert work.kinds[:2] == ["accepted", "accepted"]
    assert set(work.kinds[2:]) <= {"in_doubt", "unsent"}
    assert len(work.kinds) <= 12


@pytest.mark.parametrize("way", OFFERS)
def test_a_lost_farewell_takes_nothing_back(way: str) -> None:
    for act in (reset(), close(), silence(), say("500 never"), say("rubbish")):
        with SmtpServer(Script(OFFERS[way], at={"QUIT": act})) as server:
            work, end = send(server.url, copies(2), SHORT)
        assert (work.kinds, end.kind) == (["accepted"] * 2, "finished")


# The relay says no -----------------------------------------------------------------------------

REFUSED = [
    # at     answer                                  kind       code status   blame
    ("MAIL", "450 4.7.1 slow down", "deferred", 450, "4.7.1", "relay"),
    ("MAIL", "452 4.3.1 no room", "deferred", 452, "4.3.1", "relay"),
    ("MAIL", "550 5.7.1 not from you", "unsent", 550, "5.7.1", "sender"),
    ("MAIL", "553 bad sender", "unsent", 553, None, "sender"),
    ("MAIL", "503 5.5.1 log in first", "unsent", 503, "5.5.1", "sender"),
    ("MAIL", "552 5.3.4 too large", "bounced", 552, "5.3.4", "content"),
    ("MAIL", "550 5.6.7 not in UTF-8", "bounced", 550, "5.6.7", "recipient"),
    ("RCPT", "450 4.7.1 greylisted", "deferred", 450, "4.7.1", "recipient"),
    ("RCPT", "452 4.5.3 too many recipients", "deferred", 452, "4.5.3", "recipient"),
    ("RCPT", "550 5.1.1 no such user", "bounced", 550, "5.1.1", "recipient"),
    ("RCPT", "552 5.2.2 mailbox full", "bounced", 552, "5.2.2", "recipient"),
    ("RCPT", "501 5.1.3 bad address", "bounced", 501, "5.1.3", "recipient"),
    ("DATA", "451 4.3.0 not now", "deferred", 451, "4.3.0", "content"),
    ("DATA", "554 5.7.1 not this", "bounced", 554, "5.7.1", "content"),
    (".", "451 4.3.0 not now", "deferred", 451, "4.3.0", "content"),
    (".", "452 4.3.1 no room", "deferred", 452, "4.3.1", "content"),
    (".", "554 5.7.1 spam", "bounced", 554, "5.7.1", "content"),
    (".", "552 5.3.4 too large", "bounced", 552, "5.3.4", "content"),
]  # fmt: skip


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
@pytest.mark.parametrize(("stage", "answer", "kind", "code", "status", "blame"), REFUSED)
def test_one_copy_is_refused_and_the_others_go_on(
    way: str,
    lenient: bool,
    stage: Stage,
    answer: str,
    kind: str,
    code: int,
    status: str | None,
    blame: str,
) -> None:
    """Lenient: a server that says 354 although it refused the recipient."""
    if way == "chunking" and stage == "DATA":
        return
    script = Script(OFFERS[way], at={stage: nth(2, say(answer))}, data_without_recipient=lenient)
    with SmtpServer(script) as server:
        work, end = send(server.url, copies(4))
    result = work.results[2]
    assert work.kinds == ["accepted", kind, "accepted", "accepted"]
    assert (result.code, result.status, result.blame) == (code, status, blame)
    assert result.reply == answer
    assert end == End("finished")
    assert server.recipients == [f"reader{key}@example.org" for key in (1, 3, 4)]
    assert len(server.sessions) == 1
    assert server.violations == []


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("answer", ["450 4.7.1 later", "550 5.1.1 no such user"])
def test_a_refusal_is_for_one_recipient_alone(way: str, answer: str) -> None:
    script = Script(OFFERS[way], at={"RCPT": to("reader3@example.org", say(answer))})
    with SmtpServer(script) as server:
        work, _ = send(server.url, copies(20))
    assert [key for key, result in work.results.items() if result.kind != "accepted"] == [3]
    assert len(server.accepted) == 19


@pytest.mark.parametrize("way", OFFERS)
def test_everybody_is_refused(way: str) -> None:
    script = Script(OFFERS[way], at={"RCPT": say("550 5.1.1 nobody here")})
    with SmtpServer(script) as server:
        work, end = send(server.url, copies(20))
    assert (set(work.kinds), len(work.kinds), end.kind) == ({"bounced"}, 20, "finished")
    assert (server.accepted, server.violations) == ([], [])


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("answer", ["251 2.1.5 forwarded", "252 2.1.5 cannot verify"])
def test_a_recipient_somewhere_else_is_accepted(way: str, answer: str) -> None:
    with SmtpServer(Script(OFFERS[way], at={"RCPT": say(answer)})) as server:
        work, _ = send(server.url, copies(2))
    assert work.kinds == ["accepted"] * 2


@pytest.mark.parametrize("way", OFFERS)
def test_answers_of_several_lines(way: str) -> None:
    script = Script(
        OFFERS[way],
        at={
            "connect": say("220-relay.example.org", "220-no", "220 spam"),
            "MAIL": say("250-2.1.0 so", "250 2.1.0 be it"),
            "RCPT": nth(2, say("550-5.1.1 no", "550-5.1.1 such", "550 5.1.1 user\x1b[31m")),
            "DATA": say("354-go", "354 on"),
            ".": drip("250 2.0.0 ok", 0.001),
        },
    )
    with SmtpServer(script) as server:
        work, _ = send(server.url, copies(3))
    assert work.kinds == ["accepted", "bounced", "accepted"]
    assert work.results[2].reply == "550 5.1.1 no such user [31m"


@pytest.mark.parametrize("way", OFFERS)
def test_hostile_words_are_short_and_harmless(way: str) -> None:
    words = "250 2.0.0 " + "\x1b]0;x\x07\u202e" + "x" * 3000
    with SmtpServer(Script(OFFERS[way], at={".": say(words)})) as server:
        work, _ = send(server.url, copies(2))
    for result in work.results.values():
        assert result.kind == "accepted"
        assert result.reply.isprintable()
        assert len(result.reply) <= 500


@pytest.mark.parametrize("way", ["lock-step", "pipelining"])
def test_a_large_message_is_refused_before_its_end(way: str) -> None:
    early = say("552 5.3.4 too large", then="deaf")
    script = Script(OFFERS[way], at={"body": nth(2, early)}, receive_buffer=4096)
    with SmtpServer(script) as server:
        work, end = send(server.url, [copy(1), copy(2, size=6_000_000), copy(3)], SHORT)
    result = work.results[2]
    assert (result.kind, result.status, result.blame) == ("bounced", "5.3.4", "content")
    assert 2 not in work.left
    assert end.kind == "finished"
    assert "too large" in end.sentence


# The relay says goodbye ------------------------------------------------------------------------

GOODBYE = [
    ("MAIL", "relay"),
    ("RCPT", "recipient"),
    ("DATA", "relay"),
    (".", "relay"),
]


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize(("stage", "blame"), GOODBYE)
def test_421_defers_what_is_under_way_and_keeps_what_was_accepted(
    way: str, then: str, stage: Stage, blame: str
) -> None:
    if way == "chunking" and stage == "DATA":
        return
    act = Act(b"421 4.3.2 shutting down\r\n", then)  # type: ignore[arg-type]
    with SmtpServer(Script(OFFERS[way], at={stage: nth(2, act)})) as server:
        work, end = send(server.url, copies(3), SHORT)
    assert work.kinds[:2] == ["accepted", "deferred"]
    assert (work.results[2].code, work.results[2].blame) == (421, blame)
    # Who has said that they close the connection and do, has not looked at what stands behind.
    assert set(work.kinds[2:]) <= {"unsent"}
    assert end.kind == "finished", "the relay was of use: it may be called again"
    assert "shutting down" in end.sentence


@pytest.mark.parametrize("way", OFFERS)
def test_421_without_an_end_leaves_in_doubt_what_stands_behind(way: str) -> None:
    act = say("421 4.3.2 shutting down", then="silence")
    with SmtpServer(Script(OFFERS[way], at={"MAIL": nth(2, act)})) as server:
        work, end = send(server.url, copies(3), SHORT)
    behind = ["in_doubt"] if way == "chunking" else []
    assert (work.kinds, end.kind) == (["accepted", "deferred", *behind], "finished")


@pytest.mark.parametrize("way", OFFERS)
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "."])
def test_421_at_the_first_copy_means_that_the_relay_is_down(way: str, stage: Stage) -> None:
    act = say("421 4.7.0 too many connections", then="close")
    with SmtpServer(Script(OFFERS[way], at={stage: act})) as server:
        work, end = send(server.url, copies(1))
    assert (work.kinds, end.kind) == (["deferred"], "down")


def test_421_to_an_idle_connection_costs_nothing() -> None:
    class Patient(Copies):
        def done(self, result: Result) -> None:
            self.results[result.copy.key] = result

    late = say("250 2.0.0 ok", "421 4.4.2 timeout", then="close")
    work = Patient(copies(1))
    with SmtpServer(Script(at={".": late})) as server:
        _, end = send(server.url, work)
    assert (work.kinds, end.kind) == (["accepted"], "finished")


@pytest.mark.parametrize("act", [close(), reset()])
def test_an_idle_connection_that_is_closed_costs_nothing(act: Act) -> None:
    class Patient(Copies):
        def done(self, result: Result) -> None:
            self.results[result.copy.key] = result

    work = Patient(copies(1))
    answered = Act(b"250 2.0.0 ok\r\n", act.then)
    with SmtpServer(Script(at={".": answered})) as server:
        _, end = send(server.url, work)
    assert (work.kinds, end.kind) == (["accepted"], "finished")


# PIPELINING is offered and does not work -------------------------------------------------------


def learned(
    url: str, work: Copies, most: int = 4, options: str = SHORT
) -> tuple[Learned, list[End]]:
    """Connections to one relay, until nothing is left to be sent; what it was found to be."""
    relay = parse(f"{url}?{options}")

    async def run() -> list[End]:
        ends = []
        async with asyncio.timeout(20):
            while work.waiting and len(ends) < most:
                ends.append(await SmtpConnection(relay, work).run())
                back = [r.copy for r in work.results.values() if r.kind in ("unsent", "deferred")]
                for given_back in back:
                    work.waiting.append(given_back)
                    work.taken.remove(given_back.key)
                    work.left = [key for key in work.left if key != given_back.key]
                    del work.results[given_back.key]
        return ends

    ends = asyncio.run(run())
    return relay.learned, ends


BROKEN = {
    "throws away what comes behind a command": Script(OFFERS["pipelining"], deaf_behind="commands"),
    "throws away what comes behind a message": Script(OFFERS["pipelining"], deaf_behind="messages"),
    "answers once too often": Script(
        OFFERS["pipelining"], at={"MAIL": once(say("250 2.1.0 ok", "250 2.1.0 ok"))}
    ),
    "answers once for all": Script(OFFERS["pipelining"], at={"RCPT": once(Act(b""))}),
    "answers out of turn": Script(OFFERS["pipelining"], at={"RCPT": once(say("354 go on"))}),
    "calls it improper": Script(
        OFFERS["pipelining"], at={"RCPT": once(say("503 5.5.0 improper command pipelining"))}
    ),
    "calls DATA improper": Script(OFFERS["pipelining"], at={"DATA": once(say("503 5.5.1 no"))}),
    "hangs up": Script(OFFERS["pipelining"], at={"RCPT": once(close())}),
    "has no BDAT after all": Script(
        OFFERS["chunking"], at={".": once(say("502 5.5.1 not implemented"))}
    ),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_after_broken_pipelining_the_next_connection_goes_step_by_step(script: Script) -> None:
    work = Copies(copies(4))
    with SmtpServer(script) as server:
        found, ends = learned(server.url, work)
    assert found.pipelining == "broken"
    assert [end.kind for end in ends] == ["down", "finished"]
    assert sorted(work.results) == [1, 2, 3, 4]
    assert {r.kind for r in work.results.values()} <= {"accepted", "in_doubt"}
    assert len(server.recipients) == len(set(server.recipients))
    if "CHUNKING" not in script.offers:
        assert sorted(server.recipients) == [f"reader{key}@example.org" for key in (1, 2, 3, 4)]
    assert "BDAT" not in server.sessions[1].verbs


def test_pipelining_that_has_worked_is_not_blamed_for_a_lost_connection() -> None:
    work = Copies(copies(6))
    script = Script(OFFERS["pipelining"], at={"RCPT": nth(4, close())})
    with SmtpServer(script) as server:
        found, ends = learned(server.url, work)
    assert found.pipelining == "proven"
    assert [end.kind for end in ends] == ["down", "finished"]
    assert sorted(server.recipients) == [f"reader{key}@example.org" for key in range(1, 7)]


def test_a_line_that_breaks_whatever_is_said_is_not_blamed_on_pipelining() -> None:
    work = Copies(copies(3))

    def twice(moment: object) -> Act | None:
        return close() if server.reached["RCPT"] <= 2 else None

    with SmtpServer(Script(OFFERS["pipelining"], at={"RCPT": twice})) as server:
        found, ends = learned(server.url, work)
    assert found.pipelining == "proven"
    assert [end.kind for end in ends] == ["down", "down", "finished"]


def test_step_by_step_a_confused_answer_defers_the_copy() -> None:
    for stage in ("RCPT", "DATA", "."):
        script = Script(OFFERS["lock-step"], at={stage: nth(2, say("503 5.5.1 what?"))})  # type: ignore[dict-item]
        with SmtpServer(script) as server:
            work, end = send(server.url, copies(3))
        assert work.kinds == ["accepted", "deferred", "accepted"]
        assert work.results[2].blame == "relay"
        assert end.kind == "finished"


# There is no connection to be had --------------------------------------------------------------

OPENING = [
    ("connect", reset(), "connection"),
    ("connect", close(), "closed the connection"),
    ("connect", silence(), "did not answer our call within 0.3 seconds"),
    ("connect", drip("220 relay.example.org ready", 0.1), "did not answer our call within"),
    ("connect", say("421 4.3.2 too busy", then="close"), "takes no mail at present: 421 4.3.2 too busy"),
    ("connect", say("554 5.7.1 go away", then="close"), "takes no mail at present: 554 5.7.1 go away"),
    ("connect", say("SSH-2.0-OpenSSH_9.2"), 'broke the protocol: it said "SSH-2.0-OpenSSH_9.2"'),
    ("connect", say("220 hello", "250 ok"), "broke the protocol: it answered"),
    ("connect", Act(b"220 hello\r\n250 o"), "broke the protocol: it answered before it was asked"),
    ("connect", Act(b"220 " + b"x" * 100_000), "broke the protocol: a line of its answer does not end"),
    ("EHLO", reset(), "broke the connection off"),
    ("EHLO", close(), "closed the connection"),
    ("EHLO", silence(), "did not answer EHLO within 0.3 seconds"),
    ("EHLO", drip("250 relay.example.org", 0.1), "did not answer EHLO within"),
    ("EHLO", say("421 4.3.2 bye", then="close"), "takes no mail at present: 421 4.3.2 bye"),
    ("EHLO", say("451 4.3.0 later"), "takes no mail at present: 451 4.3.0 later"),
    ("EHLO", say("250-a", "251 b"), "broke the protocol"),
    ("EHLO", say("250 a", "250 b"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "act", "said"), OPENING)
def test_a_relay_that_cannot_be_talked_to_is_down(stage: Stage, act: Act, said: str) -> None:
    with SmtpServer(Script(at={stage: act})) as server:
        work, end = send(server.url, copies(1), SHORT)
        name = f"The relay 127.0.0.1:{server.port} "
    assert end.kind == "down"
    assert end.sentence.startswith(name)
    assert said in end.sentence
    assert end.sentence.endswith(".")
    assert "unasked" not in end.sentence
    assert work.taken == []
    assert server.accepted == []


def test_no_relay_wants_to_know_us() -> None:
    script = Script(at={"EHLO": say("550 no"), "HELO": say("550 5.7.1 not you")})
    with SmtpServer(script) as server:
        work, end = send(server.url, copies(1), "helo=news.example.com")
    assert end.kind == "down"
    assert "does not want to talk to news.example.com: 550 5.7.1 not you" in end.sentence
    assert work.taken == []


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    work, end = send(f"smtp://127.0.0.1:{port}", copies(1))
    assert end == End("down", f"The relay 127.0.0.1:{port} cannot be reached: connection refused.")
    assert work.taken == []


def test_a_name_that_leads_nowhere() -> None:
    work, end = send("smtp://relay.invalid", copies(1))
    assert end.kind == "down"
    assert end.sentence.startswith(
        "The relay relay.invalid:25 cannot be found: the name relay.invalid leads nowhere ("
    )
    assert work.taken == []


def test_a_call_that_nobody_takes() -> None:
    """A full queue of connections: the kernel drops what comes in."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        _, end = send(f"smtp://127.0.0.1:{port}", copies(1), SHORT)
        for sock in waiting:
            sock.close()
    sentence = f"The relay 127.0.0.1:{port} cannot be reached within 0.3 seconds."
    assert end == End("down", sentence)


def test_twenty_connections_through_a_faulty_server_account_for_everyone() -> None:
    """Resets at random places: whoever the server has taken is accepted or in doubt."""
    stages: tuple[Stage, ...] = ("MAIL", "RCPT", "DATA", "body", ".")
    at = {
        stage: (lambda m, n=number: reset(accepts=n % 2 == 0) if m.everywhere % 37 == n else None)
        for number, stage in enumerate(stages)
    }
    results: dict[int, Result] = {}
    waiting = copies(400)

    class Shared(Copies):
        def take(self, connection: Connection) -> Copy | None:
            taken = super().take(connection)
            if taken is None:
                connection.finish()
            return taken

        def done(self, result: Result) -> None:
            if result.kind in ("unsent", "deferred"):
                waiting.append(result.copy)
                self.taken.remove(result.copy.key)
            else:
                super().done(result)
                results[result.copy.key] = result

    async def worker(url: str) -> None:
        relay = parse(url)
        while waiting:
            await SmtpConnection(relay, Shared(waiting)).run()

    async def run(url: str) -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*(worker(url) for _ in range(20)))

    with SmtpServer(Script(OFFERS["pipelining"], at=at)) as server:  # type: ignore[arg-type]
        asyncio.run(run(server.url))
    took = [copy_number(recipient) for recipient in server.recipients]
    assert len(took) == len(set(took))
    assert set(results) == set(range(1, 401))
    for key, result in results.items():
        assert result.kind in ("accepted", "in_doubt")
        assert key in took or result.kind == "in_doubt"


def copy_number(recipient: str) -> int:
    return int(recipient.partition("@")[0].removeprefix("reader"))


def test_copies_are_what_they_say() -> None:
    """The tests above count on it."""
    assert isinstance(copy(1), Copy)
    assert copy_number(copy(12).recipient) == 12
