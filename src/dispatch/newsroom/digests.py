"""Daily and weekly digests: whose is due, and of what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatch.settings import Settings


def make_due(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """To be written."""
