"""What `dispatch run` does besides sending: reading what came back, every few minutes."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dispatch.errors import DispatchError
from dispatch.newsroom import bounces
from dispatch.newsroom.bounces import Order, Tally
from dispatch.newsroom.mailings import now
from dispatch.settings import Settings

_EVERY = 300.0
"""Seconds between two rounds."""


@contextmanager
def rounds(out: Path, settings: Settings, said: Callable[[str], None]) -> Iterator[None]:
    """Make rounds in a thread of their own while the body runs; the first one at once.

    Nothing is done where no mailbox is set (DISPATCH_BOUNCES). What goes wrong is said,
    and tried again in the next round.
    """
    if not settings.bounces:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_go, args=(out, settings, said, ended), name="rounds")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def once(out: Path, settings: Settings, said: Callable[[str], None]) -> None:
    """One round."""
    if settings.bounces:
        _round(out, settings, said, lambda: False)


def _go(out: Path, settings: Settings, said: Callable[[str], None], ended: threading.Event) -> None:
    while True:
        _round(out, settings, said, ended.is_set)
        if ended.wait(_EVERY):
            return


def _round(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    try:
        tally = bounces.read(Order(out), settings, now, io.BytesIO(), stopped)
    except DispatchError as error:
        said(f"Bounces could not be read: {error}")
    else:
        if tally.read:
            said(_told(tally))


def _told(tally: Tally) -> str:
    counted = ", ".join(
        f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in tally.counts.items() if count
    )
    return f"{tally.read:,} messages came back: {counted}."
