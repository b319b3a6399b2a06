"""The files of ``public/`` over HTTP: feeds and pages, from memory."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from dispatch.settings import Settings

MEMORY = 64 * 1024 * 1024
"""Bytes of files that are kept in memory, with their compressed forms."""


class PublicFiles:
    """The files under a folder, ready to be sent.

    Args:
        folder: ``<out>/public``; it may come into being later.
        settings: whose site_url and hubs stand in the Link fields of feeds, desk by desk.
        headers: more header fields for every answer, such as Strict-Transport-Security.
        memory: bytes of files that are kept in memory.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        memory: int = MEMORY,
    ) -> None:
        self.folder = folder

    def close(self) -> None:
        """Let go of the threads; what is asked for after that is an error."""


class PublicApp:
    """The files as an ASGI application, to be what a router falls back to.

    ``app.router.default = PublicApp(files)``. What is not there is a 404 of Starlette's
    (``HTTPException``), so that the application says it in its own words; another method than
    GET and HEAD is a 405 with Allow.
    """

    def __init__(self, files: PublicFiles) -> None:
        self.files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(404)
