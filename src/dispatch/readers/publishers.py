"""What readers know of the press: who publishes where, what desks and publishers are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from dispatch.errors import SettingsError
from dispatch.readers.folding import fold

_LISTS = ("desks", "press_words", "joined", "ordinary")


@dataclass(frozen=True, slots=True)
class Publishers:
    """Names of the press, to weigh as evidence. Made by :meth:`load`."""

    sites: Mapping[str, tuple[str, ...]]
    """A host, or a host and the start of a path, and the publisher's names there."""
    desks: frozenset[str]
    """Names of desks, folded."""
    press_words: frozenset[str]
    """Words that publishers' names end in, folded."""
    joined: tuple[str, ...]
    """Names written with a capital inside, such as ``YouTube``."""
    ordinary: frozenset[str]
    """Publishers' names that are ordinary words or begin other names, folded."""
    _names: Mapping[str, frozenset[str]] = field(repr=False)

    @classmethod
    def load(cls, own: Path | None = None) -> Self:
        """What ships with Dispatch, and the newsroom's own list on top of it.

        Args:
            own: a TOML file of the same form as ``publishers.toml`` beside this
                module; None, or one that does not exist, adds nothing.

        Raises:
            SettingsError: the file cannot be read; says where and why.
        """
        tables = [_shipped()]
        if own is not None and own.exists():
            tables.append(_read(own))
        sites: dict[str, tuple[str, ...]] = {}
        for table in tables:
            for site, names in table["publishers"].items():
                host = site.lower().removeprefix("www.").rstrip("/")
                sites[host] = tuple(dict.fromkeys([*sites.get(host, ()), *names]))
        lists = {key: [word for table in tables for word in table[key]] for key in _LISTS}
        return cls(
            sites=sites,
            desks=frozenset(map(fold, lists["desks"])),
            press_words=frozenset(map(fold, lists["press_words"])),
            joined=tuple(dict.fromkeys(lists["joined"])),
            ordinary=frozenset(map(fold, lists["ordinary"])),
            _names=_by_name(sites),
        )

    def knows(self, name: str) -> bool:
        """Whether a publisher of that name is known, wherever it publishes."""
        return fold(name) in self._names

    def is_distinct(self, name: str) -> bool:
        """Whether a name says by itself that a publisher is meant."""
        return " " in name or (len(name) > 4 and fold(name) not in self.ordinary)

    def publishes_at(self, name: str, host: str, path: str) -> bool:
        """Whether the publisher of that name is known to publish at that address."""
        for site in self._names.get(fold(name), ()):
            at, slash, below = site.partition("/")
            at_host = host == at or host.endswith("." + at)
            if at_host and (path + "/").startswith(slash + below + "/" if slash else ""):
                return True
        return False


def _by_name(sites: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for site, names in sites.items():
        for name in names:
            found.setdefault(fold(name), set()).add(site)
    return {name: frozenset(at) for name, at in found.items() if name}


@cache
def _shipped() -> dict[str, Any]:
    return _read(Path(__file__).with_name("publishers.toml"))


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: the list of publishers cannot be read: {error}.") from error
    for key in _LISTS:
        if not _is_list_of_text(table.setdefault(key, [])):
            raise SettingsError(f'{path}: write {key} as a list of texts, such as ["World"].')
    publishers = table.setdefault("publishers", {})
    if not isinstance(publishers, dict) or not all(map(_is_list_of_text, publishers.values())):
        raise SettingsError(
            f"{path}: write each publisher as its host and a list of its names, such as "
            '"example.org" = ["Example Wire"], in the table [publishers].'
        )
    return table


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
