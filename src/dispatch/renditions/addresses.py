"""Internet addresses as every program can read them: in ASCII."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from dispatch.markup import is_web_url

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Everything that RFC 3986 gives a meaning, and % for what is encoded already.
_KEPT = "%:/?#[]@!$&'()*+,;=-._~{}|^`\\"


def ascii_url(url: str) -> str:
    """``url`` with its host as A-labels (RFC 5891) and all else percent-encoded (RFC 3987, 3.1).

    A URL in ASCII comes back as it is; one whose host cannot be encoded, too.
    """
    if url.isascii():
        return url
    try:
        parts = urlsplit(url)
        encoded = urlunsplit(parts._replace(netloc=_with_ascii_host(parts.netloc)))
    except ValueError:
        return url
    return quote(encoded, safe=_KEPT, errors="replace")


def ascii_host(host: str) -> str:
    """A host name as A-labels.

    Raises:
        ValueError: it has no such form, such as an empty label or one of over 63 characters.
    """
    return host if host.isascii() else host.encode("idna").decode("ascii")


def web_uri(url: str | None) -> str | None:
    """``url`` as a URI (RFC 3986), or None where it is not an absolute http(s) URL.

    What a URI cannot hold is percent-encoded; a host name with letters beyond
    ASCII is written as DNS has it (RFC 3490).
    """
    if url is None or not is_web_url(url):
        return None
    try:
        parts = urlsplit(url)
        host = _with_ascii_host(parts.netloc)
    except ValueError:
        return None
    return urlunsplit(
        (
            parts.scheme,
            _percent_encoded(host, "[]:@!$&'()*+,;="),
            _percent_encoded(parts.path, "/:@!$&'()*+,;="),
            _percent_encoded(parts.query, "/?:@!$&'()*+,;="),
            _percent_encoded(parts.fragment, "/?:@!$&'()*+,;="),
        )
    )


def _with_ascii_host(authority: str) -> str:
    if authority.isascii():
        return authority
    user, at, place = authority.rpartition("@")
    host, colon, port = place.partition(":")
    return f"{user}{at}{ascii_host(host)}{colon}{port}"


def _percent_encoded(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=f"%~{safe}", errors="replace")
