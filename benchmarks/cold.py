"""How long a person waits for one command."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Result, Sample, paired, run

ARTICLE = Path(__file__).parent.parent / "samples" / "harbour-ferry.txt"
_DISPATCH = [sys.executable, "-m", "dispatch"]
_THREE = "import jinja2, premailer, feedgen.feed"


def results(runs: int) -> Iterator[Result]:
    folder = Path(tempfile.mkdtemp())

    def publish() -> Sample:
        out = Path(tempfile.mkdtemp(dir=folder))
        return run([*_DISPATCH, "publish", str(ARTICLE), "--out", str(out)], folder)

    def python(code: str) -> Sample:
        return run([sys.executable, "-c", code], folder)

    try:
        yield paired(
            "publish one article, cold",
            "importing jinja2, premailer, feedgen",
            publish,
            lambda: python(_THREE),
            runs=runs,
            goal=2.5,
        )
        yield paired(
            "dispatch --help",
            "python -c pass",
            lambda: run([*_DISPATCH, "--help"], folder),
            lambda: python("pass"),
            runs=runs,
            goal=6,
        )
    finally:
        shutil.rmtree(folder)
