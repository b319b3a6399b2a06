"""How many articles a second, and what one more costs on a desk that has many."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.cold import ARTICLE
from benchmarks.timing import Result, Sample, paired, run
from dispatch import article_json
from dispatch.newsroom.desks import make_desk
from dispatch.newsroom.feeds import release_feeds
from dispatch.newsroom.placing import place
from dispatch.newsroom.reading import read_article
from dispatch.renditions import feed
from dispatch.renditions.templates import Templates
from dispatch.settings import Settings
from dispatch.store import articles as store
from dispatch.store.articles import VersionRow
from dispatch.store.connection import Store
from dispatch.syndication.release import Release

_DISPATCH = [sys.executable, "-m", "dispatch"]


def articles_per_second(count: int) -> dict[str, float]:
    """Publish ``count`` articles in one run, and the same again when nothing changed."""
    folder = Path(tempfile.mkdtemp())
    try:
        text = ARTICLE.read_text(encoding="utf-8")
        for n in range(count):
            path = folder / "articles" / f"{n:05}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"Number {n}: {text}", encoding="utf-8")
        command = [*_DISPATCH, "publish", "articles", "--out", "site"]
        first = run(command, folder)
        again = run(command, folder)
        return {
            "articles": count,
            "articles_per_second": count / first.seconds,
            "unchanged_per_second": count / again.seconds,
            "peak_memory_mb": first.memory / 1e6,
        }
    finally:
        shutil.rmtree(folder)


def one_more(runs: int, already: int) -> Iterator[Result]:
    """Adding one article to a desk that has ``already`` many, against an empty one."""
    folder = Path(tempfile.mkdtemp())
    text = ARTICLE.read_text(encoding="utf-8")
    try:
        full = folder / "full"
        _fill(full, already)

        def add(out: Path) -> Sample:
            article = folder / f"{time.time_ns()}.txt"
            article.write_text(f"Number {article.stem}: {text}", encoding="utf-8")
            return run([*_DISPATCH, "publish", str(article), "--out", str(out)], folder)

        def add_to_empty() -> Sample:
            return add(Path(tempfile.mkdtemp(dir=folder)))

        for of in ("seconds", "memory"):
            yield paired(
                f"one more on a desk of {already:,}" + (", memory" if of == "memory" else ""),
                "one on an empty desk",
                lambda: add(full),
                add_to_empty,
                runs=runs,
                goal=1.5,
                of=of,
            )
    finally:
        shutil.rmtree(folder)


def _fill(out: Path, count: int) -> None:
    """A desk of ``count`` articles, as publishing them one by one would leave the database."""
    out.mkdir()
    settings = Settings()
    templates = Templates()
    article = read_article(str(ARTICLE), settings)
    desk = make_desk(article.desk or settings.desk, "world", settings)
    begun = datetime(2025, 1, 1, tzinfo=UTC)
    database = Store(out / "dispatch.db")
    release = Release(out)
    with database.transaction() as connection:
        store.add_desk(connection, store.DeskRow(desk.slug, desk.name, desk.feed_id))
        for n in range(count):
            story = replace(
                article,
                headline=f"Number {n}: {article.headline}",
                published=begun + timedelta(hours=n),
            )
            placed = place(connection, story, desk, f"{n}.txt", begun)
            entry = feed.render(placed.article, desk, templates)
            row = replace(placed.row, entry=json.dumps(entry.to_json()))
            key = store.add(connection, row)
            content = json.dumps(article_json.to_json(placed.article))
            store.add_version(
                connection, key, VersionRow(1, begun, row.digest, story.headline, content)
            )
        release_feeds(connection, release, desk, templates, set())
        release.seal()
        store.record_release(connection, release.id, begun)
    release.place()
    database.close()
