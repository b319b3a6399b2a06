"""What the tests share: where things lie, and what they need of the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile(
    "dispatch",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("dispatch")


def _needed(what: object | None, name: str) -> None:
    """Skip where it is missing; on CI nothing may be skipped for that."""
    if what:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing, and CI must have it")
    pytest.skip(f"needs {name}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared articles, data and schemas beside the repository."""
    _needed(SHARED.is_dir(), "../shared")
    return SHARED


@pytest.fixture(scope="session")
def cairo(shared: Path) -> Path:
    """A real finished article, as it was handed in."""
    return shared / "articles" / "world-cairo-talks.txt"


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    _needed(path, "Chromium")
    return str(path)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The invented articles that ship with Dispatch."""
    return ROOT / "samples"
