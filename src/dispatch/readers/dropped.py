"""What an article has and cannot keep: addresses that mean nothing outside of its page, and
elements that no rendition shows, with the text in them."""

from __future__ import annotations

from dispatch.article import Note
from dispatch.markup.line import Kind

_OUTCOMES = {
    "link": ("was taken off its text", "were taken off their text"),
    "image": ("was left out", "were left out"),
    "embed": ("was left out", "were left out"),
    "element": ("was left out", "were left out"),
}
_SHOWN = 3


class Dropped:
    """Collects them; to be handed to ``dispatch.markup.blocks`` as ``on_dropped``.

    Args:
        usual: tags of elements that are always left out, and worth no word.
    """

    def __init__(self, usual: frozenset[str] = frozenset()) -> None:
        self._usual = usual
        self._found: dict[str, list[str]] = {}

    def __call__(self, kind: Kind, found: str) -> None:
        if kind != "element" or found not in self._usual:
            self._found.setdefault(kind, []).append(found)

    def notes(self) -> tuple[Note, ...]:
        """A warning for each kind of which something could not be kept."""
        return tuple(
            Note("warning", "body", _message(kind, self._found[kind]))
            for kind in _OUTCOMES
            if kind in self._found
        )


def _message(kind: str, found: list[str]) -> str:
    one, many = _OUTCOMES[kind]
    what = f"1 {kind} {one}" if len(found) == 1 else f"{len(found)} {kind}s {many}"
    if kind == "element":
        tags = ", ".join(f"<{tag}>" for tag in dict.fromkeys(found))
        return f"{what} with the text in {'it' if len(found) == 1 else 'them'}: {tags}."
    distinct = list(dict.fromkeys(found))
    shown = ", ".join(url if len(url) <= 80 else f"{url[:79]}…" for url in distinct[:_SHOWN])
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return f"{what}, for want of an address that begins with https://: {shown}{more}."
