"""The reader as templates have them, before anyone knows who it will be.

``recipient`` is the person whose copy it will be; ``reader`` speaks to them in
their own language. An edition is rendered once all the same: what both give are
marks (``slots.py``), and of what Dispatch says to the reader it is remembered
what it is in each language that readers have.

    {% set _ = reader.gettext %}
    <p{{ reader.attributes }}>{{ recipient.say(_("Hello %(name)s,"), _("Hello reader,")) }}</p>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jinja2 import TemplateRuntimeError
from markupsafe import Markup

from dispatch.markup import one_line
from dispatch.renditions.language import ENGLISH, Language
from dispatch.renditions.slots import Kind, Slot, Slots

_PLACEHOLDER = re.compile(r"%\((name|email)\)s")


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


@dataclass(frozen=True, slots=True)
class Label:
    """A label in the language of a reader to come.

    It can be printed, have its placeholders filled in with ``%``, and be given
    to :meth:`Recipient.say`.
    """

    recipient: Recipient
    text: str
    """In English, as it is looked up."""
    values: Mapping[str, str] = field(default_factory=dict)

    def said(self, language: Language) -> str:
        """The label in ``language``."""
        text = language.gettext(self.text)
        return text % self.values if self.values else text

    def __mod__(self, values: Mapping[str, object]) -> Label:
        if any(isinstance(value, Mark | Label) for value in values.values()):
            raise TemplateRuntimeError(
                f"_({self.text!r}) cannot be filled in with what is the reader's own. "
                "Use recipient.say for it"
            )
        return Label(self.recipient, self.text, {k: str(v) for k, v in values.items()})

    def __str__(self) -> str:
        return str(self.recipient.shared("label", self.said))

    def __html__(self) -> str:
        return str(self)


@dataclass(slots=True)
class Recipient:
    """``recipient`` in the templates of a mailing: the person whose copy it will be.

    Args:
        language: the newsletter's.
        spoken: the language in which readers are spoken to who have none of ``others``; None: the
            newsletter's.
        others: by their tags, further ones that readers have.

    Remembers in ``placed`` which marks it gave out, and what for; in
    ``translated``, by the tag of each other language, those that stand for
    something else in it.
    """

    slots: Slots
    language: Language
    spoken: Language | None = None
    others: Mapping[str, Language] = field(default_factory=dict)
    placed: dict[str, Slot] = field(default_factory=dict)
    translated: dict[str, dict[str, Slot]] = field(init=False)

    def __post_init__(self) -> None:
        self.translated = {tag: {} for tag in self.others}

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

    @property
    def confirm_url(self) -> Mark:
        """Where they confirm that they want the newsletter; only in the mail that asks for it."""
        return self._placed(Slot("confirm_url"))

    @property
    def rss_url(self) -> Mark:
        """Their own feed; only in the mail that welcomes them, and not of a public desk."""
        return self._placed(Slot("rss_url"))

    @property
    def atom_url(self) -> Mark:
        return self._placed(Slot("atom_url"))

    @property
    def json_url(self) -> Mark:
        return self._placed(Slot("json_url"))

    def say(self, text: str | Label, otherwise: str | Label, **values: object) -> Mark:
        """``text`` with their ``%(name)s`` or ``%(email)s``; ``otherwise`` where there is none.

        Other placeholders are filled in from ``values``.

        Raises:
            TemplateRuntimeError: the text does not hold exactly one of the two, once.
        """

        def said(language: Language) -> Slot:
            return _phrase(_in(text, language), _in(otherwise, language), values)

        if isinstance(text, Label) or isinstance(otherwise, Label):
            return self._spoken(said)
        return self._placed(said(self.language))

    def shared(self, kind: Kind, said: Callable[[Language], str]) -> Mark:
        """What ``said`` gives for a language, for all who are spoken to in it."""
        return self._spoken(lambda language: Slot(kind, otherwise=one_line(said(language))))

    def most(self, room: Callable[[Mapping[str, Slot]], int]) -> int:
        """The most that ``room`` gives, of the marks' meanings in any language."""
        meanings = ({**self.placed, **other} for other in self.translated.values())
        return max([room(self.placed), *map(room, meanings)])

    def _placed(self, slot: Slot) -> Mark:
        mark = self.slots.mark(slot)
        self.placed[mark] = slot
        return Mark(mark)

    def _spoken(self, slot: Callable[[Language], Slot]) -> Mark:
        # Labels that are one in this language may be two in another.
        mark = self.slots.mark(slot(ENGLISH), "translated")
        self.placed[mark] = slot(self.spoken or self.language)
        for tag, language in self.others.items():
            self.translated[tag][mark] = slot(language)
        return Mark(mark)


class Reader:
    """``reader`` in the templates of a newsletter: what is said to whoever reads it.

    Args:
        lang: the newsletter's language.
        spoken: the one in which readers are spoken to, but for those whose own is known.
        recipient: None where the newsletter is nobody's.
    """

    def __init__(self, lang: Language, spoken: Language, recipient: Recipient | None) -> None:
        self._spoken = spoken
        self._recipient = recipient
        others = recipient.others if recipient else {}
        self._alike = spoken.tag == lang.tag and not others

    def gettext(self, text: str) -> str | Label:
        """A label in the reader's language."""
        return Label(self._recipient, text) if self._recipient else self._spoken.gettext(text)

    @property
    def attributes(self) -> Markup:
        """``lang`` and ``dir`` for an element of labels, where they may not be the newsletter's."""
        if self._alike:
            return Markup()
        lang: object = self._spoken.tag
        direction: object = self._spoken.direction
        if self._recipient:
            lang = self._recipient.shared("lang", lambda language: language.tag)
            direction = self._recipient.shared("dir", lambda language: language.direction)
        return Markup(' lang="{}" dir="{}"').format(lang, direction)


def _in(text: str | Label, language: Language) -> str:
    return text.said(language) if isinstance(text, Label) else text


def _phrase(text: str, otherwise: str, values: Mapping[str, object]) -> Slot:
    parts = _PLACEHOLDER.split(one_line(text))
    if len(parts) != 3:
        raise TemplateRuntimeError(
            f"recipient.say({text!r}, …) needs %(name)s or %(email)s in it, one of them and "
            "once. Correct it, or print a text without them as it is"
        )
    before, kind, after = parts
    said = (_filled(part, values) for part in (before, after, one_line(otherwise)))
    return Slot("name" if kind == "name" else "email", *said)


def _filled(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"%({name})s", one_line(str(value)))
    return text
