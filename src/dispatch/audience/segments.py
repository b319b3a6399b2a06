"""Segments: a small language that says which subscribers, such as ``tag:premium and language:de``.

::

    segment    = anyof
    anyof      = allof *("or" allof)
    allof      = negated *("and" negated)
    negated    = "not" negated / "(" anyof ")" / test
    test       = field ":" value / "joined" (":" / "<" / "<=" / ">" / ">=") date
    field      = tag, language, domain, timezone, name, email or a custom field
    value      = word / quoted                 ; "…", with \\" and \\\\ in it

Words are read without regard to case. A segment is at most 2,000 characters
long, 100 tests wide and 20 deep, so that reading it and asking the database
take no time to speak of, whatever was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Literal, NoReturn

from sqlalchemy import ColumnElement, Connection

from dispatch.audience import addresses, values
from dispatch.audience.columns import RESERVED, Kind, custom_name, kind_of
from dispatch.errors import AudienceError
from dispatch.store import subscribers as store

_LONGEST = 2000
_MOST_TESTS = 100
_DEEPEST = 20

Operator = Literal[":", "<", "<=", ">", ">="]
_OPERATORS: dict[str, Operator] = {
    ":": ":", "=": ":", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip

_WORDS = ("and", "or", "not")
_FACTS = tuple(sorted(RESERVED - {*_WORDS}))
_OTHER_NAMES: dict[Kind, str] = {
    "tags": "tag", "language": "language", "timezone": "timezone", "email": "email",
    "name": "name", "joined": "joined",
}  # fmt: skip

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign> [()] | <= | >= | [:<>=] )
      | (?P<quoted> " (?: [^"\\] | \\. )* " )
      | (?P<word> [^\s()"<>:=;,&|!]+ )
      | (?P<end> \Z )
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^\s()\"<>:=;,&|!]+")
_PLACE = 60
"""Characters of a segment that are shown around what is wrong with it."""


class SegmentError(AudienceError):
    """A segment cannot be understood; ``position`` is where, in characters from its beginning."""

    def __init__(self, text: str, position: int, problem: str) -> None:
        start = max(0, position - _PLACE)
        shown = "".join(c if c.isprintable() else " " for c in text[start : position + _PLACE])
        caret = " " * _width(shown[: position - start]) + "^"
        super().__init__(f"The segment cannot be understood:\n  {shown}\n  {caret} {problem}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Term:
    """One fact about a subscriber. A custom field stands with its name as it is kept."""

    field: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        plain = _PLAIN_VALUE.fullmatch(self.value) and self.value.isprintable()
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f"{self.field}{self.operator}" + (self.value if plain else f'"{escaped}"')


@dataclass(frozen=True, slots=True)
class Not:
    part: Segment

    def __str__(self) -> str:
        return f"not {_inner(self.part, All, Any)}"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Segment, ...]

    def __str__(self) -> str:
        return " and ".join(_inner(part, All, Any) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Segment, ...]

    def __str__(self) -> str:
        return " or ".join(_inner(part, Any) for part in self.parts)


Segment = Term | Not | All | Any


def parse(text: str) -> Segment:
    """The segment that ``text`` describes.

    Raises:
        SegmentError: it cannot be understood; the message points at the place.
    """
    return _Parser(text).parse()


def parse_for(connection: Connection, desk: str, text: str) -> Segment:
    """As :func:`parse`, and every custom field must be one that a subscriber of the desk has.

    Raises:
        SegmentError: it cannot be understood, or a field is not known: it would find nobody.
    """
    parser = _Parser(text)
    segment = parser.parse()
    for field, position in parser.custom.items():
        if not store.has_field(connection, desk, field):
            known = [*_FACTS, *store.field_names(connection, desk)]
            near = get_close_matches(field, known, 1)
            hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(known[:20])}."
            raise SegmentError(text, position, f"no subscriber of {desk} has a {field}.{hint}")
    return segment


def unknown_tags(connection: Connection, desk: str, segment: Segment) -> tuple[str, ...]:
    """A sentence for each tag of the segment that no subscriber of the desk has.

    It can be a typo, and ``not tag:premum`` would find everybody; or nobody has it yet, which is
    for the desk to know: no error.
    """
    missing = [
        tag
        for tag in sorted(_tags(segment))
        if not store.any_with(connection, [store.of_desk(desk), store.has_tag(tag)])
    ]
    if not missing:
        return ()
    known = {
        tag for tags in store.tags_in_use(connection, desk) for tag in values.parted_tags(tags)
    }
    return tuple(
        f"No subscriber of {desk} has the tag {tag}.{_near(tag, known)}" for tag in missing
    )


def _tags(segment: Segment) -> set[str]:
    match segment:
        case Not(part):
            return _tags(part)
        case All(parts) | Any(parts):
            return set().union(*map(_tags, parts))
        case Term(field, _, value):
            return {value} if field == "tag" else set()


def _near(tag: str, known: set[str]) -> str:
    near = get_close_matches(tag, known, 1)
    return f" Did you mean {near[0]}?" if near else ""


def condition(segment: Segment) -> ColumnElement[bool]:
    """The segment as a condition on the table of subscribers. What was typed stays data."""
    match segment:
        case Not(part):
            return store.none_of(condition(part))
        case All(parts):
            return store.all_of([condition(part) for part in parts])
        case Any(parts):
            return store.any_of([condition(part) for part in parts])
        case Term("joined", operator, value):
            return _joined(operator, date.fromisoformat(value))
        case Term(field, _, value):
            known = _CONDITIONS.get(field)
            return known(value) if known else store.has_field_value(field, value)


_CONDITIONS: dict[str, Callable[[str], ColumnElement[bool]]] = {
    "tag": store.has_tag,
    "language": store.speaks,
    "timezone": store.lives_in,
    "domain": store.has_domain,
    "email": store.has_address,
    "name": store.is_named_like,
}


def _joined(operator: Operator, day: date) -> ColumnElement[bool]:
    """Days are those of UTC: ``joined>2026-01-01`` begins with the second of January."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = begin + timedelta(days=1)
    match operator:
        case "<":
            return store.joined_before(begin)
        case "<=":
            return store.joined_before(end)
        case ">":
            return store.none_of(store.joined_before(end))
        case ">=":
            return store.none_of(store.joined_before(begin))
        case ":":
            from_then = store.none_of(store.joined_before(begin))
            return store.all_of([from_then, store.joined_before(end)])


class _Parser:
    """Recursive descent over the tokens of one segment.

    Attributes:
        custom: where each custom field is first named.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise SegmentError(text, _LONGEST, f"it is longer than {_LONGEST:,} characters.")
        self._text = text
        self._next = 0  # where the next token is looked for
        self._tests = 0
        self.custom: dict[str, int] = {}
        self._advance()

    def parse(self) -> Segment:
        if self._kind == "end":
            self._fail("it is empty: write such as tag:premium.")
        segment = self._any(0)
        if self._kind != "end":
            near = get_close_matches(self._piece.lower(), _WORDS, 1, 0.5)
            hint = f", did you mean {near[0]}?" if near else ", and, or."
            closed = "there is no ( for this )." if self._piece == ")" else ""
            self._fail(closed or f"expected the end{hint}")
        return segment

    def _any(self, depth: int) -> Segment:
        parts = [self._all(depth)]
        while self._is_word("or"):
            self._advance()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int) -> Segment:
        parts = [self._negated(depth)]
        while self._is_word("and"):
            self._advance()
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _negated(self, depth: int) -> Segment:
        if depth > _DEEPEST:
            self._fail(f"it is nested deeper than {_DEEPEST} levels.")
        if self._is_word("not"):
            self._advance()
            return Not(self._negated(depth + 1))
        if self._piece == "(" and self._kind == "sign":
            self._advance()
            inner = self._any(depth + 1)
            if self._piece != ")" or self._kind != "sign":
                self._fail("expected ) to close the (.")
            self._advance()
            return inner
        return self._test()

    def _test(self) -> Segment:
        self._tests += 1
        if self._tests > _MOST_TESTS:
            self._fail(f"it has more than {_MOST_TESTS} tests.")
        if self._kind != "word" or self._piece.lower() in _WORDS:
            self._fail("expected a test such as tag:premium.")
        written, place = self._piece, self._place
        field = self._field(written, place)
        self._advance()
        operator = self._operator(written, field)
        if self._kind not in ("word", "quoted"):
            self._fail(f"expected a value, such as {field}{operator}{_EXAMPLES.get(field, 'pro')}.")
        value = self._value(field)
        self._advance()
        return Term(field, operator, value)

    def _field(self, written: str, place: int) -> str:
        field = _fact(written)
        if field:
            return field
        field = custom_name(written)
        if not field or kind_of(written) not in (None, "maybe_status"):
            facts = f"{', '.join(_FACTS)} and custom fields"
            self._fail(f"{written} is nothing to ask for: there are {facts}.")
        self.custom.setdefault(field, place)
        return field

    def _operator(self, written: str, field: str) -> Operator:
        """The token at hand as the operator of a test; it is read over."""
        operator = _OPERATORS.get(self._piece) if self._kind == "sign" else None
        if operator is None:
            self._fail(f"expected : and a value, did you mean {self._meant(written)}?")
        if operator != ":" and field != "joined":
            self._fail(f"only joined can be compared: write {field}:…")
        self._advance()
        return operator

    def _meant(self, written: str) -> str:
        """What may be meant where a field has no colon: ``tag;premium`` → ``tag:premium``."""
        field = _fact(written)
        if field:
            rest = re.match(r"[;,&|!\s]*([^\s()\"<>:=;,&|!]*)", self._text[self._place :])
            value = rest[1] if rest and rest[1] and rest[1].lower() not in _WORDS else "…"
            return f"{field}:{value}"
        return f"tag:{written}"

    def _value(self, field: str) -> str:
        """The token at hand as the value of a test, as it is kept in the database."""
        text = self._piece
        if self._kind == "quoted":
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if not text.strip() or not text.isprintable():
            self._fail("expected a value with something in it, on one line.")
        match field:
            case "joined":
                return self._date(text)
            case "tag":
                return values.tag(text) or self._fail("expected a tag.")
            case "language":
                return values.language(text) or self._fail("expected a language such as de.")
            case "domain" | "email":
                return self._address(field, text)
        return text.strip()

    def _date(self, text: str) -> str:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self._fail("expected a date such as 2026-01-31.")
        if not 1900 <= day.year <= 2199:
            self._fail("expected a date from 1900 to 2199.")
        return day.isoformat()

    def _address(self, field: str, text: str) -> str:
        """An address or a domain in the form in which they are compared."""
        try:
            whole = addresses.parse(text if field == "email" else f"ida@{text}")
        except AudienceError:
            self._fail(f"expected {_EXAMPLES[field]} or the like.")
        return whole.key if field == "email" else whole.domain

    def _is_word(self, word: str) -> bool:
        return self._kind == "word" and self._piece.lower() == word

    def _advance(self) -> None:
        """Read the next token: ``_kind``, ``_piece`` and ``_place``."""
        found = _TOKEN.match(self._text, self._next)
        if found is None:
            self._place = (
                self._next + len(self._text[self._next :]) - len(self._text[self._next :].lstrip())
            )
            self._kind, self._piece = "wrong", self._text[self._place]
            if self._piece == '"':
                self._fail("this quotation mark is not closed.")
            self._next = self._place + 1
            return
        self._kind = found.lastgroup or ""
        self._piece = found[self._kind]
        self._place = found.start(self._kind)
        self._next = found.end()

    def _fail(self, problem: str) -> NoReturn:
        raise SegmentError(self._text, self._place, problem)


_EXAMPLES = {
    "tag": "premium", "language": "de", "domain": "example.org", "timezone": "Europe/Vienna",
    "name": "Ida", "email": "ida@example.org", "joined": "2026-01-31",
}  # fmt: skip


def _fact(written: str) -> str | None:
    """The fact that a name stands for; None: it may be a custom field."""
    field = written.lower()
    kind = kind_of(written)
    return field if field in _FACTS else _OTHER_NAMES.get(kind) if kind else None


def _inner(part: Segment, *in_parentheses: type) -> str:
    return f"({part})" if isinstance(part, in_parentheses) else str(part)


def _width(text: str) -> int:
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)
