"""A newsroom with an API: tokens, a client, and a server on a real port."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.testclient import TestClient
from tests.web.served import ARTICLE, Newsroom, newsroom

from dispatch.newsroom import api_tokens
from dispatch.web.app import create
from dispatch.web.door import Door
from dispatch.web.site import Site

HARBOUR = {"name": "harbour.txt", "text": ARTICLE}


@dataclass(frozen=True, slots=True)
class Desk:
    """A newsroom that programs talk to; what it sends goes into ``mail``."""

    room: Newsroom
    mail: Path

    def token(self, *scopes: str, name: str = "", expires: str | None = None) -> str:
        """A new token; without a scope, one that is good for everything."""
        text, _ = api_tokens.create(
            name or secrets.token_hex(4),
            scopes or tuple(api_tokens.SCOPES),
            expires,
            secrets.token_urlsafe(32),
            self.room.out,
            datetime.now(UTC),
        )
        return text

    @contextmanager
    def program(self, *scopes: str, address: str = "192.0.2.7") -> Iterator[Program]:
        """A program with a token for ``scopes``."""
        token = self.token(*scopes)
        with self.room.client(address=address) as client:
            yield Program(client, token)

    @contextmanager
    def served(self, failures: int) -> Iterator[str]:
        """The address of a server on a port of this machine.

        Args:
            failures: tokens that may be tried in a minute.
        """
        app = create(Site(self.room.out, self.room.settings))
        app.state.wrong_tokens = Door(failures, per=60)
        server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_config=None, ws="none"))
        began = threading.Event()
        server.config.load()
        thread = threading.Thread(target=_run, args=(server, began))
        thread.start()
        began.wait(30)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@dataclass(frozen=True, slots=True)
class Program:
    """Asks the API for something; what is given is JSON."""

    client: TestClient
    token: str

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> httpx2.Response:
        return self.ask("POST", path, json=body, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **options)


def desk(folder: Path, **variables: str) -> Desk:
    """A newsroom in ``folder`` that keeps its mail in a folder."""
    mail = folder / "mail"
    own = {"templates": str(folder / "templates"), "dkim": str(folder / "dkim")}
    return Desk(newsroom(folder, smtp_url=f"file:{mail}", **own, **variables), mail)


def _run(server: uvicorn.Server, began: threading.Event) -> None:
    startup = server.startup

    async def started(sockets: Any = None) -> None:
        await startup(sockets)
        began.set()

    server.startup = started  # type: ignore[method-assign]
    server.run()
