"""Where a newsletter differs from person to person, found without knowing anyone.

An edition is rendered once. Templates see a recipient (``recipient.py``) whose
values are *marks*: short ASCII words that stand for what a person's copy will
hold there, and that pass unchanged through escaping, style sheets and line
wrapping. What was rendered is then cut at its marks (:func:`cut`); between the
cuts it is the same for everyone. Some marks stand for words that are the same
for all who are spoken to in a language.

    Slots.of(articles, desk) ─▶ Recipient ─▶ templates ─▶ HTML, text ─▶ check_html, cut

A template may put a mark where a value can be spliced in and nowhere else: in
text, in an attribute, and a link alone in ``href``. :func:`check_html` refuses
all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any, Literal

from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import TemplateError

Kind = Literal[
    "name",
    "email",
    "unsubscribe_url",
    "preferences_url",
    "browser_url",
    "confirm_url",
    "rss_url",
    "atom_url",
    "json_url",
    "label",
    "lang",
    "dir",
]

FEEDS: tuple[Kind, ...] = ("rss_url", "atom_url", "json_url")
"""The slots that hold the address of a person's own feed."""

URLS: tuple[Kind, ...] = (
    "unsubscribe_url",
    "preferences_url",
    "browser_url",
    "confirm_url",
    *FEEDS,
)
"""The slots that hold a link of a person's own."""

SHARED: tuple[Kind, ...] = ("label", "lang", "dir")
"""Those that hold what is the same for everyone who is spoken to in a language."""

_LARGEST = 400  # bytes of a value, or nearly: 64 characters of a name in HTML, or a link
_LENGTH = 24  # of a mark: as an address is long, so that lines break where they will
_REMNANT = 10  # so much of a mark is known again, and is in no text by chance
_RAW = frozenset(
    {"style", "script", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
)
# Attributes that hold an address, or HTML in HTML.
_MEANINGFUL = frozenset({
    "action", "archive", "background", "cite", "classid", "codebase", "content", "data", "dynsrc",
    "formaction", "href", "icon", "imagesrcset", "longdesc", "lowsrc", "manifest", "ping", "poster",
    "profile", "src", "srcdoc", "srcset", "usemap",
})  # fmt: skip
_LINKS = frozenset({("a", "href"), ("area", "href")})


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands at a mark: a link, or a person's name or address with the words around it.

    ``before`` and ``after`` surround the value; where there is none, because a
    name is not known or nobody's own copy is shown, ``otherwise`` stands
    instead. All three are plain text on one line. What is shared is ``otherwise``.
    """

    kind: Kind
    before: str = ""
    after: str = ""
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Slots:
    """Marks that do not occur in some content; make them with :meth:`of`."""

    seed: str

    @classmethod
    def of(cls, articles: Sequence[Article], desk: Desk) -> Slots:
        """Those for ``articles`` of ``desk``."""
        content = repr((tuple(articles), desk))
        seed = sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
        while seed[:_REMNANT] in content.lower():
            seed = sha256(seed.encode()).hexdigest()
        return cls(seed)

    def mark(self, slot: Slot, *more: str) -> str:
        """The same for the same slot: letters and digits, lower case, a letter first.

        Args:
            more: what else tells it from others.
        """
        said = "\n".join((self.seed, slot.kind, slot.before, slot.after, slot.otherwise, *more))
        return "m" + sha256(said.encode()).hexdigest()[: _LENGTH - 1]


# Cutting ---------------------------------------------------------------------------------------


def cut(text: str, placed: Mapping[str, Slot]) -> Iterator[str | Slot]:
    """``text`` and slots in turn, beginning and ending with a text, which may be empty."""
    marks = "|".join(map(re.escape, placed)) or "(?!)"
    for part in re.split(f"({marks})", text):
        yield placed.get(part, part)


def room(text: str, placed: Mapping[str, Slot]) -> int:
    """Bytes that the values at the marks in ``text`` may take, as HTML."""
    return sum(text.count(mark) * _most(slot) for mark, slot in placed.items())


def _most(slot: Slot) -> int:
    return len(escape(slot.otherwise).encode()) if slot.kind in SHARED else _LARGEST


def _count(text: str, placed: Mapping[str, Slot]) -> int:
    return sum(text.count(mark) for mark in placed)


_WANTED: dict[Kind, str] = {
    "unsubscribe_url": "unsubscribe, which mail providers and many laws ask for",
    "confirm_url": "confirm, without which nobody can subscribe",
    "preferences_url": "the reader's preferences, which is what the mail is for",
}
"""What a mail may not do without, and why."""


def check_text(
    text: str, placed: Mapping[str, Slot], template: str, wanted: Kind = "unsubscribe_url"
) -> None:
    """Make sure that every mark in ``text`` is whole, and that the link that it needs is there.

    Args:
        template: the one that it was printed by, for the message.
        wanted: the kind of that link: to unsubscribe, to confirm or to the preferences.

    Raises:
        TemplateError: a mark was changed or cut, or the link is missing.
    """
    rest = "\n".join(part for part in cut(text, placed) if isinstance(part, str)).lower()
    for mark, slot in placed.items():
        for start in range(_LENGTH - _REMNANT + 1):
            at = rest.find(mark[start : start + _REMNANT])
            if at >= 0:
                around = " ".join(rest[max(0, at - 30) : at + 40].split())
                raise TemplateError(
                    f"{template}: {_named(slot)} was cut or changed, at {around!r}. Nobody's is "
                    "known yet when the newsletter is made: print it as it is, without a filter."
                )
    if not any(slot.kind == wanted and mark in text for mark, slot in placed.items()):
        what = "newsletter" if wanted == "unsubscribe_url" else "mail"
        raise TemplateError(
            f"{template}: the {what} has no link to {_WANTED[wanted]}. "
            f"Print {{{{ recipient.{wanted} }}}} in it."
        )


def check_html(
    html: str, placed: Mapping[str, Slot], template: str, wanted: Kind = "unsubscribe_url"
) -> None:
    """:func:`check_text`, and every mark has to stand where a value can be spliced in.

    Raises:
        TemplateError: as above, or a mark stands in a comment, a style sheet, a script, a tag, or
            in an address with more around it; says in which, and what to do.
    """
    from lxml import etree

    check_text(html, placed, template, wanted)
    root = etree.fromstring(html, etree.HTMLParser(huge_tree=True))
    good = 0
    for element in root.iter():
        for where, text, allowed in _places(element):
            for mark, slot in placed.items():
                if mark not in text:
                    continue
                advice = allowed(text, mark, slot)
                if advice:
                    shown = where.replace(mark, f"{{{{ {_named(slot)} }}}}")
                    raise TemplateError(f"{template}: {_named(slot)} stands in {shown}. {advice}")
                good += text.count(mark)
    if good != _count(html, placed):
        raise TemplateError(
            f"{template}: a value of recipient stands inside a tag or outside of the document. "
            "Print it in text, or in quotation marks as the value of an attribute."
        )


def _places(element: Any) -> Iterable[tuple[str, str, Any]]:
    """Wherever text is in or behind an element: in words, the text, and what is wrong with it."""
    if not isinstance(element.tag, str):  # a comment or a processing instruction
        yield "a comment, such as those for Outlook", element.text or "", _nowhere
    else:
        rule = _nowhere if element.tag in _RAW else _anywhere
        yield f"<{element.tag}>", element.text or "", rule
        for name, value in element.attrib.items():
            where = f'{name}="{value}" of <{element.tag}>'
            yield where, value, _rule(str(element.tag), str(name).lower())
    yield "text", element.tail or "", _anywhere


def _rule(tag: str, attribute: str) -> Any:
    if (tag, attribute) in _LINKS:
        return _alone
    name = attribute.rpartition(":")[2]  # xlink:href
    if name == "style" or name.startswith("on") or name in _MEANINGFUL:
        return _nowhere
    return _anywhere


def _anywhere(_text: str, _mark: str, _slot: Slot) -> str | None:
    return None


def _nowhere(_text: str, _mark: str, _slot: Slot) -> str | None:
    return "It cannot be filled in there: print it in text, or a link as href of an <a>."


def _alone(text: str, mark: str, slot: Slot) -> str | None:
    if slot.kind not in URLS:
        return "It is no address: print recipient.unsubscribe_url or another link there."
    if text != mark:
        return "The link is complete: print it alone, with nothing before or behind it."
    return None


def _named(slot: Slot) -> str:
    if slot.kind in SHARED:
        return f"_({slot.otherwise!r})" if slot.kind == "label" else "reader.attributes"
    if slot.before or slot.after:
        return f"recipient.say({f'{slot.before}%({slot.kind})s{slot.after}'!r})"
    return f"recipient.{slot.kind}"
