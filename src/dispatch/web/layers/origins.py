"""Where a form was sent from: those of other sites are refused.

Every form of ours carries a stamp, which no other site can make; this is the
second wall, and needs no form to take part. What a browser tells of a request is
believed, because a browser cannot be made to lie about it by a page: its
``Sec-Fetch-Site``, and where it is too old for that, ``Origin``. Programs send
neither, and whoever has somebody's token needs no browser: both pass.

Three kinds of addresses take requests from other sites on purpose:

- ``/api/…`` and ``/webhooks/…``: who asks there shows a token or a signature that no browser
  sends by itself;
- ``/{desk}/unsubscribe/{token}``: the one click of RFC 8058 may come from a mail program that is
  a web page; its handler lets nothing else pass without a stamp;
- ``/{desk}/subscribe`` and ``/{desk}/subscribe.json`` from the desk's DISPATCH_FORM_ORIGINS.
"""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from dispatch.settings import Settings

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = re.compile(r"/(api|webhooks)/|/[^/]+/unsubscribe/[^/]+/?\Z")
_SIGN_UP = re.compile(r"/([^/]{1,100})/subscribe(?:\.json)?/?\Z")


def is_foreign(request: HTTPConnection, settings: Settings) -> bool:
    """Whether another site sent this form, and may not."""
    scope = request.scope
    if scope["method"] in _HARMLESS or _OPEN.match(scope["path"]):
        return False
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "")
    if site:
        ours = site in ("same-origin", "none")
    else:
        # A page that gives no referrer says "null" even to its own site; ours are such pages.
        _, _, host = origin.partition("://")
        ours = origin in ("", "null") or host == request.headers.get("host", "")
    return not ours and not _may_sign_up(scope["path"], origin, settings)


def _may_sign_up(path: str, origin: str, settings: Settings) -> bool:
    found = _SIGN_UP.match(path)
    return found is not None and origin in settings.for_desk(found[1]).form_origins
