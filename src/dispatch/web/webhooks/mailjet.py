"""Mailjet: one event or a list of them; basic authentication, in the address it is told to call.

https://dev.mailjet.com/email/guides/webhooks/
"""

from __future__ import annotations

from typing import Any

from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.web.webhooks.reception import Message, Provider, decoded, listed, logged_in, text

_NOT_THE_ADDRESS = ("duplicate in campaign", "preblocked", "greylisted")
"""Errors that say nothing of the address, or not yet."""


def _events(message: Message) -> list[ProviderEvent]:
    return [event for said in listed(decoded(message.body)) for event in _event(said)]


def _event(said: dict[str, Any]) -> list[ProviderEvent]:
    kind, address = said["event"], text(said.get("email"))
    message = said.get("MessageID") or said.get("Message_GUID")
    id_ = f"{kind} {message} {said.get('time')} {address}"
    if kind == "spam":
        return [ProviderEvent(id_, "complaint", address)]
    if kind == "unsub":
        return [ProviderEvent(id_, "unsubscribe", address)]
    error = text(said.get("error"))
    if kind not in ("bounce", "blocked") or error in _NOT_THE_ADDRESS:
        return []
    hard = kind == "bounce" and said.get("hard_bounce") is True
    words = f"{error}: {text(said.get('comment'))}".removesuffix(": ")
    return [ProviderEvent(id_, "bounce", address, words=words, judged="hard" if hard else "soft")]


PROVIDER = Provider(
    "mailjet",
    is_set=lambda settings: bool(settings.mailjet_webhook),
    authentic=lambda message, settings, _now: logged_in(message, settings.mailjet_webhook),
    events=_events,
    by_head=True,
)
