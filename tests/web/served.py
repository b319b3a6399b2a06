"""A newsroom that is served: its folder, its settings, and a client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.testclient import TestClient

from dispatch import settings
from dispatch.newsroom import publish, subscribers
from dispatch.settings import Settings
from dispatch.web.app import create
from dispatch.web.site import Site

NOW = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)
SITE_URL = "https://news.example.org"
ARTICLE = """\
Harbour reopens after the storm

By Ada Winter

The harbour of Exampleport reopened on Friday, two days after the storm.

Ferries sail again from noon, the harbour master said.
"""


@dataclass(frozen=True, slots=True)
class Newsroom:
    """A folder with one article of the World desk, and its settings."""

    out: Path
    settings: Settings

    def subscribe(self, email: str, desk: str = "world", **facts: str) -> None:
        person = subscribers.Person(email, consent="sign-up form", **facts)  # type: ignore[arg-type]
        subscribers.add(person, desk, self.out, NOW)

    @contextmanager
    def client(self, *, address: str = "192.0.2.7") -> Iterator[TestClient]:
        """A client at ``address`` of the site; redirects are not followed."""
        app = create(Site(self.out, self.settings))
        with TestClient(
            app, base_url=SITE_URL, follow_redirects=False, client=(address, 50000)
        ) as client:
            yield client


def newsroom(folder: Path, **variables: str) -> Newsroom:
    """A newsroom in ``folder``; ``variables`` are settings without their prefix."""
    given = {f"DISPATCH_{name.upper()}": value for name, value in variables.items()}
    loaded = settings.load({"DISPATCH_SITE_URL": SITE_URL, "DISPATCH_DESK": "World", **given})
    out = folder / "site"
    article = folder / "harbour.txt"
    article.write_text(ARTICLE, encoding="utf-8")
    watch = publish.Watch(lambda outcome: None)
    publish.publish([str(article)], publish.Options(out), loaded, NOW, watch)
    return Newsroom(out, loaded)
