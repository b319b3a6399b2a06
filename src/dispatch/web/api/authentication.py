"""Bearer tokens (RFC 6750): whose a request is, and whether it may.

Who tries tokens is slowed down by IP address, in memory, for each process. Only
failures are counted and only failures are turned away: a known token always
works, so that nobody who shares an address with it, or a proxy, can shut it out.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

from starlette.requests import Request

from dispatch.errors import StoreError
from dispatch.newsroom import api_tokens
from dispatch.newsroom.api_tokens import Token
from dispatch.web.api.problems import RefusalError
from dispatch.web.site import site_of

_REALM = 'Bearer realm="dispatch"'
_LONGEST = 200
"""Characters of a token that are looked at."""


@dataclass(slots=True)
class _Window:
    began: float
    count: int


class Failures:
    """Failed attempts, by IP address or, for IPv6, by the network of a household (/64).

    Args:
        most: so many in a minute are answered with 401, any more with 429.
        places: so many addresses are remembered, the latest ones.
    """

    SECONDS = 60

    def __init__(self, most: int = 30, places: int = 10_000) -> None:
        self._most, self._places = most, places
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def wait(self, address: str, now: float) -> int:
        """Count a failure; the seconds to wait before the next one, 0 for none.

        Args:
            now: in seconds, of a clock that only goes forward.
        """
        place = _place(address)
        window = self._windows.get(place)
        if window is None or now - window.began >= self.SECONDS:
            window = self._windows[place] = _Window(now, 0)
        self._windows.move_to_end(place)
        if len(self._windows) > self._places:
            self._windows.popitem(last=False)
        window.count += 1
        return 0 if window.count <= self._most else max(1, round(window.began + self.SECONDS - now))


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
    state = request.app.state
    if not hasattr(state, "api_failures"):
        state.api_failures = Failures()
    address = request.client.host if request.client else ""
    wait = state.api_failures.wait(address, monotonic())
    if wait:
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


def _place(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
