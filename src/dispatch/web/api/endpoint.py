"""What is at an address of the API: its operations, and what a request goes through to reach one.

    method → token → scopes → parameters → media type → length → body → handler → answer

A stranger learns nothing but that they are one: everything else comes behind the token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dispatch.web import forms
from dispatch.web.api import decoding, lanes
from dispatch.web.api.authentication import authenticate
from dispatch.web.api.operations import JSON, Answer, Call, Operation, Text, Upload
from dispatch.web.api.problems import RefusalError
from dispatch.web.layers import request_ids
from dispatch.web.site import site_of

_LARGE = 65_536
"""Bytes from which on a body is read in a thread."""


class Endpoint:
    """The operations of one address, by their methods (ASGI)."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = {operation.method: operation for operation in operations}
        methods = [*self._operations, *(["HEAD"] if "GET" in self._operations else [])]
        self._allow = ", ".join(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except RefusalError as refusal:
            answer = refusal.response(request_ids.of(scope))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._operations.get(method)
        if operation is None:
            told = f"Here there is {self._allow}."
            raise RefusalError(405, told, headers={"Allow": self._allow})
        token = await authenticate(request, operation.scopes)
        parameters = decoding.parameters(
            operation.parameters,
            request.path_params,
            request.scope["query_string"],
            _headers(operation, request),
        )
        raw, body = await _body(operation, request) if operation.bodies else (b"", None)
        site = site_of(request)
        call = Call(site, token, site.now(), parameters, body, raw)
        return _response(operation, await operation.handler(call), request.method == "HEAD")


class Missing:
    """Answers where there is no operation (ASGI)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = "There is nothing here. GET /api/v1/openapi.json lists what there is."
        await RefusalError(404, told).response(request_ids.of(scope))(scope, receive, send)


def _headers(operation: Operation, request: Request) -> Mapping[str, str | None]:
    found = {}
    for field, name in operation.headers.items():
        lines = request.headers.getlist(name)
        if len(lines) > 1:
            raise RefusalError(400, f"The header {name} is given twice.")
        found[field] = lines[0] if lines else None
    return found


async def _body(operation: Operation, request: Request) -> tuple[bytes, object]:
    """The body as it came, and what it means.

    Raises:
        RefusalError: 415 for a media type or an encoding that is not taken, 413 where it is too
            long, 400 where it breaks off, and what is wrong with what it says.
    """
    media_type = _media_type(operation, request)
    try:
        raw = await forms.bounded(request, operation.most)
    except HTTPException as error:
        raise RefusalError(error.status_code, error.detail) from None
    kind = operation.bodies[media_type]
    if kind is bytes:
        return raw, Upload(media_type, raw)
    if len(raw) > _LARGE:
        found = await lanes.questions.run(decoding.body, kind, raw)
    else:
        found = decoding.body(kind, raw)
    return raw, Upload(media_type, found) if len(operation.bodies) > 1 else found


def _media_type(operation: Operation, request: Request) -> str:
    given = request.headers.getlist("content-type")
    media_type, _, rest = (given[0] if len(given) == 1 else "").partition(";")
    media_type = media_type.strip().lower()
    charset = rest.strip().lower().removeprefix("charset=").strip('" ')
    taken = " or ".join(operation.bodies)
    if media_type not in operation.bodies or (media_type == JSON and charset not in ("", "utf-8")):
        told = f"The body is to be {taken}, and Content-Type is to say so."
        raise RefusalError(415, told, headers={"Accept-Post": ", ".join(operation.bodies)})
    if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        told = "A body is to be sent as it is, not compressed."
        raise RefusalError(415, told, headers={"Accept-Post": ", ".join(operation.bodies)})
    return media_type


def _response(operation: Operation, answer: Answer, head: bool) -> Response:
    declared = operation.answers[answer.status]
    headers = {"Cache-Control": "no-store", **answer.headers}
    if isinstance(declared, Text):
        assert not isinstance(answer.content, Struct)
        if head:
            return StreamingResponse(_nothing(), answer.status, headers, declared.media_type)
        return StreamingResponse(answer.content, answer.status, headers, declared.media_type)
    assert isinstance(answer.content, declared), "an answer of another type than was declared"
    response = Response(msgspec.json.encode(answer.content), answer.status, headers, JSON)
    if head:
        response.body = b""  # Content-Length stays what it would be (RFC 9110, 9.3.2)
    return response


async def _nothing() -> AsyncIterator[bytes]:
    for part in list[bytes]():
        yield part
