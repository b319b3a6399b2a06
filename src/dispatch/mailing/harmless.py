"""The words of a stranger, such as a relay or a bounce, as they are kept and shown."""

from __future__ import annotations

MOST_WORDS = 500
"""Characters of a reply or a reason that are kept."""


def harmless(text: str, most: int = MOST_WORDS) -> str:
    """``text`` on one line: a space for whatever does not print, cut at ``most`` characters.

    Of a longer one only the beginning is looked at, so that this takes no time to speak of.
    """
    text = text[: 4 * most]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
