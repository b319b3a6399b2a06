"""What an article refers to and cannot keep: addresses that mean nothing outside of its page."""

from __future__ import annotations

from typing import Literal

from dispatch.article import Note

_OUTCOMES = {
    "link": ("was taken off its text", "were taken off their text"),
    "image": ("was left out", "were left out"),
    "embed": ("was left out", "were left out"),
}
_SHOWN = 3


class Dropped:
    """Collects them; to be handed to ``dispatch.markup.blocks`` as ``on_dropped``."""

    def __init__(self) -> None:
        self._urls: dict[str, list[str]] = {}

    def __call__(self, kind: Literal["link", "image", "embed"], url: str) -> None:
        self._urls.setdefault(kind, []).append(url)

    def notes(self) -> tuple[Note, ...]:
        """A warning for each kind of which something could not be kept."""
        return tuple(
            Note("warning", "body", _message(kind, self._urls[kind]))
            for kind in _OUTCOMES
            if kind in self._urls
        )


def _message(kind: str, urls: list[str]) -> str:
    one, many = _OUTCOMES[kind]
    what = f"1 {kind} {one}" if len(urls) == 1 else f"{len(urls)} {kind}s {many}"
    distinct = list(dict.fromkeys(urls))
    shown = ", ".join(url if len(url) <= 80 else f"{url[:79]}…" for url in distinct[:_SHOWN])
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return f"{what}, for want of an address that begins with https://: {shown}{more}."
