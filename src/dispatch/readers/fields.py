"""Fields that newsrooms and site generators use, and what they are in an Article.

Names are compared without regard to case, spaces, hyphens and underscores.
Where two name the same thing, the more specific one wins, and a note says so.
A field that is not known is kept as it is (``Article.extra``), and noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dispatch.article import Article, Author, Block, Image, Note, Source
from dispatch.markup import escape, web_url
from dispatch.readers.bylines import authors
from dispatch.readers.embargoes import NO, holding
from dispatch.readers.front_matter import Field, Value
from dispatch.readers.given import Given, as_text, folded
from dispatch.readers.references import sources
from dispatch.readers.times import parse_time

ALIASES: dict[str, tuple[str, ...]] = {
    "headline": ("headline", "title", "name"),
    "standfirst": ("standfirst", "dek", "subtitle", "lead", "excerpt", "summary", "description"),
    "byline": ("byline", "authors", "author", "creator"),
    "published": ("published", "publishedat", "publishdate", "pubdate", "datepublished", "date"),
    "updated": ("updated", "updatedat", "modified", "datemodified", "lastmod"),
    "embargo": ("embargo", "embargoed", "embargoeduntil"),
    "desk": ("desk", "section", "category", "categories"),
    "keywords": ("keywords", "tags", "topics"),
    "language": ("language", "lang", "inlanguage"),
    "slug": ("slug",),
    "id": ("id", "guid", "uuid"),
    "dateline": ("dateline", "location"),
    "rights": ("rights", "copyright", "license", "licence"),
    "priority": ("priority", "urgency"),
    "editors_note": ("editorsnote", "editornote", "ednote", "notetoeditors"),
    "sources": ("sources", "references", "source"),
    "draft": ("draft",),
    "image": ("image", "cover", "hero", "featuredimage"),
    "image_alt": ("imagealt", "coveralt", "heroalt", "featuredimagealt"),
    "image_caption": ("imagecaption", "covercaption", "herocaption", "featuredimagecaption"),
    "image_credit": ("imagecredit", "covercredit", "herocredit", "featuredimagecredit"),
}
"""What each part of an article may be called, the most specific name first, as :func:`folded`."""

_PART = {alias: part for part, aliases in ALIASES.items() for alias in aliases}
_MERGED = frozenset({"desk", "keywords"})
"""Parts to which every field of theirs contributes."""

_YES = frozenset({"true", "yes", "on", "1"})


_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """What fields say about an article; None or empty where they say nothing."""

    headline: str | None = None
    standfirst: str | None = None
    byline: tuple[Author, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    embargo: datetime | None = None
    desk: str | None = None
    keywords: tuple[str, ...] = ()
    language: str | None = None
    slug: str | None = None
    id: str | None = None
    dateline: str | None = None
    rights: str | None = None
    priority: int | None = None
    editors_note: str | None = None
    sources: tuple[Source, ...] = ()
    image: Image | None = None
    extra: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()

    def article(
        self,
        reader: str,
        body: Iterable[Block],
        *,
        headline: str,
        standfirst: str | None,
        notes: Iterable[Note] = (),
    ) -> Article:
        """The article of these facts and ``body``; ``notes`` are the reader's own."""
        return Article(
            headline=headline,
            body=tuple(body),
            reader=reader,
            standfirst=standfirst,
            slug=self.slug,
            desk=self.desk,
            language=self.language,
            byline=self.byline,
            dateline=self.dateline,
            published=self.published,
            updated=self.updated,
            embargo=self.embargo,
            keywords=self.keywords,
            sources=self.sources,
            editors_note=self.editors_note,
            rights=self.rights,
            priority=self.priority,
            id=self.id,
            extra=self.extra,
            notes=(*self.notes, *notes),
        )

    def with_image(self, body: tuple[Block, ...]) -> tuple[Block, ...]:
        """``body`` with the image before it, unless it shows that image already."""
        if self.image is None:
            return body
        shown = {block.src for block in body if isinstance(block, Image)}
        return body if self.image.src in shown else (self.image, *body)


def read(fields: Iterable[Field], file: str) -> Facts:
    """What ``fields`` say.

    Args:
        file: what to call the file in errors.

    Raises:
        ArticleError: a value makes no sense for its field, or the article is
            marked as a draft, or is to be held back in a way that is not
            known. Says the file, the line and the field.
    """
    return _Reading(fields, file).facts()


class _Reading:
    def __init__(self, fields: Iterable[Field], file: str) -> None:
        self.notes: list[Note] = []
        self.parts: dict[str, list[Given]] = {}
        self.unknown: list[Given] = []
        for field in fields:
            if field.value in (None, "", [], {}):
                continue
            given = Given(field, file, self.notes)
            part = _PART.get(folded(field.name))
            (self.parts.setdefault(part, []) if part else self.unknown).append(given)
        for part, candidates in self.parts.items():
            candidates.sort(key=lambda given: ALIASES[part].index(folded(given.field.name)))
            if part == "embargo":
                self._refuse_two_embargoes(candidates)
            if part not in _MERGED:
                self._keep_first(candidates)

    def _keep_first(self, candidates: list[Given]) -> None:
        first, *others = candidates
        for given in others:
            given.note("info", f"{given.field.name} was left aside: {first.field.name} says it.")
            self.unknown.append(given)
        del candidates[1:]

    def _refuse_two_embargoes(self, candidates: list[Given]) -> None:
        first, *others = candidates
        for given in others:
            if given.field.value != first.field.value:
                raise given.wrong(
                    f"says another time than {first.field.name}. Keep the one that holds."
                )

    def facts(self) -> Facts:
        self._refuse_draft()
        self._refuse_unknown_embargo()
        desk, further = self._desk()
        return Facts(
            headline=self._line("headline"),
            standfirst=self._prose("standfirst"),
            byline=tuple(author for given in self._given("byline") for author in authors(given)),
            published=self._time("published"),
            updated=self._time("updated"),
            embargo=self._time("embargo"),
            desk=desk,
            keywords=self._keywords(further),
            language=self._language(),
            slug=self._slug(),
            id=self._id(),
            dateline=self._line("dateline"),
            rights=self._line("rights"),
            priority=self._priority(),
            editors_note=self._paragraphs("editors_note"),
            sources=tuple(source for given in self._given("sources") for source in sources(given)),
            image=self._image(),
            extra=self._extra(),
            notes=tuple(self.notes),
        )

    def _given(self, part: str) -> list[Given]:
        return self.parts.get(part, [])

    def _line(self, part: str) -> str | None:
        return next((given.line(given.field.value) for given in self._given(part)), None) or None

    def _prose(self, part: str) -> str | None:
        return next((given.prose(given.field.value) for given in self._given(part)), None) or None

    def _paragraphs(self, part: str) -> str | None:
        found = (given.paragraphs(given.field.value) for given in self._given(part))
        return next(found, None) or None

    def _refuse_draft(self) -> None:
        for given in self._given("draft"):
            if given.line(given.field.value).lower() not in NO:
                raise given.wrong("marks the article as not finished. Remove it to go on.")
        for given in self._given("published"):  # as Jekyll has it
            if isinstance(given.field.value, str) and given.field.value.lower() in NO:
                raise given.wrong("marks the article as not to be published. Remove it to go on.")

    def _refuse_unknown_embargo(self) -> None:
        for given in self.unknown:
            if folded(given.field.name) in _PART:
                continue
            if name := holding(given.field.name, given.field.value):
                about = "" if name == given.field.name else f"({name}) "
                raise given.wrong(
                    f"{about}seems to hold the article back, and is not one that can be obeyed. "
                    "Write embargo: and the time, such as 2026-10-04T09:30+02:00, or remove it."
                )

    def _time(self, part: str) -> datetime | None:
        for given in self._given(part):
            text = given.line(given.field.value)
            if text and not _says_none(part, text.lower()):
                return parse_time(text, given.field.name, given.where)
        return None

    def _desk(self) -> tuple[str | None, list[str]]:
        """The desk, and the other sections and categories."""
        names: list[str] = []
        for given in self._given("desk"):
            value = given.field.value
            for part in value if isinstance(value, list) else [value]:
                name = given.line(part)
                if re.search(r"[/\\]|\.\.", name):
                    raise given.wrong(
                        f"is “{name}”, and the name of a desk may hold no slashes and no “..”."
                    )
                names += [name] if name else []
        return (names[0], names[1:]) if names else (None, [])

    def _keywords(self, further: list[str]) -> tuple[str, ...]:
        found = [keyword for given in self._given("keywords") for keyword in _texts(given)]
        unique: dict[str, str] = {}
        for keyword in [*found, *further]:
            unique.setdefault(keyword.casefold(), keyword)
        return tuple(unique.values())

    def _language(self) -> str | None:
        for given in self._given("language"):
            if text := given.line(given.field.value):
                tag = language_tag(text)
                if tag is None:
                    raise given.wrong(
                        f"is “{text[:_LONGEST_TAG]}”, which is no language tag (BCP 47). "
                        "Write one such as en, pt-BR or zh-Hant."
                    )
                return tag
        return None

    def _slug(self) -> str | None:
        slug = self._line("slug")
        if slug and (re.search(r"[/\\]|\.\.", slug) or not slug.isprintable()):
            raise self._given("slug")[0].wrong(
                f"is “{slug}”, which cannot stand in an address. "
                "Use letters, digits and hyphens, without slashes."
            )
        return slug

    def _id(self) -> str | None:
        """The desk's own text, to the letter: what it identifies is for others to say."""
        text = self._line("id")
        if text and len(text) > _LONGEST_ID:
            raise self._given("id")[0].wrong(
                f"is {len(text):,} characters long, and may have {_LONGEST_ID}. Shorten it."
            )
        return text

    def _priority(self) -> int | None:
        for given in self._given("priority"):
            if text := given.line(given.field.value):
                if not re.fullmatch("[1-6]", text):
                    raise given.wrong(f"is “{text}”, and must be a number from 1 to 6.")
                return int(text)
        return None

    def _image(self) -> Image | None:
        for given in self._given("image"):
            src, alt, caption, credit = self._image_parts(given)
            url = web_url(src)
            if url is None:
                given.note(
                    "warning",
                    f"The image {src or '(without an address)'} was left out: "
                    "its address must begin with https://.",
                )
                return None
            caption = caption or self._prose("image_caption") or ""
            credit = credit or self._prose("image_credit")
            alt = alt if alt is not None else self._prose("image_alt")
            return Image(url, alt, escape(caption) if caption else None, credit)
        return None

    def _image_parts(self, given: Given) -> tuple[str, str | None, str | None, str | None]:
        value = given.field.value
        if isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, dict):
            return given.line(value), None, None, None
        known = {folded(key): part for key, part in value.items()}
        src = next(
            (known[key] for key in ("src", "url", "image", "path", "file") if key in known), None
        )
        alt = given.prose(known["alt"]) if "alt" in known else None
        caption = given.prose(known.get("caption") or known.get("title"))
        return given.line(src), alt, caption or None, given.prose(known.get("credit")) or None

    def _extra(self) -> tuple[tuple[str, str], ...]:
        named = [given for given in self.unknown if folded(given.field.name) not in _PART]
        if named:
            places = ", ".join(
                f"{given.field.name} (line {given.field.line})"
                if given.field.line
                else given.field.name
                for given in named
            )
            self.notes.append(
                Note(
                    "info",
                    "front matter",
                    f"Fields that are not known are kept as they are: {places}.",
                )
            )
        return tuple((given.field.name, as_text(given.field.value)) for given in self.unknown)


def _says_none(part: str, value: str) -> bool:
    """Whether a value is no time and rightly so: ``published: yes``, ``embargo: none``."""
    return (part == "published" and value in _YES) or (part == "embargo" and value in NO)


def _texts(given: Given) -> Iterator[str]:
    """The texts of a list, or of one text with commas."""
    value = given.field.value
    parts: list[Value] = list(value) if isinstance(value, list) else []
    if isinstance(value, str):
        parts += re.split(r"[,;،、，；]", value)
    elif not isinstance(value, list):
        parts.append(value)
    for part in parts:
        if text := given.line(part).removeprefix("#").strip():
            yield text


_LANGUAGE_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?)"
)


_LONGEST_TAG = 35


def language_tag(text: str) -> str | None:
    """``text`` as a language tag (RFC 5646, 2.1) in the case it recommends; None where it is none.

    Languages that a registry would have to be asked about (four letters and
    more, such as ``english``) are none, and so is what is longer than the 35
    characters that RFC 5646, 4.4.1, finds any tag to need.
    """
    if len(text.strip()) > _LONGEST_TAG:
        return None
    found = _LANGUAGE_TAG.fullmatch(text.strip().lower().replace("_", "-"))
    if found is None:
        return None
    parts = [found["language"], (found["script"] or "").title(), (found["region"] or "").upper()]
    return "-".join(filter(None, parts)) + found["rest"]
