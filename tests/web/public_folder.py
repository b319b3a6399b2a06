"""A folder of public files, and the smallest application that serves it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from dispatch import settings
from dispatch.web.files.public import MEMORY, PublicApp, PublicFiles

SITE_URL = "https://news.example.org"
HUB = "https://hub.example.org/?a=1"
FEED = "<rss><channel><title>World</title></channel></rss>" + "<!-- news of the day -->" * 100
PAGE = (
    '<!DOCTYPE html><meta charset="utf-8">\n'
    '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; '
    'style-src &#39;sha256-c3R5bGU=&#39;">\n<title>World</title>' + "<p>News of the day.</p>" * 100
)


@dataclass(frozen=True, slots=True)
class PublicFolder:
    """``public/`` of a site; every file is put in its place as the publisher does it."""

    path: Path

    def place(self, name: str, text: str | bytes, *, modified: float | None = None) -> Path:
        """Write a file beside its place and rename it; ``modified`` in seconds since 1970."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        staged = self.path.with_name("staged")
        staged.write_bytes(text.encode() if isinstance(text, str) else text)
        if modified is not None:
            os.utime(staged, (modified, modified))
        staged.replace(file)
        return file

    def files(self, *, memory: int = MEMORY, **headers: str) -> PublicFiles:
        loaded = settings.load({"DISPATCH_SITE_URL": SITE_URL, "DISPATCH_HUBS": HUB})
        return PublicFiles(self.path, loaded, memory=memory, headers=headers)


def public_folder(parent: Path) -> PublicFolder:
    """One desk with a feed and a page."""
    folder = PublicFolder(parent / "public")
    folder.place("world/feed.rss", FEED)
    folder.place("world/index.html", PAGE)
    return folder


def application(files: PublicFiles, *routes: Route) -> Starlette:
    """Serves ``routes``, and the files where none of them fits."""
    app = Starlette(routes=list(routes))
    app.router.redirect_slashes = False
    app.router.default = PublicApp(files)
    return app
