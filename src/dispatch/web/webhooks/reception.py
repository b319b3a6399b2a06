"""Receiving a webhook: who sent it, what it says, and what follows.

A provider tries again whatever is not answered with 2xx: so it gets that for
everything that it really sent, also for what is of no interest here, and
anything else only where a later try can go better.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dispatch.newsroom import provider_events
from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.settings import Settings
from dispatch.web.forms import bounded
from dispatch.web.site import Site, site_of
from dispatch.web.webhooks.fetching import FetchError

MOST = 5_000_000
"""Bytes of one request: providers send events by the thousand."""
ROOM = 4 * MOST
"""Bytes of all requests for one provider that are held at once. Most messages can only be told from
a stranger's once they are there, and strangers have ten thousand connections."""
_AGAIN_AFTER = "30"
"""Seconds after which there will be room again."""
_STRANGE = "This message does not come from where it says."
_AT_ONCE = 200
"""Events of one transaction: nobody else who writes is to wait for long."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it came. ``headers`` has its names in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    Args:
        name: as in the address: ``/webhooks/<name>``.
        is_set: whether the settings say how its messages are known to be its own.
        authentic: whether a message is the provider's own.
        events: what a message that is authentic tells; whatever else it holds is left out.
            ValueError, TypeError, LookupError, AttributeError: it has another form than it should.
        by_head: whether ``authentic`` looks at nothing but the headers.

    ``authentic`` and ``events`` are called in a thread, and may raise FetchError.
    """

    name: str
    is_set: Callable[[Settings], bool]
    authentic: Callable[[Message, Settings, datetime], bool]
    events: Callable[[Message], Sequence[ProviderEvent]]
    by_head: bool = False


class Room:
    """Bytes of bodies that may be held at once, by all who share it. For the event loop alone."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def held(self) -> Iterator[Callable[[int], None]]:
        """Gives what takes so many bytes more, until the end of ``with``.

        It raises HTTPException, 503, where they have no room.
        """
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            if size > self._left:
                again = {"Retry-After": _AGAIN_AFTER}
                raise HTTPException(503, "Too much is coming in here at the moment.", again)
            self._left -= size
            held += size

        try:
            yield hold
        finally:
            self._left += held


def receiver(provider: Provider) -> Callable[[Request], Awaitable[Response]]:
    """What answers the address of a provider."""

    room = Room(ROOM)

    async def receive(request: Request) -> Response:
        site = site_of(request)
        if not provider.is_set(site.settings):
            return _said(404, "This webhook is not set up.")
        if provider.by_head and not await _is_authentic(
            provider, Message(request.headers, b""), site
        ):
            return _said(401, _STRANGE)
        try:
            with room.held() as hold:
                message = Message(request.headers, await bounded(request, MOST, hold))
                if not await _is_authentic(provider, message, site):
                    return _said(401, _STRANGE)
                events = await asyncio.to_thread(provider.events, message)
        except FetchError:
            return _said(503, "What it takes to look at this message cannot be reached. Try again.")
        except (ValueError, TypeError, LookupError, AttributeError):
            return _said(400, "This message has a form that is not known here.")
        for start in range(0, len(events), _AT_ONCE):
            await site.write(
                provider_events.take,
                provider.name,
                events[start : start + _AT_ONCE],
                site.settings,
                site.tokens,
                site.now(),
            )
        return Response(status_code=204)

    return receive


async def _is_authentic(provider: Provider, message: Message, site: Site) -> bool:
    return await asyncio.to_thread(provider.authentic, message, site.settings, site.now())


def _said(status: int, sentence: str) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="webhooks"'} if status == 401 else {}
    return Response(f"{sentence}\n", status, headers, "text/plain; charset=utf-8")


def logged_in(message: Message, login: str) -> bool:
    """Whether a message has ``login``, a ``user:password``, as basic authentication (RFC 7617)."""
    scheme, _, encoded = message.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        given = b""
    return bool(login) and hmac.compare_digest(given, login.encode())


def decoded(body: bytes) -> Any:
    """A body of JSON.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error


def listed(value: object) -> list[Any]:
    """A list as it is, and anything else as the only element of one."""
    return value if isinstance(value, list) else [value]


def text(value: object) -> str:
    """What a provider wrote as text, and ``""`` for anything else."""
    return value if isinstance(value, str) else ""
