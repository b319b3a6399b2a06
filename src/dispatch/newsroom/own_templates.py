"""The newsroom's own templates beside those that ship."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dispatch.errors import OutputError, SettingsError, TemplateError
from dispatch.renditions.templates import Templates, shipped
from dispatch.settings import Settings, variable


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template's name, the file it is read from, and whether that is the newsroom's own."""

    name: str
    path: Path
    own: bool


def open_templates(settings: Settings) -> Templates:
    """The templates as the settings have them.

    Raises:
        SettingsError: what should be their folder is none, or cannot be read.
    """
    own = settings.templates
    with suppress(PermissionError):
        if not own.exists() or (own.is_dir() and os.access(own, os.R_OK | os.X_OK)):
            return Templates(own, _cache(settings))
    raise SettingsError(
        f"{own} is not a folder that can be read. It should hold your own templates: "
        f"correct {variable('templates')}, or the folder."
    )


def _cache(settings: Settings) -> Path | None:
    try:
        return settings.cache.expanduser()
    except RuntimeError:  # a user without a home, as in many containers
        return None


def every(own: Path) -> list[TemplateFile]:
    """All templates by name; ``own`` is the newsroom's folder, which need not exist."""
    found = []
    for name in sorted({*_names(shipped()), *_names(own)}):
        mine = own / name
        is_own = mine.is_file() and mine.resolve() != (shipped() / name).resolve()
        found.append(TemplateFile(name, mine if is_own else shipped() / name, is_own))
    return found


def copy(names: Sequence[str], own: Path, *, force: bool = False) -> list[Path]:
    """Copy shipped templates, by file or by folder, into ``own``; returns the files written.

    Raises:
        TemplateError: there is no such template, or a copy exists and ``force`` is False.
        OutputError: the folder cannot be written.
    """
    shipped_names = sorted(_names(shipped()))
    wanted: list[str] = []
    for name in names:
        plain = name.strip("/")
        chosen = [n for n in shipped_names if n == plain or n.startswith(f"{plain}/")]
        if not chosen:
            folders = sorted({n.split("/")[0] for n in shipped_names})
            raise TemplateError(
                f"There is no template {name}. There are {', '.join(folders)}; "
                "`dispatch templates list` shows every file."
            )
        wanted += [n for n in chosen if n not in wanted]
    there = [own / name for name in wanted if (own / name).exists()]
    if there and not force:
        raise TemplateError(f"{there[0]} is there already. Use --force to replace it.")
    return [_copy(name, own) for name in wanted]


def _copy(name: str, own: Path) -> Path:
    path = own / name
    try:
        data = (shipped() / name).read_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            yield name
