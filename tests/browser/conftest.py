"""A newsroom that is really served, its mail, and a browser that goes through it."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from tests.web.served import Newsroom, newsroom

from dispatch.newsroom import rounds, sending
from dispatch.web.app import create
from dispatch.web.site import Site

PHONE, DESKTOP = 375, 1280
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Served:
    """A newsroom at ``url``, whose mail lands in files."""

    url: str
    room: Newsroom
    mailbox: Path

    def run(self) -> None:
        """What `dispatch run --once` does."""
        with ThreadPoolExecutor(1) as thread:  # the browser's own loop is running in this one
            assert thread.submit(self._run).result() == []

    def _run(self) -> list[str]:
        said: list[str] = []
        rounds.once(self.room.out, self.room.settings, said.append)
        sending.run(self.room.out, self.room.settings, sending.Follower(), once=True)
        return said

    def mail_to(self, email: str) -> list[EmailMessage]:
        """Their messages, in the order they were sent."""
        messages = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.mailbox.rglob("*.eml"))
        ]
        return [message for message in messages if email.lower() in message["To"].lower()]


def link_in(message: EmailMessage, part: str) -> str:
    """The first link of a message's plain text that ``part`` stands in."""
    body = message.get_body(("plain",))
    assert body is not None
    return next(link for link in _ADDRESS.findall(body.get_content()) if part in link)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Served with nothing set."""
    with serve(tmp_path) as served:
        yield served


@contextmanager
def serve(tmp_path: Path, **variables: str) -> Iterator[Served]:
    """Served in a thread, on a port of its own; ``variables`` as for :func:`newsroom`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        mailbox = tmp_path / "mail"
        room = newsroom(
            tmp_path, site_url=url, smtp_url=f"file:{mailbox}", postal_address="1 Quay", **variables
        )
        server = uvicorn.Server(
            uvicorn.Config(
                create(Site(room.out, room.settings)), log_config=None, lifespan="on", ws="none"
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield Served(url, room, mailbox)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium, which talks to this machine alone.

    It ends with the tests of a file: while it is there, an event loop runs in this thread.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update",
                  "--disable-sync"],
        )  # fmt: skip
        yield browser
        browser.close()


Opened = Callable[..., Page]

THINKING = 2.1
"""Seconds that somebody takes for a form, at least: what is faster is a machine."""


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens a page at a width, without script unless it is asked for, and in a language."""
    contexts = []

    def open_(url: str, width: int = PHONE, *, script: bool = False, language: str = "en") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
            bypass_csp=script,  # what looks at the page is a script too
            locale=language,
            has_touch=width == PHONE,
        )
        contexts.append(context)
        context.set_default_timeout(8000)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()


def hurdles(page: Page) -> list[str]:
    """What axe-core finds that is serious: who hears the page, or has only a keyboard, is stuck.

    The page has to have been opened with script.
    """
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
