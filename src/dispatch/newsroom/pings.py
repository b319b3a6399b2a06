"""Telling WebSub hubs that a feed has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatch.settings import Settings


def send(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """To be written."""
