"""Complaints: a reader pressed "this is spam", and their provider tells us.

RFC 5965 (ARF) and the older form of Microsoft's programme, which returns the
message and says nothing.
"""

from __future__ import annotations

from typing import Literal

from dispatch.mailing.bounces.opening import Headers, Opened

_COMPLAINTS = {"abuse", "fraud", "complaint"}
_LEAVES = {"opt-out", "opt-out-list", "unsubscribe"}
_NOTHING = {"not-spam", "auth-failure", "dkim"}

Feedback = Literal["complaint", "unsubscribe", "ignored", "unknown"]


def feedback(message: Opened) -> Feedback | None:
    """What a feedback report means; None where the message is none."""
    fields = fields_of(message)
    if fields is not None:
        kind = fields.get("feedback-type").strip().lower()
        if kind in _COMPLAINTS:
            return "complaint"
        if kind in _LEAVES:
            return "unsubscribe"
        return "ignored" if kind in _NOTHING else "unknown"
    original = message.original
    if original is not None and original.get("x-hmxmroriginalrecipient"):
        return "complaint"
    return None


def fields_of(message: Opened) -> Headers | None:
    """The report's fields (RFC 5965 3): of a stranger, like all of it."""
    part = message.first("message/feedback-report")
    if part is None:
        return None
    return part.blocks[0] if part.blocks else Headers(())
