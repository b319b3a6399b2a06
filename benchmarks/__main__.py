"""``make bench``: the figures of docs/performance.md, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from itertools import chain
from pathlib import Path

from benchmarks import audience, bulk, cold, http_files, http_people, mailing
from benchmarks.timing import Result

_PARTS = ("articles", "audience", "mailing", "http", "people")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="pairs for each ratio")
    parser.add_argument("--articles", type=int, default=1000, help="articles in one run")
    parser.add_argument("--desk", type=int, default=10_000, help="articles a full desk has")
    parser.add_argument("--turns", type=int, default=5, help="turns of each mailing and feed")
    parser.add_argument("--recipients", type=int, default=20_000, help="of each mailing")
    parser.add_argument(
        "--many", type=int, default=1_000_000, help="of the largest mailing; requests of a feed"
    )
    parser.add_argument("--seconds", type=int, default=4, help="of each turn of feeds over HTTP")
    parser.add_argument("--people", type=int, default=10_000, help="who sign up and unsubscribe")
    parser.add_argument("parts", nargs="*", default=_PARTS, choices=_PARTS, help="default: all")
    chosen = parser.parse_args()

    report: dict[str, object] = {
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        }
    }
    if "articles" in chosen.parts:
        report |= articles(chosen.runs, chosen.desk, chosen.articles)
    if "audience" in chosen.parts:
        found = list(audience.results(2, chosen.many))
        for result in found:
            show(result)
        report["audience"] = [result.as_json() for result in found]
    if "mailing" in chosen.parts:
        report["mailing"] = mailings(chosen.turns, chosen.recipients, chosen.many)
    if "http" in chosen.parts:
        report["http"] = feeds(chosen.turns, chosen.seconds, chosen.many)
    if "people" in chosen.parts:
        report["people"] = people(chosen.turns, chosen.people)
    path = Path(__file__).parent / "results" / "latest.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def articles(runs: int, desk: int, count: int) -> dict[str, object]:
    """Publishing, in ratios and in bulk."""
    results: list[Result] = []
    for result in chain(cold.results(runs), bulk.one_more(runs, desk)):
        results.append(result)
        show(result)
    rate = bulk.articles_per_second(count)
    print(
        f"{rate['articles']:,.0f} articles in one run: {rate['articles_per_second']:.1f} a second, "
        f"again unchanged {rate['unchanged_per_second']:.1f} a second, "
        f"peak memory {rate['peak_memory_mb']:.0f} MB"
    )
    return {"ratios": [result.as_json() for result in results], "bulk": rate}


def mailings(turns: int, recipients: int, many: int) -> list[dict[str, object]]:
    """Sending, in ratios."""
    rates: list[mailing.Rate] = []
    for told in mailing.results(turns, recipients, many):
        print(told, flush=True)
        if isinstance(told, mailing.Rate):
            rates.append(told)
    return [rate.as_json() for rate in rates]


def feeds(turns: int, seconds: int, many: int) -> list[dict[str, object]]:
    """Feeds over HTTP, in ratios, and the memory they take."""
    rates: list[mailing.Rate] = []
    for rate in http_files.results(turns, seconds, many):
        print(rate, flush=True)
        rates.append(rate)
    return [rate.as_json() for rate in rates]


def people(turns: int, count: int) -> list[dict[str, object]]:
    """Sign-ups and unsubscribes over HTTP, in milliseconds."""
    found: list[http_people.Served] = []
    for served in http_people.results(turns, count):
        print(served, flush=True)
        found.append(served)
    return [served.as_json() for served in found]


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
