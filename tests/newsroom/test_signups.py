"""Sign-ups: who is asked, how often, by which click they come in, and what stays of those who do not."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.newsroom.signing_up import Desk, desk_in
from tests.web.served import NOW

from dispatch.audience import addresses
from dispatch.audience.mailboxes import mailbox_of
from dispatch.audience.values import FREQUENCIES
from dispatch.errors import AudienceError, DeliveryError, TemplateError
from dispatch.newsroom import signups, subscribers
from dispatch.newsroom.networks import network
from dispatch.newsroom.signup_limits import ASKED_IN_A_MONTH, MAILS_A_DAY


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_in(tmp_path)


class TestSomebodyNew:
    def test_is_asked_to_confirm(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        assert desk.state("ida@example.org") == "pending"
        assert desk.kinds() == ["confirm"]
        assert desk.outcomes() == ["asked"]

    def test_is_nothing_but_an_address_until_they_confirm(self, desk: Desk):
        desk.ask("ida@example.org", name="Ida Marlow", language="de", frequency="weekly")
        desk.work()
        person = desk.person("ida@example.org")
        assert person is not None
        assert (person.name, person.language, person.frequency) == (None, None, "each")
        assert (person.consent_at, person.consent_ip, person.consent_text) == (None, None, None)

    def test_comes_in_by_their_click_with_their_consent_on_record(self, desk: Desk):
        desk.ask("ida@example.org", name="Ida Marlow", language="de", frequency="weekly")
        desk.work()
        desk.later(hours=3)
        found = desk.click(desk.mails()[0].key, ip="198.51.100.4")
        assert found is not None
        assert (found.state, found.language) == ("confirmed", "de")
        person = desk.person("ida@example.org")
        assert person is not None
        assert person.state == "active"
        assert person.consent_source == "sign-up page, confirmed by mail"
        assert person.consent_at == desk.now
        assert person.consent_ip == "198.51.100.4"
        assert person.consent_text == "Send me World."
        assert (person.name, person.language, person.frequency) == ("Ida Marlow", "de", "weekly")
        assert person.digested == desk.now  # the first digest begins here
        assert desk.kinds() == ["confirm", "welcome"]

    def test_clicks_twice_and_is_welcomed_once(self, desk: Desk):
        desk.join("ida@example.org")
        key = desk.mails()[0].key
        desk.later(days=40)
        again = desk.click(key)
        assert again is not None
        assert again.state == "confirmed"
        assert desk.kinds() == ["confirm", "welcome"]

    def test_only_looks_and_nothing_changes(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        for _ in range(3):
            found = desk.look(desk.mails()[0].key)
            assert found is not None
            assert found.state == "open"
        assert desk.state("ida@example.org") == "pending"
        assert desk.kinds() == ["confirm"]

    @pytest.mark.parametrize("within", ["30m", "7d"])
    def test_clicks_too_late(self, desk: Desk, within: str):
        desk.own(confirm_within=within)
        length = timedelta(minutes=30) if within == "30m" else timedelta(days=7)
        desk.ask("ida@example.org")
        desk.work()
        key = desk.mails()[0].key
        desk.now += length
        assert desk.look(key).state == "open"  # type: ignore[union-attr]
        desk.later(seconds=1)
        assert desk.look(key).state == "expired"  # type: ignore[union-attr]
        assert desk.click(key).state == "expired"  # type: ignore[union-attr]
        assert desk.state("ida@example.org") == "pending"
        desk.work()
        assert desk.click(key).state == "expired"  # type: ignore[union-attr]

    def test_reads_several_desks(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.ask("ida@example.org", desk="sport")
        subscribers.add(subscribers.Person("bo@example.org"), "sport", desk.out, desk.now)
        desk.work()
        assert desk.kinds("ida@example.org") == ["confirm", "confirm"]
        key = desk.mails()[0].key
        assert desk.click(key, desk="sport") is None  # a link of World
        assert desk.state("ida@example.org", "sport") == "pending"

    def test_only_a_confirmation_confirms(self, desk: Desk):
        desk.join("ida@example.org")
        welcome = desk.mails()[1]
        assert welcome.kind == "welcome"
        assert desk.click(welcome.key) is None
        assert desk.look(welcome.key) is None
        assert desk.click(999_999) is None


class TestSomebodyPending:
    def test_is_asked_once_a_day(self, desk: Desk):
        for _ in range(3):
            desk.ask("ida@example.org", "IDA@example.org")
            desk.work()
        assert desk.kinds() == ["confirm"]
        assert Counter(desk.outcomes()) == {"asked": 1, "asked today": 5}
        desk.later(hours=23, minutes=59)  # on another day of the calendar
        desk.ask("ida@example.org")
        desk.work()
        assert desk.kinds() == ["confirm"]
        desk.later(minutes=2)
        desk.ask("ida@example.org")
        desk.work()
        assert desk.kinds() == ["confirm", "confirm"]

    def test_is_left_in_peace_who_never_answers(self, desk: Desk):
        for _ in range(20):
            desk.ask("ida@example.org")
            desk.work()
            desk.later(days=1, minutes=1)
        assert len(desk.mails()) == ASKED_IN_A_MONTH
        assert desk.outcomes()[-1] == "asked often enough"

    def test_may_click_the_link_of_an_earlier_mail(self, desk: Desk):
        desk.ask("ida@example.org", frequency="daily")
        desk.work()
        desk.later(days=2)
        desk.ask("ida@example.org")
        desk.work()
        first, second = desk.mails()
        assert desk.click(first.key).state == "confirmed"  # type: ignore[union-attr]
        assert desk.click(second.key).state == "confirmed"  # type: ignore[union-attr]
        person = desk.person("ida@example.org")
        assert person is not None
        assert person.frequency == "daily"
        assert desk.kinds() == ["confirm", "confirm", "welcome"]


class TestASubscriber:
    def test_is_told_so_once_a_day_and_nothing_changes(self, desk: Desk):
        desk.join("ida@example.org")
        before = desk.person("ida@example.org")
        for _ in range(3):
            desk.ask("ida@example.org", name="Buy pills", frequency="weekly")
            desk.work()
        assert desk.kinds() == ["confirm", "welcome", "already"]
        assert desk.outcomes()[1:] == ["told", "told today", "told today"]
        assert desk.person("ida@example.org") == before

    def test_is_told_even_while_they_pause(self, desk: Desk):
        desk.join("ida@example.org")
        desk.ask("ida@example.org")
        desk.work()
        assert "ida@example.org" in desk.send()


@pytest.mark.parametrize("state", ["unsubscribed", "bounced", "complained"])
class TestWhoLeft:
    def left(self, desk: Desk, state: str) -> None:
        desk.join("ida@example.org")
        with desk.database() as connection:
            from dispatch.audience import states

            person = states.store.at_desk(connection, "world", ["ida@example.org"])
            key = person["ida@example.org"].key
            states.move(connection, key, state, "a test", desk.now)  # type: ignore[arg-type]
        desk.later(days=1, hours=1)

    def test_stays_gone_until_they_click(self, desk: Desk, state: str):
        self.left(desk, state)
        desk.ask("ida@example.org")
        desk.work()
        assert desk.state("ida@example.org") == state
        assert desk.send()["ida@example.org"]["Subject"].startswith("Please confirm")
        assert desk.state("ida@example.org") == state

    def test_comes_back_by_their_click(self, desk: Desk, state: str):
        self.left(desk, state)
        desk.ask("ida@example.org", frequency="daily")
        desk.work()
        assert desk.click(desk.mails()[-1].key).state == "confirmed"  # type: ignore[union-attr]
        person = desk.person("ida@example.org")
        assert person is not None
        assert (person.state, person.frequency, person.consent_at) == ("active", "daily", desk.now)
        assert desk.kinds() == ["confirm", "welcome", "confirm", "welcome"]

    def test_does_not_come_back_by_a_link_from_before(self, desk: Desk, state: str):
        self.left(desk, state)
        old = desk.mails()[0].key
        assert desk.look(old).state == "expired"  # type: ignore[union-attr]
        assert desk.click(old).state == "expired"  # type: ignore[union-attr]
        assert desk.state("ida@example.org") == state


class TestWhoWasForgotten:
    def test_is_asked_and_comes_back_by_their_click_alone(self, desk: Desk):
        desk.join("ida@example.org")
        subscribers.forget("ida@example.org", desk.out, desk.now)
        desk.later(days=1, hours=1)
        desk.ask("ida@example.org")
        desk.work()
        assert subscribers.show("ida@example.org", desk.out, desk.now).forgotten
        assert desk.click(desk.mails()[-1].key).state == "confirmed"  # type: ignore[union-attr]
        shown = subscribers.show("ida@example.org", desk.out, desk.now)
        assert shown.forgotten is None
        assert desk.state("ida@example.org") == "active"

    def test_is_forgotten_again_where_they_do_not_answer(self, desk: Desk):
        desk.join("ida@example.org")
        subscribers.forget("ida@example.org", desk.out, desk.now)
        desk.later(days=1, hours=1)
        desk.ask("ida@example.org")
        desk.work()
        desk.later(days=7, hours=1)
        desk.work()
        assert desk.person("ida@example.org") is None
        assert "ida@" not in str(desk.mails())
        assert subscribers.show("ida@example.org", desk.out, desk.now).forgotten

    def test_leaves_no_sign_up_behind(self, desk: Desk):
        desk.ask("ida@example.org")
        subscribers.forget("ida@example.org", desk.out, desk.now)
        assert desk.rows() == []


class TestWhoIsSuppressed:
    @pytest.mark.parametrize("where", ["world", None])
    def test_gets_nothing(self, desk: Desk, where: str | None):
        subscribers.suppress("ida@example.org", where, "asked by telephone", desk.out, desk.now)
        desk.ask("ida@example.org")
        desk.work()
        assert (desk.mails(), desk.person("ida@example.org")) == ([], None)
        assert desk.outcomes() == ["suppressed"]

    def test_after_they_were_asked(self, desk: Desk):
        desk.ask("ida@example.org", "bo@example.org")
        desk.work()
        subscribers.suppress("ida@example.org", None, "asked by telephone", desk.out, desk.now)
        assert [mail.state for mail in desk.mails()] == ["suppressed", "queued"]
        assert desk.click(desk.mails()[0].key).state == "expired"  # type: ignore[union-attr]
        assert set(desk.send()) == {"bo@example.org"}


class TestDesksThatTakeNobody:
    def test_a_private_one(self, desk: Desk):
        desk.own(access="private")
        desk.ask("ida@example.org")
        desk.work()
        assert (desk.mails(), desk.person("ida@example.org")) == ([], None)
        assert desk.outcomes() == ["the desk takes no sign-ups"]

    def test_one_that_there_is_not(self, desk: Desk):
        desk.ask("ida@example.org", desk="nowhere")
        desk.work()
        assert desk.person("ida@example.org", "nowhere") is None
        assert desk.outcomes() == ["the desk takes no sign-ups"]


class TestBombing:
    """Somebody fills in the form with other people's addresses."""

    def test_one_mailbox_under_many_names(self, desk: Desk):
        names = [f"ida+{n}@gmail.com" for n in range(20)] + ["i.da@gmail.com", "ida@googlemail.com"]
        desk.ask(*names)
        desk.work()
        assert len(desk.mails()) == MAILS_A_DAY

    def test_one_mailbox_at_many_desks(self, desk: Desk):
        for n in range(10):
            person = subscribers.Person("bo@example.org")
            subscribers.add(person, f"desk{n}", desk.out, desk.now)
            desk.ask("ida@example.org", desk=f"desk{n}")
            desk.work()
        assert len(desk.mails()) == MAILS_A_DAY

    def test_one_domain(self, desk: Desk):
        desk.set(signups_per_domain=3, signups_per_ip=0)
        desk.ask(*(f"reader{n}@example.org" for n in range(8)), "ida@example.net")
        desk.work()
        assert Counter(desk.outcomes()) == {"asked": 4, "too many at one domain": 5}
        desk.later(hours=1, seconds=1)
        desk.ask("late@example.org")
        desk.work()
        assert desk.outcomes()[-1] == "asked"

    def test_the_large_providers_domains_are_everybodys(self, desk: Desk):
        desk.set(signups_per_domain=3, signups_per_ip=0)
        desk.ask(*(f"reader{n}@gmail.com" for n in range(8)))
        desk.work()
        assert set(desk.outcomes()) == {"asked"}

    def test_from_one_place(self, desk: Desk):
        desk.set(signups_per_ip=3)
        desk.ask(*(f"r@d{n}.example.org" for n in range(5)), ip="192.0.2.1")
        desk.ask("r@other.example.org", ip="192.0.2.2")
        desk.work()
        assert Counter(desk.outcomes()) == {"asked": 4, "too many from one place": 2}

    def test_from_one_place_in_many_rounds(self, desk: Desk):
        desk.set(signups_per_ip=3)
        for n in range(5):
            desk.ask(f"r@d{n}.example.org", ip=f"2001:db8:1:2::{n}")
            desk.work()
        assert Counter(desk.outcomes()) == {"asked": 3, "too many from one place": 2}

    def test_from_everywhere(self, desk: Desk):
        desk.set(signups_per_hour=3, signups_per_ip=0)
        desk.ask(*(f"r@d{n}.example.org" for n in range(8)))
        for _ in range(2):
            with pytest.raises(DeliveryError, match="SIGNUPS_PER_HOUR"):
                desk.work()
            assert Counter(desk.outcomes()) == {"asked": 3, None: 5}
        desk.later(hours=1, seconds=1)
        with pytest.raises(DeliveryError):
            desk.work()
        assert Counter(desk.outcomes()) == {"asked": 6, None: 2}
        desk.later(days=1)
        desk.work()
        assert Counter(desk.outcomes()) == {"asked": 6, "too late": 2}

    def test_no_limit_at_all(self, desk: Desk):
        desk.set(signups_per_hour=0, signups_per_ip=0, signups_per_domain=0)
        desk.ask(*(f"reader{n}@example.org" for n in range(130)))
        desk.work()
        assert Counter(desk.outcomes()) == {"asked": 130}

    @pytest.mark.parametrize(
        ("ip", "place"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("testclient", "testclient"),
        ],
    )
    def test_what_a_place_is(self, ip: str, place: str):
        assert network(ip) == place

    @pytest.mark.parametrize(
        ("email", "mailbox"),
        [
            ("Ida.Marlow+news@example.org", "ida.marlow@example.org"),
            ("ida.marlow+news@googlemail.com", "idamarlow@gmail.com"),
            ("+@example.org", "+@example.org"),
        ],
    )
    def test_which_mailbox_an_address_ends_up_in(self, email: str, mailbox: str):
        assert mailbox_of(addresses.parse(email)) == mailbox


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "Win now https://evil.example",
            "www.evil.example",
            "call 0900 123456",
            "<b>Ida</b>",
            "ida@evil.example",
            "I" * 65,
            "\r\nBcc: all@example.org",
            "",
        ],
    )
    def test_that_lead_somewhere_are_left_out(self, desk: Desk, name: str):
        row = signups.asked_for("ida@example.org", "world", source="s", text="t", at=NOW, name=name)
        assert row.name is None

    @pytest.mark.parametrize("name", ["Ida Marlow", "O’Neill, Seán", "山田 花子", "Ida II"])
    def test_of_people_are_kept(self, name: str):
        row = signups.asked_for("ida@example.org", "world", source="s", text="t", at=NOW, name=name)
        assert row.name == name

    @pytest.mark.parametrize(
        "email", ["", "ida", "ida@", "ida@example.org\nBcc: x@example.org", "a@b@c", "x" * 5000]
    )
    def test_an_address_has_to_be_one(self, email: str):
        with pytest.raises(AudienceError):
            signups.asked_for(email, "world", source="s", text="t", at=NOW)


class TestTogether:
    def test_two_engines_answer_each_row_once(self, desk: Desk):
        desk.set(signups_per_hour=0, signups_per_ip=0, signups_per_domain=0)
        desk.ask(*(f"reader{n}@example.org" for n in range(200)))
        failed: list[BaseException] = []

        def go() -> None:
            try:
                desk.work()
            except BaseException as error:
                failed.append(error)

        engines = [threading.Thread(target=go) for _ in range(3)]
        for engine in engines:
            engine.start()
        for engine in engines:
            engine.join()
        assert failed == []
        assert Counter(desk.outcomes()) == {"asked": 200}
        assert Counter(desk.kinds()) == {"confirm": 200}
        assert len({mail.email for mail in desk.mails()}) == 200

    def test_what_breaks_off_leaves_everything_waiting(self, desk: Desk, tmp_path: Path):
        own = tmp_path / "own"
        (own / "mail").mkdir(parents=True)
        broken = own / "mail" / "confirm.html"
        broken.write_text("{{ nothing }}", encoding="utf-8")
        desk.set(templates=own)
        desk.ask("ida@example.org")
        with pytest.raises(TemplateError, match=r"confirm\.html"):
            desk.work()
        assert (desk.outcomes(), desk.mails(), desk.person("ida@example.org")) == ([None], [], None)
        broken.unlink()
        desk.work()
        assert desk.outcomes() == ["asked"]

    def test_a_confirmation_without_its_link_is_refused(self, desk: Desk, tmp_path: Path):
        own = tmp_path / "own"
        (own / "mail").mkdir(parents=True)
        (own / "mail" / "confirm.html").write_text("<p>Hello</p>", encoding="utf-8")
        desk.set(templates=own)
        desk.ask("ida@example.org")
        with pytest.raises(TemplateError, match="no link to confirm"):
            desk.work()

    def test_stops_when_it_is_told_to(self, desk: Desk):
        desk.ask("ida@example.org")
        signups.work(desk.out, desk.settings, desk.now, lambda: True)
        assert desk.outcomes() == [None]

    def test_no_database_is_made_for_it(self, tmp_path: Path, desk: Desk):
        signups.work(tmp_path / "empty", desk.settings, desk.now)
        assert not (tmp_path / "empty").exists()


class TestKeeping:
    def test_rows_go_when_nothing_needs_them_any_more(self, desk: Desk):
        desk.ask("ida@example.org", "ida@example.org")
        desk.work()
        desk.later(days=2, seconds=1)
        desk.work()
        assert desk.outcomes() == ["asked"]  # its link works still
        desk.later(days=5)
        desk.work()
        assert desk.rows() == []

    def test_who_never_answered_is_erased(self, desk: Desk):
        desk.ask("ida@example.org", "bo@example.org")
        desk.work()
        desk.click(desk.mails("bo@example.org")[0].key)
        desk.later(days=7, seconds=1)
        desk.work()
        assert desk.person("ida@example.org") is None
        assert desk.state("bo@example.org") == "active"
        assert [mail.email for mail in desk.mails()] == ["", "bo@example.org", "bo@example.org"]

    def test_who_asked_again_meanwhile_is_not(self, desk: Desk):
        desk.ask("ida@example.org")
        desk.work()
        desk.later(days=5)
        desk.ask("ida@example.org")
        desk.work()
        desk.later(days=3)
        desk.work()
        assert desk.click(desk.mails()[-1].key).state == "confirmed"  # type: ignore[union-attr]

    def test_whom_the_desk_added_as_pending_is_the_desks(self, desk: Desk):
        person = subscribers.Person("ida@example.org", pending=True)
        subscribers.add(person, "world", desk.out, desk.now)
        desk.ask("ida@example.org")
        desk.work()
        desk.later(days=30)
        desk.work()
        assert desk.state("ida@example.org") == "pending"


class Journeys(RuleBasedStateMachine):
    """Whatever people do in whatever order: nobody is mailed too often, nobody comes in unasked."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = desk_in(Path(self.folder.name))
        self.readers = ("ida@example.org", "bo@example.net")
        self.clicked: set[str] = set()
        self.sent: list[tuple[str, str, datetime]] = []

    @rule(who=st.sampled_from((0, 1)), frequency=st.sampled_from(FREQUENCIES))
    def ask(self, who: int, frequency: str) -> None:
        self.desk.ask(self.readers[who], frequency=frequency)

    @rule()
    def work(self) -> None:
        before = len(self.desk.mails())
        self.desk.work()
        new = self.desk.mails()[before:]
        self.sent += [(mail.email, mail.kind, self.desk.now) for mail in new]

    @rule(which=st.integers(0, 20))
    def click(self, which: int) -> None:
        mails = [mail for mail in self.desk.mails() if mail.kind == "confirm" and mail.email]
        if mails:
            mail = mails[which % len(mails)]
            found = self.desk.click(mail.key)
            if found is not None and found.state == "confirmed":
                self.clicked.add(mail.email)

    @rule(who=st.sampled_from((0, 1)))
    def leave(self, who: int) -> None:
        if self.desk.state(self.readers[who]) not in (None, "unsubscribed"):
            self.desk.leave(self.readers[who])
            self.clicked.discard(self.readers[who])

    @rule(hours=st.sampled_from((1, 12, 25, 24 * 8)))
    def wait(self, hours: int) -> None:
        self.desk.later(hours=hours)

    @invariant()
    def nobody_is_in_but_by_their_click(self) -> None:
        for reader in self.readers:
            assert (self.desk.state(reader) == "active") == (reader in self.clicked)

    @invariant()
    def nobody_is_asked_twice_within_a_day(self) -> None:
        for kind in ("confirm", "already"):
            for reader in self.readers:
                times = [at for email, what, at in self.sent if (email, what) == (reader, kind)]
                assert all(b - a >= timedelta(days=1) for a, b in pairwise(times))

    def teardown(self) -> None:
        self.folder.cleanup()


TestJourneys = Journeys.TestCase
TestJourneys.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
