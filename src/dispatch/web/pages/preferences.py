"""The preference page: desks, frequency, pause, name, language, time zone, data, deletion.

Each part of the page is a form of its own, so that none sends what belongs to another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dispatch.audience import values
from dispatch.newsroom import preferences
from dispatch.newsroom.linked import Link, Place, Reader
from dispatch.newsroom.preferences import PAUSE, Choice
from dispatch.web import answers, forms
from dispatch.web.answers import label
from dispatch.web.pages import personal
from dispatch.web.pages.personal import of_link
from dispatch.web.site import site_of

_SOURCE = "preference page"
_WAS, _JOINS, _OFTEN = "was-", "joins-", "often-"
"""How the fields of a desk are named; its slug follows."""
_FIELDS = 400
"""Of a form, for a newsroom with more than a hundred desks."""
_CONSENT = label(
    "Newsletters that you choose here are sent to you by email. You can unsubscribe from each at "
    "any time, with one click."
)
_DONE = label("Your changes are saved.")
_NAME_TOO_LONG = label("This name is too long: please shorten it.")
_NO_LANGUAGE = label("Please choose one of these languages.")
_NO_TIMEZONE = label("Please choose one of these time zones.")


@dataclass(frozen=True, slots=True)
class _Said:
    """What is to be said on the page; all of it labels.

    Args:
        done: what was done.
        wrong: why nothing was, or not all.
        fields: what is wrong with fields, by their names.
        given: a form as it was sent, to be shown again.
    """

    done: str = ""
    wrong: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


@of_link
async def show(request: Request, link: Link) -> Response:
    return await _page(request, link, _Said())


@of_link
async def change(request: Request, link: Link) -> Response:
    """Do what one of the forms says."""
    fields = await forms.read(request, _FIELDS)
    if not personal.is_stamped(request, fields):
        return await _page(request, link, _Said(wrong=answers.TOO_OLD, given=fields))
    personal.let_in(request, link)
    act = _BUTTONS.get(fields.get("do", ""))
    return await _page(request, link, await act(request, link, fields) if act else _Said())


# What the buttons do -----------------------------------------------------------------------------


async def _choose(request: Request, link: Link, fields: Mapping[str, str]) -> _Said:
    """Join and leave desks, and say how often each comes."""
    site = site_of(request)
    reader, places = await personal.person(request, link)
    text = personal.words(request, places[0].desk, reader).gettext(_CONSENT)
    refused = await site.write(
        preferences.choose,
        link,
        _choices(fields),
        personal.consent(request, _SOURCE, text),
        personal.means(request),
    )
    if refused:
        sentence = label("One of the newsletters could not be changed; all else is saved.")
        return _Said(wrong=sentence)
    return _Said(done=_DONE)


def _choices(fields: Mapping[str, str]) -> list[Choice]:
    """What was chosen for each desk that the form had."""
    found = []
    for name, was in fields.items():
        if name.startswith(_WAS):
            slug = name.removeprefix(_WAS)
            often = fields.get(_OFTEN + slug, "each")
            now = often if fields.get(_JOINS + slug) and often in values.FREQUENCIES else None
            found.append(Choice(slug, was if was in values.FREQUENCIES else None, now))
    return found


async def _pause(request: Request, link: Link, fields: Mapping[str, str]) -> _Said:
    site, now = site_of(request), site_of(request).now()
    until = now + PAUSE if fields["do"] == "pause" else None
    await site.write(preferences.pause, link, None, until, now)
    return _Said(done=_DONE)


async def _describe(request: Request, link: Link, fields: Mapping[str, str]) -> _Said:
    """Change name, language and time zone, unless one of them cannot be."""
    site = site_of(request)
    reader, _ = await personal.person(request, link)
    facts, wrong = await asyncio.to_thread(_facts, fields, reader, site.templates.catalogues)
    if wrong:
        sentence = label("Nothing is saved yet: please correct what is marked.")
        return _Said(wrong=sentence, fields=wrong, given=fields)
    await site.write(preferences.describe, link, facts, site.now())
    return _Said(done=_DONE)


def _facts(
    fields: Mapping[str, str], reader: Reader, catalogues: Mapping[str, str]
) -> tuple[dict[str, str | None], dict[str, str]]:
    """The facts as they are kept, and labels that say what is wrong with fields."""
    wrong = {}
    name = fields.get("name", "").strip()
    if len(name) > values.LONGEST_NAME:
        wrong["name"] = _NAME_TOO_LONG
    language = values.language(fields.get("language", ""))
    if fields.get("language") and language not in _languages(reader, catalogues):
        wrong["language"] = _NO_LANGUAGE
    timezone = fields.get("timezone", "")
    if timezone not in ("", reader.row.timezone, *values.timezones()):
        wrong["timezone"] = _NO_TIMEZONE
    return {"name": values.name(name), "language": language, "timezone": timezone or None}, wrong


async def _renew_feeds(request: Request, link: Link, fields: Mapping[str, str]) -> _Said:
    site = site_of(request)
    slug, means = fields.get("desk", ""), personal.means(request)
    await site.write(preferences.renew_feeds, link, slug, means, site.now())
    return _Said(done=label("The addresses are new; those before no longer work."))


_BUTTONS = {
    "choose": _choose,
    "pause": _pause,
    "go on": _pause,
    "describe": _describe,
    "feeds": _renew_feeds,
}


# The page ----------------------------------------------------------------------------------------


async def _page(request: Request, link: Link, said: _Said) -> Response:
    site = site_of(request)
    reader, places = await personal.person(request, link)
    own, token = places[0].desk, request.path_params["token"]
    lang = personal.words(request, own, reader)
    catalogues = site.templates.catalogues
    return await answers.page(
        request,
        "web/preferences.html",
        own,
        language=lang.tag,
        action=token,
        stamp=personal.stamp(request),
        address=values.masked(reader.row.email),
        done=lang.gettext(said.done) if said.done else "",
        wrong=lang.gettext(said.wrong) if said.wrong else "",
        mistakes={name: lang.gettext(text) for name, text in said.fields.items()},
        places=[_place(place, said.given) for place in places if _is_offered(place)],
        consent=lang.gettext(_CONSENT),
        reads=any(place.standing == "reads" for place in places),
        paused_until=max((p.paused_until for p in places if p.paused_until), default=None),
        pause_until=site.now() + PAUSE,
        facts=_shown(reader, said.given),
        languages=await asyncio.to_thread(_languages, reader, catalogues),
        timezones=await asyncio.to_thread(_zones, reader),
        feeds=await _feeds(request, reader, places),
        data_url=f"{token}/data",
        delete_url=f"{token}/delete",
    )


def _is_offered(place: Place) -> bool:
    return place.standing in ("reads", "may_join")


def _place(place: Place, given: Mapping[str, str]) -> dict[str, Any]:
    """A desk in the form: as it is, or as the form was sent that is shown again."""
    slug, reads = place.desk.slug, place.standing == "reads"
    resent = _WAS + slug in given
    often = given.get(_OFTEN + slug, place.frequency)
    return {
        "slug": slug,
        "name": place.desk.name,
        "was": place.frequency if reads else "",
        "joins": bool(given.get(_JOINS + slug)) if resent else reads,
        "often": often if often in values.FREQUENCIES else place.frequency,
        "paused_until": place.paused_until if reads else None,
    }


def _shown(reader: Reader, given: Mapping[str, str]) -> dict[str, str]:
    """Name, language and time zone as they are kept, or as they were sent."""
    row = reader.row
    kept = {
        "name": row.name or "",
        "language": row.language or "",
        "timezone": row.timezone or "",
    }
    return {name: given.get(name, value)[:1000] for name, value in kept.items()}


def _languages(reader: Reader, catalogues: Mapping[str, str]) -> dict[str, str]:
    """The languages to choose from, each in its own words, by its tag.

    They are those with a catalogue, and the reader's own, which newsletters may be in.
    """
    own = reader.row.language
    tags = sorted({*catalogues.values(), *([own] if own else [])})
    return {tag: _own_name(tag) for tag in tags}


def _own_name(tag: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(tag, sep="-").get_display_name() or tag
    except (UnknownLocaleError, ValueError):
        return tag


def _zones(reader: Reader) -> dict[str, list[tuple[str, str]]]:
    """The time zones to choose from by area, each with what is shown of it."""
    areas: dict[str, list[tuple[str, str]]] = {}
    own = reader.row.timezone
    for name in sorted({*values.timezones(), *([own] if own else [])}):
        area, _, place = name.partition("/")
        shown = (place or area).replace("_", " ").replace("/", " – ")
        areas.setdefault(area, []).append((name, shown))
    return areas


async def _feeds(request: Request, reader: Reader, places: Sequence[Place]) -> list[dict[str, Any]]:
    """Personal feeds, of the desks that have them."""
    site = site_of(request)
    desks = {place.desk.slug: place.desk for place in places}
    found = await site.read(preferences.feeds, reader, list(desks.values()), site.tokens)
    return [{"slug": slug, "name": desks[slug].name, "urls": urls} for slug, urls in found.items()]


# Data, and deletion ------------------------------------------------------------------------------


@of_link
async def download(request: Request, link: Link) -> Response:
    """Everything that is known of the person, as JSON."""
    personal.let_in(request, link)
    site = site_of(request)
    found = await site.read(preferences.data, link, site.now())
    headers = {
        "Content-Disposition": 'attachment; filename="my-data.json"',
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    text = json.dumps(found, ensure_ascii=False, indent=2)
    return Response(f"{text}\n", headers=headers, media_type="application/json")


@of_link
async def ask_to_delete(request: Request, link: Link) -> Response:
    return await _delete_page(request, link)


@of_link
async def delete(request: Request, link: Link) -> Response:
    """Forget the person."""
    fields = await forms.read(request)
    if not personal.is_stamped(request, fields):
        return await _delete_page(request, link, wrong=answers.TOO_OLD)
    site = site_of(request)
    reader, places = await personal.person(request, link)
    tag = personal.words(request, places[0].desk, reader).tag
    await site.write(preferences.forget, link, site.now())
    await asyncio.to_thread(site.store.empty_log)
    return await answers.notice(
        request,
        places[0].desk,
        label("Everything about you is deleted"),
        label("You get no more mail from us."),
        label(
            "What stays is a code made from your address that nobody can turn back into it: it "
            "keeps your address off our lists."
        ),
        language=tag,
    )


async def _delete_page(request: Request, link: Link, *, wrong: str = "") -> Response:
    reader, places = await personal.person(request, link)
    lang = personal.words(request, places[0].desk, reader)
    return await answers.page(
        request,
        "web/delete.html",
        places[0].desk,
        language=lang.tag,
        stamp=personal.stamp(request),
        address=values.masked(reader.row.email),
        wrong=lang.gettext(wrong) if wrong else "",
        preferences_url=f"../{request.path_params['token']}",
    )


routes: list[Route] = [
    Route("/{desk}/preferences/{token}", show, methods=["GET"]),
    Route("/{desk}/preferences/{token}", change, methods=["POST"]),
    Route("/{desk}/preferences/{token}/data", download, methods=["GET"]),
    Route("/{desk}/preferences/{token}/delete", ask_to_delete, methods=["GET"]),
    Route("/{desk}/preferences/{token}/delete", delete, methods=["POST"]),
]
