"""The wheel works on its own: it carries its templates and is run from any other folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return path


def test_it_carries_every_template_and_all_data(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for path in (ROOT / "templates").rglob("*"):
        if path.is_file():
            assert f"dispatch/_templates/{path.relative_to(ROOT / 'templates').as_posix()}" in names
    for name in (
        "py.typed",
        "readers/publishers.toml",
        "store/migrations/versions/0001_articles.py",
    ):
        assert f"dispatch/{name}" in names


def test_it_carries_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dispatch"}


def test_installed_elsewhere_it_publishes(wheel: Path, tmp_path: Path) -> None:
    site, desk = tmp_path / "site", tmp_path / "desk"
    desk.mkdir()
    ZipFile(wheel).extractall(site)
    (desk / "article.txt").write_text(
        "Ferry returns\nIt is quieter and faster.\n\n"
        "The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard.\n",
        encoding="utf-8",
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "dispatch", "publish", "article.txt", "--json"],
        cwd=desk, env={**environment, "PYTHONPATH": str(site)},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (article,) = json.loads(done.stdout)["articles"]
    assert article["action"] == "published"
    listed = subprocess.run(
        [sys.executable, "-m", "dispatch", "templates", "list"],
        cwd=desk, env={**environment, "PYTHONPATH": str(site)},
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert f"{site}/dispatch/_templates/email/article.html" in listed.stdout
