"""Public pages in a browser, and the sign-up form inside another site's page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import DESKTOP, PHONE, THINKING, Opened, Served, hurdles, serve

PAGES = (
    "/",
    "/world/",
    "/world/2026/",
    "/world/2026/10/",
    "/world/2026/10/09/",
    "/world/editions/",
)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(
    served: Served, opened: Opened, width: int, scheme: str
) -> None:
    served.run()
    page = opened(served.url, width, script=True)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    found = {}
    for path in PAGES:
        answer = page.goto(served.url + path)
        assert answer is not None
        assert answer.status == 200, path
        found[path] = hurdles(page)
    page.goto(f"{served.url}/world/")
    page.get_by_role("link", name="Harbour reopens").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour reopens after the storm")
    found["article"] = hurdles(page)
    assert {path: all_ for path, all_ in found.items() if all_} == {}


def test_from_the_front_page_every_article_and_the_form_can_be_reached(
    served: Served, opened: Opened
) -> None:
    page = opened(served.url)
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("link", name="2026").first.click()
    page.get_by_role("link", name="October 2026").click()
    page.get_by_role("link", name="Harbour reopens").click()
    page.get_by_role("link", name="More from World").click()
    page.get_by_role("link", name="Subscribe").click()
    expect(page.get_by_label("Your email address")).to_be_visible()


@contextmanager
def another_site(frame: str) -> Iterator[str]:
    """A site whose page holds ``frame``; gives its origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<!DOCTYPE html><title>Elsewhere</title><iframe title=f src='{frame}'></iframe>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_about: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_form_stands_in_the_pages_of_the_sites_that_are_named(
    tmp_path: Path, opened: Opened
) -> None:
    frame: list[str] = []
    with another_site("FRAME") as origin, serve(tmp_path, form_origins=origin) as served:
        frame.append(f"{served.url}/world/subscribe/form")
        with another_site(frame[0]) as stranger:
            page = opened(stranger)
            assert page.frames[1].url.startswith("chrome-error:")
        page = opened(origin)
        page.set_content(f"<iframe title=f src='{frame[0]}' width=340 height=600></iframe>")
        inside = page.frame_locator("iframe")
        inside.get_by_label("Your email address").fill("ida.marlow@example.org")
        page.wait_for_timeout(THINKING * 1000)
        inside.get_by_role("button").click()
        expect(inside.get_by_role("heading", level=1)).to_have_text("One more step")
        served.run()
        assert len(served.mail_to("ida.marlow@example.org")) == 1


def test_no_other_page_stands_in_anybodys_frame(served: Served, opened: Opened) -> None:
    for path in ("/world/", "/world/subscribe"):
        with another_site(served.url + path) as stranger:
            page = opened(stranger)
            assert page.frames[1].url.startswith("chrome-error:")
