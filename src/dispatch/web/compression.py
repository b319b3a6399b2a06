"""Compressing a file once, for everybody who reads it."""

from __future__ import annotations

import gzip

_SENT_OFTEN = {"br": 11, "zstd": 19, "gzip": 9}
_OTHERS = {"br": 6, "zstd": 9, "gzip": 6}
"""Levels: a feed is sent thousands of times and is worth 100 ms of a thread; a page may be asked
for once, by somebody who reads the whole archive, and costs 2 ms for a tenth more bytes."""


def compress(data: bytes, coding: str, *, often: bool) -> bytes:
    """``data`` in a coding of :data:`negotiation.CODINGS`; the same bytes every time.

    Args:
        often: whether it is sent so often that more effort pays.
    """
    level = (_SENT_OFTEN if often else _OTHERS)[coding]
    if coding == "br":
        import brotli

        pressed: bytes = brotli.compress(data, mode=brotli.MODE_TEXT, quality=level)
        return pressed
    if coding == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level).compress(data)
    return gzip.compress(data, level, mtime=0)
