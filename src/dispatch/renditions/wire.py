"""The wire copy: an article as plain text, in the form that a partner's wire desk takes.

Two profiles of one template, ``templates/wire/copy.txt``: UTF-8 with the text
as written, and ASCII for old receivers, with an account of what that changed.
Lines end in LF, hold no tabs and no trailing blanks, and are set to 69 columns
of display width; only a longer word, such as a URL, and lines of program code
are wider.

Whatever comes from the article stands behind a label or an indent. A line that
starts in the first column is the desk's own, so no text can pass for a label,
the end mark or the notes. The labels are English in every language: they are
the form, which receivers' people and programs know, not part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from dispatch.article import Article, Block, Embed, Image, Note
from dispatch.desk import Desk
from dispatch.markup import block_text
from dispatch.renditions.addresses import ascii_url
from dispatch.renditions.extracts import dateline_apart
from dispatch.renditions.plaintext import clean, wrap
from dispatch.renditions.templates import Templates
from dispatch.renditions.textblocks import BlockSetter, indented
from dispatch.renditions.transliteration import Transliterator, described

COLUMNS = 69
"""The width of a wire's line."""
ROUTINE = 4
"""The priority of an article that names none, from 1 (flash) to 6 (feature)."""

_INDENT = "   "
_LABEL = " " * 12
_KINDS_IN_NOTE = 8

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905 - as spoken
_WEEKDAYS = "MON TUE WED THU FRI SAT SUN".split()  # noqa: SIM905

# Scripts that part no words: Thai, Lao, Burmese, Khmer, kana and Han.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class WireCopy:
    """One article as wire copy, in both profiles."""

    utf8: bytes
    ascii: bytes
    notes: tuple[Note, ...]


def render(article: Article, desk: Desk, templates: Templates) -> WireCopy:
    """The article as wire copy.

    Args:
        article: placed and published.
        templates: ``wire/copy.txt``; its head says what it can use.

    Raises:
        ValueError: the article was not placed or not published.
        TemplateError: the template is missing or broken.
    """
    ascii_text, changes = _ascii_copy(article, desk, templates)
    return WireCopy(
        utf8=_copy(article, desk, templates, _Setter()).encode("utf-8", "replace"),
        ascii=ascii_text.encode("ascii"),
        notes=tuple(_notes(changes)),
    )


def _ascii_copy(
    article: Article, desk: Desk, templates: Templates
) -> tuple[str, list[tuple[str, str, int]]]:
    """The copy in ASCII, and what changed: known when all is set, so that it is set once more."""
    language = article.language or desk.language
    transliterator = Transliterator(language)
    text = _copy(article, desk, templates, _Setter(transliterator))
    changes = transliterator.changes()
    if changes:
        text = _copy(article, desk, templates, _Setter(Transliterator(language)), changes)
    return text, changes


def _copy(
    article: Article,
    desk: Desk,
    templates: Templates,
    setter: _Setter,
    changes: Sequence[tuple[str, str, int]] = (),
) -> str:
    filed = article.updated or article.published
    if article.slug is None or filed is None:
        raise ValueError("an article that was not published cannot be filed")
    body = setter.body(article.body, article.dateline)
    text = templates.render(
        "wire/copy.txt",
        article,
        desk,
        line=setter.line,
        para=setter.para,
        numbered=setter.numbered,
        body=body,
        links=setter.links,
        pictures=setter.pictures,
        slugline=slugline(article.slug),
        priority=article.priority or ROUTINE,
        version=article.version or 1,
        length=length(article.body),
        filed=date_time_group(filed),
        embargo=_moment(article.embargo, desk.timezone) if article.embargo else None,
        place=dateline_apart(article),
        url=desk.url(article),
        changes=[described(*change) for change in changes],
    )
    return _finished(setter.written(text))


def slugline(slug: str) -> str:
    """``harbour-talks`` as ``HARBOUR TALKS``, the same to the letter in every version."""
    return slug.replace("-", " ").upper()


def date_time_group(time: datetime) -> str:
    """Day, hour, minute and zone as wires write them: ``041005Z OCT 26``."""
    utc = time.astimezone(UTC)
    return f"{utc:%d%H%M}Z {_MONTHS[utc.month - 1]} {utc:%y}"


def length(blocks: Iterable[Block]) -> str:
    """How long the body is: ``812 words``, or characters where a script parts no words.

    Pictures and embedded things do not count.
    """
    text = "\n".join(block_text(b) for b in blocks if not isinstance(b, Image | Embed))
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    characters = sum(map(len, words))
    if 2 * len(_WITHOUT_SPACES.findall(text)) > characters:
        return f"{characters} characters"
    return f"{len(words)} word{'' if len(words) == 1 else 's'}"


def _moment(time: datetime, zone: tzinfo) -> str:
    """A time that nobody misreads: in the desk's zone, and as a date-time group."""
    local = time.astimezone(zone)
    day = f"{_WEEKDAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{local:%H:%M %Z}, {day} ({date_time_group(time)})"


def _notes(changes: Sequence[tuple[str, str, int]]) -> Iterable[Note]:
    if not changes:
        return
    total = sum(count for _, _, count in changes)
    commonest = sorted(changes, key=lambda change: -change[2])[:_KINDS_IN_NOTE]
    shown = "; ".join(described(*change) for change in commonest)
    more = len(changes) - len(commonest)
    yield Note(
        "info",
        "wire",
        f"Written otherwise in the ASCII copy (total: {total}): {shown}"
        f"{f'; more kinds: {more}' if more else ''}. Its notes to editors list them all.",
    )


def _finished(text: str) -> str:
    """The copy without trailing blanks, without tabs, and never two empty lines on end."""
    lines = "\n".join(clean(line).expandtabs(4).rstrip() for line in text.split("\n"))
    return re.sub("\n{3,}", "\n\n", lines).strip("\n") + "\n"


class _Setter(BlockSetter):
    """Sets one copy in lines, and collects what its notes list: links and pictures.

    Args:
        transliterator: what writes the text in ASCII; None: text stays as written.
    """

    columns = COLUMNS - len(_INDENT)  # the body stands behind it
    dateline_dash = "-"
    dash = "--"
    quoted = _INDENT
    code_indent = _INDENT

    def __init__(self, transliterator: Transliterator | None = None) -> None:
        self._transliterator = transliterator
        self._links: dict[str, str] = {}
        self.pictures: list[tuple[str, str]] = []

    @property
    def links(self) -> list[tuple[str, str]]:
        """Text and address of what the body links to, in order, each address once."""
        return [(text, url) for url, text in self._links.items()]

    def written(self, text: str) -> str:
        return self._transliterator.write(text) if self._transliterator else text

    def line(self, label: str, text: object) -> str:
        """A label in capitals and what it says, which stays right of the label."""
        return wrap(self.written(str(text)), COLUMNS, f"{label}:".ljust(len(_LABEL)), _LABEL)

    def para(self, text: str) -> str:
        return wrap(self.written(text), COLUMNS, _INDENT)

    def numbered(self, number: int, text: str, url: str | None = None) -> str:
        """An item of a list in the notes, with its address on a line of its own."""
        mark = f"{_INDENT}{number}. "
        below = " " * len(mark)
        lines = [wrap(self.written(text), COLUMNS, mark, below)] if text else []
        if url:
            address = ascii_url(url) if self._transliterator else url
            lines.append(wrap(address, COLUMNS, below if lines else mark, below))
        return "\n".join(lines)

    def body(self, blocks: Iterable[Block], dateline: str | None) -> str:
        return indented(self.set(blocks, dateline), _INDENT)

    def cite(self, text: str, url: str) -> str:
        bare = re.sub("^(?:https?://|mailto:|tel:)", "", url)
        if text.strip() not in (url, bare) or not text.isascii():
            self._links.setdefault(url, text)
        return text

    def crosshead(self, text: str, columns: int) -> str:
        return self.wrapped(f"- {text} -", columns)

    def embed(self, block: Embed, columns: int) -> str:
        self.cite(block.title or "Embedded in the text", block.url)
        return self.wrapped(f"[Embedded: {block.title or block.url}]", columns)

    def image(self, block: Image, columns: int) -> str:
        caption = self.inline(block.caption) if block.caption else block.alt or ""
        credit = f" ({block.credit})" if block.credit else ""
        shown = f"{caption}{credit}".strip()
        self.pictures.append((shown, block.src))
        return self.wrapped(f"[Picture: {shown}]", columns) if shown else ""
