"""Who wrote it: bylines, and what an article says about its correspondent.

``Rosa LindWorld`` is Rosa Lind of the World desk, and ``Ronan McDonald`` is one
name: a name and a desk are parted only where a known desk, or what the article
says elsewhere, is for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dispatch.article import Author, Note
from dispatch.readers.folding import fold, mentions
from dispatch.readers.fused.addresses import find_urls
from dispatch.readers.joints import joint
from dispatch.readers.pasted.layout import Line, ends_sentence
from dispatch.readers.publishers import Publishers

_ROLE_WORDS = """
    editor editors correspondent reporter writer columnist journalist chief deputy producer
    photographer photojournalist analyst critic lead head director fellow contributor contributing
    staff freelance freelancer anchor host presenter bureau researcher professor author
    redakteur redakteurin korrespondent korrespondentin reporterin ressortleiter ressortleiterin
    leiter leiterin chefredakteur chefredakteurin autor autorin fotograf fotografin
    rédacteur rédactrice correspondant correspondante journaliste chef cheffe envoyé envoyée
    redactor redactora corresponsal periodista reportero reportera jefe jefa enviado enviada
    editora redattore redattrice corrispondente giornalista inviato inviata repórter jornalista
    correspondente verslaggever redacteur muhabir muhabiri корреспондент редактор 記者 编辑 記者
"""
_ROLES = frozenset(_ROLE_WORDS.split())
# Words in lower case that names have inside.
_PARTICLES = frozenset(
    {"al", "ap", "af", "av", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "di"}
    | {"do", "dos", "du", "e", "el", "ibn", "la", "le", "op", "san", "ten", "ter", "van", "von"}
    | {"y", "zu", "zum", "zur"}
)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]*)*")
_ELISION = re.compile(r"^[dl]['’]")
_NO_NAME_STARTS = frozenset({"the", "a", "an", "this", "that"})
_BY = re.compile(
    r"(?P<by>by|von|par|por|di|door|av|af)(?P<colon>\s*:)?\s+(?P<who>\S.*)", re.IGNORECASE
)
_PLACE = re.compile(r"(?P<who>.+?)\s+(?P<place>(?:in|aus|à|en|desde)\s+[^\W\d_].*)")
_AND = re.compile(r"\s+(?:and|und|et|y|och|og|&)\s+")
_EMAIL = re.compile(r"\s*[(<,]?\s*(?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)\s*[)>]?")
_SEPARATOR = re.compile(r"\s*[|｜·•]\s*|\s+[-–—]\s+|\t+| {2,}|\s*\(|\)$")
_DESK_WORD = re.compile(r"\s+(?:desk|ressort|team)$", re.IGNORECASE)
_DESK_PARTS = re.compile(r"\s*(?:&|,|/|\band\b|\bund\b|\bet\b|\by\b)\s*")
_SAYS_WHO = re.compile(
    r"(?P<name>\S.{1,58}?\S),?\s+(?:is|was|has|covers|covered|writes|reports|leads|works|ist|"
    r"schreibt|berichtet|est|couvre|écrit|es|cubre|escribe)\s"
)
_FIRST_SENTENCE = re.compile(r"(?P<first>[^.!?。]{2,80})[.。](?:\s+|$)")
_LONGEST_BYLINE = 200


@dataclass(frozen=True, slots=True)
class Named:
    """What a line with a name says. ``doubt`` are other readings, in words."""

    name: str
    desk: str | None = None
    role: str | None = None
    doubt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Correspondents:
    """The people that a section tells of. ``unread`` are lines that name nobody."""

    authors: tuple[Author, ...] = ()
    notes: tuple[Note, ...] = ()
    unread: tuple[Line, ...] = ()


# Names -------------------------------------------------------------------------------------------


def is_name(text: str) -> bool:
    """Whether ``text`` can be a person's name: capitalised words with particles between them."""
    words = text.split()
    if not words or len(words) > 6 or len(text) > 60 or words[0].casefold() in _NO_NAME_STARTS:
        return False
    if not all(_NAME_WORD.fullmatch(word) for word in words):
        return False
    own = [word for word in words if word.casefold() not in _PARTICLES]
    capitals = not any(_ELISION.sub("", word)[:1].islower() for word in own)
    return bool(own) and capitals and not is_role(text)


def is_role(text: str) -> bool:
    """Whether ``text`` names what somebody does at a newsroom."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return any(word in _ROLES for word in words) or "記者" in text


def is_title(text: str) -> bool:
    """Whether a line is a role and nothing else, in capitals as titles are printed."""
    words = text.split()
    small = _PARTICLES | {"and", "at", "for", "in", "of", "und", "für", "et", "the"}
    capitals = all(word[0].isupper() or not word[0].isalpha() or word in small for word in words)
    return len(text) <= 80 and not ends_sentence(text) and capitals and is_role(text)


def is_desk(text: str, publishers: Publishers) -> bool:
    """Whether ``text`` is the name of a desk, or several such names."""
    bare = _DESK_WORD.sub("", text)
    if fold(bare) in publishers.desks:
        return True
    parts = [fold(part) for part in _DESK_PARTS.split(bare)]
    parts = parts if len(parts) > 1 else [fold(word) for word in bare.split()]
    return bool(parts) and all(part in publishers.desks for part in parts)


# Bylines -----------------------------------------------------------------------------------------


def read_byline(text: str, publishers: Publishers) -> tuple[Author, ...] | None:
    """The authors of a line such as ``By NAME, ROLE and NAME``; None where it is no byline.

    A desk or a role that is run together with a name is parted from it where
    that is certain.
    """
    found = _BY.fullmatch(text) if len(text) <= _LONGEST_BYLINE else None
    if not found:
        return None
    email = _EMAIL.search(found["who"])
    who = _EMAIL.sub("", found["who"], count=1) if email else found["who"]
    who = who[:-1] if re.search(r"\w{3}\.$", who) else who
    authors = _people(who) or _sole_author(who, publishers)
    english = found["by"].casefold() == "by"
    if not authors or not (english or found["colon"] or " " in who):
        return None
    if email:
        authors[-1] = replace(authors[-1], email=email["address"])
    return tuple(_parted(author, publishers) for author in authors)


def _parted(author: Author, publishers: Publishers) -> Author:
    named = part_name(author.name, publishers)
    return replace(author, name=named.name, role=author.role or named.role, desk=named.desk)


def _sole_author(who: str, publishers: Publishers) -> list[Author]:
    """An agency, a role in place of a name, or a name and a role run together."""
    capitals = all(word[0].isupper() or word.casefold() in _PARTICLES for word in who.split())
    is_one = publishers.knows(who) or (is_role(who) and capitals and len(who.split()) < 5)
    return [Author(who)] if is_one else []


def _people(who: str) -> list[Author]:
    """The people of a list, each with the role behind the name; none where one is no name."""
    place = _PLACE.fullmatch(who)
    if place and is_name(_AND.split(place["who"])[-1]):
        people = _people(place["who"])
        return [*people[:-1], replace(people[-1], role=place["place"])] if people else []
    people = []
    for part in filter(None, (part.strip() for part in who.split(","))):
        role, names = _role_and_names(part) if people else (None, _AND.split(part))
        if role:
            known = people[-1].role
            people[-1] = replace(people[-1], role=f"{known}, {role}" if known else role)
        if not all(map(is_name, names)):
            return []
        people += map(Author, names)
    return people


def _role_and_names(part: str) -> tuple[str | None, list[str]]:
    """What follows a comma: a role or place of the person before, and further people."""
    part = re.sub(r"^(?:and|und|et|y|och|og|&)\s+", "", part)
    first, *rest = _AND.split(part)
    if is_role(first) or (is_name(first) and " " not in first):
        return (first, rest) if all(map(is_name, rest)) else (part, [])
    return (part, []) if is_role(part) else (None, [first, *rest])


# A name and a desk -------------------------------------------------------------------------------


def part_name(
    text: str, publishers: Publishers, known: Sequence[str] = (), told: str = ""
) -> Named:
    """Parts a line that holds a name, and perhaps a desk or a role.

    Args:
        known: names that the article gives elsewhere.
        told: what the article says of the person, which may repeat the name.
    """
    separated = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    if len(separated) > 1:
        return _separated(separated, publishers)
    name, comma, behind = text.partition(", ")
    if comma and (is_desk(behind, publishers) or is_role(behind)):
        return _separated([name, behind], publishers)
    places = list(_run_together(text))
    for before, after in places:
        if before in known or (len(before) > 3 and mentions(told, before)):
            return Named(before, desk=_desk_name(after))
    for before, after in places:
        if joint(before, after).points > 0 or before[-1] == ".":
            if is_desk(after, publishers):
                return Named(before, desk=_desk_name(after))
            if is_role(after) and is_name(before):
                return Named(before, role=after)
    return Named(text, doubt=tuple(_doubts(text, places, publishers)))


def _separated(parts: Sequence[str], publishers: Publishers) -> Named:
    named = Named(parts[0])
    for part in parts[1:]:
        if named.desk is None and (is_desk(part, publishers) or not is_role(part)):
            named = replace(named, desk=_desk_name(part))
        else:
            named = replace(named, role=f"{named.role}, {part}" if named.role else part)
    return named


def _desk_name(text: str) -> str:
    return _DESK_WORD.sub("", text.strip())


def _run_together(text: str) -> Iterator[tuple[str, str]]:
    """Every place where a name may meet a desk without a space."""
    for at in range(2, min(len(text), 80)):
        inside_word = text[at].islower() or not text[at].isalpha()
        if not inside_word and not text[at - 1].isspace() and text[at - 1] not in "-'’":
            yield text[:at], text[at:]


def _doubts(text: str, places: Sequence[tuple[str, str]], publishers: Publishers) -> Iterator[str]:
    """Readings that something speaks for, and nothing decides."""
    for before, after in places:
        likely = joint(before, after).points > 0 and " " not in after and len(after) > 2
        particle = re.split(r"[\s-]", before)[-1] in _PARTICLES
        long_enough = len(after) > (3 if after.isascii() else 1)
        if (likely and not particle) or (long_enough and is_desk(after, publishers)):
            yield f"“{before}” of the desk “{after}”"
    *first, last = text.split()
    if len(first) > 1 and is_desk(last, publishers):
        yield f"“{' '.join(first)}” of the desk “{last}”"


# The section -------------------------------------------------------------------------------------


def read_correspondents(
    lines: Sequence[Line], publishers: Publishers, known: Sequence[str] = ()
) -> Correspondents:
    """The people that the lines below ``About the correspondent`` tell of.

    Args:
        known: the names of the byline at the article's top.
    """
    authors: list[Author] = []
    notes: list[Note] = []
    unread: list[Line] = []
    for person in _persons(lines, publishers):
        first, *rest = person
        texts = [line.text.strip() for line in rest]
        if not _starts_person(first.text.strip(), publishers):
            author = _told_in_prose(first.text.strip(), texts, known)
            authors += [author] if author else []
            unread += [] if author else person
            continue
        named = part_name(first.text.strip(), publishers, known, " ".join(texts))
        authors.append(_described(named, texts, publishers))
        if named.doubt:
            notes.append(_doubt(first, named))
    return Correspondents(tuple(authors), tuple(notes), tuple(unread))


def _persons(lines: Sequence[Line], publishers: Publishers) -> Iterator[list[Line]]:
    """The lines of each person: a name starts the next, or a sentence about one."""
    person: list[Line] = []
    after_blank = False
    for line in lines:
        text = line.text.strip()
        if text and person and not is_desk(text, publishers):
            named = _starts_person(text, publishers)
            if named or (after_blank and _told_in_prose(text, (), ())):
                yield person
                person = []
        if text:
            person.append(line)
        after_blank = not text
    if person:
        yield person


def _starts_person(text: str, publishers: Publishers) -> bool:
    if len(text) > 80 or (ends_sentence(text) and not re.search(r"\b[A-Z]\.$", text)):
        return False
    named = part_name(text, publishers)
    return is_name(named.name) and (
        " " in named.name or named.desk is not None or named.name == text
    )


def _told_in_prose(text: str, texts: Sequence[str], known: Sequence[str]) -> Author | None:
    """``Rosa Lind is a reporter at …``: the name is the sentence's subject."""
    told = " ".join([text, *texts])
    for name in known:
        if mentions(told, name):
            return Author(name, bio=told)
    found = _SAYS_WHO.match(text)
    return Author(found["name"], bio=told) if found and is_name(found["name"]) else None


def _described(named: Named, texts: Sequence[str], publishers: Publishers) -> Author:
    """The author with what the lines below the name say: desk, role, address, biography."""
    author = Author(named.name, role=named.role, desk=named.desk)
    bio: list[str] = []
    for text in texts:
        email = _EMAIL.fullmatch(text)
        if email:
            author = replace(author, email=email["address"])
        elif author.url is None and find_urls(text) == [(0, len(text))]:
            author = replace(author, url=text)
        elif author.desk is None and not bio and is_desk(text, publishers):
            author = replace(author, desk=_desk_name(text))
        elif author.role is None and not bio:
            role, rest = _role_first(text)
            author = replace(author, role=role)
            bio += [rest] if rest else []
        else:
            bio.append(text)
    return replace(author, bio=" ".join(bio) or None)


def _role_first(text: str) -> tuple[str | None, str]:
    """A role at the start of a text, and the rest of it."""
    found = _FIRST_SENTENCE.match(text)
    if found and is_role(found["first"]) and not _SAYS_WHO.match(text[: found.end()]):
        return found["first"].strip(), text[found.end() :]
    if len(text) <= 80 and not ends_sentence(text) and is_role(text) and not _SAYS_WHO.match(text):
        return text, ""
    return None, text


def _doubt(line: Line, named: Named) -> Note:
    return Note(
        "warning",
        f"line {line.number}",
        f"“{named.name}” may be a name and a desk, and was kept whole. It may be "
        f"{'; or '.join(named.doubt)}. Write “ | ” between the two.",
    )
