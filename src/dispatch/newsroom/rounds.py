"""What `dispatch run` does besides sending: rounds, each kind at its own pace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatch.errors import DispatchError
from dispatch.newsroom import bounces, digests, pings, signups, site_files
from dispatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Round:
    """One kind of work that comes again and again.

    ``work(out, settings, said, stopped)`` does what there is to do now; it says
    sentences and looks at ``stopped`` between two steps.
    """

    name: str
    every: float
    """Seconds between two of them."""
    work: Callable[[Path, Settings, Callable[[str], None], Callable[[], bool]], None]
    otherwise: str
    """What is said before the reason, where it cannot be done."""


_ARCHIVE = Round("archive", 30, site_files.bring_up_to_date, "The archive could not be written")

ROUNDS = (
    Round("sign-ups", 1, signups.work_off, "Sign-ups could not be worked off"),
    Round("digests", 30, digests.make_due, "Digests could not be made"),
    _ARCHIVE,
    Round("pings", 2, pings.send, "Hubs could not be told of changes"),
    Round("bounces", 300, bounces.round_, "Bounces could not be read"),
)


@contextmanager
def rounds(out: Path, settings: Settings, said: Callable[[str], None]) -> Iterator[None]:
    """Make rounds, each kind in a thread of its own, while the body runs; the first ones at once.

    What goes wrong is said, once until it goes well again, and tried again in the next round.
    """
    ended = threading.Event()

    def go(kind: Round) -> None:
        before = ""
        while True:
            before = _made(kind, out, settings, said, ended.is_set, before)
            if ended.wait(kind.every):
                return

    with ExitStack() as stack:
        for kind in ROUNDS:
            thread = threading.Thread(target=go, args=(kind,), name=kind.name)
            thread.start()
            stack.callback(thread.join)
        stack.callback(ended.set)
        yield


def once(out: Path, settings: Settings, said: Callable[[str], None]) -> None:
    """One round of each kind."""
    for kind in ROUNDS:
        _made(kind, out, settings, said, lambda: False, "")


def after_sending(out: Path, settings: Settings, said: Callable[[str], None]) -> None:
    """Have the archive show what has just begun to be sent."""
    _made(_ARCHIVE, out, settings, said, lambda: False, "")


def _made(
    kind: Round,
    out: Path,
    settings: Settings,
    said: Callable[[str], None],
    stopped: Callable[[], bool],
    before: str,
) -> str:
    """Make one; returns what went wrong, and says it unless it is the same as ``before``."""
    try:
        kind.work(out, settings, said, stopped)
    except DispatchError as error:
        told = f"{kind.otherwise}: {error}"
        if told != before:
            said(told)
        return told
    return ""
