"""Images of web pages: where they really are, behind what loads them late."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.etree import _Element as Element

from dispatch.readers.dropped import Dropped
from dispatch.readers.webpage.body import DROPPED, shown

_LATE = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-hi-res-src", "data-url")
_LATE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_STANDS_IN = re.compile(
    r"^(?:data|blob|about):|(?:^|[/_-])(?:placeholder|blank|spacer|transparent|pixel|1x1|lazy)[\w-]*\.\w{3,4}$",
    re.IGNORECASE,
)
_SAVED_BESIDE = re.compile(r"(?:\./)?[^/?#]+_files/")
"""Where browsers put a page's images when they save it whole: no address that anybody else has."""
_WIDEST = 2_000


def settle(body: Element, dropped: Dropped) -> None:
    """Gives every image in ``body`` the address it is shown from, and takes out what is none."""
    for element in shown(body):
        if element.tag == "iframe":
            element.set("src", element.get("src") or element.get("data-src") or "")
        elif element.tag in ("amp-img", "img"):
            address = next(filter(None, _addresses(element)), "")
            element.tag = "img"
            element.set("src", address)
            if _SAVED_BESIDE.match(address):
                dropped("image", address)
            if _SAVED_BESIDE.match(address) or _is_tiny(element):
                element.tag = DROPPED


def _addresses(image: Element) -> Iterator[str]:
    """Where an image may be, the likeliest first."""
    yield from (image.get(name, "").strip() for name in _LATE)
    src = image.get("src", "").strip()
    if src and not _STANDS_IN.search(src):
        yield src
    yield from (_widest(image.get(name, "")) for name in _LATE_SETS)
    parent = image.getparent()
    if parent is not None:
        for source in parent.iter("source"):
            yield from (_widest(source.get(name, "")) for name in _LATE_SETS)
    follows = image.getnext()
    if follows is not None and follows.tag == "noscript":
        yield from (inner.get("src", "").strip() for inner in follows.iter("img"))


def _widest(srcset: str) -> str:
    """The address of the largest image in a srcset that is no wider than needed."""
    best, size = "", -1.0
    for candidate in re.split(r",\s+|,(?=https?:|/)", srcset[:20_000]):
        url, _, condition = candidate.strip().partition(" ")
        found = re.match(r"(\d{1,5}(?:\.\d)?)([wx])", condition.strip())
        width = float(found[1]) * (1 if found[2] == "w" else 600) if found else 0.0
        if size < width <= _WIDEST or not best:
            best, size = url, width
    return best.rstrip(",")


def _is_tiny(image: Element) -> bool:
    """Whether it counts readers and shows nothing."""
    return any(
        re.fullmatch(r"[012](?:px)?", image.get(side, "").strip()) for side in ("width", "height")
    )
