"""What would embarrass a desk, found before anybody else finds it.

Each check is a function from what is :class:`Checked` to findings;
:data:`CHECKS` lists them. A new one is a function added there. What concerns
words alone is in ``wording.py``, what concerns addresses in ``reachable.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from dispatch import markup
from dispatch.article import (
    Article,
    Block,
    Crosshead,
    Embed,
    Html,
    Image,
    List,
    Paragraph,
    Quotation,
    Table,
)
from dispatch.desk import Desk
from dispatch.errors import ArticleError, DispatchError
from dispatch.newsroom import slugs, sources, wording
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.reachable import judge
from dispatch.newsroom.reading import read_article
from dispatch.renditions import email
from dispatch.renditions.colour import TEXT_CONTRAST, contrast
from dispatch.renditions.email import EmailRendition
from dispatch.settings import Settings

GMAIL_CLIPS_AT = 102 * 1024
"""Bytes of HTML after which Gmail hides the rest behind a link."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``error``: do not publish it like this; ``warning``: look at it.

    ``where`` is a field, a setting, or a place such as ``line 12`` or
    ``paragraph 3``, counted among those of its kind.
    """

    level: Literal["error", "warning"]
    where: str
    message: str
    error: Exception | None = None
    """What stopped the check, where something did."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An article with all that the checks look at."""

    name: str
    """What the file is called."""
    article: Article
    desk: Desk
    mail: EmailRendition
    now: datetime | None

    @property
    def language(self) -> str:
        return self.article.language or self.desk.language


def check_article(name: str, settings: Settings, now: datetime | None = None) -> list[Finding]:
    """Everything found in the article in the file ``name``, errors first.

    Args:
        now: what its times are held against, aware; None: they are not.
    """
    try:
        checked, found = _checked(name, settings, now)
        found += chain.from_iterable(check(checked) for check in CHECKS)
    except DispatchError as error:
        return [Finding("error", "article", str(error), error)]
    except Exception as error:  # one bad article stops nothing else
        message = (
            f"{sources.label(name)} cannot be checked because of an error inside Dispatch "
            f"({type(error).__name__}: {error}). Run it with --debug and report what it says."
        )
        return [Finding("error", "article", message, error)]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.level)


def _checked(name: str, settings: Settings, now: datetime | None) -> tuple[Checked, list[Finding]]:
    article, label = read_article(name, settings), sources.label(name)
    found: list[Finding] = []
    desk_name = article.desk or settings.desk
    try:
        slug = desk_slug(desk_name)
    except ArticleError as error:
        found.append(Finding("error", "desk", f"{label}: {error}", error))
        desk_name, slug = settings.desk, desk_slug(settings.desk)
    desk = make_desk(desk_name, slug, settings)
    return Checked(label, article, desk, _email(article, desk, settings), now), found


def _email(article: Article, desk: Desk, settings: Settings) -> EmailRendition:
    """The email as it would be; its place and time do not matter here."""
    time = article.published or datetime(2000, 1, 1, tzinfo=UTC)
    placed = replace(
        article,
        desk=desk.name,
        slug="article",
        path="2000/01/01/article",
        id="tag:example.org,2000-01-01:article",
        version=1,
        published=time,
        updated=article.updated or time,
    )
    return email.render(placed, desk, open_templates(settings), max_bytes=settings.max_email_bytes)


def _reader_was_unsure(it: Checked) -> Iterator[Finding]:
    for note in it.article.notes:
        if note.level == "warning":
            lost = _LOST_ADDRESS.search(note.message)
            yield Finding("error" if lost else "warning", note.where, note.message)


_LOST_ADDRESS = re.compile("for want of an address|address of a source is not")
"""Of the readers' notes, those on links and pictures that could not be kept."""


def _fields_are_there(it: Checked) -> Iterator[Finding]:
    if not it.article.standfirst:
        yield Finding(
            "warning",
            "standfirst",
            "There is none: inboxes and feeds will show the first paragraph instead.",
        )
    if it.article.language is None:
        yield Finding(
            "warning",
            "language",
            "It is not named, and the desk's is taken: screen readers and translators rely on it.",
        )
    if not it.article.byline:
        yield Finding("warning", "byline", "Nobody signs it.")
    if not any(isinstance(block, Paragraph) for block in it.article.body):
        yield Finding("error", "body", "There is no paragraph in it.")


def _slug_can_stand_in_an_address(it: Checked) -> Iterator[Finding]:
    if it.article.slug is not None:
        try:
            slugs.asked(it.article.slug, "slug")
        except ArticleError as error:
            yield Finding("error", "slug", f"{it.name}: {error}", error)


def _times_make_sense(it: Checked) -> Iterator[Finding]:
    published, updated = it.article.published, it.article.updated
    for field, time in (("published", published), ("updated", updated)):
        if time and it.now and time > it.now:
            yield Finding("warning", field, f"{time.isoformat()} is still to come.")
    if published and updated and updated < published:
        yield Finding(
            "warning",
            "updated",
            f"{updated.isoformat()} is before its publication, {published.isoformat()}.",
        )


def _images_have_alternatives(it: Checked) -> Iterator[Finding]:
    for where, block in _places(it.article.body):
        if not isinstance(block, Image):
            continue
        if block.alt is None:
            message = f"The image {block.src} has no alternative text: say what it shows."
            yield Finding("error", where, message)
        elif not block.alt.strip():
            message = (
                f"The alternative text of the image {block.src} is empty, as if it were "
                "decoration: say what it shows."
            )
            yield Finding("warning", where, message)


def _links_lead_somewhere(it: Checked) -> Iterator[Finding]:
    for where, url in _addresses(it.article):
        if judgement := judge(url):
            yield Finding(judgement[0], where, judgement[1])


def _addresses(article: Article) -> Iterator[tuple[str, str]]:
    for n, source in enumerate(article.sources, 1):
        if source.url:
            yield f"source {n}", source.url
    for n, author in enumerate(article.byline, 1):
        if author.url:
            yield f"author {n}", author.url
    for where, block in _places(article.body):
        if isinstance(block, Image):
            yield where, block.src
        elif isinstance(block, Embed):
            yield where, block.url
        for html in _html(block):
            for text, url in markup.links(html):
                yield f"{where}, link “{text}”", url


def _sources_are_parted(it: Checked) -> Iterator[Finding]:
    for n, source in enumerate(it.article.sources, 1):
        if source.url and re.search("https?://", source.title) and source.title != source.url:
            message = f"An address stands in its title: {source.title}. Part them."
            yield Finding("warning", f"source {n}", message)


def _words_are_in_order(it: Checked) -> Iterator[Finding]:
    for where, text in _texts(it.article):
        told = [
            wording.doubled_words(text, it.language),
            wording.placeholders(text, it.language),
            wording.raw_markup(text),
        ]
        for message in chain.from_iterable(told):
            yield Finding("warning", where, message)


def _subject_is_no_spam(it: Checked) -> Iterator[Finding]:
    for message in wording.spam(it.mail.subject):
        yield Finding("warning", "headline", message)


def _email_is_whole(it: Checked) -> Iterator[Finding]:
    for note in it.mail.notes:
        yield Finding("warning", note.where, note.message)
    size = len(it.mail.html)
    if size > GMAIL_CLIPS_AT:
        message = f"{size / 1024:.0f} KB: Gmail hides what is past 102 KB."
        yield Finding("error", "email", message)


def _colours_can_be_read(it: Checked) -> Iterator[Finding]:
    ratio = contrast(it.desk.accent, "#ffffff")
    if ratio < TEXT_CONTRAST:
        yield Finding(
            "warning",
            "DISPATCH_ACCENT",
            f"{it.desk.accent} on white has a contrast of {ratio:.1f} to 1. {TEXT_CONTRAST} is "
            "needed to be read by everybody (WCAG 2.2, 1.4.3): text in it is printed darker.",
        )


CHECKS: tuple[Callable[[Checked], Iterator[Finding]], ...] = (
    _fields_are_there,
    _slug_can_stand_in_an_address,
    _times_make_sense,
    _images_have_alternatives,
    _links_lead_somewhere,
    _sources_are_parted,
    _words_are_in_order,
    _subject_is_no_spam,
    _email_is_whole,
    _colours_can_be_read,
    _reader_was_unsure,
)


def _texts(article: Article) -> Iterator[tuple[str, str]]:
    """Every text that the newsroom wrote, and where it stands; code is left out."""
    fields = {
        "headline": article.headline,
        "standfirst": article.standfirst,
        "editor's note": article.editors_note,
    }
    fields |= {f"author {n}": author.bio for n, author in enumerate(article.byline, 1)}
    yield from ((where, text) for where, text in fields.items() if text)
    for where, block in _places(article.body):
        if isinstance(block, Image) and block.alt:
            yield where, block.alt
        for html in _html(block):
            yield where, markup.inline_text(Html(_CODE.sub("", html)))


_CODE = re.compile(r"<(code|kbd|samp|var)\b[^<>]*>.*?</\1>", re.DOTALL)


def _places(blocks: tuple[Block, ...]) -> Iterator[tuple[str, Block]]:
    """Every block, nested ones with the place of the outermost."""
    counted: Counter[str] = Counter()
    for block in blocks:
        counted[block.kind] += 1
        for inner in _nested(block):
            yield f"{block.kind} {counted[block.kind]}", inner


def _nested(block: Block) -> Iterator[Block]:
    yield block
    inner: tuple[Block, ...] = ()
    if isinstance(block, List):
        inner = tuple(chain.from_iterable(block.items))
    elif isinstance(block, Quotation):
        inner = block.blocks
    for each in inner:
        yield from _nested(each)


def _html(block: Block) -> Iterator[Html]:
    """The inline HTML of a block itself."""
    match block:
        case Paragraph(html) | Crosshead(html):
            yield html
        case Table(rows, caption):
            yield from (cell.html for cell in chain.from_iterable(rows))
            if caption:
                yield caption
        case Image(caption=caption) | Quotation(attribution=caption) if caption:
            yield caption
        case _:
            pass
