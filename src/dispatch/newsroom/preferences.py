"""What a reader decides for themselves: desks, frequency, pauses, facts, their data, and deletion.

Each function takes the link that stood in a copy of theirs, looks at the person anew
in the transaction that it writes in, and does only what is different from what they
were shown: of two changes at the same time neither is lost unless they contradict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dispatch.audience import forgetting, states
from dispatch.audience.states import Consent
from dispatch.desk import Desk
from dispatch.errors import AudienceError
from dispatch.mailing.tokens import Tokens
from dispatch.newsroom import digests, feed_tokens, leaving, linked, subscribers, system_mail
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.linked import Link, Reader
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import subscribers as store
from dispatch.store.subscribers import SubscriberRow
from dispatch.store.system_mail import Addressee

PAUSE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose for one desk, and what they were shown when they did.

    Args:
        was, now: how often they get it; None: not at all.
    """

    desk: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Means:
    """What joining a desk takes: its settings, what writes the welcome, what signs feeds."""

    settings: Settings
    templates: Templates
    tokens: Tokens


def choose(
    connection: Connection,
    link: Link,
    choices: Sequence[Choice],
    consent: Consent,
    means: Means,
) -> list[str]:
    """Join, leave, or change how often: each desk whose choice is not what it was.

    Args:
        consent: to the desks that are joined.

    Returns:
        The slugs of desks that they may not join so, or not any more: nothing changed there.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
        TemplateError, SettingsError: there can be no welcome; nothing is changed.
    """
    person = linked.reader(connection, link)
    refused = []
    for choice in choices:
        if choice.now == choice.was:
            continue
        if choice.now is None:
            _leave(connection, person, choice.desk, consent.at)
        elif choice.was is None:
            try:
                _join(connection, person, choice.desk, choice.now, consent, means)
            except AudienceError:
                refused.append(choice.desk)
        else:
            _change_frequency(connection, person.at(choice.desk), choice.now, consent.at)
    return refused


def change_frequency(connection: Connection, link: Link, frequency: str, now: datetime) -> None:
    """Have the desk of the link come more or less often.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    _change_frequency(connection, linked.reader(connection, link).row, frequency, now)


def pause(
    connection: Connection,
    link: Link,
    desks: Collection[str] | None,
    until: datetime | None,
    now: datetime,
) -> None:
    """Have nothing sent until a time, or let it go on.

    Args:
        desks: the slugs of those that pause; None: all that they read.
        until: None: it goes on now.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    for row in linked.reader(connection, link).rows:
        if row.state == "active" and (desks is None or row.desk in desks):
            store.change(connection, row.key, {"paused_until": until}, now)


def describe(
    connection: Connection, link: Link, facts: Mapping[str, str | None], now: datetime
) -> None:
    """Change a name, a language or a time zone, which hold at every desk.

    Args:
        facts: the columns that are to change, each as it is kept.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    for row in linked.reader(connection, link).rows:
        changes = {name: value for name, value in facts.items() if getattr(row, name) != value}
        if changes:
            store.change(connection, row.key, changes, now)


def feeds(
    connection: Connection, person: Reader, desks: Collection[Desk], tokens: Tokens
) -> dict[str, dict[str, str]]:
    """The addresses of their personal feeds by desk and form; empty where there are none yet."""
    found = {}
    for desk in desks:
        row = person.at(desk.slug)
        if row is not None and row.state == "active" and desk.access != "public":
            found[desk.slug] = feed_tokens.known_feeds(connection, row.key, desk, tokens)
    return found


def renew_feeds(connection: Connection, link: Link, slug: str, means: Means, now: datetime) -> None:
    """Make new addresses of a personal feed; those before no longer work.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    row = linked.reader(connection, link).at(slug)
    desk = known_desk(connection, slug, means.settings)
    if row is not None and desk is not None:
        feed_tokens.renew(connection, row.key, desk, means.tokens, now)


def data(connection: Connection, link: Link, now: datetime) -> dict[str, object]:
    """Everything that is known of the person, as ``dispatch subscribers show --json`` prints it.

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    row = linked.reader(connection, link).row
    return subscribers.profile(connection, row.address_key, row.email, now).to_json()


def forget(connection: Connection, link: Link, now: datetime) -> None:
    """Erase the person at every desk, and see to it that no list brings them back.

    What was written to the log of the database before has to be emptied after the commit
    (:meth:`dispatch.store.connection.Store.empty_log`).

    Raises:
        UnknownLinkError, ForgottenError: the link leads to nobody.
    """
    row = linked.reader(connection, link).row
    forgetting.forget(connection, row.address_key, subscribers.salt_of(connection, now), now)


# At one desk -------------------------------------------------------------------------------------


def _leave(connection: Connection, person: Reader, desk: str, now: datetime) -> None:
    row = person.at(desk)
    if row is not None and states.is_lawful(row.state, "unsubscribed"):
        cause = f"on the preference page of the link in mailing {person.edition}"
        states.move(connection, row.key, "unsubscribed", cause, now)


def _join(
    connection: Connection,
    person: Reader,
    slug: str,
    frequency: str,
    consent: Consent,
    means: Means,
) -> None:
    """Make them a subscriber, and have a mail welcome whoever is new.

    Raises:
        AudienceError: they may not join so.
    """
    desk = known_desk(connection, slug, means.settings)
    if desk is None:
        raise AudienceError("There is no such desk.")
    row = person.at(slug)
    if row is not None and row.state == "active":
        return  # in another window, a moment ago
    if row is not None:
        leaving.rejoin(connection, person, desk, consent, means.tokens)
        store.change(connection, row.key, {"frequency": frequency}, consent.at)
        return
    if linked.standing(connection, person, desk) != "may_join":
        raise AudienceError(f"{desk.name} does not take this person by a click.")
    known = _add(connection, person.row, slug, frequency, consent)
    feed_tokens.personal_feeds(connection, known.key, desk, means.tokens, consent.at)
    addressee = Addressee(known.key, known.email, known.domain, known.language)
    system_mail.queue(
        connection, "welcome", desk, [addressee], means.templates, means.settings, consent.at
    )


def _add(
    connection: Connection, person: SubscriberRow, desk: str, frequency: str, consent: Consent
) -> SubscriberRow:
    same = ("address_key", "email", "domain", "name", "language", "timezone")
    new = {
        "desk": desk,
        "state": "active",
        "frequency": frequency,
        "created": consent.at,
        "changed": consent.at,
        "digested": consent.at,
        "consent_source": consent.source,
        "consent_at": consent.at,
        "consent_ip": consent.ip,
        "consent_text": consent.text,
    }
    store.add(connection, [{**{name: getattr(person, name) for name in same}, **new}])
    return store.at_desk(connection, desk, [person.address_key])[person.address_key]


def _change_frequency(
    connection: Connection, row: SubscriberRow | None, frequency: str, now: datetime
) -> None:
    if row is not None and row.state == "active":
        digests.switched(connection, row.key, frequency, now)
