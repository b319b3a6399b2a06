"""What a row of a list says of a person, in the exports of other senders and in lists made by hand."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.audience import columns, values
from dispatch.audience.cells import bare, guarded
from dispatch.audience.reading import Table
from dispatch.audience.records import Record, Records
from dispatch.errors import AudienceError


def read(text: str) -> list[Record]:
    return read_counting(text)[0]


def read_counting(text: str) -> tuple[list[Record], dict[str, int]]:
    table = Table(io.BytesIO(text.encode()), "list.csv")
    records = Records(columns.understood(table.names, "list.csv"))
    found = []
    for _, cells, problem in table:
        assert problem is None
        found.append(records.record(cells))
    return found, dict(records.ignored)


# The exports of other senders ----------------------------------------------------------------------

LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
5ee0cf5c-0000-4000-8000-000000000001,ida@example.org,Ida Marlow,"{""city"": ""Port Ellery"", ""age"": 44, ""vip"": true, ""x"": {""y"": 1}}",enabled,2025-02-07T15:21:29.123456Z,2025-03-01T00:00:00Z
5ee0cf5c-0000-4000-8000-000000000002,bo@example.org,Bo Lind,{},blocklisted,2025-02-07T15:21:29Z,2025-03-01T00:00:00Z
5ee0cf5c-0000-4000-8000-000000000003,cy@example.org,Cy,{},disabled,2025-02-07T15:21:29Z,2025-03-01T00:00:00Z
"""


def test_listmonk() -> None:
    ida, bo, cy = read(LISTMONK)
    assert (ida.email, ida.name, ida.state) == ("ida@example.org", "Ida Marlow", "active")
    assert ida.joined == "2025-02-07T15:21:29.123456+00:00"
    fields = json.loads(ida.fields or "")
    assert (fields["city"], fields["age"], fields["vip"]) == ("Port Ellery", "44", "true")
    assert "x" not in fields
    assert (bo.state, cy.state) == ("unsubscribed", "unsubscribed")


GHOST = """\
id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
6501,ida@example.org,Ida Marlow,"VIP, early backer",true,true,cus_1,2024-01-15T10:00:00.000Z,,"VIP,Press Corps",Gold
6502,bo@example.org,,,false,,,2024-01-15T10:00:00.000Z,,,
6503,cy@example.org,,,true,,,2024-01-15T10:00:00.000Z,2025-01-01T00:00:00.000Z,,
6504,di@example.org,,,,,,2024-01-15T10:00:00.000Z,,,
"""


def test_ghost() -> None:
    ida, bo, cy, di = read(GHOST)
    assert (ida.tags, ida.state) == ("|press corps|vip|", "active")
    assert json.loads(ida.fields or "")["tiers"] == "Gold"
    assert (bo.state, cy.state, di.state) == ("unsubscribed", "unsubscribed", None)


MAILCHIMP = '''\
"Email Address","First Name","Last Name",Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS
ida@example.org,Ida,Marlow,,2,,,"2024-03-16 14:40:47",192.0.2.7,47.6,-122.2,-8,-7,America/Los_Angeles,US,WA,"2024-03-16 14:40:47",44877845,c2cb0681af,,"""VIP"",""Blog Readers"""
'''
MAILCHIMP_UNSUBSCRIBED = """\
"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID,TAGS
bo@example.org,Bo,,2,,,"2024-03-16 14:40:47",192.0.2.7,"2024-03-16 14:40:47","2024-04-01 08:00:00",Spring,NORMAL,1,a,
"""
MAILCHIMP_CLEANED = """\
"Email Address","First Name",CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID
cy@example.org,Cy,"2024-03-16 14:40:47","2024-04-01 08:00:00",Spring,1
"""


def test_mailchimp() -> None:
    (ida,) = read(MAILCHIMP)
    assert (ida.name, ida.tags, ida.timezone) == (
        "Ida Marlow",
        "|blog readers|vip|",
        "America/Los_Angeles",
    )
    assert (ida.consent_at, ida.consent_ip) == ("2024-03-16T14:40:47+00:00", "192.0.2.7")
    assert ida.state is None
    assert read(MAILCHIMP_UNSUBSCRIBED)[0].state == "unsubscribed"
    assert read(MAILCHIMP_CLEANED)[0].state == "bounced"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("subscribed", "active"),
        ("Unsubscribed", "unsubscribed"),
        ("cleaned", "bounced"),
        ("Non-Subscribed", "unsubscribed"),
        ("pending", "pending"),
        ("", None),
    ],
)
def test_mailchimps_status_words(word: str, state: str | None) -> None:
    assert read(f"Email Address,Status\nida@example.org,{word}\n")[0].state == state


SUBSTACK = """\
email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
ida@example.org,true,2026-12-01T00:00:00.000Z,yearly,false,2024-02-01T10:00:00.000Z,2024-02-01T10:00:00.000Z
bo@example.org,false,,other,false,2024-01-15T10:00:00.000Z,
cy@example.org,false,,other,true,2024-01-15T10:00:00.000Z,
"""


def test_substack() -> None:
    ida, bo, cy = read(SUBSTACK)
    assert (ida.state, bo.state, cy.state) == (None, None, "unsubscribed")
    assert json.loads(ida.fields or "")["plan"] == "yearly"
    assert ida.joined == "2024-02-01T10:00:00+00:00"


BUTTONDOWN = """\
id,email_address,notes,metadata,tags,referrer_url,creation_date,secondary_id,type,source,utm_campaign,ip_address,unsubscription_date,undeliverability_date
sub_1,ida@example.org,,"{""city"": ""Port Ellery""}","press, vip",https://example.org,2024-08-24T14:15:22Z,3,premium,api,,192.0.2.7,,
sub_2,bo@example.org,,{},,,2024-08-24T14:15:22Z,4,unactivated,import,,,,
sub_3,cy@example.org,,{},,,2024-08-24T14:15:22Z,5,unsubscribed,organic,,,2025-01-01T00:00:00Z,
sub_4,di@example.org,,{},,,2024-08-24T14:15:22Z,6,undeliverable,organic,,,,2025-01-01T00:00:00Z
sub_5,ed@example.org,,{},,,2024-08-24T14:15:22Z,7,past_due,organic,,,,
"""


def test_buttondown() -> None:
    ida, bo, cy, di, ed = read(BUTTONDOWN)
    assert (ida.tags, ida.consent_ip, ida.consent_source) == ("|press|vip|", "192.0.2.7", "api")
    assert json.loads(ida.fields or "")["city"] == "Port Ellery"
    states = [person.state for person in (ida, bo, cy, di, ed)]
    assert states == ["active", "pending", "unsubscribed", "bounced", "active"]
    assert read("email,subscriber_type\nida@example.org,unactivated\n")[0].state == "pending"


# Lists made by hand --------------------------------------------------------------------------------


def test_columns_in_other_languages_and_spellings() -> None:
    (ida,) = read("Vorname;Nachname;E-Mail-Adresse;Sprache\nIda;Marlow;ida@example.org;DE_at\n")
    assert (ida.name, ida.email, ida.language) == ("Ida Marlow", "ida@example.org", "de-AT")


def test_the_column_that_says_something_wins() -> None:
    text = (
        "email,confirm_time,optin_time\nida@example.org,,2024-01-01\nbo@example.org,2024-02-02,x\n"
    )
    assert [r.consent_at for r in read(text)] == [
        "2024-01-01T00:00:00+00:00",
        "2024-02-02T00:00:00+00:00",
    ]


def test_columns_that_are_not_known_become_custom_fields() -> None:
    (ida,) = read("email,Plan Name,domain,Type\nida@example.org,=pro,shop,customer\n")
    assert json.loads(ida.fields or "") == {
        "plan_name": "=pro",
        "field_domain": "shop",
        "type": "customer",
    }
    assert ida.state is None


def test_there_is_an_end_to_custom_fields() -> None:
    names = [f"f{n}" for n in range(80)]
    understood = columns.understood(["email", *names, "f1", "---"], "list.csv")
    assert len(understood.fields) == values.MOST_FIELDS
    assert understood.left_out == (*names[values.MOST_FIELDS :], "f1", "---")


def test_the_gravest_of_what_is_said_holds() -> None:
    head = "email,status,subscribed,unsubscribed_at,bounced_at\n"
    rows = [
        ("active,yes,,", "active"),
        ("active,no,,", "unsubscribed"),
        ("pending,yes,,", "pending"),
        ("complained,,2024-01-01,2024-01-01", "complained"),
        ("active,yes,2024-01-01,", "unsubscribed"),
        (",,,2024-01-01", "bounced"),
    ]
    for cells, state in rows:
        assert read(f"{head}ida@example.org,{cells}\n")[0].state == state


def test_a_status_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(AudienceError, match="The status “gold member” is not known"):
        read("email,status\nida@example.org,gold member\n")


def test_values_without_sense_are_left_out_and_counted() -> None:
    records, ignored = read_counting(
        "email,language,timezone,consent time,ip,created_at,attributes\n"
        "ida@example.org,German (Austria),Middle-earth,01/02/2024,1.2.3.4.5,soon,[1]\n"
    )
    assert records[0][3:] == (None, None, None, None, "{}", *[None] * 8)
    kinds = ("language", "timezone", "consent_at", "consent_ip", "joined", "attributes")
    assert ignored == dict.fromkeys(kinds, 1)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["Name", "Mail Addr."], "Its columns are Name, Mail Addr.; call that column email. Did you mean Mail Addr.?"),
        (["Name", "emial"], "Did you mean emial?"),
        (["email:name"], "part them with a comma, a semicolon, a tab or a bar"),
        (["a", ""], "Its columns are a, (no name); call"),
        (["ida@example.org", "Ida"], "has no line of column names: it begins with ida@example.org, Ida."),
        ([f"c{n}" for n in range(25)], "c19 and 5 more; call"),
    ],
)  # fmt: skip
def test_without_a_column_of_addresses_it_says_what_there_is(names: list[str], says: str) -> None:
    with pytest.raises(AudienceError) as caught:
        columns.understood(names, "list.csv")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-01-15", "2024-01-15T00:00:00+00:00"),
        ("2024-01-15 10:00:00", "2024-01-15T10:00:00+00:00"),
        ("2024-01-15T10:00:00.123Z", "2024-01-15T10:00:00.123000+00:00"),
        ("2024-01-15 10:00:00 +0200", "2024-01-15T08:00:00+00:00"),
        ("2024-01-15 10:00:00.123456 +0000 UTC", "2024-01-15T10:00:00.123456+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("1700000000", None),
        ("01/02/2024", None),
    ],
)
def test_times(written: str, meant: str | None) -> None:
    time = values.time(written)
    assert (time and time.isoformat()) == meant


# Hostile values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hostile", "kept"),
    [
        ("Ida\r\nBcc: bo@example.org", "Ida Bcc: bo@example.org"),
        ("Ida\u2028Marlow\x00", "Ida Marlow"),
        ("\u202eadI", "adI"),
        ("  Ida \t Marlow  ", "Ida Marlow"),
        ("x" * 500, "x" * 200),
        ("نرگس\u200cها", "نرگس\u200cها"),
        ("\ufeff\x1b[2J", "[2J"),
        ("\u200b\u00ad", None),
    ],
)
def test_names_cannot_end_a_header_or_turn_it_round(hostile: str, kept: str | None) -> None:
    assert values.name(hostile) == kept


@given(st.text(max_size=300))
def test_any_text_is_one_line(text: str) -> None:
    kept = values.name(text)
    assert kept is None or (kept == kept.strip() and len(kept) <= values.LONGEST_NAME)
    for c in kept or "":
        assert c not in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029\x00\u202a\u202e\u2066"


@given(st.text(max_size=200))
def test_any_text_is_tags_that_can_be_stored(text: str) -> None:
    found = values.tags(text)
    assert values.parted_tags(values.joined_tags(found)) == found
    assert values.tags(",".join(found)) == found
    assert list(found) == sorted(set(found))


@given(st.text(max_size=60))
def test_no_text_breaks_what_makes_sense_of_it(text: str) -> None:
    for parse in (values.time, values.ip, values.timezone, values.language, values.attributes):
        parse(text)
    language = values.language(text)
    assert language is None or values.language(language) == language


def test_json_that_is_deep_or_huge_is_no_object() -> None:
    assert values.attributes("[" * 100_000) is None
    assert values.attributes('{"a": ' * 60_000) is None
    assert values.attributes('{"a": 1' + "0" * 5000 + "}") is None
    assert values.attributes('{"a": 1e999, "b": null}') == {"a": "Infinity"}


@given(st.text("'=+-@\t\r\na", max_size=6) | st.text(max_size=20))
def test_a_cell_is_no_formula_and_comes_back_to_the_letter(cell: str) -> None:
    written = guarded(cell)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert bare(written) == cell
