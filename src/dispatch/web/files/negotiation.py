"""Which content coding a client wants: Accept-Encoding (RFC 9110, 12.5.3)."""

from __future__ import annotations

import re
from functools import lru_cache

IDENTITY = "identity"
CODINGS = ("br", "zstd", "gzip")
"""Those that files are compressed with, the smallest result first: it decides between equals."""

_LONGEST = 500
"""Bytes of a field that are read. Browsers send 30; the rest could only refuse."""
_ITEM = re.compile(
    r"\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


@lru_cache(maxsize=256)
def acceptable(field: bytes | None) -> tuple[str, ...]:
    """The codings that the client takes, of those there are, the dearest first.

    ``identity``, the file as it is, comes last where the field does not name it; it is missing
    where the client refuses it. An item that cannot be read is as if it were not there.

    Args:
        field: the value of Accept-Encoding; None where there is none, which is read as an
            empty one: a client that says nothing of codings may not know any.
    """
    weights = _weights(field[:_LONGEST].decode("latin-1").lower()) if field else {}
    others = weights.get("*")
    wanted: list[tuple[float, str]] = []
    for coding in CODINGS:
        weight = weights.get(coding, others or 0)
        if weight > 0:
            wanted.append((weight, coding))
    as_it_is = weights.get(IDENTITY, 0 if others == 0 else None)
    if as_it_is is None:  # not named: taken, but anything that is asked for is better
        as_it_is = min((weight for weight, _ in wanted), default=1)
    if as_it_is > 0:
        wanted.append((as_it_is, IDENTITY))
    return tuple(coding for _, coding in sorted(wanted, key=lambda pair: -pair[0]))


def _weights(field: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in field.split(","):
        item = _ITEM.fullmatch(part)
        if item:
            name = "gzip" if item[1] == "x-gzip" else item[1]  # RFC 9110, 8.4.1.3
            weights[name] = float(item[2]) if item[2] is not None else 1
    return weights
