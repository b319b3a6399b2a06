"""Signing up: the page, the form for other sites, and the same as JSON."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
