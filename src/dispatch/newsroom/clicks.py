"""Counted clicks and openings of newsletters, for desks that turn them on.

A link of the HTML leads to ``{site}/{desk}/click/{token}``, and from there to the
address that was stored for it when the edition was made: the token is a signed
number, so that nobody can have the site lead anywhere else. It is the same in
every copy. What is counted is the link and the day, and of whom nothing is known.

Personal links (to unsubscribe, to the preferences, to the view in a browser) are not
counted, nor are those of the plain text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from html import escape, unescape

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.mailing.tokens import Tokens
from dispatch.markup import is_web_url
from dispatch.renditions import message
from dispatch.renditions.email import EmailRendition
from dispatch.store import clicks as store
from dispatch.store import editions as edition_store

OPENING = store.OPENING
"""The link that stands for the opening of an edition."""

COUNTED = ("newsletter", "digest")
"""The kinds of editions whose clicks and openings may be counted."""

# An HTML tag as lxml writes it, and as our templates do in comments for Outlook: every value is
# between double quotes.
_ANCHOR = re.compile(r"<a(?:\s+[^\s\"=<>/]+(?:=\"[^\"]*\")?)*\s*>", re.IGNORECASE)
_HREF = re.compile(r"(\shref=\")([^\"]*)(?=\")", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]{1,2000}")
_SIGNED = r"([0-9a-f]{1,12})-[0-9a-f]{24}"
_PIXEL = '<img src="{}" width="1" height="1" alt="" border="0">'


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of an edition. They are estimates: programs click and open, too."""

    opens: int | None
    """None: no opening was counted."""
    clicks: tuple[tuple[str, int], ...]
    """Each counted link and how often it was followed, the most frequent first."""

    def to_json(self) -> dict[str, object]:
        return {
            "opens": self.opens,
            "clicks": [{"url": url, "count": count} for url, count in self.clicks],
        }


def counted(
    connection: Connection,
    rendition: EmailRendition,
    desk: Desk,
    edition: int,
    tokens: Tokens,
    *,
    clicks: bool,
    opens: bool,
) -> EmailRendition:
    """The rendition with counted links, with an image whose loading is counted, or with both.

    Args:
        tokens: sign with the key of the edition.
    """
    html = rendition.html.decode()
    if clicks:
        html = _with_links(connection, html, desk, edition, tokens)
    if opens:
        address = f"{message.personal_url(desk, 'open')}{tokens.open(edition)}.gif"
        top, end, bottom = html.rpartition("</body>")
        html = f"{top}{_PIXEL.format(escape(address))}{end}{bottom}" if end else html
    return replace(rendition, html=html.encode())


def _with_links(connection: Connection, html: str, desk: Desk, edition: int, tokens: Tokens) -> str:
    hrefs = [href[2] for tag in _ANCHOR.findall(html) for href in _HREF.finditer(tag)]
    urls = {href: unescape(href) for href in hrefs}
    wanted = {href: url for href, url in urls.items() if _can_be_counted(url)}
    known = store.add_links(connection, edition, wanted.values())
    page = message.personal_url(desk, "click")
    addresses = {href: escape(page + tokens.click(known[url])) for href, url in wanted.items()}

    def linked(tag: re.Match[str]) -> str:
        return _HREF.sub(lambda href: href[1] + addresses.get(href[2], href[2]), tag[0])

    return _ANCHOR.sub(linked, html)


def _can_be_counted(url: str) -> bool:
    """Whether it can be the target of a redirect; a personal link is a mark here, and no URL."""
    return bool(_PRINTABLE.fullmatch(url)) and is_web_url(url)


def uncounted(connection: Connection, edition: int, html: str) -> str:
    """The HTML of an edition with its links as they were, and without the image: for the web."""
    urls = {f"{key:x}": url for key, url in store.links_of(connection, edition)}
    pixel = re.escape(_PIXEL).replace(r"\{\}", rf"[^\"]*/open/{_SIGNED}\.gif")
    html = re.sub(pixel, "", html)

    def plain(href: re.Match[str]) -> str:
        token = re.search(rf"/click/{_SIGNED}$", href[2])
        url = urls.get(token[1]) if token else None
        return href[0] if url is None else href[1] + escape(url)

    return _ANCHOR.sub(lambda tag: _HREF.sub(plain, tag[0]), html)


# Following a link --------------------------------------------------------------------------------


def link(connection: Connection, token: str, desk: str, tokens: Tokens) -> store.LinkRow | None:
    """The counted link of a token; None where it is none of this desk's."""
    key = tokens.read_click(token)
    found = store.link(connection, key) if key is not None else None
    return found if found is not None and found.desk == desk else None


def opened(connection: Connection, token: str, desk: str, tokens: Tokens) -> int | None:
    """The edition whose image has this token; None where it is none of this desk's."""
    number = tokens.read_open(token)
    found = edition_store.edition(connection, number) if number is not None else None
    return found.key if found is not None and found.desk == desk else None


def add(connection: Connection, counts: store.Counts) -> None:
    """Write down what was counted."""
    store.add(connection, counts)


class Tally:
    """What was counted and is not in the database yet."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int, date]] = Counter()

    def followed(self, edition: int, link: int, now: datetime) -> None:
        """Count one click; ``link`` is :data:`OPENING` for an opening."""
        self._counts[edition, link, now.astimezone(UTC).date()] += 1

    def taken(self) -> store.Counts:
        """What was counted since the last time."""
        counts, self._counts = self._counts, Counter()
        return counts

    def put_back(self, counts: store.Counts) -> None:
        """Keep what could not be written."""
        self._counts.update(counts)


def figures(connection: Connection, edition: int) -> Figures:
    """What was counted of an edition."""
    totals = store.totals(connection, edition)
    found = [(url, totals.get(key, 0)) for key, url in store.links_of(connection, edition)]
    return Figures(totals.get(OPENING), tuple(sorted(found, key=lambda pair: -pair[1])))
