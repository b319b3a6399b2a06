"""A sending domain is examined against a real DNS server, which lies, breaks and falls silent."""

from __future__ import annotations

import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.servers.nameserver import Zone, serving

from dispatch.errors import DispatchError, SettingsError
from dispatch.mailing.dkim import Key
from dispatch.mailing.relays import parse
from dispatch.newsroom import dkim
from dispatch.newsroom.doctor import Dns, Finding, Subject, examine, missed, subject
from dispatch.newsroom.doctor.lookups import UnansweredError
from dispatch.newsroom.doctor.spf_records import SpfError, Walk
from dispatch.newsroom.doctor.tags import parse as parse_tags
from dispatch.settings import Settings, load

KEY = Key("news.example.org", "autumn", "rsa", rsa.generate_private_key(65537, 2048))
ED25519 = Key("news.example.org", "autumn-ed", "ed25519", ed25519.Ed25519PrivateKey.generate())
ADDRESS = "192.0.2.25"
PTR = ("25.2.0.192.in-addr.arpa", "PTR")
PUBLIC = "11.22.33.44"

PATIENT = Subject(
    domain="news.example.org",
    return_path="news.example.org",
    unsubscribe="news.example.org",
    site_url="https://news.example.org",
    site_is_set=True,
    relays=(parse("smtp+starttls://relay.example.net:587"),),
    keys=(KEY,),
    addresses=(ADDRESS,),
)
HEALTHY: dict[tuple[str, str], Any] = {
    ("news.example.org", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all", "site-verification=1"],
    ("news.example.org", "MX"): ["10 mx.example.org."],
    ("mx.example.org", "A"): ["192.0.2.30"],
    ("autumn._domainkey.news.example.org", "TXT"): [KEY.record],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org"],
    PTR: ["mail.example.org."],
    ("mail.example.org", "A"): [ADDRESS],
}
SPF = ("news.example.org", "TXT")
DKIM = ("autumn._domainkey.news.example.org", "TXT")
DMARC = ("_dmarc.example.org", "TXT")


def findings(
    changes: Zone | None = None, patient: Subject = PATIENT, seconds: float = 2.0
) -> list[Finding]:
    """Of the healthy zone, with ``changes``; an empty list takes a record away."""
    zone = {key: value for key, value in {**HEALTHY, **(changes or {})}.items() if value}
    with serving(zone) as server:
        return list(examine(patient, Dns(server.address, seconds=seconds)))


def changed(**values: Any) -> Subject:
    from dataclasses import replace

    return replace(PATIENT, **values)


def of(check: str, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.check == check]


def wrong(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.check, f.level) for f in found if f.level != "ok"]


def the_fault(check: str, found: list[Finding]) -> Finding:
    """The one finding that is not ok, which must be of this check and say what to do."""
    (fault,) = [finding for finding in found if finding.level != "ok"]
    assert fault.check == check
    assert fault.todo
    return fault


def test_a_healthy_domain_has_nothing_wrong() -> None:
    found = findings()
    assert wrong(found) == []
    assert {finding.check for finding in found} == {
        "one-click unsubscribe", "TLS", "SPF", "DKIM", "DMARC", "alignment", "reverse DNS",
        "mail back",
    }  # fmt: skip
    assert missed(found) == {"Gmail": [], "Yahoo": [], "Outlook": []}


def test_every_question_is_asked_once() -> None:
    with serving(HEALTHY) as server:
        list(examine(PATIENT, Dns(server.address)))
        assert len(server.asked) == len(set(server.asked))


# SPF ---------------------------------------------------------------------------------------------


def spf(*records: str, patient: Subject = PATIENT, **others: Any) -> Finding:
    zone: dict[tuple[str, str], Any] = {SPF: list(records)}
    zone |= {(name.replace("_", "."), "TXT"): [text] for name, text in others.items()}
    return the_fault("SPF", findings(zone, patient))


def test_without_spf_everyone_misses_it_and_one_is_proposed() -> None:
    fault = spf("another text")
    assert fault.level == "error"
    assert fault.missed_by == ("Gmail", "Yahoo", "Outlook")
    assert fault.todo.endswith("such as: v=spf1 ip4:192.0.2.25 -all")


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ("v=spf1 ip4:192.0.2.0/24 +all", "lets anybody send"),
        ("v=spf1 ip4:192.0.2.0/24 all", "lets anybody send"),
        ("v=spf1 ip4:192.0.2.0/24 -al", '"-al", which means nothing'),
        ("v=spf1 ipv4:192.0.2.0/24 -all", "means nothing"),
        ("v=spf1 ip4:192.0.2 -all", "which is no network"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "which is no network"),
        ("v=spf1 ip4:2001:db8::/32 -all", "which is no network"),
        ("v=spf1 ip4:192.0.2.0/24 include:news.example.org -all", "without end"),
        ("v=spf1 include:nowhere.example -all", "which has no SPF record"),
        ("v=spf1 a:a.example a:b.example a:c.example -all", "do not exist"),
        ("v=spf1 a/99 ip4:192.0.2.0/24 -all", "do not exist|no network"),
    ],
)
def test_spf_records_that_are_worthless(record: str, fault: str) -> None:
    import re

    zone = {SPF: [record], ("news.example.org", "A"): [ADDRESS]}
    found = the_fault("SPF", findings(zone))
    assert found.level == "error"
    assert re.search(fault, found.what), found.what
    assert found.missed_by


def test_two_spf_records_are_as_good_as_none() -> None:
    assert "2 SPF records" in spf("v=spf1 -all", "V=SPF1 ip4:192.0.2.25 -all").what


@pytest.mark.parametrize("end", ["", " ?all"])
def test_spf_has_to_say_what_of_the_others(end: str) -> None:
    fault = spf("v=spf1 ip4:192.0.2.0/24" + end)
    assert (fault.level, fault.missed_by) == ("warning", ())


def test_an_address_that_spf_does_not_name() -> None:
    fault = spf("v=spf1 ip4:198.51.100.0/24 -all")
    assert fault.level == "error"
    assert fault.todo == "Add ip4:192.0.2.25 to it, before all."


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 a:mail.example.org -all",
        "v=spf1 a:mail.example.org/24 ~all",
        "v=spf1 mx:example.net -all",
        "v=spf1 -ip4:198.51.100.1 include:spf.example.net -all",
        "v=spf1 exp=why.example.org redirect=spf.example.net",
        "V=spf1  IP4:192.0.2.25  -ALL ",
        "v=spf1 ip6:2001:db8::/32 ip4:192.0.2.25 -all",
    ],
)
def test_an_address_that_spf_names_in_any_way(record: str) -> None:
    zone = {
        SPF: [record],
        ("spf.example.net", "TXT"): ["v=spf1 ip4:192.0.2.25/31 -all"],
        ("example.net", "MX"): ["10 mail.example.org."],
    }
    assert wrong(findings(zone)) == []


def test_what_an_included_record_refuses_is_not_allowed() -> None:
    zone = {
        SPF: ["v=spf1 include:spf.example.net -all"],
        ("spf.example.net", "TXT"): ["v=spf1 ?ip4:192.0.2.25 -all ip4:192.0.2.25"],
    }
    assert "does not let 192.0.2.25 send" in the_fault("SPF", findings(zone)).what


@pytest.mark.parametrize("term", ["exists:%{i}.list.example", "ptr", "include:%{d}.example"])
def test_what_depends_on_the_message_is_not_judged(term: str) -> None:
    fault = spf(f"v=spf1 {term} -all")
    assert (fault.level, fault.missed_by) == ("unknown", ())


def test_spf_may_take_ten_lookups_and_no_more() -> None:
    chain: dict[tuple[str, str], Any] = {
        (f"s{number}.example", "TXT"): [f"v=spf1 include:s{number + 1}.example ?all"]
        for number in range(1, 30)
    }
    chain["s10.example", "TXT"] = ["v=spf1 ip4:192.0.2.25 -all"]
    first = {SPF: ["v=spf1 include:s1.example -all"]}
    found = findings({**chain, **first})
    assert wrong(found) == []
    assert "10 of 10 lookups" in of("SPF", found)[0].what
    chain["s10.example", "TXT"] = ["v=spf1 include:s11.example -all"]
    assert "more than 10 lookups" in the_fault("SPF", findings({**chain, **first})).what


def test_a_long_spf_record_is_told() -> None:
    record = "v=spf1 " + "ip4:192.0.2.25 " * 40 + "-all"
    assert "characters" in spf(record).what


def test_spf_is_looked_for_where_bounces_go() -> None:
    patient = changed(return_path="bounces.example.org")
    found = findings({("bounces.example.org", "A"): ["192.0.2.30"]}, patient)
    assert the_fault("SPF", found).what.startswith("bounces.example.org, where bounces go")


# DKIM --------------------------------------------------------------------------------------------


def dkim_record(*records: str) -> Finding:
    return the_fault("DKIM", findings({DKIM: list(records)}))


PUBLIC_KEY = b64encode(KEY.public).decode()


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([], "has no record"),
        ([KEY.record, KEY.record + ";"], "has 2 records"),
        (["hello"], "not one of DKIM"),
        (["v=DKIM2; p=x"], "not one of DKIM"),
        (["v=DKIM1; k=rsa; k=rsa; p=x"], "not one of DKIM"),
        (["v=DKIM1; k=rsa"], "not one of DKIM"),
        (["v=DKIM1; p="], "revoked"),
        (["v=DKIM1; p=AAAA"], "another key"),
        (["v=DKIM1; p=*"], "another key"),
        ([KEY.record.replace("k=rsa", "k=ed25519")], "another key"),
        ([KEY.record + "; h=sha1"], "not meant for mail"),
        ([KEY.record + "; s=tlsrpt"], "not meant for mail"),
    ],
)
def test_dkim_records_that_are_worthless(records: list[str], fault: str) -> None:
    found = dkim_record(*records)
    assert found.level == "error"
    assert fault in found.what
    assert "dispatch dkim show" in found.todo
    assert found.missed_by == ("Gmail", "Yahoo", "Outlook")


@pytest.mark.parametrize(
    "record",
    [
        f"p={PUBLIC_KEY}",
        f"V = DKIM1 ;\r\n k=rsa; h=sha1:sha256; s=*; n=ours; p={PUBLIC_KEY[:70]} {PUBLIC_KEY[70:]};",
    ],
)
def test_dkim_records_as_others_write_them(record: str) -> None:
    assert wrong(findings({DKIM: [record]})) == []


def test_a_key_that_is_only_tried_is_told() -> None:
    assert dkim_record(KEY.record + "; t=s:y").level == "warning"


def test_a_short_key_is_told() -> None:
    key = Key("news.example.org", "autumn", "rsa", rsa.generate_private_key(65537, 1024))
    found = findings({DKIM: [key.record]}, changed(keys=(key,)))
    assert "1,024 bits" in the_fault("DKIM", found).what


def test_without_a_key_there_is_something_to_do() -> None:
    found = findings(patient=changed(keys=()))
    assert wrong(found) == [("DKIM", "error"), ("alignment", "warning")]
    assert "dispatch dkim create --domain news.example.org" in of("DKIM", found)[0].todo


def test_ed25519_alone_does_not_do() -> None:
    zone = {(ED25519.name, "TXT"): [ED25519.record]}
    fault = the_fault("DKIM", findings(zone, changed(keys=(ED25519,))))
    assert "RSA" in fault.todo
    assert wrong(findings(zone, changed(keys=(KEY, ED25519)))) == []


# DMARC and alignment -----------------------------------------------------------------------------


def test_without_dmarc_everyone_misses_it() -> None:
    fault = the_fault("DMARC", findings({DMARC: []}))
    assert fault.level == "error"
    assert fault.missed_by == ("Gmail", "Yahoo", "Outlook")
    assert "v=DMARC1; p=none" in fault.todo


@pytest.mark.parametrize(
    "records",
    [
        ["v=DMARC1"],
        ["v=DMARC1; p=maybe"],
        ["v=DMARC1; p=none; p=reject"],
        ["v=DMARC1; nonsense"],
        ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
    ],
)
def test_dmarc_records_that_are_worthless(records: list[str]) -> None:
    fault = the_fault("DMARC", findings({DMARC: records}))
    assert (fault.level, len(fault.missed_by)) == ("error", 3)


def test_no_policy_is_enough_for_the_rules_and_more_is_advised() -> None:
    found = findings({DMARC: ["v=DMARC1;p=none;rua=mailto:d@example.org"]})
    assert wrong(found) == []
    assert "quarantine or reject" in of("DMARC", found)[0].todo


def test_the_domains_own_record_goes_before_the_organisations() -> None:
    own = ("_dmarc.news.example.org", "TXT")
    found = findings({own: ["v=DMARC1; p=quarantine; rua=mailto:d@example.org"]})
    assert "policy quarantine" in of("DMARC", found)[0].what
    found = findings({DMARC: ["v=DMARC1; p=reject; sp=none; rua=mailto:d@example.org"]})
    assert "p=none" in of("DMARC", found)[0].what


def test_the_record_of_a_registry_is_not_ours() -> None:
    record = "v=DMARC1; p=reject; psd=y; rua=mailto:d@example.org"
    assert the_fault("DMARC", findings({DMARC: [record]})).level == "error"


def test_reports_have_to_go_somewhere() -> None:
    fault = the_fault("DMARC", findings({DMARC: ["v=DMARC1; p=none"]}))
    assert fault.level == "warning"
    assert "rua=mailto:" in fault.todo


def test_somebody_else_has_to_agree_to_reports() -> None:
    record = {DMARC: ["v=DMARC1; p=none; rua=mailto:a@reports.example!10m,mailto:b@example.org"]}
    fault = the_fault("DMARC", findings(record))
    assert "example.org._report._dmarc.reports.example" in fault.todo
    consent = {("example.org._report._dmarc.reports.example", "TXT"): ["v=DMARC1;"]}
    assert wrong(findings({**record, **consent})) == []


def test_bounces_elsewhere_leave_dkim_alone_to_speak() -> None:
    patient = changed(return_path="bounces.example.net", unsubscribe="bounces.example.net")
    zone = {
        ("bounces.example.net", "TXT"): ["v=spf1 ip4:192.0.2.25 -all"],
        ("bounces.example.net", "A"): ["192.0.2.30"],
    }
    fault = the_fault("alignment", findings(zone, patient))
    assert (fault.level, fault.missed_by) == ("warning", ())
    found = of("alignment", findings(zone, changed(return_path="bounces.example.net", keys=())))
    assert [(f.level, len(f.missed_by)) for f in found] == [("error", 3)]


def test_a_sibling_domain_speaks_for_us_unless_dmarc_is_strict() -> None:
    zone: dict[tuple[str, str], Any] = {
        ("bounces.example.org", "TXT"): ["v=spf1 ip4:192.0.2.25 -all"],
        ("bounces.example.org", "A"): ["192.0.2.30"],
    }
    patient = changed(return_path="bounces.example.org")
    assert wrong(findings(zone, patient)) == []
    zone[DMARC] = ["v=DMARC1; p=reject; aspf=s; rua=mailto:d@example.org"]
    assert "Only DKIM" in the_fault("alignment", findings(zone, patient)).what
    zone[DMARC] = ["v=DMARC1; p=reject; adkim=s; rua=mailto:d@example.org"]
    assert wrong(findings(zone, patient)) == []


# The addresses that mail leaves from -------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({PTR: []}, "has no name"),
        ({PTR: ["other.example."]}, "does not lead back"),
        ({("mail.example.org", "A"): ["192.0.2.99"]}, "does not lead back"),
    ],
)
def test_an_address_needs_a_name_that_leads_back(changes: Zone, fault: str) -> None:
    found = the_fault("reverse DNS", findings(changes))
    assert fault in found.what
    assert (found.level, found.missed_by) == ("error", ("Gmail", "Yahoo"))


def test_ipv6_is_looked_at_as_well() -> None:
    reverse = "5.2.0.0" + ".0" * 20 + ".8.b.d.0.1.0.0.2.ip6.arpa"
    zone = {
        SPF: ["v=spf1 ip6:2001:db8::/64 -all"],
        (reverse, "PTR"): ["six.example.org."],
        ("six.example.org", "AAAA"): ["2001:db8::25"],
    }
    assert wrong(findings(zone, changed(addresses=("2001:db8::25",)))) == []


def test_addresses_of_relays_are_looked_up_and_judged_with_care() -> None:
    zone = {("relay.example.net", "A"): [PUBLIC], SPF: ["v=spf1 include:spf.example.net -all"],
            ("spf.example.net", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"]}  # fmt: skip
    found = findings(zone, changed(addresses=()))
    assert wrong(found) == [("SPF", "warning"), ("reverse DNS", "warning")]
    assert f"{PUBLIC} (relay.example.net)" in of("SPF", found)[1].what
    assert "relay's provider" in of("SPF", found)[1].todo
    assert missed(found) == {"Gmail": [], "Yahoo": [], "Outlook": []}


def test_a_relay_without_an_address_is_an_error() -> None:
    fault = the_fault("relay", findings(patient=changed(addresses=())))
    assert "relay.example.net has no address" in fault.what


@pytest.mark.parametrize(
    "url", ["smtp://localhost:25", "smtp://[::1]:25", "sendmail:", "file:mails", "smtp://10.0.0.9"]
)
def test_a_relay_nearby_hides_where_mail_leaves_from(url: str) -> None:
    found = findings(patient=changed(addresses=(), relays=(parse(url),)))
    (hidden,) = of("relay", found)
    assert hidden.level == "unknown"
    assert "--ip" in hidden.todo


# What comes back ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({("news.example.org", "MX"): []}, "neither an MX record nor an address"),
        ({("news.example.org", "MX"): ["0 ."]}, "null MX"),
        ({("mx.example.org", "A"): []}, "taken by mx.example.org, which has no address"),
    ],
)
def test_bounces_have_to_arrive(changes: Zone, fault: str) -> None:
    found = the_fault("mail back", findings(changes))
    assert fault in found.what
    assert found.level == "error"
    assert "DISPATCH_RETURN_PATH" in found.todo


def test_every_domain_that_mail_comes_back_to_is_looked_at() -> None:
    patient = changed(return_path="example.org", unsubscribe="example.net", domain="example.com")
    found = of("mail back", findings(patient=patient))
    assert [(f.what.partition(",")[0], f.level) for f in found] == [
        ("example.org", "error"),
        ("example.net", "error"),
        ("example.com", "warning"),
    ]


# Our own settings --------------------------------------------------------------------------------


def test_an_example_address_is_an_error() -> None:
    fault = the_fault("one-click unsubscribe", findings(patient=changed(site_is_set=False)))
    assert "DISPATCH_SITE_URL is not set" in fault.what
    assert fault.missed_by == ("Gmail", "Yahoo")


def test_unsubscribe_links_have_to_be_encrypted() -> None:
    patient = changed(site_url="http://news.example.org")
    fault = the_fault("one-click unsubscribe", findings(patient=patient))
    assert "RFC 8058" in fault.todo


def test_a_relay_without_tls_is_told() -> None:
    patient = changed(relays=(parse("smtp://relay.example.net"), parse("smtps://b.example.net")))
    fault = the_fault("TLS", findings(patient=patient))
    assert fault.level == "warning"


def test_a_key_that_cannot_be_read_is_told() -> None:
    found = findings(patient=changed(keys=(), key_trouble="The key is open to others."))
    assert of("DKIM", found)[0].what == "The key is open to others."


def test_the_subject_is_what_the_settings_say(tmp_path: Path) -> None:
    dkim.create(tmp_path, "courier.example", {"ed25519": "a"})
    values = {
        "DISPATCH_SITE_URL": "https://news.courier.example",
        "DISPATCH_FROM__WORLD": "World <world@courier.example>",
        "DISPATCH_DKIM": str(tmp_path),
        "DISPATCH_SMTP_URL": "smtps://u:secret@relay.example.net",
    }
    patient = subject(load(values), None, "World", [ADDRESS])
    assert (patient.domain, patient.return_path) == ("courier.example", "news.courier.example")
    assert [key.selector for key in patient.keys] == ["a"]
    assert patient.site_is_set
    assert "secret" not in repr(patient)
    assert subject(load(values), "Sub.Courier.example", None).keys == patient.keys
    assert subject(load(values), "example.net", None).keys == ()


def test_without_a_site_everything_is_at_the_domain() -> None:
    patient = subject(Settings(), "courier.example", None)
    assert (patient.return_path, patient.unsubscribe) == ("courier.example", "courier.example")
    assert not patient.site_is_set


def test_a_subject_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(DispatchError, match="is not a domain"):
        subject(Settings(), "no domain", None)
    with pytest.raises(SettingsError, match="names no host"):
        subject(Settings(smtp_url=("smtp://",)), "example.org", None)


# A DNS that does not answer ----------------------------------------------------------------------

EVERYTHING = [("*", kind) for kind in ("TXT", "MX", "A", "AAAA", "PTR")]


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TRUNCATED", "GARBAGE"])
def test_trouble_is_not_taken_for_missing_records(fault: Any) -> None:
    with serving(dict.fromkeys(EVERYTHING, fault)) as server:
        found = list(examine(PATIENT, Dns(server.address, seconds=0.5)))
    assert {f.level for f in found if f.check not in ("TLS", "one-click unsubscribe")} == {
        "unknown"
    }
    assert missed(found) == {"Gmail": [], "Yahoo": [], "Outlook": []}


def test_a_silent_resolver_is_soon_given_up() -> None:
    begun = time.monotonic()
    with serving(dict.fromkeys(EVERYTHING, "SILENT")) as server:
        found = list(examine(PATIENT, Dns(server.address, seconds=0.3)))
    assert time.monotonic() - begun < 3
    assert wrong(found) == [
        ("SPF", "unknown"), ("DKIM", "unknown"), ("DMARC", "unknown"), ("reverse DNS", "unknown"),
        ("mail back", "unknown"),
    ]  # fmt: skip
    assert "does not answer" in found[-1].what


def test_one_answer_that_does_not_come_spoils_no_other_check() -> None:
    found = findings({DKIM: "SERVFAIL"})
    assert wrong(found) == [("DKIM", "unknown")]
    assert f"{DKIM[0]} (TXT)" in of("DKIM", found)[0].what


def test_an_include_that_cannot_be_asked_is_not_an_error() -> None:
    zone: Zone = {SPF: ["v=spf1 include:a.example -all"], ("a.example", "TXT"): "SERVFAIL"}
    assert wrong(findings(zone)) == [("SPF", "unknown")]


# A DNS that means harm ---------------------------------------------------------------------------


def test_a_record_of_any_size_is_bounded() -> None:
    record = b"v=spf1 " + b"ip4:192.0.2.25 " * 3000 + b"-all"
    found = findings({SPF: [record]})
    assert {finding.check for finding in found if finding.level != "ok"} == {"SPF"}
    assert all(len(finding.what) < 300 for finding in found)


def test_a_stranger_text_is_quoted_as_ascii_and_cut() -> None:
    fault = spf("v=spf1 \x1b]0;owned\x07" + "ä" * 500 + " -all")
    assert fault.what.replace("…", "").isascii()
    assert len(fault.what) < 300


def test_names_that_are_none_have_no_records() -> None:
    with serving({}) as server:
        dns = Dns(server.address)
        for name in ("", "a..b", "x" * 70 + ".example", "\x00.example", ".".join(["abc"] * 90)):
            assert dns.texts(name) == []


def test_a_zone_that_leads_on_and_on_is_left() -> None:
    """Ten mx terms with ten hosts each are as many as a receiver follows."""
    hosts = [f"{n} h{n}.example." for n in range(40)]
    record = "v=spf1 " + " ".join(f"mx:m{n}.example" for n in range(10)) + " -all"
    zone: dict[tuple[str, str], Any] = {("*", "MX"): hosts, SPF: [record]}
    zone |= {(f"h{n}.example", "A"): [f"198.51.100.{n}"] for n in range(40)}
    with serving({**HEALTHY, **zone}) as server:
        list(examine(PATIENT, Dns(server.address)))
        assert len(server.asked) <= 150


term = st.one_of(
    st.sampled_from(
        ["all", "a", "mx", "ptr", "include:", "redirect=", "ip4:", "exists:%{i}", "-", "/", "//9"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
)


@given(st.lists(st.lists(term, max_size=4).map("".join), max_size=8).map(" ".join))
@settings(max_examples=200)
def any_spf_record(dns: Dns, terms: str) -> None:
    try:
        Walk("example.org", dns).follow(f"v=spf1 {terms}")
    except SpfError as error:
        assert str(error).startswith("has an SPF record")
    except UnansweredError as error:  # it asked more than is answered in one examination
        assert "more records" in str(error)


def test_any_spf_record_is_read_or_refused() -> None:
    with serving({}) as server:
        any_spf_record(Dns(server.address))


def test_reading_takes_no_longer_for_being_hostile() -> None:
    begun = time.monotonic()
    for text in ("a:" + "%{a}" * 1000 + "!", "a:" + "%" * 4000, "a" * 4000, "ip4:" + "/1" * 2000):
        with serving({}) as server, pytest.raises(SpfError):
            Walk("example.org", Dns(server.address)).follow(f"v=spf1 {text} \x00")
    parse_tags("a=" + " " * 4000 + "\x00;" + "b" * 4000)
    assert time.monotonic() - begun < 2


@given(st.text(max_size=60))
def test_any_list_of_tags_is_read_or_none(text: str) -> None:
    tags = parse_tags(text)
    assert tags is None or all(name.isidentifier() for name in tags)


def test_tags_are_read_as_they_are_written() -> None:
    assert parse_tags(" v = DKIM1 ;\r\n P=a b ;") == {"v": "DKIM1", "p": "a b"}
    assert parse_tags("v=1; v=1") is None
    assert parse_tags("v=1;;p=2") is None
    assert parse_tags("") == {}
