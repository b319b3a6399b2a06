"""The preference page: desks, frequency, language, name, time zone, data, deletion."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
