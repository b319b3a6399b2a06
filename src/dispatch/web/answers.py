"""Answers for people: a page from a template, in their language, with the headers it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from dispatch.desk import Desk
from dispatch.renditions import web
from dispatch.renditions.language import lookup
from dispatch.web.site import site_of

_MOST_LANGUAGES = 20


def label(text: str) -> str:
    """``text`` as it is, marked as one that the catalogues have to know."""
    return text


TOO_OLD = label("This form was open for very long. Please press the button once more.")


async def page(
    request: Request,
    name: str,
    desk: Desk,
    *,
    language: str | None = None,
    status: int = 200,
    frames: Sequence[str] = (),
    **values: object,
) -> Response:
    """A page that extends ``web/form.html``.

    Args:
        language: the reader's, where it is known; else their browser's choice decides.
        frames: origins of the sites whose pages may hold this one; it is ``framed`` then.
        values: what the template asks for.
    """
    site = site_of(request)
    tag = spoken(request, desk, language)
    drawn = await asyncio.to_thread(
        web.render_form,
        name,
        replace(desk, language=tag),
        site.templates,
        framed=bool(frames),
        **values,
    )
    ancestors = " ".join(frames) or "'none'"
    headers = {
        "Content-Security-Policy": f"{drawn.policy}; frame-ancestors {ancestors}",
        "Content-Language": tag,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    return Response(drawn.html, status, headers, "text/html; charset=utf-8")


async def notice(
    request: Request,
    desk: Desk,
    heading: str,
    *sentences: str,
    status: int = 200,
    language: str | None = None,
) -> Response:
    """A page that says one thing; ``heading`` and ``sentences`` are labels, in English.

    Where they are not in a template, :func:`label` marks them.
    """
    tag = spoken(request, desk, language)
    said = site_of(request).templates.language(None, replace(desk, language=tag)).gettext
    return await page(
        request,
        "web/notice.html",
        desk,
        language=tag,
        status=status,
        heading=said(heading),
        sentences=[said(sentence) for sentence in sentences],
    )


def spoken(request: Request, desk: Desk, known: str | None = None) -> str:
    """The tag of the language to speak to a reader in: known of them, their browser's, the desk's.

    It is one that there are labels in, but for the desk's own, which may be any.
    """
    catalogues = site_of(request).templates.catalogues
    for tag in (*([known] if known else []), *_accepted(request)):
        found = lookup(tag, catalogues)
        if found is not None:
            return str(found)
    return desk.language


def _accepted(request: Request) -> list[str]:
    """The languages of Accept-Language, the dearest first (RFC 9110, 12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(",")[:_MOST_LANGUAGES]:
        tag, _, weight = part.partition(";")
        try:
            q = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if q > 0 and tag.strip() not in ("", "*"):
            weighed.append((-q, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
