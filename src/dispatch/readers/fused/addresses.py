"""Web addresses in running text, and what an address says of who publishes what there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from dispatch.readers.folding import fold, forms, parts

# A second "https://" starts the next address, unless it is part of this one, as in an archive's.
_URL = re.compile(
    r"https?://(?:(?!(?<![/=:?&%])https?://)[^\s<>\"“”«»„「」『』【】（）。、，；])+", re.IGNORECASE
)
_CLOSING = {")": "(", "]": "[", "}": "{"}
_SECOND_LEVEL = frozenset(
    {"ac", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "ne", "net", "or", "org"}
)
_FILE_ENDING = re.compile(r"\.(?:[sx]?html?|php|aspx?|jsp|amp|ece|cms)$", re.IGNORECASE)


def find_urls(line: str) -> list[tuple[int, int]]:
    """Where the absolute http(s) addresses of a line start and end, without punctuation after."""
    spans = []
    for found in _URL.finditer(line):
        url = _trimmed(found[0])
        if _parsed(url):
            spans.append((found.start(), found.start() + len(url)))
    return spans


def _trimmed(url: str) -> str:
    """``url`` without the punctuation of the sentence that it stands in."""
    end = len(url)
    balance = {opening: url.count(opening) for opening in _CLOSING.values()}
    balance |= {closing: url.count(closing) for closing in _CLOSING}
    while end:
        last = url[end - 1]
        if last in _CLOSING and balance[last] > balance[_CLOSING[last]]:
            balance[last] -= 1
        elif last not in ".,:;!?'’*_…|":
            break
        end -= 1
    return url[:end]


def _parsed(url: str) -> tuple[str, str] | None:
    """Host and path, or None where it is no address."""
    try:
        split = urlsplit(url)
        host = split.hostname
    except ValueError:
        return None
    return (host, split.path[:2000]) if host and any(map(str.isalnum, host)) else None


@dataclass(frozen=True)
class Site:
    """The host and path of an address. Made by :func:`site_of`."""

    host: str
    """In lower case, without ``www.``"""
    path: str

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The host's labels without its public suffix: ``bbc.co.uk`` → ``bbc``."""
        *labels, top = self.host.split(".")
        if len(labels) > 1 and labels[-1] in _SECOND_LEVEL and len(top) == 2:
            labels.pop()
        return tuple(labels) or (top,)

    @cached_property
    def names(self) -> frozenset[str]:
        """What the address calls its publisher, folded: ``pbs``, ``pbsnewshour``, ``pbsorg``."""
        name = fold(self.labels[-1])
        found = {name, fold(self.host), fold(name + self.host.split(".")[-1])}
        for label in map(fold, self.labels[:-1]):
            found |= {label + name, name + label}
            if len(label) > 5:  # a title's own, as in timesofindia.indiatimes.com; not "news"
                found.add(label)
        first = self.path.strip("/").split("/")[0]
        if first.isascii() and len(first) <= 20:
            found.add(name + fold(first))
        return frozenset(found - {""})

    @cached_property
    def slugs(self) -> tuple[tuple[str, ...], ...]:
        """The segments of the path that are made of several words, each as folded words."""
        found = []
        for segment in self.path.split("/"):
            words = parts(_FILE_ENDING.sub("", unquote(segment[:400])))
            if len(words) > 1 or not segment.isascii() or "%" in segment:
                found.append(tuple(forms(word)[0] for word in words if forms(word)))
        return tuple(found)


def site_of(url: str | None) -> Site | None:
    parsed = _parsed(url) if url else None
    return Site(parsed[0].lower().removeprefix("www."), parsed[1]) if parsed else None
