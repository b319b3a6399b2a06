"""Fetching a small file over HTTPS, without redirects; for addresses that are ours to choose."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException

_MOST = 65_536
"""Bytes."""
_PATIENCE = 10.0
"""Seconds."""


class FetchError(Exception):
    """What was to be fetched could not be."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_about: object, **_more: object) -> None:
        return None


def fetch(url: str) -> bytes:
    """What stands at ``url``.

    Raises:
        FetchError: the address is not https, does not answer with 200, or with too much.
    """
    if not url.startswith("https://"):
        raise FetchError("not https")
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(url, timeout=_PATIENCE) as answer:
            data: bytes = answer.read(_MOST + 1)
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise FetchError(str(error)) from error
    if len(data) > _MOST:
        raise FetchError("too much")
    return data
