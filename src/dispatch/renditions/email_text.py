"""The email's plain-text part: blocks set in lines of 72 columns, links numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from dispatch.article import (
    Block,
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
from dispatch.markup import inline_text
from dispatch.renditions.plaintext import table, width, wrap

COLUMNS = 72
_NARROWEST = 24  # however deep lists and quotations stand in each other


class Links:
    """The addresses that a text refers to, numbered from 1 in the order of their first mention."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __iter__(self) -> Iterable[str]:
        return iter(self._numbers)

    def cited(self, text: str, url: str | None) -> str:
        """``text`` with the number of ``url`` behind it, such as ``the report [2]``."""
        if not url or text.strip() in (url, url.removeprefix("mailto:").removeprefix("tel:")):
            return text
        number = self._numbers.setdefault(url, len(self._numbers) + 1)
        return f"{text} [{number}]"


class TextSetter:
    """Sets blocks as lines.

    Args:
        links: where the addresses are collected.
        image: the label of an image, with ``%(text)s`` for what is known of it.
    """

    def __init__(self, links: Links, image: str) -> None:
        self.links = links
        self.image = image

    def text(self, blocks: Iterable[Block], dateline: str | None = None) -> str:
        """All blocks, an empty line between each two; ``dateline`` opens the first paragraph."""
        set_blocks = []
        for block in blocks:
            if dateline and isinstance(block, Paragraph):
                opened = f"{dateline} — {self._inline(block.html)}"
                set_blocks.append(wrap(opened, COLUMNS))
                dateline = None
            else:
                set_blocks.append(self._set(block, COLUMNS))
        return "\n\n".join(text for text in set_blocks if text)

    def _inline(self, html: Html) -> str:
        return inline_text(html, self.links.cited).strip()

    def _set(self, block: Block, columns: int) -> str:
        columns = max(columns, _NARROWEST)
        match block:
            case Paragraph(html):
                text = wrap(self._inline(html), columns)
            case Crosshead(html):
                text = underlined(self._inline(html), "-", columns)
            case List():
                text = self._list(block, columns)
            case Quotation():
                text = self._quotation(block, columns)
            case Code(code):
                text = "\n".join(f"    {line}" for line in code.expandtabs(4).splitlines())
            case Table():
                text = self._table(block, columns)
            case Image():
                text = self._image(block, columns)
            case Rule():
                text = "* * *"
            case Embed(url, title):
                text = wrap(self.links.cited(title, url) if title else url, columns)
            case _:
                assert_never(block)
        return text

    def _run(self, blocks: Sequence[Block], columns: int) -> str:
        """Blocks inside a block; a list stands close to the line that announces it."""
        run = ""
        for block in blocks:
            text = self._set(block, columns)
            if run and text:
                run += "\n" if isinstance(block, List) else "\n\n"
            run += text
        return run

    def _list(self, block: List, columns: int) -> str:
        loose = any(len([b for b in item if not isinstance(b, List)]) > 1 for item in block.items)
        items = []
        for number, item in enumerate(block.items, block.start):
            marker = f"{number}. " if block.ordered else "* "
            lines = self._run(item, columns - len(marker)).split("\n")
            items.append(marker + f"\n{' ' * len(marker)}".join(lines))
        return ("\n\n" if loose else "\n").join(items)

    def _quotation(self, block: Quotation, columns: int) -> str:
        text = self._run(block.blocks, columns - 2)
        if block.attribution:
            text += "\n" + wrap(f"— {self._inline(block.attribution)}", columns - 2)
        return "\n".join(f"> {line}" for line in text.split("\n"))

    def _image(self, block: Image, columns: int) -> str:
        caption = self._inline(block.caption) if block.caption else ""
        alt = block.alt if block.alt != caption else ""
        said = " — ".join(part for part in (alt, caption) if part)
        said = f"{said} ({block.credit})" if block.credit else said
        return wrap(f"[{self.image % {'text': said.strip()}}]", columns) if said.strip() else ""

    def _table(self, block: Table, columns: int) -> str:
        text = table(
            [[self._inline(cell.html) for cell in row] for row in block.rows],
            columns,
            header=all(cell.header for cell in block.rows[0]),
            aligns=[cell.align or "left" for cell in block.rows[-1]],
        )
        return f"{wrap(self._inline(block.caption), columns)}\n\n{text}" if block.caption else text


def underlined(text: str, mark: str, columns: int = COLUMNS) -> str:
    """``text`` with a line of ``mark`` under it, as long as its longest line."""
    lines = wrap(text, columns).split("\n")
    return "\n".join([*lines, mark * min(max(map(width, lines)), columns)])
