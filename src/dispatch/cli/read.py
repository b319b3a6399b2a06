"""``dispatch read``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dispatch.cli import talk

if TYPE_CHECKING:
    from dispatch.article import Article


@click.command(
    epilog="""\b
Examples:
  dispatch read article.txt
  dispatch read page.html --json | jq .sources"""
)
@click.argument("article", metavar="ARTICLE")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@talk.debug_option
def read(article: str, as_json: bool) -> None:
    """Show what is understood of an article; writes nothing.

    ARTICLE is a file, or - for standard input.
    """
    from dispatch import article_json
    from dispatch.newsroom.reading import read_article

    understood = read_article(article, talk.load_settings())
    if as_json:
        talk.print_json(article_json.summary(understood))
    else:
        _print(understood)


def _print(article: Article) -> None:
    from dispatch import markup

    authors = "; ".join(
        ", ".join(part for part in (a.name, a.role, a.desk and f"{a.desk} desk") if part)
        for a in article.byline
    )
    rows = {
        "read as": article.reader,
        "headline": article.headline,
        "standfirst": article.standfirst,
        "byline": authors,
        "desk": article.desk,
        "language": article.language,
        "dateline": article.dateline,
        "published": article.published and article.published.isoformat(),
        "updated": article.updated and article.updated.isoformat(),
        "embargo": article.embargo and article.embargo.isoformat(),
        "slug": article.slug,
        "keywords": ", ".join(article.keywords),
    }
    for name, value in rows.items():
        talk.say(f"{name:<12}{talk.printable(value or '–')}")
    for author in article.byline:
        if author.bio:
            talk.say(f"{'about':<12}{talk.printable(f'{author.name}: {author.bio}')}")
    talk.say(f"{'body':<12}{len(article.body)} blocks")
    for block in article.body:
        text = markup.block_text(block).replace("\n", " ⏎ ")
        shown = text if len(text) <= 76 else text[:75] + "…"
        talk.say(f"  {block.kind:<12}{talk.printable(shown)}")
    talk.say(f"{'sources':<12}{len(article.sources)}")
    for source in article.sources:
        publisher = source.publisher or "(publisher not told apart)"
        parts = (publisher, source.title, source.url or "no address")
        talk.say("  " + talk.printable(" | ".join(parts)))
    for note in article.notes:
        talk.say(talk.note(note, ""))
