"""From settings to a desk."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sqlalchemy import Connection

from dispatch.desk import Desk, Mailbox
from dispatch.errors import SettingsError
from dispatch.newsroom import slugs
from dispatch.settings import Settings, variable
from dispatch.store import articles as article_store
from dispatch.store import subscribers as subscriber_store


def desk_slug(name: str) -> str:
    """The desk's name in addresses.

    Raises:
        ArticleError: the name cannot stand in an address.
    """
    return slugs.asked(name, "desk")


def make_desk(name: str, slug: str, settings: Settings, tag: str | None = None) -> Desk:
    """The desk ``name`` as the settings have it, its own before the common ones.

    Args:
        tag: the id of its feed, where it has one already.
    """
    own = settings.for_desk(slug)
    words = {
        "desk": name,
        "slug": slug,
        "host": urlsplit(own.site_url).hostname or "localhost",
        "publisher": own.publisher,
    }
    return Desk(
        name=name,
        slug=slug,
        publisher=own.publisher,
        site_url=own.site_url,
        sender=_mailbox(own.from_, words),
        contact=_filled(own.contact, words),
        postal_address=own.postal_address,
        usage_terms=_filled(own.usage_terms, words),
        rights=own.rights,
        language=own.language,
        timezone=own.timezone,
        accent=own.accent,
        tag=tag,
        access=own.access,
        hubs=own.hubs,
    )


def known_desk(connection: Connection, slug: str, settings: Settings) -> Desk | None:
    """The desk of this slug that has published or has subscribers; None: there is none."""
    row = article_store.desk(connection, slug)
    if row is not None:
        return make_desk(row.name, slug, settings, row.tag)
    if not subscriber_store.is_known_desk(connection, slug):
        return None
    return make_desk(slug.replace("-", " ").capitalize(), slug, settings)


def mail_address(pattern: str, desk: Desk) -> str:
    """An address of the settings, with ``{host}`` and ``{slug}`` filled in."""
    return _filled(pattern, {"host": desk.host, "slug": desk.slug})


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)


def _mailbox(value: str, words: dict[str, str]) -> Mailbox:
    name, _, address = value.rpartition("<")
    address = _filled(address.rstrip(">").strip(), words)
    try:
        return Mailbox(_filled(name.strip(), words) or words["desk"], address)
    except ValueError:
        raise SettingsError(
            f"The setting {variable('from_')} gives {address}, which is not an email address."
        ) from None
