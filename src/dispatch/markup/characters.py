"""Characters: what is white space, what ends a line, what has no place in an article."""

from __future__ import annotations

import re
from html import escape as _escape

from dispatch.article import Html

_WHITE = re.compile("[ \t\n\r\v\f\x1c-\x1f\x85\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls but TAB, LF, FF, CR and NEL
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates
    "\ud800-\udfff\ufeff\ufffe\uffff]"  # what XML 1.0 (2.2) forbids, and byte order marks
)
_INVISIBLE = " \t\n\xa0\xad\u200b\u200c\u200d\u200e\u200f\u2060"


def printable(text: str) -> str:
    """``text`` without characters that have no place in it.

    Those are control characters (tab and line ends stay), bidi embeddings,
    overrides and isolates, which can make a text read as another, lone
    surrogates, and what no XML document may hold. Joiners and the
    left-to-right and right-to-left marks stay: languages need them.
    """
    return _UNPRINTABLE.sub("", text)


def squeezed(text: str | None) -> str:
    """``text`` with runs of white space as one space, and only :func:`printable` characters."""
    return _WHITE.sub(" ", printable(_WHITE.sub(" ", text or "")))


def one_line(text: str | None) -> str:
    """:func:`squeezed`, with no space at the ends."""
    return squeezed(text).strip(" ")


def lines(text: str) -> str:
    """``text`` with ``\\n`` as its only line end, and only :func:`printable` characters."""
    return printable(_LINE_ENDS.sub("\n", text))


def is_blank(text: str) -> bool:
    """Whether nothing of ``text`` can be seen."""
    return not text.strip(_INVISIBLE)


def escape(text: str) -> Html:
    """Plain text as HTML: shown to the letter."""
    return Html(_escape(text, quote=False))
