"""Setting plain text in lines of a given display width (email text and wire copy).

A line here is what a terminal shows in its columns: CJK and emoji take two,
joined marks none. Text is broken where a reader would break it and nowhere
else: at spaces, and in Chinese and Japanese, which have none, between
characters, by the rules of kinsoku shori (JIS X 4051): no line starts with
closing punctuation or a small kana, none ends with an opening bracket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

from dispatch.markup import printable

Align = Literal["left", "center", "right"]

# Narrow by definition, one column each. Most articles need no more, and the table of all widths
# is slow to load.
_NARROW = re.compile(
    "["
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff"  # Latin
    "\u0370-\u0482\u048a-\u058f"  # Greek, Cyrillic, Armenian
    "\u2010-\u2027\u2030-\u205e\u20ac"  # punctuation, the euro sign
    "]*"
)
# What is between words: white space but the no-break spaces, and the zero width space, which marks
# the words of scripts that show none.
_GAP = re.compile("((?:[^\\S\xa0\u2007\u202f]|\u200b)+)")
_WRITTEN_GAPS = frozenset(
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u200b\u3000"
)
# An address goes on until a space or the punctuation of the CJK sentence around it.
_URL = re.compile("(https?://[^\\s、。，．；！？「」『』（）【】《》〈〉]+)", re.IGNORECASE)

_OPENING = frozenset("([{“‘«‹„‚（［｛「『【〔《〈〖〘〝｟｢￥＄￡")
_CLOSING = frozenset(
    ")]}”’»›）］｝」』】〕》〉〗〙〟｠｣"
    "!?,.:;%！？，．：；％‼⁇⁈⁉、。・｡､･…‥—–‐゠〜～°℃′″‰￠"
    "ー々〻ゝゞヽヾｰﾞﾟ"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿｧｨｩｪｫｬｭｮｯ"
)
_CJK_KINDS = frozenset(("Lo", "Lm", "Nl", "Po", "Ps", "Pe"))


def width(text: str) -> int:
    """How many columns ``text`` takes: 2 for CJK and emoji, 0 for joined marks, else 1."""
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import iter_graphemes, wcswidth

    # Cluster by cluster: given a long run of flags at once, wcswidth takes quadratic time.
    return sum(max(0, wcswidth(cluster)) for cluster in iter_graphemes(text))


def clean(text: str) -> str:
    """:func:`~dispatch.markup.printable`, and without soft hyphens.

    They are a hint for one layout and a stray hyphen in another; HTML keeps them.
    """
    return printable(text).replace("\xad", "")


def wrap(text: str, columns: int, indent: str = "", hanging: str | None = None) -> str:
    """``text`` in lines of at most ``columns``; a word that is longer, such as a URL, stays whole.

    Newlines in ``text`` stay; whatever else some reader takes for the start of
    a line (U+2028, form feed, …) is a space, so that every line of the result
    begins with its indent. What :func:`clean` takes out goes. A line never
    ends within a grapheme cluster (UAX 29). Korean is broken at its spaces.

    Args:
        indent: starts the first line.
        hanging: starts every other line; None: as ``indent``.
    """
    rest = indent if hanging is None else hanging
    lines: list[str] = []
    for n, paragraph in enumerate(clean(text).split("\n")):
        lines += _lines(paragraph, columns, indent if n == 0 else rest, rest)
    return "\n".join(lines)


def pad(text: str, columns: int, align: Align = "left") -> str:
    """``text`` with spaces to fill ``columns``; text that is wider stays as it is."""
    missing = max(0, columns - width(text))
    left = {"left": 0, "center": missing // 2, "right": missing}[align]
    return " " * left + text + " " * (missing - left)


def table(
    rows: Sequence[Sequence[str]],
    columns: int,
    indent: str = "",
    *,
    header: bool = False,
    aligns: Sequence[Align] = (),
) -> str:
    """Rows of cells, aligned where they fit into ``columns``, else each cell on its own line.

    Args:
        rows: the cells' texts; every row has the same number of them.
        columns: of the display, with the indent.
        indent: starts every line.
        header: the first row names the columns: it is underlined or, where the
            table does not fit, stands before each cell as ``name: value``.
        aligns: of each column; missing ones are ``left``.
    """
    lines = [[" ".join(clean(cell).split()) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    if width(indent) + sum(widths) + 2 * (len(widths) - 1) > columns:
        return _unfolded(lines, columns, indent, header=header)
    if header:
        lines.insert(1, ["-" * w for w in widths])
    sides = [*aligns, *["left"] * (len(widths) - len(aligns))]
    return "\n".join(
        (indent + "  ".join(map(pad, line, widths, sides))).rstrip()  # type: ignore[arg-type]
        for line in lines
    )


def _unfolded(rows: list[list[str]], columns: int, indent: str, *, header: bool) -> str:
    """A table too wide to align: a group of lines for each row."""
    names, body = (rows[0], rows[1:]) if header else ([""] * len(rows[0]), rows)
    groups = []
    for row in body:
        cells = [
            f"{name}: {cell}" if name else cell
            for name, cell in zip(names, row, strict=True)
            if cell
        ]
        groups.append("\n".join(wrap(cell, columns, indent, indent + "  ") for cell in cells))
    return "\n\n".join(group for group in groups if group)


def _lines(text: str, columns: int, indent: str, hanging: str) -> Iterator[str]:
    line, used, empty = [indent], width(indent), True
    for gap, part in _parts(text):
        need = width(part)
        if not empty and used + width(gap) + need > columns:
            yield "".join(line).rstrip()
            line, used, empty = [hanging], width(hanging), True
        if not empty:
            line.append(gap)
            used += width(gap)
        line.append(part)
        used, empty = used + need, False
    yield "".join(line).rstrip()


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """What may start a line, each with the gap before it, which goes where the line ends."""
    gap = ""
    for n, run in enumerate(_GAP.split(text)):
        if n % 2:
            seen = run.replace("\u200b", "") or "\u200b"
            gap = seen if seen in _WRITTEN_GAPS else " "
        elif run:
            for part in _breakable(run):
                yield gap, part
                gap = ""


def _breakable(word: str) -> Iterator[str]:
    """The parts of a word: the whole of it, except in CJK text."""
    start = at = 0
    before = ""
    for unit in _units(word):
        if before and _may_part(before, unit[0]):
            yield word[start:at]
            start = at
        at += len(unit)
        before = unit[-1]
    yield word[start:]


def _units(word: str) -> Iterator[str]:
    """What is never broken: URLs and grapheme clusters."""
    if _NARROW.fullmatch(word):
        yield word
        return
    from wcwidth import iter_graphemes

    for n, run in enumerate(_URL.split(word)):
        yield from [run] if n % 2 else iter_graphemes(run)


def _may_part(before: str, after: str) -> bool:
    """Whether a line may end between two characters that no space parts."""
    if before in _OPENING or after in _CLOSING:
        return False
    return _is_cjk(before) or _is_cjk(after)


@lru_cache(maxsize=8192)
def _is_cjk(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces in full-width characters."""
    return (
        unicodedata.east_asian_width(character) in "WFH"
        and unicodedata.category(character) in _CJK_KINDS
        and not unicodedata.name(character, "").startswith(("HANGUL", "HALFWIDTH HANGUL"))
    )
