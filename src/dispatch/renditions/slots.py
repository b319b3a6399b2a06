"""Where a newsletter differs from person to person, found without knowing anyone.

An edition is rendered once. Templates see a :class:`Recipient` whose values are
*marks*: short ASCII words that stand for what a person's copy will hold there,
and that pass unchanged through escaping, style sheets and line wrapping. What
was rendered is then cut at its marks (:func:`cut`); between the cuts it is the
same for everyone.

    Slots.of(articles, desk) ─▶ Recipient ─▶ templates ─▶ HTML, text ─▶ check_html, cut

A template may put a mark where a value can be spliced in and nowhere else: in
text, in an attribute, and a link alone in ``href``. :func:`check_html` refuses
all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from jinja2 import TemplateRuntimeError

from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import TemplateError
from dispatch.markup import one_line
from dispatch.renditions.language import Language

Kind = Literal["name", "email", "unsubscribe_url", "preferences_url", "browser_url"]

URLS: tuple[Kind, ...] = ("unsubscribe_url", "preferences_url", "browser_url")
"""The slots that hold a link of a person's own."""

_LARGEST = 400  # bytes of a value, or nearly: 64 characters of a name in HTML, or a link
_LENGTH = 24  # of a mark: as an address is long, so that lines break where they will
_REMNANT = 10  # so much of a mark is known again, and is in no text by chance
_PLACEHOLDER = re.compile(r"%\((name|email)\)s")
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
    instead. All three are plain text on one line.
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

    def mark(self, slot: Slot) -> str:
        """The same for the same slot: letters and digits, lower case, a letter first."""
        said = "\n".join((self.seed, slot.kind, slot.before, slot.after, slot.otherwise))
        return "m" + sha256(said.encode()).hexdigest()[: _LENGTH - 1]


class Mark:
    """A mark as templates have it: it can be printed, and nothing else.

    It is no text, so that a template cannot take its first letter or its
    length for those of a name.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __html__(self) -> str:
        return self._text


@dataclass(slots=True)
class Recipient:
    """``recipient`` in the templates of a mailing: the person whose copy it will be.

    Remembers in ``placed`` which marks it gave out, and what for.
    """

    slots: Slots
    language: Language
    placed: dict[str, Slot] = field(default_factory=dict)

    @property
    def name(self) -> Mark:
        """Their name, or the word for a reader."""
        return self._placed(Slot("name", otherwise=self.language.gettext("reader")))

    @property
    def email(self) -> Mark:
        """Their address; in a copy that is nobody's, three dots."""
        return self._placed(Slot("email", otherwise="…"))

    @property
    def unsubscribe_url(self) -> Mark:
        return self._placed(Slot("unsubscribe_url"))

    @property
    def preferences_url(self) -> Mark:
        return self._placed(Slot("preferences_url"))

    @property
    def browser_url(self) -> Mark:
        """Where they see the newsletter in a browser."""
        return self._placed(Slot("browser_url"))

    def say(self, text: str, otherwise: str, **values: object) -> Mark:
        """``text`` with their ``%(name)s`` or ``%(email)s``; ``otherwise`` where there is none.

        Other placeholders are filled in from ``values``.

        Raises:
            TemplateRuntimeError: the text does not hold exactly one of the two, once.
        """
        parts = _PLACEHOLDER.split(one_line(text))
        if len(parts) != 3:
            raise TemplateRuntimeError(
                f"recipient.say({text!r}, …) needs %(name)s or %(email)s in it, one of them and "
                "once. Correct it, or print a text without them as it is"
            )
        before, kind, after = parts
        said = (_filled(part, values) for part in (before, after, one_line(otherwise)))
        return self._placed(Slot("name" if kind == "name" else "email", *said))

    def _placed(self, slot: Slot) -> Mark:
        mark = self.slots.mark(slot)
        self.placed[mark] = slot
        return Mark(mark)


def _filled(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"%({name})s", one_line(str(value)))
    return text


# Cutting ---------------------------------------------------------------------------------------


def cut(text: str, placed: Mapping[str, Slot]) -> Iterator[str | Slot]:
    """``text`` and slots in turn, beginning and ending with a text, which may be empty."""
    marks = "|".join(map(re.escape, placed)) or "(?!)"
    for part in re.split(f"({marks})", text):
        yield placed.get(part, part)


def room(text: str, placed: Mapping[str, Slot]) -> int:
    """Bytes that the values at the marks in ``text`` may take."""
    return _LARGEST * _count(text, placed)


def _count(text: str, placed: Mapping[str, Slot]) -> int:
    return sum(text.count(mark) for mark in placed)


def check_text(text: str, placed: Mapping[str, Slot], template: str) -> None:
    """Make sure that every mark in ``text`` is whole, and that there is a link to unsubscribe.

    Args:
        template: the one that it was printed by, for the message.

    Raises:
        TemplateError: a mark was changed or cut, or no link to unsubscribe is there.
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
    if not any(slot.kind == "unsubscribe_url" and mark in text for mark, slot in placed.items()):
        raise TemplateError(
            f"{template}: the newsletter has no link to unsubscribe, which mail providers and many "
            "laws ask for. Print {{ recipient.unsubscribe_url }} in it."
        )


def check_html(html: str, placed: Mapping[str, Slot], template: str) -> None:
    """:func:`check_text`, and every mark has to stand where a value can be spliced in.

    Raises:
        TemplateError: as above, or a mark stands in a comment, a style sheet, a script, a tag, or
            in an address with more around it; says in which, and what to do.
    """
    from lxml import etree

    check_text(html, placed, template)
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
    if slot.before or slot.after:
        return f"recipient.say({f'{slot.before}%({slot.kind})s{slot.after}'!r})"
    return f"recipient.{slot.kind}"
