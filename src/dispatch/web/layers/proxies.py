"""Proxies in front of the site: whose word on the client and the scheme is believed.

Anybody can send X-Forwarded-For. What a named proxy appended to it is true, what
stood in it before is what somebody told that proxy: so the list is read from its
end, up to the first address that is no proxy of ours. ``Forwarded`` (RFC 7239)
is not read: two headers that may contradict one another are one too many.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

_LONGEST = 2000
"""Characters of X-Forwarded-For that are read, from its end."""
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")

_log = logging.getLogger("dispatch.web")


class Proxies:
    """The proxies that are trusted.

    Args:
        networks: IP addresses or networks.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network, strict=False) for network in networks]
        self.trusts = lru_cache(maxsize=1024)(self._trusts)
        """Whether ``address``, that of a peer, is one of them."""

    def client(self, peer: str, forwarded: str) -> str:
        """The address of whom a request comes from.

        Args:
            peer: who opened the connection.
            forwarded: X-Forwarded-For, its lines joined by commas.
        """
        client = peer
        for part in reversed(forwarded[-_LONGEST:].split(",")):
            if not self.trusts(client):
                break
            address = _address(part)
            if address is None:  # what stands before it was written by nobody we know
                break
            client = str(address)
        return client

    def _trusts(self, address: str) -> bool:
        known = _address(address)
        return known is not None and any(known in network for network in self._networks)


class Forwarded:
    """Puts the client and the scheme that a trusted proxy tells of into the scope (ASGI)."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._hinted = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            self._look(scope)
        await self._app(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        peer, port = scope["client"]
        hops = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        if not self._proxies.trusts(peer):
            if hops and not self._hinted:
                self._hinted = True
                _log.warning(
                    "Requests come through a proxy that DISPATCH_TRUSTED_PROXIES does not name: "
                    "all who come through it count as one client. If it is yours, name it there."
                )
            return
        client = self._proxies.client(peer, b",".join(hops).decode("latin-1"))
        scope["client"] = (client, port if client == peer else 0)
        schemes = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        told = schemes[-1].rpartition(b",")[2].strip().lower() if schemes else b""
        if told in (b"http", b"https"):
            scope["scheme"] = told.decode("ascii")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, perhaps with a port; one of IPv4 that is written as IPv6 is that of IPv4."""
    text = text.strip()
    found = _WITH_PORT.fullmatch(text)
    if "%" in text:  # a zone (RFC 4007), which could be any text, and means something there alone
        return None
    try:
        address = ip_address(found[1] or found[2] if found else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
