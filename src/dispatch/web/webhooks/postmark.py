"""Postmark: bounces, spam complaints and changes of a subscription; basic authentication.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

from typing import Any

from dispatch.mailing.bounces.severity import Severity
from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.web.webhooks.reception import Message, Provider, decoded, logged_in, text

_BOUNCES: dict[str, Severity] = {
    "HardBounce": "hard",
    "BadEmailAddress": "hard",
    "SoftBounce": "soft",
    "Blocked": "soft",
    "DMARCPolicy": "soft",
    "VirusNotification": "soft",
    "ManuallyDeactivated": "hard",
}
"""Types of bounces that count. The others are delays, automatic answers and Postmark's own."""
_COMPLAINTS = ("SpamComplaint", "SpamNotification")


def _events(message: Message) -> list[ProviderEvent]:
    said = decoded(message.body)
    match said["RecordType"]:
        case "Bounce" | "SpamComplaint":
            return _bounce(said)
        case "SubscriptionChange" if said.get("SuppressSending"):
            return _suppressed(said)
    return []


def _bounce(said: dict[str, Any]) -> list[ProviderEvent]:
    id_, address = str(said["ID"]), text(said["Email"])
    kind = text(said.get("Type"))
    if said["RecordType"] == "SpamComplaint" or kind in _COMPLAINTS:
        return [ProviderEvent(id_, "complaint", address)]
    if kind == "Unsubscribe":
        return [ProviderEvent(id_, "unsubscribe", address)]
    if kind not in _BOUNCES:
        return []
    words = text(said.get("Details")) or text(said.get("Description"))
    return [ProviderEvent(id_, "bounce", address, words=words, judged=_BOUNCES[kind])]


def _suppressed(said: dict[str, Any]) -> list[ProviderEvent]:
    """Postmark will not send there any more; a bounce and a complaint it tells by themselves."""
    if said.get("SuppressionReason") != "ManualSuppression":
        return []
    id_ = f"{text(said.get('MessageID'))} {text(said.get('ChangedAt'))}"
    return [ProviderEvent(id_, "unsubscribe", text(said["Recipient"]))]


PROVIDER = Provider(
    "postmark",
    is_set=lambda settings: bool(settings.postmark_webhook),
    authentic=lambda message, settings, _now: logged_in(message, settings.postmark_webhook),
    events=_events,
    by_head=True,
)
