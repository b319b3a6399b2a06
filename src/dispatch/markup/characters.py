"""Characters: what is white space, what ends a line, what has no place in an article."""

from __future__ import annotations

import re
from html import escape as _escape

from dispatch.article import Html

_WHITE = re.compile("[ \t\n\r\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_WHITE_CONTROLS = re.compile("[\v\f\x1c-\x1f\x85]")
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # the controls that are no white space
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates (UTR 36, 2.5)
    f"\ud800-\udfff\ufeff{_NONCHARACTERS}]"  # surrogates, byte order marks, noncharacters
)
_INVISIBLE = " \t\n\xa0\xad\u200b\u200c\u200d\u200e\u200f\u2060"


def printable(text: str) -> str:
    """``text`` with only what a document can hold: text, HTML (13.2.3.5) and XML (1.0, 2.2) alike.

    Out go control characters, bidi embeddings, overrides and isolates, which can
    make a text read as another, lone surrogates, noncharacters and byte order
    marks. Tab, LF and CR stay; every other control that is white space becomes a
    space. Joiners and the left-to-right and right-to-left marks stay: languages
    need them.
    """
    return _UNPRINTABLE.sub("", _WHITE_CONTROLS.sub(" ", text))


def squeezed(text: str | None) -> str:
    """``text`` with runs of white space as one space, and only :func:`printable` characters."""
    return _WHITE.sub(" ", printable(text or ""))


def one_line(text: str | None) -> str:
    """:func:`squeezed`, with no white space at the ends, however wide."""
    return squeezed(text).strip()


def lines(text: str) -> str:
    """``text`` with ``\\n`` as its only line end, and only :func:`printable` characters."""
    return printable(_LINE_ENDS.sub("\n", text))


def is_blank(text: str) -> bool:
    """Whether nothing of ``text`` can be seen."""
    return not text.strip(_INVISIBLE)


def escape(text: str) -> Html:
    """Plain text as HTML: shown to the letter."""
    return Html(_escape(text, quote=False))
