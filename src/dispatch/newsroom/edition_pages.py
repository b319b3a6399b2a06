"""The archive of a desk's editions, and one edition as it was mailed, in a browser.

    editions/           those that were sent, newest first; older ones in page-1.html and so on
    editions/12/        the twelfth mailing

An edition is shown from the moment its mailing has begun, when people have it:
not before, and not where it was cancelled before. The desk's archive is for
desks that everybody may read; whoever got a copy may see it in any case
(``dispatch.web.pages.viewing``). Nothing on the page is anybody's.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from dispatch.desk import Desk
from dispatch.errors import DeliveryError
from dispatch.newsroom.access import public_folder
from dispatch.renditions import lists
from dispatch.renditions.edition_page import render_edition
from dispatch.renditions.feed import FeedEntry
from dispatch.renditions.language import lookup
from dispatch.renditions.lists import Around, Link, Sent
from dispatch.renditions.templates import Templates
from dispatch.renditions.web import FormPage
from dispatch.store import articles as article_store
from dispatch.store import editions as store
from dispatch.store import recipients as recipient_store
from dispatch.store.editions import BegunRow
from dispatch.syndication.release import Files

if TYPE_CHECKING:  # a publish without anything mailed yet is spared what can read an edition: 12 ms
    from dispatch.mailing.composition import Composition

PART = 50
"""Editions on a page of the list."""


def has_archive(desk: Desk) -> bool:
    """Whether everybody may read what the desk mailed."""
    return desk.access == "public"


def written(out: Path, desk: Desk) -> set[int]:
    """The numbers of the editions that stand in the desk's archive."""
    folder = out / public_folder(desk) / "editions"
    if not folder.is_dir():
        return set()
    return {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}


def is_behind(connection: Connection, desk: Desk, out: Path) -> bool:
    """Whether an edition belongs into the archive and is not there, or the other way round."""
    there = written(out, desk)
    if not has_archive(desk):
        return bool(there)
    return any(row.number not in there for row in store.begun(connection, desk.slug))


def release_editions(
    connection: Connection,
    release: Files,
    desk: Desk,
    templates: Templates,
    there: Collection[int],
    *,
    again: bool = False,
) -> list[str]:
    """Write the editions that are not in the archive yet, and the list of all.

    Where the desk has no archive, those that are in one are taken away.

    Args:
        there: the numbers of those that stand in it (:func:`written`).
        again: write those, too.

    Returns:
        A sentence for each edition that cannot be shown; the others are.
    """
    folder = f"{public_folder(desk)}/editions"
    if not has_archive(desk):
        for name in _names(there):
            release.remove(f"{folder}/{name}")
        return []
    known = () if again else there
    begun = store.begun(connection, desk.slug)
    faults = []
    for row in begun:
        if row.number in known:
            continue
        try:
            page = _archived(connection, row, desk, templates)
        except DeliveryError as error:
            faults.append(f"Edition {row.number} is not in the archive: {error}")
        else:
            release.write(f"{folder}/{row.number}/index.html", page.html)
    before = sum(row.number in known for row in begun)
    for part in range(max(1, _parts(before)), _parts(len(begun)) + 1):
        _write_list(release, folder, desk, templates, begun, part)
    _write_list(release, folder, desk, templates, begun, None)
    return faults


def _parts(editions: int) -> int:
    """How many pages the list has besides its first one, which holds the newest."""
    return max(0, editions // PART - 1)


def _names(editions: Collection[int]) -> list[str]:
    """All files there may be in the archive of these editions."""
    pages = [f"page-{part}.html" for part in range(1, _parts(len(editions)) + 1)]
    return [*(f"{number}/index.html" for number in sorted(editions)), *pages, "index.html"]


def _write_list(
    release: Files,
    folder: str,
    desk: Desk,
    templates: Templates,
    begun: list[BegunRow],
    part: int | None,
) -> None:
    """One page of the list: a part, counted from the oldest, or with None what is newest."""
    url = f"{desk.index_url}editions/"
    last = _parts(len(begun))
    rows = begun[last * PART :] if part is None else begun[(part - 1) * PART : part * PART]
    older = last if part is None else part - 1
    newer = None if part is None else f"{url}page-{part + 1}.html" if part < last else url
    name = "index.html" if part is None else f"page-{part}.html"
    around = Around(
        url if part is None else f"{url}{name}",
        (Link(desk.name, desk.index_url),),
        newer=newer,
        older=f"{url}page-{older}.html" if older else None,
    )
    sent = [Sent(row.subject, f"{url}{row.number}/", row.started) for row in reversed(rows)]
    release.write(f"{folder}/{name}", lists.render_editions(desk, sent, templates, around).html)


# One edition -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Viewed:
    """What a reader is shown for the link in their copy."""

    edition: int
    body: str
    """The name of its body: that of the language in which the reader was spoken to."""


def viewed(connection: Connection, recipient: int, desk: str) -> Viewed | None:
    """What a recipient's copy was; None where there is no such copy of this desk's newsletter."""
    copy = recipient_store.with_key(connection, recipient)
    row = store.edition(connection, copy.edition) if copy else None
    if copy is None or row is None or row.desk != desk or row.kind not in store.SHOWN:
        return None
    from dispatch.newsroom.editions import BODY

    bodies = {name.removeprefix(BODY): name for name in store.names(connection, row.key, BODY)}
    known = {tag.lower(): name for tag, name in bodies.items()}
    own = lookup(copy.language, known) if copy.language else None
    return Viewed(row.key, own or BODY)


def view(connection: Connection, shown: Viewed, desk: Desk, templates: Templates) -> FormPage:
    """The page of a copy, without anything personal: the same for all who got the same.

    Raises:
        DeliveryError: what it was made of is gone.
        TemplateError: the page's template is broken.
    """
    from dispatch.mailing.composition import Composition
    from dispatch.newsroom.editions import BODY, thawed

    row, composition = thawed(connection, shown.edition)
    if shown.body != BODY:
        data = store.frozen(connection, shown.edition, shown.body)[shown.body]
        composition = Composition.from_bytes(data)
    sent = store.sent(connection, row.key) or row.made
    return _page(connection, composition, desk, templates, sent=sent)


def _archived(connection: Connection, row: BegunRow, desk: Desk, templates: Templates) -> FormPage:
    from dispatch.newsroom.editions import thawed

    _, composition = thawed(connection, row.number)
    address = f"{desk.index_url}editions/{row.number}/"
    canonical = _only_article(connection, row.number) or address
    return _page(
        connection,
        composition,
        desk,
        templates,
        sent=row.started,
        address=address,
        canonical=canonical,
    )


def _only_article(connection: Connection, edition: int) -> str | None:
    """The address of the article that the edition holds, where it holds one: it says the same."""
    articles = store.articles_of(connection, edition)
    if len(articles) != 1:
        return None
    entry = article_store.entry_with_id(connection, articles[0][0])
    return FeedEntry.from_json(json.loads(entry)).url if entry else None


def _page(
    connection: Connection,
    composition: Composition,
    desk: Desk,
    templates: Templates,
    *,
    sent: datetime,
    address: str | None = None,
    canonical: str | None = None,
) -> FormPage:
    from dispatch.newsroom.clicks import uncounted

    # Made of what nobody could know who wrote the edition: it stands nowhere else in it.
    mark = "m" + sha256(f"browser {composition.seed}".encode()).hexdigest()[:31]
    return render_edition(
        uncounted(connection, composition.edition, composition.browser_html(mark)),
        mark,
        desk,
        templates,
        sent=sent,
        address=address,
        canonical=canonical,
    )
