"""Unsubscribing: one click by a mail program (RFC 8058), or the page with its choices.

Looking at the page changes nothing, whoever looks: programs that go through
people's mail follow every link in it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dispatch.audience import values
from dispatch.audience.states import Consent
from dispatch.errors import AudienceError
from dispatch.newsroom import leaving, linked, preferences
from dispatch.newsroom.desks import known_desk
from dispatch.newsroom.leaving import Click, leave_many
from dispatch.newsroom.linked import Link, Place, Reader
from dispatch.newsroom.preferences import PAUSE, Means
from dispatch.web import answers, forms
from dispatch.web.answers import label
from dispatch.web.offers import Offers
from dispatch.web.pages import personal
from dispatch.web.pages.personal import of_link
from dispatch.web.site import site_of

_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_SOURCE = "unsubscribe page, resubscribed"
_OTHER = "leave-"
"""How the fields of other desks are named; the slug follows."""


@of_link
async def show(request: Request, link: Link) -> Response:
    return await _page(request, link)


@of_link
async def leave(request: Request, link: Link) -> Response:
    """Act on the one click of a mail program, which has no form of ours, or on a form.

    The one click is answered at once: without cookies, without a redirect, and with 200 for
    whoever has left already (RFC 8058, 3.1 and 3.2).
    """
    fields = await forms.read(request)
    if fields.get(_ONE_CLICK[0]) == _ONE_CLICK[1]:
        site = site_of(request)
        if not await site.write_together(leave_many, Click(link.copy, link.desk, site.now())):
            raise HTTPException(404)
        return PlainTextResponse("Unsubscribed.\n", headers={"Cache-Control": "no-store"})
    if not personal.is_stamped(request, fields):
        return await _page(request, link, wrong=answers.TOO_OLD, given=fields)
    personal.let_in(request, link)
    act = _BUTTONS.get(fields.get("do", ""))
    return await (act(request, link, fields) if act else _page(request, link))


# What the buttons do -----------------------------------------------------------------------------


async def _leave_this(request: Request, link: Link, fields: Mapping[str, str]) -> Response:  # noqa: ARG001
    return await _leave(request, link, [link.desk])


async def _leave_others(request: Request, link: Link, fields: Mapping[str, str]) -> Response:
    chosen = [name.removeprefix(_OTHER) for name in fields if name.startswith(_OTHER)]
    if not chosen:
        sentence = label("Choose at least one of the newsletters first.")
        return await _page(request, link, wrong=sentence)
    return await _leave(request, link, chosen)


async def _leave_all(request: Request, link: Link, fields: Mapping[str, str]) -> Response:  # noqa: ARG001
    return await _leave(request, link, None)


async def _leave(request: Request, link: Link, slugs: list[str] | None) -> Response:
    site = site_of(request)
    left = await site.write(leaving.leave, link, slugs, site.now())
    reader, places = await personal.person(request, link)
    return await _left_page(request, reader, places, left or slugs or [link.desk], done=True)


async def _pause(request: Request, link: Link, fields: Mapping[str, str]) -> Response:
    site, now = site_of(request), site_of(request).now()
    until = now + PAUSE if fields["do"] == "pause" else None
    await site.write(preferences.pause, link, [link.desk], until, now)
    return await _page(request, link, said=label("Your changes are saved."))


async def _change_frequency(request: Request, link: Link, fields: Mapping[str, str]) -> Response:
    site, frequency = site_of(request), fields.get("frequency", "")
    if frequency not in values.FREQUENCIES:
        return await _page(request, link)
    await site.write(preferences.change_frequency, link, frequency, site.now())
    return await _page(request, link, said=label("Your changes are saved."))


async def _come_back(request: Request, link: Link, fields: Mapping[str, str]) -> Response:
    """Take them back at a desk, or show how things stand where that cannot be."""
    site, slug = site_of(request), fields.get("desk", "")
    reader, places = await personal.person(request, link)
    lang = personal.words(request, places[0].desk, reader)
    text = await _consent(request, slug, lang.tag)
    consent = personal.consent(request, _SOURCE, text)
    if not text or not await site.write(_rejoin, link, slug, consent, personal.means(request)):
        return await _page(request, link)
    desk = next(place.desk for place in places if place.desk.slug == slug)
    return await answers.page(
        request,
        "web/back.html",
        desk,
        language=lang.tag,
        address=values.masked(reader.row.email),
        preferences_url=f"../preferences/{request.path_params['token']}",
    )


def _rejoin(connection: Connection, link: Link, slug: str, consent: Consent, means: Means) -> bool:
    """Whether they are readers of the desk now."""
    person = linked.reader(connection, link)
    row = person.at(slug)
    if row is not None and row.state == "active":
        return True
    desk = known_desk(connection, slug, means.settings)
    if desk is None:
        return False
    try:
        leaving.rejoin(connection, person, desk, consent, means.tokens)
    except AudienceError:
        return False
    return True


_BUTTONS = {
    "leave": _leave_this,
    "leave others": _leave_others,
    "leave all": _leave_all,
    "pause": _pause,
    "go on": _pause,
    "frequency": _change_frequency,
    "come back": _come_back,
}


# The pages ---------------------------------------------------------------------------------------


async def _page(
    request: Request,
    link: Link,
    *,
    said: str = "",
    wrong: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    """The page with the button, or, where they are gone, the one that says so.

    Args:
        said: a label: what was done.
        wrong: a label: why nothing was done.
        given: the form as it was sent, to be shown again.
    """
    reader, places = await personal.person(request, link)
    own, given = places[0], given or {}
    if not _may_leave(own):
        return await _left_page(request, reader, places, [link.desk], wrong=wrong)
    lang = personal.words(request, own.desk, reader)
    frequency = given.get("frequency", own.frequency)
    return await answers.page(
        request,
        "web/leave.html",
        own.desk,
        language=lang.tag,
        **_common(request, reader),
        said=lang.gettext(said) if said else "",
        wrong=lang.gettext(wrong) if wrong else "",
        reads=own.standing == "reads",
        frequency=frequency if frequency in values.FREQUENCIES else own.frequency,
        paused_until=own.paused_until,
        pause_until=site_of(request).now() + PAUSE,
        others=[
            {"name": f"{_OTHER}{place.desk.slug}", "title": place.desk.name}
            for place in places[1:]
            if place.standing == "reads"
        ],
        chosen=set(given),
    )


async def _left_page(
    request: Request,
    reader: Reader,
    places: Sequence[Place],
    slugs: Sequence[str],
    *,
    done: bool = False,
    wrong: str = "",
) -> Response:
    own = places[0].desk
    lang = personal.words(request, own, reader)
    left = [place for place in places if place.desk.slug in slugs and not _may_leave(place)]
    names = lang.names([place.desk.name for place in left] or [own.name])
    back = [
        {
            "slug": place.desk.slug,
            "name": place.desk.name,
            "consent": await _consent(request, place.desk.slug, lang.tag),
        }
        for place in left
        if place.standing == "may_join"
    ]
    return await answers.page(
        request,
        "web/left.html",
        own,
        language=lang.tag,
        **_common(request, reader),
        done=done,
        wrong=lang.gettext(wrong) if wrong else "",
        names=names,
        back=back,
        asks=any(place.standing == "asks" for place in left),
        signs_up=any(place.standing == "signs_up" for place in left),
    )


def _common(request: Request, reader: Reader) -> dict[str, Any]:
    """What both pages need."""
    token = request.path_params["token"]
    return {
        "action": token,
        "stamp": personal.stamp(request),
        "address": values.masked(reader.row.email),
        "preferences_url": f"../preferences/{token}",
    }


def _may_leave(place: Place) -> bool:
    return place.standing in ("reads", "waits")


async def _consent(request: Request, slug: str, tag: str) -> str:
    """What stands at the button that brings somebody back; '' where the desk takes nobody so."""
    offers: Offers = request.app.state.offers
    offer = await offers.of(slug, time.monotonic())
    return "" if offer is None else offer.consent(site_of(request), tag)


routes: list[Route] = [
    Route("/{desk}/unsubscribe/{token}", show, methods=["GET"]),
    Route("/{desk}/unsubscribe/{token}", leave, methods=["POST"]),
]
