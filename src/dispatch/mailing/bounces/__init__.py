"""What comes back by mail: bounces, complaints, unsubscribe messages, and all the rest.

    a message ─▶ opening ─▶ dsn, complaints, autoreplies, heuristics ─▶ what it is
                       └──▶ addressed ─▶ whose copy it is about, if a signed token says so

:func:`understand` is pure: it acts on nothing and answers nobody. In doubt a
message is ``unknown``, and a person looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dispatch.mailing.bounces import addressed, autoreplies, complaints, dsn, heuristics
from dispatch.mailing.bounces.addressed import Verify
from dispatch.mailing.bounces.opening import Opened, open_message
from dispatch.mailing.bounces.severity import Report

Kind = Literal["bounce", "complaint", "unsubscribe", "ignored", "unknown", "forged"]


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message is.

    Args:
        recipient: the key of the copy that it is about, by a token that we signed; only bounces,
            complaints and unsubscribe messages have one, and they always do.
        reports: what a bounce says.
        why: a sentence, for what is not acted on.
    """

    kind: Kind
    recipient: int | None = None
    reports: tuple[Report, ...] = ()
    why: str = ""


def understand(
    data: bytes, verify_verp: Verify, verify_link: Verify, came_to: str | None = None
) -> Understood:
    """What ``data``, any bytes, is, and whose copy it is about.

    Args:
        verify_verp: verifies a VERP token, that of a return path.
        verify_link: verifies a link token, that of an unsubscribe link or address.
        came_to: the address that it was delivered to, where the mail server says so.
    """
    message = open_message(data)
    tokens = _Tokens(message, came_to, verify_verp, verify_link)
    meant = complaints.feedback(message)
    if meant is not None:
        return _of_feedback(meant, tokens)
    reports = dsn.delivery_reports(message)
    if reports:
        return _of_reports(reports, tokens)
    # Nobody answers to an unsubscribe address by machine, since no mail is sent from it: who writes
    # there means it, though some mail programs mark what they send for their users as automatic.
    left = addressed.find(tokens.came_to(), verify_link)
    if left.recipient is not None:
        return Understood("unsubscribe", left.recipient)
    by_machine = heuristics.from_a_mail_system(message)
    if not by_machine and autoreplies.says_so(message.headers):
        return Understood("ignored", why="An automatic answer.")
    return _of_the_rest(message, tokens, by_machine)


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Where in a message a token may be."""

    message: Opened
    address: str | None
    verify_verp: Verify
    verify_link: Verify

    def came_to(self) -> Iterator[str]:
        if self.address:
            yield from addressed.in_addresses([self.address])
        yield from addressed.in_headers(self.message.headers, addressed.CAME_TO)

    def of_bounce(self) -> addressed.Found:
        return addressed.find(self._returned(), self.verify_verp)

    def of_complaint(self) -> addressed.Found:
        """Also by the link to leave in the message that it returns: that is signed as well."""
        found = self.of_bounce()
        if found.recipient is not None:
            return found
        original = self.message.original
        by_link = addressed.find(
            addressed.in_links(original) if original else iter(()), self.verify_link
        )
        return addressed.Found(by_link.recipient, found.claimed or by_link.claimed)

    def _returned(self) -> Iterator[str]:
        yield from self.came_to()
        original = self.message.original
        if original is not None:
            yield from addressed.in_headers(original, addressed.SENT_FROM)
        fields = complaints.fields_of(self.message)
        if fields is not None:
            yield from addressed.in_headers(fields, ("original-mail-from",))


def _of_feedback(meant: complaints.Feedback, tokens: _Tokens) -> Understood:
    if meant == "ignored":
        return Understood("ignored", why="A report that is no complaint.")
    if meant == "unknown":
        return Understood("unknown", why="A feedback report of a kind that is not known.")
    found = tokens.of_complaint()
    if found.recipient is None:
        return _unsigned("A complaint", found)
    return Understood(meant, found.recipient)


def _of_reports(reports: tuple[Report, ...], tokens: _Tokens) -> Understood:
    if all(report.action != "failed" for report in reports):
        return Understood("ignored", why="A notice that a copy is late or has arrived.")
    found = tokens.of_bounce()
    if found.recipient is None:
        return _unsigned("A bounce", found)
    return Understood("bounce", found.recipient, reports)


def _of_the_rest(message: Opened, tokens: _Tokens, by_machine: bool) -> Understood:
    """Bounces that follow no standard, and what is none."""
    if not by_machine and autoreplies.sounds_like_one(message.headers):
        return Understood("ignored", why="It sounds like an automatic answer.")
    found = tokens.of_bounce()
    if found.recipient is None:
        return _unsigned("A message", found)
    if by_machine or heuristics.has_no_sender(message):
        reports = heuristics.scanned(message)
        if reports:
            return _of_reports(reports, tokens)
    return Understood("unknown", why="It came to a return path, and is no bounce that is known.")


def _unsigned(what: str, found: addressed.Found) -> Understood:
    if found.claimed:
        return Understood("forged", why=f"{what} with a token that this newsroom did not sign.")
    return Understood("unknown", why=f"{what} that does not say whose copy it is about.")
