"""An edition in a browser: a copy's own, and the archive's."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
