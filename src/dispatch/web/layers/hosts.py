"""The names that the site answers to: no other may stand in a request's Host.

Whoever gets a reader's browser to ask this server under another name (DNS
rebinding, a forgotten record) would have it speak in that name's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatch.errors import SettingsError
from dispatch.settings import Settings, variable

ANYWHERE = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered on any host: who watches over the server asks it by its address."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)\.?(?::\d{0,5})?", re.IGNORECASE)
"""RFC 9112, 3.2: a host and perhaps a port; the names of ours are in ASCII."""


class Hosts:
    """The names of the site: of its address, of each desk's own, and those of DISPATCH_HOSTS.

    Where the server listens on this machine alone, its names for itself are among them.
    """

    def __init__(self, settings: Settings) -> None:
        named = {_host_of(url) for url in site_urls(settings)}
        self._names = frozenset(named | {_ascii(host) for host in settings.hosts})
        self._here = ip_address(settings.listen[0]).is_loopback

    @property
    def plain(self) -> frozenset[bytes]:
        """The names as they stand in nearly every request: in lower case and without a port."""
        return frozenset(name.encode("ascii") for name in self._names)

    def know(self, host: str) -> bool:
        """Whether ``host``, the value of a Host header, is one of ours; the port may be any.

        Raises:
            ValueError: it is no host at all.
        """
        found = _HOST.fullmatch(host)
        if found is None:
            raise ValueError("that is no host")
        name = found[1].lower().rstrip(".")
        return name in self._names or (self._here and _is_here(name))


class OwnHosts:
    """Answers 421 (RFC 9110, 15.5.20) to requests for other hosts, 400 to broken ones (ASGI)."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in ANYWHERE:
            refused = self._refusal(scope)
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        try:
            # More than one is as good as none (RFC 9112, 3.2).
            known = self._hosts.know(given[0].decode("latin-1") if len(given) == 1 else "")
        except ValueError:
            return PlainTextResponse("The request does not say which host it is for.\n", 400)
        if known:
            return None
        return PlainTextResponse("This server does not answer for that host.\n", 421)


def site_urls(settings: Settings) -> Iterable[str]:
    """The address of the site, and those that desks have of their own."""
    yield settings.site_url
    own = variable("site_url") + "__"
    for name in settings.values:
        if name.startswith(own):
            yield settings.for_desk(name.removeprefix(own)).site_url


def _ascii(host: str) -> str:
    """A name that somebody set, as it stands in requests.

    Raises:
        SettingsError: it is none.
    """
    try:
        name = host.lower().rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name) or ":" in name.rpartition("]")[2]:
        raise SettingsError(
            f"The setting {variable('hosts')} cannot be used: {host} is not the name of a host, "
            "without a port, such as news.example.org."
        )
    return name


def _host_of(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _is_here(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
