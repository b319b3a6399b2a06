"""The sections that close an article: sources, correspondent, notes, rights, end marks.

A heading alone makes no section: the lines below it have to look like one. A
crosshead that reads "Sources" and stands over prose stays a crosshead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatch.article import Note
from dispatch.readers.pasted.layout import Line
from dispatch.readers.pasted.sources import is_source, looks_like_sources

_HEADINGS = {
    "sources": """
        sources; source list; sources and references; references; references and sources;
        sources and further reading; further reading; bibliography; works cited; citations;
        quellen; quellen und verweise; quellen und links; quellenangaben; quellenverzeichnis;
        quellen und literatur; literatur; einzelnachweise; weiterführende literatur;
        weiterführende links; zum weiterlesen; sources et références; références;
        références et sources; pour en savoir plus; pour aller plus loin; bibliographie;
        fuentes; fuentes y referencias; referencias; bibliografía; lecturas recomendadas;
        fonti; fonti e riferimenti; riferimenti; per approfondire; fontes; fontes e referências;
        referências; bronnen; källor; kilder; kaynaklar; źródła; источники; المصادر; المراجع;
        المصادر والمراجع; מקורות; 出典; 参考文献; 参考資料; 参考资料; 来源; 資料來源;
        출처; 참고 문헌
    """,
    "correspondent": """
        about the correspondent; about the correspondents; about our correspondent;
        about the author; about the authors; about the reporter; about the reporters;
        about the journalist; about the writer; about the writers; about the contributor;
        about the contributors; about the columnist; about the photographer; über den autor;
        über die autorin; über die autoren; über die autorinnen;
        über den korrespondenten; über die korrespondentin; zum autor; zur autorin; zur person;
        zu den personen;
        à propos de l'auteur; à propos de l'auteure; à propos de l'autrice; à propos des auteurs;
        à propos du correspondant; à propos de la correspondante; à propos du journaliste;
        à propos de la journaliste; qui signe cet article;
        sobre el autor; sobre la autora; sobre los autores;
        sobre el corresponsal; sobre la corresponsal; acerca del autor; acerca de la autora;
        sobre la firma; sobre las firmas;
        sull'autore; sull'autrice; l'autore; l'autrice; sobre o autor; sobre a autora;
        over de auteur; om författaren; об авторе; عن الكاتب; عن المراسل; نبذة تعريفية;
        著者について; 筆者について; 筆者紹介; 关于作者; 關於作者; 필자 소개
    """,
    "editors_note": """
        editor's note; editors' note; editors note; note from the editor; anmerkung der redaktion;
        note de la rédaction; note de l'éditeur; nota del editor; nota de la redacción;
        nota de redacción; nota della redazione; nota da redação; nota do editor
    """,
    "notes_to_editors": """
        notes to editors; note to editors; notes for editors; hinweis für die redaktion;
        hinweise für redaktionen; note aux rédactions; nota a los editores
    """,
}
_AND = re.compile(r"\s*&\s*|\s(?:and|und|et|y|e)\s")
_AROUND_HEADING = " \t#*_:：=-–—"


def _plain(heading: str) -> str:
    """A heading as it is looked up: case, signs and the word for "and" make no difference."""
    plain = heading.strip(_AROUND_HEADING).casefold().replace("’", "'")
    return _AND.sub(" & ", " ".join(plain.split()))


_KINDS = {
    _plain(heading): kind
    for kind, all_of_it in _HEADINGS.items()
    for heading in all_of_it.split(";")
}
_LONGEST_HEADING = 60

_INLINE_NOTE = re.compile(
    r"\W{0,3}(?:editor['’]?s['’]? note|note from the editor|anmerkung der redaktion|"
    r"note de la rédaction|ndlr|nota del editor|nota de la redacción)\W{0,3}\s*[:：.—–-]\s*(?=\S)",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"\W{0,3}(?:advertisement|advertising|article continues below(?: advertisement)?"
    r"|share this (?:article|story)|skip to (?:main )?content"
    r"|anzeige|werbung|publicité|publicidad|pubblicità)\W{0,3}",
    re.IGNORECASE,
)
_END_MARK = re.compile(
    r"\W{0,3}(?:-\s?30\s?-|–\s?30\s?–|—\s?30\s?—|#\s?#\s?#|ends?|ende|fin)\W{0,3}",
    re.IGNORECASE,
)
_RIGHTS = re.compile(
    r"\W{0,2}(?:©|\(c\)\s|copyright\s+(?:©|\(c\)|by\b|\d{4}))"
    r"|.{0,80}(?:all rights reserved|alle rechte vorbehalten|tous droits réservés"
    r"|todos los derechos reservados)",
    re.IGNORECASE,
)
_KEYWORDS = re.compile(
    r"(?:keywords|tags|topics|schlagwörter|mots[- ]clés|etiquetas|palabras clave)\s*[:：]\s*"
    r"(?P<words>\S.*)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Closing:
    """What the closing sections hold, as lines still to be read."""

    sources: list[Line] = field(default_factory=list)
    correspondent: list[Line] = field(default_factory=list)
    editors_note: list[str] = field(default_factory=list)
    rights: str | None = None
    keywords: str | None = None
    notes: list[Note] = field(default_factory=list)
    rest: list[Line] = field(default_factory=list)
    """What is no closing section: headline and body."""


def take_sections(lines: Sequence[Line]) -> Closing:
    """Sorts the lines of an article, headline first, into its closing sections and the rest."""
    closing = Closing()
    lines = _without_end(lines, closing)
    first = next((n for n, line in enumerate(lines) if line.text), len(lines))
    closing.rest += lines[: first + 1]
    at = first + 1
    while at < len(lines):
        taken = _take_section(lines, at, closing)
        if not taken and _BOILERPLATE.fullmatch(lines[at].text[:60]):
            message = f"Left out “{lines[at].text.strip()}”, which the page put between the text."
            closing.notes.append(Note("info", f"line {lines[at].number}", message))
        elif not taken:
            closing.rest.append(lines[at])
        at += taken or 1
    closing.rest = _without_end(closing.rest, closing)
    return closing


def heading_kind(text: str) -> str | None:
    """Which section a line is the heading of, if it is one."""
    return _KINDS.get(_plain(text)) if text and len(text) <= _LONGEST_HEADING else None


def inline_note(text: str) -> str | None:
    """The text of a paragraph that is an editor's note by its first words."""
    found = _INLINE_NOTE.match(text[:200])
    return text[found.end() :].strip() if found else None


def _take_section(lines: Sequence[Line], at: int, closing: Closing) -> int:
    """Takes the section whose heading is at ``at``; how many lines it has, 0 for none."""
    kind = heading_kind(lines[at].text)
    if kind is None:
        return 0
    end = at + 1
    while end < len(lines) and heading_kind(lines[end].text) is None:
        end += 1
    content = lines[at + 1 : end]
    match kind:
        case "sources":
            content = _list_alone(content)
            taken = looks_like_sources(content)
            closing.sources += content if taken else []
        case "correspondent":
            taken = _looks_like_correspondent(content)
            closing.correspondent += content if taken else []
        case _:
            content = content if kind == "notes_to_editors" else _first_paragraphs(content)
            texts = [line.text.strip() for line in content if line.text]
            taken = bool(texts)
            closing.editors_note += texts
    return len(content) + 1 if taken else 0


def _list_alone(content: Sequence[Line]) -> Sequence[Line]:
    """The list of sources, without prose that follows it."""
    parted = False
    for n, line in enumerate(content):
        prose = line.text and not is_source(line.text)
        if prose and (len(line.text) > 200 or (parted and n > 1)):
            return content[:n]
        parted = not line.text
    return content


def _looks_like_correspondent(content: Sequence[Line]) -> bool:
    """A few lines, the first of them a name; or a paragraph or two about a person."""
    texts = [line.text.strip() for line in content if line.text]
    if not texts or not texts[0][0].isalpha():
        return False
    return len(texts) <= (12 if len(texts[0]) <= 100 else 3)


def _first_paragraphs(content: Sequence[Line]) -> Sequence[Line]:
    """Up to the first blank line after some text, and three lines at most."""
    start = next((n for n, line in enumerate(content) if line.text), len(content))
    end = start
    while end < len(content) and content[end].text and end < start + 3:
        end += 1
    return content[:end]


def _without_end(lines: Sequence[Line], closing: Closing) -> list[Line]:
    """Takes end marks, keywords, the copyright line and blank lines off the end."""
    kept = list(lines)
    while len(kept) > 1:
        text = kept[-1].text.strip()
        if _END_MARK.fullmatch(text):
            message = f"Left out the end mark “{text}”."
            closing.notes.append(Note("info", f"line {kept[-1].number}", message))
        elif text and len(text) <= 200 and closing.rights is None and _RIGHTS.match(text):
            closing.rights = text
        elif closing.keywords is None and (found := _KEYWORDS.fullmatch(text)):
            closing.keywords = found["words"]
        elif text:
            break
        kept.pop()
    return kept
