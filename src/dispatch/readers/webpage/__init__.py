"""A web page as a content management system delivers it, saved to a file.

What is said about the article comes from JSON-LD, from meta elements and from
the page itself, in that order (``facts.py``); its text from the page's own
markup, with what surrounds it left out (``body.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml.etree import _Element as Element

from dispatch import markup
from dispatch.article import Article, Block, Crosshead, Image, Note, Paragraph
from dispatch.errors import ArticleError
from dispatch.readers.dropped import Dropped
from dispatch.readers.embargoes import refuse_embargo_lines
from dispatch.readers.fields import read as read_fields
from dispatch.readers.given import folded
from dispatch.readers.webpage.body import Page
from dispatch.readers.webpage.facts import PageFacts
from dispatch.readers.webpage.images import settle
from dispatch.readers.webpage.jsonld import Thing

_OPENING = re.compile(
    r"(?:\s|<\?xml[^>]*+>|<!--(?:(?!-->).){0,2000}-->)*+<(?P<tag>!doctype html|[a-z][a-z0-9]*)\b",
    re.IGNORECASE | re.DOTALL,
)
_USUAL = frozenset({"noscript"})
"""Left out of pages without a word: it repeats what a script would show."""
_DOCUMENT_TAGS = frozenset({"!doctype html", "html", "head", "body"})
_BLOCK_TAG = re.compile(
    r"</?(?:article|blockquote|div|figure|h[1-6]|header|li|main|ol|p|section|table|ul)\b[^<>]*>",
    re.IGNORECASE,
)


def looks_like(text: str) -> bool:
    """Whether ``text`` is HTML: a document, or a fragment that has several block tags."""
    start = text[:20_000]
    opening = _OPENING.match(start)
    if opening is None:
        return False
    if opening["tag"].lower() in _DOCUMENT_TAGS:
        return True
    return len(_BLOCK_TAG.findall(start)) >= 3


def read(text: str, name: str) -> Article:
    """The article that a web page shows.

    Args:
        text: clean, with ``\\n`` as its only line end.
        name: the file, for errors.

    Raises:
        ArticleError: no article is found, no headline, or a time that cannot be
            read or has no zone.
    """
    notes: list[Note] = []
    root = markup.parse(text)
    facts = PageFacts(root, text, name, notes)
    headline = facts.headline()
    if not headline:
        raise ArticleError(
            f"{name}: no headline was found in this page. Save the page of one article, "
            "or hand the article in as plain text or Markdown."
        )
    fields = read_fields(facts.fields(), name)
    dropped = Dropped(usual=_USUAL)
    body = _body(root, facts, headline, text, dropped, notes)
    if fields.embargo is None:
        refuse_embargo_lines(
            body,
            name,
            "A page cannot say until when: hand the article in as Markdown with an embargo, "
            "or save the page once the line is gone.",
        )
    shown = facts.shown_standfirsts()
    standfirst = _standfirst(facts.standfirsts(), shown, headline, body)
    repeated = [headline, *facts.headings, standfirst or "", *shown, fields.desk or ""]
    repeated += facts.shown_times()
    body = _without_head(body, repeated, [author.name for author in fields.byline])
    if not any(isinstance(block, Paragraph) for block in body):
        raise ArticleError(
            f"{name}: no article was found in this page. If its text is loaded by a script, "
            "copy it from the browser and hand it in as plain text."
        )
    return fields.article(
        "webpage",
        body,
        headline=headline,
        standfirst=standfirst,
        notes=(*notes, *dropped.notes()),
    )


# The body ---------------------------------------------------------------------------------------


def _body(
    root: Element, facts: PageFacts, headline: str, text: str, dropped: Dropped, notes: list[Note]
) -> tuple[Block, ...]:
    page = Page(root)
    element = page.body(headline)
    if element is None:
        element, is_sure = page.densest()
        if not is_sure and (extracted := _extracted(text, facts.base_url, notes)):
            return extracted
    picture = page.picture_above(element)
    page.clean(element)
    settle(element, dropped)
    body = markup.element_blocks(element, facts.base_url, dropped)
    body = _with_picture(picture, body, facts.base_url)
    return _fuller(body, facts.article, notes)


def _with_picture(
    picture: Element | None, body: tuple[Block, ...], base_url: str | None
) -> tuple[Block, ...]:
    """``body`` with the figure that stands above it on the page."""
    if picture is None:
        return body
    settle(picture, Dropped())
    around = markup.parse("")
    around.append(picture)
    shown = {block.src for block in body if isinstance(block, Image)}
    found = [b for b in markup.element_blocks(around, base_url) if isinstance(b, Image)]
    return (*(image for image in found[:1] if image.src not in shown), *body)


def _fuller(body: tuple[Block, ...], article: Thing, notes: list[Note]) -> tuple[Block, ...]:
    """``body``; or JSON-LD's articleBody, where the page shows little of it."""
    told = article.get("articleBody")
    if not isinstance(told, str) or _length(body) >= 0.4 * len(told):
        return body
    paragraphs = (
        told
        if looks_like(told)
        else "".join(f"<p>{markup.escape(line)}</p>" for line in told.split("\n"))
    )
    fuller = markup.blocks(paragraphs)
    if _length(fuller) <= _length(body):
        return body
    message = (
        "The page shows little or nothing of the text. It was taken from JSON-LD (articleBody), "
        "which has no links, pictures or crossheads."
    )
    notes.append(Note("warning", "body", message))
    return fuller


def _length(body: Iterable[Block]) -> int:
    return sum(len(markup.block_text(block)) for block in body)


def _extracted(text: str, base_url: str | None, notes: list[Note]) -> tuple[Block, ...]:
    """The body as trafilatura finds it, where it is installed and finds one."""
    try:
        import trafilatura
    except ImportError:
        return ()
    found = trafilatura.extract(
        text,
        output_format="html",
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
        include_tables=True,
        favor_precision=True,
    )
    body = markup.blocks(found, base_url) if found else ()
    if body:
        notes.append(
            Note("info", "body", "The page does not mark its article; trafilatura found the text.")
        )
    return body


# Head and body apart ----------------------------------------------------------------------------


def _standfirst(
    candidates: list[str], shown: list[str], headline: str, body: tuple[Block, ...]
) -> str | None:
    """The first candidate that neither is the headline nor was cut out of the text.

    Args:
        shown: what the page itself shows as a standfirst, be it in its text.
    """
    own = {folded(text) for text in shown}
    paragraphs = [markup.block_text(block) for block in body if isinstance(block, Paragraph)]
    begins = [folded(paragraph) for paragraph in paragraphs[:4]]
    for candidate in candidates:
        plain = folded(candidate)
        if plain in own:
            return candidate
        if plain and plain != folded(headline) and not _is_excerpt(plain, begins):
            return candidate
    return None


def _is_excerpt(text: str, begins: list[str]) -> bool:
    """Whether ``text`` is how a paragraph begins, or begins with a whole paragraph."""
    return any(
        begin.startswith(text) or (len(begin) > 60 and text.startswith(begin)) for begin in begins
    )


def _without_head(
    body: tuple[Block, ...], repeated: list[str], authors: list[str]
) -> tuple[Block, ...]:
    """``body`` without what repeats the head of the article: headline, standfirst, byline, date."""
    said = {folded(text) for text in repeated}
    images: list[Block] = []
    head = 0
    for block in body:
        if isinstance(block, Image):
            images.append(block)
        elif not _is_of_head(block, said, authors):
            break
        head += 1
    return (*images, *body[head:])


def _is_of_head(block: Block, said: set[str], authors: list[str]) -> bool:
    if not isinstance(block, Crosshead | Paragraph):
        return False
    text = markup.block_text(block)
    if folded(text) in said:
        return True
    is_sentence = text.endswith((".", "!", "?", "”", "»"))
    return (
        isinstance(block, Paragraph)
        and not is_sentence
        and (_is_byline(text, authors) or _is_date(text))
    )


def _is_byline(text: str, authors: list[str]) -> bool:
    """Whether a line consists of authors' names and a few words."""
    rest = text
    for author in authors:
        rest = rest.replace(author, "")
    return rest != text and len(rest.split()) <= 8


def _is_date(text: str) -> bool:
    """Whether a line consists of a date and a few words."""
    return (
        len(text) <= 60
        and bool(re.search(r"\b(?:19|20)\d\d\b", text))
        and len(re.findall(r"\d+", text)) > 1
    )
