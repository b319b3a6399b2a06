"""Compressing what is sent: files once, for everybody who reads them; else for one reader."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

SMALL = 512
"""Bytes: what is smaller fits one packet as it is."""

Effort = Mapping[str, int]
"""The level for each coding: what is sent more often is worth more of a thread's time."""

SENT_OFTEN: Effort = {"br": 11, "zstd": 19, "gzip": 9}
"""A feed, which is sent thousands of times: 100 ms."""
SENT_NOW_AND_THEN: Effort = {"br": 6, "zstd": 9, "gzip": 6}
"""A page, which a reader of the whole archive may ask for alone: 2 ms, a tenth more bytes."""
SENT_ONCE: Effort = {"br": 4, "zstd": 3, "gzip": 4}
"""What is made for one reader."""


def compress(data: bytes, coding: str, effort: Effort) -> bytes:
    """``data`` in a coding of :data:`negotiation.CODINGS`; the same bytes every time."""
    level = effort[coding]
    if coding == "br":
        import brotli

        pressed: bytes = brotli.compress(data, mode=brotli.MODE_TEXT, quality=level)
        return pressed
    if coding == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level).compress(data)
    return gzip.compress(data, level, mtime=0)
