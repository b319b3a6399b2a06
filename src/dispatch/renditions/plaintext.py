"""Setting plain text in lines of a given display width (email text and wire copy)."""

from __future__ import annotations

import re
import unicodedata

# Narrow by definition: Latin, Greek, Cyrillic and general punctuation. Most articles need no more,
# and the table of all widths is slow to load.
_NARROW = re.compile("[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205e\u20ac]*")  # noqa: E501
_OPENING = frozenset("([{（「『【〔《〈“‘«")
_CLOSING = frozenset(")]}）」』】〕》〉、。，．・：；！？ー々’”»!?,.:;％%")


def width(text: str) -> int:
    """How many columns ``text`` takes on a terminal: 2 for CJK and emoji, 0 for joined marks."""
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth

    columns = wcswidth(text)
    return columns if columns >= 0 else len(text)


def wrap(text: str, columns: int, indent: str = "", hanging: str | None = None) -> str:
    """``text`` in lines of at most ``columns``; a word that is longer, such as a URL, stays whole.

    Newlines in ``text`` stay. Chinese and Japanese text, which has no spaces,
    is broken between characters.

    Args:
        indent: starts the first line.
        hanging: starts every other line; None: as ``indent``.
    """
    rest = indent if hanging is None else hanging
    lines: list[str] = []
    for n, paragraph in enumerate(text.split("\n")):
        lines += _lines(paragraph, columns, indent if n == 0 else rest, rest)
    return "\n".join(line.rstrip() for line in lines)


def _lines(text: str, columns: int, indent: str, hanging: str) -> list[str]:
    lines: list[str] = []
    line, used, start = indent, width(indent), True
    for space, word in _pieces(text):
        gap = "" if start else space
        need = width(word) + len(gap)
        if not start and used + need > columns:
            lines.append(line)
            line, used, gap, need = hanging, width(hanging), "", width(word)
        line, used, start = line + gap + word, used + need, False
    return [*lines, line]


def _pieces(text: str) -> list[tuple[str, str]]:
    """Words with the space before each; wide text is cut into characters that may start a line."""
    pieces: list[tuple[str, str]] = []
    for word in re.split(r"[ \t]+", text.strip(" \t")):
        space = " "
        for part in _breakable(word) if not _NARROW.fullmatch(word) else [word]:
            pieces.append((space, part))
            space = ""
    return pieces


def _breakable(word: str) -> list[str]:
    parts: list[str] = []
    for character in word:
        wide = unicodedata.east_asian_width(character) in "WF" and unicodedata.category(character) in ("Lo", "Po", "Ps", "Pe", "Lm")  # noqa: E501
        joins = not parts or character in _CLOSING or parts[-1][-1] in _OPENING
        before_wide = bool(parts) and unicodedata.east_asian_width(parts[-1][-1]) in "WF"
        if joins or not (wide or (before_wide and character.isalnum())):
            if parts:
                parts[-1] += character
            else:
                parts.append(character)
        else:
            parts.append(character)
    return parts
