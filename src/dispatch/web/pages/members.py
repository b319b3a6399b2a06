"""Personal feeds, and the articles they lead to."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
