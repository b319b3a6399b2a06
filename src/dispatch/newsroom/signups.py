"""Signing up: what was asked for is worked off, answered by mail, and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatch.settings import Settings


def work_off(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """To be written."""
