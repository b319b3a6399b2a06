"""Signing up and confirming, as somebody does it: in a browser without script, on any screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESKTOP, PHONE, THINKING, Opened, Served, hurdles, link_in

from dispatch.newsroom import mailings, subscribers

EMAIL = "ida.marlow@example.org"


def states(served: Served) -> list[str]:
    """What Ida is at each desk that she has asked."""
    profile = subscribers.show(EMAIL, served.room.out, mailings.now())
    return [each.row.state for each in profile.subscriptions]


def think(page: Page) -> None:
    page.wait_for_timeout(THINKING * 1000)


def ask(served: Served, opened: Opened, width: int = PHONE, language: str = "en") -> Page:
    """Ida fills in the form and sends it."""
    page = opened(f"{served.url}/world/subscribe", width, language=language)
    page.locator("input[type=email]").fill(EMAIL)
    think(page)
    page.locator("button").click()
    return page


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_somebody_signs_up_confirms_and_is_welcomed(
    served: Served, opened: Opened, width: int
) -> None:
    page = ask(served, opened, width)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    assert EMAIL not in page.content()
    assert states(served) == []
    served.run()
    assert states(served) == ["pending"]
    (mail,) = served.mail_to(EMAIL)
    page.goto(link_in(mail, "/confirm/"))
    assert states(served) == ["pending"]
    page.get_by_role("button", name="Confirm my subscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are a subscriber of World")
    assert states(served) == ["active"]
    served.run()
    _, welcome = served.mail_to(EMAIL)
    assert welcome["Subject"] == "Welcome to World"
    page.goto(link_in(welcome, "/preferences/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_keyboard_is_enough(served: Served, opened: Opened) -> None:
    page = opened(f"{served.url}/world/subscribe", DESKTOP)
    think(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    while not page.locator("input[type=email]").evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # to the daily digest
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Subscribe")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    served.run()
    page.goto(link_in(served.mail_to(EMAIL)[0], "/confirm/"))
    while not page.locator("button").evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are a subscriber of World")
    (subscription,) = subscribers.show(EMAIL, served.room.out, mailings.now()).subscriptions
    assert subscription.row.frequency == "daily"


def test_what_is_no_address_is_said_beside_it(served: Served, opened: Opened) -> None:
    page = opened(f"{served.url}/world/subscribe")
    address = page.locator("input[type=email]")
    address.fill("ida@nowhere")  # a browser lets it through, and no mail server would
    think(page)
    page.get_by_role("button", name="Subscribe").click()
    expect(address).to_have_value("ida@nowhere")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("This is no email address")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "direction", "heading"),
    [("de", "ltr", "Noch ein Schritt"), ("ar", "rtl", "")],
)
def test_the_whole_way_is_in_the_readers_language(
    served: Served, opened: Opened, language: str, direction: str, heading: str
) -> None:
    page = ask(served, opened, language=language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    if heading:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    served.run()
    (mail,) = served.mail_to(EMAIL)
    assert mail["Content-Language"] == language
    page.goto(link_in(mail, "/confirm/"))
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anybody(
    served: Served, opened: Opened, width: int, scheme: str
) -> None:
    page = opened(f"{served.url}/world/subscribe", width, script=True)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert hurdles(page) == []
    page.locator("input[type=email]").fill("ida@nowhere")
    think(page)
    page.locator("button").click()
    assert hurdles(page) == []
    page.locator("input[type=email]").fill(EMAIL)
    think(page)
    page.locator("button").click()
    assert hurdles(page) == []
    served.run()
    page.goto(link_in(served.mail_to(EMAIL)[0], "/confirm/"))
    assert hurdles(page) == []
    page.locator("button").click()
    assert hurdles(page) == []
    page.goto(f"{served.url}/world/confirm/1-0123456789abcdef01234567")
    assert hurdles(page) == []


def test_no_page_is_wider_than_a_small_phone(served: Served, opened: Opened) -> None:
    page = opened(f"{served.url}/world/subscribe", 320, script=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
