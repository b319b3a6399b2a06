"""Settings: what can be set, how, and what is said when it makes no sense."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest

from dispatch import settings
from dispatch.errors import SettingsError
from dispatch.newsroom.desks import make_desk
from dispatch.settings import Settings

ROOT = Path(__file__).parent.parent


def test_everything_has_a_default() -> None:
    assert settings.load({}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DISPATCH_PUBLISHER=The File\nDISPATCH_DESK='Metro desk'\n")
    loaded = settings.load({"DISPATCH_PUBLISHER": "The Environment"}, dotenv)
    assert (loaded.publisher, loaded.desk) == ("The Environment", "Metro desk")


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    assert settings.load({}, tmp_path / ".env") == Settings()


def test_a_file_that_is_no_text_is_refused_in_a_sentence(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"DISPATCH_DESK=\xff\xfe\xfa")
    with pytest.raises(SettingsError, match=r"\.env cannot be read.*UTF-8"):
        settings.load({}, dotenv)


def test_an_empty_value_is_the_default() -> None:
    assert settings.load({"DISPATCH_DESK": " "}).desk == "News"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DISPATCH_SITE_URL", "news.example.org", "https://news.example.org"),
        ("DISPATCH_SITE_URL", "ftp://news.example.org", "web address"),
        ("DISPATCH_SITE_URL", "https://news.example.org/?a=1", "web address"),
        ("DISPATCH_SITE_URL", "https://a b/", "name of a host"),
        ("DISPATCH_SITE_URL", 'https://ex.org"><x/', "name of a host"),
        ("DISPATCH_MAX_ARTICLE_BYTES", "999999999999GB", "5 MB"),
        ("DISPATCH_LANGUAGE", "Deutsch, bitte", "BCP 47"),
        ("DISPATCH_TIMEZONE", "Mars/Olympus", "Europe/Paris"),
        ("DISPATCH_TIMEZONE", "../../etc/passwd", "Europe/Paris"),
        ("DISPATCH_ACCENT", "red", "#8c1c13"),
        ("DISPATCH_FROM", "the world desk", "World desk <world@example.org>"),
        ("DISPATCH_FROM", "a@b@c", "World desk <world@example.org>"),
        ("DISPATCH_MAX_ARTICLE_BYTES", "lots", "5 MB"),
        ("DISPATCH_MAX_ARTICLE_BYTES", "0", "5 MB"),
        ("DISPATCH_DESK", "a\x1b[2Jb", "on one line"),
    ],
)
def test_what_makes_no_sense_is_named_with_an_example(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings.load({name: value})
    assert str(raised.value).startswith(f"The setting {name} cannot be used: ")
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("value", "size"), [("5000000", 5_000_000), ("5 MB", 5_000_000), ("2MiB", 2 * 1024**2)]
)
def test_sizes_may_have_a_unit(value: str, size: int) -> None:
    assert settings.load({"DISPATCH_MAX_ARTICLE_BYTES": value}).max_article_bytes == size


def test_a_slash_at_the_end_of_the_site_is_taken_off() -> None:
    loaded = settings.load({"DISPATCH_SITE_URL": "https://news.example.org/paper/"})
    assert loaded.site_url == "https://news.example.org/paper"


def test_a_site_with_an_international_name_is_kept_in_ascii() -> None:
    loaded = settings.load({"DISPATCH_SITE_URL": "https://zürich.example:8443/blatt"})
    assert loaded.site_url == "https://xn--zrich-kva.example:8443/blatt"


def test_a_misspelt_setting_is_noticed() -> None:
    loaded = settings.load({"DISPATCH_SITEURL": "https://news.example.org", "PATH": "/bin"})
    assert settings.unknown(loaded) == [
        "DISPATCH_SITEURL is not a setting of Dispatch. Did you mean DISPATCH_SITE_URL?"
    ]


def test_a_setting_can_hold_for_one_desk_alone() -> None:
    loaded = settings.load(
        {
            "DISPATCH_ACCENT": "#000000",
            "DISPATCH_ACCENT__ASIA_PACIFIC": "#1d4e89",
            "DISPATCH_TIMEZONE__ASIA_PACIFIC": "Asia/Tokyo",
        }
    )
    asia = make_desk("Asia-Pacific", "asia-pacific", loaded)
    world = make_desk("World", "world", loaded)
    assert (asia.accent, world.accent) == ("#1d4e89", "#000000")
    assert str(asia.timezone) == "Asia/Tokyo"
    assert world.timezone is UTC
    assert settings.unknown(loaded) == []


def test_a_setting_of_all_desks_cannot_hold_for_one(tmp_path: Path) -> None:
    loaded = settings.load({"DISPATCH_TEMPLATES__WORLD": "elsewhere"})
    assert settings.unknown(loaded) == [
        "DISPATCH_TEMPLATES__WORLD has no effect: DISPATCH_TEMPLATES holds for all desks."
    ]


def test_settings_made_in_code_hold_for_desks_too() -> None:
    assert make_desk("World", "world", Settings(publisher="The Code")).publisher == "The Code"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://example.org/a b", "https://example.org/a%20b"),
    ],
)
def test_the_site_is_an_address_that_feeds_can_hold(url: str, kept: str) -> None:
    assert settings.load({"DISPATCH_SITE_URL": url}).site_url == kept


def test_a_line_of_the_file_that_cannot_be_understood_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text('DISPATCH_DESK=Metro\nDISPATCH_PUBLISHER="The\n')
    with pytest.raises(SettingsError, match=r"\.env, line 2"):
        settings.load({}, dotenv)


def test_a_desks_words_are_filled_in() -> None:
    loaded = settings.load(
        {"DISPATCH_SITE_URL": "https://courier.example", "DISPATCH_PUBLISHER": "The Courier"}
    )
    desk = make_desk("World", "world", loaded)
    assert (desk.sender.name, desk.sender.address) == ("World", "world@courier.example")
    assert desk.contact == "world@courier.example"
    assert desk.usage_terms.endswith("Please credit The Courier.")


def test_a_sender_that_comes_out_as_no_address_is_refused() -> None:
    loaded = settings.load({"DISPATCH_FROM": "{desk} <the,desk@{host}>"})
    with pytest.raises(SettingsError, match=r"DISPATCH_FROM gives .* not an email address"):
        make_desk("World", "world", loaded)


def test_the_example_file_has_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^((?:# .*\n)+)#(DISPATCH_\w+)=(.*)$", text)
    names = [settings.variable(f.name) for f in settings._SETTINGS]
    assert [name for _, name, _ in listed] == names


def test_the_example_file_can_be_used_as_it_is(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    dotenv = tmp_path / ".env"
    dotenv.write_text(re.sub(r"(?m)^#DISPATCH", "DISPATCH", text), encoding="utf-8")
    loaded = settings.load({}, dotenv)
    for field in settings._SETTINGS:
        default = getattr(Settings(), field.name)
        known = default.expanduser() if isinstance(default, Path) else default
        assert getattr(loaded, field.name) == known
