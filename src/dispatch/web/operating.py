"""/healthz, /readyz and /metrics: for those who watch over the server."""

from __future__ import annotations

import asyncio
import hmac
import shutil
import tempfile
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dispatch.errors import StoreError
from dispatch.store.waiting import waiting
from dispatch.web.metrics import CONTENT_TYPE, Metrics
from dispatch.web.site import Site, site_of

_ROOM = 50_000_000
"""Bytes that must be free on the disk: a write-ahead log needs some room."""

_FRESH = {"Cache-Control": "no-store"}


async def healthz(_request: Request) -> Response:
    """The process is alive and answers; nothing else is looked at."""
    return PlainTextResponse("ok\n", headers=_FRESH)


async def readyz(request: Request) -> Response:
    """Whether readers can be served: 200, or 503 and what is the matter, as JSON."""
    site = site_of(request)
    checks = {
        "database": await _database(site),
        "disk": await asyncio.to_thread(_disk, site.out),
        "public": await asyncio.to_thread(_public, site.out),
    }
    ready = all(found == "ok" for found in checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503, _FRESH)


async def metrics(request: Request) -> Response:
    """What Prometheus reads, for who shows DISPATCH_METRICS_TOKEN; 404 where there is none.

    Raises:
        HTTPException: 404, or 401 without the token.
    """
    site = site_of(request)
    if not site.settings.metrics_token:
        raise HTTPException(404)
    wanted = f"Bearer {site.settings.metrics_token}".encode()
    shown = request.headers.get("authorization", "").encode("latin-1")
    if not hmac.compare_digest(shown, wanted):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    try:
        found = await site.read(waiting)
    except StoreError:
        found = None  # it tells so, too
    counted: Metrics = request.app.state.metrics
    text = await asyncio.to_thread(counted.exposed, found)
    return Response(text, 200, {**_FRESH, "Content-Type": CONTENT_TYPE})


async def _database(site: Site) -> str:
    try:
        await site.read(waiting)
    except StoreError:
        return "it cannot be read"
    return "ok"


def _disk(out: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(out).free
    except OSError as error:
        return f"it cannot be written: {error.strerror}"
    return "ok" if free >= _ROOM else f"it is nearly full: {free // 1_000_000} MB are free"


def _public(out: Path) -> str:
    return "ok" if (out / "public").is_dir() else "there is none: nothing was published yet"


routes: list[Route] = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
]
