"""A real SMTP server that misbehaves exactly as it is told, and knows what it took.

    with SmtpServer(Script(offers=("PIPELINING",), at={"RCPT": once(say("450 4.7.1 later"))})) as server:
        …                     # a client talks to server.url
    server.accepted           # every message it took, in order: recipients, Message-ID, bytes
    server.sessions           # what every connection said
    server.violations         # whatever no client may do: bare line ends, commands out of turn

It runs in a thread of its own, so that clients may be other processes, be
killed, or block. A message counts as accepted when the server has decided so,
whether or not the answer reaches anybody: that is what a test compares with.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, cast

Stage = Literal[
    "connect", "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "body", ".", "RSET", "QUIT"
]  # fmt: skip
"""When something may happen. ``body``: the first bytes of a message have come; ``.``: all of it has
(by DATA or BDAT). What happens then takes the place of the usual answer."""


@dataclass(frozen=True)
class Act:
    """What the server does at a stage.

    Args:
        say: its answer, CRLF included; None for the usual one, empty for none (it means yes).
        then: ``silence``: it never speaks again; ``eof``: it says so, and reads no more; ``deaf``: it
            never reads again either.
        gap: seconds between two bytes of the answer; 0 for all at once.
        accepts: whether a message that has come counts as accepted; None: if the answer is 2xx.
    """

    say: bytes | None = None
    then: Literal["go on", "close", "reset", "silence", "eof", "deaf"] = "go on"
    gap: float = 0
    accepts: bool | None = None


@dataclass(frozen=True)
class Moment:
    """When a stage is reached. Numbers begin at 1."""

    session: int
    here: int  # how often this stage has been reached in the session, this time included
    everywhere: int  # in all sessions
    recipient: str = ""
    message_id: str = ""


Rule = Act | Callable[[Moment], Act | None]


def say(*lines: str, then: Literal["go on", "close", "reset", "silence"] = "go on") -> Act:
    """Answer with ``lines``, and go on unless told otherwise."""
    return Act("".join(f"{line}\r\n" for line in lines).encode(), then)


def reset(*, accepts: bool = False) -> Act:
    """Reset the connection without an answer."""
    return Act(b"", "reset", accepts=accepts)


def close(*, accepts: bool = False) -> Act:
    """Close the connection without an answer."""
    return Act(b"", "close", accepts=accepts)


def silence(*, accepts: bool = False) -> Act:
    """Never answer again."""
    return Act(b"", "silence", accepts=accepts)


def deaf() -> Act:
    """Never answer nor read again."""
    return Act(b"", "deaf")


def drip(line: str, gap: float) -> Act:
    """Answer with one byte every ``gap`` seconds."""
    return Act(f"{line}\r\n".encode(), gap=gap)


def nth(number: int, act: Act) -> Callable[[Moment], Act | None]:
    """``act`` the nth time the stage is reached in any session, otherwise the usual."""
    return lambda moment: act if moment.everywhere == number else None


def once(act: Act) -> Callable[[Moment], Act | None]:
    """``act`` the first time, otherwise the usual."""
    return nth(1, act)


def to(recipient: str, act: Act) -> Callable[[Moment], Act | None]:
    """``act`` where it concerns ``recipient``, otherwise the usual."""
    return lambda moment: act if moment.recipient == recipient else None


@dataclass(frozen=True)
class Script:
    """How the server behaves.

    Args:
        offers: the lines of its answer to EHLO; STARTTLS and AUTH are added by ``tls`` and ``users``.
        at: what happens when. Everything else is as RFC 5321 wants it.
        tls: its certificate and key; ``implicit``: from the first byte.
        users: who may log in; the password is the token for XOAUTH2. ``mechanisms`` are offered,
            only after STARTTLS where there is ``tls``.
        deaf_behind: it throws away what comes in behind a command, or behind a message, as broken
            servers do.
        data_without_recipient: 354 although nobody was accepted (RFC 2920 3.1 allows that).
        receive_buffer: bytes of the socket's, for servers that stop reading.
    """

    offers: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10000000", "ENHANCEDSTATUSCODES")
    at: Mapping[Stage, Rule] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    users: Mapping[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "XOAUTH2")
    deaf_behind: Literal["", "commands", "messages"] = ""
    data_without_recipient: bool = False
    receive_buffer: int = 0

    def but(self, **changes: Any) -> Script:
        """The same script with some of it changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Accepted:
    """A message that the server took: ``data`` has its doubled dots undone."""

    session: int
    sender: str
    recipient: str
    data: bytes
    parameters: str = ""

    @property
    def message_id(self) -> str:
        return _message_id(self.data)


@dataclass
class Session:
    """What one connection said: every command line, and bytes that never became one."""

    number: int
    lines: list[str] = field(default_factory=list)
    encrypted: bool = False
    user: str = ""

    @property
    def verbs(self) -> list[str]:
        return [line.split(" ")[0].upper() for line in self.lines]


class SmtpServer:
    """The server of a :class:`Script`, on a free port of the loopback while the context is open."""

    def __init__(self, script: Script | None = None, port: int = 0) -> None:
        self.script = script or Script()
        self.port = port
        self.accepted: list[Accepted] = []
        self.sessions: list[Session] = []
        self.violations: list[str] = []
        self.reached: Counter[Stage] = Counter()
        self.open: set[_Serving] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """Of a relay without encryption, log-in or options."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def message_ids(self) -> list[str]:
        return [message.message_id for message in self.accepted]

    @property
    def recipients(self) -> list[str]:
        return [message.recipient for message in self.accepted]

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._in_loop(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._in_loop(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hang_up(self, line: str) -> None:
        """Say ``line`` on every open connection and reset it; done when this returns."""

        async def hang_up() -> None:
            for serving in list(self.open):
                serving.transport.write(f"{line}\r\n".encode())
                serving.reset()

        self._in_loop(hang_up())

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY on no other
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.script.receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.script.receive_buffer)
        listener.bind(("127.0.0.1", self.port))
        tls = self.script.tls if self.script.implicit else None
        return await self._loop.create_server(
            lambda: _Serving(self), sock=listener, backlog=500, ssl=tls
        )

    async def _stop(self) -> None:
        self._server.close()
        for serving in list(self.open):
            serving.reset()
        while self.open:  # their connections are lost in the loop's next rounds
            await asyncio.sleep(0.001)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Serving(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.script = server.script
        self.transport: asyncio.Transport
        self._began = False
        self._buffer = bytearray()
        self._counts: Counter[Stage] = Counter()
        self._stopped = False  # silent or deaf
        self._busy = False  # dripping, or agreeing on encryption
        self._tasks: set[asyncio.Task[None]] = set()
        self._body: Literal["", "data", "chunk"] = ""
        self._body_seen = False
        self._searched = 0
        self._chunk = 0
        self._pending_auth: list[str] | None = None
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._parameters = ""
        self._recipients: list[str] = []

    # The network -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server.open.add(self)
        self.session = Session(len(self.server.sessions) + 1, encrypted=self.script.implicit)
        self.server.sessions.append(self.session)
        self._do("connect", b"220 relay.example.org ready\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.open.discard(self)
        for task in self._tasks:
            task.cancel()
        if self._buffer and not self._body:
            self.session.lines.append(self._buffer.decode("utf-8", "replace"))

    def data_received(self, data: bytes) -> None:
        if self._stopped:
            return
        self._buffer += data
        self._work()

    def reset(self) -> None:
        """Close so that the other side is told of a broken connection."""
        sock = self.transport.get_extra_info("socket")
        if sock is None:  # the other side was faster
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _work(self) -> None:
        """Deal with what has come, unless an answer is still on its way."""
        while self._buffer and not (self._stopped or self._busy or self.transport.is_closing()):
            if not (self._take_body() if self._body else self._take_line()):
                return

    def _do(self, stage: Stage, usual: bytes, **about: str) -> bytes:
        """Answer at ``stage`` as the script wants it; what was said."""
        self._counts[stage] += 1
        self.server.reached[stage] += 1
        rule = self.script.at.get(stage)
        if callable(rule):
            rule = rule(
                Moment(
                    self.session.number, self._counts[stage], self.server.reached[stage], **about
                )
            )
        act = rule or Act()
        answer = usual if act.say is None else act.say
        if stage == "." and (answer[:1] == b"2" if act.accepts is None else act.accepts):
            self._accept()
        if act.gap:
            self._later(self._drip(answer, act.gap))
        elif answer:
            self.transport.write(answer)
        self._then(act)
        return answer

    def _then(self, act: Act) -> None:
        match act.then:
            case "close":
                self.transport.close()
            case "reset":
                self.reset()
            case "silence":
                self._stopped = True
            case "eof":
                self._stopped = True
                self.transport.write_eof()
                self.transport.pause_reading()
            case "deaf":
                self._stopped = True
                self.transport.pause_reading()

    def _later(self, coroutine: Any) -> None:
        self._busy = True
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drip(self, answer: bytes, gap: float) -> None:
        for byte in answer:
            self.transport.write(bytes([byte]))
            await asyncio.sleep(gap)
        self._busy = False
        self._work()

    # Commands ----------------------------------------------------------------------------------

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if self.script.deaf_behind == "commands":
            self._buffer.clear()
        if self._buffer and "PIPELINING" not in self.script.offers:
            self.server.violations.append(f"more behind {line!r}, and no PIPELINING was offered")
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self.server.violations.append(f"a bare line end in {line!r}")
        text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        self.session.lines.append(text)
        if self._pending_auth is not None:
            self._auth_answer(text)
        else:
            self._command(text)
        return True

    def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                self._forget()
                self._do(cast(Stage, verb.upper()), self._greeting(verb.upper()))
            case "STARTTLS":
                self._starttls()
            case "AUTH":
                self._auth(rest)
            case "MAIL":
                self._mail(rest)
            case "RCPT":
                self._rcpt(rest)
            case "DATA":
                self._data()
            case "BDAT":
                self._bdat(rest)
            case "RSET":
                self._forget()
                self._do("RSET", b"250 2.0.0 ok\r\n")
            case "QUIT":
                self._do("QUIT", b"221 2.0.0 bye\r\n")
                if not self._stopped:
                    self.transport.close()
            case _:
                self.server.violations.append(f"no command: {line!r}")
                self.transport.write(b"500 5.5.2 what?\r\n")

    def _greeting(self, verb: str) -> bytes:
        if verb == "HELO":
            return b"250 relay.example.org\r\n"
        offers = list(self.script.offers)
        if self.script.tls and not self.session.encrypted:
            offers.append("STARTTLS")
        elif self.script.users:
            offers.append("AUTH " + " ".join(self.script.mechanisms))
        lines = ["relay.example.org", *offers]
        marks = ["-"] * (len(lines) - 1) + [" "]
        return "".join(f"250{m}{x}\r\n" for m, x in zip(marks, lines, strict=True)).encode()

    def _mail(self, rest: str) -> None:
        if self.script.users and not self.session.user:
            self._do("MAIL", b"530 5.7.0 log in first\r\n")
            return
        found = re.fullmatch(r"FROM:<([^>]*)>(.*)", rest)
        if self._sender is not None or not found:
            self.server.violations.append(f"MAIL out of turn: {rest!r}")
            self.transport.write(b"503 5.5.1 nested MAIL\r\n")
            return
        if self._do("MAIL", b"250 2.1.0 ok\r\n")[:1] in (b"2", b""):
            self._sender, self._parameters = found[1], found[2].strip()

    def _rcpt(self, rest: str) -> None:
        found = re.fullmatch(r"TO:<([^>]*)>", rest)
        if self._sender is None or not found:
            self.transport.write(b"503 5.5.1 need MAIL\r\n")
        elif self._do("RCPT", b"250 2.1.5 ok\r\n", recipient=found[1])[:1] in (b"2", b""):
            self._recipients.append(found[1])

    def _data(self) -> None:
        if self._recipients or self.script.data_without_recipient:
            if self._do("DATA", b"354 go on\r\n", **self._about())[:1] == b"3":
                self._body, self._body_seen, self._searched = "data", False, 0
        else:
            self.transport.write(b"554 5.5.1 no valid recipients\r\n")

    def _bdat(self, rest: str) -> None:
        size, _, last = rest.partition(" ")
        if "CHUNKING" not in self.script.offers or last != "LAST" or not size.isdigit():
            self.server.violations.append(f"BDAT {rest}")
        self._body, self._body_seen, self._chunk = "chunk", False, int(size)

    def _about(self) -> dict[str, str]:
        return {"recipient": self._recipients[0] if self._recipients else ""}

    # Messages ----------------------------------------------------------------------------------

    def _take_body(self) -> bool:
        if not self._body_seen:
            self._body_seen = True
            # Without an act of the script this stage has no answer.
            self._do("body", b"", **self._about())
            if self._stopped or self.transport.is_closing():
                return False
        return self._take_chunk() if self._body == "chunk" else self._take_data()

    def _take_chunk(self) -> bool:
        if len(self._buffer) < self._chunk:
            return False
        self._message = bytes(self._buffer[: self._chunk])
        del self._buffer[: self._chunk]
        self._whole()
        return True

    def _take_data(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            self._message, size = b"", 3
        else:
            end = self._buffer.find(b"\r\n.\r\n", self._searched)
            if end < 0:
                self._searched = max(0, len(self._buffer) - 4)
                return False
            size = end + 5
            body = bytes(self._buffer[: end + 2])
            if body.startswith(b".") and not body.startswith(b".."):
                self.server.violations.append("a dot that was not doubled begins a message")
            self._message = re.sub(rb"(^|\r\n)\.", rb"\1", body)
        del self._buffer[:size]
        self._whole()
        return True

    def _whole(self) -> None:
        """A message has come to its end."""
        if re.search(rb"(?<!\r)\n|\r(?!\n)", self._message):
            self.server.violations.append("a bare line end in a message")
        if self.script.deaf_behind == "messages":
            self._buffer.clear()
        chunk, self._body = self._body == "chunk", ""
        if self._recipients:
            usual = b"250 2.0.0 ok: queued as 4XyZ\r\n"
            about = self._about()
            answer = self._do(".", usual, message_id=_message_id(self._message), **about)
        else:
            answer = b"554 5.5.1 no valid recipients\r\n"
            self.transport.write(answer)
        if not chunk or answer[:1] == b"2":  # after a BDAT that fails, RSET is due (RFC 3030 2)
            self._forget()

    def _accept(self) -> None:
        for recipient in self._recipients:
            self.server.accepted.append(
                Accepted(
                    self.session.number,
                    self._sender or "",
                    recipient,
                    self._message,
                    self._parameters,
                )
            )

    # Encryption and log-in ---------------------------------------------------------------------

    def _starttls(self) -> None:
        if not self.script.tls or self.session.encrypted:
            self._do("STARTTLS", b"502 5.5.1 no\r\n")
        elif self._do("STARTTLS", b"220 2.0.0 go\r\n")[:3] == b"220" and not self._stopped:
            self._later(self._encrypt())

    async def _encrypt(self) -> None:
        assert self.script.tls
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self.transport, self, self.script.tls, server_side=True
            )
        except OSError:  # the client did not like the certificate
            transport = None
        if transport is None:
            self.server.open.discard(self)
            return
        self.transport = transport
        self.session.encrypted = True
        self._busy = False
        self._work()

    def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        self._pending_auth = [mechanism.upper()]
        if initial:
            self._auth_answer(initial)
        else:
            self.transport.write(b"334 VXNlcm5hbWU6\r\n")

    def _auth_answer(self, encoded: str) -> None:
        assert self._pending_auth
        self._pending_auth.append(base64.b64decode(encoded).decode())
        mechanism, *answers = self._pending_auth
        if mechanism == "LOGIN" and len(answers) == 1:
            self.transport.write(b"334 UGFzc3dvcmQ6\r\n")
            return
        if mechanism == "XOAUTH2":
            found = re.fullmatch("user=(.*)\1auth=Bearer (.*)\1\1", answers[0])
            user, password = (found[1], found[2]) if found else ("", "")
            if self.script.users.get(user) != password and len(answers) == 1:
                self.transport.write(b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n")  # then an empty answer
                return
        else:
            user, password = answers if mechanism == "LOGIN" else answers[0].split("\0")[1:]
        self._pending_auth = None
        right = mechanism in self.script.mechanisms and self.script.users.get(user) == password
        answer = self._do(
            "AUTH", b"235 2.7.0 welcome\r\n" if right else b"535 5.7.8 wrong user or password\r\n"
        )
        if answer[:1] == b"2":
            self.session.user = user


def _message_id(data: bytes) -> str:
    found = re.search(rb"^Message-ID:[ \t]*(<[^>\r\n]*>)", data, re.MULTILINE | re.IGNORECASE)
    return found[1].decode("ascii", "replace") if found else ""
