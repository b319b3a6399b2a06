"""The HTML of articles: what is let in, and what comes out.

In: :func:`blocks` turns any HTML, hostile HTML included, into typed blocks;
:func:`inline` turns a fragment into an :data:`~dispatch.article.Html` value.
Out: :func:`block_html` and :func:`block_text` write a block again.

Two walls stand behind each other. Nothing of what comes in is copied: the
parsed tree is written anew, tag by tag, from an allow-list, with every text
and attribute escaped and every tag closed (``line.py``). What was written then
passes nh3 (ammonia), an independent HTML5 sanitiser with the same allow-list.

Everything here takes time and memory in proportion to the length of its input.
"""

from dispatch.markup.addresses import is_web_url, web_url
from dispatch.markup.builder import blocks, element_blocks, inline
from dispatch.markup.characters import escape, one_line, printable
from dispatch.markup.line import INLINE_TAGS, Dropped
from dispatch.markup.parsing import parse
from dispatch.markup.writing import block_html, block_text, inline_text, links

__all__ = [
    "INLINE_TAGS",
    "Dropped",
    "block_html",
    "block_text",
    "blocks",
    "element_blocks",
    "escape",
    "inline",
    "inline_text",
    "is_web_url",
    "links",
    "one_line",
    "parse",
    "printable",
    "web_url",
]
