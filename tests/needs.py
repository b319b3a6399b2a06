"""What some tests need of the machine."""

from __future__ import annotations

import os

import pytest


def needed(what: object | None, name: str) -> None:
    """Skip where it is missing; on CI nothing may be skipped for that."""
    if what:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing, and CI must have it")
    pytest.skip(f"needs {name}")
