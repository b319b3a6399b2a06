"""What is said of a copy before it is sent: MAIL and RCPT, or why it is not sent at all.

Whatever can be known from the relay's offers is decided here, so that no copy
is carried to a relay in vain; and nothing that could be read as a second
command gets past (RFC 5321 4.1.2, 4.1.1.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.mailing.transport import Copy, Result

_PATH = re.compile("[^\x00-\x20\x7f-\xa0<>\u2028\u2029\ud800-\udfff]{1,254}")
_NO_BREAKS = bytes(byte for byte in range(256) if byte not in b"\r\n")


@dataclass(frozen=True, slots=True)
class Offers:
    """What a relay said it can do (EHLO). ``size`` is in bytes; None: not offered, 0: no limit."""

    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    utf8: bool = False
    starttls: bool = False
    size: int | None = None
    auth: frozenset[str] = frozenset()

    @classmethod
    def read(cls, lines: tuple[bytes, ...]) -> Offers:
        """From the lines of the answer to EHLO; the first is a greeting."""
        said: dict[str, str] = {}
        for line in lines[1:]:
            # AUTH=LOGIN is how some wrote it before RFC 2554.
            word, _, rest = line.decode("ascii", "replace").upper().replace("=", " ").partition(" ")
            said[word] = f"{said.get(word, '')} {rest}".strip()
        size = said.get("SIZE")
        if size is not None:
            number = size.split(" ")[0]
            size_limit = int(number) if re.fullmatch(r"[0-9]{1,18}", number) else 0
        return cls(
            pipelining="PIPELINING" in said,
            chunking="CHUNKING" in said,
            eight_bit="8BITMIME" in said,
            utf8="SMTPUTF8" in said,
            starttls="STARTTLS" in said,
            size=None if size is None else size_limit,
            auth=frozenset(said.get("AUTH", "").split()),
        )


class UnsendableError(Exception):
    """The copy cannot be sent here; ``result`` says so."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.reply)
        self.result = result


def envelope(copy: Copy, offers: Offers) -> tuple[bytes, bytes]:
    """MAIL and RCPT for ``copy``, as lines.

    Raises:
        UnsendableError: the relay cannot take it, or an address could be read as a command.
    """
    sender, recipient, data = copy.sender, copy.recipient, copy.data
    if sender and not _PATH.fullmatch(sender):
        reply = "The return path holds characters that no address may hold."
        raise UnsendableError(Result(copy, "unsent", reply, None, "5.1.7", "sender"))
    if not _PATH.fullmatch(recipient) or "@" not in recipient[1:-1]:
        reply = "The address holds characters that no address may hold, or is none."
        raise UnsendableError(Result(copy, "bounced", reply, None, "5.1.3", "recipient"))
    if not _whole_lines(data):
        raise _refused(copy, "The message holds line ends that are not CRLF.", "5.6.0")
    if offers.size and len(data) > offers.size:
        reply = f"The message has {len(data):,} bytes, and the relay takes {offers.size:,} at most."
        raise _refused(copy, reply, "5.3.4")
    size = "" if offers.size is None else f" SIZE={len(data)}"
    mail = f"MAIL FROM:<{sender}>{size}{_parameters(copy, offers)}\r\n"
    return mail.encode(), f"RCPT TO:<{recipient}>\r\n".encode()


def _whole_lines(data: bytes) -> bool:
    """Whether every CR and LF is part of a CRLF, and the last one ends it.

    Some relays take a bare one for a line's end, and the rest for commands: SMTP smuggling
    (CVE-2023-51764 and its kin). 10 µs for 30 KB.
    """
    breaks = data.translate(None, _NO_BREAKS)
    return data.endswith(b"\r\n") and breaks == b"\r\n" * (len(breaks) // 2)


def _parameters(copy: Copy, offers: Offers) -> str:
    """What MAIL has to say of a copy that is not all ASCII."""
    parameters = ""
    if not copy.data.isascii():
        if not offers.eight_bit:
            raise _refused(copy, "The message is not ASCII, and the relay takes no other.", "5.6.3")
        parameters = " BODY=8BITMIME"
    if not (copy.recipient.isascii() and copy.sender.isascii()):
        if not offers.utf8:
            if not copy.sender.isascii():
                reply = "The return path is not ASCII, and the relay takes no other (no SMTPUTF8)."
                raise UnsendableError(Result(copy, "unsent", reply, None, "5.6.7", "sender"))
            reply = "The address is not ASCII, and the relay takes no other (no SMTPUTF8)."
            raise UnsendableError(Result(copy, "bounced", reply, None, "5.6.7", "recipient"))
        parameters += " SMTPUTF8"
    return parameters


def _refused(copy: Copy, reply: str, status: str) -> UnsendableError:
    return UnsendableError(Result(copy, "bounced", reply, None, status, "content"))
