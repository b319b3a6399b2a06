"""Addresses of links, images and embeds: which are kept, and how they are written."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from dispatch.markup.characters import printable

_HOST = re.compile(r"[\w.:~-]+")
_UNSAFE = re.compile(r"[\x00-\x20\"<>\\^`{|}\x7f-\xa0\u2028\u2029]")
"""What RFC 3986 has no place for, non-ASCII letters aside: an IRI (RFC 3987) may have those."""


def is_web_url(url: str) -> bool:
    """Whether ``url`` is an absolute http or https URL with a host."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
        return parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        return False


def web_url(url: str, base_url: str | None = None) -> str | None:
    """``url`` as an absolute http or https URL that can be printed as it is, or None.

    It is cleaned as browsers do (white space around it and line ends inside are
    no part of it), and what may not stand in a URL is percent-encoded.
    """
    absolute = _absolute(url, base_url)
    return absolute if is_web_url(absolute) else None


def link(url: str, base_url: str | None = None) -> str | None:
    """As :func:`web_url`, for what a reader can follow: mailto and tel as well."""
    absolute = _absolute(url, base_url)
    if is_web_url(absolute) or re.match(r"(?:mailto|tel):.", absolute, re.IGNORECASE):
        return absolute
    return None


def _absolute(url: str, base_url: str | None) -> str:
    url = re.sub("[\t\n\r]", "", printable(url)).strip(" \f\xa0")
    if url and base_url:
        try:
            url = urljoin(base_url, url)
        except ValueError:
            return ""
    # The host is left as it is: encoded, it would be another one, and is_web_url refuses it.
    scheme, host, rest = re.fullmatch(r"([^:/?#]*:)?(//[^/?#]*)?(.*)", url, re.DOTALL).groups("")  # type: ignore[union-attr]
    return scheme + host + _UNSAFE.sub(lambda found: _percent(found.group()), rest)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
