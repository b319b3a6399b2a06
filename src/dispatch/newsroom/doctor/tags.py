"""Lists of tags, as the records of DKIM and DMARC are (RFC 6376, 3.2; RFC 7489, 6.4)."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def parse(record: str) -> dict[str, str] | None:
    """``a=b; c=d`` → the tags in lower case and their values; None where it is no such list.

    A tag that stands twice makes it none, as it does for those who check mail.
    """
    tags: dict[str, str] = {}
    parts = record.split(";")
    if not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not _NAME.fullmatch(name) or name in tags:
            return None
        tags[name] = value.strip()
    return tags
