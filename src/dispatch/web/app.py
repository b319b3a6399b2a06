"""The application: which handler answers which address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from dispatch.web import api, operating, webhooks
from dispatch.web.pages import (
    clicking,
    confirm,
    leaving,
    members,
    preferences,
    signup,
    viewing,
)
from dispatch.web.site import Site


def create(site: Site) -> Starlette:
    """The application that serves ``site``, which it closes at its end."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        site.close()

    app = Starlette(
        routes=[
            *operating.routes,
            *api.routes,
            *webhooks.routes,
            *signup.routes,
            *confirm.routes,
            *leaving.routes,
            *preferences.routes,
            *viewing.routes,
            *members.routes,
            *clicking.routes,
        ],
        lifespan=lifespan,
    )
    app.state.site = site
    return app
