"""``make bench``: the figures of docs/performance.md, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

from benchmarks import bulk, cold
from benchmarks.timing import Result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="pairs for each ratio")
    parser.add_argument("--articles", type=int, default=1000, help="articles in one run")
    parser.add_argument("--desk", type=int, default=10_000, help="articles a full desk has")
    chosen = parser.parse_args()

    results: list[Result] = []
    for result in cold.results(chosen.runs):
        results.append(result)
        show(result)
    for result in bulk.one_more(chosen.runs, chosen.desk):
        results.append(result)
        show(result)
    rate = bulk.articles_per_second(chosen.articles)
    print(
        f"{rate['articles']:,.0f} articles in one run: {rate['articles_per_second']:.1f} a second, "
        f"again unchanged {rate['unchanged_per_second']:.1f} a second, "
        f"peak memory {rate['peak_memory_mb']:.0f} MB"
    )
    report = {
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        },
        "ratios": [result.as_json() for result in results],
        "bulk": rate,
    }
    path = Path(__file__).parent / "results" / "latest.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def show(result: Result) -> None:
    verdict = (
        ""
        if result.goal is None
        else f"goal ≤ {result.goal:g}: " + ("met" if result.met else "MISSED")
    )
    print(
        f"{result.name:<36} {result.ratio:5.2f}×  ({result.lowest:.2f}–{result.highest:.2f})  "
        f"{result.ours:8.1f} {result.unit} against {result.theirs:.1f} {result.unit} "
        f"for {result.against}; {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    main()
