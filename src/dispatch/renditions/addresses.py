"""Internet addresses as old mail programs can read them: in ASCII."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

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
        user, at, place = parts.netloc.rpartition("@")
        host, colon, port = place.partition(":")
        encoded = urlunsplit(parts._replace(netloc=f"{user}{at}{ascii_host(host)}{colon}{port}"))
    except ValueError:
        return url
    return quote(encoded, safe=_KEPT, errors="replace")


def ascii_host(host: str) -> str:
    """A host name as A-labels.

    Raises:
        ValueError: it has no such form, such as an empty label or one of over 63 characters.
    """
    return host if host.isascii() else host.encode("idna").decode("ascii")
