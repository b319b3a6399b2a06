"""Lists of tags, as the records of DKIM and DMARC are (RFC 6376, 3.2; RFC 7489, 6.4)."""

from __future__ import annotations

import re

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


def parse(record: str) -> dict[str, str] | None:
    """``a=b; c=d`` → the tags in lower case and their values; None where it is no such list.

    A tag that stands twice makes it none, as it does for those who check mail.
    """
    tags: dict[str, str] = {}
    parts = record.split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        found = _TAG.fullmatch(part)
        if not found or found[1].lower() in tags:
            return None
        tags[found[1].lower()] = found[2]
    return tags
