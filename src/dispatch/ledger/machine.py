"""The machine that the ledger runs on: its clock, and which start of it this is.

Leases end by this clock, and not by the time of day, which can be set. It is the
same for all processes of the machine, and it goes on while the machine sleeps.
"""

from __future__ import annotations

import time
from pathlib import Path

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux, CLOCK_MONOTONIC stands still while the machine sleeps; on macOS it goes on."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def clock() -> float:
    """Seconds since the machine started, those that it slept included."""
    return time.clock_gettime(_CLOCK)


def boot() -> str:
    """What names this start of the machine: another one means that it went down in between.

    Where the system has no name for it, the minute of the start is taken. If
    the time of day is set, that looks like another start, which errs to the
    safe side: more is in doubt, nothing is sent twice.
    """
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"minute {int(time.time() - clock()) // 60}"
