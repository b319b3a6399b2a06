"""The desk: who publishes, and how its addresses are formed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from urllib.parse import quote, urlsplit

from dispatch.article import Article

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDR_SPEC = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name and an addr-spec (RFC 5322, 3.4), in its dot-atom form.

    Raises:
        ValueError: the address is not one.
    """

    name: str
    address: str

    def __post_init__(self) -> None:
        if not _ADDR_SPEC.fullmatch(self.address):
            raise ValueError(f"not an email address: {self.address!r}")


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk of the newsroom, with everything renditions print about it."""

    name: str
    """As printed: ``World``."""
    slug: str
    """As in addresses: ``world``."""
    publisher: str
    """The organisation, as in the masthead and the copyright line."""
    site_url: str
    """Where ``public/`` is served; absolute, without a slash at the end."""
    sender: Mailbox
    """The newsletter's From."""
    contact: str
    """Where partners reach the desk: an email address or telephone number."""
    postal_address: str
    usage_terms: str
    """What a partner may do with the wire copy."""
    rights: str
    """Copyright line; ``{year}`` and ``{publisher}`` are filled in."""
    language: str = "en"
    """BCP 47; taken where the article names none."""
    timezone: tzinfo = field(default=UTC)
    """In which dates and times are printed."""
    accent: str = "#8c1c13"
    """The masthead's colour, ``#rrggbb``."""
    tag: str | None = None
    """The id of its feed, a tag: URI (RFC 4151); None: made of the host."""
    access: str = "public"
    """Who reads it on the web: everybody (``public``), subscribers in full and everybody the
    standfirsts (``members``), or subscribers alone (``private``)."""
    hubs: tuple[str, ...] = ()
    """The WebSub hubs that its public feeds name."""
    reader: str | None = None
    """The token of a subscriber for whom its feeds and pages are written; None: for everybody."""

    @property
    def host(self) -> str:
        """The site's host name, the authority of tag: URIs and of List-Id."""
        return urlsplit(self.site_url).hostname or "localhost"

    @property
    def feed_id(self) -> str:
        """The id of its feed; that of subscribers, who see more in it, is another feed."""
        id_ = self.tag or f"tag:{self.host},2026:{self.slug}"
        return id_ if self.reader is None else f"{id_}:members"

    @property
    def index_url(self) -> str:
        """Where all of the desk's addresses begin."""
        own = "" if self.reader is None else f"members/{self.reader}/"
        return f"{self.site_url}/{self.slug}/{own}"

    @property
    def is_shown(self) -> bool:
        """Whether there are feeds and pages at its addresses, for whom it is written for."""
        return self.access != "private" or self.reader is not None

    @property
    def subscribe_url(self) -> str:
        """The page where people sign up."""
        return f"{self.site_url}/{self.slug}/subscribe"

    def for_reader(self, token: str | None) -> Desk:
        """The desk with the addresses of one subscriber or, with None, those for everybody."""
        return replace(self, reader=token)

    def url(self, article: Article) -> str:
        """The article's permanent address on the web.

        Raises:
            ValueError: the article was not given a path, so it has no address yet.
        """
        if article.path is None:
            raise ValueError("an article that was not placed has no address")
        return f"{self.index_url}{quote(article.path)}/"

    def feed_url(self, form: str) -> str:
        """``form`` is ``rss``, ``atom`` or ``json``."""
        return f"{self.index_url}feed.{form}"

    def archive_url(self, number: int, form: str) -> str:
        """The archive document ``number`` (RFC 5005), counted from 1; ``form`` as in feed_url."""
        return f"{self.index_url}archive/{number}.{form}"

    def rights_for(self, article: Article) -> str:
        """The article's own rights line, or the desk's."""
        return article.rights if article.rights is not None else self.rights_in(article.published)

    def rights_in(self, time: datetime | None) -> str:
        """The desk's rights line in the year of ``time``; without a year where it is None."""
        year = str(time.astimezone(self.timezone).year) if time else ""
        line = self.rights.replace("{publisher}", self.publisher).replace("{year}", year)
        return " ".join(line.split())
