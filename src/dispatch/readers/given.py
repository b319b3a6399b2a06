"""A field as it was handed in, with all that is needed to speak about it to the desk."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dispatch.article import Level, Note
from dispatch.errors import ArticleError
from dispatch.markup import one_line
from dispatch.readers.front_matter import Field, Value
from dispatch.readers.text import clean


def folded(name: str) -> str:
    """A field's name as it is compared: ``Editor's note`` and ``editors_note`` are one."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Given:
    """A field of a file; what is noticed about it goes to ``notes``."""

    field: Field
    file: str
    notes: list[Note]

    @property
    def where(self) -> str:
        """File and line, for errors."""
        return f"{self.file}, line {self.field.line}" if self.field.line else self.file

    def note(self, level: Level, message: str) -> None:
        place = f"line {self.field.line}" if self.field.line else self.field.name
        self.notes.append(Note(level, place, message))

    def wrong(self, problem: str) -> ArticleError:
        """The error that the field ``problem``, such as “must be text.”"""
        return ArticleError(f"{self.where}: the field {self.field.name} {problem}")

    def line(self, value: Value) -> str:
        """A value that must be one line of text; '' where there is none.

        Raises:
            ArticleError: it is a list, a mapping, or several lines.
        """
        text = self._clean(value)
        if "\n" in text:
            raise self.wrong("contains a line break. Write it on one line.")
        return one_line(text)

    def prose(self, value: Value) -> str:
        """A value that must be text; its lines are joined."""
        return one_line(self._clean(value))

    def paragraphs(self, value: Value) -> str:
        """A value that must be text; its lines stay."""
        return "\n".join(filter(None, map(one_line, self._clean(value).split("\n"))))

    def _clean(self, value: Value) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            kind = "a list" if isinstance(value, list) else "a mapping"
            raise self.wrong(f"is {kind}, and must be text.")
        text, notes = clean(value)
        for noticed in notes:
            self.note(noticed.level, f"{self.field.name}: {noticed.message}")
        return text.strip()


def as_text(value: Value) -> str:
    """Any value as text: lists of texts by commas, what is nested as JSON."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(str(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
