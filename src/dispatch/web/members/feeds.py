"""Personal feeds, and the pages that they lead to: ``/{desk}/members/{token}/…``.

Whoever has the address may read. A token that was forged, revoked, or is of
somebody who left, and a document that is not there, get the same answer.
"""

from __future__ import annotations

from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dispatch.settings import Settings
from dispatch.store.feed_tokens import readable_desk
from dispatch.web.files.asked import Asked
from dispatch.web.files.paths import address_of, file_of
from dispatch.web.members.documents import PersonalFiles, sent
from dispatch.web.members.use import FeedUse
from dispatch.web.site import Site, ip_of, site_of

REVOKED_WITHIN = 5.0
"""Seconds that a revoked token may still be good for: so long it is not looked up again."""

_MOST = 50_000
"""Tokens that are remembered."""
_NOBODY = 0
"""The key of no token."""
_INDEX = "index.html"


class Members:
    """What personal feeds are served with, for as long as the site is. For the event loop alone."""

    def __init__(self, site: Site) -> None:
        self.files = PersonalFiles(site.out / "members")
        self.use = FeedUse(site)
        self._site = site
        self._desks: dict[int, tuple[float, str | None]] = {}
        self._settings: dict[str, Settings] = {}

    async def desk_of(self, token: str) -> tuple[int, str | None]:
        """The key of a token, and the slug of the desk that it opens; None: none.

        What is not a token of ours takes the same way as one that is revoked.
        """
        key = self._site.tokens.read_feed(token) or _NOBODY
        known = self._desks.get(key)
        if known is not None and monotonic() - known[0] < REVOKED_WITHIN:
            return key, known[1]
        desk = await self._site.read(readable_desk, key)
        self._desks.pop(key, None)
        if len(self._desks) >= _MOST:
            del self._desks[next(iter(self._desks))]  # the one that was looked up longest ago
        self._desks[key] = (monotonic(), desk)
        return key, desk

    def settings_of(self, desk: str) -> Settings:
        """The settings of a desk that there is."""
        if desk not in self._settings:
            self._settings[desk] = self._site.settings.for_desk(desk)
        return self._settings[desk]


async def show(request: Request) -> Response:
    """A document of ``members/``, for the subscriber whose token stands in its address."""
    members = _members(request)
    token: str = request.path_params["token"]
    key, desk = await members.desk_of(token)
    file = _file(request)
    if desk is None or desk != request.path_params["desk"] or file is None:
        raise HTTPException(404, "There is no such page.", _HEADERS)
    settings = members.settings_of(desk)
    if settings.access == "public":
        return _public(settings, desk, file)
    document = await members.files.find(f"{desk}/{file}")
    if document is None:
        raise HTTPException(404, "There is no such page.", _HEADERS)
    site = site_of(request)
    members.use.note(key, ip_of(request), site.now())
    # In lower case, whatever something on the way has made of it.
    answer = await sent(document, token.lower(), Asked.of(request.headers))
    return Response(answer.body, answer.status, answer.fields)


_HEADERS = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


def _members(request: Request) -> Members:
    members: Members = request.app.state.members
    return members


def _file(request: Request) -> str | None:
    """The document's path below its desk; None where it can be none."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    parts = raw.partition(b"?")[0].split(b"/", 4)
    name = file_of(b"/" + parts[4]) if len(parts) == 5 else None  # some of its slashes are escaped
    if name is None:
        return None
    return f"{name}{_INDEX}" if not name or name.endswith("/") else name


def _public(settings: Settings, desk: str, file: str) -> Response:
    """Where everybody reads it by now: what people subscribed to goes on."""
    address = file.removesuffix(_INDEX)
    location = settings.site_url + address_of(f"{desk}/{address}")
    return Response(status_code=307, headers={"Location": location, **_HEADERS})


routes: list[Route] = [Route("/{desk}/members/{token}/{path:path}", show, methods=["GET"])]
