"""Front matter: the fields that stand above the text of a Markdown file.

YAML between lines of ``---``, TOML between lines of ``+++``. Values stay as
they are written: ``lang: no`` is Norwegian, ``slug: 0123`` keeps its nought,
and a date is not given a zone. Nothing is constructed from tags, and aliases
count for what they stand for, so a few lines cannot become millions of values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any, TypeAlias

from dispatch.errors import ArticleError

if TYPE_CHECKING:
    import yaml

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
"""Text, a list, a mapping; None where nothing is written."""

_FENCES = {"---": "YAML", "+++": "TOML"}
_MAX_LENGTH = 64_000
_MAX_VALUES = 5_000
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it was written. ``line`` is where in the file, counted from 1, if known."""

    name: str
    value: Value
    line: int | None = None


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of a file, in their order, and the text below them."""

    fields: tuple[Field, ...]
    body: str


def has_fences(text: str) -> bool:
    """Whether ``text`` opens with front matter: a fence, a field, and a fence again."""
    fence, lines, first = _opening(text)
    if fence is None:
        return False
    closing = _closing(lines, first, fence)
    return closing is not None and any(
        re.match(r"\s*[\"']?[\w'’ -]{1,40}[\"']?\s*[:=]|\s*\[", line)
        for line in lines[first:closing]
    )


def read(text: str, name: str) -> FrontMatter:
    """The fields and the body of a Markdown file; no fields where it has no front matter.

    Args:
        text: with ``\\n`` as its only line end.
        name: the file, for errors.

    Raises:
        ArticleError: the front matter is not closed, cannot be read, is too
            large, names a field twice, asks for objects, or has no text below it.
    """
    fence, lines, first = _opening(text)
    if fence is None:
        return FrontMatter((), text)
    closing = _closing(lines, first, fence)
    if closing is None:
        raise ArticleError(
            f"{name}, line {first}: the front matter that {fence} opens is never closed. "
            f"Add a line {fence} below the last field; if the line was meant as a rule, "
            "write *** instead."
        )
    source = "\n".join(lines[first:closing])
    if len(source) > _MAX_LENGTH:
        raise ArticleError(
            f"{name}: the front matter is longer than {_MAX_LENGTH:,} characters. "
            "Shorten it, or check where it is closed."
        )
    read_fields = _yaml_fields if fence == "---" else _toml_fields
    fields = read_fields(source, name, first + 1)
    body = "\n".join(lines[closing + 1 :])
    if not body.strip():
        raise ArticleError(
            f"{name} has front matter but no text below it. Add the article below the line {fence}."
        )
    return FrontMatter(fields, body)


def _opening(text: str) -> tuple[str | None, list[str], int]:
    """The fence that opens front matter, the lines, and the index of the first line inside."""
    start = text.lstrip()[:3]
    if start not in _FENCES:
        return None, [], 0
    lines = text.split("\n")
    first = next(n for n, line in enumerate(lines) if line.strip())
    fence = lines[first].rstrip()
    return (fence if fence in _FENCES else None), lines, first + 1


def _closing(lines: list[str], first: int, fence: str) -> int | None:
    return next((n for n in range(first, len(lines)) if lines[n].rstrip() == fence), None)


class _Values:
    """Turns parsed values into ours, and counts them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def counted(self, depth: int, line: int | None) -> None:
        self.count += 1
        if self.count > _MAX_VALUES or depth > _MAX_DEPTH:
            where = f"{self.name}, line {line}" if line else self.name
            problem = (
                f"nests lists or mappings more than {_MAX_DEPTH} deep"
                if depth > _MAX_DEPTH
                else f"has, or its aliases stand for, more than {_MAX_VALUES:,} values"
            )
            raise ArticleError(f"{where}: the front matter {problem}. Keep to plain fields.")


# YAML -------------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value", "seq", "map"})
_QUOTE = 'Put the value in quotes: "…".'
_HINTS = (
    ("mapping values are not allowed", 'Put a value that has a colon in it in quotes: "…".'),
    (r"'\t'", "Indent with spaces, not with tabs."),
    ("cannot start any token", _QUOTE),
    ("undefined alias", 'Put a value that begins with * in quotes: "…".'),
    ("anchor", 'Put a value that begins with & or * in quotes: "…".'),
    ("alias", 'Put a value that begins with & or * in quotes: "…".'),
    ("escape", "Write a backslash in double quotes twice, or use single quotes."),
    ("quoted scalar", "Close the quotation mark."),
    ("flow", "Close the bracket."),
    ("could not find expected ':'", "Write a colon and a space after the field's name."),
)


def _yaml_fields(source: str, name: str, first: int) -> tuple[Field, ...]:
    import yaml

    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _broken_yaml(error, name, first) from error
    except ValueError as error:  # as chr() and int() raise it
        raise ArticleError(
            f"{name}: the front matter cannot be read as YAML: a \\U… escape stands for no "
            "character, or a number is out of bounds. Write the character itself."
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        why = "it is too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise ArticleError(f"{name}: the front matter cannot be read as YAML: {why}.") from error
    if root is None:
        return ()
    if not isinstance(root, yaml.MappingNode):
        raise ArticleError(
            f"{name}, line {first}: the front matter has no fields. Write them such as "
            "“title: …”, one a line; if the line above was meant as a rule, write *** instead."
        )
    values = _YamlValues(name, first)
    return tuple(
        Field(key, values.value(node, 1), line) for key, node, line in values.entries(root)
    )


def _broken_yaml(error: yaml.MarkedYAMLError, name: str, first: int) -> ArticleError:
    unclosed = "quoted scalar" in str(error.context) and "end of stream" in str(error.problem)
    mark = error.context_mark if unclosed else error.problem_mark
    where = f"{name}, line {mark.line + first}" if mark else name
    told = f"{error.context or ''} {error.problem or ''}"
    hint = next((hint for sign, hint in _HINTS if sign in told), _QUOTE)
    return ArticleError(
        f"{where}: the front matter cannot be read as YAML: {error.problem}. {hint}"
    )


class _YamlValues(_Values):
    def __init__(self, name: str, first: int) -> None:
        super().__init__(name)
        self.first = first

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + self.first

    def entries(self, mapping: yaml.MappingNode) -> list[tuple[str, yaml.Node, int]]:
        """Key, value and line of each entry."""
        found: dict[str, tuple[str, yaml.Node, int]] = {}
        for key_node, value in mapping.value:
            line = self.line(key_node)
            self.counted(0, line)
            key = key_node.value
            if key_node.tag == _TAG + "merge":
                raise ArticleError(
                    f"{self.name}, line {line}: the front matter merges fields with <<, which is "
                    "not read. Write the fields out."
                )
            plain = key_node.tag.removeprefix(_TAG) in _PLAIN_TAGS
            if not isinstance(key, str) or not key or not plain:
                raise ArticleError(
                    f"{self.name}, line {line}: the name of a field must be plain text."
                )
            if key in found:
                raise ArticleError(
                    f"{self.name}, line {line}: the field {key} stands there twice, "
                    f"first on line {found[key][2]}. Keep one of them."
                )
            found[key] = (key, value, line)
        return list(found.values())

    def value(self, node: yaml.Node, depth: int) -> Value:
        import yaml

        self.counted(depth, self.line(node))
        self._refuse_tag(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, depth + 1) for child in node.value]
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(child, depth + 1) for key, child, _ in self.entries(node)}
        return None if node.tag == _TAG + "null" else str(node.value)

    def _refuse_tag(self, node: yaml.Node) -> None:
        if node.tag.removeprefix(_TAG) not in _PLAIN_TAGS:
            written = node.tag.replace(_TAG, "!!")
            raise ArticleError(
                f"{self.name}, line {self.line(node)}: the front matter asks for {written[:60]}, "
                "and only text, lists and mappings are read. Remove it, or put the value in quotes."
            )


# TOML -------------------------------------------------------------------------------------------

_MAX_DOTS = 2_000
"""In a line: the parser takes the square of the number of names that dots join."""
_TOML_KEY = re.compile(
    r"""\s*\[{0,2}\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[\w-]+))\s*[].=]"""
)


def _toml_fields(source: str, name: str, first: int) -> tuple[Field, ...]:
    import tomllib

    try:
        if any(line.count(".") > _MAX_DOTS for line in source.split("\n")):
            raise ValueError("a name has too many dots")  # noqa: TRY301 - told as all others
        table = tomllib.loads(source)
        lines = _toml_lines(source, first)
        values = _TomlValues(name)
        return tuple(
            Field(key, values.value(value, 1, lines.get(key)), lines.get(key))
            for key, value in table.items()
        )
    except (ValueError, RecursionError) as error:
        raise _broken_toml(error, name, first, source) from error


def _toml_lines(source: str, first: int) -> dict[str, int]:
    """Where each name stands first."""
    lines: dict[str, int] = {}
    for number, text in enumerate(source.split("\n"), first):
        if found := _TOML_KEY.match(text):
            lines.setdefault(found["double"] or found["single"] or found["bare"] or "", number)
    return lines


def _broken_toml(error: Exception, name: str, first: int, source: str) -> ArticleError:
    found = re.search(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    line = int(found[2]) if found and found[2] else source.count("\n") + 1
    where = f"{name}, line {line + first - 1}" if found else name
    problem = found[1] if found else str(error)
    if isinstance(error, RecursionError):
        problem = "it is too deeply nested"
    elif "integer string conversion" in problem:
        problem = "a number has too many digits"
    return ArticleError(
        f"{where}: the front matter cannot be read as TOML: {problem.rstrip('.')}. "
        'Write fields such as title = "…", text in quotes.'
    )


class _TomlValues(_Values):
    def value(self, value: Any, depth: int, line: int | None) -> Value:
        self.counted(depth, line)
        if isinstance(value, list):
            return [self.value(part, depth + 1, line) for part in value]
        if isinstance(value, Mapping):
            return {str(key): self.value(part, depth + 1, line) for key, part in value.items()}
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, date | time):
            return value.isoformat()
        return str(value)
