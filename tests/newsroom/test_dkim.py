"""Keys are made so that nobody else can read them and no mailing loses its own."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from dispatch.errors import DeliveryError, DispatchError
from dispatch.mailing.dkim import load
from dispatch.newsroom import dkim
from dispatch.settings import Settings

BOTH = {"rsa": "autumn-rsa", "ed25519": "autumn-ed25519"}
TODAY = date(2026, 11, 25)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_key_is_made_for_each_algorithm_and_can_be_loaded(tmp_path: Path) -> None:
    made = dkim.create(tmp_path / "dkim", "News.Example.org", BOTH)
    assert [record.key.algorithm for record in made] == ["rsa", "ed25519"]
    loaded = load(tmp_path / "dkim")
    assert {key.record for key in loaded} == {record.value for record in made}
    assert {key.domain for key in loaded} == {"news.example.org"}


def test_nobody_else_can_read_a_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (record,) = dkim.create(tmp_path / "dkim", "example.org", {"ed25519": "a"})
    finally:
        os.umask(before)
    assert mode(record.path) == 0o600
    assert mode(record.path.parent) == 0o700
    assert mode(tmp_path / "dkim") == 0o700
    assert [path.name for path in record.path.parent.iterdir()] == ["a.pem"]


def test_a_key_is_never_replaced_unasked(tmp_path: Path) -> None:
    (first,) = dkim.create(tmp_path, "example.org", {"ed25519": "autumn-ed25519"})
    with pytest.raises(DeliveryError, match=r"already.*--selector.*--force"):
        dkim.create(tmp_path, "example.org", BOTH)
    assert [key.record for key in load(tmp_path)] == [first.value]


def test_a_key_is_replaced_when_asked(tmp_path: Path) -> None:
    (first,) = dkim.create(tmp_path, "example.org", {"ed25519": "a"})
    (second,) = dkim.create(tmp_path, "example.org", {"ed25519": "a"}, force=True)
    assert first.value != second.value
    assert [key.record for key in load(tmp_path)] == [second.value]
    assert mode(second.path) == 0o600


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "dkim").write_text("a file")
    with pytest.raises(DeliveryError, match=r"cannot be written.*DISPATCH_DKIM"):
        dkim.create(tmp_path / "dkim", "example.org", BOTH)


@pytest.mark.parametrize("domain", ["../secrets", "example", "", "a/b.org"])
def test_a_key_is_never_put_elsewhere(tmp_path: Path, domain: str) -> None:
    with pytest.raises(DeliveryError, match="is not a domain"):
        dkim.create(tmp_path / "dkim", domain, BOTH)
    with pytest.raises(DeliveryError, match="cannot be the selector"):
        dkim.create(tmp_path / "dkim", "example.org", {"rsa": "../x"})
    assert not (tmp_path / "dkim").exists()


def test_selectors_are_dated_unless_they_are_named() -> None:
    assert dkim.selectors(["rsa"], None, TODAY) == {"rsa": "d202611-rsa"}
    assert dkim.selectors(["rsa"], "spring", TODAY) == {"rsa": "spring"}
    assert dkim.selectors(["rsa", "ed25519"], "spring", TODAY) == {
        "rsa": "spring-rsa",
        "ed25519": "spring-ed25519",
    }


def test_a_record_is_split_as_dns_needs_it(tmp_path: Path) -> None:
    rsa, ed25519 = dkim.create(tmp_path, "example.org", BOTH)
    assert rsa.name == "autumn-rsa._domainkey.example.org"
    assert rsa.value.startswith("v=DKIM1; k=rsa; p=MII")
    assert "".join(rsa.strings) == rsa.value
    assert [len(string) <= 255 for string in rsa.strings] == [True, True]
    assert ed25519.strings == (ed25519.value,)


def test_the_zone_file_form_is_read_as_the_same_record(tmp_path: Path) -> None:
    zone = pytest.importorskip("dns.zone")
    (record,) = dkim.create(tmp_path, "example.org", {"rsa": "a"})
    text = f"$TTL 60\n@ IN SOA ns. root. 1 1 1 1 1\n@ IN NS ns.\n{record.zone}\n"
    (answer,) = zone.from_text(text, "example.org.").get_rdataset("a._domainkey", "TXT")
    assert b"".join(answer.strings).decode() == record.value


def test_records_are_shown_again(tmp_path: Path) -> None:
    made = dkim.create(tmp_path, "example.org", BOTH)
    other = dkim.create(tmp_path, "example.net", {"ed25519": "a"})
    assert {r.value for r in dkim.records(tmp_path)} == {r.value for r in (*made, *other)}
    assert [r.value for r in dkim.records(tmp_path, "Example.net")] == [other[0].value]
    with pytest.raises(DeliveryError, match=r"no DKIM key for example.com .*dispatch dkim create"):
        dkim.records(tmp_path, "example.com")
    with pytest.raises(DeliveryError, match="no DKIM key in "):
        dkim.records(tmp_path / "nowhere")


def test_the_domain_is_that_of_the_sender() -> None:
    assert dkim.sender_domain(Settings(), None) == "news.example.org"
    values = {"DISPATCH_FROM__WORLD": "World <world@Courier.example>"}
    assert dkim.sender_domain(Settings(values=values), "World") == "courier.example"
    with pytest.raises(DispatchError):
        dkim.sender_domain(Settings(from_="World <world@localhost>"), None)
