"""What a request for a file says of the answer it would like."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers


@dataclass(frozen=True, slots=True)
class Asked:
    """The values of the fields that decide; None where one is not there."""

    accept_encoding: bytes | None
    none_match: bytes | None
    modified_since: bytes | None

    @classmethod
    def of(cls, headers: Headers) -> Asked:
        names = ("accept-encoding", "if-none-match", "if-modified-since")
        return cls(*(_value(headers, name) for name in names))


def _value(headers: Headers, name: str) -> bytes | None:
    """A field's value; of several with one name, their values as one list (RFC 9110, 5.3)."""
    values = headers.getlist(name)
    return ", ".join(values).encode("latin-1", "replace") if values else None
