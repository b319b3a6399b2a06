"""An application that reads a form and answers: what HTTP itself costs, for :mod:`http_people`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


async def answer(request: Request) -> Response:
    await request.body()
    return PlainTextResponse("Unsubscribed.\n")


app = Starlette(routes=[Route("/{desk}/unsubscribe/{token}", answer, methods=["POST"])])
