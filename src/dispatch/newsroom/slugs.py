"""Slugs: how desks and articles are named in addresses and folders."""

from __future__ import annotations

import re
import unicodedata

from dispatch.errors import ArticleError

_LENGTH = 72
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slugify(text: str, language: str | None = None) -> str:
    """``text`` as lower-case ASCII words joined by hyphens, at most 72 characters; may be empty.

    Args:
        language: BCP 47; German umlauts become two letters.
    """
    text = unicodedata.normalize("NFC", text[:400]).lower()
    if (language or "").lower().startswith("de"):
        text = text.translate(_GERMAN)
    text = re.sub("[’'‘`´]", "", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if not plain.isascii() and any(c.isalpha() and not c.isascii() for c in plain):
        from anyascii import anyascii

        plain = anyascii(plain).lower()
    words = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:_LENGTH]
        if len(longer) > _LENGTH:
            break
        slug = longer
    return slug


def asked(slug: str, field: str) -> str:
    """A slug that a person asked for, made safe for an address.

    Raises:
        ArticleError: it tries to leave its folder, or nothing would be left of it.
    """
    if "/" in slug or "\\" in slug or ".." in slug or any(not c.isprintable() for c in slug):
        raise ArticleError(
            f"The {field} {slug!r} cannot stand in an address: "
            "use letters, digits and hyphens, without slashes."
        )
    safe = slugify(slug)
    if not safe:
        raise ArticleError(
            f"The {field} {slug!r} leaves nothing for an address: use letters and digits."
        )
    return safe
