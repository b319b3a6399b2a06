"""What a web page says about its article: first JSON-LD, then meta elements, then what it shows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from dispatch.article import Note
from dispatch.errors import ArticleError
from dispatch.markup import one_line, web_url
from dispatch.readers.fields import language_tag
from dispatch.readers.front_matter import Field, Value
from dispatch.readers.given import folded
from dispatch.readers.times import parse_time
from dispatch.readers.webpage.body import COMMENT_WORDS, is_named, outermost, text_of
from dispatch.readers.webpage.jsonld import LinkedData, Thing, text

_SITE_SEAM = re.compile(r"\s+(?:[|\-–—·•«»:]|::)\s+")
_SAVED_FROM = re.compile(
    r"<!--\s*(?:saved from url=\(\d+\)|Page saved with SingleFile\s+url:\s*)(https?://[^\s<>]+)"
)
_ELLIPSIS = ("…", "...")
_PUBLISHED = (
    "article:published_time", "datepublished", "parsely-pub-date", "date", "pubdate", "publishdate",
    "publish-date", "dc.date.issued", "dcterms.created", "dc.date",
)  # fmt: skip
_UPDATED = (
    "article:modified_time", "datemodified", "og:updated_time", "last-modified", "lastmod",
    "dcterms.modified",
)  # fmt: skip
_MAX_OF_A_NAME = 100
"""Meta elements."""
_STANDFIRST = frozenset({"standfirst", "dek", "deck", "subtitle", "subheadline", "lede"})


class PageFacts:
    """Reads a page's facts.

    Args:
        root: the page, parsed.
        source: its text.
        name: the file, for errors.
        notes: takes what is noticed.
    """

    def __init__(self, root: Element, source: str, name: str, notes: list[Note]) -> None:
        self.root = root
        self.source = source
        self.name = name
        self.notes = notes
        self.meta = _meta(root)
        self.base_url = self._base_url()
        self.data = LinkedData(root, notes)
        self.headings = [text_of(h1) for h1 in outermost(root, lambda element: element.tag == "h1")]
        self.article: Thing = (
            self.data.article(self._addresses(), [*self.meta.get("og:title", []), *self.headings])
            or {}
        )

    # Addresses

    def _addresses(self) -> Iterator[str]:
        """The page's own address, wherever it stands."""
        for link in self.root.iter("link"):
            if "canonical" in link.get("rel", "").lower().split():
                yield str(link.get("href", ""))
        yield from self.meta.get("og:url", [])
        if found := _SAVED_FROM.search(self.source[:5_000]):
            yield found[1]

    def _base_url(self) -> str | None:
        """What relative addresses are resolved against."""
        page = next((url for url in map(web_url, self._addresses()) if url), None)
        base = next((str(base.get("href", "")) for base in self.root.iter("base")), "")
        url = web_url(base, page) if base else page
        return url if url and len(url) <= 2_000 else None

    # Facts

    def headline(self) -> str:
        """The headline; '' where none is found."""
        titles = (text_of(title) for title in self.root.iter("title") if not _inside(title, "svg"))
        titled = [*self.meta.get("og:title", []), *self.meta.get("twitter:title", [])]
        marked = [text_of(e) for e in outermost(self.root, lambda e: "headline" in _itemprop(e))]
        sites = self._site_names()
        headings = [heading for heading in self.headings if folded(heading) not in sites]
        candidates = [
            text(self.article.get("headline")),
            *(self._without_site(one) for one in titled),
            *marked,
            *headings[:1],
            self._without_site(next(titles, "")),
            text(self.article.get("name")),
        ]
        return _whole([one for one in candidates if one])

    def shown_standfirsts(self) -> list[str]:
        """What the page shows as a standfirst."""
        shown = [text_of(element) for element in outermost(self.root, _is_standfirst)]
        return [one for one in shown if 0 < len(one) <= 600]

    def shown_times(self) -> list[str]:
        """The times that the page shows, as it writes them."""
        return [text_of(time) for time in outermost(self.root, lambda e: e.tag == "time")]

    def standfirsts(self) -> list[str]:
        """What may be the standfirst, the likeliest first."""
        candidates = [
            text(self.article.get("description")),
            *self.meta.get("og:description", []),
            *self.meta.get("description", []),
            *self.meta.get("twitter:description", []),
            *self.shown_standfirsts(),
            text(self.article.get("alternativeHeadline")),
        ]
        found = [one for one in candidates if one]
        return list(dict.fromkeys(_whole(found[n:]) for n in range(len(found))))

    def fields(self) -> list[Field]:
        """All else, as fields; at most one of each."""
        found: dict[str, Value] = {
            "byline": self._authors() or list[Value](self._shown_byline()),
            "section": self._sections(),
            "keywords": self._keywords(),
            "language": self._language(),
            "dateline": text(self.article.get("dateline")),
            "rights": self._rights(),
            "sources": self._sources(),
        }
        published = self._time("datePublished", _PUBLISHED, "datepublished") or self._shown_time()
        updated = self._time("dateModified", _UPDATED, "datemodified")
        found["datePublished"] = published
        if published != updated:
            found["dateModified"] = updated
        return [Field(name, value) for name, value in found.items() if value]

    def _without_site(self, title: str) -> str:
        """A title without the site's name before or behind it."""
        sites = self._site_names()
        parts = _SITE_SEAM.split(title)
        seams = _SITE_SEAM.findall(title)
        while len(parts) > 1 and folded(parts[-1]) in sites:
            parts.pop()
            seams.pop()
        while len(parts) > 1 and folded(parts[0]) in sites:
            parts.pop(0)
            seams.pop(0)
        return "".join(part + seam for part, seam in zip(parts, [*seams, ""], strict=True))

    def _site_names(self) -> set[str]:
        """What the site calls itself, folded; '' among them."""
        host = urlsplit(self.base_url or "").hostname or ""
        publisher = self.data.named(self.article.get("publisher"), "name")
        names = [*self.meta.get("og:site_name", []), *self.meta.get("application-name", [])]
        labels = [label for label in host.split(".")[:-1] if label != "www"]
        return {
            folded(name) for name in (*names, publisher, host.removeprefix("www."), *labels, "")
        }

    def _authors(self) -> list[Value]:
        """Who JSON-LD or a meta element names."""
        found: list[Value] = []
        for person in self.data.resolved(self.article.get("author")):
            if isinstance(person, str):
                found.append(text(person))
            elif isinstance(person, dict):
                names = self.data.texts(person.get("name"))
                full = " ".join(text(person.get(key)) for key in ("givenName", "familyName"))
                found += [self._author(name, person) for name in names or [full.strip()]]
        if not any(found):
            meta = [*self.meta.get("author", []), *self.meta.get("article:author", [])]
            found += [name for name in meta if "://" not in name][:10]
        return [author for author in found if author]

    def _author(self, name: str, person: Thing) -> Value:
        email = text(person.get("email")).removeprefix("mailto:")
        details: dict[str, Value] = {
            "name": name,
            "role": self.data.named(person.get("jobTitle"), "name"),
            "bio": text(person.get("description")),
            "email": email if re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", email) else "",
            "url": web_url(self.data.named(person.get("url"), "@id", "url"), self.base_url),
        }
        return {key: value for key, value in details.items() if value} if name else None

    def _shown_byline(self) -> Iterator[str]:
        """Who the page shows as its author."""
        marked = [text_of(e) for e in outermost(self.root, _is_author) if _is_of_the_article(e)]
        shown = (text_of(element) for element in outermost(self.root, _is_byline))
        names = marked or [next(shown, "")]
        yield from dict.fromkeys(name for name in names if 0 < len(name) <= 120)

    def _sections(self) -> Value:
        sections = self.data.texts(self.article.get("articleSection"))
        found = sections or self.meta.get("article:section", []) or self.meta.get("section", [])
        parts = (part for section in found for part in re.split(r"[/\\|>]|\.\.+", section))
        return list[Value](part for part in dict.fromkeys(map(one_line, parts)) if part)

    def _keywords(self) -> Value:
        found = (
            self.data.texts(self.article.get("keywords"))
            or self.meta.get("article:tag", [])
            or self.meta.get("news_keywords", [])
            or self.meta.get("keywords", [])
        )
        parts = (one_line(part) for one in found for part in re.split(r"[,;،、，]", one))
        return list[Value](part for part in parts if part)[:50]

    def _language(self) -> str | None:
        root = next(self.root.iter("html"), self.root)
        candidates = [
            self.data.named(self.article.get("inLanguage"), "alternateName", "name"),
            root.get("lang")
            or root.get("{http://www.w3.org/XML/1998/namespace}lang")
            or root.get("xml:lang")
            or "",
            *self.meta.get("og:locale", []),
            *self.meta.get("content-language", []),
        ]
        return next((tag for tag in map(language_tag, candidates) if tag), None)

    def _rights(self) -> str:
        holder = self.data.named(self.article.get("copyrightHolder"), "name")
        year = text(self.article.get("copyrightYear"))
        return (
            text(self.article.get("copyrightNotice"))
            or (f"© {year} {holder}" if holder and year else "")
            or next(
                iter([*self.meta.get("copyright", []), *self.meta.get("dcterms.rights", [])]), ""
            )
        )

    def _sources(self) -> list[Value]:
        """The works that the article cites."""
        found: list[Value] = []
        for work in self.data.resolved(self.article.get("citation")):
            if isinstance(work, dict):
                source: dict[str, Value] = {
                    "title": text(work.get("name")) or text(work.get("headline")),
                    "publisher": self.data.named(work.get("publisher"), "name"),
                    "url": web_url(self.data.named(work.get("url"), "@id"), self.base_url),
                }
                found.append({key: value for key, value in source.items() if value})
            else:
                found.append(text(work))
        return [source for source in found if source]

    def _time(self, key: str, meta: Iterable[str], itemprop: str) -> str | None:
        """The first time that can be read; an error where times are given and none can."""
        given = [(key, text(self.article.get(key)))]
        given += [(name, value) for name in meta for value in self.meta.get(name, [])]
        given += [
            (itemprop, one_line(element.get("datetime") or element.get("content")))
            for element in self.root.iter()
            if isinstance(element.tag, str) and itemprop in _itemprop(element)
        ]
        refused: list[ArticleError] = []
        for field, value in given:
            if not value:
                continue
            try:
                time = parse_time(value, field, self._where(value))
            except ArticleError as error:
                refused.append(error)
            else:
                if refused:
                    message = (
                        f"The first that is given cannot be read. Taken from {field}: {value}."
                    )
                    self.notes.append(Note("info", key, message))
                return time.isoformat()
        if refused:
            raise refused[0]
        return None

    def _shown_time(self) -> str | None:
        """The first time that the article shows; one that cannot be read may be any date."""
        for element in self.root.iter("time"):
            if value := _inside(element, "article", "main") and one_line(element.get("datetime")):
                try:
                    return parse_time(value, "time", self.name).isoformat()
                except ArticleError:
                    continue
        return None

    def _where(self, value: str) -> str:
        at = self.source.find(value)
        line = self.source.count("\n", 0, at) + 1
        return f"{self.name}, line {line}" if at >= 0 else self.name


def _meta(root: Element) -> dict[str, list[str]]:
    """The content of meta elements by their name or property, in lower case."""
    found: dict[str, list[str]] = {}
    for meta in root.iter("meta"):
        names = (meta.get("property"), meta.get("name"), meta.get("http-equiv"))
        for name in {name.lower().strip() for name in names if name}:
            content = text(meta.get("content"))
            if content and len(found.setdefault(name, [])) < _MAX_OF_A_NAME:
                found[name].append(content)
    return found


def _whole(candidates: list[str]) -> str:
    """The first candidate; another one where that is cut off and the other is not."""
    if not candidates:
        return ""
    first = candidates[0]
    if first.endswith(_ELLIPSIS):
        start = folded(first)
        for other in candidates[1:]:
            if not other.endswith(_ELLIPSIS) and folded(other).startswith(start):
                return other
    return first


def _inside(element: Element, *tags: str) -> bool:
    return next(element.iterancestors(*tags), None) is not None


def _is_standfirst(element: Element) -> bool:
    if element.tag not in ("p", "h2", "h3", "div"):
        return False
    return bool(_classes(element) & _STANDFIRST) or "alternativeheadline" in _itemprop(element)


def _is_author(element: Element) -> bool:
    if element.tag == "link":
        return False
    return "author" in element.get("rel", "").split() or "author" in _itemprop(element)


def _is_of_the_article(element: Element) -> bool:
    """Whether it stands neither beside the article nor in the comments below it."""
    return not any(
        around.tag in ("aside", "footer", "nav") or is_named(around, COMMENT_WORDS)
        for around in itertools.islice(element.iterancestors(), 20)
    )


def _is_byline(element: Element) -> bool:
    return element.tag in ("p", "div", "span", "address") and "byline" in _classes(element)


def _itemprop(element: Element) -> list[str]:
    return element.get("itemprop", "").lower().split()


def _classes(element: Element) -> set[str]:
    return {
        part
        for name in element.get("class", "").lower().split()
        for part in re.split("__|--|-", name)
    }
