"""What mail providers tell of bounces and complaints: one module for each."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
