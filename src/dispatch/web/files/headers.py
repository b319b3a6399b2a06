"""What is said of a public file besides its bytes: its type, how long it keeps, what it may do."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_SOON = 60
"""Seconds for feeds and pages: a correction is everywhere within a minute, and asking again costs
a 304."""
_LATER = 300
"""For lists of feeds, sitemaps and whatever else there is."""
_HOUR = 3600
"""For archives, which change with a correction only."""
_DAY = 86_400
"""For pictures."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".json": "application/json",  # JSON is UTF-8 and has no charset (RFC 8259, 11)
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/vnd.microsoft.icon",
    ".pdf": "application/pdf",
    ".woff2": "font/woff2",
}
_UNKNOWN = "application/octet-stream"
_FEED_FORMS = (".rss", ".atom", ".json")
_PRESSED = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".pdf", ".woff2"},
)
"""Compressed by nature."""

_META = re.compile(
    rb'<meta http-equiv="Content-Security-Policy" content="([^"<>\r\n]{1,2000})">', re.IGNORECASE
)
_META_WITHIN = 4096
"""Bytes: the policy has to come before what it is about."""
_INERT = "script-src 'none'; object-src 'none'; sandbox; frame-ancestors 'none'"
"""Of XML, which a browser may draw: no script in an SVG picture may run."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the name of a file tells of it."""

    media_type: str
    max_age: int
    """Seconds for which a copy may be used without asking."""
    compressible: bool
    feed: bool
    """A subscription feed or one of its archives (RFC 5005)."""
    topic: bool
    """A subscription feed, which hubs tell of (WebSub)."""


def kind_of(file: str) -> Kind:
    """The kind of a file by its path, relative to the folder."""
    path = PurePosixPath(file)
    suffix = path.suffix.lower()
    topic = path.stem == "feed" and suffix in _FEED_FORMS
    archive = path.parent.name == "archive" and suffix in _FEED_FORMS
    if suffix == ".json" and (topic or archive):
        media_type = "application/feed+json"
    else:
        media_type = _TYPES.get(suffix, _UNKNOWN)
    if topic or (suffix == ".html" and path.parent.name != "archive"):
        max_age = _SOON
    elif suffix in _PRESSED:
        max_age = _DAY
    elif path.parent.name == "archive":
        max_age = _HOUR
    else:
        max_age = _LATER
    return Kind(media_type, max_age, suffix not in _PRESSED, topic or archive, topic)


def links(address: str, hubs: tuple[str, ...]) -> str:
    """The Link field of a feed: itself, and the hubs that tell of it (WebSub, 4).

    Args:
        address: the feed's own, absolute.
    """
    targets = [(address, "self"), *((hub, "hub") for hub in hubs)]
    return ", ".join(f'<{target}>; rel="{relation}"' for target, relation in targets)


def safety(kind: Kind, data: bytes) -> list[tuple[str, str]]:
    """The fields that keep a browser from doing more with a file than it should.

    A page says its own policy in a meta element; it is said here again, with what a page cannot
    say of itself: that nobody may frame it.
    """
    fields = [("x-content-type-options", "nosniff")]
    if kind.media_type.startswith("text/html"):
        policy = f"{_own_policy(data)}; frame-ancestors 'none'"
        fields += [
            ("content-security-policy", policy),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ]
    elif "xml" in kind.media_type:
        fields.append(("content-security-policy", _INERT))
    return fields


def _own_policy(page: bytes) -> str:
    found = _META.search(page[:_META_WITHIN])
    policy = html.unescape(found[1].decode("latin-1")) if found else ""
    if not re.fullmatch(r"[ -~]+", policy):  # a page that is not of ours, or not as we wrote it
        return "base-uri 'none'; object-src 'none'"
    return policy
