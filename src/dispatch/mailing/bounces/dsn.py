"""Delivery status notifications (RFC 3464): what became of a copy, in fields."""

from __future__ import annotations

import re
from typing import Literal

from dispatch.mailing.bounces.opening import Headers, Opened
from dispatch.mailing.bounces.severity import Report

_TYPES = ("message/delivery-status", "message/global-delivery-status")
_WORDS = re.compile(r"[\s<>;,\"]+")


def delivery_reports(message: Opened) -> tuple[Report, ...]:
    """One for each recipient that the notification speaks of; none where it is not one."""
    return tuple(
        _report(block)
        for part in message.parts
        if part.type in _TYPES
        for block in part.blocks
        if block.get("action")
    )


def _report(block: Headers) -> Report:
    return Report(
        addresses=tuple(
            word
            for name in ("original-recipient", "final-recipient", "x-actual-recipient")
            for word in _WORDS.split(block.get(name).lower())
            if "@" in word
        ),
        action=_action(block.get("action")),
        status=block.get("status"),
        words=_words(block),
    )


def _action(stated: str) -> Literal["failed", "delayed", "other"]:
    """Some put a comment behind it, and OpenSMTPD says ``error``."""
    stated = stated.lower()
    if stated.startswith(("fail", "error")):
        return "failed"
    return "delayed" if stated.startswith("delay") else "other"


def _words(block: Headers) -> str:
    """The remote server's reply, without its type (``smtp;``); else the status and its comment."""
    kind, semicolon, reply = block.get("diagnostic-code").partition(";")
    return reply.strip() if semicolon else kind or block.get("status")
