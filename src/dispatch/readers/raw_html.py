"""HTML in Markdown that would swallow what follows it: tags that are never closed.

``the <script> element`` in a sentence is text that its writer forgot to mark as
code. Read as HTML, all behind it would be a script and be gone. So HTML that
opens such an element counts as HTML only where the same block closes it again;
else it is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.errors import ArticleError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_RAW = frozenset({
    "iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp",
})  # fmt: skip
"""Elements in which tags are text, up to their own end."""
_TO_CLOSE = _RAW | {
    "applet", "audio", "button", "frameset", "head", "math", "noscript", "pre", "rp", "select",
    "svg", "template", "video",
}  # fmt: skip
"""Elements that are left out with all they hold, or that change what all they hold is."""
_ENDLESS = "plaintext"
"""Whatever follows this tag stands inside of it."""

# No *+ behind the attributes: Python 3.11.2 (Debian 12) does not give back what the last try took.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>\"'<=`]*+)"
    r"(?:[\s/]*+[^\s/>\"'<=`]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+)*"
    r"(?P<gap>[\s/]*+)>"
)
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_MAX_REREAD = 5_000_000
"""Characters of blocks that turn out to be no HTML and are read again."""


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    is_end: bool
    is_empty: bool
    """Whether it closes itself: ``<video src="…"/>``."""


def install(parser: MarkdownIt) -> None:
    """Makes ``parser`` take HTML for a block only where nothing in it is left open.

    What is no such block is a paragraph, whose tags are then to go through
    :func:`without_unclosed`. Parsing raises ArticleError where too much is
    opened and never closed.
    """
    from markdown_it.rules_block import html_block

    def whole_html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        line = state.line
        if not html_block(state, start, end, silent):
            return False
        if silent:
            html_block(state, start, end, False)
        block = state.tokens.pop()
        if _is_whole(block.content):
            if silent:
                state.line = line
            else:
                state.tokens.append(block)
            return True
        state.line = line
        _count_reread(state, len(block.content))
        return False

    interrupts = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("html_block", whole_html_block, {"alt": interrupts})


def _count_reread(state: StateBlock, length: int) -> None:
    reread = state.env["reread"] = state.env.get("reread", 0) + length
    if reread > _MAX_REREAD:
        raise ArticleError(
            "Too many HTML tags are opened and never closed. Close them, or write `<tag>` with "
            "backticks for a tag that is meant as text."
        )


def without_unclosed(children: Sequence[Token]) -> list[str]:
    """Makes text of the tags in a run of text that open what it does not close.

    Comments go, since parsers do not agree on where they end. Returns the tags
    that are text now, as they were written.
    """
    found: list[tuple[Token, _Tag]] = []
    for token in children:
        if token.type != "html_inline":
            continue
        if tag := _TAG.fullmatch(token.content):
            found.append((token, _read(tag)))
        else:
            token.content = ""
    unclosed = [found[n][0] for n in sorted(_unclosed([tag for _, tag in found]))]
    for token in unclosed:
        token.type = "text"
    return [token.content for token in unclosed]


def _is_whole(html: str) -> bool:
    """Whether every tag and comment in ``html`` has its end, and what must be closed is."""
    tags: list[_Tag] = []
    at = 0
    while found := _MARKUP.search(html, at):
        start = found.start()
        if html.startswith(("<!", "<?"), start):
            end = _comment_end(html, start)
        else:
            end = _tag_end(html, start, tags)
        if end is None:
            return False
        at = end
    return not _unclosed(tags)


def _comment_end(html: str, start: int) -> int | None:
    """Where a comment or declaration ends; None where it does not, or parsers do not agree."""
    if not html.startswith("<!--", start):
        return html.find(">", start) + 1 or None
    end = html.find("-->", start + 4)
    if end < 0 or html.startswith((">", "->"), start + 4) or "--!>" in html[start:end]:
        return None
    return end + 3


def _tag_end(html: str, start: int, tags: list[_Tag]) -> int | None:
    """Takes the tag at ``start`` into ``tags``; where what it holds as mere text ends."""
    found = _TAG.match(html, start)
    if found is None:
        return None
    tag = _read(found)
    tags.append(tag)
    if tag.is_end or tag.is_empty or tag.name not in _RAW:
        return found.end()
    closing = re.compile(rf"</{tag.name}(?=[\s/>])", re.IGNORECASE).search(html, found.end())
    if closing is None:
        return None
    comment = html.find("<!--", found.end(), closing.start())
    if comment >= 0 and "<script" in html[comment : closing.start()].lower():
        return None  # a script in a comment in a script, which takes an end of its own
    return closing.start()


def _read(found: re.Match[str]) -> _Tag:
    return _Tag(found["name"].lower(), bool(found["end"]), found["gap"].endswith("/"))


def _unclosed(tags: Sequence[_Tag]) -> set[int]:
    """Which of the tags open an element that is to be closed and is not, or not in its turn."""
    last_end = {tag.name: n for n, tag in enumerate(tags) if tag.is_end}
    opened: list[int] = []
    unclosed: set[int] = set()
    inside_raw = ""
    for n, tag in enumerate(tags):
        if inside_raw:
            if tag.is_end and tag.name == inside_raw:
                inside_raw = ""
        elif tag.is_end:
            if opened and tags[opened[-1]].name == tag.name:
                opened.pop()
        elif tag.name == _ENDLESS:
            unclosed.add(n)
        elif tag.name in _TO_CLOSE and not tag.is_empty:
            if last_end.get(tag.name, -1) < n:
                unclosed.add(n)
            elif tag.name in _RAW:
                inside_raw = tag.name
            else:
                opened.append(n)
    return unclosed.union(opened)
