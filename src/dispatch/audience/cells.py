"""Cells of a CSV file that a spreadsheet will not run as formulas, and back.

A cell that begins with one of ``= + - @`` or a tab or line end can be a formula,
which runs when somebody opens the list. An apostrophe before it makes it text.
Reading takes one apostrophe away from before such a character, so that what
was written is read back to the letter.
"""

from __future__ import annotations

import re

_DANGEROUS = re.compile("'*[=+\\-@\t\r\n]")
_GUARDED = re.compile("''*[=+\\-@\t\r\n]")


def guarded(cell: str) -> str:
    """``cell`` as it can be written."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def bare(cell: str) -> str:
    """The reverse of :func:`guarded`."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell
