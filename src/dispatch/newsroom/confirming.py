"""Confirming a sign-up: the click that makes somebody a subscriber, and what it puts on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from dispatch.audience import forgetting, states, values
from dispatch.audience.states import GONE, Consent
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import feed_tokens, system_mail
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.subscribers import salt_of
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import signups as store
from dispatch.store import subscribers as subscriber_store
from dispatch.store import system_mail as mail_store
from dispatch.store.signups import SignupRow
from dispatch.store.subscribers import SubscriberRow
from dispatch.store.system_mail import Addressee


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the link in a confirmation leads to.

    Args:
        state: ``open``: they may confirm; ``confirmed``: they have; ``expired``: it works no more.
        language: of the mail, where it is known.
    """

    state: Literal["open", "confirmed", "expired"]
    language: str | None


def invitation(
    connection: Connection, recipient: int, desk: str, settings: Settings, now: datetime
) -> Invitation | None:
    """What a link in a confirmation leads to; changes nothing. None: it is none of this desk.

    Args:
        recipient: the key that the link's token names.
        desk: the slug in the link.
    """
    return _Link(connection, recipient, desk, settings, now).invitation()


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed the button of a confirmation's page."""

    recipient: int
    desk: str
    ip: str | None
    at: datetime


def confirm(
    connection: Connection,
    click: Click,
    templates: Templates,
    tokens: Tokens,
    settings: Settings,
) -> Invitation | None:
    """Make them a subscriber, with the consent on record, and have a mail welcome them.

    A second time changes nothing, and says the same.

    Returns:
        What the link leads to now: ``confirmed`` or ``expired``; None: it is none of this desk.
    """
    now = click.at
    link = _Link(connection, click.recipient, click.desk, settings, now)
    found = link.invitation()
    if found is None or found.state != "open":
        return found
    person, signup = link.person, link.signup
    assert person is not None and signup is not None  # or it would not be open
    source = f"{signup.source}, confirmed by mail"
    consent = Consent(source, now, values.ip(click.ip or ""), signup.text)
    cause = f"confirmed, by the link in mailing {link.edition}"
    states.move(connection, person.key, "active", cause, now, consent)
    changes = {
        "frequency": signup.frequency,
        "paused_until": None,
        **{
            name: value
            for name in ("name", "language", "timezone")
            if (value := getattr(signup, name)) and not getattr(person, name)
        },
    }
    subscriber_store.change(connection, person.key, changes, now)
    if subscriber_store.any_forgotten(connection):
        hash_ = forgetting.hash_of(salt_of(connection, now), person.address_key)
        subscriber_store.unforget(connection, hash_)
    desk = known_desk(connection, click.desk, settings)
    assert desk is not None  # it has a subscriber
    feed_tokens.personal_feeds(connection, person.key, desk, tokens, now)
    addressee = Addressee(person.key, person.email, person.domain, signup.language)
    system_mail.queue(connection, "welcome", desk, [addressee], templates, settings, now)
    return Invitation("confirmed", found.language)


class _Link:
    """The link in a confirmation, and all that it depends on."""

    def __init__(
        self, connection: Connection, recipient: int, desk: str, settings: Settings, now: datetime
    ) -> None:
        self.person: SubscriberRow | None = None
        self.signup: SignupRow | None = None
        self.edition = 0
        self._connection = connection
        self._now = now
        self._within = settings.for_desk(desk).confirm_within
        copy = mail_store.copy(connection, recipient)
        self._is_one = copy is not None and copy.kind == "confirm" and copy.desk == desk
        if copy is None or not self._is_one:
            return
        self.edition = copy.edition
        self.signup = store.of_recipient(connection, recipient)
        if copy.subscriber is not None:
            self.person = subscriber_store.subscriber(connection, copy.subscriber)

    def invitation(self) -> Invitation | None:
        if not self._is_one:
            return None
        language = self.signup.language if self.signup else None
        if self.person is None:
            return Invitation("expired", language)
        if self.person.state == "active":
            return Invitation("confirmed", language)
        return Invitation("open" if self._works(self.person) else "expired", language)

    def _works(self, person: SubscriberRow) -> bool:
        signup = self.signup
        if signup is None or signup.done is None or self._now - signup.done > self._within:
            return False
        if subscriber_store.suppressed(self._connection, person.desk, [person.address_key]):
            return False
        if person.state not in GONE:
            return True
        # Whoever left after they had asked has taken back what they asked for.
        moves = subscriber_store.moves_of(self._connection, person.key)
        return not moves or moves[-1].at < signup.at
