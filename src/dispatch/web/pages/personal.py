"""What the pages behind the links of a copy have in common: whose they are, and what they say.

Whoever has the link is taken for its owner; there is nothing else to log in with.
The pages show an address as ``i…@example.org`` all the same: they are looked at over
shoulders, shared as pictures, and opened from mails that were passed on. What is
downloaded is complete, because that is what it is for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dispatch.audience import values
from dispatch.audience.states import Consent
from dispatch.desk import Desk
from dispatch.newsroom import linked
from dispatch.newsroom.linked import ForgottenError, Link, Place, Reader, UnknownLinkError
from dispatch.newsroom.preferences import Means
from dispatch.renditions.language import Language
from dispatch.web import answers
from dispatch.web.answers import label
from dispatch.web.door import Door
from dispatch.web.site import ip_of, site_of

CHANGES = 120
"""Changes an hour by whoever holds a link, in each process. The one click of a mail program is
never held up."""

Handler = Callable[[Request, Link], Awaitable[Response]]


def of_link(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler that is given the link in the address.

    It answers 404 where the link leads nowhere, and says so where its person was forgotten.
    """

    @wraps(handler)
    async def handle(request: Request) -> Response:
        link = link_in(request)
        try:
            return await handler(request, link)
        except UnknownLinkError:
            raise HTTPException(404) from None
        except ForgottenError:
            return await nobody(request)

    return handle


def link_in(request: Request) -> Link:
    """The link in the address of a request; whether it leads anywhere is not looked up.

    Raises:
        HTTPException: 404 where it is none of ours: the same as where it leads nowhere.
    """
    copy = site_of(request).tokens.read_link(request.path_params["token"])
    if copy is None:
        raise HTTPException(404)
    return Link(copy, request.path_params["desk"])


async def person(request: Request, link: Link) -> tuple[Reader, list[Place]]:
    """Whom the link leads to, and the desks as they find them, that of the link first.

    Raises:
        UnknownLinkError, ForgottenError: it leads to nobody.
    """
    site = site_of(request)
    reader = await site.read(linked.reader, link)
    return reader, await site.read(linked.places, reader, site.settings, site.now())


async def nobody(request: Request) -> Response:
    """The page where the link's person was forgotten, or the copy was a test."""
    desk = await site_of(request).desk(request.path_params["desk"])
    if desk is None:
        raise HTTPException(404)
    return await answers.notice(
        request,
        desk,
        label("Nothing is kept about you here"),
        label("You get no mail from us, and there is nothing to change."),
    )


def is_stamped(request: Request, fields: Mapping[str, str]) -> bool:
    """Whether a form was made here for this very address, and not too long ago."""
    return site_of(request).stamps.age(fields, request.scope["path"]) is not None


def stamp(request: Request) -> str:
    """For a form that is sent to the address of this request."""
    return site_of(request).stamps.make(request.scope["path"])


def let_in(request: Request, link: Link) -> None:
    """Count a change by the holder of a link.

    Raises:
        HTTPException: 429 where there were too many.
    """
    door: Door = request.app.state.changes_door
    if wait := door.wait_at(str(link.copy), time.monotonic()):
        raise HTTPException(
            429, "There were too many changes. Please try again later.", {"Retry-After": str(wait)}
        )


def means(request: Request) -> Means:
    """What joining a desk takes."""
    site = site_of(request)
    return Means(site.settings, site.templates, site.tokens)


def consent(request: Request, source: str, text: str) -> Consent:
    """The consent of whoever pressed a button at which ``text`` stood."""
    return Consent(source, site_of(request).now(), values.ip(ip_of(request) or ""), text)


def words(request: Request, desk: Desk, reader: Reader) -> Language:
    """The language that a person is spoken to in."""
    tag = answers.spoken(request, desk, reader.row.language)
    return site_of(request).templates.language(None, replace(desk, language=tag))
