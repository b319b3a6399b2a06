"""The JSON API under /api/v1: what the command line does, for programs."""

from __future__ import annotations

from starlette.routing import Route

from dispatch.web.api import (
    articles,
    desks,
    imports,
    mailings,
    openapi,
    personal_feeds,
    subscribers,
    suppressions,
)
from dispatch.web.api.endpoint import Endpoint, Missing
from dispatch.web.api.operations import Operation

OPERATIONS: tuple[Operation, ...] = (
    *subscribers.OPERATIONS,
    *imports.OPERATIONS,
    *suppressions.OPERATIONS,
    *personal_feeds.OPERATIONS,
    *mailings.OPERATIONS,
    *articles.OPERATIONS,
    *desks.OPERATIONS,
)

_ROOT = "/api/v1"


def _routes() -> list[Route]:
    paths = dict.fromkeys(operation.path for operation in OPERATIONS)
    found = [
        Route(f"{_ROOT}{path}", Endpoint([o for o in OPERATIONS if o.path == path]))
        for path in sorted(paths, key=lambda path: path.count("{"))  # /x/test before /x/{number}
    ]
    document = Route(f"{_ROOT}/openapi.json", openapi.Document(OPERATIONS))
    nothing = [Route(_ROOT, Missing()), Route(f"{_ROOT}/{{rest:path}}", Missing())]
    return [document, *found, *nothing]


routes = _routes()
