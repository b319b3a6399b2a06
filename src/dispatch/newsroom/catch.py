"""A local mail server that takes every message and delivers none: what would have gone out.

It speaks SMTP (RFC 5321) with PIPELINING, 8BITMIME, SMTPUTF8 and SIZE through
aiosmtpd, an extra. Everything that comes in is hostile: it is counted within
bounds, and a line end that is not CRLF is refused (SMTP smuggling).
"""

from __future__ import annotations

import errno
import logging
import re
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.errors import DeliveryError, OutputError

if TYPE_CHECKING:
    import asyncio

LARGEST = 50_000_000
"""Bytes of one message; offered as SIZE."""

_KINDS = 1000
"""Different senders and subjects that are counted apart; the rest is counted together."""

_HEAD = 65_536
"""Bytes of a message in which its header fields are looked for."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What the server refuses on purpose, so that a mailing has something to report.

    The address alone decides whom it meets, so that a try-out can be repeated.

    Args:
        refuse: percentage of addresses that are unknown here (550, every time).
        defer: percentage of addresses that are put off once (451) and taken when tried again.
    """

    refuse: float = 0
    defer: float = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was taken. Every text in it is a stranger's."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    data: bytes

    def text(self) -> str:
        """The plain text, for a person to read; empty where there is none that can be read."""
        from email import message_from_bytes, policy

        try:
            part = message_from_bytes(self.data, policy=policy.default).get_body(("plain",))
            return str(part.get_content()) if part else ""
        except Exception:  # a stranger's message: what the parser makes of it is not foreseen
            return ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came in.

    Args:
        messages: taken.
        recipients: different addresses among their envelopes.
        duplicates: copies of a message that its recipient had already, by Message-ID.
        refused, deferred: addresses that were answered 550 and 451, each time counted.
        broken: messages refused for a line end that is not CRLF, or that could not be kept.
        senders, subjects: how many messages each has, the most frequent first; beyond a
            thousand different ones the rest is not told apart.
    """

    messages: int
    recipients: int
    duplicates: int
    refused: int
    deferred: int
    broken: int
    bytes: int
    senders: dict[str, int]
    subjects: dict[str, int]


class Tally:
    """Counts messages in 16 bytes for each copy, and keeps them as files if it is told to.

    Args:
        into: the folder for ``.eml`` files, made if need be; None keeps none.
        seen: called with every message that was taken.

    Raises:
        OutputError: the folder cannot be made.
    """

    def __init__(self, into: Path | None, faults: Faults, seen: Callable[[Message], None]) -> None:
        self._into = into
        self._faults = faults
        self._seen = seen
        self._recipients = array("Q")
        self._copies = array("Q")
        self._put_off: set[int] = set()
        self._senders: Counter[str] = Counter()
        self._subjects: Counter[str] = Counter()
        self._count = self._bytes = self._refused = self._deferred = self._broken = 0
        self._first = _prepare(into) if into else 1

    def answer(self, recipient: str) -> str | None:
        """The reply to ``RCPT TO``; None where it is taken."""
        address = _bytes(recipient.casefold())
        if _chosen(b"refuse", address, self._faults.refuse):
            self._refused += 1
            return "550 5.1.1 There is no such mailbox here (a try-out)"
        key = _digest(address)
        if key not in self._put_off and _chosen(b"defer", address, self._faults.defer):
            self._put_off.add(key)
            self._deferred += 1
            return "451 4.7.1 Try again later (a try-out)"
        return None

    def take(self, sender: str, recipients: tuple[str, ...], data: bytes) -> str:
        """Count and keep one message; gives the reply to its last byte."""
        if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
            self._broken += 1
            return "550 5.6.0 A line of the message does not end in CRLF"
        number = self._first + self._count
        if self._into:
            try:
                _keep(self._into, number, sender, recipients, data)
            except OSError as error:
                self._broken += 1
                return f"452 4.3.1 The message cannot be kept: {error.strerror}"
        head = data[:_HEAD].partition(b"\r\n\r\n")[0]
        message = _field(head, b"message-id") or data
        for recipient in recipients:
            address = _bytes(recipient.casefold())
            self._recipients.append(_digest(address))
            self._copies.append(_digest(address + b"\0" + message))
        self._count += 1
        self._bytes += len(data)
        subject = _decoded(_field(head, b"subject"))
        _count_kind(self._senders, _decoded(_field(head, b"from")) or sender)
        _count_kind(self._subjects, subject)
        self._seen(Message(number, sender, recipients, subject, data))
        return f"250 2.0.0 Caught as message {number}"

    def report(self) -> Report:
        """What came in so far."""
        return Report(
            messages=self._count,
            recipients=_different(self._recipients),
            duplicates=len(self._copies) - _different(self._copies),
            refused=self._refused,
            deferred=self._deferred,
            broken=self._broken,
            bytes=self._bytes,
            senders=dict(self._senders.most_common()),
            subjects=dict(self._subjects.most_common()),
        )


async def serve(
    host: str,
    port: int,
    tally: Tally,
    stop: asyncio.Event,
    listening: Callable[[str, int], None],
) -> None:
    """Take mail on ``host`` and ``port`` until ``stop`` is set.

    Args:
        port: 0 for any that is free.
        listening: called with the address, as soon as mail is taken there.

    Raises:
        DeliveryError: aiosmtpd is not installed, or the address cannot be listened on.
    """
    import asyncio

    try:
        from aiosmtpd.smtp import SMTP
    except ImportError:
        raise DeliveryError(
            "The catching mail server needs the package aiosmtpd. "
            "Install it with: pip install 'dispatch-newsroom[catch]'"
        ) from None
    logging.getLogger("mail").setLevel(logging.CRITICAL)  # it would repeat what strangers sent
    loop = asyncio.get_running_loop()
    protocol = partial(
        SMTP,
        _Handler(tally),
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        hostname="localhost",  # its own look-up may ask the network
        ident="Dispatch catch",
        loop=loop,
    )
    try:
        server = await loop.create_server(protocol, host, port, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        raise DeliveryError(_not_listening(host, port, error)) from error
    bound = server.sockets[0].getsockname()
    listening(bound[0], bound[1])
    try:
        await stop.wait()
    finally:
        server.close()


class _Handler:
    """What aiosmtpd asks at each step; the names and arguments are its own."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # It reads commands from a buffer in order and answers each: that is PIPELINING.
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        refusal = self._tally.answer(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        recipients = tuple(envelope.rcpt_tos)
        return self._tally.take(envelope.mail_from or "", recipients, envelope.content)


def _prepare(folder: Path) -> int:
    """Make the folder; the first number that is free in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(n[1]) for p in folder.iterdir() if (n := re.match(r"(\d{1,12})-", p.name))]
    except OSError as error:
        raise OutputError(f"{folder} cannot be used for messages: {error.strerror}.") from error
    return max(numbers, default=0) + 1


def _keep(folder: Path, number: int, sender: str, recipients: tuple[str, ...], data: bytes) -> None:
    """Write one message, as a mailbox has it: with its envelope in two fields on top."""
    name = re.sub(r"[^\w.+@-]", "_", recipients[0])[:60]
    envelope = [b"Return-Path: <", _bytes(sender), b">\r\n"]
    for recipient in recipients:
        envelope += [b"X-Original-To: ", _bytes(recipient), b"\r\n"]
    path = folder / f"{number:06}-{name}.eml"
    path.write_bytes(b"".join([*envelope, data]))


def _field(head: bytes, name: bytes) -> bytes:
    """The first header field of that (lower-case) name, on one line; empty where there is none."""
    found = re.search(rb"(?im)^" + name + rb":[ \t]*([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", head)
    return re.sub(rb"\r\n[ \t]", b" ", found[1]).strip() if found else b""


def _decoded(field: bytes) -> str:
    """A header field as it is meant (RFC 2047), or as it stands where that makes no sense."""
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    text = field.decode("utf-8", "replace")[:1000]
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, HeaderParseError):
        return text


def _count_kind(counter: Counter[str], text: str) -> None:
    if text in counter or len(counter) < _KINDS:
        counter[text] += 1


def _chosen(fault: bytes, address: bytes, percent: float) -> bool:
    """Whether a fault meets this address: the same every time, and for each fault another part."""
    if not percent:
        return False
    return _digest(fault + b"\0" + address) % 10_000 < percent * 100


def _digest(data: bytes) -> int:
    """64 bits: among a million copies two are mistaken once in forty million runs."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def _different(digests: array[int]) -> int:
    """How many different ones: sorting takes a quarter of the memory of a set."""
    ordered = sorted(digests)
    return sum(a != b for a, b in pairwise(ordered)) + bool(ordered)


def _bytes(text: str) -> bytes:
    """An address as it came in: what is no UTF-8 was carried along as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _not_listening(host: str, port: int, error: Exception) -> str:
    what = f"Mail cannot be caught on {host}:{port}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{what}: something else listens there. Choose another --port, or 0 for a free one."
    if number == errno.EACCES:
        return f"{what}: a port below 1024 is for the system. Choose a higher --port."
    reason = getattr(error, "strerror", None) or error
    return f"{what}: {reason}. Check --host and --port."
