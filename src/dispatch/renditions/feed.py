"""The feed entry of an article: what RSS, Atom and JSON Feed say about it.

An entry holds facts, not markup of any feed format, so that one rendering
serves all three and can be kept in the database. ``dispatch.syndication``
assembles entries into documents.

Names and home pages of authors are published, their email addresses are not:
feeds are where address harvesters look first, and no feed reader shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import StoreError
from dispatch.markup import one_line, printable
from dispatch.renditions.addresses import web_uri
from dispatch.renditions.extracts import first_words, introduced, pictures
from dispatch.renditions.shortening import shortened
from dispatch.renditions.templates import Templates

FORMS = ("rss", "atom", "json")
"""The forms a feed is published in, as in the names of its documents."""

SUMMARY_LENGTH = 300
"""Characters of a summary, at most; feed readers show about two lines of it."""

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class FeedAuthor:
    """A name of the byline; ``url`` is an http(s) URI."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One article as a feed states it. Every string holds only characters that XML allows."""

    id: str
    """A tag: URI (RFC 4151) that stays the same whatever changes in the article."""
    url: str
    title: str
    """Plain text, never empty."""
    summary: str
    """Plain text, never empty, at most SUMMARY_LENGTH characters."""
    content_html: str
    """The whole article as semantic HTML; every address in it is absolute."""
    authors: tuple[FeedAuthor, ...]
    published: datetime
    """In UTC, as is ``updated``."""
    updated: datetime
    language: str
    """A BCP 47 tag."""
    categories: tuple[str, ...]
    """The desk, then the keywords; none twice."""
    rights: str
    image: str | None = None
    """The http(s) URI of the article's first picture."""
    standfirst: str | None = None
    """As the article has it, on one line: what everybody may read where the rest is for
    subscribers."""

    def to_json(self) -> dict[str, Any]:
        """The entry in terms of JSON: text, lists and objects. Times are in ISO 8601."""
        return asdict(self) | {
            "authors": [asdict(author) for author in self.authors],
            "categories": list(self.categories),
            "published": self.published.isoformat(),
            "updated": self.updated.isoformat(),
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> FeedEntry:
        """The entry that :meth:`to_json` put in terms of JSON.

        Raises:
            StoreError: ``facts`` are not those of a feed entry.
        """
        try:
            typed = {
                "authors": tuple(FeedAuthor(**author) for author in facts["authors"]),
                "categories": tuple(facts["categories"]),
                "published": datetime.fromisoformat(facts["published"]),
                "updated": datetime.fromisoformat(facts["updated"]),
            }
            return cls(**{**facts, **typed})
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"A stored feed entry cannot be read: {error}. Publish its article again."
            ) from error


def render(article: Article, desk: Desk, templates: Templates) -> FeedEntry:
    """The entry of a published article; its content comes from ``templates/feed/content.html``.

    The template sees, besides what every template sees, ``language`` (the
    entry's BCP 47 tag), ``about`` (the authors of whom there is something to
    say) and ``uri(url)``, which gives a URL back as a URI, or None where it is
    not an http(s) one.

    Raises:
        TemplateError: the template is missing or broken.
        ValueError: the article was not given an id, a path or a time of publication.
    """
    if article.id is None or article.published is None:
        raise ValueError("an article that was not published has no feed entry")
    url = desk.url(article)
    language = _language(article, desk)
    about = introduced(article)
    content = templates.render(
        "feed/content.html", article, desk, language=language, about=about, uri=web_uri
    )
    title = one_line(article.headline) or url
    return FeedEntry(
        id=article.id,
        url=url,
        title=title,
        summary=first_words(article, SUMMARY_LENGTH) or shortened(title, SUMMARY_LENGTH),
        content_html=printable(content).strip(),
        authors=_authors(article),
        published=article.published.astimezone(UTC),
        updated=(article.updated or article.published).astimezone(UTC),
        language=language,
        categories=_unique([article.desk or desk.name, *article.keywords]),
        rights=one_line(desk.rights_for(article)),
        image=next((web_uri(image.src) for image in pictures(article)), None),
        standfirst=one_line(article.standfirst) or None,
    )


def teaser(entry: FeedEntry, desk: Desk, templates: Templates) -> FeedEntry:
    """What everybody may read of ``entry``, where the rest is for subscribers.

    Its content comes from ``templates/feed/teaser.html``, which sees ``entry`` and ``language``.

    Raises:
        TemplateError: the template is missing or broken.
    """
    standfirst = shortened(entry.standfirst or entry.title, SUMMARY_LENGTH)
    shown = replace(entry, summary=standfirst, content_html="", image=None)
    content = templates.render(
        "feed/teaser.html",
        None,
        replace(desk, language=entry.language),
        entry=shown,
        language=entry.language,
    )
    return replace(shown, content_html=printable(content))


def for_reader(entry: FeedEntry, desk: Desk) -> FeedEntry:
    """``entry`` as it stands in the feed of one subscriber, whose pages its address leads to.

    Args:
        desk: that of :meth:`Desk.for_reader`.
    """
    everybody = desk.for_reader(None).index_url
    if not entry.url.startswith(everybody):
        return entry  # published under another address of the site, which nobody is served at
    return replace(entry, url=desk.index_url + entry.url.removeprefix(everybody))


def _language(article: Article, desk: Desk) -> str:
    tag = (article.language or "").replace("_", "-")
    return tag if _LANGUAGE_TAG.fullmatch(tag) else desk.language


def _authors(article: Article) -> tuple[FeedAuthor, ...]:
    named = ((one_line(author.name), web_uri(author.url)) for author in article.byline)
    return tuple(FeedAuthor(name, url) for name, url in named if name)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names on one line each; of those that differ in letter case alone, the first."""
    kept: dict[str, str] = {}
    for name in map(one_line, names):
        if name:
            kept.setdefault(name.casefold(), name)
    return tuple(kept.values())
