"""The OpenAPI 3.1 document, made of the operations and types that requests are checked by."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dispatch import __version__
from dispatch.web.api import problems
from dispatch.web.api.operations import JSON, Operation, Text
from dispatch.web.api.problems import Fault, Problem, RefusalError
from dispatch.web.api.vocabulary import Note
from dispatch.web.layers import request_ids

Json = dict[str, Any]

_ABOUT = """\
What the command line does with subscribers, mailings and articles, for programs.

Every request shows a token: `Authorization: Bearer dispatch_…`. `dispatch token create` makes one,
for the scopes that it is to be good for. What is refused is answered with problem details
(RFC 9457), whose `detail` is a sentence and whose `errors` point at what is wrong.

Lists come in pages: `after` is what the page before called its `next`. Times have a zone. Fields
and parameters that are not known are refused.
"""
_REFUSED = {
    400: "The request cannot be read.",
    401: "There is no token, or one that is not known, was revoked or has expired.",
    403: "The token is not good for it: missing_scopes says for what.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand: the detail says why.",
    413: "The body is too long.",
    415: "The body is of another media type, or compressed.",
    422: "A value cannot be used: errors points at it where it is one.",
    429: "Too many unknown tokens were tried from this address.",
    500: "Something went wrong here: the log knows it by the request_id.",
    503: "It cannot be done at the moment; nothing was done.",
}
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer, and what is wrong with the token (RFC 6750)."},
    403: {"WWW-Authenticate": "The scopes that it takes (RFC 6750)."},
    415: {"Accept-Post": "The media types that are taken."},
    429: {"Retry-After": "Seconds."},
    503: {"Retry-After": "Seconds."},
}


class Document:
    """Serves the document (ASGI); who asks for it needs no token."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations

    @cached_property
    def data(self) -> bytes:
        return msgspec.json.encode(document(self._operations))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            refusal = RefusalError(405, "Here there is GET, HEAD.", headers={"Allow": "GET, HEAD"})
            await refusal.response(request_ids.of(scope))(scope, receive, send)
            return
        answer = Response(self.data, 200, {"Cache-Control": "max-age=300"}, JSON)
        if request.method == "HEAD":
            answer.body = b""
        await answer(scope, receive, send)


def document(operations: Sequence[Operation]) -> Json:
    """The document of these operations."""
    schemas = _Schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        of_path = paths.setdefault(operation.path, {})
        of_path[operation.method.lower()] = _operation(operation, schemas)
    responses = {_response_name(status): _problem(status) for status in _REFUSED}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dispatch",
            "version": __version__,
            "summary": "Subscribers, mailings and articles of a newsroom.",
            "description": _ABOUT,
        },
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, operations))],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of dispatch token create.",
                }
            },
        },
    }


def _operation(operation: Operation, schemas: _Schemas) -> Json:
    found: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.about,
        "tags": [_tag(operation)],
        "security": [{"token": list(operation.scopes)}],
        "parameters": _parameters(operation, schemas),
        "responses": {
            **{str(status): _answer(operation, status, schemas) for status in operation.answers},
            **{
                str(status): {"$ref": f"#/components/responses/{_response_name(status)}"}
                for status in _refusals(operation)
            },
        },
    }
    if operation.bodies:
        content = {
            media_type: {"schema": {} if kind is bytes else schemas.of(kind)}
            for media_type, kind in operation.bodies.items()
        }
        found["requestBody"] = {"required": True, "content": content}
    return {key: value for key, value in found.items() if value not in ("", [])}


def _refusals(operation: Operation) -> list[int]:
    """The statuses that an operation is refused with."""
    found = {400, 401, 403, 422, 429, 500, 503, *operation.refusals}
    if operation.bodies:
        found |= {413, 415}
    return sorted(found)


def _parameters(operation: Operation, schemas: _Schemas) -> list[Json]:
    schema = schemas.object_of(operation.parameters)
    found = []
    for name, of_field in schema.get("properties", {}).items():
        own = _without_null(of_field)
        place = (
            "path" if name in operation.path_names
            else "header" if name in operation.headers
            else "query"
        )  # fmt: skip
        parameter: Json = {
            "name": operation.headers.get(name, name),
            "in": place,
            "required": name in schema.get("required", []),
            "description": own.pop("description", ""),
            "schema": own,
        }
        found.append({key: value for key, value in parameter.items() if value != ""})
    return found


def _without_null(schema: Json) -> Json:
    """A parameter that says nothing is left out: null cannot be written in an address."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    if others.get("default", 0) is None:
        del others["default"]
    if not options:
        return others
    enum = [value for value in options[0].get("enum", []) if value is not None]
    return {**options[0], **others, **({"enum": enum} if enum else {})}


def _answer(operation: Operation, status: int, schemas: _Schemas) -> Json:
    kind = operation.answers[status]
    if isinstance(kind, Text):
        content = {kind.media_type: {"schema": {"type": "string"}}}
        return _response(kind.about, content, operation.tells)
    told = _said_of(kind) or HTTPStatus(status).phrase
    return _response(told, {JSON: {"schema": schemas.of(kind)}}, operation.tells)


def _problem(status: int) -> Json:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return _response(_REFUSED[status], content, _HEADERS.get(status, {}))


def _response(told: str, content: Json, headers: Mapping[str, str]) -> Json:
    found: Json = {"description": told, "content": content}
    if headers:
        found["headers"] = {
            name: {"description": about, "required": True, "schema": {"type": "string"}}
            for name, about in headers.items()
        }
    return found


def _response_name(status: int) -> str:
    return f"Refused{status}"


def _tag(operation: Operation) -> str:
    return operation.path.split("/")[1]


class _Schemas:
    """JSON Schemas of the types of some operations, by msgspec, with what the code says of them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        kinds: dict[Any, None] = {Problem: None, Fault: None, Note: None}
        for operation in operations:
            answers = [kind for kind in operation.answers.values() if not isinstance(kind, Text)]
            bodies = [kind for kind in operation.bodies.values() if kind is not bytes]
            kinds |= dict.fromkeys([*answers, *bodies, operation.parameters])
        found, components = msgspec.json.schema_components(
            kinds, ref_template="#/components/schemas/{name}"
        )
        self._all: dict[str, Json] = components
        self._of: dict[Any, Json] = dict(zip(kinds, found, strict=True))
        for kind in _structs(kinds):
            self._describe(kind)
        hidden = {operation.parameters.__name__ for operation in operations}
        self.components = {n: s for n, s in sorted(self._all.items()) if n not in hidden}

    def of(self, kind: Any) -> Json:
        """The schema of a type, mostly a reference."""
        return self._of[kind]

    def object_of(self, kind: type[Struct]) -> Json:
        """The schema of a Struct itself."""
        return self._all[kind.__name__]

    def _describe(self, kind: type[Struct]) -> None:
        schema = self._all.get(kind.__name__)
        if schema is None:
            return
        schema.pop("description", None)
        if told := _said_of(kind):
            schema["description"] = told
        for name, said in _said_of_fields(kind).items():
            own = schema["properties"].get(name)
            if own is not None:
                own.setdefault("description", said)


def _structs(kinds: Mapping[Any, None]) -> list[type[Struct]]:
    """All Structs that types are made of."""
    found: dict[type[Struct], None] = {}

    def look(hint: Any) -> None:
        if isinstance(hint, type) and issubclass(hint, Struct) and hint not in found:
            found[hint] = None
            for field in msgspec.structs.fields(hint):
                look(field.type)
        for part in getattr(hint, "__args__", ()):
            look(part)

    for kind in kinds:
        look(kind)
    return list(found)


def _said_of(kind: type) -> str:
    """What a class says of itself; not what the one does that it is made of."""
    return inspect.cleandoc(vars(kind).get("__doc__") or "")


def _said_of_fields(kind: type) -> dict[str, str]:
    """What stands below each field of a class, as its description."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("dispatch."):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(tree, ast.ClassDef)
            for field, below in zip(tree.body, tree.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    assert isinstance(field.target, ast.Name)
                    said = ast.literal_eval(below.value)
                    found[field.target.id] = inspect.cleandoc(said)
    return found
