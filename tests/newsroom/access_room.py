"""A newsroom whose desk changes who may read it, for the tests of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dispatch import settings
from dispatch.newsroom import publish, rebuild
from dispatch.newsroom.rebuild import Rebuilt
from dispatch.settings import Settings

NOW = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)
SITE_URL = "https://news.example.org"
SECRET = "zanzibar"
"""A word that stands in the text of articles alone, not in headlines or standfirsts."""
ARTICLE = """---
title: {title}
standfirst: {standfirst}
desk: {desk}
lang: en
author: Ada Winter
date: 2026-10-0{day}T09:30+00:00
---

The harbour of {secret} reopened on Friday, two days after the storm.

![The {secret} quay](https://img.example.org/{secret}.jpg)

Ferries to {secret} sail again from noon, the harbour master said.
"""


@dataclass(slots=True)
class Room:
    """A folder, and settings without their prefix that can be changed."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "site"

    @property
    def settings(self) -> Settings:
        given = {f"DISPATCH_{name.upper()}": value for name, value in self.variables.items()}
        return settings.load({"DISPATCH_SITE_URL": SITE_URL, **given})

    def publish(
        self,
        title: str = "Harbour reopens",
        *,
        standfirst: str = "Boats sail again after the storm.",
        desk: str = "World",
        day: int = 8,
        text: str = ARTICLE,
        now: datetime = NOW,
    ) -> publish.Outcome:
        name = title.lower().replace(" ", "-")
        article = self.folder / f"{desk}-{name}.md"
        values = {"title": title, "standfirst": standfirst, "desk": desk, "day": day}
        article.write_text(text.format(secret=SECRET, **values), encoding="utf-8")
        return self.publish_files(article, now=now)[0]

    def publish_files(self, *articles: Path, now: datetime = NOW) -> list[publish.Outcome]:
        outcomes: list[publish.Outcome] = []
        watch = publish.Watch(outcomes.append)
        names = [str(article) for article in articles]
        publish.publish(names, publish.Options(self.out), self.settings, now, watch)
        return outcomes

    def rebuild(self, desk: str | None = None) -> list[Rebuilt]:
        done: list[Rebuilt] = []
        rebuild.rebuild(desk, self.out, self.settings, NOW, rebuild.Watch(done.append))
        return done

    def files(self, folder: str = "") -> dict[str, bytes]:
        """The files below ``folder`` of the results, by their paths below the results."""
        found = (path for path in sorted((self.out / folder).rglob("*")) if path.is_file())
        return {path.relative_to(self.out).as_posix(): path.read_bytes() for path in found}

    def public_text(self) -> str:
        """All that everybody can read, but for what the whole site has beside its desks."""
        return "\n".join(data.decode("utf-8") for data in self.files("public").values())
