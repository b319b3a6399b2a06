"""Which addresses are accepted, how they are mailed, and when two are the same."""

from __future__ import annotations

import time

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.audience import addresses
from dispatch.audience.addresses import Address, parse
from dispatch.errors import AudienceError


def test_the_domain_is_lower_case_and_the_local_part_as_its_owner_writes_it() -> None:
    assert parse(" Ida.Marlow@Example.ORG ") == Address(
        "Ida.Marlow@example.org", "ida.marlow@example.org", "example.org"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ida@example.org", "IDA@Example.Org"),
        ("ida@bücher.example", "ida@xn--bcher-kva.example"),
        ("ida@BÜCHER.example", "ida@bücher.example"),
        ("jos\u00e9@example.org", "JOSE\u0301@example.org"),
        ("NEWS@example.org", "news@example.org"),
    ],
)
def test_two_spellings_of_one_address(one: str, other: str) -> None:
    assert parse(one).key == parse(other).key


def test_a_domain_in_another_script_is_mailed_in_ascii() -> None:
    assert parse("ida@bücher.example").email == "ida@xn--bcher-kva.example"


def test_a_local_part_in_another_script_stays() -> None:
    assert parse("用户@example.org").email == "用户@example.org"


@pytest.mark.parametrize(
    "bad",
    [
        "", "   ", "ida", "@example.org", "ida@", "ida@example", "a@b@example.org",
        '"a b"@example.org', '"ida"@example.org', "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1",
        "a@printer.local", "a@x.test", "a@localhost", "a@hidden.onion", "a@x.invalid",
        "a..b@example.org", ".a@example.org", "a.@example.org", "a@-b.org", "a@b-.org",
        "a@ab--cd.org", "a@xn--a.org", "a@example.org.", "a@exa mple.org",
        "Ida <ida@example.org>", "ida@example.org, bo@example.org", "ida@example.org;bo@example.org",
        "ida@example.org\r\nBcc: bo@example.org", "ida\x00@example.org", "ida\u202e@example.org",
        "a@example.org)bo@evil.example", "ida＠example.org",
        "a" * 250 + "@example.org", "a@" + "b" * 64 + ".org", "x" * 1_000_000,
        "a" * 65 + "@example.org", "a" * 60 + ".bcdef@example.org", "ü" * 33 + "@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(bad: str) -> None:
    begun = time.process_time()
    with pytest.raises(AudienceError) as caught:
        parse(bad)
    assert time.process_time() - begun < CPU_SECONDS
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


LABELS = st.from_regex(r"\A[A-Za-z0-9-]{1,8}\Z")
PARTS = st.from_regex(r"\A[A-Za-z0-9._+'-]{1,12}\Z") | st.sampled_from(["News", "info", "ABUSE"])
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
TOPS = st.sampled_from(["org", "EXAMPLE", "test", "Local", "arpa", "c", "1x", "x1", "xn--p1ai"])


@given(PARTS, DOMAINS, TOPS)
@example("a", "a--b", "org")
@example("a", "xn--bcher-kva", "example")
@example("News", "example", "org")
@example("a" * 65, "example", "org")
def test_the_short_cut_says_what_the_library_says(local: str, domain: str, top: str) -> None:
    text = f"{local}@{domain}.{top}"
    plain = addresses._plain(text)
    if plain is not None:
        found = validate_email(text, check_deliverability=False)
        assert plain.email == found.normalized == found.ascii_email
        assert plain.domain == found.ascii_domain
        assert plain == addresses._by_the_book(text)


@given(st.text(max_size=60) | st.from_regex(r"\A[a-zA-Z0-9.@+\-_]{1,40}\Z"))
def test_any_text_is_an_address_or_refused_as_the_library_does(text: str) -> None:
    try:
        found = validate_email(text.strip(), check_deliverability=False)
        accepted = len(found.local_part.encode()) <= 64
    except EmailNotValidError:
        accepted = False
    try:
        address = parse(text)
    except AudienceError:
        assert not accepted
    else:
        assert accepted
        assert parse(address.email) == address


@given(st.text(max_size=30))
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert addresses.key_of(addresses.key_of(text)) == addresses.key_of(text)
