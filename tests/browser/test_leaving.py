"""Leaving, coming back and the preferences, as a reader does it by the links of a mail."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESKTOP, PHONE, Opened, Served, hurdles, link_in

from dispatch.newsroom import mailings, send, subscribers
from dispatch.newsroom.subscribers import Subscription

EMAIL = "ida.marlow@example.org"


def mailed(served: Served, *, language: str = "en") -> dict[str, str]:
    """Ida reads two desks and has had a newsletter; returns its links by their kind."""
    served.room.subscribe(EMAIL, language=language)
    served.room.subscribe(EMAIL, "business", language=language)
    article = str(served.room.out.parent / "harbour.txt")
    order = send.Order(served.room.out, (article,), "world")
    with ThreadPoolExecutor(1) as thread:  # the browser's own loop is running in this one
        thread.submit(send.make, order, served.room.settings, mailings.now()).result()
    served.run()
    (mail,) = served.mail_to(EMAIL)
    kinds = ("unsubscribe", "preferences", "view")
    return {kind: link_in(mail, f"/{kind}/") for kind in kinds}


def ida(served: Served) -> dict[str, Subscription]:
    """What she is at each desk."""
    profile = subscribers.show(EMAIL, served.room.out, mailings.now())
    return {each.row.desk: each for each in profile.subscriptions}


def says(page: Page, sentence: str) -> None:
    expect(page.get_by_text(sentence)).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_one_button_and_no_more_of_it(served: Served, opened: Opened, width: int) -> None:
    page = opened(mailed(served)["unsubscribe"], width)
    assert ida(served)["world"].row.state == "active"  # looking changes nothing
    assert EMAIL not in page.content()
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    says(page, "You have unsubscribed from World")
    assert ida(served)["world"].row.state == "unsubscribed"
    assert ida(served)["business"].row.state == "active"
    page.get_by_role("button", name="Subscribe to World again").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    row = ida(served)["world"].row
    assert (row.state, row.consent_text) == (
        "active",
        "Send me the newsletter World of The Example Courier by email. "
        "I can unsubscribe at any time, with one click.",
    )


def test_instead_of_leaving_a_pause_or_a_digest(served: Served, opened: Opened) -> None:
    page = opened(mailed(served)["unsubscribe"])
    page.get_by_role("button", name="Pause for 30 days").click()
    assert ida(served)["world"].row.paused_until is not None
    page.get_by_role("button", name="End the pause").click()
    assert ida(served)["world"].row.paused_until is None
    page.get_by_label("A digest once a week").check()
    page.get_by_role("button", name="Change how often").click()
    row = ida(served)["world"].row
    assert (row.state, row.frequency) == ("active", "weekly")


def test_all_of_it_at_once(served: Served, opened: Opened) -> None:
    page = opened(mailed(served)["unsubscribe"])
    page.get_by_role("button", name="Unsubscribe from all").click()
    assert {each.row.state for each in ida(served).values()} == {"unsubscribed"}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_preferences_are_kept(served: Served, opened: Opened, width: int) -> None:
    page = opened(mailed(served)["preferences"], width)
    page.get_by_role("group", name="World").get_by_role("combobox").select_option("daily")
    page.get_by_role("group", name="Business").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Save newsletters").click()
    assert ida(served)["world"].row.frequency == "daily"
    assert ida(served)["business"].row.state == "unsubscribed"
    page.get_by_label("Your name").fill("Ida Marlow")
    page.get_by_label("Your language").select_option("de")
    page.get_by_label("Your time zone").select_option("Europe/Vienna")
    page.get_by_role("button", name="Save about you").click()
    row = ida(served)["world"].row
    assert (row.name, row.language, row.timezone) == ("Ida Marlow", "de", "Europe/Vienna")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_somebody_takes_their_data_along_and_is_forgotten(served: Served, opened: Opened) -> None:
    page = opened(mailed(served)["preferences"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything that is known about you").click()
    data = json.loads(download.value.path().read_bytes())
    assert EMAIL in json.dumps(data)
    page.get_by_role("link", name="Delete everything that is known about you").click()
    assert ida(served)
    page.get_by_role("button").first.click()
    assert ida(served) == {}
    answer = page.goto(page.url)
    assert answer is not None
    assert EMAIL not in page.content()


def test_a_scanner_that_opens_every_link_changes_nothing(served: Served, opened: Opened) -> None:
    links = mailed(served)
    for link in links.values():
        page = opened(link, script=True)
        found = page.locator("a").evaluate_all("all => all.map(a => a.href)")
        for inner in found:
            if inner.startswith(served.url):
                page.request.get(inner)
                page.request.head(inner)
    assert {each.row.state for each in ida(served).values()} == {"active"}
    assert all(len(each.moves) == 0 for each in ida(served).values())


@pytest.mark.parametrize("language", ["de", "es", "fr", "ar"])
def test_the_pages_speak_the_readers_language_whatever_the_browser_wants(
    served: Served, opened: Opened, language: str
) -> None:
    for kind, link in mailed(served, language=language).items():
        page = opened(link, language="en")
        if kind != "view":
            expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(
    served: Served, opened: Opened, width: int, scheme: str
) -> None:
    links = mailed(served)
    page = opened(links["preferences"], width, script=True)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert hurdles(page) == []
    page.get_by_role("link", name="Delete everything").click()
    assert hurdles(page) == []
    page.goto(links["view"])
    assert hurdles(page) == []
    page.goto(links["unsubscribe"])
    assert hurdles(page) == []
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    assert hurdles(page) == []


@pytest.mark.parametrize("kind", ["unsubscribe", "preferences", "view"])
def test_no_page_is_wider_than_a_small_phone(served: Served, opened: Opened, kind: str) -> None:
    page = opened(mailed(served)[kind], 320, script=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
