"""Signing up: the page, the form for other sites, and the same as JSON.

Whatever is sent, it is only written down (:mod:`dispatch.newsroom.signups`): the
answer is the same for every address, and takes the same time.

The page asks for nothing but an address. A name can be given later, by whoever
owns the mailbox: a form that takes one is a way to send strangers a text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dispatch.audience.values import FREQUENCIES
from dispatch.errors import AudienceError
from dispatch.newsroom import signups
from dispatch.renditions.language import lookup
from dispatch.store.signups import NewSignup, write_down
from dispatch.web import answers, forms
from dispatch.web.door import Door
from dispatch.web.layers.errors import problem
from dispatch.web.offers import Offer, Offers
from dispatch.web.site import Site, ip_of, site_of

_SOONEST = 2.0
"""Seconds in which nobody has read a form and typed an address."""
_TRAP = "website"
"""The field that people do not meet."""
_LONGEST_JSON = 8192
_LONGEST_CONSENT = 2000


@dataclass(frozen=True, slots=True)
class _Form:
    """One of the two pages with the form.

    Args:
        name: the last part of its address, which it is sent to as well.
        source: what is put on record of where somebody consented.
    """

    name: str
    source: str


_PAGE = _Form("subscribe", "sign-up page")
_EMBEDDED = _Form("form", "sign-up form in another site's page")


# The page, and the form for other sites ----------------------------------------------------------


async def show(request: Request) -> Response:
    return await _page(request, await _offer(request), _PAGE)


async def show_embedded(request: Request) -> Response:
    return await _page(request, await _embeddable(request), _EMBEDDED)


async def sign_up(request: Request) -> Response:
    return await _sent(request, await _offer(request), _PAGE)


async def sign_up_embedded(request: Request) -> Response:
    return await _sent(request, await _embeddable(request), _EMBEDDED)


async def thank(request: Request) -> Response:
    return await _thanks(request, await _offer(request), frames=())


async def thank_embedded(request: Request) -> Response:
    offer = await _embeddable(request)
    return await _thanks(request, offer, frames=offer.origins)


async def _sent(request: Request, offer: Offer, form: _Form) -> Response:
    """Answer a form: with the page that thanks, or the form again where something is wrong."""
    site = site_of(request)
    fields = await forms.read(request)
    age = site.stamps.age(fields, request.scope["path"])
    if age is None:
        return await _page(request, offer, form, fields, notice=answers.TOO_OLD)
    tag = _language(site, offer, fields.get("language", ""))
    if not fields.get(_TRAP) and age >= _SOONEST:
        try:
            signup = _asked_for(request, offer, form, fields, tag)
        except AudienceError:
            return await _page(request, offer, form, fields, wrong=True)
        if wait := _door(request).wait(signup.ip, time.monotonic()):
            raise HTTPException(429, _TOO_OFTEN, {"Retry-After": str(wait)})
        await site.write_together(write_down, signup)
    # Relative, so that nothing which the request says of a host stands in it.
    return RedirectResponse(f"{form.name}/thanks?language={tag}", 303, _UNSEEN)


def _asked_for(
    request: Request, offer: Offer, form: _Form, fields: Mapping[str, str], tag: str
) -> NewSignup:
    site = site_of(request)
    return signups.asked_for(
        fields.get("email", ""),
        offer.desk.slug,
        source=form.source,
        text=offer.consent(site, tag),
        at=site.now(),
        ip=ip_of(request),
        language=tag,
        frequency=fields.get("frequency", ""),
        name=fields.get("name"),
    )


async def _page(
    request: Request,
    offer: Offer,
    form: _Form,
    fields: Mapping[str, str] | None = None,
    *,
    wrong: bool = False,
    notice: str = "",
) -> Response:
    """The form, empty or as it was sent.

    Args:
        wrong: whether the address is none.
        notice: a label that is said above it.
    """
    site = site_of(request)
    given = fields or {}
    asked = given.get("language") or request.query_params.get("language", "")
    tag = answers.spoken(request, offer.desk, asked[:100])
    return await answers.page(
        request,
        "web/signup.html",
        offer.desk,
        language=tag,
        status=422 if wrong else 200,
        frames=offer.origins if form is _EMBEDDED else (),
        action=form.name,
        stamp=site.stamps.make(request.scope["path"]),
        tag=tag,
        trap=_TRAP,
        email=given.get("email", "")[:320],
        frequency=given.get("frequency") if given.get("frequency") in FREQUENCIES else "each",
        wrong=wrong,
        notice=offer.said(site, tag, notice) if notice else "",
        consent=offer.consent(site, tag),
        privacy_url=offer.privacy_url,
    )


async def _thanks(request: Request, offer: Offer, frames: tuple[str, ...]) -> Response:
    asked = request.query_params.get("language", "")[:100]
    return await answers.page(
        request, "web/signed_up.html", offer.desk, language=asked, frames=frames
    )


# JSON --------------------------------------------------------------------------------------------


async def sign_up_by_json(request: Request) -> Response:
    """``{"email": …, "consent": …}``, and what else :func:`_json_signup` reads.

    Answers 202 for every address; 422 where it is none, or something has the wrong form.
    """
    offer = await _offer(request)
    headers = _cors(request, offer) | _UNSEEN
    try:
        signup = _json_signup(request, offer, await _object(request))
    except (AudienceError, _MalformedError) as error:
        return problem(request.scope, 422, str(error), headers)
    except HTTPException as error:
        return problem(request.scope, error.status_code, error.detail, headers)
    if wait := _door(request).wait(signup.ip, time.monotonic()):
        again = {"Retry-After": str(wait)}
        return problem(request.scope, 429, _TOO_OFTEN, headers | again)
    await site_of(request).write_together(write_down, signup)
    said = "If this address can get the newsletter, a mail to confirm it is on its way."
    return JSONResponse({"status": "accepted", "detail": said}, 202, headers)


async def preflight(request: Request) -> Response:
    """What a browser asks before it sends JSON from another site (Fetch, 3.2.2)."""
    offer = await _offer(request)
    allowed = _cors(request, offer)
    if "Access-Control-Allow-Origin" not in allowed:
        return Response(status_code=403, headers=allowed)
    more = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers=allowed | more)


class _MalformedError(Exception):
    """Something has the wrong form; the message is for whoever wrote the page that sent it."""


async def _object(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # any other could be sent from any page without a preflight
        raise HTTPException(415, "Send application/json.")
    body = await forms.bounded(request, _LONGEST_JSON)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _MalformedError("The body is no JSON object.")
    return found


def _json_signup(request: Request, offer: Offer, given: Mapping[str, Any]) -> NewSignup:
    known = ("email", "consent", "frequency", "language", "name")
    for name in known:
        if not isinstance(given.get(name, ""), str):
            raise _MalformedError(f"{name} is no text.")
    consent = given.get("consent", "").strip()
    if not consent or len(consent) > _LONGEST_CONSENT:
        raise _MalformedError(
            "consent is missing: send what stands at the button, which is kept as what they agreed "
            f"to. It may have {_LONGEST_CONSENT:,} characters."
        )
    if given.get("frequency", "each") not in FREQUENCIES:
        raise _MalformedError(f"frequency is one of {', '.join(FREQUENCIES)}.")
    site = site_of(request)
    origin = request.headers.get("origin", "")
    source = f"form on {origin}" if origin in offer.origins else "form of a program"
    return signups.asked_for(
        given.get("email", ""),
        offer.desk.slug,
        source=source,
        text=consent,
        at=site.now(),
        ip=ip_of(request),
        language=_language(site, offer, given.get("language", "")),
        frequency=given.get("frequency", "each"),
        name=given.get("name"),
    )


def _cors(request: Request, offer: Offer) -> dict[str, str]:
    """What lets a page of one of the desk's sites read the answer. It is never for everybody."""
    origin = request.headers.get("origin", "")
    allowed = {"Access-Control-Allow-Origin": origin} if origin in offer.origins else {}
    return {"Vary": "Origin", **allowed}


# -------------------------------------------------------------------------------------------------

_TOO_OFTEN = "There were too many sign-ups from here. Please try again later."
_UNSEEN = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


async def _offer(request: Request) -> Offer:
    """What the desk in the address offers.

    Raises:
        HTTPException: 404 where there is no such desk, or it takes no sign-ups.
    """
    offer = await _offers(request).of(request.path_params["desk"], time.monotonic())
    if offer is None:
        raise HTTPException(404)
    return offer


async def _embeddable(request: Request) -> Offer:
    """The same, where other sites may hold the form."""
    offer = await _offer(request)
    if not offer.origins:
        raise HTTPException(404)
    return offer


def _language(site: Site, offer: Offer, asked: str) -> str:
    """The tag of the language that somebody is to be spoken to in."""
    return lookup(asked, site.templates.catalogues) or offer.desk.language


def _offers(request: Request) -> Offers:
    offers: Offers = request.app.state.offers
    return offers


def _door(request: Request) -> Door:
    door: Door = request.app.state.signup_door
    return door


routes: list[Route] = [
    Route("/{desk}/subscribe", show, methods=["GET"]),
    Route("/{desk}/subscribe", sign_up, methods=["POST"]),
    Route("/{desk}/subscribe/thanks", thank, methods=["GET"]),
    Route("/{desk}/subscribe/form", show_embedded, methods=["GET"]),
    Route("/{desk}/subscribe/form", sign_up_embedded, methods=["POST"]),
    Route("/{desk}/subscribe/form/thanks", thank_embedded, methods=["GET"]),
    Route("/{desk}/subscribe.json", sign_up_by_json, methods=["POST"]),
    Route("/{desk}/subscribe.json", preflight, methods=["OPTIONS"]),
]
