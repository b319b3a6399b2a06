"""The SMTP client with servers that behave: what it says, in which order, and what arrives."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.copies import Copies, copies, copy, send
from tests.servers.delay import DelayProxy
from tests.servers.smtp import Act, Script, SmtpServer, close, nth, once, reset, say, silence

from dispatch.mailing.relays import parse
from dispatch.mailing.smtp import SmtpConnection
from dispatch.mailing.transport import Connection, Copy, End, Result

LOCK_STEP = ("8BITMIME", "SIZE 10000000")
PIPELINING = ("PIPELINING", "8BITMIME", "SIZE 10000000")
CHUNKING = ("PIPELINING", "CHUNKING", "8BITMIME", "SIZE 10000000")
WAYS = pytest.mark.parametrize(
    "offers",
    [LOCK_STEP, PIPELINING, CHUNKING, ("CHUNKING",), ()],
    ids=["lock-step", "pipelining", "chunking", "chunking alone", "nothing offered"],
)


@WAYS
@pytest.mark.parametrize(
    "sizes", [(0,), (30_000,), (300_000,), (0, 300_000)], ids=["small", "usual", "large", "mixed"]
)
def test_every_copy_arrives_once_and_unchanged(
    offers: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    sent = [copy(key, size=sizes[key % len(sizes)]) for key in range(12)]
    with SmtpServer(Script(offers)) as server:
        work, end = send(server.url, sent)
    assert end == End("finished")
    assert work.kinds == ["accepted"] * 12
    assert [(a.sender, a.recipient, a.data) for a in server.accepted] == [
        (c.sender, c.recipient, c.data) for c in sent
    ]
    assert work.left == [c.key for c in sent]
    assert server.violations == []
    assert server.sessions[0].verbs[-1] == "QUIT"


def test_the_relays_words_are_kept() -> None:
    with SmtpServer() as server:
        work, _ = send(server.url, copies(1))
    result = work.results[1]
    assert result.reply == "250 2.0.0 ok: queued as 4XyZ"
    assert (result.code, result.status, result.blame) == (250, "2.0.0", None)


# What is said with what ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "verbs"),
    [
        (LOCK_STEP, "EHLO MAIL RCPT DATA MAIL RCPT DATA QUIT"),
        (PIPELINING, "EHLO MAIL RCPT DATA MAIL RCPT DATA QUIT"),
        (("CHUNKING",), "EHLO MAIL RCPT DATA MAIL RCPT DATA QUIT"),
        # What the first one comes to is not known when the second one is said.
        (CHUNKING, "EHLO MAIL RCPT BDAT RSET MAIL RCPT BDAT QUIT"),
    ],
)
def test_commands(offers: tuple[str, ...], verbs: str) -> None:
    with SmtpServer(Script(offers)) as server:
        send(server.url, copies(2))
    assert server.sessions[0].verbs == verbs.split()
    assert server.violations == []


class Listener:
    """A server of few words: notes the reads between its answers, one connection."""

    def __init__(self, offers: str, answers: dict[bytes, bytes]) -> None:
        self.offers = offers
        self.answers = answers
        self.reads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while data := await reader.read(1_000_000):
            self.reads.append(data)
            if data.startswith(b"EHLO"):
                writer.write(f"250-hello\r\n{self.offers}".encode())
            for ending, answer in self.answers.items():
                if data.endswith(ending):
                    writer.write(answer)
                    break
        writer.close()
        await writer.wait_closed()

    async def send(self, work: Copies) -> End:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            port = server.sockets[0].getsockname()[1]
            return await SmtpConnection(parse(f"smtp://127.0.0.1:{port}"), work).run()


def test_pipelining_sends_the_next_envelope_behind_the_final_dot() -> None:
    listener = Listener(
        "250 PIPELINING\r\n",
        {
            b".\r\nMAIL FROM:<bounces+1@example.com>\r\n": b"",
            b"DATA\r\n": b"250 ok\r\n250 ok\r\n354 go on\r\n",
            b".\r\n": b"250 ok\r\n",
            b"QUIT\r\n": b"221 bye\r\n",
        },
    )
    # Behind a body, the answer to it comes first.
    listener.answers = {
        b"<reader2@example.org>\r\nDATA\r\n": b"250 taken\r\n250 ok\r\n250 ok\r\n354 go on\r\n",
        **listener.answers,
    }
    work = Copies(copies(2))
    first, second = list(work.waiting)
    asyncio.run(listener.send(work))
    envelopes = [
        f"MAIL FROM:<{c.sender}>\r\nRCPT TO:<{c.recipient}>\r\nDATA\r\n".encode()
        for c in (first, second)
    ]
    assert listener.reads[1:] == [
        envelopes[0],
        first.data + b".\r\n" + envelopes[1],
        second.data + b".\r\n",
        b"QUIT\r\n",
    ]
    assert work.kinds == ["accepted"] * 2


def test_chunking_sends_whole_messages_up_to_the_window() -> None:
    under_way: list[int] = []
    work = Copies(copies(10))

    class Watched(Copies):
        def leaving(self, copy: Copy) -> bool:
            under_way.append(len(self.taken) - len(self.results))
            return super().leaving(copy)

    work = Watched(copies(10))
    with SmtpServer(Script(CHUNKING)) as server, DelayProxy(server.port, 0.02) as proxy:
        send(proxy.url, work, "window=4")
    assert work.kinds == ["accepted"] * 10
    assert max(under_way) == 4
    assert under_way[:4] == [1, 2, 3, 4]


def test_chunking_bounds_the_bytes_under_way() -> None:
    most = 0

    class Watched(Copies):
        def leaving(self, copy: Copy) -> bool:
            nonlocal most
            most = max(most, len(self.taken) - len(self.results))
            return super().leaving(copy)

    work = Watched(copies(12, size=500_000))
    with SmtpServer(Script(CHUNKING)) as server, DelayProxy(server.port, 0.02) as proxy:
        send(proxy.url, work, "window=10")
    assert work.kinds == ["accepted"] * 12
    assert most <= 3


def test_pipelining_can_be_switched_off() -> None:
    with SmtpServer(Script((*CHUNKING,))) as server:
        work, _ = send(server.url, copies(2), "pipelining=no")
    assert "BDAT" not in server.sessions[0].verbs
    assert work.kinds == ["accepted"] * 2


def test_a_copy_costs_four_round_trips_or_one_or_hardly_any() -> None:
    """What a long line is paid by, whatever its length."""
    turns = {}
    for name, offers in {"lock-step": LOCK_STEP, "data": PIPELINING, "chunks": CHUNKING}.items():
        with SmtpServer(Script(offers)) as server, DelayProxy(server.port, 0.005) as proxy:
            work, _ = send(proxy.url, copies(16))
        assert work.kinds == ["accepted"] * 16
        turns[name] = proxy.turns
    opening_and_end = 5  # greeting, EHLO, its answer, QUIT, its answer
    assert turns["lock-step"] == 8 * 16 + opening_and_end
    assert turns["data"] == 2 * 16 + 2 + opening_and_end
    assert turns["chunks"] < turns["data"]


# What may and may not be on the wire -----------------------------------------------------------


@WAYS
@pytest.mark.parametrize(
    "text",
    [
        ".",
        "..",
        ".\r\n.",
        "a\r\n.\r\nMAIL FROM:<x@example.net>",
        ".a\r\n..b\r\n. c",
        "\r\n.\r\n.\r\n",
    ],
)
def test_dots_arrive_as_they_were(offers: tuple[str, ...], text: str) -> None:
    whole = copy(1, text)
    bare = Copy(2, "a@example.com", "b@example.org", "example.org", text.encode() + b"\r\n")
    with SmtpServer(Script(offers)) as server:
        work, _ = send(server.url, [whole, bare, copy(3)])
    assert [a.data for a in server.accepted] == [whole.data, bare.data, copy(3).data]
    assert work.kinds == ["accepted"] * 3
    assert server.violations == []


@WAYS
@given(
    lines=st.lists(
        st.text("ab.\t ", max_size=8) | st.sampled_from([".", "..", "QUIT", "BDAT 5 LAST"]),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=25)
def test_any_lines_arrive_as_they_were(offers: tuple[str, ...], lines: list[str]) -> None:
    data = "".join(f"{line}\r\n" for line in lines).encode()
    with SmtpServer(Script(offers)) as server:
        work, _ = send(server.url, [Copy(1, "a@example.com", "b@example.org", "example.org", data)])
    assert [a.data for a in server.accepted] == [data]
    assert work.kinds == ["accepted"]
    assert server.violations == []


@WAYS
@pytest.mark.parametrize(
    "data",
    [
        b"a\n.\r\nMAIL FROM:<evil@example.net>\r\n",
        b"a\r\n.\nMAIL FROM:<evil@example.net>\r\n",
        b"a\n.\nb\r\n",
        b"a\r.\rb\r\n",
        b"a\r\r\n.\r\r\nb\r\n",
        b"a\n\rb\r\n",
        b"a\n",
        b"a\r",
        b"a",
        b"",
    ],
)
def test_a_message_that_could_be_read_as_two_does_not_leave(
    offers: tuple[str, ...], data: bytes
) -> None:
    bad = Copy(1, "a@example.com", "b@example.org", "example.org", data)
    with SmtpServer(Script(offers)) as server:
        work, _ = send(server.url, [bad, copy(2)])
    assert work.kinds == ["bounced", "accepted"]
    assert (work.results[1].status, work.results[1].blame) == ("5.6.0", "content")
    assert server.recipients == ["reader2@example.org"]
    assert server.violations == []


BAD_ADDRESSES = [
    "",
    "reader",
    "@example.org",
    "reader@",
    "a@example.org>\r\nRCPT TO:<b@example.net",
    "a@example.org\r\nDATA",
    "a@example.org\n",
    "a@example.org\r",
    "a@example.org> SIZE=1",
    "<a@example.org>",
    "a b@example.org",
    '"a b"@example.org',
    "a\t@example.org",
    "a\x00@example.org",
    "a\x7f@example.org",
    "a\x85@example.org",
    "a\u2028@example.org",
    "a\ud800@example.org",
    "a" * 250 + "@example.org",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_that_could_be_read_as_a_command_is_refused(address: str) -> None:
    bad = Copy(1, "a@example.com", address, "example.org", copy(1).data)
    with SmtpServer(Script((*PIPELINING, "SMTPUTF8"))) as server:
        work, _ = send(server.url, [bad, copy(2)])
    assert work.kinds == ["bounced", "accepted"]
    assert (work.results[1].status, work.results[1].blame) == ("5.1.3", "recipient")
    assert work.results[1].reply.isprintable()
    assert server.sessions[0].verbs == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_return_path_that_could_be_read_as_a_command_is_nobodys_bounce() -> None:
    bad = Copy(1, "a@example.com>\r\nRSET", "b@example.org", "example.org", copy(1).data)
    with SmtpServer() as server:
        work, _ = send(server.url, [bad])
    assert (work.kinds, work.results[1].blame) == (["unsent"], "sender")
    assert server.sessions[0].verbs == ["EHLO", "QUIT"]


def test_a_return_path_that_needs_smtputf8_is_nobodys_bounce() -> None:
    with SmtpServer() as server:
        work, _ = send(server.url, [Copy(1, "é@x.org", "b@example.org", "example.org", b"a\r\n")])
    assert (work.kinds, work.results[1].blame) == (["unsent"], "sender")


def test_the_null_return_path_is_one() -> None:
    with SmtpServer() as server:
        work, _ = send(server.url, [Copy(1, "", "b@example.org", "example.org", copy(1).data)])
    assert work.kinds == ["accepted"]
    assert server.accepted[0].sender == ""


# What the relay can and cannot do --------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "recipient", "data", "parameters"),
    [
        ((), "a@example.org", b"a\r\n", ""),
        (("SIZE",), "a@example.org", b"a\r\n", "SIZE=3"),
        (("SIZE 0",), "a@example.org", b"a\r\n", "SIZE=3"),
        (("SIZE 3",), "a@example.org", b"a\r\n", "SIZE=3"),
        (("size 3", "8bitmime", "smtputf8"), "a@example.org", b"a\r\n", "SIZE=3"),
        (("8BITMIME",), "a@example.org", "é\r\n".encode(), "BODY=8BITMIME"),
        (("8BITMIME", "SMTPUTF8"), "é@example.org", b"a\r\n", "SMTPUTF8"),
        (("SIZE 9", "8BITMIME", "SMTPUTF8"), "é@x.org", "é\r\n".encode(), "SIZE=4 BODY=8BITMIME SMTPUTF8"),
    ],
)  # fmt: skip
def test_mail_says_what_is_needed_and_offered(
    offers: tuple[str, ...], recipient: str, data: bytes, parameters: str
) -> None:
    with SmtpServer(Script(offers)) as server:
        work, _ = send(server.url, [Copy(1, "d@example.com", recipient, "example.org", data)])
    assert work.kinds == ["accepted"]
    assert server.accepted[0].parameters == parameters


@pytest.mark.parametrize(
    ("offers", "recipient", "data", "status", "blame"),
    [
        (("SIZE 2",), "a@example.org", b"a\r\n", "5.3.4", "content"),
        ((), "a@example.org", "é\r\n".encode(), "5.6.3", "content"),
        (("8BITMIME",), "é@example.org", b"a\r\n", "5.6.7", "recipient"),
    ],
)
def test_what_the_relay_cannot_take_is_not_carried_to_it(
    offers: tuple[str, ...], recipient: str, data: bytes, status: str, blame: str
) -> None:
    with SmtpServer(Script(offers)) as server:
        work, _ = send(server.url, [Copy(1, "d@example.com", recipient, "example.org", data)])
    assert work.kinds == ["bounced"]
    assert (work.results[1].code, work.results[1].status) == (None, status)
    assert work.results[1].blame == blame
    assert server.sessions[0].verbs == ["EHLO", "QUIT"]


@pytest.mark.parametrize("answer", ["500 5.5.1 what?", "502 no", "550 go away"])
def test_a_relay_without_ehlo_is_greeted_the_old_way(answer: str) -> None:
    with SmtpServer(Script(PIPELINING, at={"EHLO": say(answer)})) as server:
        work, _ = send(server.url, copies(2))
    assert work.kinds == ["accepted"] * 2
    assert server.sessions[0].verbs == [
        "EHLO",
        "HELO",
        "MAIL",
        "RCPT",
        "DATA",
        "MAIL",
        "RCPT",
        "DATA",
        "QUIT",
    ]
    assert {a.parameters for a in server.accepted} == {""}


@pytest.mark.parametrize(
    ("options", "name"),
    [(("helo=news.example.com",), r"news\.example\.com"), ((), r"\[127\.0\.0\.1\]|.+\..+")],
)
def test_it_says_who_it_is(options: tuple[str, ...], name: str) -> None:
    with SmtpServer() as server:
        send(server.url, copies(1), *options)
    assert re.fullmatch(f"EHLO ({name})", server.sessions[0].lines[0])


# When it ends ----------------------------------------------------------------------------------


@WAYS
def test_a_connection_takes_its_share_of_messages(offers: tuple[str, ...]) -> None:
    work = Copies(copies(5))
    with SmtpServer(Script(offers)) as server:
        _, end = send(server.url, work, "messages=2")
        assert end == End("finished")
        assert (work.kinds, len(work.waiting)) == (["accepted"] * 2, 3)
        send(server.url, work, "messages=2")
        send(server.url, work, "messages=2")
    assert len(server.accepted) == 5
    assert [s.verbs[-1] for s in server.sessions] == ["QUIT"] * 3


class Patient(Copies):
    """Gives what is put into it, and does not finish by itself."""

    def done(self, result: Result) -> None:
        self.results[result.copy.key] = result
        self.told.set()

    def __init__(self) -> None:
        super().__init__([])
        self.told = asyncio.Event()
        self.asked = asyncio.Event()

    def take(self, connection: Connection) -> Copy | None:
        self.asked.set()
        return super().take(connection)


async def idle_connection(url: str) -> tuple[Patient, SmtpConnection, asyncio.Task[End]]:
    work = Patient()
    connection = SmtpConnection(parse(url), work)
    running = asyncio.create_task(connection.run())
    await asyncio.wait_for(work.asked.wait(), 10)
    return work, connection, running


def test_an_idle_connection_waits_to_be_poked() -> None:
    async def talk(url: str) -> None:
        work, connection, running = await idle_connection(url)
        for key in (1, 2):
            work.waiting.append(copy(key))
            work.told.clear()
            connection.poke()
            await asyncio.wait_for(work.told.wait(), 10)
            assert work.results[key].kind == "accepted"
        connection.poke()
        connection.finish()
        assert await running == End("finished")

    with SmtpServer() as server:
        asyncio.run(talk(server.url))
    assert server.sessions[0].verbs == [
        "EHLO",
        "MAIL",
        "RCPT",
        "DATA",
        "MAIL",
        "RCPT",
        "DATA",
        "QUIT",
    ]


def test_what_was_said_before_a_write_failed_is_heard() -> None:
    async def talk(server: SmtpServer) -> None:
        work, connection, running = await idle_connection(server.url)
        server.hang_up("421 4.3.2 shutting down")
        work.waiting.append(copy(1))
        connection.poke()
        end = await asyncio.wait_for(running, 10)
        assert (end.kind, work.results[1].kind, work.results[1].code) == ("down", "deferred", 421)

    with SmtpServer() as server:
        asyncio.run(talk(server))


@pytest.mark.parametrize("offers", [LOCK_STEP, PIPELINING])
def test_who_says_no_more_is_left(offers: tuple[str, ...]) -> None:
    """A relay that closes its side alone: no answer can come, so the rest does not leave."""
    script = Script(offers, at={"DATA": Act(b"354 go on\r\n", "eof")}, receive_buffer=4096)
    with SmtpServer(script) as server:
        work, end = send(server.url, [copy(1, size=9_000_000)])
    assert end.kind == "down"
    assert (work.kinds, work.left) == (["unsent"], [])


def test_an_idle_connection_is_closed_after_a_while() -> None:
    async def talk(url: str) -> End:
        _, _, running = await idle_connection(url)
        return await asyncio.wait_for(running, 10)

    with SmtpServer() as server:
        assert asyncio.run(talk(f"{server.url}?idle=0.1")) == End("finished")
    assert server.sessions[0].verbs == ["EHLO", "QUIT"]


def test_finish_ends_before_the_relay_has_answered_the_call() -> None:
    async def talk(url: str) -> End:
        work = Patient()
        connection = SmtpConnection(parse(url), work)
        running = asyncio.create_task(connection.run())
        await asyncio.sleep(0.02)
        connection.finish()
        return await asyncio.wait_for(running, 10)

    with SmtpServer(Script(at={"connect": silence()})) as server:
        assert asyncio.run(talk(server.url)) == End("finished")


@pytest.mark.parametrize("how", ["finish", "abort"])
def test_told_to_end_before_it_begins(how: str) -> None:
    connection = SmtpConnection(parse("smtp://127.0.0.1:9"), Copies(copies(1)))
    getattr(connection, how)()
    assert asyncio.run(connection.run()).kind == "finished"


@WAYS
def test_finish_lets_what_is_under_way_be_answered(offers: tuple[str, ...]) -> None:
    class Impatient(Copies):
        def leaving(self, copy: Copy) -> bool:
            assert self.connection
            self.connection.finish()
            return super().leaving(copy)

        def done(self, result: Result) -> None:
            self.results[result.copy.key] = result

    work = Impatient(copies(30))
    with SmtpServer(Script(offers)) as server:
        _, end = send(server.url, work)
    assert end == End("finished")
    assert set(work.kinds) == {"accepted"}
    assert 1 <= len(work.taken) <= 2
    assert len(server.accepted) == len(work.taken)
    assert server.sessions[0].verbs[-1] == "QUIT"


@pytest.mark.parametrize(
    ("stage", "offers", "kinds"),
    [
        ("MAIL", LOCK_STEP, ["unsent"]),
        ("DATA", PIPELINING, ["unsent"]),
        (".", LOCK_STEP, ["in_doubt"]),
        (".", PIPELINING, ["in_doubt", "unsent"]),
        (".", CHUNKING, ["in_doubt", "in_doubt", "in_doubt"]),
    ],
)
def test_abort_leaves_in_doubt_what_has_left(
    stage: str, offers: tuple[str, ...], kinds: list[str]
) -> None:
    work = Copies(copies(3))

    async def talk(url: str, server: SmtpServer) -> End:
        connection = SmtpConnection(parse(url), work)
        running = asyncio.create_task(connection.run())
        async with asyncio.timeout(10):
            while not server.reached[stage]:
                await asyncio.sleep(0.001)
            connection.abort()
            return await running

    with SmtpServer(Script(offers, at={stage: silence()})) as server:
        end = asyncio.run(talk(server.url, server))
    assert end.kind == "finished"
    assert work.kinds == kinds
    assert {result.blame for result in work.results.values()} == {None}


def test_a_cancelled_run_reports_what_was_under_way() -> None:
    work = Copies(copies(2))

    async def talk(url: str, server: SmtpServer) -> None:
        running = asyncio.create_task(SmtpConnection(parse(url), work).run())
        async with asyncio.timeout(10):
            while not server.reached["."]:
                await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with SmtpServer(Script(at={".": silence()})) as server:
        asyncio.run(talk(server.url, server))
    assert work.kinds == ["in_doubt", "unsent"]


# The work --------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("size", [0, 200_000], ids=["small", "large"])
def test_a_copy_that_is_called_back_does_not_leave(offers: tuple[str, ...], size: int) -> None:
    work = Copies(copies(4, size), may_leave=lambda copy: copy.key != 2)
    with SmtpServer(Script(offers)) as server:
        _, end = send(server.url, work)
        assert end.kind == "finished"
        assert work.results[2].kind == "unsent"
        assert work.results[2].blame is None
        while work.waiting:  # the relay may have to be called anew
            send(server.url, work)
        finally_accepted = [c for c in (1, 3, 4) if work.results[c].kind == "accepted"]
    assert server.recipients == [f"reader{key}@example.org" for key in finally_accepted]
    assert "in_doubt" not in work.kinds
    assert set(work.kinds) == {"accepted", "unsent"}


def test_a_copy_called_back_takes_nothing_from_the_next_one() -> None:
    """The relay has to forget the transaction that failed before, whoever comes next."""
    no = say("550 5.1.1 no such user")
    work = Copies(copies(3), may_leave=lambda copy: copy.key != 2)
    with SmtpServer(Script(CHUNKING, at={"RCPT": once(no)})) as server:
        send(server.url, work, "window=1")
    assert work.kinds == ["bounced", "unsent", "accepted"]
    assert server.violations == []


@WAYS
@pytest.mark.parametrize("fault", ["take", "leaving", "done"])
def test_an_error_of_the_work_ends_the_run_and_is_raised(
    offers: tuple[str, ...], fault: str
) -> None:
    class Broken(Copies):
        def take(self, connection: Connection) -> Copy | None:
            if fault == "take" and len(self.taken) == 2:
                raise OSError("disk full")
            return super().take(connection)

        def leaving(self, copy: Copy) -> bool:
            if fault == "leaving" and copy.key == 2:
                raise OSError("disk full")
            return super().leaving(copy)

        def done(self, result: Result) -> None:
            super().done(result)
            if fault == "done" and result.copy.key == 2:
                raise OSError("disk full")

    work = Broken(copies(4))
    with SmtpServer(Script(offers)) as server, pytest.raises(OSError, match="disk full"):
        send(server.url, work)
    assert sorted(work.results) == sorted(work.taken)
    for message in server.accepted:
        key = int(message.recipient.removeprefix("reader").partition("@")[0])
        assert work.results[key].kind in ("accepted", "in_doubt")
    if fault == "leaving":
        assert work.results[2].kind == "unsent"


def test_nothing_waits_in_the_network_stack() -> None:
    """TCP_NODELAY: a short line leaves at once."""
    seen = []

    class Watched(Copies):
        def leaving(self, copy: Copy) -> bool:
            assert isinstance(self.connection, SmtpConnection)
            transport = self.connection._transport
            assert transport
            sock = transport.get_extra_info("socket")
            seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            return super().leaving(copy)

    with SmtpServer() as server:
        send(server.url, Watched(copies(1)))
    assert seen[0]


# Everything at once ----------------------------------------------------------------------------

_ANSWERS = st.sampled_from(
    [
        say("450 4.7.1 later"),
        say("550 5.1.1 no"),
        say("503 5.5.1 what?"),
        say("421 4.3.2 going down", then="close"),
        say("421 4.3.2 going down", then="reset"),
        say("550 5.7.1 out", then="close"),
        say("rubbish"),
        say("354 what"),
    ]
)
_ENDS = st.sampled_from([reset(), reset(accepts=True), close(), close(accepts=True)])
_STAGES = st.sampled_from(["MAIL", "RCPT", "DATA", ".", "RSET"])
_FAULTS = st.one_of(
    st.tuples(_STAGES, st.integers(1, 6), _ANSWERS),
    st.tuples(st.one_of(_STAGES, st.just("body")), st.integers(1, 6), _ENDS),
)


@given(
    offers=st.sampled_from([LOCK_STEP, PIPELINING, CHUNKING]),
    sizes=st.lists(st.sampled_from([0, 70_000]), min_size=5, max_size=5),
    faults=st.lists(_FAULTS, max_size=4),
    lenient=st.booleans(),
)
@settings(max_examples=100)
def test_whatever_happens_nothing_is_lost_or_sent_twice(
    offers: tuple[str, ...], sizes: list[int], faults: list[tuple[Any, int, Act]], lenient: bool
) -> None:
    """What the server took is accepted or in doubt, and what is accepted, the server took."""
    at = {stage: nth(number, act) for stage, number, act in faults}
    waiting = [copy(key, size=size) for key, size in enumerate(sizes, start=1)]
    results: dict[int, Result] = {}
    with SmtpServer(Script(offers, at=at, data_without_recipient=lenient)) as server:
        for _ in range(12):
            work, _ = send(server.url, waiting)
            results |= work.results
            tried = [r.copy for r in work.results.values() if r.kind in ("unsent", "deferred")]
            waiting = tried + work.waiting
            if not waiting:
                break
    took = [
        int(recipient.partition("@")[0].removeprefix("reader")) for recipient in server.recipients
    ]
    assert server.violations == []
    assert len(took) == len(set(took)), "one was sent twice"
    assert set(results) == {1, 2, 3, 4, 5}
    for key, result in results.items():
        assert result.kind in (("accepted", "in_doubt") if key in took else ("bounced", "in_doubt"))
