"""Timing whole processes, two in turn, so that a machine's changing speed cancels out."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall seconds and peak memory in bytes."""

    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Result:
    """A ratio (median of pairs) with what it was made of, and the goal it is held against."""

    name: str
    against: str
    ratio: float
    lowest: float
    highest: float
    goal: float | None
    ours: float
    theirs: float
    unit: str
    runs: int

    @property
    def met(self) -> bool:
        return self.goal is None or self.ratio <= self.goal

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


def run(command: Sequence[str], folder: Path) -> Sample:
    """Run a command to its end; its output goes nowhere.

    Raises:
        RuntimeError: it failed.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DISPATCH_", "PYTHON"))}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Sample(seconds, usage.ru_maxrss * 1024)


def paired(
    name: str,
    against: str,
    ours: Callable[[], Sample],
    theirs: Callable[[], Sample],
    *,
    runs: int,
    goal: float | None,
    of: str = "seconds",
) -> Result:
    """Run both in turn and compare pair by pair; ``of`` is ``seconds`` or ``memory``."""
    ours(), theirs()  # warm the disk cache
    pairs = [(getattr(ours(), of), getattr(theirs(), of)) for _ in range(runs)]
    ratios = [a / b for a, b in pairs]
    scale, unit = (1000, "ms") if of == "seconds" else (1e-6, "MB")
    return Result(
        name=name,
        against=against,
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        goal=goal,
        ours=statistics.median(a for a, _ in pairs) * scale,
        theirs=statistics.median(b for _, b in pairs) * scale,
        unit=unit,
        runs=runs,
    )
