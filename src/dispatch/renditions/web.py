"""The web page of an article, and the index page of a desk.

Each is one file that needs nothing else but its pictures: no script, no style
sheet, no font. A Content-Security-Policy in the page holds the browser to
that, whatever an article contains; the style is allowed by its hash.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from markupsafe import Markup

from dispatch.article import (
    Article,
    Author,
    Block,
    Crosshead,
    List,
    Quotation,
    Source,
)
from dispatch.desk import Desk
from dispatch.markup import printable
from dispatch.renditions.addresses import web_uri
from dispatch.renditions.colour import legible
from dispatch.renditions.extracts import dateline_apart, first_words, introduced, pictures
from dispatch.renditions.extracts import teaser as teaser_of
from dispatch.renditions.feed import FeedEntry
from dispatch.renditions.shortening import shortened
from dispatch.renditions.templates import Templates

PAPER = "#fdfcf9"
"""The page's background in the light scheme; templates/web/style.css builds on it."""
NIGHT = "#171614"
"""The page's background in the dark scheme; templates/web/style.css builds on it."""

LISTS = ("web/style.css", "web/archive.css")
"""The style sheets of pages that list articles."""

_DESCRIPTION = 200
"""Characters; search engines and social networks show no more."""

_LINK = re.compile(r'<a ([^>]*?href="(https?://[^"]*)")')
_TERRITORY = re.compile(r"([a-z]{2,3})-(?:[A-Z][a-z]{3}-)?([A-Z]{2})")


@dataclass(frozen=True, slots=True)
class WebPage:
    """One HTML document, UTF-8."""

    html: bytes


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One article as the index of its desk shows it. ``url`` and ``image`` are http(s) URLs."""

    headline: str
    standfirst: str | None
    url: str
    byline: tuple[str, ...]
    """The authors' names."""
    published: datetime
    image: str | None = None
    language: str | None = None
    """BCP 47; None: the desk's."""

    @classmethod
    def of(cls, entry: FeedEntry) -> IndexEntry:
        """The article that ``entry`` states in a feed."""
        return cls(
            headline=entry.title,
            standfirst=entry.summary if entry.summary != entry.title else None,
            url=entry.url,
            byline=tuple(author.name for author in entry.authors),
            published=entry.published,
            image=entry.image,
            language=entry.language,
        )


def render(article: Article, desk: Desk, templates: Templates, *, teaser: bool = False) -> WebPage:
    """The article's page, from ``web/article.html``.

    Args:
        article: placed and published.
        templates: its head says what it can use.
        teaser: show what everybody may read of it, and where to subscribe.

    Raises:
        ValueError: the article was not placed or not published.
        TemplateError: a template is broken.
        SettingsError: the desk's accent is no colour.
    """
    url = desk.for_reader(None).url(article)  # to be passed on, by people and machines
    if article.published is None:
        raise ValueError("an article that was not published has no date")
    if teaser:
        article = teaser_of(article)
    language = templates.language(article, desk).tag
    headline = shortened(article.headline, _DESCRIPTION)
    description = first_words(article, _DESCRIPTION) or headline
    return page(
        "web/article.html",
        article,
        desk,
        templates,
        url=url,
        teaser=teaser,
        body=_levelled(article.body)[0],
        place=dateline_apart(article),
        description=description,
        image=next(iter(pictures(article)), None),
        about=introduced(article),
        facts=_json_for_html(_facts(article, desk, language, description)),
    )


def render_index(
    desk: Desk,
    entries: Sequence[IndexEntry],
    templates: Templates,
    *,
    older: str | None = None,
    newer: str | None = None,
) -> WebPage:
    """The desk's index page, from ``web/index.html``.

    Args:
        entries: newest first; the first one leads the page.
        older: the address of the page with the articles before these.
        newer: the address of the page with the articles after these; None on
            the first page, which has the desk's own address.

    Raises:
        TemplateError, SettingsError: as for :func:`render`.
    """
    return page(
        "web/index.html",
        None,
        desk,
        templates,
        sheets=LISTS,
        entries=entries,
        older=older,
        newer=newer,
    )


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page: HTML, UTF-8, and the Content-Security-Policy that goes with it."""

    html: bytes
    policy: str
    """Without ``frame-ancestors``, which a page cannot say of itself."""


def render_form(name: str, desk: Desk, templates: Templates, **values: object) -> FormPage:
    """A page that people act on, from a template that extends ``web/form.html``.

    Args:
        desk: its language is what the page speaks.
        values: what the template asks for.

    Raises:
        TemplateError, SettingsError: as for :func:`render`.
    """
    sheets = ("web/style.css", "web/form.css")
    return styled(name, desk, templates, sheets, before="", form="'self'", **values)


def styled(
    name: str,
    desk: Desk,
    templates: Templates,
    sheets: Iterable[str],
    *,
    before: str = "",
    form: str = "'none'",
    **values: object,
) -> FormPage:
    """A page and the policy that allows its one style sheet.

    Args:
        sheets: the templates that the style sheet is made of.
        before: a style sheet to stand before those.
        form: where its forms may be sent to, as the policy says it.
        values: what the template asks for.

    Raises:
        TemplateError, SettingsError: as for :func:`render`.
    """
    colours = _colours(desk)
    own = _style(sheets, None, desk, templates, colours)
    style = f"{printable(before)}\n{own}" if before else own
    policy = _policy(style, form=form)
    html = templates.render(
        name,
        None,
        desk,
        style=Markup(style),  # noqa: S704 - templates, filled in with colours
        policy=policy,
        link=web_uri,
        locale=_locale(templates.language(None, desk).tag),
        **colours,
        **values,
    )
    return FormPage(printable(html).encode(), policy)


def page(
    name: str,
    article: Article | None,
    desk: Desk,
    templates: Templates,
    *,
    sheets: Iterable[str] = ("web/style.css",),
    **values: object,
) -> WebPage:
    """A page that people read, from a template that extends ``web/base.html``.

    Args:
        sheets: the templates of its style sheets.
        values: what the template asks for.

    Raises:
        TemplateError, SettingsError: as for :func:`render`.
    """
    colours = _colours(desk)
    style = _style(sheets, article, desk, templates, colours)
    html = templates.render(
        name,
        article,
        desk,
        style=Markup(style),  # noqa: S704 - a template, filled in with colours
        policy=_policy(style),
        link=web_uri,
        external=lambda html: _external(html, desk.host),
        iso=lambda time: _iso(time, desk),
        locale=_locale(templates.language(article, desk).tag),
        **colours,
        **values,
    )
    return WebPage(printable(html).encode())


def _colours(desk: Desk) -> dict[str, str]:
    return {
        "paper": PAPER,
        "night": NIGHT,
        "accent": legible(desk.accent, PAPER),
        "night_accent": legible(desk.accent, NIGHT),
    }


def _style(
    names: Iterable[str],
    article: Article | None,
    desk: Desk,
    templates: Templates,
    colours: dict[str, str],
) -> str:
    sheets = (printable(templates.render(name, article, desk, **colours)) for name in names)
    return "\n".join(sheet.strip() for sheet in sheets)


def _policy(style: str, *, form: str = "'none'") -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src https: http:; style-src 'sha256-{digest}'; "
        f"base-uri 'none'; form-action {form}"
    )


def _iso(time: datetime | None, desk: Desk) -> str | None:
    return time.astimezone(desk.timezone).isoformat(timespec="seconds") if time else None


def _levelled(blocks: Iterable[Block], above: int = 1) -> tuple[tuple[Block, ...], int]:
    """The blocks with crossheads that leave out no level, and the level of the last one.

    An outline that jumps from h2 to h4 misleads readers who hear the page.
    """
    levelled: list[Block] = []
    for block in blocks:
        match block:
            case Crosshead():
                above = min(block.level, above + 1)
                levelled.append(replace(block, level=above))
            case Quotation():
                inner, above = _levelled(block.blocks, above)
                levelled.append(replace(block, blocks=inner))
            case List():
                items = []
                for item in block.items:
                    inner, above = _levelled(item, above)
                    items.append(inner)
                levelled.append(replace(block, items=tuple(items)))
            case _:
                levelled.append(block)
    return tuple(levelled), above


def _locale(tag: str) -> str | None:
    """Open Graph's form of a language tag that names a territory: ``pt_BR``."""
    found = _TERRITORY.fullmatch(tag)
    return f"{found[1]}_{found[2]}" if found else None


def _external(html: Markup, host: str) -> Markup:
    """``html`` with ``rel="noopener"`` in every link to another host."""

    def marked(found: re.Match[str]) -> str:
        is_own = urlsplit(found[2]).hostname == host
        return found[0] if is_own else f'<a rel="noopener" {found[1]}'

    return Markup(_LINK.sub(marked, html))  # noqa: S704 - it was markup before


# Facts for search engines ------------------------------------------------------------------------


def _facts(article: Article, desk: Desk, language: str, description: str) -> dict[str, object]:
    """What schema.org calls a NewsArticle, in JSON-LD; what is not known is left out."""
    url = desk.for_reader(None).url(article)
    publisher: dict[str, object] = {
        "@type": "Organization",
        "name": desk.publisher,
        "url": f"{desk.site_url}/",
    }
    return _known(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "@id": article.id,
            "mainEntityOfPage": {"@type": "WebPage", "@id": url},
            "url": url,
            "headline": article.headline,
            "description": description,
            "inLanguage": language,
            "datePublished": _iso(article.published, desk),
            "dateModified": _iso(article.updated or article.published, desk),
            "author": [_person(author) for author in article.byline] or [publisher],
            "publisher": publisher,
            "articleSection": article.desk or desk.name,
            "keywords": list(article.keywords),
            "image": [image.src for image in pictures(article)],
            "dateline": article.dateline,
            "citation": [_work(source) for source in article.sources],
            "correction": list(article.corrections),
            "isAccessibleForFree": desk.access == "public",
            "copyrightNotice": desk.rights_for(article),
            "version": article.version,
        }
    )


def _person(author: Author) -> dict[str, object]:
    url = web_uri(author.url)
    return _known({"@type": "Person", "name": author.name, "jobTitle": author.role, "url": url})


def _work(source: Source) -> dict[str, object]:
    publisher = source.publisher and {"@type": "Organization", "name": source.publisher}
    return _known(
        {
            "@type": "CreativeWork",
            "name": source.title,
            "publisher": publisher,
            "url": web_uri(source.url),
        }
    )


def _known(facts: dict[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [])}


def _written(fact: object) -> object:
    """A fact whose texts hold only what the page may hold."""
    match fact:
        case str():
            return printable(fact)
        case list():
            return [_written(part) for part in fact]
        case dict():
            return {name: _written(part) for name, part in fact.items()}
    return fact


def _json_for_html(facts: object) -> Markup:
    """JSON that no HTML parser mistakes for markup, whatever the facts say."""
    text = json.dumps(_written(facts), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - the lines above have made it safe
