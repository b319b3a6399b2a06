"""Bearer tokens (RFC 6750): whose a request is, and whether it may.

Who tries tokens is slowed down by IP address, in memory, for each process. Only
failures are counted and only failures are turned away: a known token always
works, so that nobody who shares an address with it, or a proxy, can shut it out.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic

from starlette.requests import Request

from dispatch.errors import StoreError
from dispatch.newsroom import api_tokens
from dispatch.newsroom.api_tokens import Token
from dispatch.web.api.problems import RefusalError
from dispatch.web.door import Door
from dispatch.web.site import ip_of, site_of

_REALM = 'Bearer realm="dispatch"'
_LONGEST = 200
"""Characters of a token that are looked at."""

FAILURES = 30
"""A minute, from one place; any more are answered with 429."""


async def authenticate(request: Request, scopes: tuple[str, ...]) -> Token:
    """The token that a request came with.

    Args:
        scopes: what it must be good for.

    Raises:
        RefusalError: 401 without one that is known, 403 where it is not good for that, 429 after
            too many failures.
    """
    given = request.headers.getlist("authorization")
    if not given:
        raise _unauthorized("Say who you are: Authorization: Bearer, and a token.", _REALM)
    site = site_of(request)
    now = site.now()
    token = await site.read(api_tokens.known, _bearer(given), now)
    if token is None:
        raise _failed(request)
    missing = api_tokens.in_order(set(scopes) - token.scopes)
    if missing:
        told = f'{_REALM}, error="insufficient_scope", scope="{" ".join(scopes)}"'
        raise RefusalError(
            403,
            f"This token is not good for {' and '.join(missing)}.",
            missing_scopes=missing,
            headers={"WWW-Authenticate": told},
        )
    if api_tokens.is_due(token, now):
        with suppress(StoreError):  # it only says about when it was used
            await site.write(api_tokens.use, token.key, now)
    return token


def _bearer(given: list[str]) -> str:
    """The token; what is none costs the same look."""
    kind, _, text = given[0].partition(" ")
    is_one = len(given) == 1 and kind.lower() == "bearer"
    return text.strip()[:_LONGEST] if is_one else ""


def _failed(request: Request) -> RefusalError:
    door: Door = request.app.state.wrong_tokens
    if wait := door.wait(ip_of(request), monotonic()):
        return RefusalError(
            429,
            f"Too many tokens were tried from your address. Try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )
    return _unauthorized(
        "This token is not known here, was revoked, or has expired.",
        f'{_REALM}, error="invalid_token"',
    )


def _unauthorized(detail: str, challenge: str) -> RefusalError:
    return RefusalError(401, detail, headers={"WWW-Authenticate": challenge})
