"""Bounces that follow no standard, by flufl.bounce's detectors.

They match lines against expressions that are not made for hostile text, and
some take any line with an address for a bounce. So they get little text, in
short lines, of a message that comes from a mail system; and what they find is
only that it bounced, never whose address it was.
"""

from __future__ import annotations

import logging
import re
from email.message import Message

from dispatch.mailing.bounces.opening import Opened
from dispatch.mailing.bounces.severity import Report

_TEXT = 12_000
_LINE = 160

_DAEMON = re.compile(
    r"mailer-daemon|postmaster|mail ?delivery|mail-daemon|maildaemon|microsoftexchange",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b[45]\d\d[ :-]|\b[45]\.\d\.\d{1,3}\b|unknown|no such|not exist|full|quota|rejected|refused"
    r"|disabled|unavailable|not found|unrout",
    re.IGNORECASE,
)
_OF_THE_SENDER = re.compile(r"\s*-{2,}.{0,80}(?:copy|original|returned|below)", re.IGNORECASE)


def from_a_mail_system(message: Opened) -> bool:
    """Whether it says that it comes from a mail system; a person can say so too."""
    headers = message.headers
    return bool(headers.get("x-failed-recipients") or _DAEMON.search(headers.get("from")))


def has_no_sender(message: Opened) -> bool:
    """Whether it came with the null return path, as bounces do (RFC 5321 4.5.5)."""
    return message.headers.get("return-path").replace(" ", "") == "<>"


def scanned(message: Opened) -> tuple[Report, ...]:
    """What flufl.bounce makes of it: failed, delayed, or nothing."""
    from flufl.bounce import all_failures

    logger = logging.getLogger("flufl.bounce")
    if not logger.handlers:  # it logs its own failures with a traceback, to standard error
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    text = _plain(message)
    try:
        delayed, failed = all_failures(_reduced(message, text))
    except Exception:  # its detectors were not made for text that means harm
        return ()
    if failed:
        return (Report((), "failed", "", _reason(text)),)
    return (Report((), "delayed", "", ""),) if delayed else ()


def _plain(message: Opened) -> str:
    """The text up to the copy of our own message, in ASCII and short lines."""
    lines = []
    for line in message.text[:_TEXT].encode("ascii", "replace").decode().split("\n"):
        if _OF_THE_SENDER.match(line):
            lines.append(line[:_LINE])
            break
        lines.append(line[:_LINE])
    return "\n".join(lines)


def _reduced(message: Opened, text: str) -> Message:
    """A new message with nothing but what the detectors look at."""
    body = Message()
    body["Content-Type"] = "text/plain"
    body["Content-Description"] = "Notification"
    body.set_payload(text)
    if message.headers.type.startswith("multipart/"):
        whole, rest = Message(), Message()
        rest["Content-Type"] = "application/octet-stream"
        rest.set_payload("")
        whole["Content-Type"] = "multipart/mixed"
        whole.set_payload([body, rest])
    else:
        whole = body
    for name in ("from", "subject", "x-failed-recipients", "x-mailer"):
        value = message.headers.get(name)[:_LINE].encode("ascii", "replace").decode()
        if value:
            whole[name] = value
    return whole


def _reason(text: str) -> str:
    """The lines that say why, as far as they can be told from the others."""
    lines = [line.strip() for line in text.split("\n") if _REASON.search(line)]
    return " ".join(lines[:3])
