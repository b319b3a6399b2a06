"""What mail providers tell of bounces, complaints and people who left: a module for each provider.

To add one: a module with ``NAME``, ``is_set``, ``authentic`` and ``events`` like its neighbours,
and its name in ``_PROVIDERS``.
"""

from __future__ import annotations

from starlette.routing import Route

from dispatch.web.webhooks import mailgun, mailjet, postmark, sendgrid, ses, sparkpost
from dispatch.web.webhooks.reception import Provider, receiver

_PROVIDERS: tuple[Provider, ...] = (
    ses.PROVIDER,
    postmark.PROVIDER,
    sendgrid.PROVIDER,
    mailgun.PROVIDER,
    sparkpost.PROVIDER,
    mailjet.PROVIDER,
)

routes: list[Route] = [
    Route(f"/webhooks/{provider.name}", receiver(provider), methods=["POST"])
    for provider in _PROVIDERS
]
