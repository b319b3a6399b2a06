"""Reading one article as the settings have it, without publishing it."""

from __future__ import annotations

from dispatch import readers
from dispatch.article import Article
from dispatch.newsroom import sources
from dispatch.readers.publishers import Publishers
from dispatch.settings import Settings


def read_article(name: str, settings: Settings, publishers: Publishers | None = None) -> Article:
    """The article in the file ``name`` (``-``: standard input).

    Raises:
        ArticleError: it cannot be read, or not understood.
    """
    data = sources.read(name, settings.max_article_bytes)
    known = publishers or Publishers.load(settings.publishers)
    return readers.read(data, sources.label(name), known)
