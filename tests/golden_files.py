"""Golden files: rendered outputs, byte for byte, that a person has read.

``DISPATCH_UPDATE_GOLDEN=1 pytest`` writes them anew; read the difference before
committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check_golden(name: str, data: bytes) -> None:
    """Assert that ``data`` is what stands in ``tests/golden/<name>``."""
    path = GOLDEN / name
    if os.environ.get("DISPATCH_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    expected = path.read_bytes() if path.exists() else b""
    assert data.splitlines() == expected.splitlines(), (
        f"tests/golden/{name} differs; DISPATCH_UPDATE_GOLDEN=1 renews it"
    )
    assert data == expected, f"tests/golden/{name} has other line ends"
