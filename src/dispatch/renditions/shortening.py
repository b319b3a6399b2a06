"""Cutting plain text to a length, where a reader would cut it."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"


def shortened(text: str, length: int) -> str:
    """``text`` in at most ``length`` characters, cut before a word and closed with ``…``.

    Text without spaces, such as Chinese, is cut between characters, and never
    inside an emoji or between a letter and its marks.
    """
    if len(text) <= length:
        return text
    head = text[:length]
    cut = head.rfind(" ")
    if cut < length // 2:
        cut = length - 1
        while cut > 1 and _continues(text, cut):
            cut -= 1
    return text[:cut].rstrip(" ,;:.–—-") + "…"


def _continues(text: str, at: int) -> bool:
    """Whether the character at ``at`` belongs to the one before it."""
    category = unicodedata.category(text[at])
    return category in ("Mn", "Mc", "Me", "Cf", "Sk") or text[at - 1] == _JOINER
