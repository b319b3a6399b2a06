"""Counted links and openings, for desks that have them turned on.

What is counted stays in memory for a few seconds and is written with other things:
a server that dies loses those seconds of it.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dispatch.errors import StoreError
from dispatch.newsroom import clicks
from dispatch.newsroom.clicks import Tally
from dispatch.web.site import Site, site_of

_EVERY = 5.0
"""Seconds between two writings."""
_NOTHING = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
"""Headers by which browsers and mail programs say that they fetch ahead of a reader."""
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


async def click(request: Request) -> Response:
    """Count, and lead to the address that was stored when the edition was made."""
    site = site_of(request)
    desk, token = request.path_params["desk"], request.path_params["token"]
    link = await site.read(clicks.link, token, desk, site.tokens)
    if link is None:
        raise HTTPException(404)
    if _is_by_a_reader(request):
        tally_of(request).followed(link.edition, link.key, site.now())
    headers = {**_HEADERS, "Location": link.url, "Referrer-Policy": "no-referrer"}
    return Response(None, 302, headers)


async def open_(request: Request) -> Response:
    """Count the loading of an image that nobody sees."""
    site = site_of(request)
    desk, token = request.path_params["desk"], request.path_params["token"]
    edition = await site.read(clicks.opened, token, desk, site.tokens)
    if edition is None:
        raise HTTPException(404)
    if _is_by_a_reader(request):
        tally_of(request).followed(edition, clicks.OPENING, site.now())
    headers = {**_HEADERS, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(_NOTHING, 200, headers, "image/gif")


def _is_by_a_reader(request: Request) -> bool:
    """Whether it may be: what says that it only looks ahead is not."""
    looks = any(
        word in request.headers.get(name, "").lower()
        for name in _AHEAD
        for word in ("prefetch", "prerender", "preview")
    )
    return request.method == "GET" and not looks


def tally_of(request: Request) -> Tally:
    """What this process counts."""
    tally: Tally = request.app.state.tally
    return tally


@asynccontextmanager
async def counting(site: Site, every: float = _EVERY) -> AsyncIterator[Tally]:
    """Write down every few seconds, and at the end, what the body counts.

    Args:
        every: seconds.
    """
    tally, ended = Tally(), asyncio.Event()
    task = asyncio.create_task(_go(site, tally, every, ended))
    try:
        yield tally
    finally:
        ended.set()
        await task


async def _go(site: Site, tally: Tally, every: float, ended: asyncio.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), every)
        await _write(site, tally)


async def _write(site: Site, tally: Tally) -> None:
    counts = tally.taken()
    if not counts:
        return
    try:
        await site.write(clicks.add, counts)
    except StoreError:
        tally.put_back(counts)


routes: list[Route] = [
    Route("/{desk}/click/{token}", click),
    Route("/{desk}/open/{token}.gif", open_),
]
