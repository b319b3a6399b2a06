"""Blocks and inline HTML written out again, as HTML and as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape as _escape
from html import unescape

from dispatch.article import (
    Block,
    Cell,
    Code,
    Crosshead,
    Embed,
    Html,
    Image,
    List,
    Paragraph,
    Quotation,
    Rule,
    Table,
)
from dispatch.markup.characters import escape

_TAG = re.compile(r'<(/?)([a-z]+)((?:[^>"]++|"[^"]*+")*+)>')
_HREF = re.compile(r' href="([^"]*)"')


def inline_text(html: Html, link: Callable[[str, str], str] | None = None) -> str:
    """The text of inline HTML; a ``<br>`` is a newline, and a raised number stands behind a ``^``.

    Args:
        link: called with a link's text and address; its answer stands in the
            text instead of the link's text.
    """
    if "<" not in html and "&" not in html:
        return html
    reader = _Text(link)
    end = 0
    for tag in _TAG.finditer(html):
        reader.text(unescape(html[end : tag.start()]))
        reader.tag(tag[2], tag[3], closes=bool(tag[1]))
        end = tag.end()
    reader.text(unescape(html[end:]))
    return "".join(reader.parts)


class _Text:
    """Gathers the text of inline HTML from its pieces."""

    def __init__(self, link: Callable[[str, str], str] | None) -> None:
        self.link = link
        self.parts: list[str] = []
        self.links: list[tuple[str, int]] = []  # of the open ones: address, and where it begins
        self.raised = False

    def text(self, text: str) -> None:
        if not text:
            return
        # A raised number that joined what it stands on would change it: 10<sup>6</sup> is not 106.
        if self.raised and text[0] in "0123456789+-−" and self._follows_letter():
            self.parts.append("^")
        self.raised = False
        self.parts.append(text)

    def tag(self, name: str, attributes: str, *, closes: bool) -> None:
        if name == "br":
            self.parts.append("\n")
        elif name == "q":
            self.parts.append("”" if closes else "“")
        elif name == "sup":
            self.raised = not closes
        elif name == "a" and not closes:
            found = _HREF.search(attributes)
            self.links.append((unescape(found[1]) if found else "", len(self.parts)))
        elif name == "a" and self.links:
            href, start = self.links.pop()
            if self.link and href:
                self.parts[start:] = [self.link("".join(self.parts[start:]), href)]

    def _follows_letter(self) -> bool:
        return bool(self.parts) and self.parts[-1][-1:].isalnum()


def links(html: Html) -> list[tuple[str, str]]:
    """Text and address of every link in inline HTML, in order."""
    found: list[tuple[str, str]] = []

    def note(text: str, url: str) -> str:
        found.append((text, url))
        return text

    inline_text(html, note)
    return found


def block_text(block: Block) -> str:  # noqa: PLR0911 - one for each kind
    """The block's text without any markup, paragraphs parted by a newline; '' for a rule."""
    match block:
        case Paragraph(html) | Crosshead(html):
            return inline_text(html)
        case List(items):
            return "\n".join("\n".join(map(block_text, item)) for item in items)
        case Quotation(inner, attribution):
            lines = [block_text(b) for b in inner]
            return "\n".join([*lines, inline_text(attribution)] if attribution else lines)
        case Code(text):
            return text
        case Table(rows, caption):
            lines = ["\t".join(inline_text(cell.html) for cell in row) for row in rows]
            return "\n".join([inline_text(caption), *lines] if caption else lines)
        case Image(_, alt, caption, credit):
            shown = inline_text(caption) if caption else alt
            return "\n".join(part for part in (shown, credit) if part)
        case Embed(url, title):
            return title or url
        case Rule():
            return ""


def block_html(block: Block) -> str:  # noqa: PLR0911 - one for each kind
    """The block as plain semantic HTML, without classes or styles; safe to print unescaped."""
    match block:
        case Paragraph(html):
            return f"<p>{html}</p>"
        case Crosshead(html, level):
            return f"<h{level}>{html}</h{level}>"
        case List(items, ordered, start):
            tag = "ol" if ordered else "ul"
            opening = f'<ol start="{start}">' if ordered and start != 1 else f"<{tag}>"
            return opening + "".join(f"<li>{_item_html(item)}</li>" for item in items) + f"</{tag}>"
        case Quotation(inner, attribution):
            footer = f"<footer>{attribution}</footer>" if attribution else ""
            return f"<blockquote>{''.join(map(block_html, inner))}{footer}</blockquote>"
        case Code(text, language):
            named = f' class="language-{_escape(language)}"' if language else ""
            return f"<pre><code{named}>{_escape(text, quote=False)}</code></pre>"
        case Table():
            return _table_html(block)
        case Image(src, alt, caption, credit):
            shown = [caption, f"<small>{escape(credit)}</small>" if credit else None]
            text = " ".join(part for part in shown if part)
            figcaption = f"<figcaption>{text}</figcaption>" if text else ""
            image = f'<img src="{_escape(src)}" alt="{_escape(alt or "")}">'
            return f"<figure>{image}{figcaption}</figure>"
        case Embed(url, title):
            return f'<p><a href="{_escape(url)}">{escape(title or url)}</a></p>'
        case Rule():
            return "<hr>"


def _item_html(item: tuple[Block, ...]) -> str:
    if len(item) == 1 and isinstance(item[0], Paragraph):
        return item[0].html
    return "".join(map(block_html, item))


def _table_html(table: Table) -> str:
    caption = f"<caption>{table.caption}</caption>" if table.caption else ""
    rows = [f"<tr>{''.join(map(_cell_html, row))}</tr>" for row in table.rows]
    headed = bool(table.rows) and all(cell.header for cell in table.rows[0])
    head = f"<thead>{rows[0]}</thead>" if headed else ""
    body = "".join(rows[1:] if headed else rows)
    return f"<table>{caption}{head}{f'<tbody>{body}</tbody>' if body else ''}</table>"


def _cell_html(cell: Cell) -> str:
    tag = "th" if cell.header else "td"
    # An attribute, not a style: style attributes do not survive feed readers.
    align = f' align="{cell.align}"' if cell.align else ""
    return f"<{tag}{align}>{cell.html}</{tag}>"
