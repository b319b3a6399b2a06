"""Unsubscribing: one click by a mail program (RFC 8058), or the page with its choices."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dispatch.newsroom.leaving import Click, leave_many
from dispatch.web import forms
from dispatch.web.site import site_of

_ONE_CLICK = ("List-Unsubscribe", "One-Click")


async def leave(request: Request) -> Response:
    """Act on a form, or on the one click of a mail program, which has no form of ours."""
    site = site_of(request)
    recipient = site.tokens.read_link(request.path_params["token"])
    if recipient is None:
        raise HTTPException(404)
    fields = await forms.read(request)
    if fields.get(_ONE_CLICK[0]) == _ONE_CLICK[1]:
        click = Click(recipient, request.path_params["desk"], site.now())
        if await site.write_together(leave_many, click):
            return PlainTextResponse("Unsubscribed.\n")
    raise HTTPException(404)


routes: list[Route] = [
    Route("/{desk}/unsubscribe/{token}", leave, methods=["POST"]),
]
