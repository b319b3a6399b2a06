"""Lines above an article's body that set a field: ``Published: 2026-10-04T09:30+02:00``."""

from __future__ import annotations

import re

from dispatch.markup import one_line
from dispatch.readers.embargoes import embargo_line
from dispatch.readers.pasted.layout import ends_sentence

_LABELS = {
    label.strip(): name
    for name, labels in {
        "headline": "headline; title",
        "standfirst": "standfirst; dek; subtitle; subheadline; chapeau",
        "published": "published; date; veröffentlicht; publié; publié le; publicado; pubblicato",
        "updated": "updated; last updated; aktualisiert; mis à jour; mis à jour le; actualizado",
        "embargo": "embargo; embargoed; embargoed until; embargo until; sperrfrist; embargo bis;"
        "embargo jusqu'au; embargo hasta",
        "keywords": "keywords; tags; schlagwörter; stichwörter; mots-clés; palabras clave;"
        "etiquetas; parole chiave; palavras-chave",
        "slug": "slug",
        "desk": "desk; section; ressort; rubrique; sección; rubrik",
        "language": "language; lang; sprache; langue; idioma; lingua",
    }.items()
    for label in labels.split(";")
}
_FIELD = re.compile(r"(?P<label>[^\W\d_][^:：]{1,25}?)\s*[:：]\s*(?P<value>\S.*)")
_EMBARGO = re.compile(
    r"(?:strictly\s+)?(?:(?:embargo(?:ed)?|not for (?:publication|release|broadcast))\s+"
    r"(?:until|till|before|bis|jusqu['’]au|hasta)|sperrfrist)\b\s*[:：]?\s*(?P<value>\S.*)",
    re.IGNORECASE,
)
TIMES = ("published", "updated", "embargo")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_LONGEST_TAG = 35  # RFC 5646, 4.4.1
_RELEASE = re.compile(
    r"\W{0,5}(?:for immediate release|(?:press|news|media) release|pressemitteilung"
    r"|communiqué de presse|comunicado de prensa|nota de prensa)\W{0,5}",
    re.IGNORECASE,
)
# 4 October 2026, or Published October 4, 2026 at 9 am: a time that no label's colon marks.
_BARE_TIME = re.compile(
    r"(?:(?P<label>published|posted|updated|last updated)(?:\s+(?:on|at))?\s+)?"
    r"(?P<time>(?:[^\W\d_]{2,10}\.?,?\s+)?(?:\d{4}-\d\d-\d\d|\d{1,2}\.?\s+[^\W\d_]{3,10}\.?,?\s+\d{4}"
    r"|[^\W\d_]{3,10}\.?\s+\d{1,2},\s+\d{4}|\d{1,2}[./]\d{1,2}[./]\d{4})"
    r"(?:(?:,?\s*(?:at|um|à)\s+|,?\s+|t)\d{1,2}(?:[:.h]?\d{2}){0,2}\s*(?:[ap]\.?m\.?|uhr)?"
    r"\s*(?:[+-][\d:]{2,5}|(?-i:\(?[A-Z]{1,5}\)?|[A-Z][a-z]+/[A-Z]\w+))?)?)",
    re.IGNORECASE,
)
_TIME_LIKE = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|\d\s*[ap]\.?m\b", re.IGNORECASE)


def field_of(text: str, *, first: bool = False) -> tuple[str, str] | None:
    """The field that a line sets, and its value; None where it sets none.

    Args:
        first: whether it is the file's first line, which is rather a headline.
    """
    text = text.strip()
    held = embargo_line(text)
    if held is not None:
        return "embargo", held
    found = _FIELD.fullmatch(text) if len(text) <= 1000 else None
    name = _LABELS.get(_label(found["label"])) if found else None
    if not name:
        found, name = _EMBARGO.fullmatch(text[:200]), "embargo"
    if not found:
        return None
    value = one_line(found["value"])
    if name in TIMES and not _TIME_LIKE.search(value) and (first or len(value) > 60):
        return None  # a headline such as "Embargo: what the grain ports fear", or a sentence
    return name, value


def unlabelled_time(text: str) -> tuple[str, str] | None:
    """``published`` or ``updated``, and the time, of a line that is a date and nothing else."""
    found = _BARE_TIME.fullmatch(text.strip()) if len(text) <= 100 else None
    if not found or ends_sentence(text):
        return None
    return "updated" if "updated" in (found["label"] or "").lower() else "published", found["time"]


def is_release_line(text: str) -> bool:
    """Whether a line only says that this is a press release."""
    return len(text) <= 60 and bool(_RELEASE.fullmatch(text))


def is_language(text: str) -> bool:
    """Whether ``text`` has the form of a language tag (BCP 47)."""
    return len(text) <= _LONGEST_TAG and bool(_TAG.fullmatch(text))


def keywords_of(value: str) -> tuple[str, ...]:
    """The keywords of a list that commas or semicolons part, each once."""
    words = (one_line(word) for word in re.split(r"[,;،、]", value))
    return tuple(dict.fromkeys(word for word in words if word))


def _label(written: str) -> str:
    return one_line(written).casefold().replace("’", "'")
