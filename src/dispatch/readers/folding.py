"""Comparing what is written differently: names with host names, titles with slugs."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that have no decomposition, and what they are written as where accents are not.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_PARTS = re.compile(r"[\s\-‐‑–—/_.,:;|+]+")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """The letters and digits alone, in lower case and without accents: ``El País`` → ``elpais``."""
    lower = text.casefold()
    if not lower.isascii():
        lower = unicodedata.normalize("NFKD", lower.translate(_PLAIN))
    return "".join(filter(str.isalnum, lower))


@lru_cache(maxsize=8192)
def forms(text: str) -> tuple[str, ...]:
    """The ways in which an address may write ``text``: ``Zürich`` → ``zurich``, ``zuerich``.

    Other scripts are also given in Latin letters.
    """
    plain = fold(text)
    if text.isascii():
        return (plain,)
    found = [plain, fold(text.casefold().translate(_SPELT_OUT))]
    if not plain.isascii():
        from anyascii import anyascii

        found.append(fold(anyascii(text)))
    return tuple(dict.fromkeys(form for form in found if form))


def parts(text: str) -> list[str]:
    """The words of ``text`` as an address would take them apart; none without letter or digit."""
    return [word for word in _PARTS.split(text) if any(map(str.isalnum, word))]


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text`` as it is, and not inside longer words."""
    at = text.find(name)
    while at >= 0:
        if not (text[at - 1 : at].isalnum() or text[at + len(name) : at + len(name) + 1].isalnum()):
            return True
        at = text.find(name, at + 1)
    return False
