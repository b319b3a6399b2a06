"""Who said it and who took it: attributions of quotations, captions and credits of images."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from dispatch.article import Block, Embed, Html, Image, Paragraph, Quotation, Table
from dispatch.markup.characters import is_blank, one_line
from dispatch.markup.line import INLINE_TAGS
from dispatch.markup.writing import block_text, inline_text

_DASHES = re.compile(r"((?:<[a-z]+>)*)(?:[—–―-]+ *)+")


def attribution(quotation: Element) -> Element | None:
    """The element that closes a quotation with a name: its footer, or a ``cite`` of its own."""
    last = quotation[-1] if len(quotation) else None
    if last is None or last.tag not in ("footer", "cite") or one_line(last.tail):
        return None
    before = last.getprevious()
    if last.tag == "cite" and (
        before is None or before.tag in INLINE_TAGS or one_line(before.tail)
    ):
        return None  # the title of a work, in the midst of the text
    return last


def quotation(inner: list[Block], signed: Html | None) -> list[Block]:
    """The quotation of the blocks ``inner``; nothing where there are none.

    Args:
        signed: its attribution. None: it may be the last paragraph.
    """
    if signed is None and _is_signed(inner):
        last = inner[-1]
        signed, inner = (last.html if isinstance(last, Paragraph) else None), inner[:-1]
    name = _without_dash(signed) if signed else None
    if name and not inner:
        return [Quotation((Paragraph(name),))]
    return [Quotation(tuple(inner), name)] if inner else []


def _is_signed(inner: list[Block]) -> bool:
    """Whether the last paragraph, and no other, begins with a dash: a name, not a dialogue."""
    dashed = [
        isinstance(block, Paragraph) and inline_text(block.html).startswith(("—", "–", "―"))
        for block in inner
    ]
    return len(inner) > 1 and dashed[-1] and sum(dashed) == 1 and len(block_text(inner[-1])) <= 120


def _without_dash(html: Html) -> Html | None:
    dashes = _DASHES.match(html)
    name = Html(dashes[1] + html[dashes.end() :]) if dashes else html
    return None if is_blank(inline_text(name)) else name


def figcaption(figure: Element) -> Element | None:
    """The caption of a figure and not of one inside it."""
    for child in figure:
        if child.tag == "figcaption":
            return child
        if child.tag in ("a", "center", "div", "p", "section", "span"):
            nested = next(child.iterchildren("figcaption"), None)
            if nested is not None:
                return nested
    return None


def captioned(inside: list[Block], caption: Html) -> list[Block]:
    """The blocks of a figure, with the caption on the first that takes one."""
    for n, block in enumerate(inside):
        own: Block | None = None
        match block:
            case Image(src, alt, None, None):
                own = Image(src, alt, *_split_credit(caption))
            case Table(rows, None):
                own = Table(rows, caption)
            case Quotation(quoted, None):
                own = Quotation(quoted, _without_dash(caption))
            case Embed(url, None):
                own = Embed(url, one_line(inline_text(caption)))
        if own:
            return [*inside[:n], own, *inside[n + 1 :]]
    return [*inside, Paragraph(caption)]


_ENDS_SENTENCE = '.!?…”"»'
_CREDIT = re.compile(
    rf"(?P<before>[(\[|–—/·{_ENDS_SENTENCE}]?) ?\b"
    r"(?:(?P<sure>photo(?:graph)?s?|foto|crédits?|credits?|copyright)"
    r"|pictures?|images?|bild|fuente)"
    r"(?: by| ?:| ?©) ?(?P<credit>[^()\[\]<>]{2,80}?) ?[)\]]?\.?$",
    re.IGNORECASE,
)


def _split_credit(caption: Html) -> tuple[Html | None, str | None]:
    """A caption and its credit: a closing ``<small>``, or a closing ``Photo: NAME``."""
    start = caption.rfind("<small>")
    if caption.endswith("</small>") and "</small>" not in (own := caption[start + 7 : -8]):
        return _trimmed(caption[:start]), one_line(inline_text(Html(own))) or None
    found = _CREDIT.search(caption, max(0, len(caption) - 160))
    if not found or found["credit"][0].islower():
        return caption, None
    before = caption[: found.start()]
    if before and not found["sure"] and not found["before"]:
        return caption, None  # "the wider picture: …"
    sentence_end = found["before"] if found["before"] in _ENDS_SENTENCE else ""
    return _trimmed(before + sentence_end), one_line(inline_text(Html(found["credit"])))


def _trimmed(html: str) -> Html | None:
    html = html.strip(" ")
    while html.endswith("<br>"):
        html = html.removesuffix("<br>").rstrip(" ")
    return Html(html) if html else None
