"""Tables: their own rows, and rows of one width out of cells that span."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from lxml.etree import _Element as Element

from dispatch.article import Block, Cell, Html, Paragraph, Table

_SECTIONS = ("thead", "tbody", "tfoot")
_CELLS = ("td", "th")
_MAX_CELLS = 50_000
"""Per table, with those that spans and short rows add: a few letters can ask for millions."""

SpannedCell = tuple[Cell, int, int]
"""A cell with the number of columns and of rows it takes."""


def rows(table: Element) -> Iterator[tuple[list[Element], bool]]:
    """The cells of the table's own rows, not of a table inside it; True for those of its head."""
    yield from _rows_in(table, in_head=False)


def _rows_in(part: Element, *, in_head: bool) -> Iterator[tuple[list[Element], bool]]:
    for is_bare, children in groupby(part, key=lambda child: child.tag in _CELLS):
        if is_bare:  # their row was forgotten
            yield list(children), in_head
            continue
        for child in children:
            if child.tag == "tr":
                yield list(child.iterchildren(*_CELLS)), in_head
            elif child.tag in _SECTIONS and part.tag == "table":
                yield from _rows_in(child, in_head=child.tag == "thead")


def loose(table: Element) -> Iterator[str | Element]:
    """What stands between the parts of the table, where nothing should: texts and elements."""
    for part in _parts(table):
        yield part.text or ""
        seen_caption = False
        for child in part:
            if child.tag == "caption" and part is table and not seen_caption:
                seen_caption = True
            elif not _belongs(child, part):
                yield child
            yield child.tail or ""


def _parts(table: Element) -> Iterator[Element]:
    for section in (table, *table.iterchildren(*_SECTIONS)):
        yield section
        yield from section.iterchildren("tr")


def _belongs(child: Element, part: Element) -> bool:
    if child.tag in _CELLS:
        return True
    if part.tag == "tr":
        return False
    return child.tag == "tr" or (part.tag == "table" and child.tag in _SECTIONS)


def is_layout(table: Element) -> bool:
    """Whether a table only places things on a page: it says so, or has one column and no head."""
    if table.get("role", "").strip().lower() in ("presentation", "none"):
        return True
    if next(table.iterchildren("caption", "thead"), None) is not None:
        return False
    return all(len(row) < 2 and not any(cell.tag == "th" for cell in row) for row, _ in rows(table))


def alignment(cell: Element) -> Literal["left", "center", "right"] | None:
    style = re.search(r"text-align\s*:\s*(\w+)", cell.get("style", ""))
    named = (style.group(1) if style else cell.get("align", "")).lower()
    return named if named in ("left", "center", "right") else None  # type: ignore[return-value]


def span(cell: Element, name: Literal["colspan", "rowspan"]) -> int:
    given = cell.get(name, "").strip()
    return max(1, int(given)) if re.fullmatch("[0-9]{1,4}", given) else 1


def blocks(spanned: list[list[SpannedCell]], caption: Html | None) -> list[Block]:
    """The table; its rows as paragraphs, where they make none, or one beyond all bounds."""
    grid = _grid(spanned)
    if grid is None:
        lines = [" | ".join(cell.html for cell, _, _ in row if cell.html) for row in spanned]
    else:
        full = [row for row in grid if any(cell.html for cell in row)]
        if full and (caption or len(full[0]) > 1 or any(row[0].header for row in full)):
            return [Table(tuple(map(tuple, full)), caption)]
        lines = [row[0].html for row in full]
    return [Paragraph(Html(line)) for line in (caption or "", *lines) if line]


def _grid(spanned: list[list[SpannedCell]]) -> list[list[Cell]] | None:
    """Rows of one width; what spans cover and what is missing are empty cells.

    None where there would be more than _MAX_CELLS.
    """
    grid: list[list[Cell]] = []
    covered: dict[int, tuple[Cell, int]] = {}
    room = _MAX_CELLS
    for row in spanned:
        cells, covered = _full_row(row, covered, room)
        room -= len(cells)
        if room < 0:
            return None
        grid.append(cells)
    width = max(map(len, grid), default=0)
    if width * len(grid) > _MAX_CELLS:
        return None
    return [row + [Cell(Html(""))] * (width - len(row)) for row in grid]


def _full_row(
    row: list[SpannedCell], covered: dict[int, tuple[Cell, int]], room: int
) -> tuple[list[Cell], dict[int, tuple[Cell, int]]]:
    """A row with its spans filled, and what its cells cover in the rows below.

    Args:
        covered: by column, the empty cell that a cell above leaves, and in how
            many rows from here.
        room: it stops soon after that many cells.
    """
    cells: list[Cell] = []
    below: dict[int, tuple[Cell, int]] = {}
    waiting = list(reversed(row))
    last = max(covered, default=-1)
    while (waiting or len(cells) <= last) and len(cells) <= room:
        column = len(cells)
        if column in covered:
            empty, more = covered[column]
            cells.append(empty)
            below |= {column: (empty, more - 1)} if more > 1 else {}
        elif waiting:
            cell, wide, high = waiting.pop()
            empty = Cell(Html(""), cell.header, cell.align)
            cells += [cell, *[empty] * (min(wide, room + 1) - 1)]
            if high > 1:
                below |= dict.fromkeys(range(column, len(cells)), (empty, high - 1))
        else:
            cells.append(Cell(Html("")))
    return cells, below
