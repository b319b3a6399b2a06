"""Counted links and openings, for desks that have them turned on."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
