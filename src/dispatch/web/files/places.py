"""Files on the disk below a folder that is served: no link leads out of it, no pipe holds it up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def within(folder: Path, name: str) -> Path | None:
    """Where a name leads, once symbolic links are followed; None: nowhere, or outside."""
    try:
        real = folder.resolve(strict=True)
        place = (real / name).resolve(strict=True)
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError up to Python 3.12
        return None
    return place if place.is_relative_to(real) else None


def opened(place: Path) -> BinaryIO:
    """Open a file without following a link, and without waiting where it is a pipe.

    Args:
        place: as :func:`within` gave it.

    Raises:
        OSError: it cannot be opened, or is a folder.
    """
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.fdopen(descriptor, "rb")
    except OSError:  # a folder
        os.close(descriptor)
        raise
