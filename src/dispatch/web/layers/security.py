"""What every answer tells a browser to refrain from, where its handler said nothing of its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.settings import Settings

Header = tuple[bytes, bytes]

HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
"""RFC 6797, a year. Without includeSubDomains: other hosts of the house are not ours to speak for;
and only on https (7.2)."""

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

NOTHING: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""The policy of an answer that loads nothing, and that no page may hold."""

_OWN: Header = (b"cross-origin-resource-policy", b"same-origin")
_OURS_ALONE = (b"text/html", b"application/json", b"application/problem+json")


def of_public_files(settings: Settings) -> dict[str, str]:
    """For every file of ``public/``, besides what :mod:`dispatch.web.files.headers` says of each.

    They are there for other people's pages and programs, too. They are answered without a look at
    what a proxy tells of the connection: the site's address says whether they are on https.
    """
    headers = [
        (b"cross-origin-resource-policy", b"cross-origin"),
        *(header for header in ALWAYS if header[0] == b"permissions-policy"),
    ]
    if settings.site_url.startswith("https:"):
        headers.append(HSTS)
    return {name.decode("ascii"): value.decode("ascii") for name, value in headers}


class SecurityHeaders:
    """Adds what is missing to every answer (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                message["headers"] = given + _missing(message["status"], dict(given), scope)
            await send(message)

        await self._app(scope, receive, safely)


def _missing(status: int, given: dict[bytes, bytes], scope: Scope) -> list[Header]:
    wanted = [*ALWAYS]
    # Public files, which no route is for, say themselves what they may do. And whoever stored a
    # page would take the policy of a 304 for that of the page (RFC 9111, 3.2).
    if status != 304 and ("route" in scope or status >= 400):
        wanted.append(NOTHING)
    if given.get(b"content-type", b"").partition(b";")[0] in _OURS_ALONE:
        wanted.append(_OWN)
    if scope["scheme"] == "https":
        wanted.append(HSTS)
    return [header for header in wanted if header[0] not in given]
