"""``dispatch``, whose server has more addresses: to see what becomes of requests when it ends.

``POST /counting/{number}`` writes the number down and answers once that is durable;
``POST /slowly/{number}`` takes half a second before, ``POST /for-a-minute/{number}`` longer than
anybody waits.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dispatch.cli import main
from dispatch.web.pages import signup
from dispatch.web.site import site_of


def _write(connection: Connection, number: str) -> None:
    connection.execute(text("CREATE TABLE IF NOT EXISTS counted (number VARCHAR PRIMARY KEY)"))
    connection.execute(text("INSERT INTO counted VALUES (:number)"), {"number": number})


async def _count(request: Request) -> Response:
    number = request.path_params["number"]
    await site_of(request).write(_write, number)
    return PlainTextResponse(number)


async def _count_slowly(request: Request) -> Response:
    await asyncio.sleep(0.5)
    return await _count(request)


async def _count_in_a_minute(request: Request) -> Response:
    await asyncio.sleep(60)
    return await _count(request)


if __name__ == "__main__":
    signup.routes += [
        Route("/counting/{number}", _count, methods=["POST"]),
        Route("/slowly/{number}", _count_slowly, methods=["POST"]),
        Route("/for-a-minute/{number}", _count_in_a_minute, methods=["POST"]),
    ]
    main()
