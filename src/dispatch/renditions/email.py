"""The newsletter: an HTML email, its plain-text part, and both as one message.

The HTML stays below the size at which mail programs clip a message (Gmail:
102 KB). An article that is too long is cut at a block's end and continues on
the web. CSS is inlined once, over no more blocks than could fit at all: what
every block takes is then known to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from markupsafe import Markup

from dispatch.article import Article, Block, Crosshead, Image, Note, Paragraph, Rule
from dispatch.desk import Desk
from dispatch.markup import is_web_url, one_line, printable
from dispatch.renditions import email_text, message
from dispatch.renditions.colour import legible
from dispatch.renditions.email_bounds import bounded
from dispatch.renditions.extracts import dateline_apart, first_words
from dispatch.renditions.inlining import inline_css
from dispatch.renditions.plaintext import wrap
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
    """One article as an email."""

    subject: str
    html: bytes
    """UTF-8, CSS inlined."""
    text: bytes
    """UTF-8, lines of at most 72 columns but for longer words."""
    eml: bytes
    """The message, RFC 5322 and MIME, ASCII with CRLF."""
    notes: tuple[Note, ...]


def render(
    article: Article, desk: Desk, templates: Templates, *, max_bytes: int = 100_000
) -> EmailRendition:
    """The article as an email.

    Args:
        article: placed and published.
        templates: ``email/article.html`` with what it includes, ``email/block.html``,
            ``email/continue.html``, ``email/article.txt``.
        max_bytes: the most that the HTML may have.

    Raises:
        ValueError: the article was not placed or not published.
        TemplateError: a template is broken.
        SettingsError: an address or the colour of the desk cannot be used.
    """
    if article.published is None:
        raise ValueError("an article that was not published has no date")
    smaller, notes = bounded(article, max_bytes)
    page = _Page(smaller, desk, templates)
    html, shown = page.html(max_bytes)
    data = html.encode()
    text = page.text(shown).encode()
    subject = one_line(smaller.headline) or desk.name
    eml = message.compose(
        smaller, desk, subject=subject, language=page.language.tag, text=text, html=data
    )
    notes += _size_notes(shown, len(article.body), len(data), max_bytes)
    return EmailRendition(subject, data, text, eml, tuple(notes))


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

    def __init__(self, article: Article, desk: Desk, templates: Templates) -> None:
        self.article = article
        self.desk = desk
        self.templates = templates
        self.language = templates.language(article, desk)
        self.values = self._values()

    def _values(self) -> dict[str, object]:
        """What the templates use beyond article and desk; templates/email/article.html lists it."""
        article, desk = self.article, self.desk
        rtl = self.language.direction == "rtl"
        return {
            "start": "right" if rtl else "left",
            "end": "left" if rtl else "right",
            **_GROUNDS,
            "accent": legible(desk.accent, _GROUNDS["panel"]),
            "night_accent": legible(desk.accent, _GROUNDS["night_panel"]),
            "place": dateline_apart(article),
            "link": lambda url: url if url and is_web_url(url) else None,
            "url": desk.url(article),
            "unsubscribe_url": message.unsubscribe_url(desk),
            "preferences_url": message.preferences_url(desk),
        }

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
        room = max_bytes - _size(top) - _size(bottom)
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
        lines = [line.rstrip() for line in printable(text).split("\n")]
        return "\n".join(lines).strip("\n") + "\n"


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
