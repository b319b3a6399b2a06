"""From a tree to typed blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import etree
from lxml.etree import _Element as Element

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
    Rule,
)
from dispatch.markup import captions, tables
from dispatch.markup.addresses import web_url
from dispatch.markup.characters import escape, is_blank, lines, one_line
from dispatch.markup.line import INLINE_TAGS, OLD_TAGS, Context, Dropped, Line
from dispatch.markup.parsing import parse
from dispatch.markup.writing import inline_text

_BLOCK_TAGS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "col", "colgroup",
    "dd", "details", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li",
    "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre", "search", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_DROPPED_TAGS = frozenset({
    "applet", "base", "button", "frame", "frameset", "head", "link", "math", "meta", "noembed",
    "noframes", "noscript", "rp", "script", "select", "style", "svg", "template", "textarea",
    "title",
})  # fmt: skip
"""Left out with all they hold: what runs, what is typed into, what is drawn, what is not shown."""
_SHOWN_TAGS = frozenset({
    "applet", "button", "frameset", "math", "noembed", "noframes", "noscript", "select", "svg",
    "textarea", "title",
})  # fmt: skip
"""Those of them in which text can be meant to be read."""
_LONGEST_FALLBACK = 200
"""Characters in a video, say, that tell those who cannot watch it so. What is longer is text."""
_UNCLOSED_TAGS = frozenset({"embed", "wbr"})
"""Tags that should hold nothing, and do where the parser did not see their end."""

_MAX_DEPTH = 40
"""Blocks nested deeper than this are flattened: no writer means them, and every stage recurses."""


def inline(html: str, base_url: str | None = None) -> Html:
    """The inline markup of a fragment, on the allow-list.

    Block tags become line breaks, images and embeds are left out. Links that
    are not absolute http(s), mailto or tel are taken off their text.

    Raises:
        ArticleError: see :func:`parse`.
    """
    return _Builder(Context(base_url), flat=True).flatten(parse(html))[0]


def blocks(
    html: str, base_url: str | None = None, on_dropped: Dropped | None = None
) -> tuple[Block, ...]:
    """Typed blocks of an HTML fragment or document, hostile or not.

    Args:
        html: any HTML. Scripts, styles, forms' controls and event handlers go.
        base_url: what relative links and images are resolved against; without
            it, relative links lose their link and relative images are left out.
        on_dropped: told of every link, image and embed that could not be kept, and of
            elements that were left out with text in them.

    Raises:
        ArticleError: see :func:`parse`.
    """
    return element_blocks(parse(html), base_url, on_dropped)


def element_blocks(
    element: Element, base_url: str | None = None, on_dropped: Dropped | None = None
) -> tuple[Block, ...]:
    """As :func:`blocks`, of what stands inside an element that :func:`parse` made."""
    return tuple(_Builder(Context(base_url, on_dropped)).build(element, 0))


class _Builder:
    """Collects blocks; text and inline tags between block tags gather into paragraphs.

    A flat one keeps to one run of text, for what can hold no blocks: block
    tags are line breaks there, and only images and embeds are collected.
    """

    def __init__(self, context: Context, *, flat: bool = False) -> None:
        self.context = context
        self.flat = flat
        self.blocks: list[Block] = []
        self.line = Line(context)

    def build(self, element: Element, depth: int, skip: Element | None = None) -> list[Block]:
        """The blocks inside ``element``, without those of its descendant ``skip``."""
        self._walk(element, depth, skip)
        self._flush()
        return self.blocks

    def flatten(self, element: Element) -> tuple[Html, list[Block]]:
        """The text inside ``element`` as one run, '' where it is blank; its images and embeds."""
        self._walk(element, 0)
        html = self.line.take()
        return (Html("") if is_blank(inline_text(html)) else html), self.blocks

    def _walk(self, element: Element, depth: int, skip: Element | None = None) -> None:
        walker = etree.iterwalk(element, events=("start", "end"))
        for event, node in walker:
            if node is element:
                self.line.text(node.text if event == "start" else None)
            elif event == "end":
                if node is not skip:
                    self._leave(node, depth)
                self.line.text(node.tail)
            elif node is not skip and self._enter(node, depth):
                self.line.text(node.text)
            else:
                walker.skip_subtree()

    def _visit(self, element: Element, depth: int) -> None:
        if self._enter(element, depth):
            self._walk(element, depth)
        self._leave(element, depth)

    def _enter(self, node: Element, depth: int) -> bool:
        """Takes what begins with ``node``; answers whether what is inside is to be walked."""
        tag = str(node.tag)
        if tag in _DROPPED_TAGS:
            self._tell_dropped(node, 0)
            return False
        if handler := self._handler(node, depth):
            handler(self, node, depth + 1)
            return tag in _UNCLOSED_TAGS
        if tag == "rt":  # the reading of a ruby text
            self.line.text("(")
        elif tag in _BLOCK_TAGS:
            self._flush()
        elif tag in INLINE_TAGS or tag in OLD_TAGS:
            self.line.start(node)
        return True

    def _tell_dropped(self, node: Element, longest: int) -> None:
        """Tells of an element that is left out with more than ``longest`` characters to read."""
        tag = str(node.tag)
        is_read = tag in _SHOWN_TAGS or tag not in _DROPPED_TAGS
        if is_read and len(one_line(_preformatted(node))) > longest:
            self.context.drop("element", tag)

    def _leave(self, node: Element, depth: int) -> None:
        tag = str(node.tag)
        if tag in _DROPPED_TAGS or self._handler(node, depth):
            return
        if tag == "rt":
            self.line.text(")")
        elif tag in _BLOCK_TAGS:
            self._flush()
        elif tag in INLINE_TAGS or tag in OLD_TAGS:
            self.line.end()

    def _handler(self, node: Element, depth: int) -> _Handler | None:
        tag = str(node.tag)
        if handler := _LEAVES.get(tag):
            return handler
        if self.flat or depth >= _MAX_DEPTH or (tag == "table" and tables.is_layout(node)):
            return None
        return _HANDLERS.get(tag)

    def _flush(self) -> None:
        if self.flat:
            self.line.block_break()
            return
        html = self.line.take()
        if not is_blank(inline_text(html)):
            self.blocks.append(Paragraph(html))

    def _add(self, *blocks: Block) -> None:
        if not self.flat:
            self._flush()
        self.blocks += blocks

    def _inside(self, element: Element, depth: int, skip: Element | None = None) -> list[Block]:
        return _Builder(self.context).build(element, depth, skip)

    def _flat(self, element: Element | None) -> tuple[Html | None, list[Block]]:
        if element is None:
            return None, []
        html, media = _Builder(self.context, flat=True).flatten(element)
        return html or None, media

    def _break(self, _element: Element, _depth: int) -> None:
        self.line.line_break()
        if self.line.breaks > 1 and not self.flat:  # how old systems part paragraphs
            self._flush()

    def _break_opportunity(self, _element: Element, _depth: int) -> None:
        self.line.break_opportunity()

    def _rule(self, _element: Element, _depth: int) -> None:
        self._flush()
        if not self.flat:
            self._add(Rule())

    def _image(self, element: Element, _depth: int) -> None:
        given = element.get("src", "")
        alt = element.get("alt")
        if src := web_url(given, self.context.base_url):
            self._add(Image(src, None if alt is None else one_line(alt)))
        else:
            self.context.drop("image", given)

    def _embed(self, element: Element, _depth: int) -> None:
        sources = (str(source.get("src", "")) for source in element.iterchildren("source"))
        given = element.get("src") or next(sources, "")
        if src := web_url(given, self.context.base_url):
            self._add(Embed(src, one_line(element.get("title")) or None))
        else:
            self.context.drop("embed", given)
        if element.tag not in _UNCLOSED_TAGS:
            self._tell_dropped(element, _LONGEST_FALLBACK)

    def _crosshead(self, element: Element, _depth: int) -> None:
        html, media = self._flat(element)
        if html:
            self._add(Crosshead(html, max(2, int(str(element.tag)[1]))))
        self._add(*media)

    def _list(self, element: Element, depth: int) -> None:
        items: list[list[Block]] = []
        for inside, is_item in self._list_parts(element, depth):
            if items and not is_item:  # a list nested beside its item, or stray text
                items[-1] += inside
            elif inside:
                items.append(inside)
        if items:
            start = element.get("start", "1").strip()
            number = int(start) if re.fullmatch("[0-9]{1,6}", start) else 1
            ordered = element.tag == "ol"
            self._add(List(tuple(map(tuple, items)), ordered, number if ordered else 1))

    def _list_parts(self, element: Element, depth: int) -> Iterator[tuple[list[Block], bool]]:
        """What the list holds, part by part, and whether it is an item."""
        yield _loose_text(element.text), False
        for child in element:
            if child.tag == "li":
                yield self._inside(child, depth), True
            else:
                builder = _Builder(self.context)
                builder._visit(child, depth)
                builder._flush()
                yield builder.blocks, False
            yield _loose_text(child.tail), False

    def _quotation(self, element: Element, depth: int) -> None:
        footer = captions.attribution(element)
        inner = self._inside(element, depth, skip=footer)
        signed, media = self._flat(footer)
        self._add(*captions.quotation(inner, signed), *media)

    def _code(self, element: Element, _depth: int) -> None:
        text = lines(_preformatted(element)).strip("\n")
        classes = [element.get("class", ""), *(child.get("class", "") for child in element)]
        found = re.search(r"\blang(?:uage)?-([\w+#.-]{1,30})", " ".join(classes))
        if text.strip():
            self._add(Code(text, found.group(1) if found else None))

    def _figure(self, element: Element, depth: int) -> None:
        figcaption = captions.figcaption(element)
        inside = self._inside(element, depth, skip=figcaption)
        caption, media = self._flat(figcaption)
        self._add(*(captions.captioned(inside, caption) if caption else inside), *media)

    def _table(self, element: Element, depth: int) -> None:
        self._add(*self._loose_in_table(element, depth))
        caption, media = self._flat(next(element.iterchildren("caption"), None))
        spanned: list[list[tables.SpannedCell]] = []
        for row, in_head in tables.rows(element):
            cells = [self._cell(cell, in_head) for cell in row]
            spanned.append([cell for cell, _ in cells])
            media += [block for _, found in cells for block in found]
        self._add(*tables.blocks(spanned, caption), *media)

    def _cell(self, element: Element, in_head: bool) -> tuple[tables.SpannedCell, list[Block]]:
        html, media = self._flat(element)
        header = in_head or element.tag == "th"
        cell = Cell(html or Html(""), header, tables.alignment(element))
        return (cell, tables.span(element, "colspan"), tables.span(element, "rowspan")), media

    def _loose_in_table(self, table: Element, depth: int) -> list[Block]:
        """What stands between the parts of a table: HTML shows it before the table."""
        builder = _Builder(self.context)
        for loose in tables.loose(table):
            if isinstance(loose, str):
                builder.line.text(loose)
            else:
                builder._visit(loose, depth)
        builder._flush()
        return builder.blocks


_Handler = Callable[[_Builder, Element, int], None]

_LEAVES: dict[str, _Handler] = {
    "audio": _Builder._embed,
    "br": _Builder._break,
    "embed": _Builder._embed,
    "hr": _Builder._rule,
    "iframe": _Builder._embed,
    "img": _Builder._image,
    "video": _Builder._embed,
    "wbr": _Builder._break_opportunity,
}
_HANDLERS: dict[str, _Handler] = {
    **{f"h{n}": _Builder._crosshead for n in range(1, 7)},
    "blockquote": _Builder._quotation,
    "dir": _Builder._list,
    "figure": _Builder._figure,
    "menu": _Builder._list,
    "ol": _Builder._list,
    "pre": _Builder._code,
    "table": _Builder._table,
    "ul": _Builder._list,
}


def _loose_text(text: str | None) -> list[Block]:
    words = one_line(text)
    return [] if is_blank(words) else [Paragraph(escape(words))]


def _preformatted(element: Element) -> str:
    parts: list[str] = []
    walker = etree.iterwalk(element, events=("start", "end"))
    for event, node in walker:
        if event == "end":
            parts.append("" if node is element else node.tail or "")
        elif node.tag in _DROPPED_TAGS and node is not element:
            walker.skip_subtree()
        else:
            parts.append("\n" if node.tag == "br" else node.text or "")
    return "".join(parts)
