"""What the tests share: where things lie, and what they need of the machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.needs import needed

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


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared articles, data and schemas beside the repository."""
    needed(SHARED.is_dir(), "../shared")
    return SHARED


@pytest.fixture(scope="session")
def cairo(shared: Path) -> Path:
    """A real finished article, as it was handed in."""
    return shared / "articles" / "world-cairo-talks.txt"


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    needed(path, "Chromium")
    return str(path)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The invented articles that ship with Dispatch."""
    return ROOT / "samples"
