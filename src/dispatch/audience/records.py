"""One row of a list → what it says of one person, or why it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from dispatch.audience import addresses, statuses, values
from dispatch.audience.cells import bare
from dispatch.audience.columns import Columns, Kind, custom_name
from dispatch.audience.states import State
from dispatch.errors import AudienceError

_T = TypeVar("_T")

_SIGNS: tuple[tuple[Kind, State], ...] = (
    ("complained_at", "complained"),
    ("bounced_at", "bounced"),
    ("unsubscribed_at", "unsubscribed"),
)
"""Columns of times: the state that having one means."""

_GRAVITY = (None, "active", "pending", "unsubscribed", "bounced", "complained")


class Record(NamedTuple):
    """What a row says, each fact as it is stored. None: nothing; an empty text: that there is none.

    ``fields`` is a JSON object of the custom fields whose columns the list has, the empty ones too.
    The times are in ISO 8601, in UTC.
    """

    address_key: str
    email: str
    domain: str
    name: str | None
    language: str | None
    timezone: str | None
    tags: str | None
    fields: str | None
    state: State | None
    joined: str | None
    consent_source: str | None
    consent_at: str | None
    consent_ip: str | None
    consent_text: str | None
    frequency: str | None
    paused_until: str | None


class Records:
    """Makes records of rows, and counts the values that no sense could be made of.

    Args:
        columns: what the columns mean.

    Attributes:
        ignored: how many values of each kind (``language``, ``timezone``, ``joined``…) were left
            out; the rest of their row was taken.
    """

    def __init__(self, columns: Columns) -> None:
        self._width = len(columns.names)
        self._places = columns.places
        self._email = columns.places["email"]
        self._fields = columns.fields
        self._has_name = any(kind in columns.places for kind in ("name", "first", "last"))
        self._has_state = any(
            kind in columns.places
            for kind in (
                "status", "maybe_status", "subscribed", "disabled",
                "unsubscribed_at", "bounced_at", "complained_at",
            )
        )  # fmt: skip
        self.ignored: Counter[str] = Counter()

    def record(self, cells: Sequence[str]) -> Record:
        """What a row says.

        Args:
            cells: as many as there are columns, or fewer: those that miss are empty.

        Raises:
            AudienceError: it has no usable address, or a status that is not known.
        """
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        has = self._places
        address = addresses.parse(self._first("email", cells))
        return Record(
            address_key=address.key,
            email=address.email,
            domain=address.domain,
            name=self._name(cells) if self._has_name else None,
            language=self._value("language", cells, values.language),
            timezone=self._value("timezone", cells, values.timezone),
            tags=self._tags(cells) if "tags" in has else None,
            fields=self._custom(cells) if self._fields or "attributes" in has else None,
            state=self._state(cells) if self._has_state else None,
            joined=self._time("joined", cells),
            consent_source=self._value("consent_source", cells, values.source),
            consent_at=self._time("consent_at", cells),
            consent_ip=self._value("consent_ip", cells, values.ip),
            consent_text=self._value("consent_text", cells, values.consent_text),
            frequency=self._value("frequency", cells, values.frequency),
            paused_until=self._time("paused_until", cells),
        )

    def _first(self, kind: Kind, cells: Sequence[str]) -> str:
        """What the columns of a kind say: the first of them that says anything."""
        for place in self._places.get(kind, ()):
            if cell := cells[place].strip():
                return bare(cell)
        return ""

    def _value(
        self, kind: Kind, cells: Sequence[str], parse: Callable[[str], _T | None]
    ) -> _T | None:
        if kind not in self._places:
            return None
        text = self._first(kind, cells)
        if not text:
            return None
        value = parse(text)
        if value is None:
            self.ignored[kind] += 1
        return value

    def _time(self, kind: Kind, cells: Sequence[str]) -> str | None:
        time = self._value(kind, cells, values.time)
        return time.isoformat() if time else None

    def _name(self, cells: Sequence[str]) -> str | None:
        whole = self._first("name", cells)
        if whole:
            return values.name(whole)
        return values.name(f"{self._first('first', cells)} {self._first('last', cells)}")

    def _tags(self, cells: Sequence[str]) -> str:
        written = ",".join(bare(cells[place].strip()) for place in self._places["tags"])
        return values.joined_tags(values.tags(written))

    def _custom(self, cells: Sequence[str]) -> str:
        kept = {
            field: values.field_value(bare(cells[place])) or "" for place, field in self._fields
        }
        for key, value in (self._value("attributes", cells, values.attributes) or {}).items():
            if len(kept) < values.MOST_FIELDS:
                kept.setdefault(custom_name(key), value)
        return values.to_json(kept)

    def _state(self, cells: Sequence[str]) -> State | None:
        """The state that the row claims: the gravest thing that any column says."""
        said = {self._status(cells), statuses.state(self._first("maybe_status", cells))}
        said |= {state for kind, state in _SIGNS if self._first(kind, cells)}
        subscribed = statuses.yes(self._first("subscribed", cells))
        if subscribed is not None:
            said.add("active" if subscribed else "unsubscribed")
        if statuses.yes(self._first("disabled", cells)):
            said.add("unsubscribed")
        return max(said, key=_GRAVITY.index)

    def _status(self, cells: Sequence[str]) -> State | None:
        word = self._first("status", cells)
        state = statuses.state(word)
        if word and state is None:
            raise AudienceError(
                f"The status “{values.line(word, 40)}” is not known: use active, pending, "
                "unsubscribed, bounced or complained."
            )
        return state
