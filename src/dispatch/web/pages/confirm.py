"""Confirming a sign-up: GET shows a button, POST acts.

Programs that look through people's mail follow every link in it. None of them
subscribes anybody: that takes the button.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dispatch.newsroom import confirming
from dispatch.newsroom.confirming import Click, Invitation
from dispatch.web import answers, forms
from dispatch.web.site import ip_of, site_of


async def show(request: Request) -> Response:
    """What the link leads to; changes nothing."""
    site = site_of(request)
    found = await site.read(
        confirming.invitation,
        _recipient(request),
        request.path_params["desk"],
        site.settings,
        site.now(),
    )
    return await _page(request, found)


async def confirm(request: Request) -> Response:
    """Make them a subscriber."""
    site = site_of(request)
    recipient = _recipient(request)
    fields = await forms.read(request)
    if site.stamps.age(fields, request.scope["path"]) is None:
        return await show(request)
    click = Click(recipient, request.path_params["desk"], ip_of(request), site.now())
    found = await site.write(confirming.confirm, click, site.templates, site.tokens, site.settings)
    return await _page(request, found)


def _recipient(request: Request) -> int:
    """The key that the token in the address names.

    Raises:
        HTTPException: 404 where it is no token of ours: the same as where it leads to nothing.
    """
    recipient = site_of(request).tokens.read_link(request.path_params["token"])
    if recipient is None:
        raise HTTPException(404)
    return recipient


async def _page(request: Request, found: Invitation | None) -> Response:
    site = site_of(request)
    slug, token = request.path_params["desk"], request.path_params["token"]
    desk = None if found is None else await site.desk(slug)
    if found is None or desk is None:
        raise HTTPException(404)
    return await answers.page(
        request,
        "web/confirm.html",
        desk,
        language=found.language,
        status=410 if found.state == "expired" else 200,
        state=found.state,
        action=token,
        stamp=site.stamps.make(request.scope["path"]),
        preferences_url=f"../preferences/{token}",
        unsubscribe_url=f"../unsubscribe/{token}",
        subscribe_url=None if desk.access == "private" else "../subscribe",
    )


routes: list[Route] = [
    Route("/{desk}/confirm/{token}", show, methods=["GET"]),
    Route("/{desk}/confirm/{token}", confirm, methods=["POST"]),
]
