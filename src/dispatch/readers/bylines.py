"""Who wrote it: authors out of a byline, a list of names, or mappings.

A comma can part two authors, an author and a role, or a name and its suffix.
Where the parts do not show which, the text stays one name, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dispatch.article import Author
from dispatch.markup import is_web_url
from dispatch.readers.front_matter import Value
from dispatch.readers.given import Given, folded

_KEYS = {
    "name": "name", "fullname": "name", "displayname": "name",
    "role": "role", "jobtitle": "role", "position": "role", "title": "role",
    "desk": "desk", "section": "desk", "department": "desk",
    "bio": "bio", "biography": "bio", "about": "bio", "description": "bio",
    "email": "email", "mail": "email",
    "url": "url", "website": "url", "homepage": "url", "link": "url",
}  # fmt: skip

_BY = re.compile(r"(?:by|par|por|von)\b:?\s+(?=\S)", re.IGNORECASE)
_AND = re.compile(r"\s*(?:;|,?\s+(?:and|und|et|og|och|&|\+)\s)\s*", re.IGNORECASE)
_AND_BETWEEN_FULL_NAMES = re.compile(r"(?<=\S \S)(\S*)\s+(?:y|e|i|и)\s+(?=\S+ \S)")
_COMMA = re.compile(r"\s*[,،、，]\s*")
_ROLE = re.compile(
    r"\b(?:editor|correspondent|reporter|writer|columnist|journalist|producer|photographer|chief"
    r"|bureau|contributor|analyst|director|redakteur|korrespondent|journaliste|correspondant"
    r"|rédact|redactor|corresponsal|periodista|redattore|corrispondente)",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(?:jr|sr|ph\.?d|m\.?d|esq|obe|mbe|cbe|[ivx]{1,4})\.?", re.IGNORECASE)
_PARTICLES = frozenset({
    "al", "bin", "bint", "da", "dal", "de", "del", "della", "den", "der", "di", "do", "dos", "du",
    "e", "el", "ibn", "la", "le", "ten", "ter", "van", "von", "y", "zu", "zur",
})  # fmt: skip
_WITH_ADDRESS = re.compile(r"(?P<name>[^<>()]+?)\s*<(?P<email>[^<>\s]+@[^<>\s]+)>")
_ADDRESS_FIRST = re.compile(r"(?P<email>[^<>()\s]+@[^<>()\s]+)\s+\((?P<name>[^<>()]+)\)")
_EMAIL = re.compile(r"[^\s@<>\",;:]+@[^\s@<>\",;:]+")


def authors(given: Given) -> tuple[Author, ...]:
    """The authors that a field names.

    Raises:
        ArticleError: an author has no name, or a value is no text.
    """
    value = given.field.value
    parts = value if isinstance(value, list) else [value]
    found = [author for part in parts for author in _authors(part, given)]
    return tuple(dict.fromkeys(found))


def _authors(value: Value, given: Given) -> Iterator[Author]:
    if isinstance(value, dict):
        yield _from_mapping(value, given)
    elif text := given.line(value):
        if folded(given.field.name) == "byline":
            text = _BY.sub("", text, count=1) if _BY.match(text) else text
        yield from _from_text(text, given)


def _from_mapping(value: dict[str, Value], given: Given) -> Author:
    known: dict[str, str] = {}
    unknown: list[str] = []
    for key, part in value.items():
        if name := _KEYS.get(folded(key)):
            text = given.prose(part) if name == "bio" else given.line(part)
            known.setdefault(name, text)
        else:
            unknown.append(key)
    if not known.get("name"):
        raise given.wrong("has an author without a name. Write it as name: … .")
    if unknown:
        given.note(
            "info", f"Of the author {known['name']}, this was left aside: {', '.join(unknown)}."
        )
    if (email := known.get("email")) and not _EMAIL.fullmatch(email):
        given.note("warning", f"“{email}” is not an email address, and was left out.")
        del known["email"]
    if (url := known.get("url")) and not is_web_url(url):
        given.note("info", f"“{url}” is not an http(s) address, and was left out.")
        del known["url"]
    return Author(**{name: text for name, text in known.items() if text})


def _from_text(text: str, given: Given) -> list[Author]:
    found: list[Author] = []
    for part in _AND.split(_AND_BETWEEN_FULL_NAMES.sub(r"\1; ", text)):
        if part:
            found += _of_one_run(part, is_alone=part == text)
    if any(not author.name for author in found):
        given.note(
            "warning",
            f"“{text}” was taken as one name. If it is several, or a name and a role, write them "
            "as a list: authors: [{name: …, role: …}].",
        )
        return [Author(text)]
    return found


def _of_one_run(text: str, *, is_alone: bool) -> list[Author]:
    """Authors parted by commas; one without a name where that cannot be told."""
    first, *rest = _COMMA.split(text)
    if not rest and is_alone:
        return [_with_address(text)]
    names, roles = [first], [""]
    for part in rest:
        if _SUFFIX.fullmatch(part):
            names[-1] += f", {part}"
        elif _ROLE.search(part) or part[:1].islower():
            roles[-1] = f"{roles[-1]}, {part}" if roles[-1] else part
        else:
            names.append(part)
            roles.append("")
    shortest = 2 if len(names) > 1 else 1
    if len(names) > 1 and _is_uncased(text) and "、" not in text:
        return [Author("")]  # no capital tells a name from a role
    if not all(_is_name(name, shortest) for name in names):
        return [Author("")]
    return [
        Author(who.name, role or None, email=who.email)
        for who, role in zip(map(_with_address, names), roles, strict=True)
    ]


def _with_address(text: str) -> Author:
    found = _WITH_ADDRESS.fullmatch(text) or _ADDRESS_FIRST.fullmatch(text)
    return Author(found["name"], email=found["email"]) if found else Author(text)


def _is_name(text: str, min_words: int) -> bool:
    """Whether it looks like a person's or an agency's name: up to six words, none in lower case."""
    words = _with_address(_COMMA.split(text)[0]).name.split()
    if not min_words <= len(words) <= 6:
        return _is_uncased(text)
    return all(not word[0].islower() or word in _PARTICLES for word in words)


def _is_uncased(text: str) -> bool:
    """Whether its script has no capitals."""
    return text.lower() == text.upper()
