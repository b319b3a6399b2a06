"""Markdown with front matter: CommonMark with tables, footnotes and strikethrough.

HTML in it is read as HTML, unless it would swallow the text that follows (see
``raw_html.py``). Without a headline in the front matter, the first
``# heading`` is the headline; a paragraph wholly in emphasis right below it is
the standfirst.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from dispatch import markup
from dispatch.article import Article, Block, Note
from dispatch.errors import ArticleError
from dispatch.readers import front_matter, raw_html
from dispatch.readers.dropped import Dropped
from dispatch.readers.embargoes import refuse_embargo_lines
from dispatch.readers.fields import read as read_fields

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MAX_NESTING = 40
"""Blocks and brackets: the parser reads no further, and its time grows with it."""
_MAX_BRACKETS = 1_000_000
"""The sum of how deep each opening bracket stands in others, and of the lengths of what may be
names of footnotes: the parser's time grows with it."""
_SHOWN_TAGS = 3
_MAX_REPEATED = 1_000_000
"""Characters of addresses and titles beyond those of the text: a definition can be used often."""


def looks_like(text: str) -> bool:
    """Whether ``text`` is Markdown beyond doubt: plain text must not be taken for it."""
    if front_matter.has_fences(text):
        return True
    start = text.lstrip("\n")[:20_000]
    if re.match(r"# \S", start):
        return True
    signs = (
        r"^#{2,6} \S",
        r"^(?:```|~~~)",
        r"\[[^\[\]\n]{1,200}\]\((?:https?:|mailto:|/|#)[^()\s]{0,500}\)",
        r"(?<!\*)\*\*[^\s*][^*\n]{0,200}\*\*(?!\*)",
        r"^\|(?: *:?-{2,}:? *\|)+ *$",
        r"^\[\^\w{1,20}\]: ",
        r"^ ? ?> \S",
    )
    return sum(bool(re.search(sign, start, re.MULTILINE)) for sign in signs) >= 2


def read(text: str, name: str) -> Article:
    """The article in a Markdown file.

    Args:
        text: clean, with ``\\n`` as its only line end.
        name: the file, for errors.

    Raises:
        ArticleError: broken front matter, a field that makes no sense, no
            headline, no text, an embargo that is not in the front matter, or
            markup beyond bounds.
    """
    front = front_matter.read(text, name)
    facts = read_fields(front.fields, name)
    notes: list[Note] = []
    tokens, footnotes = _parse(front.body, name, notes)
    headline, standfirst = facts.headline, facts.standfirst
    found = _first_heading(tokens, facts.headline)
    if found is not None:
        heading, at = found
        headline = headline or heading
        del tokens[at : at + 3]
        if facts.headline is None and standfirst is None:
            standfirst = _take_emphasised(tokens, at, notes)
    if not headline:
        raise ArticleError(
            f"{name} has no headline. Write title: … into its front matter, "
            "or begin it with a line # and the headline."
        )
    dropped = Dropped()
    body = _blocks(_html(tokens) + footnotes, name, dropped)
    if not body:
        raise ArticleError(f"{name} has a headline but no text. Add the article below it.")
    if facts.embargo is None:
        refuse_embargo_lines(
            body,
            name,
            "Write embargo: and the time, such as 2026-10-04T09:30+02:00, into its front matter, "
            "and remove the line.",
        )
    return facts.article(
        "markdown",
        facts.with_image(body),
        headline=headline,
        standfirst=standfirst,
        notes=(*notes, *dropped.notes()),
    )


# Parsing ----------------------------------------------------------------------------------------


def _parse(text: str, name: str, notes: list[Note]) -> tuple[list[Token], str]:
    """The tokens of the text, and its footnotes as HTML."""
    _refuse_brackets(text, name)
    parsed: dict[str, Any] = {}
    tokens = _parser().parse(text, parsed)
    _keep_unclosed(tokens, parsed.get("footnotes", {}), notes)
    if any(token.nesting == 1 and token.level >= _MAX_NESTING - 1 for token in tokens):
        raise ArticleError(
            f"{name}: quotations or lists are nested more than {_MAX_NESTING} deep, and what is "
            "inside them would be lost. Nest them less."
        )
    repeated = sum(
        len(str(value))
        for token in tokens
        for child in token.children or ()
        for value in child.attrs.values()
    )
    if repeated > len(text) + _MAX_REPEATED:
        raise ArticleError(
            f"{name}: a link's definition is very long and used very often. Shorten its address."
        )
    text_tokens, definitions = _without_definitions(tokens)
    return text_tokens, _footnotes(parsed.get("footnotes", {}), definitions, notes)


def _refuse_brackets(text: str, name: str) -> None:
    depth = total = 0
    for found in re.finditer(r"\[(?=(\^[^\s\]]*+)?)|\]|\n\s*\n", text):
        if found[0] == "[":
            depth += 1
            total += min(depth, _MAX_NESTING) + len(found[1] or "")
        elif found[0] == "]":
            depth = max(0, depth - 1)
        else:
            depth = 0
        if total > _MAX_BRACKETS:
            line = text.count("\n", 0, found.start()) + 1
            raise ArticleError(
                f"{name}, about line {line}: too many square brackets are opened and not closed. "
                "Close them, or write \\[ for a bracket that is meant as one."
            )


def _keep_unclosed(tokens: list[Token], footnotes: dict[str, Any], notes: list[Note]) -> None:
    runs = [token.children or [] for token in tokens]
    runs += [note.get("tokens") or [] for note in footnotes.get("list", {}).values()]
    kept = [tag for run in runs for tag in raw_html.without_unclosed(run)]
    if kept:
        shown = [tag if len(tag) <= 60 else f"{tag[:59]}…" for tag in dict.fromkeys(kept)]
        more = f" and {len(shown) - _SHOWN_TAGS} more" if len(shown) > _SHOWN_TAGS else ""
        message = (
            "HTML that is opened and not closed in the same paragraph was kept as text: "
            f"{', '.join(shown[:_SHOWN_TAGS])}{more}."
        )
        notes.append(Note("warning", "body", message))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    class Parser(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - as the parser calls it
            """Every one: ``markup`` takes links off that lead nowhere, and that is noted."""
            return True

    options = {"html": True, "maxNesting": _MAX_NESTING}
    parser = Parser("commonmark", options).enable(["table", "strikethrough"])
    parser.use(footnote_plugin)
    raw_html.install(parser)
    parser.core.ruler.disable("footnote_tail")  # it loses notes that nothing refers to
    parser.add_render_rule("image", _image)
    parser.add_render_rule("footnote_ref", _reference)
    return parser


# Footnotes --------------------------------------------------------------------------------------


def _without_definitions(tokens: list[Token]) -> tuple[list[Token], dict[str, list[Token]]]:
    """The tokens of the text, and those of its footnotes by name."""
    text: list[Token] = []
    definitions: dict[str, list[Token]] = {}
    into = [text]
    for token in tokens:
        if token.type == "footnote_reference_open":
            into.append(definitions.setdefault(str(token.meta["label"]), []))
        elif token.type == "footnote_reference_close":
            into.pop()
        else:
            into[-1].append(token)
    return text, definitions


def _footnotes(
    referred: dict[str, Any], definitions: dict[str, list[Token]], notes: list[Note]
) -> str:
    """The footnotes as an ordered list: those the text refers to in that order, then the others."""
    items: list[str] = []
    for note in referred.get("list", {}).values():
        if "tokens" in note:  # written where it is referred to: ^[…]
            items.append(_inline_html(note["tokens"]))
        else:
            items.append(_html(definitions.pop(note["label"], [])))
    for label, tokens in definitions.items():
        notes.append(
            Note("warning", "footnotes", f"Nothing refers to the footnote {label}. It stands last.")
        )
        items.append(_html(tokens))
    return f"<hr><ol>{''.join(f'<li>{item}</li>' for item in items)}</ol>" if items else ""


# Headline and standfirst ------------------------------------------------------------------------


def _first_heading(tokens: list[Token], headline: str | None) -> tuple[str, int] | None:
    """Text and place of the heading that is the headline.

    Where the headline is known, only a heading that opens the text and repeats it.
    """
    for at, token in enumerate(tokens):
        if headline is not None and at > 0:
            return None
        if token.type == "heading_open" and token.tag == "h1" and token.level == 0:
            text = _text(tokens[at + 1])
            if text and (headline is None or text.casefold() == headline.casefold()):
                return text, at
    return None


def _take_emphasised(tokens: list[Token], at: int, notes: list[Note]) -> str | None:
    """The paragraph right below the headline, out of ``tokens``, if all of it is emphasised."""
    following = tokens[at : at + 3]
    if [token.type for token in following] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    inside = following[1].children or []
    if not inside or inside[0].type != "em_open" or len(tokens) <= at + 3:
        return None
    if any(token.level == 0 for token in inside[1:-1]) or inside[-1].type != "em_close":
        return None
    text = _text(following[1])
    del tokens[at : at + 3]
    notes.append(
        Note("info", "standfirst", "The paragraph in emphasis below the headline was taken as it.")
    )
    return text or None


def _text(inline: Token) -> str:
    return markup.one_line(markup.inline_text(markup.inline(_html([inline]))))


# Rendering --------------------------------------------------------------------------------------


def _inline_html(children: Sequence[Token]) -> str:
    from markdown_it.token import Token

    return _html([Token("inline", "", 0, children=list(children))])


def _html(tokens: Sequence[Token]) -> str:
    return str(_parser().renderer.render(tokens, _parser().options, {}))


def _blocks(html: str, name: str, dropped: Dropped) -> tuple[Block, ...]:
    try:
        return markup.blocks(html, on_dropped=dropped)
    except ArticleError as error:
        raise ArticleError(f"{name}: {error}") from error


def _image(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    alt = renderer.renderInlineAsText(token.children or [], options, env)
    # An empty one is not taken as "decorative": the writer has just not written any.
    written = f' alt="{_attribute(alt)}"' if alt.strip() else ""
    image = f'<img src="{_attribute(str(token.attrGet("src") or ""))}"{written}>'
    title = str(token.attrGet("title") or "")
    if not title:
        return image
    return f"<figure>{image}<figcaption>{markup.escape(title)}</figcaption></figure>"


def _attribute(text: str) -> str:
    return markup.escape(text).replace('"', "&quot;")


def _reference(_renderer: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    return f"<sup>[{tokens[at].meta['id'] + 1}]</sup>"
