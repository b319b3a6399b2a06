"""What would embarrass a desk, found before anybody else finds it.

Each check is a function from an article, its desk and its email to findings;
:data:`CHECKS` lists them. A new one is a function added there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from dispatch import markup
from dispatch.article import (
    Article,
    Block,
    Cell,
    Crosshead,
    Html,
    Image,
    List,
    Paragraph,
    Quotation,
    Table,
)
from dispatch.desk import Desk
from dispatch.errors import DispatchError
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.newsroom.own_templates import open_templates
from dispatch.newsroom.reading import read_article
from dispatch.renditions import email
from dispatch.renditions.colour import TEXT_CONTRAST, contrast
from dispatch.renditions.email import EmailRendition
from dispatch.settings import Settings

GMAIL_CLIPS_AT = 102 * 1024
"""Bytes of HTML after which Gmail hides the rest behind a link."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``error``: do not publish it like this; ``warning``: look at it."""

    level: Literal["error", "warning"]
    where: str
    message: str


def check_article(name: str, settings: Settings) -> list[Finding]:
    """Everything found in the article in the file ``name``, errors first."""
    try:
        article = read_article(name, settings)
        slug = desk_slug(article.desk or settings.desk)
        desk = make_desk(article.desk or settings.desk, slug, settings)
        mail = _email(article, desk, settings)
    except DispatchError as error:
        return [Finding("error", "article", str(error))]
    found = list(chain.from_iterable(check(article, desk, mail) for check in CHECKS))
    return sorted(found, key=lambda finding: finding.level)


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


def _reader_was_unsure(article: Article, _desk: Desk, _mail: EmailRendition) -> Iterator[Finding]:
    for note in article.notes:
        if note.level == "warning":
            yield Finding("warning", note.where, note.message)


def _fields_are_there(article: Article, _desk: Desk, _mail: EmailRendition) -> Iterator[Finding]:
    if not article.standfirst:
        yield Finding(
            "warning",
            "standfirst",
            "There is none: inboxes and feeds will show the first paragraph instead.",
        )
    if article.language is None:
        yield Finding(
            "warning",
            "language",
            "It is not named, and the desk's is taken: screen readers and translators rely on it.",
        )
    if not article.byline:
        yield Finding("warning", "byline", "Nobody signs it.")
    if not any(isinstance(block, Paragraph) for block in article.body):
        yield Finding("error", "body", "There is no paragraph in it.")


def _images_have_alternatives(
    article: Article, _desk: Desk, _mail: EmailRendition
) -> Iterator[Finding]:
    for block in _every_block(article.body):
        if isinstance(block, Image) and block.alt is None:
            yield Finding(
                "error",
                "body",
                f"The image {block.src} has no alternative text: say what it shows.",
            )


def _links_lead_somewhere(
    article: Article, _desk: Desk, _mail: EmailRendition
) -> Iterator[Finding]:
    links = [(f"source {n}", s.url) for n, s in enumerate(article.sources, 1) if s.url]
    for html in _every_html(article.body):
        links += [(f"link “{text}”", url) for text, url in markup.links(html)]
    for where, url in links:
        if url.startswith(("mailto:", "tel:")):
            continue
        if not markup.is_web_url(url) or re.search(r"\s|[<>\"{}|\\^`]", url):
            yield Finding("error", where, f"{url} is not a web address (http or https).")
        elif url.startswith("http:"):
            yield Finding("warning", where, f"{url} is not encrypted: is there an https address?")


def _words_stand_once(article: Article, _desk: Desk, _mail: EmailRendition) -> Iterator[Finding]:
    texts = [("headline", article.headline), ("standfirst", article.standfirst or "")]
    texts += [("body", markup.inline_text(html)) for html in _every_html(article.body)]
    for where, text in texts:
        for found in _DOUBLED.finditer(text):
            if found[1].lower() not in _RIGHTLY_DOUBLED:
                around = text[max(0, found.start() - 20) : found.end() + 20].strip()
                yield Finding("warning", where, f"“{found[1]}” stands twice: …{around}…")


_DOUBLED = re.compile(r"\b([^\W\d_]{2,30}) \1\b", re.IGNORECASE)
_RIGHTLY_DOUBLED = frozenset(
    "that had blah bye no so very pom cha sie die der das den nous vous".split()  # noqa: SIM905
)
_SHOUTING = re.compile(r"[!?]{2,}|[$€£]{2,}")
_SPAM_WORDS = re.compile(
    r"\b(?:act now|buy now|click here|free money|100% free|limited time|winner|no obligation|"
    r"risk[- ]free|urgent|guaranteed)\b",
    re.IGNORECASE,
)


def _subject_is_no_spam(_article: Article, _desk: Desk, mail: EmailRendition) -> Iterator[Finding]:
    subject = mail.subject
    letters = [c for c in subject if c.isalpha() and c.lower() != c.upper()]
    if len(letters) > 10 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        yield Finding("warning", "headline", "It is mostly capitals, which filters take for spam.")
    for pattern in (_SHOUTING, _SPAM_WORDS):
        if found := pattern.search(subject):
            yield Finding("warning", "headline", f"Filters take “{found[0]}” for spam.")
    if len(subject) > 110:
        yield Finding(
            "warning", "headline", f"{len(subject)} characters: inboxes show 40 to 70 of a subject."
        )


def _email_is_whole(_article: Article, _desk: Desk, mail: EmailRendition) -> Iterator[Finding]:
    for note in mail.notes:
        yield Finding("warning", note.where, note.message)
    if len(mail.html) > GMAIL_CLIPS_AT:
        yield Finding(
            "error", "email", f"{len(mail.html) // 1024} KB: Gmail hides what is past 102 KB."
        )


def _colours_can_be_read(_article: Article, desk: Desk, _mail: EmailRendition) -> Iterator[Finding]:
    ratio = contrast(desk.accent, "#ffffff")
    if ratio < TEXT_CONTRAST:
        yield Finding(
            "warning",
            "DISPATCH_ACCENT",
            f"{desk.accent} on white has a contrast of {ratio:.1f} to 1. {TEXT_CONTRAST} is needed "
            "to be read by everybody (WCAG 2.2, 1.4.3): text in it is printed darker.",
        )


CHECKS: tuple[Callable[[Article, Desk, EmailRendition], Iterator[Finding]], ...] = (
    _fields_are_there,
    _images_have_alternatives,
    _links_lead_somewhere,
    _words_stand_once,
    _subject_is_no_spam,
    _email_is_whole,
    _colours_can_be_read,
    _reader_was_unsure,
)


def _every_block(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, List):
            for item in block.items:
                yield from _every_block(item)
        elif isinstance(block, Quotation):
            yield from _every_block(block.blocks)


def _every_html(blocks: tuple[Block, ...]) -> Iterator[Html]:
    for block in _every_block(blocks):
        match block:
            case Paragraph(html) | Crosshead(html):
                yield html
            case Table(rows, caption):
                cells: Iterator[Cell] = chain.from_iterable(rows)
                yield from (cell.html for cell in cells)
                if caption:
                    yield caption
            case Image(caption=caption) | Quotation(attribution=caption) if caption:
                yield caption
            case _:
                pass
