"""The HTML of articles: what is let in, and what comes out.

In: :func:`blocks` turns any HTML, hostile HTML included, into typed blocks;
:func:`inline` turns a fragment into an :data:`~dispatch.article.Html` value.
Out: :func:`block_html` and :func:`block_text` write a block again.

Two walls stand behind each other: nh3 (ammonia, an HTML5 parser with an
allow-list) cleans what comes in, and what goes out is written tag by tag from
the same allow-list, with every text and attribute escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape as _escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import nh3
from lxml import html as lxml_html
from lxml.html import HtmlElement

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

INLINE_TAGS = frozenset(
    "a abbr b bdi bdo br cite code del dfn em i ins kbd mark q s samp small strong sub sup u var wbr".split()  # noqa: E501
)
_CONTAINER_TAGS = frozenset(
    "address article aside body center details div dd dl dt fieldset figure figcaption footer form "
    "h1 h2 h3 h4 h5 h6 header hgroup html main nav section summary p".split()
)
_BLOCK_TAGS = frozenset(
    "blockquote caption hr img iframe audio video embed li ol pre source table tbody td tfoot th "
    "thead tr ul".split()
)
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "audio": {"src", "title"},
    "code": {"class"},
    "embed": {"src", "title"},
    "iframe": {"src", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "pre": {"class"},
    "source": {"src"},
    "td": {"align", "style"},
    "th": {"align", "style"},
    "video": {"src", "title"},
}
_INLINE_ATTRIBUTES = frozenset({"lang", "dir", "href", "title"})
_DROPPED_WITH_CONTENT = {
    "script", "style", "template", "noscript", "svg", "math", "object", "select", "button", "textarea", "head",
}  # fmt: skip
_VOID = frozenset({"br", "wbr"})
_WHITE = re.compile(r"[ \t\n\r\f]+")
_MAX_DEPTH = 40
"""Blocks nested deeper than this are flattened: no writer means them, and every stage recurses."""


def is_web_url(url: str) -> bool:
    """Whether ``url`` is an absolute http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _is_link(url: str) -> bool:
    return is_web_url(url) or url.lower().startswith(("mailto:", "tel:"))


def escape(text: str) -> Html:
    """Plain text as HTML: shown to the letter."""
    return Html(_escape(text, quote=False))


def inline(html: str) -> Html:
    """The inline markup of a fragment, on the allow-list; block tags are taken off, text stays.

    Links that are not absolute http(s), mailto or tel are taken off their text.
    """
    return _inline_children(_parse(html), None)


def blocks(html: str, base_url: str | None = None) -> tuple[Block, ...]:
    """Typed blocks of an HTML fragment or document, hostile or not.

    Args:
        html: any HTML. Scripts, styles, forms' controls and event handlers go.
        base_url: what relative links and images are resolved against; without
            it, relative links lose their link and relative images are left out.
    """
    builder = _Builder(base_url)
    builder.walk(_parse(html), 0)
    return tuple(builder.finish())


def _parse(html: str) -> HtmlElement:
    clean = nh3.clean(
        html,
        tags=set(INLINE_TAGS | _CONTAINER_TAGS | _BLOCK_TAGS),
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
    )
    parser = lxml_html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    return lxml_html.fragment_fromstring(clean, create_parent="div", parser=parser)


class _Builder:
    """Collects blocks; text and inline tags between block tags gather into paragraphs."""

    def __init__(self, base_url: str | None) -> None:
        self.base_url = base_url
        self.blocks: list[Block] = []
        self.run: list[str] = []

    def finish(self) -> list[Block]:
        self._flush()
        return self.blocks

    def _flush(self) -> None:
        html = _trim("".join(self.run))
        self.run.clear()
        if inline_text(html).strip():
            self.blocks.append(Paragraph(html))

    def _add(self, block: Block) -> None:
        self._flush()
        self.blocks.append(block)

    def walk(self, element: HtmlElement, depth: int) -> None:
        self.run.append(_escape(_squeeze(element.text), quote=False))
        for child in element:
            self._element(child, depth + 1)
            self.run.append(_escape(_squeeze(child.tail), quote=False))

    def _element(self, element: HtmlElement, depth: int) -> None:
        tag = str(element.tag)
        if depth > _MAX_DEPTH:
            self.run.append(escape(_squeeze(element.text_content())))
        elif tag in INLINE_TAGS and not _holds_block(element):
            self.run.append(_inline_element(element, self.base_url))
        elif handler := _HANDLERS.get(tag):
            handler(self, element, depth)
        elif tag in INLINE_TAGS:  # such as a link round an image: the block matters, not the link
            self.walk(element, depth)
        else:
            self._flush()
            self.walk(element, depth)
            self._flush()

    def _crosshead(self, element: HtmlElement, depth: int) -> None:
        images = [child for child in element.iter("img")]
        html = _inline_children(element, self.base_url)
        if inline_text(html).strip():
            self._add(Crosshead(html, max(2, int(str(element.tag)[1]))))
        for image in images:
            self._image(image, depth)

    def _list(self, element: HtmlElement, depth: int) -> None:
        items = []
        for child in element:
            item = tuple(self._inside(child, depth))
            if item:
                items.append(item)
        start = element.get("start", "1")
        if items:
            number = int(start) if re.fullmatch(r"\d{1,6}", start) else 1
            self._add(List(tuple(items), str(element.tag) == "ol", number))

    def _quotation(self, element: HtmlElement, depth: int) -> None:
        inner = list(self._inside(element, depth))
        attribution: Html | None = None
        footers = [child for child in element if child.tag in ("footer", "cite")]
        if footers and inner and isinstance(inner[-1], Paragraph) and len(inner) > 1:
            attribution = Html(re.sub(r"^(<cite>)?[—–-]\s*", r"\1", inner.pop().html))  # type: ignore[union-attr]
        if inner:
            self._add(Quotation(tuple(inner), attribution))

    def _code(self, element: HtmlElement, depth: int) -> None:
        text = element.text_content().strip("\n")
        classes = [element.get("class", ""), *(child.get("class", "") for child in element)]
        found = re.search(r"\blang(?:uage)?-([\w+#.-]{1,30})", " ".join(classes))
        if text.strip():
            self._add(Code(text, found.group(1) if found else None))

    def _table(self, element: HtmlElement, depth: int) -> None:
        caption: Html | None = None
        rows: list[tuple[Cell, ...]] = []
        for part in element.iter("caption", "tr"):
            if part.tag == "caption":
                caption = _inline_children(part, self.base_url)
            elif _nearest_table(part) is element:
                rows.append(tuple(self._cell(c) for c in part if c.tag in ("td", "th")))
        rows = [row for row in rows if row]
        if rows:
            width = max(map(len, rows))
            full = tuple(row + (Cell(Html("")),) * (width - len(row)) for row in rows)
            self._add(Table(full, caption))

    def _cell(self, element: HtmlElement) -> Cell:
        named = element.get("align", "") + " " + element.get("style", "")
        found = re.search(r"\b(left|center|right)\b", named)
        align = found.group(1) if found else None
        html = _inline_children(element, self.base_url)
        return Cell(html, element.tag == "th", align)  # type: ignore[arg-type]

    def _figure(self, element: HtmlElement, depth: int) -> None:
        captions = [child for child in element.iter("figcaption")]
        caption = _inline_children(captions[0], self.base_url) if captions else None
        for part in captions:
            part.drop_tree()
        before = len(self.blocks)
        self._flush()
        self.walk(element, depth)
        self._flush()
        for n in range(before, len(self.blocks)):
            block = self.blocks[n]
            if isinstance(block, Image):
                text, credit = _split_credit(caption)
                self.blocks[n] = Image(block.src, block.alt, text, credit)
                return
            if isinstance(block, Table) and block.caption is None:
                self.blocks[n] = Table(block.rows, caption)
                return
            if isinstance(block, Quotation) and block.attribution is None:
                self.blocks[n] = Quotation(block.blocks, caption)
                return
        if caption and inline_text(caption).strip():
            self._add(Paragraph(caption))

    def _image(self, element: HtmlElement, depth: int) -> None:
        src = _absolute(element.get("src", ""), self.base_url)
        if is_web_url(src):
            self._add(Image(src, element.get("alt")))

    def _embed(self, element: HtmlElement, depth: int) -> None:
        nested = (child.get("src") for child in element.iter("source"))
        src = _absolute(element.get("src") or next(nested, "") or "", self.base_url)
        if is_web_url(src):
            self._add(Embed(src, _squeeze(element.get("title")).strip() or None))

    def _rule(self, element: HtmlElement, depth: int) -> None:
        self._add(Rule())

    def _inside(self, element: HtmlElement, depth: int) -> Iterable[Block]:
        builder = _Builder(self.base_url)
        if element.tag in ("li", "blockquote"):
            builder.walk(element, depth)
        else:
            builder._element(element, depth)
        return builder.finish()


_HANDLERS: dict[str, Callable[[_Builder, HtmlElement, int], None]] = {
    **{f"h{n}": _Builder._crosshead for n in range(1, 7)},
    "ul": _Builder._list,
    "ol": _Builder._list,
    "blockquote": _Builder._quotation,
    "pre": _Builder._code,
    "table": _Builder._table,
    "figure": _Builder._figure,
    "img": _Builder._image,
    "iframe": _Builder._embed,
    "video": _Builder._embed,
    "audio": _Builder._embed,
    "embed": _Builder._embed,
    "hr": _Builder._rule,
}


def _holds_block(element: HtmlElement) -> bool:
    return any(str(child.tag) not in INLINE_TAGS for child in element.iterdescendants())


def _nearest_table(row: HtmlElement) -> HtmlElement | None:
    return next(iter(row.iterancestors("table")), None)


def _absolute(url: str, base_url: str | None) -> str:
    try:
        return urljoin(base_url, url.strip()) if base_url else url.strip()
    except ValueError:
        return ""


def _squeeze(text: str | None) -> str:
    return _WHITE.sub(" ", text or "")


def _trim(html: str) -> Html:
    html = _WHITE.sub(" ", html)
    return Html(re.sub(r"^(?: |<br>)+|(?: |<br>)+$", "", html))


def _inline_children(element: HtmlElement, base_url: str | None) -> Html:
    parts = [_escape(_squeeze(element.text), quote=False)]
    for child in element:
        parts.append(_inline_element(child, base_url))
        parts.append(_escape(_squeeze(child.tail), quote=False))
    return _trim("".join(parts))


def _inline_element(element: HtmlElement, base_url: str | None, depth: int = 0) -> str:
    tag = str(element.tag)
    if depth > _MAX_DEPTH:
        return _escape(_squeeze(element.text_content()), quote=False)
    inside = [_escape(_squeeze(element.text), quote=False)]
    for child in element:
        inside.append(_inline_element(child, base_url, depth + 1))
        inside.append(_escape(_squeeze(child.tail), quote=False))
    content = "".join(inside)
    if tag not in INLINE_TAGS:
        return content
    if tag in _VOID:
        return f"<{tag}>"
    attributes = {k: v for k, v in element.attrib.items() if str(k) in _INLINE_ATTRIBUTES}
    if tag == "a":
        href = _absolute(str(attributes.get("href", "")), base_url)
        if not _is_link(href):
            return content
        attributes["href"] = href
    if not content.strip():
        return content
    written = "".join(f' {k}="{_escape(str(v))}"' for k, v in sorted(attributes.items()))
    return f"<{tag}{written}>{content}</{tag}>"


_CREDIT = re.compile(
    r"^(?P<caption>.*?)\s*[(\[|]?\s*\b(?:photo(?:graph)?|picture|image|credit|foto|bild|crédit|"
    r"fuente|copyright)s?\s*(?:by|:|©)\s*(?P<credit>[^()\[\]<>]{2,80}?)\s*[)\]]?\.?$",
    re.IGNORECASE | re.DOTALL,
)


def _split_credit(caption: Html | None) -> tuple[Html | None, str | None]:
    """A caption's closing ``Photo: NAME`` is the credit."""
    if caption is None:
        return None, None
    found = _CREDIT.match(caption[:2000]) if len(caption) <= 2000 else None
    if not found:
        return caption, None
    text = found["caption"].strip()
    return (Html(text) if text else None), inline_text(Html(found["credit"]))


# Out ---------------------------------------------------------------------------------------------


class _Text(HTMLParser):
    """Reads an Html value as text; ``link`` may answer with what stands for a link."""

    def __init__(self, link: Callable[[str, str], str] | None) -> None:
        super().__init__(convert_charrefs=True)
        self.link = link
        self.parts: list[str] = []
        self.open: list[tuple[str, int]] = []
        self.raised = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag == "q":
            self.parts.append("“")
        elif tag == "sup":
            self.raised = True
        elif tag == "a":
            self.open.append((dict(attrs).get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "q":
            self.parts.append("”")
        elif tag == "sup":
            self.raised = False
        elif tag == "a" and self.open:
            href, start = self.open.pop()
            if self.link and href:
                text = "".join(self.parts[start:])
                self.parts[start:] = [self.link(text, href)]

    def handle_data(self, data: str) -> None:
        # A raised number that joined what it stands on would change it: 10<sup>6</sup> is not 106.
        if self.raised and data[0] in "0123456789+-−" and self._after_letter():
            self.parts.append("^")
        self.raised = False
        self.parts.append(data)

    def _after_letter(self) -> bool:
        return bool(self.parts) and self.parts[-1][-1:].isalnum()


def inline_text(html: Html, link: Callable[[str, str], str] | None = None) -> str:
    """The text of inline HTML; a ``<br>`` is a newline, and a raised number stands behind a ``^``.

    Args:
        link: called with a link's text and address; its answer stands in the
            text instead of the link's text.
    """
    if "<" not in html and "&" not in html:
        return html
    reader = _Text(link)
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)


def links(html: Html) -> list[tuple[str, str]]:
    """Text and address of every link in inline HTML, in order."""
    found: list[tuple[str, str]] = []

    def note(text: str, url: str) -> str:
        found.append((text, url))
        return text

    inline_text(html, note)
    return found


def block_text(block: Block) -> str:
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


def block_html(block: Block) -> str:
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
    rows = []
    for row in table.rows:
        cells = ""
        for cell in row:
            tag = "th" if cell.header else "td"
            # An attribute, not a style: style attributes do not survive feed readers.
            align = f' align="{cell.align}"' if cell.align else ""
            cells += f"<{tag}{align}>{cell.html}</{tag}>"
        rows.append(f"<tr>{cells}</tr>")
    head = [r for r, row in zip(rows, table.rows, strict=True) if all(c.header for c in row)]
    split = 1 if head and rows[0] == head[0] else 0
    thead = f"<thead>{rows[0]}</thead>" if split else ""
    return f"<table>{caption}{thead}<tbody>{''.join(rows[split:])}</tbody></table>"
