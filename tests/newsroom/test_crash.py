"""Kill it, fill the disk, run two at once: the old state or the new, never a mix."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.needs import needed

from dispatch.newsroom import publish as use_case
from dispatch.settings import Settings

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
TEXT = """---
title: The ferry returns
lang: en
desk: World
date: 2026-10-04T09:30+02:00
---

The first ferry left Port Ellery at dawn on Sunday with {passengers} passengers aboard.

Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat.
"""
PLACE = "world/2026/10/04/the-ferry-returns"
WITH_TEXT = [
    f"public/{PLACE}/index.html",
    *(f"outbox/{PLACE}/{f}" for f in ("email.html", "email.txt", "email.eml", "copy.txt")),
    *(f"public/world/feed.{f}" for f in ("rss", "atom", "json")),
]


def start(out: Path, *articles: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dispatch", "publish", *map(str, articles), "--out", str(out), "--json"],
        env=ENVIRONMENT, cwd=out.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def publish(out: Path, *articles: Path) -> list[dict[str, object]]:
    process = start(out, *articles)
    printed, talk = process.communicate(timeout=120)
    assert process.returncode == 0, talk
    return list(json.loads(printed)["articles"])


def results(out: Path) -> dict[str, str]:
    found = [p for folder in ("public", "outbox") for p in (out / folder).rglob("*")]
    return {
        p.relative_to(out).as_posix(): p.read_text(encoding="utf-8") for p in found if p.is_file()
    }


def write(folder: Path, passengers: str, name: str = "ferry.md") -> Path:
    path = folder / name
    path.write_text(TEXT.format(passengers=passengers), encoding="utf-8")
    return path


def said(text: str) -> str | None:
    """How many passengers a rendition speaks of."""
    found = re.search(r"(\w+)[ =\r\n]+passengers", text)
    return found[1] if found else None


def assert_never_ahead(out: Path, old: str, new: str) -> None:
    """Every file is wholly the old or wholly the new one, and none is new whose turn is later."""
    found = results(out)
    states = [said(found[name]) for name in WITH_TEXT]
    assert states == sorted(states, key=[new, old].index), states


WATCH = use_case.Watch(lambda outcome: None)

DYING = """
import os, sys
from pathlib import Path
from dispatch.syndication import release

left = int(sys.argv.pop(1))

def dying(function):
    def step(*arguments, **named):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return function(*arguments, **named)
    return step

for owner, name in (
    (Path, "replace"), (Path, "mkdir"), (Path, "write_bytes"), (os, "fsync"),
    (release.shutil, "rmtree"), (release.Release, "place"), (release.Release, "seal"),
):
    setattr(owner, name, dying(getattr(owner, name)))
from dispatch.cli import main
main()
"""


def test_dying_before_every_single_step_it_is_completed_by_the_next_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    article = write(tmp_path, "step0")
    publish(out, article)
    for step in range(500):
        old, new = f"step{step}", f"step{step + 1}"
        write(tmp_path, new)
        done = subprocess.run(
            [sys.executable, "-c", DYING, str(step), "publish", str(article), "--out", str(out)],
            env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
        assert_never_ahead(out, old, new)
        use_case.publish(
            [str(article)], use_case.Options(out), Settings(), datetime.now(UTC), WATCH
        )
        assert {said(results(out)[name]) for name in WITH_TEXT} == {new}
        assert not [p for p in (out / ".dispatch").iterdir() if p.is_dir()]
    assert step > 30  # it did die, and at many steps


def test_killed_at_any_moment_it_leaves_the_old_or_the_new_state(tmp_path: Path) -> None:
    out = tmp_path / "out"
    article = write(tmp_path, "round0")
    begun = time.monotonic()
    publish(out, article)
    duration = time.monotonic() - begun
    old = "round0"
    for n in range(1, 25):
        new = f"round{n}"
        write(tmp_path, new)
        process = start(out, article)
        time.sleep(duration * n / 20)
        process.kill()
        process.communicate()
        assert_never_ahead(out, old, new)
        (outcome,) = publish(out, article)
        assert outcome["action"] in ("updated", "unchanged", "published")
        assert {said(results(out)[name]) for name in WITH_TEXT} == {new}
        assert not [p for p in (out / ".dispatch").iterdir() if p.is_dir()]
        old = new


def test_killed_in_a_long_run_the_next_run_completes_it(tmp_path: Path) -> None:
    articles = []
    for n in range(120):
        text = TEXT.format(passengers=f"p{n:03}").replace("ferry returns", f"ferry returns {n:03}")
        articles.append(tmp_path / f"{n:03}.md")
        articles[-1].write_text(text.replace("Captain Ida", f"Captain {n:03}"), encoding="utf-8")
    out = tmp_path / "out"
    process = start(out, *articles)
    while not (out / f"public/{PLACE}-000/index.html").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    for name, text in results(out).items():
        if name.endswith("feed.json"):
            for item in json.loads(text)["items"]:
                page = item["url"].removeprefix("https://news.example.org/")
                assert (out / "public" / page / "index.html").is_file()
    publish(out, *articles)
    clean = tmp_path / "clean"
    publish(clean, *articles)
    assert results(out) == results(clean)


def test_stopped_by_hand_it_says_so_and_leaves_things_in_order(tmp_path: Path) -> None:
    articles = []
    for n in range(120):
        articles.append(tmp_path / f"{n:03}.md")
        text = TEXT.format(passengers=f"p{n:03}").replace("ferry returns", f"ferry returns {n:03}")
        articles[-1].write_text(text.replace("Captain Ida", f"Captain {n:03}"), encoding="utf-8")
    out = tmp_path / "out"
    process = start(out, *articles)
    while not (out / f"public/{PLACE}-000/index.html").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, talk = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped." in talk
    assert "Traceback" not in talk
    told = json.loads(printed)["articles"]
    assert 0 < len(told) < len(articles)
    for outcome in told:
        assert Path(tmp_path / outcome["files"]["web"]).is_file()
    assert not [p for p in (out / ".dispatch").iterdir() if p.is_dir()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    needed(not mounted.returncode, "root, to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up_leaves_the_old_state(tmp_path: Path, small_disk: Path) -> None:
    out = small_disk / "out"
    publish(out, write(tmp_path, "old"))
    before = results(out)
    size = os.statvfs(small_disk)
    free = size.f_bavail * size.f_frsize
    refused = 0
    for left in (0, 8_000, 24_000, 40_000, 60_000, 80_000, 100_000):
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * max(0, free - left))
        process = start(out, write(tmp_path, "new"))
        _, talk = process.communicate(timeout=120)
        filler.unlink()
        if process.returncode == 0:
            assert {said(results(out)[name]) for name in WITH_TEXT} == {"new"}
            break
        refused += 1
        assert process.returncode == 1
        assert "no room left" in talk
        assert "Traceback" not in talk
        assert results(out) == before
    assert refused >= 2
    publish(out, write(tmp_path, "newest"))
    assert {said(results(out)[name]) for name in WITH_TEXT} == {"newest"}


def test_runs_at_the_same_time_lose_no_entry(tmp_path: Path) -> None:
    out = tmp_path / "out"
    processes = []
    for n in range(6):
        article = tmp_path / f"{n}.md"
        text = TEXT.format(passengers=f"p{n}").replace("ferry returns", f"ferry returns {n}")
        article.write_text(text.replace("Captain Ida", f"Captain {n}"), encoding="utf-8")
        processes.append(start(out, article))
    for process in processes:
        _, talk = process.communicate(timeout=120)
        assert process.returncode == 0, talk
    feed = json.loads((out / "public/world/feed.json").read_bytes())
    assert {item["title"] for item in feed["items"]} == {f"The ferry returns {n}" for n in range(6)}


def test_a_huge_article_is_refused_in_little_memory(tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        for _ in range(50):
            file.write(b"A line of a long, long story about a ferry.\n" * 22_800)
    little = 'ulimit -v 400000 && exec "$@"'  # KB: the program and its libraries, not the article
    process = subprocess.Popen(
        ["sh", "-c", little, "sh", sys.executable, "-m", "dispatch", "publish", str(huge), "--json"],
        env=ENVIRONMENT, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    printed, talk = process.communicate(timeout=120)
    assert process.returncode == 1
    (outcome,) = json.loads(printed)["articles"]
    assert "larger than 5 MB, the limit" in outcome["notes"][-1]["message"]
    assert "Traceback" not in talk
