"""Colours that can be read: contrast by WCAG 2.1, 1.4.3."""

from __future__ import annotations

import re

from dispatch.errors import SettingsError

TEXT_CONTRAST = 4.5
"""The least contrast of text with its background (level AA)."""

_STEPS = 20


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ``#rrggbb``, from 1 (none) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def legible(colour: str, background: str) -> str:
    """``colour``, made darker or lighter just as far as text on ``background`` needs.

    Raises:
        SettingsError: ``colour`` is not of the form ``#rrggbb``.
    """
    towards = max(("#000000", "#ffffff"), key=lambda end: contrast(end, background))
    shades = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next((s for s in shades if contrast(s, background) >= TEXT_CONTRAST), towards)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise SettingsError(f"The colour {colour!r} cannot be read. Write it as #rrggbb.")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
