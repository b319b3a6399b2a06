"""Confirming a sign-up: GET shows a button, POST acts."""

from __future__ import annotations

from starlette.routing import Route

routes: list[Route] = []
