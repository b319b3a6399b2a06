"""CSS from the style sheet into ``style`` attributes, for mail programs that drop style sheets.

The one place that knows premailer. It is given a parsed tree, so that parsing
and writing are ours: premailer's own parser stops at a depth of 256, and it
loses a doctype in lower case.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from dispatch.errors import TemplateError
from dispatch.renditions.addresses import ascii_url

_DOCTYPE = "<!DOCTYPE html>\n"
_SHEETS = 32
"""Style sheets that are remembered, parsed."""
# The attributes that premailer would add come from the templates, where they are wanted:
# align="start" or width="100%" beside a style serve no mail program.
_NO_ATTRIBUTES = ["align", "valign", "bgcolor", "width", "height"]


def inline_css(html: str) -> str:
    """``html`` with the rules of its ``<style>`` in ``style`` attributes.

    A ``<style data-premailer="ignore">`` stays to the letter: media queries
    and dark mode. Conditional comments stay. Links come out in ASCII. Nothing
    is loaded, neither from the network nor from a file.

    Raises:
        TemplateError: there is no HTML, or a selector of the style sheet cannot be read.
    """
    from cssselect import SelectorError
    from lxml import etree

    # libxml2 takes <wbr> for an element with content; a zero-width space breaks words as well.
    source = html.replace("<wbr>", "\u200b")
    root = etree.fromstring(source, etree.HTMLParser(huge_tree=True))
    if root is None:
        raise TemplateError(
            "The email has no HTML: email/article.html prints nothing. "
            "Correct your own template, or remove it to take the one that ships."
        )
    for element in root.iter("a", "img"):
        for name in ("href", "src"):
            if url := element.get(name):
                element.set(name, ascii_url(url))
    try:
        tree = _inliner()(
            root,
            allow_network=False,
            disable_validation=True,
            disable_basic_attributes=_NO_ATTRIBUTES,
            disable_leftover_css=True,
            align_floating_images=False,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
    except SelectorError as error:
        raise TemplateError(
            f"The style sheet of the email has a selector that cannot be read: {error}. "
            "Correct it, or move the rule to a style that stays."
        ) from error
    return f"{_DOCTYPE}{etree.tostring(tree.getroot(), method='html', encoding='unicode')}\n"


@cache
def _inliner() -> Any:
    """premailer, but for @import: that is loaded even where it may not use the network."""
    with _no_client():
        from premailer import Premailer

    class Inliner(Premailer):  # type: ignore[misc]
        def _parse_css_string(self, css_body: str, validate: bool = False) -> Any:
            from cssutils import CSSParser

            return CSSParser(validate=validate, fetcher=_nothing).parseString(css_body)

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[Any, Any]:
            # All articles of a desk in a language have the same style sheet.
            sheet = (css_body, ruleset_index)
            if sheet not in rules_of:
                if len(rules_of) >= _SHEETS:
                    rules_of.clear()
                rules_of[sheet] = super()._parse_style_rules(css_body, ruleset_index)
            return rules_of[sheet]

    rules_of: dict[tuple[str, int], tuple[Any, Any]] = {}
    return Inliner


def _nothing(_url: str) -> None:
    """What an @import loads."""


@contextmanager
def _no_client() -> Iterator[None]:
    """premailer brings an HTTP client to load style sheets with; it gets one that can do nothing.

    That is safer, and spares every command the import of requests, a tenth of its time.
    """
    if "requests" in sys.modules:
        yield
        return
    sys.modules["requests"] = ModuleType("requests")
    try:
        yield
    finally:
        del sys.modules["requests"]
