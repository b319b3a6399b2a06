"""The outermost layer: every request gets an id, is counted, and its line in the log."""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.web.layers import request_ids
from dispatch.web.layers.hosts import ANYWHERE
from dispatch.web.layers.proxies import Proxies
from dispatch.web.logs import Facts
from dispatch.web.metrics import Metrics

PUBLIC = "public"
"""How requests are named that no handler is for: files of ``public/``, and what is not there."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logging.getLogger("dispatch.web.requests")


class Requests:
    """Names, counts and logs requests (ASGI).

    A request is told by the pattern of its address, ``/{desk}/unsubscribe/{token}``: the address
    itself may hold a token, or whatever somebody typed.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies, metrics: Metrics) -> None:
        self._app = app
        self._proxies = proxies
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.give(scope, self._proxies)
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (request_ids.HEADER, request_id.encode("ascii"))
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        started = perf_counter()
        try:
            with self._metrics.in_flight.track_inprogress():
                await self._app(scope, receive, noting)
        finally:
            self._note(scope, request_id, status, perf_counter() - started)

    def _note(self, scope: Scope, request_id: str, status: int | None, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", PUBLIC)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status or "gone")).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if route in ANYWHERE and status == 200:
            return  # asked every few seconds, by machines
        facts: Facts = {
            "id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        _log.info("request", extra={"facts": facts})
