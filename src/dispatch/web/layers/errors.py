"""Answers where something is the matter: a page for a reader, JSON for a program, else a line.

What is said never holds what went wrong inside: that is in the log, under the
request's id, which the answer names.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.desk import Desk
from dispatch.errors import DispatchError, StoreError
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.web import answers, logs
from dispatch.web.answers import label
from dispatch.web.layers import request_ids
from dispatch.web.layers.origins import is_foreign
from dispatch.web.site import Site, site_of

_AGAIN_AFTER = "10"
"""Seconds after which a client may try again: whoever holds the database is done by then."""

_SAID = {
    403: (
        label("This was sent from another site"),
        label("Open the page on this site and send the form from there."),
    ),
    404: (
        label("There is no such page"),
        label("It may have been moved or taken down, or the link is not complete."),
    ),
    405: (
        label("That cannot be done here"),
        label("Go back, reload the page, and try again."),
    ),
    413: (
        label("That is too long"),
        label("Go back, shorten what you typed, and send it again."),
    ),
    429: (
        label("That was too often"),
        label("Please wait a while, and try again."),
    ),
    503: (
        label("This does not work at the moment"),
        label("Please try again in a few minutes."),
    ),
}
_OTHERWISE = (
    label("This request cannot be understood"),
    label("Go back, reload the page, and try again."),
)
_PAGES = 500
"""That are kept, of some 15 KB each."""
_SLUG = re.compile(r"/([a-z0-9-]{1,100})(?:/|\Z)")

_log = logging.getLogger("dispatch.web")


async def refused(request: Request, error: Exception) -> Response:
    """The answer to an HTTPException."""
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 405 and "route" in request.scope:
        error.headers = {**(error.headers or {}), "Allow": ", ".join(_methods(request))}
    desk = await _desk(request) if _wants(request) == "text/html" else None
    return await _answer(request, error, desk)


async def unavailable(request: Request, error: Exception) -> Response:
    """The answer where the database cannot be read or written; it is not asked again."""
    assert isinstance(error, StoreError)
    _log.error(str(error), exc_info=error, extra={"facts": {"id": request_ids.of(request.scope)}})
    sentence = "This does not work at the moment. Nothing was changed."
    told = HTTPException(503, sentence, {"Retry-After": _AGAIN_AFTER})
    return await _answer(request, told, _common_desk(site_of(request)))


class Unforeseen:
    """Answers 500 where nobody foresaw what went wrong, and says so in the log (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            request_id = request_ids.of(scope)
            # A sentence of ours is for the desk, and names no reader; any other may.
            said = f": {error}" if isinstance(error, DispatchError) else "."
            message = f"A request failed{said}"
            _log.error(message, exc_info=error, extra={"facts": {"id": request_id}})
            if started:  # half an answer is out: all that is left is to break it off
                error.add_note(logs.SAID)
                raise
            await _broken(scope, request_id)(scope, receive, send)


class OwnForms:
    """Refuses forms that another site sent (ASGI); see :mod:`dispatch.web.layers.origins`."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            if is_foreign(request, self._site.settings):
                answer = await refused(request, HTTPException(403))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _answer(request: Request, error: HTTPException, desk: Desk | None) -> Response:
    status = error.status_code
    if desk is not None and _wants(request) == "text/html":
        answer = await _page(request, desk, status)
    elif _wants(request) == "application/json":
        answer = problem(request.scope, status, error.detail)
    else:
        answer = PlainTextResponse(f"{error.detail}\n", status, {"Cache-Control": "no-store"})
    answer.headers.update(error.headers or {})
    return answer


async def _page(request: Request, desk: Desk, status: int) -> Response:
    """The page for a status, which is drawn once for each desk and language.

    Drawing takes a few milliseconds, and those who ask for what is not there ask for a lot.
    """
    drawn: dict[tuple[str, str, int], Response] = request.app.state.error_pages
    key = (desk.slug, answers.spoken(request, desk), status)
    page = drawn.get(key)
    if page is None:
        heading, sentence = _SAID.get(status, _OTHERWISE)
        page = await answers.notice(request, desk, heading, sentence, status=status)
        if len(drawn) >= _PAGES:
            drawn.clear()
        drawn[key] = page
    return Response(page.body, status, dict(page.headers))


def problem(
    scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """What a program is told where something is the matter (RFC 9457)."""
    told = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": request_ids.of(scope),
    }
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(json.dumps(told), status, headers, "application/problem+json")


def _broken(scope: Scope, request_id: str) -> Response:
    sentence = "Something went wrong here, and it is in the log."
    if _wants(Request(scope)) == "application/json":
        return problem(scope, 500, sentence)
    told = f"{sentence}\nIf you write to us about it, name this number: {request_id}\n"
    return PlainTextResponse(told, 500, {"Cache-Control": "no-store"})


def _methods(request: Request) -> list[str]:
    """What may be done at an address; one route may be for reading it and another for forms."""
    scope = request.scope
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    there = [route for route in routes if route.matches(scope)[0] is not Match.NONE]
    return sorted({method for route in there for method in route.methods or ()})


def _wants(request: Request) -> str:
    """The media type that suits who asks: of those there are, the one that they name first."""
    if request.url.path.startswith("/api/"):
        return "application/json"
    accept = request.headers.get("accept", "")[:1000].lower()
    named = {kind: accept.find(kind) for kind in ("text/html", "application/json")}
    first = {kind: at for kind, at in named.items() if at >= 0}
    return min(first, key=first.__getitem__, default="text/plain")


async def _desk(request: Request) -> Desk | None:
    """The desk that the path is about; else none in particular, with the publisher's masthead.

    Of a private one nobody learns so that there is one: its pages are refused like any other's.
    """
    site = site_of(request)
    found = _SLUG.match(request.scope["path"])
    if found is not None:
        try:
            desk = await site.desk(found[1])
        except StoreError:
            desk = None  # the answer is given all the same
        if desk is not None and desk.access != "private":
            return desk
    return await asyncio.to_thread(_common_desk, site)


def _common_desk(site: Site) -> Desk:
    """The publisher's, for a page that is about no desk: it has no name and leads to no feed."""
    name = site.settings.desk
    desk = make_desk(name, desk_slug(name), site.settings)
    return replace(desk, name="", slug="", access="private")
