"""``/{desk}/view/{token}``: the link in every copy that shows it in a browser.

The token is the right to see it, of a desk that is private, too. On the page
there is nothing of the person whose copy it was: all who got the same see the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dispatch.newsroom.edition_pages import Viewed, view, viewed
from dispatch.renditions.web import FormPage
from dispatch.web.site import site_of

MOST = 50
"""Pages that are kept, of some 100 KB each: those of the editions that people are reading."""


class Pages:
    """The pages of editions that were asked for last. For the event loop alone.

    A page that many ask for at once, as right after a mailing, is made once.
    """

    def __init__(self) -> None:
        self._pages: dict[Viewed, asyncio.Future[FormPage]] = {}

    async def get(self, shown: Viewed, make: Callable[[], Awaitable[FormPage]]) -> FormPage:
        """The page; ``make`` is asked for it where it is not kept, and raises what it raises."""
        page = self._pages.pop(shown, None)
        if page is None:
            page = asyncio.ensure_future(make())
        self._pages[shown] = page  # behind all others: it was asked for last
        if len(self._pages) > MOST:
            del self._pages[next(iter(self._pages))]
        try:
            return await asyncio.shield(page)  # who goes away does not take it from the others
        except Exception:
            self._pages.pop(shown, None)
            raise


async def show(request: Request) -> Response:
    """The edition that the copy with this token is of, in the language it was written in."""
    site = site_of(request)
    recipient = site.tokens.read_link(request.path_params["token"])
    slug = request.path_params["desk"]
    shown = None if recipient is None else await site.read(viewed, recipient, slug)
    desk = None if shown is None else await site.desk(slug)
    if shown is None or desk is None:
        raise HTTPException(404)

    async def make() -> FormPage:
        return await site.read(view, shown, desk, site.templates)

    page = await _pages(request).get(shown, make)
    headers = {
        "Content-Security-Policy": f"{page.policy}; frame-ancestors 'none'",
        "Cache-Control": "private, max-age=600",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return Response(page.html, headers=headers, media_type="text/html; charset=utf-8")


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.viewed
    return pages


routes: list[Route] = [
    Route("/{desk}/view/{token}", show, methods=["GET"]),
]
