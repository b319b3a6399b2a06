"""Evidence for where a publisher's name ends and a title begins.

Pages that are pasted as text lose what stood between the two. Each detector
here looks at one way of parting them, a :class:`Candidate`, and says how much
speaks for or against it, in points, and why. ``fused.py`` adds the points up.

To add a detector, write a function of a candidate and an :class:`Item` that
returns an :class:`Evidence` or None, and put it into :data:`DETECTORS`. For
scale: 5 points alone are enough to part a text, 2 are enough to ask the desk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dispatch.readers.folding import fold, forms, mentions
from dispatch.readers.fused.addresses import Site
from dispatch.readers.fused.slugs import NO_REPEAT, Repeat
from dispatch.readers.joints import NONE, SPACE, Joint, script
from dispatch.readers.publishers import Publishers


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line. ``kind`` is ``publisher``, ``title``, ``url`` or ``seam``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of parting a text."""

    parts: tuple[Part, ...]
    joint: Joint = NONE
    """What the place looks like where they are parted."""
    repeat: Repeat = NO_REPEAT
    """How far the address repeats this title."""

    @property
    def publisher(self) -> str:
        """Empty where the whole text is the title."""
        return next((part.text for part in self.parts if part.kind == "publisher"), "")

    @property
    def title(self) -> str:
        return next(part.text for part in self.parts if part.kind == "title")


@dataclass(frozen=True)
class Surroundings:
    """What the rest of the article tells."""

    publishers: Publishers
    body: str = ""
    """The text of the article's body."""
    siblings: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many items of the same list start with a text, by host ('' for none) and text."""


@dataclass(frozen=True)
class Item:
    """What is known of a text to part, whichever way it is parted."""

    site: Site | None
    """The address that stands beside it."""
    around: Surroundings
    best_repeat: Repeat
    """The best repetition of a title among all candidates."""


@dataclass(frozen=True, slots=True)
class Evidence:
    points: float
    reason: str


Detector = Callable[[Candidate, Item], Evidence | None]


# Detectors, from the most certain to the most heuristic ------------------------------------------


def address_repeats_title(candidate: Candidate, item: Item) -> Evidence | None:
    """The slug repeats this title's first words, or those of another candidate's title."""
    if candidate.repeat.points:
        return Evidence(candidate.repeat.points, "the address repeats the title's first words")
    if item.best_repeat.is_sure:
        return Evidence(-3, "the address repeats another beginning of the title")
    return None


def publisher_answers_to_address(candidate: Candidate, item: Item) -> Evidence | None:
    """The publisher is known to publish there, or the host carries its name or initials."""
    publisher, known = candidate.publisher, item.around.publishers
    if not publisher or item.site is None:
        return None
    if known.publishes_at(publisher, item.site.host, item.site.path):
        return Evidence(6, "the publisher is known at that address")
    points = likeness(publisher, item.site, known.press_words)
    if points:
        return Evidence(points, "the address carries the publisher's name")
    if " " not in publisher and not known.knows(publisher):
        return Evidence(-1, "the address says nothing of that name")  # rather half a brand's name
    return None


def publisher_is_known(candidate: Candidate, item: Item) -> Evidence | None:
    """The publisher is in the list, wherever the address leads."""
    publisher, known = candidate.publisher, item.around.publishers
    if not publisher or not known.knows(publisher):
        return None
    if item.site and known.publishes_at(publisher, item.site.host, item.site.path):
        return None  # said already, by the detector above
    return Evidence(4 if known.is_distinct(publisher) else 2.5, "the publisher is known")


def place_looks_like_a_seam(candidate: Candidate, _: Item) -> Evidence | None:
    """Case, digits, quotation marks, scripts and delimiters at the place itself."""
    if candidate.joint is NONE:
        return None
    return Evidence(candidate.joint.points, candidate.joint.reason)


def body_mentions_publisher(candidate: Candidate, item: Item) -> Evidence | None:
    """The article names the publisher, as a name of its own."""
    publisher = candidate.publisher
    if len(publisher) < 2 or candidate.joint.points <= -3:
        return None
    if not mentions(item.around.body, publisher):
        return None
    return Evidence(2, "the article mentions the publisher")


def siblings_share_publisher(candidate: Candidate, item: Item) -> Evidence | None:
    """Another item of the list, at the same host, starts with the same text."""
    host = item.site.host if item.site else ""
    if item.around.siblings.get((host, candidate.publisher), 0) > 1:
        return Evidence(2, "another source starts in the same way")
    return None


def publisher_is_shaped_like_a_name(candidate: Candidate, item: Item) -> Evidence | None:
    """Capitals, few words and no sentence's punctuation; best of all a word such as Gazette."""
    publisher = candidate.publisher
    if not publisher:
        return None
    words = publisher.split()
    points = 0.0
    if len(words) > 1:
        points -= min(4, 2 * sum(_is_small_word(word) for word in words))
        odd = _ODD_CAPITAL.search(publisher) and not item.around.publishers.knows(publisher)
        points -= 2 if odd else 0
    if _ends_in_press_word(words, item.around.publishers.press_words):
        points += 1.5 if len(words) > 1 else 2
    if _SENTENCE_MARKS.search(publisher):
        points -= 3
    if len(words) > 6:
        points -= 2
    if len(publisher) == 1 and script(publisher) != "chinese or japanese":
        points -= 2
    if not any(map(str.isalpha, publisher)):
        points -= 4
    return Evidence(points, "of what names look like") if points else None


def title_is_shaped_like_a_title(candidate: Candidate, _: Item) -> Evidence | None:
    """A title has several words and starts with a capital, a figure or a quotation mark."""
    title = candidate.title
    points = 0.0
    if not candidate.publisher:
        return None
    if title[0].islower() and not title[1:2].isupper():
        points -= 3 if candidate.joint is SPACE else 1.5
    if " " not in title and len(title) < 12 and title.isascii():
        points -= 2
    if title[0] in _NO_START:
        points -= 4
    if title[0] in '"“„«「' and title[-1] in '"”“»」':
        points += 1
    return Evidence(points, "of what titles look like") if points else None


DETECTORS: tuple[Detector, ...] = (
    address_repeats_title,
    publisher_answers_to_address,
    publisher_is_known,
    place_looks_like_a_seam,
    body_mentions_publisher,
    siblings_share_publisher,
    publisher_is_shaped_like_a_name,
    title_is_shaped_like_a_title,
)


# Names and hosts ---------------------------------------------------------------------------------

_ARTICLES = ("the", "der", "die", "das", "le", "la", "les", "el", "il", "o", "de", "al", "l")
_CONNECTORS = frozenset(
    {"and", "of", "the", "for", "in", "on", "to", "und", "der", "die", "das", "des", "für", "von"}
    | {"de", "du", "la", "le", "les", "et", "del", "los", "las", "y", "e", "da", "do", "dos"}
    | {"della", "di", "van", "het", "voor", "og", "och", "ve", "al", "el"}
)
_SENTENCE_MARKS = re.compile(r"[?;:\"“”„«»…]|,\s|[-–—/&,(]$")
_ODD_CAPITAL = re.compile(r"[a-z][A-Z]")
_UNSPACED = ("chinese or japanese", "korean")
_NO_START = frozenset(".,;:!?)]}-–—/|&%’'")
_WORDS = re.compile(r"[\s\-‐/&.,’']+")


def likeness(publisher: str, site: Site, press_words: frozenset[str]) -> float:
    """How well a host carries a publisher's name: 5 as it is, less for parts and initials."""
    names = site.names
    same = names & _with_and_without_article(publisher)
    if same:
        # Three letters begin many words: SkyWest is not a title by Sky.
        return 5 if max(map(len, same)) > 3 else 2.5
    words = [word for word in _WORDS.split(publisher) if fold(word)]
    core = [word for word in words if word.casefold() not in _CONNECTORS]
    own = [word for word in core if fold(word) not in press_words]
    if own and own != words and not names.isdisjoint(forms("".join(own))):
        return 4.5 if len(fold("".join(own))) > 2 else 3
    if len(core) > 1:
        initials = {_initials(words), _initials(core)} & (names | set(site.labels))
        if initials:
            return 3.5 if len(max(initials, key=len)) > 2 else 2.5
        if any(_abbreviates(name, [fold(word) for word in core]) for name in names):
            return 3
    return _partial([word for word in publisher.split() if word in core], names)


def _with_and_without_article(publisher: str) -> set[str]:
    found = {form for form in forms(publisher) if len(form) > 1}
    first, _, rest = publisher.partition(" ")
    if rest and first.casefold() in _ARTICLES:
        found |= {form for form in forms(rest) if len(form) > 2}
    return found | {"the" + form for form in found}


def _initials(words: list[str]) -> str:
    return "".join(fold(word)[0] for word in words)


def _abbreviates(name: str, words: list[str]) -> bool:
    """Whether ``name`` is made of the beginnings of all words in order: nytimes, washpost."""
    if not 4 <= len(name) <= 30 or len(words) > 6:
        return False
    ends = {0}
    longest = 0
    for word in words:
        reached = set()
        for start in ends:
            for size in range(1, len(word) + 1):
                if not name.startswith(word[:size], start):
                    break
                reached.add(start + size)
                longest = max(longest, size)
        ends = reached
    return len(name) in ends and longest > 2


def _partial(core: list[str], names: frozenset[str]) -> float:
    """The host carries one word of the name, or more than the name."""
    if not core:
        return 0
    ends = {form for word in (core[0], core[-1]) for form in forms(word) if len(form) > 3}
    if len(core) > 1 and not names.isdisjoint(ends):
        return 2.5
    whole = "".join(map(fold, core))
    return 2.5 if len(whole) > 3 and any(name.startswith(whole) for name in names) else 0


def _ends_in_press_word(words: list[str], press_words: frozenset[str]) -> bool:
    """Whether a name of several words ends in one such as Gazette; in Chinese it is one word."""
    last = fold(words[-1])
    if script(last[:1] or "-") in _UNSPACED:
        return any(last.endswith(word) and last != word for word in press_words)
    return len(words) > 1 and last in press_words


def _is_small_word(word: str) -> bool:
    return word[0].islower() and word.islower() and word.casefold() not in _CONNECTORS
