"""Colours that can be read: contrast by WCAG 2.1, 1.4.3."""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from functools import lru_cache

from dispatch.errors import SettingsError

TEXT_CONTRAST = 4.5
"""The least contrast of text with its background (level AA)."""

_STEPS = 50


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ``#rrggbb``, from 1 (none) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=256)  # a desk's pages all ask for the same few
def legible(colour: str, background: str) -> str:
    """``colour`` in its own hue, as much darker or lighter as text on ``background`` needs.

    Raises:
        SettingsError: ``colour`` is not of the form ``#rrggbb``.
    """
    end = max((0.0, 1.0), key=lambda lightness: contrast(_shade(colour, lightness), background))
    lightness = rgb_to_hls(*_channels(colour))[1]
    shades = [colour] + [
        _shade(colour, lightness + (end - lightness) * step / _STEPS)
        for step in range(1, _STEPS + 1)
    ]
    return next((s for s in shades if contrast(s, background) >= TEXT_CONTRAST), shades[-1])


def _shade(colour: str, lightness: float) -> str:
    hue, _, saturation = rgb_to_hls(*_channels(colour))
    return "#" + "".join(f"{round(c * 255):02x}" for c in hls_to_rgb(hue, lightness, saturation))


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[float, float, float]:
    """Red, green and blue, each from 0 to 1."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise SettingsError(f"The colour {colour!r} cannot be read. Write it as #rrggbb.")
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue
