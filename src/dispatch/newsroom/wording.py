"""What should not be left in a text: doubled words, placeholders, markup, the language of spam.

Pure functions from a text to sentences for the desk. They look for little and
are sure of it: a check that cries wolf is soon not run any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Not between apostrophes or hyphens: "that that's", "Boutros Boutros-Ghali".
_DOUBLED = re.compile(r"(?<![\w'’-])([^\W\d_]{2,30})[ \xa0]\1(?![\w'’-])", re.IGNORECASE)
_RIGHTLY_DOUBLED = {
    "": frozenset({"bla", "blah", "bye", "cha", "ha", "ho", "no", "pom"}),
    "en": frozenset({"had", "her", "his", "is", "so", "that", "very"}),
    "de": frozenset({"das", "den", "der", "die", "ihr", "sie", "so", "sehr", "was", "wer"}),
    "fr": frozenset({"nous", "vous", "si", "très"}),
    "es": frozenset({"muy", "sí", "ya"}),
}
_REDUPLICATING = frozenset({
    "bn", "fa", "haw", "hi", "hy", "id", "jv", "mi", "mr", "ms", "sw", "ta", "te", "tl", "tr",
    "ur", "vi",
})  # fmt: skip
"""Languages in which doubling a word is grammar."""
_NO_NAMES = frozenset({
    "the", "and", "of", "in", "to", "for", "with", "le", "la", "les", "el", "los", "las",
})  # fmt: skip
"""Words that stand twice by mistake in titles, where names may."""

_PLACEHOLDER = re.compile(r"\b(?:(?:TK)+|TODO|FIXME|XXX+|(?i:lorem ipsum))\b")
_EVERYTHING = frozenset({"es", "gl", "pt"})
"""Languages in which TODO is a word."""

_TAGS = (
    "a|b|blockquote|br|div|em|figure|font|h[1-6]|i|iframe|img|li|ol|p|script|span|strong|style|"
    "table|td|tr|u|ul"
)
_MARKUP = re.compile(
    r"!?\[[^\[\]\n]{1,200}\]\((?:https?:|www\.|mailto:|[/#.])[^()\n]{0,300}\)"  # [text](address)
    r"|(?<![\w*])\*\*[^\s*](?:[^*\n]{0,200}[^\s*])?\*\*(?![\w*])"
    r"|(?<![\w/.-])__[^\s_](?:[^_\n]{0,200}[^\s_])?__(?!\w|\.\w|[/(-])"
    r"|^#{1,6} (?=\S)|```"
    rf"|</?(?i:{_TAGS})(?:\s[^<>]{{0,300}}|\s?/)?>"
    r"|&(?:amp|nbsp|lt|gt|quot|apos|[lr][sd]quo|[mn]dash|hellip|#x?[0-9a-fA-F]{2,6});"
)

_SHOUTING = re.compile(r"[!?]{2,}|[$€£]{2,}")
_SPAM_WORDS = re.compile(
    r"\b(?:act now|buy now|click here|free money|100% free|limited time offer|no obligation|"
    r"risk[- ]free|you[’']ve won|(?:urgent|winner|guaranteed)(?=\s?[!:]))",
    re.IGNORECASE,
)
_LONGEST_SUBJECT = 110


def doubled_words(text: str, language: str) -> Iterator[str]:
    """Words that stand twice in a row where the language (BCP 47) does not have them so."""
    tongue = _tongue(language)
    if tongue in _REDUPLICATING:
        return
    right = _RIGHTLY_DOUBLED[""] | _RIGHTLY_DOUBLED.get(tongue, frozenset())
    for found in _DOUBLED.finditer(text):
        word, lower = found[1], found[1].lower()
        is_name = found[0].istitle() and tongue != "de" and lower not in _NO_NAMES
        if lower not in right and not is_name:
            yield f"“{word}” stands twice: {_around(text, found)}"


def placeholders(text: str, language: str) -> Iterator[str]:
    """What a writer leaves for later: TK, TODO, XXX, lorem ipsum."""
    has_todo = _tongue(language) in _EVERYTHING
    for found in _PLACEHOLDER.finditer(text):
        if found[0] != "TODO" or not has_todo or text.startswith(":", found.end()):
            yield f"“{found[0]}” is still to be filled in: {_around(text, found)}"


def raw_markup(text: str) -> Iterator[str]:
    """The first piece of Markdown or HTML that would be printed as it was typed."""
    if found := _MARKUP.search(text):
        yield f"“{found[0][:80].strip()}” is markup that was not understood, and prints as it is."


def spam(subject: str) -> Iterator[str]:
    """What makes filters take a subject for spam, or readers not see the whole of it."""
    letters = [c for c in subject if c.isalpha() and c.lower() != c.upper()]
    if len(letters) > 10 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        yield "It is mostly capitals, which filters take for spam."
    for pattern in (_SHOUTING, _SPAM_WORDS):
        if found := pattern.search(subject):
            yield f"Filters take “{found[0]}” for spam."
    if len(subject) > _LONGEST_SUBJECT:
        yield f"{len(subject)} characters: inboxes show 40 to 70 of a subject."


def _tongue(language: str) -> str:
    return language.partition("-")[0].lower()


def _around(text: str, found: re.Match[str]) -> str:
    before, after = max(0, found.start() - 20), found.end() + 20
    cut = text[before:after].strip()
    return f"{'…' if before else ''}{cut}{'…' if after < len(text) else ''}"
