"""Mailgun: one event a message, signed with HMAC-SHA-256 over a time and a random token.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.settings import Settings
from dispatch.web.webhooks.reception import Message, Provider, decoded, text

_OLDEST = 16 * 3600
"""Seconds: Mailgun tries for eight hours, and signs anew each time or not."""
_TOO_EARLY = 300
"""Seconds that a clock may be wrong."""


def _authentic(message: Message, settings: Settings, now: datetime) -> bool:
    try:
        signed = decoded(message.body)["signature"]
        time, token = str(signed["timestamp"]), str(signed["token"])
        given = str(signed["signature"])
        age = now.timestamp() - int(time)
    except (ValueError, TypeError, LookupError, OverflowError):  # a time of 400 digits
        return False
    right = hmac.digest(settings.mailgun_webhook_key.encode(), f"{time}{token}".encode(), "sha256")
    good = hmac.compare_digest(given.encode(), right.hex().encode())
    return good and -_TOO_EARLY <= age <= _OLDEST


def _events(message: Message) -> list[ProviderEvent]:
    outer = decoded(message.body)
    said = outer["event-data"]
    about: dict[str, Any] = {
        # Mailgun's own id of an event is only unique within a day: with its time it is.
        "id": f"{text(said.get('id'))} {said.get('timestamp')}",
        "address": text(said.get("recipient")),
        "return_path": text((said.get("envelope") or {}).get("sender")),
    }
    match said["event"]:
        case "complained":
            return [ProviderEvent(kind="complaint", **about)]
        case "unsubscribed":
            return [ProviderEvent(kind="unsubscribe", **about)]
        case "failed" if said.get("severity") == "permanent":
            return [ProviderEvent(kind="bounce", **about, **_reason(said))]
    return []


def _reason(said: dict[str, Any]) -> dict[str, Any]:
    status = said.get("delivery-status") or {}
    words = text(status.get("message")) or text(status.get("description"))
    code = text(status.get("enhanced-code")) or text(status.get("bounce-code"))
    # Any refusal for good is permanent to Mailgun; what it will not even try is a dead address.
    hard = text(said.get("reason")) in ("bounce", "suppress-bounce")
    return {"status": code, "words": words, "judged": "hard" if hard else "soft"}


PROVIDER = Provider(
    "mailgun",
    is_set=lambda settings: bool(settings.mailgun_webhook_key),
    authentic=_authentic,
    events=_events,
)
