"""Bytes of a finished article to an :class:`~dispatch.article.Article`.

Each reader is a module with ``read``; which one is right is told by what the
file holds. Adding a reader touches its own module and :func:`_reader_for`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from dispatch.article import Article, Note
from dispatch.errors import ArticleError, DispatchError
from dispatch.readers.publishers import Publishers


def read(data: bytes, name: str, publishers: Publishers | None = None) -> Article:
    """The article that a file holds.

    Args:
        data: the file, as it is.
        name: what to call the file in errors; its ending decides where the
            content leaves open which reader is right.
        publishers: what is known of publishers and desks; None: what ships.

    Raises:
        ArticleError: it holds no article that can be read. A sentence that
            names the file, the line or field where there is one, and what to do.
    """
    from dispatch.readers.text import clean, decode, note_entities

    text, decoding = decode(data, name)
    text, cleaning = clean(text)
    if not text.strip():
        raise ArticleError(f"{name} is empty. Put the article in it and try again.")
    try:
        article = _without_hidden(_reader_for(text, name, publishers)(text, name))
    except DispatchError as error:
        if name in str(error):
            raise
        raise ArticleError(f"{name}: {error}") from error
    except RecursionError as error:
        raise ArticleError(
            f"{name} nests lists, quotations or markup too deeply to be read. Simplify it."
        ) from error
    except Exception as error:
        raise ArticleError(
            f"{name} could not be read ({type(error).__name__}: {error}). "
            "Simplify what is unusual in it, or hand it in as plain text."
        ) from error
    entities = () if article.reader == "pasted" else note_entities(text)
    return replace(article, notes=(*decoding, *cleaning, *entities, *article.notes))


def _reader_for(
    text: str, name: str, publishers: Publishers | None
) -> Callable[[str, str], Article]:
    from dispatch.readers import markdown, pasted, webpage

    marked, page = markdown.looks_like(text), webpage.looks_like(text)
    ending = name.lower().rpartition(".")[2]
    if marked == page:
        marked, page = ending in ("md", "markdown", "mdown"), ending in ("html", "htm", "xhtml")
    if marked:
        return markdown.read
    return webpage.read if page else partial(pasted.read, publishers=publishers)


# Entities and escapes -----------------------------------------------------------------------------


def _without_hidden(article: Article) -> Article:
    """The article without hidden characters that entities or escapes put back into it."""
    cleaned = {
        field.name: _cleaned(getattr(article, field.name)) for field in dataclasses.fields(article)
    }
    changed = {key: value for key, value in cleaned.items() if value != getattr(article, key)}
    if not changed:
        return article
    message = "Removed characters that nobody can see or that change the direction of reading."
    notes = tuple(Note("warning", key, message) for key in changed)
    return replace(article, **{**changed, "notes": article.notes + notes})


def _cleaned(value: Any) -> Any:
    from dispatch.readers.text import clean, is_clean

    if isinstance(value, str):
        return value if is_clean(value) else clean(value)[0]
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _cleaned(getattr(value, f.name)) for f in dataclasses.fields(value)}
        )
    return value
