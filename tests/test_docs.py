"""What README and docs claim is so: commands, options, fields and links exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dispatch.cli import dispatch
from dispatch.readers.fields import ALIASES
from dispatch.readers.given import folded
from dispatch.readers.publishers import Publishers

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}


def commands(
    group: click.Group = dispatch, before: tuple[str, ...] = ()
) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        path = (*before, name)
        if isinstance(command, click.Group):
            found |= commands(command, path)
        else:
            found[" ".join(path)] = command
    return found


def documented() -> list[tuple[str, str]]:
    """Every command line in code, as page and line."""
    found: list[tuple[str, str]] = []
    for page, text in TEXT.items():
        code = re.findall(r"```(?:\w*)\n(.*?)```", text, re.DOTALL) + re.findall(
            r"`([^`\n]+)`", text
        )
        lines = [line.strip() for line in "\n".join(code).split("\n")]
        found += [(page.name, x) for x in lines if x.startswith("dispatch ") and "[--" not in x]
    return found


@pytest.mark.parametrize(("page", "line"), documented())
def test_every_documented_command_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = dispatch
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{page}: {line}"
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in options, f"{page}: {line}"


def test_every_command_is_documented() -> None:
    everything = "\n".join(TEXT.values())
    for name in commands():
        assert f"dispatch {name}" in everything or name.split(" ")[0] == "completion", name
    assert "dispatch completion" in everything


def test_every_option_of_publish_is_documented() -> None:
    text = TEXT[ROOT / "docs/publishing.md"]
    for parameter in commands()["publish"].params:
        if isinstance(parameter, click.Option) and parameter.name not in ("debug", "help"):
            assert parameter.opts[0] in text, parameter.opts


def test_every_field_name_is_documented_and_known() -> None:
    text = TEXT[ROOT / "docs/article-formats.md"]
    rows = re.findall(r"^\| [^|]+ \| ([^|]*`[^|]*) \|$", text, re.MULTILINE)
    named = {folded(name) for row in rows for name in re.findall(r"`(\w+)`", row)}
    known = {name for names in ALIASES.values() for name in names}
    assert {name for name in named if name not in known} <= {
        folded(name)
        for name in ("role", "bio", "email", "url", "publisher", "_alt", "_caption", "_credit")
    }
    spelt_otherwise = {"licence", "editornote", "ednote", "notetoeditors", "draft"}
    images = {name for name in known if name.endswith(("alt", "caption", "credit"))}
    assert known - named - spelt_otherwise - images == set()


def test_the_documented_list_of_publishers_can_be_loaded(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT[ROOT / "docs/article-formats.md"], re.DOTALL)
    path = tmp_path / "publishers.toml"
    path.write_text(example, encoding="utf-8")
    assert "ledger.example" in Publishers.load(path).sites


def test_every_link_between_pages_leads_somewhere() -> None:
    for page, text in TEXT.items():
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = TEXT[ROOT / "docs/architecture.md"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [d for e, ds in extras.items() if e != "all" for d in ds]
    for requirement in wanted:
        name = re.split(r"[<>=\[ ]", requirement)[0]
        assert re.search(rf"^\| .*\b{re.escape(name)}\b.* \|", text, re.MULTILINE), name
        assert ">=" in requirement, f"{name} has no lower bound"
