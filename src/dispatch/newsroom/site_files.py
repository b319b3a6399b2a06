"""The files of a site that belong to no single article: archive, sitemaps, feeds' list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatch.settings import Settings


def bring_up_to_date(
    out: Path, settings: Settings, said: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """To be written."""
