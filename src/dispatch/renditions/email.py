"""The newsletter: an HTML email, its plain-text part, and both as one message.

The HTML stays below the size at which mail programs clip a message (Gmail:
102 KB). An article that is too long is cut at a block's end and continues on
the web. CSS is inlined once, over no more blocks than could fit at all: what
every block takes is then known to the byte.

A *personal* rendition is for a mailing: it greets its reader, and holds marks
(``slots.py``) where each copy will differ. The article stays in its language;
what is said to the reader is in the reader's (:meth:`EmailRendition.spoken`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256

from markupsafe import Markup

from dispatch.article import Article, Block, Crosshead, Image, Note, Paragraph, Rule
from dispatch.desk import Desk
from dispatch.markup import is_web_url, one_line, printable
from dispatch.renditions import email_text, message, slots
from dispatch.renditions.colour import legible
from dispatch.renditions.email_bounds import bounded
from dispatch.renditions.extracts import dateline_apart, first_words
from dispatch.renditions.inlining import inline_css
from dispatch.renditions.language import Language
from dispatch.renditions.plaintext import wrap
from dispatch.renditions.recipient import Reader, Recipient
from dispatch.renditions.slots import Slot, Slots
from dispatch.renditions.templates import Templates

# Text stands on the card and on panels; the accent has to be legible on either, in both schemes.
_GROUNDS = {
    "paper": "#ffffff",
    "panel": "#f7f5f0",
    "night_paper": "#1b1a18",
    "night_panel": "#262421",
}

_PREHEADER = 140
"""Characters; mail programs show 40 to 130 of them beside the subject."""


@dataclass(frozen=True, slots=True)
class EmailRendition:
    """One newsletter as an email."""

    subject: str
    language: str
    """BCP 47."""
    html: bytes
    """UTF-8, CSS inlined."""
    text: bytes
    """UTF-8, lines of at most 72 columns but for longer words."""
    eml: bytes
    """The message, RFC 5322 and MIME, ASCII with CRLF; empty where it is personal."""
    notes: tuple[Note, ...]
    placed: Mapping[str, Slot] = field(default_factory=dict)
    """The marks in the HTML and the text where it is personal, and what they stand for."""
    translated: Mapping[str, Mapping[str, Slot]] = field(default_factory=dict)
    """By each other language that readers are spoken to in, the marks that say it in that one."""

    def spoken(self, tag: str) -> EmailRendition:
        """The rendition for readers who are spoken to in this one of ``translated``."""
        return replace(self, placed={**self.placed, **self.translated[tag]}, translated={})


def render(
    article: Article,
    desk: Desk,
    templates: Templates,
    *,
    max_bytes: int = 100_000,
    personal: bool = False,
    readers: Iterable[str] = (),
) -> EmailRendition:
    """The article as an email.

    Args:
        article: placed and published.
        templates: ``email/article.html`` with what it includes, ``email/block.html``,
            ``email/continue.html``, ``email/article.txt``.
        max_bytes: the most that the HTML may have.
        personal: whether it is for a mailing. If not, it is nobody's: without a greeting, and
            with links that are the same for everyone.
        readers: the languages of a mailing's readers; may be anything.

    Raises:
        ValueError: the article was not placed or not published.
        TemplateError: a template is broken, or puts a personal value where none can be.
        SettingsError: an address or the colour of the desk cannot be used.
    """
    if article.published is None:
        raise ValueError("an article that was not published has no date")
    smaller, notes = bounded(article, max_bytes)
    page = _Page(smaller, desk, templates, personal=personal, readers=readers)
    html, shown = page.html(max_bytes)
    text = page.text(shown)
    recipient = page.recipient
    placed, translated = (recipient.placed, recipient.translated) if recipient else ({}, {})
    if placed:
        slots.check_html(html, placed, "email/article.html")
        slots.check_text(text, placed, "email/article.txt")
    subject = one_line(smaller.headline) or desk.name
    language = page.language.tag
    html_bytes, text_bytes = html.encode(), text.encode()
    eml = b""
    if not personal:
        eml = message.compose(
            smaller, desk, subject=subject, language=language, text=text_bytes, html=html_bytes
        )
    notes += _size_notes(shown, len(article.body), len(html_bytes), max_bytes)
    return EmailRendition(
        subject, language, html_bytes, text_bytes, eml, tuple(notes), placed, translated
    )


def recipient_of(
    articles: Sequence[Article],
    desk: Desk,
    templates: Templates,
    language: Language,
    readers: Iterable[str],
) -> Recipient:
    """The reader of a newsletter in ``language`` with these articles, whoever it will be."""
    return Recipient(
        Slots.of(articles, desk),
        language,
        templates.spoken(language),
        templates.readers(readers, language),
    )


def frame(
    desk: Desk, templates: Templates, language: Language, url: str, recipient: Recipient | None
) -> dict[str, object]:
    """What every newsletter's templates use beyond article and desk; article.html lists it.

    Args:
        url: where the newsletter stands on the web for everyone.
        recipient: None where it is nobody's.
    """
    rtl = language.direction == "rtl"
    unsubscribe_url, preferences_url, browser_url = (
        (recipient.unsubscribe_url, recipient.preferences_url, recipient.browser_url)
        if recipient
        else (message.unsubscribe_url(desk), message.preferences_url(desk), url)
    )
    return {
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        **_GROUNDS,
        "accent": legible(desk.accent, _GROUNDS["panel"]),
        "night_accent": legible(desk.accent, _GROUNDS["night_panel"]),
        "link": lambda url: url if url and is_web_url(url) else None,
        "url": url,
        "browser_url": browser_url,
        "preferences_url": preferences_url,
        "unsubscribe_url": unsubscribe_url,
        "recipient": recipient,
        "reader": Reader(language, templates.spoken(language), recipient),
    }


def clean_text(text: str) -> str:
    """A plain-text part as it is sent: no blanks at line ends, no empty lines around it."""
    lines = [line.rstrip() for line in printable(text).split("\n")]
    return "\n".join(lines).strip("\n") + "\n"


def _size_notes(shown: int, blocks: int, size: int, max_bytes: int) -> Iterable[Note]:
    if shown < blocks:
        yield Note(
            "info",
            "email",
            f"The email holds the first {shown} of {blocks} blocks and links to the rest: "
            f"mail programs clip what is over {max_bytes:,} bytes.",
        )
    if size > max_bytes:
        yield Note(
            "warning",
            "email",
            f"The email has {size:,} bytes even without most of the body; mail programs clip "
            f"what is over {max_bytes:,}. Shorten what stands around the body.",
        )


class _Page:
    """One article in the templates of the email."""

    def __init__(
        self,
        article: Article,
        desk: Desk,
        templates: Templates,
        *,
        personal: bool,
        readers: Iterable[str],
    ) -> None:
        self.article = article
        self.desk = desk
        self.templates = templates
        self.language = templates.language(article, desk)
        self.recipient = (
            recipient_of([article], desk, templates, self.language, readers) if personal else None
        )
        self.values = frame(desk, templates, self.language, desk.url(article), self.recipient)
        self.values["place"] = dateline_apart(article)

    def _render(self, name: str, **values: object) -> str:
        return self.templates.render(name, self.article, self.desk, **self.values, **values)

    def html(self, max_bytes: int) -> tuple[str, int]:
        """The HTML with CSS inlined, and how many blocks of the body are in it."""
        body = self.article.body
        lead = body[0] if body and isinstance(body[0], Image) else None
        before = 1 if lead else 0
        blocks = self._blocks(body[before:], max_bytes)
        # A comment that no article can contain parts the blocks, through the inlining.
        mark = f"<!--{sha256(printable(''.join(blocks)).encode()).hexdigest()}-->"
        document = self._render(
            "email/article.html",
            lead=lead,
            preheader=first_words(self.article, _PREHEADER),
            body=Markup(mark.join(["", *blocks, self._render("email/continue.html"), ""])),  # noqa: S704 - escaped by the templates
        )
        parts = inline_css(printable(document)).split(mark)
        if len(parts) != len(blocks) + 3:  # the newsroom's own template does not print body once
            return "".join(parts), before + len(blocks)
        top, *inlined, button, bottom = parts
        room = max_bytes - self._size(top) - self._size(bottom)
        if before + len(blocks) == len(body) and sum(map(_size, inlined)) <= room:
            return "".join([top, *inlined, bottom]), len(body)
        count = _fitting(body[before:], map(_size, inlined), room - _size(button))
        return "".join([top, *inlined[:count], button, bottom]), before + count

    def _blocks(self, blocks: Sequence[Block], max_bytes: int) -> list[str]:
        """The HTML of the first blocks, before inlining: all that could fit, and no more."""
        dateline = self.article.dateline
        rendered: list[str] = []
        for block in blocks:
            opening = dateline if isinstance(block, Paragraph) else None
            html = self._render("email/block.html", block=block, dateline=opening)
            max_bytes -= len(html)
            if max_bytes < 0:
                break
            dateline = None if opening else dateline
            rendered.append(html)
        return rendered

    def text(self, shown: int) -> str:
        """The plain-text part, with as much of the body as the HTML has."""
        links = email_text.Links()

        def body(image: str) -> str:
            setter = email_text.TextSetter(links, image)
            return setter.set(self.article.body[:shown], self.article.dateline)

        text = self._render(
            "email/article.txt",
            body=body,
            cut=shown < len(self.article.body),
            cited=links.cited,
            links=links,
            wrapped=partial(wrap, columns=email_text.COLUMNS),
            underlined=email_text.underlined,
        )
        return clean_text(text)

    def _size(self, html: str) -> int:
        """Of what is the same for everyone, and what the rest may take at most."""
        personal = self.recipient.most(partial(slots.room, html)) if self.recipient else 0
        return _size(html) + personal


def _fitting(blocks: Sequence[Block], sizes: Iterable[int], room: int) -> int:
    """How many blocks fit; the last is never one that only announces the next."""
    count = 0
    for size in sizes:
        room -= size
        if room < 0:
            break
        count += 1
    while count and isinstance(blocks[count - 1], Crosshead | Rule):
        count -= 1
    return count


def _size(html: str) -> int:
    return len(html.encode())
