"""Unsubscribing: one click by a mail program (RFC 8058), or the page with its choices."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
