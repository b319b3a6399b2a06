"""Which desks take sign-ups, and what somebody agrees to at each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.newsroom.desks import known_desk
from dispatch.web.answers import label
from dispatch.web.site import Site

CONSENT = label(
    "Send me the newsletter %(desk)s of %(publisher)s by email. "
    "I can unsubscribe at any time, with one click."
)
"""What stands at every button that subscribes somebody, and is kept as what they agreed to."""
_LASTS = 10.0
"""Seconds that what is known of a desk is believed: its name may change while it is served."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A desk that takes sign-ups, as its forms need it.

    Args:
        origins: sites whose pages may hold its form.
        privacy_url: what is done with subscribers' data; may be empty.
    """

    desk: Desk
    origins: tuple[str, ...]
    privacy_url: str
    consents: dict[str, str] = field(default_factory=dict)
    """By the tags of languages, as they were asked for."""

    def consent(self, site: Site, tag: str) -> str:
        """What somebody agrees to who presses the button, in the language of this tag."""
        if tag not in self.consents:
            names = {"desk": self.desk.name, "publisher": self.desk.publisher}
            self.consents[tag] = self.said(site, tag, CONSENT) % names
        return self.consents[tag]

    def said(self, site: Site, tag: str, text: str) -> str:
        """A label in the language of this tag."""
        return site.templates.language(None, replace(self.desk, language=tag)).gettext(text)


class Offers:
    """The desks that take sign-ups; asked for at every one, so they are remembered for a while."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[str, tuple[float, Offer]] = {}

    async def of(self, slug: str, now: float) -> Offer | None:
        """That of the desk ``slug``; None: there is no such desk, or it takes none from strangers.

        Raises:
            StoreError: the database cannot be read.
        """
        until, offer = self._known.get(slug, (0.0, None))
        if offer is not None and now < until:
            return offer
        found = await self._site.read(self._found, slug)
        if found is None:
            self._known.pop(slug, None)  # nobody fills the memory with names of desks
        else:
            self._known[slug] = (now + _LASTS, found)
        return found

    def _found(self, connection: Connection, slug: str) -> Offer | None:
        settings = self._site.settings
        desk = known_desk(connection, slug, settings)
        if desk is None or desk.access == "private":
            return None
        own = settings.for_desk(slug)
        return Offer(desk, own.form_origins, own.privacy_url)
