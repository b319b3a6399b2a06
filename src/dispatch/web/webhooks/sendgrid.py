"""SendGrid: batches of events, signed with ECDSA (P-256, SHA-256) over a time and the body.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import Any

from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.settings import Settings
from dispatch.web.webhooks.reception import Message, Provider, decoded, listed, text

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_OLDEST = 2 * 86400
"""Seconds: SendGrid tries for a day."""
_TOO_EARLY = 300
"""Seconds that a clock may be wrong."""
_DEAD = ("Bounced Address", "Invalid")
"""Reasons for which SendGrid does not even try."""


def _authentic(message: Message, settings: Settings, now: datetime) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    time = message.headers.get(_TIMESTAMP, "")
    try:
        key = load_der_public_key(b64decode(settings.sendgrid_webhook_key, validate=True))
        signature = b64decode(message.headers.get(_SIGNATURE, ""), validate=True)
        age = now.timestamp() - int(time)
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(signature, time.encode("ascii") + message.body, ECDSA(SHA256()))
    except (ValueError, OverflowError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return -_TOO_EARLY <= age <= _OLDEST


def _events(message: Message) -> list[ProviderEvent]:
    return [event for said in listed(decoded(message.body)) for event in _event(said)]


def _event(said: dict[str, Any]) -> list[ProviderEvent]:
    id_, address = text(said.get("sg_event_id")), text(said.get("email"))
    reason = text(said.get("reason"))
    match said["event"]:
        case "spamreport":
            return [ProviderEvent(id_, "complaint", address)]
        case "unsubscribe" | "group_unsubscribe":
            return [ProviderEvent(id_, "unsubscribe", address)]
        case "bounce":
            hard = said.get("type") != "blocked"
        case "dropped" if reason.startswith(_DEAD):
            hard = True
        case _:
            return []
    return [
        ProviderEvent(
            id_,
            "bounce",
            address,
            status=text(said.get("status")),
            words=reason,
            judged="hard" if hard else "soft",
        )
    ]


PROVIDER = Provider(
    "sendgrid",
    is_set=lambda settings: bool(settings.sendgrid_webhook_key),
    authentic=_authentic,
    events=_events,
)
