"""Blocks of an article as lines of plain text: what the email's text and the wire copy share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, assert_never

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
from dispatch.renditions.plaintext import Align, clean, table, wrap

_NARROWEST = 24  # columns, however deep lists and quotations stand in each other


class BlockSetter(ABC):
    """Sets blocks in lines; a rendition says in a subclass of it what its own manners are."""

    columns: ClassVar[int]
    """The width of a line."""
    dateline_dash: ClassVar[str]
    """Stands between the dateline and the text."""
    dash: ClassVar[str]
    """Opens the attribution of a quotation."""
    quoted: ClassVar[str]
    """Starts every line of a quotation."""
    code_indent: ClassVar[str]
    """Starts every line of code."""

    def set(self, blocks: Iterable[Block], dateline: str | None) -> str:
        """The blocks, an empty line between each two; ``dateline`` opens the first paragraph."""
        set_blocks = []
        opening = f"{dateline} {self.dateline_dash} " if dateline else ""
        for block in blocks:
            if isinstance(block, Paragraph):
                set_blocks.append(self.wrapped(opening + self.inline(block.html), self.columns))
                opening = ""
            else:
                set_blocks.append(self._block(block, self.columns))
        return "\n\n".join(text for text in set_blocks if text)

    # What renditions do in their own way -------------------------------------------------------

    @abstractmethod
    def cite(self, text: str, url: str) -> str:
        """What stands for a link: it takes note of ``url`` and gives the text to print."""

    @abstractmethod
    def crosshead(self, text: str, columns: int) -> str: ...

    @abstractmethod
    def image(self, block: Image, columns: int) -> str: ...

    @abstractmethod
    def embed(self, block: Embed, columns: int) -> str: ...

    def written(self, text: str) -> str:
        """``text`` in the characters that the rendition has."""
        return text

    # What they have in common ------------------------------------------------------------------

    def inline(self, html: Html) -> str:
        """Inline HTML as text, its links cited."""
        return inline_text(html, self.cite).strip()

    def wrapped(self, text: str, columns: int, hanging: str = "") -> str:
        return wrap(self.written(text), columns, "", hanging)

    def _block(self, block: Block, columns: int) -> str:  # noqa: PLR0911 - one for each kind
        match block:
            case Paragraph(html):
                return self.wrapped(self.inline(html), columns)
            case Crosshead(html):
                return self.crosshead(self.inline(html), columns)
            case List():
                return self._list(block, columns)
            case Quotation():
                return self._quotation(block, columns)
            case Code(text):
                return self._code(text)
            case Table():
                return self._table(block, columns)
            case Image():
                return self.image(block, columns)
            case Rule():
                return "* * *"
            case Embed():
                return self.embed(block, columns)
            case _:
                assert_never(block)

    def _run(self, blocks: Iterable[Block], columns: int) -> str:
        """Blocks inside a block; a list stands close to the line that announces it."""
        run = ""
        for block in blocks:
            text = self._block(block, columns)
            if run and text:
                run += "\n" if isinstance(block, List) else "\n\n"
            run += text
        return run

    def _list(self, block: List, columns: int) -> str:
        items = []
        for number, item in enumerate(block.items, block.start):
            items.append(self._item(item, f"{number}. " if block.ordered else "* ", columns))
        is_loose = any(
            len([b for b in item if not isinstance(b, List)]) > 1 for item in block.items
        )
        return ("\n\n" if is_loose else "\n").join(filter(None, items))

    def _item(self, item: Iterable[Block], mark: str, columns: int) -> str:
        if columns - len(mark) < _NARROWEST:
            text = self._run(item, columns)
            return f"{mark.rstrip()}\n{text}" if text else ""
        text = self._run(item, columns - len(mark))
        return indented(text, mark, " " * len(mark)) if text else ""

    def _quotation(self, block: Quotation, columns: int) -> str:
        quoted = self.quoted if columns - len(self.quoted) >= _NARROWEST else ""
        inner = columns - len(quoted)
        text = self._run(block.blocks, inner)
        if block.attribution:
            said_by = f"{self.dash} {self.inline(block.attribution)}"
            text += "\n" + self.wrapped(said_by, inner, " " * (len(self.dash) + 1))
        return indented(text, quoted) if text else ""

    def _code(self, text: str) -> str:
        """To the letter: code that is broken into lines otherwise is other code."""
        lines = self.written(text).expandtabs(4).splitlines()
        return indented("\n".join(map(clean, lines)), self.code_indent)

    def _table(self, block: Table, columns: int) -> str:
        aligns: list[Align] = [
            next((cell.align for cell in column if cell.align), "left")
            for column in zip(*block.rows, strict=True)
        ]
        text = table(
            [[self.written(self.inline(cell.html)) for cell in row] for row in block.rows],
            columns,
            header=bool(block.rows) and all(cell.header for cell in block.rows[0]),
            aligns=aligns,
        )
        if block.caption:
            return f"{self.wrapped(self.inline(block.caption), columns)}\n\n{text}"
        return text


def indented(text: str, indent: str, hanging: str | None = None) -> str:
    """``text``, ``indent`` before its first line and ``hanging``, or the same, before the rest."""
    first, *others = text.split("\n")
    rest = indent if hanging is None else hanging
    return "\n".join(line.rstrip() for line in (indent + first, *(rest + o for o in others)))
