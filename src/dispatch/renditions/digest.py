"""The digest: several articles in one newsletter, a lead story and the others in short.

It is always for a mailing: personal, as ``email.py`` says of it. The lead story
has its picture and first paragraphs, the others a standfirst; all link to their
pages. A digest that would be clipped by mail programs names fewer stories, and
links to the desk's page, which has all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from dispatch.article import Article, Image, Note, Paragraph
from dispatch.desk import Desk
from dispatch.markup import block_text, inline_text, one_line, printable
from dispatch.renditions import email_text, slots
from dispatch.renditions.email import EmailRendition, clean_text, frame, recipient_of
from dispatch.renditions.email_bounds import bounded
from dispatch.renditions.extracts import first_words, pictures
from dispatch.renditions.inlining import inline_css
from dispatch.renditions.language import Language
from dispatch.renditions.plaintext import wrap
from dispatch.renditions.shortening import shortened
from dispatch.renditions.templates import Templates

_PREHEADER = 140
"""Characters; mail programs show 40 to 130 of them beside the subject."""
_WORDS = 280
_PARAGRAPHS = 2
_OPENING = 1500
"""Characters of the lead story's first paragraphs, beyond which one is not shown."""
_SMALLEST_STORY = 600
"""Bytes that no story takes less than: what cannot be in is not rendered to see."""


@dataclass(frozen=True, slots=True)
class Story:
    """One article of a digest, as the templates see it."""

    article: Article
    url: str
    lang: Language
    start: str
    """``left`` or ``right``: where its lines begin."""
    words: str
    """The standfirst, or the first words of the text."""
    picture: Image | None
    opening: tuple[Paragraph, ...]
    """The first paragraphs, where it is the lead story."""


def render(
    articles: Sequence[Article],
    desk: Desk,
    templates: Templates,
    *,
    subject: str | None = None,
    max_bytes: int = 100_000,
    readers: Iterable[str] = (),
    more: bool = False,
) -> EmailRendition:
    """The articles as one email, the first as the lead story.

    Args:
        articles: one at least, placed and published.
        templates: ``email/digest.html`` with what it includes, and ``email/digest.txt``.
        subject: None: the lead story's headline.
        max_bytes: the most that the HTML may have.
        readers: the languages of the mailing's readers; may be anything.
        more: whether the desk's page has articles beyond these that belong here.

    Raises:
        ValueError: there is no article, or one was not placed or not published.
        TemplateError: a template is broken, or puts a personal value where none can be.
        SettingsError: the colour of the desk cannot be used.
    """
    page = _Page(articles, desk, templates, subject, max_bytes, readers, more=more)
    html, shown = page.html(max_bytes)
    text = page.text(shown)
    placed = page.recipient.placed
    slots.check_html(html, placed, "email/digest.html")
    slots.check_text(text, placed, "email/digest.txt")
    notes = list(page.notes)
    if shown < len(articles):
        notes.append(
            Note(
                "warning",
                "digest",
                f"The digest has {shown} of the {len(articles)} articles: mail programs clip what "
                f"is over {max_bytes:,} bytes. Leave some out, or send two.",
            )
        )
    return EmailRendition(
        subject=page.subject,
        language=page.language.tag,
        html=html.encode(),
        text=text.encode(),
        eml=b"",
        notes=tuple(notes),
        placed=placed,
        translated=page.recipient.translated,
    )


class _Page:
    """The articles in the templates of the digest."""

    def __init__(
        self,
        articles: Sequence[Article],
        desk: Desk,
        templates: Templates,
        subject: str | None,
        max_bytes: int,
        readers: Iterable[str],
        *,
        more: bool,
    ) -> None:
        if not articles:
            raise ValueError("a digest of no articles")
        self.desk = desk
        self.templates = templates
        self.more = more
        found = [bounded(article, max_bytes) for article in articles]
        self.articles = [article for article, _ in found]
        self.notes = [note for _, notes in found for note in notes if note.level == "warning"]
        self.subject = one_line(subject) or one_line(self.articles[0].headline) or desk.name
        # What stands around the stories speaks their language, where they have one in common. It
        # is dated as the newest of them, and has the desk's rights line.
        self.whole = replace(
            self.articles[0],
            language=_common_language(self.articles, desk),
            published=max(map(_published, self.articles)),
            rights=None,
        )
        self.language = templates.language(self.whole, desk)
        self.recipient = recipient_of(articles, desk, templates, self.language, readers)
        self.values = frame(desk, templates, self.language, desk.index_url, self.recipient)

    def _render(self, name: str, shown: int, **values: object) -> str:
        stories = [self._story(article) for article in self.articles[:shown]]
        return self.templates.render(
            name,
            self.whole,
            self.desk,
            subject=self.subject,
            lead=stories[0],
            stories=stories[1:],
            cut=self.more or shown < len(self.articles),
            **self.values,
            **values,
        )

    def _story(self, article: Article) -> Story:
        language = self.templates.language(article, self.desk)
        return Story(
            article=article,
            url=self.desk.url(article),
            lang=language,
            start="right" if language.direction == "rtl" else "left",
            words=first_words(article, _WORDS),
            picture=next(iter(pictures(article)), None),
            opening=tuple(_opening(article)),
        )

    def html(self, max_bytes: int) -> tuple[str, int]:
        """The HTML with CSS inlined, and how many of the articles are in it."""
        shown = min(len(self.articles), max(1, max_bytes // _SMALLEST_STORY))
        others = " · ".join(article.headline for article in self.articles[1:])
        preheader = shortened(one_line(others), _PREHEADER)
        while True:
            html = inline_css(
                printable(self._render("email/digest.html", shown, preheader=preheader))
            )
            size = len(html.encode()) + self.recipient.most(partial(slots.room, html))
            if size <= max_bytes or shown == 1:
                return html, shown
            shown = max(1, min(shown - 1, shown * max_bytes // size))

    def text(self, shown: int) -> str:
        """The plain-text part, with the stories that the HTML has."""
        return clean_text(
            self._render(
                "email/digest.txt",
                shown,
                plain=lambda paragraph: inline_text(paragraph.html),
                wrapped=partial(wrap, columns=email_text.COLUMNS),
                underlined=email_text.underlined,
            )
        )


def _opening(article: Article) -> list[Paragraph]:
    """The first paragraphs, as far as they are of a length to be read in a digest."""
    room = _OPENING
    found: list[Paragraph] = []
    for block in article.body:
        if isinstance(block, Image) and not found:
            continue
        if not isinstance(block, Paragraph) or len(found) == _PARAGRAPHS:
            break
        room -= len(block_text(block))
        if room < 0:
            break
        found.append(block)
    return found


def _common_language(articles: Sequence[Article], desk: Desk) -> str:
    tags = {article.language or desk.language for article in articles}
    return tags.pop() if len(tags) == 1 else desk.language


def _published(article: Article) -> datetime:
    if article.published is None:
        raise ValueError("an article that was not published has no date")
    return article.published
