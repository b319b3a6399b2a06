"""robots.txt (RFC 9309): which addresses no crawler need ask for, and where the sitemaps are."""

from __future__ import annotations

from collections.abc import Iterable


def robots_txt(kept_out: Iterable[str], sitemaps: Iterable[str]) -> bytes:
    """The file.

    Args:
        kept_out: what the paths begin with that crawlers are to leave alone.
        sitemaps: absolute addresses.
    """
    rules = [f"Disallow: {path}" for path in kept_out] or ["Disallow:"]
    places = [f"Sitemap: {address}" for address in sitemaps]
    return ("\n".join(["User-agent: *", *rules, "", *places]) + "\n").encode("ascii")
