"""The mail that Dispatch itself writes, as editions: one a day (UTC) for each desk and kind.

They are frozen, sent, counted and proven like newsletters. Each copy has a date
of its own, and where a desk is not public, the addresses of its reader's own feeds.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.mailing.composer import compose
from dispatch.newsroom import editions, feed_tokens, keys
from dispatch.newsroom.desks import known_desk, mail_address
from dispatch.renditions import system_mail
from dispatch.renditions.slots import FEEDS
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import editions as edition_store
from dispatch.store import system_mail as store
from dispatch.store.editions import EditionRow
from dispatch.store.system_mail import Addressee
from dispatch.store.tables import from_epoch


def queue(
    connection: Connection,
    kind: str,
    desk: Desk,
    addressees: Sequence[Addressee],
    templates: Templates,
    settings: Settings,
    now: datetime,
) -> dict[int, int]:
    """Have a mail of this kind sent to each of these, once a day at most.

    The first of a day renders it, which takes a twentieth of a second.

    Args:
        kind: one of :data:`dispatch.renditions.system_mail.KINDS`.

    Returns:
        The keys of the copies by their subscribers'; who had one today is not among them.

    Raises:
        TemplateError: a template is broken.
        SettingsError: an address of the desk cannot be used.
    """
    if not addressees:
        return {}
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    edition = store.newest(connection, desk.slug, kind, today)
    if edition is None:
        edition = _make(connection, kind, desk, templates, settings, now)
    return store.add(connection, edition, addressees, now)


def _make(
    connection: Connection,
    kind: str,
    desk: Desk,
    templates: Templates,
    settings: Settings,
    now: datetime,
) -> int:
    own = settings.for_desk(desk.slug)
    spoken = system_mail.render(kind, desk, templates, within=own.confirm_within)
    language = system_mail.language_of(desk, templates)
    seed = secrets.token_hex(16)
    token_key = keys.tokens(connection, settings, now).newest
    subject = spoken[language].subject
    row = EditionRow(0, desk.slug, subject, None, now, seed, token_key, kind)
    number = edition_store.add(connection, row)
    bodies = {
        f"{editions.BODY}{tag}": compose(
            rendition,
            desk,
            edition=number,
            seed=seed,
            made=now,
            return_path=mail_address(own.return_path, desk),
            unsubscribe_address=mail_address(own.unsubscribe_address, desk),
            kind=kind,
        ).to_bytes()
        for tag, rendition in spoken.items()
    }
    used = templates.files("email/", "mail/", "locale/")
    files = {f"templates/{name}": data for name, data in used.items()}
    own_language = {editions.OWN: language.encode()}
    edition_store.freeze(connection, number, {**bodies, **own_language, **files})
    store.begin(connection, number, now)
    return number


def given(
    connection: Connection, asks_for: Collection[str], key: int, settings: Settings
) -> dict[str, str]:
    """What belongs into one copy besides name and address.

    Args:
        asks_for: kinds of holes, as a press has them; nothing is looked up where there is none.
        key: the copy's.
    """
    copy = store.copy(connection, key) if asks_for else None
    if copy is None:
        return {}
    queued = from_epoch(copy.due) if copy.due else copy.made
    values = {"date": format_datetime(queued.astimezone(UTC))}
    if any(kind in asks_for for kind in FEEDS):
        desk = known_desk(connection, copy.desk, settings)
        if desk is not None and copy.subscriber is not None:
            tokens = keys.tokens(connection, settings, queued)
            feeds = feed_tokens.known_feeds(connection, copy.subscriber, desk, tokens)
            values |= {f"{form}_url": url for form, url in feeds.items()}
    return values
