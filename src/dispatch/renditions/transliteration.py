"""Text in ASCII, for receivers that can read nothing else, and an account of what that changed.

anyascii knows every script, character by character. What a desk would write
otherwise stands here: typographic signs, currencies, umlauts in German, the
Arabic alif, and the signs that would change a number where they touch it
(``10²`` is not 102, ``1½`` not 11/2).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from dispatch.renditions.plaintext import clean

_SIGNS = {
    **dict.fromkeys("“”„‟«»″＂「」『』", '"'),
    **dict.fromkeys("‘’‚‛‹›′ʼ", "'"),
    **dict.fromkeys("‐‑‒–−", "-"),
    **dict.fromkeys("—―", "--"),
    **dict.fromkeys("•‣●▪◦", "*"),
    **dict.fromkeys("¿¡", ""),
    "×": "x",
    "±": "+/-",
    "≠": "!=",
    "→": "->",
    "←": "<-",
    "‰": "o/oo",
    "§": "Sec.",
    "№": "No.",
    "™": "(TM)",
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "₩": "KRW",
    "₪": "ILS",
    "₦": "NGN",
    "₫": "VND",
    "฿": "THB",
    "ا": "a",
    "أ": "a",
    "إ": "i",
    "آ": "aa",
    "ى": "a",
}
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
_RINGS = {"å": "aa", "Å": "Aa", "ø": "oe", "Ø": "Oe", "æ": "ae", "Æ": "Ae"}
_LETTERS: Mapping[str, Mapping[str, str]] = {
    "de": _UMLAUTS,
    "da": _RINGS,
    "nb": _RINGS,
    "nn": _RINGS,
    "no": _RINGS,
}

# Private use, unassigned, surrogates and symbols.
_UNKNOWN = frozenset(("Co", "Cn", "Cs", "So", "Sm", "Sc"))

# Where a space or a sign has to come between, so that a number keeps its value and a word its end.
_DASH = re.compile(r"(?<=\S)\s*[—―]+\s*(?=\S)")
_UNIT = re.compile("(?<=[0-9])(?=[€£₹₽₺₴₩₪₦₫฿°])|(?<=[€£₹₽₺₴₩₪₦₫฿])(?=[0-9])|(?<=°)(?=[A-Za-z])")
_FRACTION = re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_POWER = re.compile(f"(?<=[^\\W{_RAISED}]|[)])(?=[{_RAISED}])")

# French sets its quotation marks off; ASCII's do not show which side they are of.
_SET_OFF = re.compile("(?<=[«‹])[\u00a0\u202f]+|[\u00a0\u202f]+(?=[»›])")
_SET_OFF_IN_FRENCH = re.compile("(?<=[«‹])[ \u00a0\u202f]+|[ \u00a0\u202f]+(?=[»›])")

_KANA = re.compile("(?<=[\u3040-\u30ff])(?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?=[\u3040-\u30ff])")

# A syllable of Chinese needs spaces around it (_PARTS), but none beside a bracket (_JOINS).
_PARTS, _JOINS = "\0", "\1"
_NO_GAP = re.compile(
    f"{_PARTS}*{_JOINS}{_PARTS}*|(?:^|(?<=[\\s(\\[{{])){_PARTS}+|{_PARTS}+(?=[\\s,.;:!?)\\]}}]|$)"
)
_GAP = re.compile(f"{_PARTS}+")


class Transliterator:
    """Writes text in ASCII and keeps account of every character that it changes.

    Args:
        language: BCP 47; German writes ä as ae, Danish and Norwegian å as aa.
    """

    def __init__(self, language: str) -> None:
        tongue = language.lower().split("-")[0]
        self._letters = _LETTERS.get(tongue, {})
        self._set_off = _SET_OFF_IN_FRENCH if tongue == "fr" else _SET_OFF
        self._changes: Counter[tuple[str, str]] = Counter()

    def write(self, text: str) -> str:
        """``text`` in ASCII; what has no counterpart is a question mark."""
        if text.isascii():
            return text
        text = self._set_off.sub("", unicodedata.normalize("NFC", clean(text)))
        parted = _parted(text)
        written = "".join(c if c.isascii() else self._written(c) for c in parted)
        return _GAP.sub(" ", _NO_GAP.sub("", written))

    def changes(self) -> list[tuple[str, str, int]]:
        """What was changed into what, how many times; in the order of code points."""
        return [(old, new, count) for (old, new), count in sorted(self._changes.items())]

    def _written(self, character: str) -> str:
        ascii_text = self._letters.get(character, _SIGNS.get(character))
        if ascii_text is None:
            from anyascii import anyascii

            ascii_text = anyascii(character)
            if not ascii_text and _is_seen(character):
                ascii_text = "?"
        self._changes[character, ascii_text] += 1
        return _spaced(character, ascii_text)


def described(old: str, new: str, count: int) -> str:
    """A change as a desk reads it: ``U+00E9 to e (3)``."""
    code = f"U+{ord(old):04X}"
    if not new:
        return f"{code} left out ({count})"
    return f"{code} to {'space' if new == ' ' else new} ({count})"


def _parted(text: str) -> str:
    text = _DASH.sub(" — ", text)
    text = _UNIT.sub(" ", text)
    text = _FRACTION.sub(" ", text)
    text = _KANA.sub(" ", text)
    return _POWER.sub("^", text)


def _spaced(character: str, ascii_text: str) -> str:
    """``ascii_text`` with the spaces that Chinese and Japanese signs have within themselves."""
    wide = unicodedata.east_asian_width(character) in "WF"
    match unicodedata.category(character):
        case "Lo" if _is_ideograph(character):
            return f"{_PARTS}{ascii_text}{_PARTS}"
        case "Po" | "Pe" if wide:
            return f"{_JOINS}{ascii_text}{_PARTS}"
        case "Ps" if wide:
            return f"{_PARTS}{ascii_text}{_JOINS}"
        case "Pi":
            return f"{ascii_text}{_JOINS}"
        case "Pf":
            return f"{_JOINS}{ascii_text}"
    return ascii_text


def _is_seen(character: str) -> bool:
    """Whether readers would miss it, unlike joiners, marks and letters that are not spoken."""
    return unicodedata.category(character) in _UNKNOWN or _is_ideograph(character)


def _is_ideograph(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK ")
