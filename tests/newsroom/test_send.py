"""Making a mailing: who gets it, who does not and why, when, and what is frozen."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.newsroom.desk_room import Newsroom

from dispatch.errors import ArticleError, AudienceError, DeliveryError, StoreError
from dispatch.newsroom import editions, mailings, sending
from dispatch.store import editions as edition_store
from dispatch.store.connection import Store
from dispatch.store.tables import subscribers


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path)


@pytest.fixture
def ferry(newsroom: Newsroom) -> str:
    return newsroom.article("ferry.md", "The Ferry Is Back")


def copy(newsroom: Newsroom, number: int, address: str) -> EmailMessage:
    found = mailings.replay(newsroom.out, number, address, newsroom.settings, newsroom.now)
    return email.message_from_bytes(found.data, policy=email.policy.default)  # type: ignore[return-value]


def states(newsroom: Newsroom, number: int) -> dict[str, tuple[str, str | None]]:
    with mailings.recipients(newsroom.out, number) as found:
        return {row.email: (row.state, row.reply) for row in found}


# Who gets it -------------------------------------------------------------------------------------


def test_every_candidate_is_a_recipient_or_is_left_out_with_a_reason(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org", "ben@example.com", "cid@example.com")
    newsroom.subscribe("gone@example.org", state="unsubscribed")
    newsroom.subscribe("new@example.org", state="pending")
    newsroom.subscribe("dead@example.org", state="bounced")
    newsroom.subscribe("angry@example.org", state="complained")
    newsroom.subscribe("shy@example.org")
    newsroom.suppress("shy@example.org", "asked by telephone")
    newsroom.subscribe("reader@example.org", desk="business")

    plan = newsroom.make(ferry)

    assert plan.candidates == 8
    assert plan.recipients == 3
    assert dict(plan.excluded) == {
        "unsubscribed": 1,
        "has not confirmed": 1,
        "bounced": 1,
        "complained": 1,
        "on the suppression list: asked by telephone": 1,
    }
    assert plan.candidates == plan.recipients + sum(count for _, count in plan.excluded)
    assert dict(plan.domains) == {"example.com": 2, "example.org": 1}
    assert states(newsroom, plan.mailing)["shy@example.org"] == (
        "suppressed",
        "on the suppression list: asked by telephone",
    )
    assert mailings.verify(newsroom.out, plan.mailing).findings == ()


def test_a_segment_chooses_among_the_desks_subscribers(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org", tags="|premium|", language="de-AT")
    newsroom.subscribe("ben@example.org", tags="|premium|", language="en")
    newsroom.subscribe("cid@example.org", language="de")
    plan = newsroom.make(ferry, segment="tag:premium and language:de")
    assert plan.candidates == plan.recipients == 1
    assert set(states(newsroom, plan.mailing)) == {"ann@example.org"}
    assert mailings.show(newsroom.out, plan.mailing).segment == "tag:premium and language:de"


def test_a_segment_with_a_typo_is_pointed_at_and_nothing_is_made(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    with pytest.raises(AudienceError, match=r"\^"):
        newsroom.make(ferry, segment="tag:premium andd language:de")
    assert mailings.every(newsroom.out) == []


def test_an_unknown_desk_is_told_with_those_that_have_subscribers(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org", "ben@example.org")
    with pytest.raises(DeliveryError, match=r"wrold has no subscribers.*world \(2\)"):
        newsroom.make(ferry, desk="wrold")


def test_a_mailing_to_nobody_is_refused_with_the_reasons(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("gone@example.org", state="unsubscribed")
    refused = r"Nobody would get it\. The one candidate: unsubscribed \(1\)\. Nothing was sent"
    with pytest.raises(DeliveryError, match=refused):
        newsroom.make(ferry)
    assert mailings.every(newsroom.out) == []


# Once --------------------------------------------------------------------------------------------


def test_an_article_that_was_sent_is_not_sent_again_unless_it_is_asked_for(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org", "ben@example.org")
    first = newsroom.make(ferry)
    newsroom.subscribe("cid@example.org")

    with pytest.raises(DeliveryError, match=r"sent before, in mailing 1: 2 of 3 .*--again"):
        newsroom.make(ferry)
    assert newsroom.rehearse(ferry).twice == 2

    again = newsroom.make(ferry, again=True)
    assert (first.mailing, again.mailing) == (1, 2)
    assert (again.recipients, again.twice) == (3, 2)


def test_a_digest_with_an_article_that_was_sent_counts_as_sent(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.make(ferry)
    bridge = newsroom.article("bridge.md", "The Bridge Is Closed")
    with pytest.raises(DeliveryError, match="sent before, in mailing 1"):
        newsroom.make(bridge, ferry)


def test_a_mailing_that_was_cancelled_before_anybody_had_it_does_not_count(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.make(ferry)
    mailings.cancel(newsroom.out, 1, newsroom.now)
    assert newsroom.make(ferry).mailing == 2


def test_a_schedule_that_was_cancelled_is_not_told_as_a_mailing_that_held_it(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.make(ferry)
    newsroom.make(ferry, again=True, at="2026-12-24 07:00")
    mailings.cancel(newsroom.out, 2, newsroom.now)
    with pytest.raises(DeliveryError, match="It was sent before, in mailing 1: 1 of 1"):
        newsroom.make(ferry)


def test_another_desk_may_send_the_same_article_to_its_own_readers(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.subscribe("ann@example.org", desk="business")
    newsroom.make(ferry)
    assert newsroom.make(ferry, desk="business").recipients == 1


def test_an_article_given_twice_is_refused(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org")
    with pytest.raises(ArticleError, match="given twice"):
        newsroom.make(ferry, ferry)


# What is sent ------------------------------------------------------------------------------------


def test_one_article_is_an_article_newsletter(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org", name="Ann Weaver")
    newsroom.make(ferry)
    message = copy(newsroom, 1, "ann@example.org")
    assert message["Subject"] == "The Ferry Is Back"
    assert message["To"] == "Ann Weaver <ann@example.org>"
    body = message.get_body(("plain",))
    assert body
    assert "nineteen minutes" in body.get_content()


def test_several_articles_are_a_digest_of_the_lead_and_the_others(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    bridge = newsroom.article("bridge.md", "The Bridge Is Closed", standfirst="Until spring.")
    plan = newsroom.make(ferry, bridge, subject="The morning briefing")
    assert plan.articles == ("The Ferry Is Back", "The Bridge Is Closed")
    message = copy(newsroom, 1, "ann@example.org")
    assert message["Subject"] == "The morning briefing"
    body = message.get_body(("plain",))
    assert body
    assert "Until spring." in body.get_content()


def test_what_is_sent_has_its_page_on_the_web(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.make(ferry)
    pages = list((newsroom.out / "public").rglob("the-ferry-is-back/index.html"))
    assert len(pages) == 1


def test_an_edition_is_frozen(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org", name="Ann")
    newsroom.make(ferry)
    before = mailings.replay(newsroom.out, 1, "ann@example.org", newsroom.settings, newsroom.now)

    newsroom.article("ferry.md", "The Ferry Is Late")
    own = newsroom.settings.templates / "email"
    own.mkdir(parents=True)
    (own / "article.txt").write_text("Nothing\n")
    newsroom.settings = replace(newsroom.settings, publisher="Somebody Else")
    later = newsroom.now + timedelta(days=3)
    after = mailings.replay(newsroom.out, 1, "ANN@example.org", newsroom.settings, later)

    assert after == before
    assert mailings.verify(newsroom.out, 1).findings == ()


def test_a_replay_survives_a_new_key_as_long_as_the_old_one_is_kept(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.settings = replace(newsroom.settings, secret_keys=("the first key, long enough",))
    newsroom.make(ferry)
    before = mailings.replay(newsroom.out, 1, "ann@example.org", newsroom.settings, newsroom.now)
    both = ("a second key, long enough", "the first key, long enough")
    newsroom.settings = replace(newsroom.settings, secret_keys=both)
    after = mailings.replay(newsroom.out, 1, "ann@example.org", newsroom.settings, newsroom.now)
    assert after == before
    newsroom.settings = replace(newsroom.settings, secret_keys=both[:1])
    with pytest.raises(DeliveryError, match="Put it back"):
        mailings.replay(newsroom.out, 1, "ann@example.org", newsroom.settings, newsroom.now)


def test_who_got_no_copy_has_none_to_replay(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org")
    newsroom.subscribe("gone@example.org", state="unsubscribed")
    newsroom.make(ferry)
    for address, says in (
        ("gone@example.org", "no copy.*unsubscribed"),
        ("x@example.org", "no rec"),
    ):
        with pytest.raises(DeliveryError, match=says):
            mailings.replay(newsroom.out, 1, address, newsroom.settings, newsroom.now)


# In the reader's language ------------------------------------------------------------------------


def said(newsroom: Newsroom, number: int, address: str) -> str:
    part = copy(newsroom, number, address).get_body(("plain",))
    assert part
    return str(part.get_content())


def frozen(newsroom: Newsroom, number: int) -> list[str]:
    database = Store(newsroom.out / "dispatch.db")
    with database.transaction() as connection:
        names = edition_store.frozen(connection, number, editions.BODY)
    database.close()
    return sorted(names)


def test_readers_are_spoken_to_in_their_own_language(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org", language="en-GB", name="Ann")
    newsroom.subscribe("ada@example.org", language="de-AT", name="Ada")
    newsroom.subscribe("layla@example.org", language="ar", name="Layla")
    newsroom.subscribe("eve@example.org", language="cy")
    newsroom.subscribe("odd@example.org", language="de\r\nBcc: x@example.org")
    newsroom.subscribe("nobody@example.org")
    newsroom.make(ferry)
    greetings = {
        "ann": "Hello Ann,",
        "ada": "Guten Tag Ada,",
        "layla": "مرحبًا Layla،",
        "eve": "Hello reader,",
        "odd": "Hello reader,",
        "nobody": "Hello reader,",
    }
    for who, greeting in greetings.items():
        address = f"{who}@example.org"
        text = said(newsroom, 1, address)
        assert greeting in text
        assert "nineteen minutes" in text
        assert copy(newsroom, 1, address)["Content-Language"] == "en"
    assert frozen(newsroom, 1) == ["body/ar", "body/de", "body/en"]
    assert mailings.verify(newsroom.out, 1).findings == ()


def test_the_editions_own_language_may_be_a_variety_of_the_readers(newsroom: Newsroom) -> None:
    vienna = newsroom.article("vienna.md", "Die Fähre ist zurück")
    path = Path(vienna)
    path.write_text(path.read_text("utf-8").replace("lang: en", "lang: de-AT"), "utf-8")
    newsroom.subscribe("ada@example.org", language="de", name="Ada")
    newsroom.subscribe("nobody@example.org")
    newsroom.subscribe("ann@example.org", language="en", name="Ann")
    newsroom.make(vienna)
    assert frozen(newsroom, 1) == ["body/de-AT", "body/en"]
    assert "Guten Tag Ada," in said(newsroom, 1, "ada@example.org")
    assert "Abbestellen" in said(newsroom, 1, "nobody@example.org")
    assert "Hello Ann," in said(newsroom, 1, "ann@example.org")


def test_only_languages_of_those_who_get_it_are_frozen(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org", language="en")
    newsroom.subscribe("gone@example.org", language="fr", state="unsubscribed")
    newsroom.subscribe("reader@example.org", language="ja", desk="business")
    newsroom.subscribe(*(f"r{n}@example.org" for n in range(50)), language="es-MX")
    newsroom.make(ferry)
    assert frozen(newsroom, 1) == ["body/en", "body/es"]


def test_a_frozen_language_survives_a_change_of_catalogues_and_readers(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ada@example.org", language="de", name="Ada")
    bridge = newsroom.article("bridge.md", "The Bridge Is Closed")
    newsroom.make(ferry, bridge)
    before = mailings.replay(newsroom.out, 1, "ada@example.org", newsroom.settings, newsroom.now)
    own = newsroom.settings.templates / "locale"
    own.mkdir(parents=True)
    (own / "de.po").write_text('msgid ""\nmsgstr ""\n')
    database = Store(newsroom.out / "dispatch.db")
    with database.transaction() as connection:
        connection.execute(subscribers.update().values(language="fr"))
    database.close()
    after = mailings.replay(newsroom.out, 1, "ada@example.org", newsroom.settings, newsroom.now)
    assert after == before
    assert "Guten Tag Ada," in said(newsroom, 1, "ada@example.org")


def test_what_leaves_is_what_is_replayed_in_every_language(newsroom: Newsroom, ferry: str) -> None:
    outgoing = newsroom.out / "outgoing"
    newsroom.settings = replace(newsroom.settings, smtp_url=(f"file:{outgoing}",))
    newsroom.subscribe("ada@example.org", language="de", name="Ada")
    newsroom.subscribe("layla@example.org", language="ar-EG")
    newsroom.subscribe("ann@example.org", name="Ann")
    newsroom.make(ferry)
    sending.send(newsroom.out, 1, newsroom.settings, sending.Follower())
    left = b"".join(path.read_bytes() for path in sorted(outgoing.rglob("*.eml")))
    assert left.count(b"\nMessage-ID: ") == 3
    for who in ("ada", "layla", "ann"):
        found = mailings.replay(
            newsroom.out, 1, f"{who}@example.org", newsroom.settings, newsroom.now
        )
        assert found.data.replace(b"\r\n", b"\n") in left.replace(b"\r\n", b"\n")


# When --------------------------------------------------------------------------------------------


def test_a_rehearsal_has_the_numbers_of_the_mailing_and_keeps_nothing(
    newsroom: Newsroom, ferry: str
) -> None:
    newsroom.subscribe("ann@example.org", "ben@example.org")
    newsroom.settings = replace(newsroom.settings, smtp_rate=0.5)
    rehearsed = newsroom.rehearse(ferry)
    assert (rehearsed.candidates, rehearsed.recipients, rehearsed.seconds) == (2, 2, 4.0)
    assert mailings.every(newsroom.out) == []
    assert not (newsroom.out / "public").exists()
    assert newsroom.make(ferry).mailing == 1


def test_a_schedule_waits_for_its_time(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org")
    plan = newsroom.make(ferry, at="2026-11-25 07:00 Europe/Paris")
    assert plan.due == datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    assert mailings.show(newsroom.out, 1).state == "scheduled"


def test_local_time_is_each_subscribers_own(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("tokyo@example.org", timezone="Asia/Tokyo")
    newsroom.subscribe("lima@example.org", timezone="America/Lima")
    newsroom.subscribe("desk@example.org")
    newsroom.subscribe("odd@example.org", timezone="../etc/passwd")
    plan = newsroom.make(ferry, at="07:00", local_time=True)
    assert plan.due == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    with mailings.recipients(newsroom.out, 1) as found:
        due = {row.email: row.due for row in found}
    assert due == {
        "tokyo@example.org": datetime(2026, 11, 24, 22, 0, tzinfo=UTC),
        "lima@example.org": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
        "desk@example.org": datetime(2026, 11, 24, 7, 0, tzinfo=UTC),
        "odd@example.org": datetime(2026, 11, 24, 7, 0, tzinfo=UTC),
    }


def test_an_embargo_that_ends_after_the_mailing_refuses_it(newsroom: Newsroom) -> None:
    newsroom.subscribe("ann@example.org")
    secret = newsroom.article("secret.md", "The Budget", embargo="2026-11-25T12:00:00Z")
    with pytest.raises(ArticleError, match="embargoed until 2026-11-25 12:00"):
        newsroom.make(secret)
    assert newsroom.make(secret, at="2026-11-25 12:30 UTC").scheduled


# What the desk does ------------------------------------------------------------------------------


def test_a_number_that_is_no_mailing_is_told(newsroom: Newsroom, ferry: str) -> None:
    newsroom.subscribe("ann@example.org")
    for ask in (
        lambda: mailings.show(newsroom.out, 7),
        lambda: mailings.verify(newsroom.out, 7),
        lambda: mailings.pause(newsroom.out, 7, newsroom.now),
        lambda: mailings.replay(newsroom.out, 7, "a@example.org", newsroom.settings, newsroom.now),
    ):
        with pytest.raises(DeliveryError, match="There is no mailing 7"):
            ask()


def test_a_folder_without_a_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no .*dispatch\.db.*--out"):
        mailings.every(tmp_path / "elsewhere")
