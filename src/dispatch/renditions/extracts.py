"""What more than one rendition takes out of an article, so that all say the same."""

from __future__ import annotations

from dispatch.article import Article, Paragraph


def dateline_apart(article: Article) -> str | None:
    """The dateline that no paragraph carries, or None."""
    carried = any(isinstance(block, Paragraph) for block in article.body)
    return None if carried else article.dateline
