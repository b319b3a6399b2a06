"""SparkPost: batches of events, each within ``msys`` and its class; basic authentication.

https://developers.sparkpost.com/api/webhooks/
"""

from __future__ import annotations

from typing import Any

from dispatch.mailing.bounces.severity import Severity
from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.web.webhooks.reception import Message, Provider, decoded, listed, logged_in, text

_HARD = ("10", "30")
"""Bounce classes: no such recipient, no recipient at all."""
_NO_BOUNCE = ("20", "60", "70", "80", "90", "100")
"""Bounce classes: transient failures, automatic answers, requests to subscribe and unsubscribe."""
_UNSUBSCRIBE = ("list_unsubscribe", "link_unsubscribe")


def _events(message: Message) -> list[ProviderEvent]:
    events = []
    for wrapped in listed(decoded(message.body)):
        for said in wrapped["msys"].values():
            events += _event(said)
    return events


def _event(said: dict[str, Any]) -> list[ProviderEvent]:
    kind = said["type"]
    address = text(said.get("raw_rcpt_to")) or text(said.get("rcpt_to"))
    about: dict[str, Any] = {
        "id": text(said.get("event_id")),
        "address": address,
        "return_path": text(said.get("msg_from")),
    }
    if kind == "spam_complaint":
        return [ProviderEvent(kind="complaint", **about)]
    if kind in _UNSUBSCRIBE:
        return [ProviderEvent(kind="unsubscribe", **about)]
    if kind not in ("bounce", "out_of_band") or str(said.get("bounce_class")) in _NO_BOUNCE:
        return []
    judged: Severity = "hard" if str(said.get("bounce_class")) in _HARD else "soft"
    words = text(said.get("raw_reason")) or text(said.get("reason"))
    return [ProviderEvent(kind="bounce", words=words, judged=judged, **about)]


PROVIDER = Provider(
    "sparkpost",
    is_set=lambda settings: bool(settings.sparkpost_webhook),
    authentic=lambda message, settings, _now: logged_in(message, settings.sparkpost_webhook),
    events=_events,
    by_head=True,
)
