"""Request ids: what a line of the log, an answer, and a reader's complaint have in common."""

from __future__ import annotations

import re
import secrets

from starlette.types import Scope

from dispatch.web.layers.proxies import Proxies

HEADER = b"x-request-id"

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def give(scope: Scope, proxies: Proxies) -> str:
    """The id of a request, which is in the scope's state from now on.

    A trusted proxy's own is kept, so that its log and ours can be laid side by side.
    """
    told = next((value for name, value in scope["headers"] if name == HEADER), b"")
    peer = scope["client"][0] if scope.get("client") else ""
    if not _WELL_FORMED.fullmatch(told) or not proxies.trusts(peer):
        told = secrets.token_hex(8).encode("ascii")
    request_id = told.decode("ascii")
    scope.setdefault("state", {})["request_id"] = request_id
    return request_id


def of(scope: Scope) -> str:
    """The id that was given."""
    request_id: str = scope["state"]["request_id"]
    return request_id
