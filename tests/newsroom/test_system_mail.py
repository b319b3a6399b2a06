"""The mail that Dispatch itself writes: what is in it, what is not, and how it goes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from tests.golden_files import check_golden
from tests.newsroom.signing_up import Desk, desk_in

from dispatch.desk import Desk as Facts
from dispatch.desk import Mailbox
from dispatch.newsroom import mailings, refusals, send, subscribers
from dispatch.newsroom.send import Order
from dispatch.renditions import system_mail
from dispatch.renditions.templates import Templates

WORLD = Facts(
    name="World",
    slug="world",
    publisher="The Example Ledger",
    site_url="https://news.example.org",
    sender=Mailbox("World desk", "world@example.org"),
    contact="world@example.org",
    postal_address="1 Quay Street, Exampleton",
    usage_terms="As agreed.",
    rights="© {publisher}",
)
WEEK = timedelta(days=7)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    room = desk_in(tmp_path)
    monkeypatch.setattr(mailings, "milliseconds", lambda: room.milliseconds)
    monkeypatch.setattr(mailings, "now", lambda: room.now)
    return room


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def asked(desk: Desk, email: str = "ida@example.org", **facts: str) -> EmailMessage:
    desk.ask(email, **facts)
    desk.work()
    return desk.send()[email]


@pytest.mark.parametrize("kind", system_mail.KINDS)
class TestLook:
    """What was read by a person, as pictures and as text, in light and dark, wide and narrow."""

    @pytest.mark.parametrize("language", ["en", "ar"])
    def test_is_as_it_was_read(self, kind: str, language: str):
        rendition = system_mail.render(kind, WORLD, Templates(), within=WEEK)[language]
        check_golden(f"mail/{kind}.{language}.html", rendition.html)
        check_golden(f"mail/{kind}.{language}.txt", rendition.text)

    def test_is_there_in_every_language(self, kind: str):
        templates = Templates()
        spoken = system_mail.render(kind, WORLD, templates, within=WEEK)
        assert set(spoken) == set(templates.catalogues.values())
        assert len({rendition.subject for rendition in spoken.values()}) == len(spoken)
        for tag, rendition in spoken.items():
            way = "rtl" if tag == "ar" else "ltr"
            assert f'<html lang="{tag}" dir="{way}"'.encode() in rendition.html

    def test_loads_nothing(self, kind: str):
        for rendition in system_mail.render(kind, WORLD, Templates(), within=WEEK).values():
            for sign in (b"<img", b"<script", b"url(", b"<link", b"@import"):
                assert sign not in rendition.html

    def test_a_name_of_markup_stays_text(self, kind: str):
        hostile = replace(WORLD, name="<b>W</b>\r\nBcc: x@example.org", publisher="A & <i>B</i>")
        rendition = system_mail.render(kind, hostile, Templates(), within=WEEK)["en"]
        assert b"<b>" not in rendition.html
        assert b"<i>" not in rendition.html
        assert "\n" not in rendition.subject


@pytest.mark.parametrize(
    ("within", "words"),
    [
        (timedelta(minutes=10), "1 hour."),
        (timedelta(hours=36), "36 hours."),
        (timedelta(days=2), "2 days."),
        (WEEK, "7 days."),
    ],
)
def test_a_confirmation_says_how_long_it_works(within: timedelta, words: str):
    rendition = system_mail.render("confirm", WORLD, Templates(), within=within)["en"]
    assert f"The link works for {words}".encode() in rendition.text


class TestConfirmation:
    def test_answers_somebody_and_is_no_mail_of_a_list(self, desk: Desk):
        message = asked(desk)
        assert message["Auto-Submitted"] == "auto-generated"
        for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence"):
            assert message[name] is None
        assert message["From"] == "World <world@news.example.org>"
        assert message["To"] == "ida@example.org"

    def test_has_one_link_in_each_part_which_confirms(self, desk: Desk):
        message = asked(desk)
        for kind in ("html", "plain"):
            content = part(message, kind)
            assert content.count("https://news.example.org/world/confirm/") == 1
            assert "/unsubscribe/" not in content
            assert "/preferences/" not in content

    def test_carries_nothing_that_was_typed(self, desk: Desk):
        message = asked(desk, name="Cheap Pills Today", text="Cheap Pills Today")
        assert "Pills" not in message.as_string()
        assert "Pills" not in part(message, "html") + part(message, "plain")

    def test_speaks_the_language_of_the_form(self, desk: Desk):
        message = asked(desk, language="de-AT")
        assert message["Subject"] == "Bitte bestätigen Sie Ihr Abonnement von World"
        assert message["Content-Language"] == "de"
        assert "Abonnement bestätigen" in part(message, "plain")

    def test_speaks_the_desks_where_that_is_not_known(self, desk: Desk):
        desk.own(language="fr")
        message = asked(desk, language="tlh")
        assert message["Subject"] == "Veuillez confirmer votre abonnement à World"

    def test_is_dated_when_it_was_asked_for(self, desk: Desk):
        asked(desk, "first@example.org")
        desk.later(hours=9)
        message = asked(desk)
        assert parsedate_to_datetime(str(message["Date"])) == desk.now

    def test_can_be_made_again_byte_for_byte(self, desk: Desk):
        message = asked(desk)
        desk.later(days=1)
        again = mailings.replay(desk.out, 1, "ida@example.org", desk.settings, desk.now)
        parsed = BytesParser(policy=policy.default).parsebytes(again.data)
        for name in ("Date", "Message-ID", "Subject"):
            assert parsed[name] == message[name]
        assert part(parsed, "html") == part(message, "html")  # type: ignore[arg-type]

    def test_is_sent_before_the_newsletter_that_is_under_way(self, desk: Desk):
        for n in range(3):
            subscribers.add(subscribers.Person(f"r{n}@example.org"), "world", desk.out, desk.now)
        article = desk.out / "ferry.txt"
        article.write_text("The ferry is back\n\nBy Ada Winter\n\nIt is.\n", encoding="utf-8")
        send.make(Order(desk.out, (str(article),), "world"), desk.settings, desk.now)
        desk.ask("ida@example.org")
        desk.work()
        desk.set(smtp_connections=1)
        desk.send()
        files = sorted((desk.out / "mails").glob("*.eml"), key=lambda f: f.stat().st_mtime_ns)
        assert b"ida@example.org" in files[0].read_bytes()

    def test_is_sent_however_late(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        desk.later(days=2)
        told: list[str] = []
        assert set(desk.send(told)) == {"ida@example.org"}
        assert told == []

    def test_that_bounces_is_a_bounce(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        mail = desk.mails()[0]
        with desk.database() as connection:
            refusals.told_by_relay(
                connection, mail.key, "5.1.1", "550 5.1.1 no such user", desk.settings, desk.now
            )
        assert desk.state("ida@example.org") == "bounced"


class TestWelcome:
    def test_is_mail_of_the_list(self, desk: Desk):
        desk.join("ida@example.org", language="en")
        message = desk.send()["ida@example.org"]
        assert message["Subject"] == "Welcome to World"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "/world/unsubscribe/" in message["List-Unsubscribe"]
        assert "/world/preferences/" in part(message, "html")

    def test_of_a_public_desk_names_its_feeds(self, desk: Desk):
        desk.join("ida@example.org")
        message = desk.send()["ida@example.org"]
        for form in ("rss", "atom", "json"):
            assert f"https://news.example.org/world/feed.{form}" in part(message, "plain")

    def test_of_a_members_desk_tells_each_reader_their_own(self, desk: Desk):
        desk.own(access="members")
        desk.join("ida@example.org")
        desk.join("bo@example.org")
        mails = desk.send()
        own = {}
        for email in ("ida@example.org", "bo@example.org"):
            text = part(mails[email], "plain")
            html = part(mails[email], "html")
            own[email] = [line for line in text.splitlines() if "/feed." in line]
            assert len(own[email]) == 3
            assert all(f'href="{url}"' in html for url in own[email])
            assert "https://news.example.org/world/feed.rss" not in text
        assert not set(own["ida@example.org"]) & set(own["bo@example.org"])

    def test_to_whoever_left_meanwhile_is_not_sent(self, desk: Desk):
        desk.own(access="members")
        desk.join("ida@example.org")
        desk.leave("ida@example.org")
        desk.send()
        assert [mail.state for mail in desk.mails()] == ["suppressed", "suppressed"]


class TestMailings:
    def test_one_a_day_grows_and_opens_again(self, desk: Desk):
        asked(desk)
        assert mailings.show(desk.out, 1).state == "finished"
        asked(desk, "bo@example.org")
        found = mailings.show(desk.out, 1)
        assert (found.state, found.candidates, found.counts["accepted"]) == ("finished", 2, 2)
        assert mailings.verify(desk.out, 1).findings == ()
        desk.later(days=1)
        asked(desk, "cy@example.org")
        assert mailings.show(desk.out, 2).candidates == 1

    def test_that_was_cancelled_is_followed_by_another(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        mailings.cancel(desk.out, 1, desk.now)
        desk.ask("bo@example.org")
        desk.work()
        assert set(desk.send()) == {"bo@example.org"}

    def test_that_is_paused_waits(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        mailings.pause(desk.out, 1, desk.now)
        desk.ask("bo@example.org")
        desk.work()
        assert desk.send() == {}
        mailings.resume(desk.out, 1, desk.now)
        assert set(desk.send()) == {"ida@example.org", "bo@example.org"}

    def test_are_listed_on_request(self, desk: Desk):
        asked(desk)
        assert desk.listed(on_demand=False) == []
        assert desk.listed(on_demand=True) == ["Please confirm your subscription to World"]

    def test_of_a_template_of_their_own(self, desk: Desk, tmp_path: Path):
        own = tmp_path / "own" / "mail"
        own.mkdir(parents=True)
        text = "Yes? {{ recipient.confirm_url }}"
        (own / "confirm.txt").write_text(text, encoding="utf-8")
        desk.set(templates=own.parent)
        assert part(asked(desk), "plain").startswith("Yes? https://news.example.org/world/confirm/")
