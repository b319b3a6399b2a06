"""What more than one rendition takes out of an article, so that all say the same."""

from __future__ import annotations

from dataclasses import replace

from dispatch.article import Article, Author, Image, Paragraph
from dispatch.markup import block_text, one_line
from dispatch.renditions.addresses import web_uri
from dispatch.renditions.shortening import shortened


def first_words(article: Article, length: int) -> str:
    """The standfirst, else the first paragraph, else the first words of the body, on one line.

    At most ``length`` characters; empty where there is no word beside the headline.
    """
    paragraphs = (block for block in article.body if isinstance(block, Paragraph))
    texts = (block_text(block) for block in (*paragraphs, *article.body))
    candidates = map(one_line, (article.standfirst or "", *texts))
    return shortened(next(filter(None, candidates), ""), length)


def teaser(article: Article) -> Article:
    """What everybody may read of an article that is for subscribers: no word of its text.

    Templates get no more than this, so that none can show more, whoever wrote it.
    """
    byline = tuple(Author(author.name, url=author.url) for author in article.byline)
    return replace(
        article,
        body=(),
        byline=byline,
        sources=(),
        editors_note=None,
        corrections=(),
        extra=(),
        notes=(),
    )


def pictures(article: Article) -> list[Image]:
    """The pictures of the body that the web can show; those inside other blocks do not count."""
    return [block for block in article.body if isinstance(block, Image) and web_uri(block.src)]


def introduced(article: Article) -> list[Author]:
    """The authors of whom there is something to say."""
    return [author for author in article.byline if author.role or author.bio]


def dateline_apart(article: Article) -> str | None:
    """The dateline that no paragraph carries, or None."""
    carried = any(isinstance(block, Paragraph) for block in article.body)
    return None if carried else article.dateline
