"""Commands and their answers, in order and in time: what SMTP is made of.

    self._say(b"RCPT TO:<…>\\r\\n", step, about)    to be sent; step understands the answer
    self._write()                                 all that was said, in one write

Answers come in the order of the commands (RFC 5321 4.3.1, RFC 2920 3.1). The
oldest command without one has a deadline, which only a whole answer ends; so
has a write that the other side does not take.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from dispatch.mailing.replies import ProtocolError, Reply, ReplyParser

About = TypeVar("About")
Cause = Literal["lost", "silent", "confused"]

_MEGABYTE = 1_048_576
_HEARD = 16_384
"""Bytes of answers that are taken in at once."""
_WATCH = 0.005
"""Seconds between two looks at a wire that is full."""
_LAST_WORDS = 65_536
"""Bytes that are read of a connection that is lost."""


class Step(NamedTuple):
    """A command: its name in sentences, how long its answer may take, and who understands it.

    ``answered`` is called with the reply and what the command was about.
    """

    name: str
    seconds: float
    answered: Callable[[Reply, Any], None]


class Conversation(asyncio.BufferedProtocol, Generic[About]):
    """A connection that was opened; who inherits from it says what is to be said.

    Args:
        write_seconds: in which each megabyte must be taken.
        look_every: seconds between two looks at the clock. There is one timer, and none per
            command.
    """

    def __init__(self, write_seconds: float, look_every: float) -> None:
        self._write_seconds = write_seconds
        self._look_every = look_every
        self._transport: asyncio.Transport | None = None
        self._wire: asyncio.Transport | None = (
            None  # what carries it: the same, or what is below TLS
        )
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        # One buffer for all that comes: a new one for each answer costs more than the answer.
        self._heard = memoryview(bytearray(_HEARD))
        self._parser = ReplyParser()
        self._expected: deque[tuple[Step, About]] = deque()
        self._planned: list[tuple[Step, About]] = []  # expected once _out is written
        self._out: list[bytes | memoryview] = []
        self._since = 0.0  # when the oldest command began to wait, or there was nothing to do
        self._hurry = float("inf")  # seconds that no answer may take longer than any more
        self._stuck_until = 0.0  # when a write that is not taken is given up; 0: none is
        self._busy = False  # answers are being dealt with
        self._ended = False  # nothing is dealt with any more
        self._closed = asyncio.Event()

    # What whoever inherits from it does --------------------------------------------------------

    def _go_on(self) -> None:
        """Say what there is to say, now that answers were dealt with or the network took all."""
        raise NotImplementedError

    def _unasked(self, reply: Reply) -> None:
        """An answer came to nothing."""
        raise NotImplementedError

    def _idle(self, seconds: float) -> None:
        """No answer has been due for so long."""
        raise NotImplementedError

    def _broke_off(self, cause: Cause, what: str) -> None:
        """The conversation cannot go on: "did not answer RCPT within 5 minutes"."""
        raise NotImplementedError

    def _failed(self, error: BaseException) -> None:
        """Dealing with an answer raised ``error``."""
        raise NotImplementedError

    # Saying ------------------------------------------------------------------------------------

    def _begin(self, transport: asyncio.Transport, wire: asyncio.Transport) -> None:
        self._transport = transport
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._look_every, self._look)

    def _say(self, data: bytes, step: Step, about: About) -> None:
        self._out.append(data)
        self._planned.append((step, about))

    def _write(self) -> None:
        """Send all that was said. No answer to it can have come before."""
        assert self._transport
        if not self._expected:
            self._since = self._loop.time()
        self._expected.extend(self._planned)
        self._planned.clear()
        data = b"".join(self._out)
        self._out.clear()
        self._transport.write(data)
        if self._wire is not self._transport:
            self._watch_wire()

    def pause_writing(self) -> None:
        if self._wire is self._transport:
            self._stuck()

    def resume_writing(self) -> None:
        if self._wire is self._transport:
            self._taken()

    def _watch_wire(self) -> None:
        """The two above, for TLS: asyncio speaks of what was encrypted, not of what was sent."""
        assert self._transport and self._wire
        if self._ended or self._wire.is_closing():
            return
        if self._transport.get_write_buffer_size() or self._wire.get_write_buffer_size():
            if not self._stuck_until:
                self._stuck()
            if not self._watching:
                self._watching = self._loop.call_later(_WATCH, self._look_at_wire)
        elif self._stuck_until:
            self._taken()

    def _look_at_wire(self) -> None:
        self._watching = None
        self._watch_wire()

    def _stuck(self) -> None:
        """Part of a write is still in this process."""
        assert self._wire
        megabytes = 1 + self._wire.get_write_buffer_size() // _MEGABYTE
        self._stuck_until = self._loop.time() + megabytes * self._write_seconds

    def _taken(self) -> None:
        """All of it has been taken."""
        self._stuck_until = 0.0
        self._since = self._loop.time()
        self._guarded(self._go_on)

    # Hearing -----------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._heard

    def buffer_updated(self, nbytes: int) -> None:
        self._guarded(self._hear, bytes(self._heard[:nbytes]))

    def _hear(self, data: bytes) -> None:
        # Part of an answer does not extend the time it has.
        if self._answers(data) and not self._ended:
            self._since = self._loop.time()
            self._go_on()

    def _answers(self, data: bytes) -> bool:
        """Deal with the answers in ``data``; whether there was a whole one."""
        reply = None
        for reply in self._parser.feed(data):
            if self._ended:
                break
            if self._expected:
                step, about = self._expected.popleft()
                step.answered(reply, about)
            else:
                self._unasked(reply)
        return reply is not None

    def eof_received(self) -> None:
        # Whoever says no more gives no answers either.
        self._guarded(self._broke_off, "lost", "closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        if exc:
            self._guarded(self._hear_last_words)
        what = "broke the connection off" if exc else "closed the connection"
        self._guarded(self._broke_off, "lost", what)

    def _hear_last_words(self) -> None:
        """What the other side said before it broke off, where writing failed before it was read.

        A relay that refuses and closes while it is written to has then answered, after all. asyncio
        closes the socket when this has returned.
        """
        assert self._transport
        sock = self._transport.get_extra_info("socket")
        if sock is None or self._transport.get_extra_info("sslcontext"):
            return
        with suppress(OSError):
            self._answers(os.read(sock.fileno(), _LAST_WORDS))

    def _guarded(self, action: Callable[..., None], *args: object) -> None:
        """Do ``action``, unless that comes from within another; what goes wrong ends it all."""
        if self._busy or self._ended:
            return
        self._busy = True
        try:
            action(*args)
        except ProtocolError as error:
            self._broke_off("confused", f"broke the protocol: {error}")
        except Exception as error:  # of whoever gives the work
            self._failed(error)
        finally:
            self._busy = False

    # Time --------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Look at the clock, every so often."""
        self._timer = self._loop.call_later(self._look_every, self._look)
        now = self._loop.time()
        if self._stuck_until:
            if now > self._stuck_until:
                what = f"took nothing of what was sent within {spell(self._write_seconds)}"
                self._guarded(self._broke_off, "silent", what)
        elif self._expected:
            step, _ = self._expected[0]
            seconds = min(step.seconds, self._hurry)
            if now - self._since > seconds:
                what = f"did not answer {step.name} within {spell(seconds)}"
                self._guarded(self._broke_off, "silent", what)
        else:
            self._guarded(self._idle, now - self._since)

    def _close(self) -> None:
        """Let go of the connection; what was not sent yet is not sent."""
        for timer in (self._timer, self._watching):
            if timer:
                timer.cancel()
        if self._transport:
            self._transport.abort()


def spell(seconds: float) -> str:
    """``seconds`` in words: 300 → 5 minutes."""
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} minutes"
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"
