"""What a request says, as the types of its operation have it, or a refusal that points at it."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, structs

from dispatch.web.api.problems import Fault, RefusalError

Kind = TypeVar("Kind")

_MOST_PARAMETERS = 50
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_TRUTH = {"true": True, "false": False}
_AT = re.compile(r" - at (?:`key` in )?`\$(.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(.*?)`", re.DOTALL)


def parameters(
    kind: type[Kind], path: Mapping[str, str], query: bytes, headers: Mapping[str, str | None]
) -> Kind:
    """The parameters of a request, each given once.

    Args:
        kind: a Struct; a number or a truth value is written as JSON has it.
        path: the parts of the address, by the field's name.
        query: the address behind its question mark.
        headers: those that the operation knows, by the field's name; None where one is not there.

    Raises:
        RefusalError: 400 where the query cannot be read, 422 where a parameter is wrong or
            not known.
    """
    given: dict[str, Any] = {}
    types = _types_of(kind)  # type: ignore[arg-type]  # a class can be hashed
    for name, value in [*path.items(), *headers.items(), *_pairs(query)]:
        if name in given:
            raise _wrong_parameter(name, "It is given twice, or does not belong there.")
        given[name] = value and _plain(value, types.get(name, frozenset()))
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        name = next(iter(_steps(error)), "")
        raise _wrong_parameter(name, _sentence(error)) from None


def body(kind: type[Kind], data: bytes) -> Kind:
    """A body in JSON.

    Raises:
        RefusalError: 400 where it is no JSON or says one thing twice, 422 where it is not of
            ``kind``.
    """
    try:
        found = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        pointer = "#" + "".join(f"/{_escaped(step)}" for step in _steps(error))
        fault = Fault(_sentence(error), pointer=pointer)
        told = f"The body cannot be used: {pointer}: {fault.detail}"
        raise RefusalError(422, told, errors=[fault]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusalError(400, f"The body is not JSON in UTF-8: {error}.") from None
    json.loads(data, object_pairs_hook=_once)  # nests no deeper than its type does
    return found


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Programs disagree on which of two values holds, and that is how checks are passed by."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RefusalError(400, f"The body says {twice[:60]!r} twice in one object.")


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise RefusalError(400, "The address cannot be read behind its question mark.") from None


def _plain(value: str, types: frozenset[type]) -> str | int | bool:
    if int in types and _WHOLE.fullmatch(value):
        return int(value)
    return _TRUTH.get(value, value) if bool in types else value


@cache
def _types_of(kind: Hashable) -> dict[str, frozenset[type]]:
    """The plain types that each field of a Struct may have."""
    assert isinstance(kind, type) and issubclass(kind, Struct)
    return {
        field.encode_name: frozenset(t for t in _inside(field.type) if isinstance(t, type))
        for field in structs.fields(kind)
    }


def _inside(hint: Any) -> Iterable[Any]:
    yield hint
    for part in get_args(hint):
        yield from _inside(part)


def _steps(error: msgspec.ValidationError) -> list[str]:
    """The way to what is wrong, from outside in; as far as it is known."""
    text = str(error)
    at, named = _AT.search(text), _NAMED.search(text)
    steps = [name or number for name, number in _STEP.findall(at[1])] if at else []
    return [step for step in [*steps, named[1] if named else ""] if step]


def _sentence(error: msgspec.ValidationError) -> str:
    said = _AT.sub("", str(error)).replace("`", "")
    return f"{said[:300]}."


def _escaped(step: str) -> str:
    """RFC 6901, 3."""
    return step[:100].replace("~", "~0").replace("/", "~1")


def _wrong_parameter(name: str, why: str) -> RefusalError:
    fault = Fault(why, parameter=name[:100])
    return RefusalError(422, f"The parameter {name[:100]!r} cannot be used: {why}", errors=[fault])
