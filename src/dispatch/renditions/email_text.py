"""The email's plain-text part: blocks set in lines of 72 columns, links numbered."""

from __future__ import annotations

from collections.abc import Iterable

from dispatch.article import Embed, Image
from dispatch.renditions.plaintext import width, wrap
from dispatch.renditions.textblocks import BlockSetter

COLUMNS = 72


class Links:
    """The addresses that a text refers to, numbered from 1 in the order of their first mention."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __iter__(self) -> Iterable[str]:
        return iter(self._numbers)

    def cited(self, text: str, url: str | None) -> str:
        """``text`` with the number of ``url`` behind it, such as ``the report [2]``."""
        if not url or text.strip() in (url, url.removeprefix("mailto:").removeprefix("tel:")):
            return text
        number = self._numbers.setdefault(url, len(self._numbers) + 1)
        return f"{text} [{number}]"


class TextSetter(BlockSetter):
    """Sets the email's blocks as lines.

    Args:
        links: where the addresses are collected.
        label: of an image, with ``%(text)s`` for what is known of it.
    """

    columns = COLUMNS
    dateline_dash = "—"
    dash = "—"
    quoted = "> "
    code_indent = "    "

    def __init__(self, links: Links, label: str) -> None:
        self.links = links
        self.label = label

    def cite(self, text: str, url: str) -> str:
        return self.links.cited(text, url)

    def crosshead(self, text: str, columns: int) -> str:
        return underlined(text, "-", columns)

    def embed(self, block: Embed, columns: int) -> str:
        shown = self.links.cited(block.title, block.url) if block.title else block.url
        return self.wrapped(shown, columns)

    def image(self, block: Image, columns: int) -> str:
        caption = self.inline(block.caption) if block.caption else ""
        alt = block.alt if block.alt != caption else ""
        said = " — ".join(part for part in (alt, caption) if part)
        said = f"{said} ({block.credit})" if block.credit else said
        shown = self.label % {"text": said.strip()}
        return self.wrapped(f"[{shown}]", columns) if said.strip() else ""


def underlined(text: str, mark: str, columns: int = COLUMNS) -> str:
    """``text`` with a line of ``mark`` under it, as long as its longest line."""
    lines = wrap(text, columns).split("\n")
    return "\n".join([*lines, mark * min(max(map(width, lines)), columns)])
