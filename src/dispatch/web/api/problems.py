"""Refusals of the API, as problem details (RFC 9457).

What is wrong with a request is said by raising :class:`RefusalError`. What goes wrong
here, inside, is none of the caller's business: it goes on to
:mod:`dispatch.web.layers.errors`, which answers 500 or 503 in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from msgspec import Struct
from starlette.responses import Response

from dispatch.errors import ArticleError, AudienceError, DeliveryError, DispatchError
from dispatch.settings import Settings

MEDIA_TYPE = "application/problem+json"


class Fault(Struct, frozen=True, omit_defaults=True):
    """What is wrong with one value of a request."""

    detail: str
    """In words."""
    pointer: str | None = None
    """Where in the body it stands: a JSON Pointer (RFC 6901) as a fragment, such as #/email."""
    parameter: str | None = None
    """The parameter of the address, or the header, that it is."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). There is no type: the status says what kind it is."""

    title: str
    status: int
    detail: str
    request_id: str
    """What the server's log knows the request by."""
    errors: list[Fault] = []
    """The values that are wrong."""
    missing_scopes: list[str] = []
    """What the token would have to be good for."""


class RefusalError(Exception):
    """The answer to a request that cannot be done.

    Args:
        detail: a sentence: what is wrong, and what to do.
        headers: of the answer, besides the usual ones.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        missing_scopes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.missing_scopes = missing_scopes
        self.headers = headers or {}

    def response(self, request_id: str) -> Response:
        problem = Problem(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            request_id=request_id,
            errors=list(self.errors),
            missing_scopes=list(self.missing_scopes),
        )
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(msgspec.json.encode(problem), self.status, headers, MEDIA_TYPE)


def of(error: DispatchError, settings: Settings) -> RefusalError | None:
    """What comes of an error of the newsroom.

    An article, an address or a segment is the caller's (422); a mailing that cannot be
    made or moved is so in its present state (409). All else is the newsroom's own
    trouble, and so is whatever names a file of this machine: None.
    """
    statuses = {ArticleError: 422, AudienceError: 422, DeliveryError: 409}
    status = next((s for kind, s in statuses.items() if isinstance(error, kind)), None)
    if status is None or _names_a_file(str(error), settings):
        return None
    return RefusalError(status, str(error))


def _names_a_file(sentence: str, settings: Settings) -> bool:
    """Whether a sentence tells a path of this machine: a key's, a template's, the database's."""
    folders = (settings.dkim, settings.templates, settings.publishers, settings.cache)
    named = any(re.search(rf"(?<![\w.-]){re.escape(str(f))}/\w", sentence) for f in folders)
    return named or "dispatch.db" in sentence
