"""An SMTP client for many messages to one relay: RFC 5321, PIPELINING (2920), CHUNKING (3030).

Python's SMTP clients wait for each answer before they say the next thing. This
one does not, where the relay offers that::

    nothing offered    MAIL ⇄ RCPT ⇄ DATA ⇄ message. ⇄ MAIL …
    PIPELINING         MAIL RCPT DATA ⇄ message. MAIL RCPT DATA ⇄ message. …
    both               MAIL RCPT BDAT message, MAIL RCPT BDAT message, … as far as the window goes

Whether a copy may be sent again hangs on its last byte. Just before the write
that holds it, ``work.leaving`` is called; a connection that breaks before gives
the copy back *unsent*, one that breaks between that and the answer leaves it
*in doubt* (RFC 1047). A message that is too large for one write is sent up to
its end, and the end only when all the rest has left this process.

An answer that cannot be one to its command, or that nobody waits for, means
that the two sides have lost each other: the connection is closed, and if
PIPELINING was in use, the next one does without.

There is no task, future or timer per message.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import Literal

from dispatch.mailing import smtp_answers
from dispatch.mailing.relays import Relay
from dispatch.mailing.replies import ProtocolError, Reply
from dispatch.mailing.smtp_conversation import Cause, Conversation, Step
from dispatch.mailing.smtp_envelope import Offers, UnsendableError, envelope
from dispatch.mailing.smtp_opening import Opening, OpeningError, opened, patience
from dispatch.mailing.transport import Copy, End, Result, Work

_WHOLE = 65_536
"""Bytes of a message that leaves in one write with its end."""
_WINDOW = 1_048_576
"""Bytes of messages under way on a connection: above it, none is added."""
_WRITE = 180.0
"""Seconds in which a megabyte must be taken (RFC 5321 4.5.3.2.5)."""
_FAREWELL = 5.0
"""Seconds for what is left to be said after QUIT, or after the relay has said 421."""


class _Transaction:
    """One copy on its way."""

    __slots__ = ("copy", "left", "mail", "rcpt", "settled")

    def __init__(self, copy: Copy, mail: bytes, rcpt: bytes) -> None:
        self.copy = copy
        self.mail = mail
        self.rcpt = rcpt
        self.left = False  # its last byte, or that cannot be ruled out
        self.settled = False  # its result was told


class SmtpConnection(Conversation[_Transaction | None]):
    """A :class:`~dispatch.mailing.transport.Connection` to an SMTP relay; good for one run.

    What ``work`` raises ends the connection, and :meth:`run` raises it when
    every copy was reported.
    """

    def __init__(self, relay: Relay, work: Work) -> None:
        super().__init__(
            patience(relay, _WRITE), min(5.0, patience(relay, 20.0) / 4, relay.idle / 2)
        )
        self._relay = relay
        self._work = work
        self._offers = Offers()
        self._pipelining = self._chunking = False
        self._opening: asyncio.Task[Opening] | None = None
        self._transactions: deque[_Transaction] = deque()  # the oldest first
        self._bytes = 0  # of their messages
        self._front: _Transaction | None = None  # its answer to DATA is to come
        self._draining: _Transaction | None = None  # written, but for its end
        self._leaving: _Transaction | None = None  # its last byte is in what was said
        self._unclean = False  # the relay may think that it is in a transaction
        self._room = relay.messages or sys.maxsize  # copies that may still be taken
        self._accepted = 0
        self._finishing = False  # takes no more
        self._quitting = False  # has said so
        self._withdrawn = False  # a copy was called back that the relay waits for
        self._goodbye: Reply | None = None  # 421
        self._end: End | None = None
        self._over = asyncio.Event()
        self._error: BaseException | None = None
        self._prepare()

    def _prepare(self) -> None:
        """The commands, with the times of RFC 5321 4.5.3.2."""
        relay = self._relay
        self._mail = Step("MAIL", patience(relay, 300.0), self._on_mail)
        self._rcpt = Step("RCPT", patience(relay, 300.0), self._on_rcpt)
        self._data = Step("DATA", patience(relay, 120.0), self._on_data)
        self._message = Step("the message", patience(relay, 600.0), self._on_message)
        self._rset = Step("RSET", patience(relay, 300.0), self._on_rset)
        self._quit = Step("QUIT", patience(relay, _FAREWELL), self._on_quit)

    # The connection ----------------------------------------------------------------------------

    async def run(self) -> End:
        """Connect, send copies until told to finish, and report every one that was taken."""
        if self._finishing:
            return End("finished")
        try:
            opening = await self._open()
            if opening is None:
                return End("finished")
            self._offers = opening.offers
            self._choose_way()
            self._begin(*opening.hand_over(self))
        except OpeningError as error:
            return error.end
        try:
            self._guarded(self._go_on)
            await self._over.wait()
        finally:
            self._ends(End("finished", self._sentence("was left")), blame=None)
            self._close()
            await self._closed.wait()
        if self._error:
            raise self._error
        assert self._end
        return self._end

    def poke(self) -> None:
        """There may be work now."""
        if self._transport:
            self._guarded(self._go_on)

    def finish(self) -> None:
        """Take no more; end when what is in flight is answered."""
        self._finishing = True
        if self._opening:
            self._opening.cancel()
        self.poke()

    def abort(self) -> None:
        """End at once; what is in flight is in doubt."""
        self._finishing = True
        if self._opening:
            self._opening.cancel()
        self._ends(End("finished", self._sentence("was left")), blame=None)

    async def _open(self) -> Opening | None:
        """The connection, ready for MAIL; None: told to finish before it was.

        Raises:
            OpeningError: there is none to be had.
        """
        self._opening = asyncio.ensure_future(opened(self._relay))
        try:
            return await self._opening
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._finishing and not (task and task.cancelling()):
                return None
            raise
        finally:
            self._opening = None

    def _choose_way(self) -> None:
        offered = self._offers.pipelining and self._relay.pipelining
        self._pipelining = offered and self._relay.learned.may_pipeline
        self._chunking = self._pipelining and self._offers.chunking

    # Saying ------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Say whatever can be said now."""
        while True:
            if self._draining and not (self._stuck_until or self._out or self._goodbye):
                self._end_of(self._draining)
                if self._chunking:  # no two last bytes in one write
                    self._leave()
            while self._may_begin() and (transaction := self._take()):
                self._envelope(transaction)
                if self._chunking:
                    self._leave()
            self._leave()
            if self._ended or self._goodbye or self._stuck_until or not self._draining:
                break
        if not self._ended and self._finishing:
            self._wind_up()

    def _may_begin(self) -> bool:
        if self._finishing or self._draining:
            return False
        if self._chunking:
            under_way = len(self._transactions)
            return not self._stuck_until and (
                not under_way or (under_way < self._relay.window and self._bytes < _WINDOW)
            )
        return not (self._front if self._pipelining else self._transactions)

    def _take(self) -> _Transaction | None:
        """The next copy that can be sent here; those that cannot are reported."""
        while self._room:
            copy = self._work.take(self)
            if copy is None:
                return None
            if self._ended:  # from within take
                self._work.done(Result(copy, "unsent", self._sentence("was left")))
                return None
            try:
                transaction = _Transaction(copy, *envelope(copy, self._offers))
            except UnsendableError as error:
                self._work.done(error.result)
                continue
            self._room -= 1
            self._bytes += len(copy.data)
            self._transactions.append(transaction)
            return transaction
        self._finishing = True
        return None

    def _envelope(self, transaction: _Transaction) -> None:
        """MAIL, and what may be said with it before it is answered."""
        self._front = transaction
        if self._unclean or (self._chunking and len(self._transactions) > 1):
            # After a BDAT that fails the relay's state is unknown (RFC 3030 2), and those before
            # have no answer yet.
            self._say(b"RSET\r\n", self._rset, transaction)
            self._unclean = False
            if not self._pipelining:
                return
        self._say(transaction.mail, self._mail, transaction)
        if self._pipelining:
            self._say(transaction.rcpt, self._rcpt, transaction)
            if self._chunking:
                self._chunk(transaction)
            else:
                self._say(b"DATA\r\n", self._data, transaction)

    def _chunk(self, transaction: _Transaction) -> None:
        """The whole message as one chunk, as it is."""
        data = transaction.copy.data
        self._out.append(b"BDAT %d LAST\r\n" % len(data))
        if len(data) > _WHOLE:
            self._out.append(memoryview(data)[:-2])
            self._draining = transaction
        else:
            self._last_byte(data, transaction)

    def _body(self, transaction: _Transaction) -> None:
        """The message with its dots doubled (RFC 5321 4.5.2), behind 354."""
        data = transaction.copy.data
        if data.rfind(b"\r\n.") >= 0:  # from the end it is looked for four times as fast
            data = data.replace(b"\r\n.", b"\r\n..")
        if data[:1] == b".":
            self._out.append(b".")
        self._out.append(data)
        if len(data) > _WHOLE:
            self._draining = transaction
        else:
            self._last_byte(b".\r\n", transaction)

    def _end_of(self, transaction: _Transaction) -> None:
        """What is missing of a large message, now that all the rest was taken."""
        self._draining = None
        self._last_byte(b"\r\n" if self._chunking else b".\r\n", transaction)

    def _last_byte(self, data: bytes, transaction: _Transaction) -> None:
        self._say(data, self._message, transaction)
        self._leaving = transaction

    def _leave(self) -> None:
        """Write what was said, if the copy that it completes may leave."""
        if not self._out or self._ended:
            return
        transaction, self._leaving = self._leaving, None
        # One that was refused already goes to nobody: it is completed for the relay's count.
        if transaction and not transaction.settled:
            if not self._work.leaving(transaction.copy):
                self._withdraw(transaction)
                return
            transaction.left = True
        self._write()

    def _withdraw(self, transaction: _Transaction) -> None:
        """The copy must not leave after all."""
        reply = "It was called back before it was sent."
        self._settle(transaction, Result(transaction.copy, "unsent", reply))
        self._out.clear()
        if self._chunking and len(self._planned) > 1:  # nothing of it was said
            self._planned.clear()
            self._forget(self._transactions.pop())
            self._unclean = True
            return
        # The relay waits for the rest, and only the end of the connection tells it that none comes.
        self._planned.clear()
        self._finishing = self._withdrawn = True

    def _wind_up(self) -> None:
        """Close the connection, when what is under way has been answered."""
        if self._goodbye:
            if not self._expected:
                self._broke_off("lost", "")
        elif self._withdrawn:
            if not any(t.left and not t.settled for t in self._transactions):
                self._ends(End("finished", self._sentence("was left")), blame=None)
        elif not self._transactions and not self._quitting:
            self._quitting = True
            self._hurry = _FAREWELL
            self._say(b"QUIT\r\n", self._quit, None)
            self._write()

    # Answers -----------------------------------------------------------------------------------

    def _on_mail(self, reply: Reply, transaction: _Transaction) -> None:
        if _positive(reply):
            if not self._pipelining:
                self._say(transaction.rcpt, self._rcpt, transaction)
            return
        self._refused(transaction, reply, smtp_answers.refused_sender(transaction.copy, reply))

    def _on_rcpt(self, reply: Reply, transaction: _Transaction) -> None:
        if _positive(reply):
            if not self._pipelining:
                self._say(b"DATA\r\n", self._data, transaction)
        elif not transaction.settled:
            result = smtp_answers.refused_recipient(transaction.copy, reply)
            self._refused(transaction, reply, result)

    def _on_data(self, reply: Reply, transaction: _Transaction) -> None:
        self._front = None
        if reply.code == 354:
            if transaction.settled:  # it has no recipient, and yet the relay wants a message
                self._say(b".\r\n", self._message, transaction)
            elif not self._goodbye:
                self._body(transaction)
        elif reply.code < 400:
            raise ProtocolError(f"it answered DATA with {reply.words}")
        else:
            if not transaction.settled:
                result = smtp_answers.refused_content(transaction.copy, reply)
                self._refused(transaction, reply, result)
            if self._pipelining:
                self._done_with(transaction)

    def _on_message(self, reply: Reply, transaction: _Transaction) -> None:
        if _positive(reply):
            if not transaction.settled:
                self._settle(transaction, smtp_answers.accepted(transaction.copy, reply))
                self._count_accepted()
        else:
            self._unclean = self._unclean or self._chunking
            if not transaction.settled:
                result = smtp_answers.refused_content(transaction.copy, reply)
                self._told(transaction, reply, result)
        self._done_with(transaction)

    def _on_rset(self, reply: Reply, transaction: _Transaction) -> None:
        if not _positive(reply):
            if reply.code == 421:
                self._say_goodbye(reply)
                return
            raise ProtocolError(f"it answered RSET with {reply.words}")
        if not self._pipelining and not self._goodbye:
            self._say(transaction.mail, self._mail, transaction)

    def _on_quit(self, _reply: Reply, _about: None) -> None:
        self._ends(End("finished"))

    def _unasked(self, reply: Reply) -> None:
        if reply.code == 421:
            self._say_goodbye(reply)
        elif self._draining and reply.code >= 400:
            # It does not wait for the end of the message, and does not say where it is in it.
            transaction = self._draining
            result = smtp_answers.refused_content(transaction.copy, reply)
            self._settle(transaction, result)
            self._ends(End("finished", self._sentence(f"refused a message: {reply.words}")))
        else:
            raise ProtocolError(f"it said {reply.words}, and was asked nothing")

    def _refused(self, transaction: _Transaction, reply: Reply, result: Result) -> None:
        """The transaction leads nowhere, and the relay may still be in it."""
        self._unclean = True
        self._told(transaction, reply, result)
        if not self._pipelining:
            self._done_with(transaction)

    def _told(self, transaction: _Transaction, reply: Reply, result: Result) -> None:
        """The relay has refused it."""
        self._settle(transaction, result)
        if reply.code == 421:
            self._say_goodbye(reply)
        elif result.blame == "relay" and reply.code in smtp_answers.CONFUSED and self._pipelining:
            raise ProtocolError(f"it said {reply.words} to a command that was in its place")

    def _say_goodbye(self, reply: Reply) -> None:
        """421: it closes the connection. What it has taken in, it may still answer."""
        self._goodbye = self._goodbye or reply
        self._finishing = True
        self._hurry = _FAREWELL

    # Results -----------------------------------------------------------------------------------

    def _settle(self, transaction: _Transaction, result: Result) -> None:
        transaction.settled = True
        self._work.done(result)

    def _done_with(self, transaction: _Transaction) -> None:
        """Its last answer has come."""
        if self._front is transaction:
            self._front = None
        self._forget(self._transactions.popleft())

    def _forget(self, transaction: _Transaction) -> None:
        self._bytes -= len(transaction.copy.data)

    def _count_accepted(self) -> None:
        self._accepted += 1
        learned = self._relay.learned
        if self._pipelining:
            # The first alone does not prove it: what stood behind its last byte may be lost.
            if self._accepted == 2 and learned.pipelining != "broken":
                learned.pipelining = "proven"
        elif learned.pipelining == "suspected":
            learned.pipelining = "broken"

    # The end -----------------------------------------------------------------------------------

    def _idle(self, seconds: float) -> None:
        if not self._transactions and seconds > self._relay.idle:
            self._finishing = True
            self._go_on()

    def _broke_off(self, cause: Cause, what: str) -> None:
        if self._quitting:
            self._ends(End("finished"))
        elif self._goodbye:
            kind: Literal["finished", "down"] = "finished" if self._accepted else "down"
            sentence = self._sentence(f"said goodbye: {self._goodbye.words}")
            self._ends(End(kind, sentence), refused_rest=cause == "lost")
        elif cause == "lost" and not self._transactions and self._accepted:
            self._ends(End("finished", self._sentence(what)))
        else:
            self._suspect(cause)
            about = f" and did not answer {self._expected[0][0].name}" if self._expected else ""
            self._ends(End("down", self._sentence(what + (about if cause == "lost" else ""))))

    def _suspect(self, cause: Cause) -> None:
        """Learn from a conversation that broke off, whether it was PIPELINING that broke it."""
        learned = self._relay.learned
        if not self._pipelining:
            if learned.pipelining == "suspected":
                learned.pipelining = "untried"
        elif cause == "confused":
            learned.pipelining = "broken"
        elif learned.pipelining == "untried" and self._expected:
            step = self._expected[0][0]
            if step in (self._rcpt, self._data) or (step is self._mail and self._accepted):
                learned.pipelining = "suspected"

    def _failed(self, error: BaseException) -> None:
        self._error = self._error or error
        self._ends(End("down", self._sentence("was left")), blame=None)

    def _ends(
        self, end: End, *, blame: Literal["relay"] | None = "relay", refused_rest: bool = False
    ) -> None:
        """It is over: report every copy that has no answer.

        Args:
            blame: whose fault that is.
            refused_rest: the relay said that it would not look at them.
        """
        if self._ended:
            return
        self._ended = True
        self._end = end
        for transaction in self._transactions:
            if transaction.settled:
                continue
            in_doubt = transaction.left and not refused_rest
            kind: Literal["in_doubt", "unsent"] = "in_doubt" if in_doubt else "unsent"
            try:
                self._settle(transaction, Result(transaction.copy, kind, end.sentence, blame=blame))
            except Exception as error:
                self._error = self._error or error
        self._over.set()
        self._close()

    def _sentence(self, what: str) -> str:
        return f"The relay {self._relay.name} {what.rstrip('.')}."


def _positive(reply: Reply) -> bool:
    """Whether it is a yes.

    Raises:
        ProtocolError: it is neither yes nor no.
    """
    if 300 <= reply.code < 400:
        raise ProtocolError(f"it said {reply.words} where that means nothing")
    return reply.code < 300
