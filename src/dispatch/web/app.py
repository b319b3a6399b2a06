"""The application: which handler answers which address, and what every request goes through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from dispatch.errors import StoreError
from dispatch.web import api, operating, webhooks
from dispatch.web.api.authentication import FAILURES
from dispatch.web.door import Door
from dispatch.web.files.public import PublicApp, PublicFiles
from dispatch.web.layers import security
from dispatch.web.layers.errors import OwnForms, Unforeseen, refused, unavailable
from dispatch.web.layers.hosts import Hosts, OwnHosts
from dispatch.web.layers.proxies import Forwarded, Proxies
from dispatch.web.layers.request_log import Requests
from dispatch.web.members import feeds
from dispatch.web.members.feeds import Members
from dispatch.web.metrics import Metrics
from dispatch.web.offers import Offers
from dispatch.web.pages import (
    clicking,
    confirm,
    leaving,
    preferences,
    signup,
    viewing,
)
from dispatch.web.pages.personal import CHANGES
from dispatch.web.site import Site


def create(site: Site) -> Starlette:
    """The application that serves ``site``, which it closes at its end.

    In its state is what handlers share: ``site``, ``metrics``, ``tally`` (of clicks), ``files``
    (the public ones), ``members`` (their feeds), ``offers`` (the desks that take sign-ups), pages
    that were drawn (``viewed``, ``error_pages``), and the doors that limit sign-ups, readers'
    changes and guesses at tokens.

    Raises:
        SettingsError: a setting makes no sense.
    """
    files = PublicFiles(
        site.out / "public", site.settings, headers=security.of_public_files(site.settings)
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with clicking.counting(site) as app.state.tally:
            yield
        app.state.members.use.finish()
        files.close()
        site.close()

    metrics = Metrics()
    site.gathering.watch = metrics.commits.observe
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
            *feeds.routes,
            *clicking.routes,
        ],
        middleware=_layers(site, metrics),
        exception_handlers={HTTPException: refused, StoreError: unavailable},
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.signup_door = Door(site.settings.signups_per_ip)
    app.state.offers = Offers(site)
    app.state.changes_door = Door(CHANGES)
    app.state.wrong_tokens = Door(FAILURES, per=60)
    app.state.members = Members(site)
    app.state.viewed = viewing.Pages()
    app.state.metrics = metrics
    app.state.files = files
    app.state.error_pages = {}
    app.router.redirect_slashes = False  # it would send people to whatever Host they named
    app.router.default = PublicApp(files)
    return app


def _layers(site: Site, metrics: Metrics) -> list[Middleware]:
    """What a request goes through on its way in, and its answer on the way out."""
    proxies = Proxies(site.settings.trusted_proxies)
    return [
        Middleware(Requests, proxies, metrics),
        Middleware(Forwarded, proxies),
        Middleware(security.SecurityHeaders),
        Middleware(Unforeseen),
        Middleware(OwnHosts, Hosts(site.settings)),
        Middleware(OwnForms, site),
    ]
