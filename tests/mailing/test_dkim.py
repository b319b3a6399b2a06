"""DKIM signatures, as an independent verifier (dkimpy) and the RFCs' own examples see them."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import dkim as verifier
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import DeliveryError
from dispatch.mailing.dkim import (
    SIGNED,
    Key,
    Signer,
    canonical_body,
    canonical_head,
    domain_name,
    keys_for,
    load,
    selector_name,
)

RSA = Key("example.org", "d202611-rsa", "rsa", rsa.generate_private_key(65537, 2048))
ED25519 = Key("example.org", "d202611-ed25519", "ed25519", ed25519.Ed25519PrivateKey.generate())
BOTH = Signer((RSA, ED25519))

MESSAGE = (
    b"From: World desk <world@example.org>\r\n"
    b"To: Ida Marlow <ida@example.net>\r\n"
    b"Reply-To: <letters@example.org>\r\n"
    b"Subject: =?utf-8?q?Caf=C3=A9?= prices\r\n"
    b"Date: Wed, 25 Nov 2026 07:00:00 +0100\r\n"
    b"Message-ID: <c0ffee@example.org>\r\n"
    b"List-Id: <world.example.org>\r\n"
    b"List-Unsubscribe: <https://news.example.org/world/unsubscribe/token>,\r\n"
    b" <mailto:unsubscribe+token@example.org>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Feedback-ID: 12:world:news.example.org\r\n"
    b"Content-Language: en\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative;\r\n\tboundary="=_x"\r\n'
    b"\r\n"
    b"The  first ferry left at dawn.\r\n"
)


def record(name: bytes, timeout: int = 5) -> bytes | None:
    """The DNS that the verifier asks."""
    records = {f"{key.name}.".encode(): key.record.encode() for key in (RSA, ED25519)}
    return records.get(name)


def verifies(message: bytes) -> bool:
    """Whether both signatures hold."""
    try:
        return all(verifier.DKIM(message).verify(idx=n, dnsfunc=record) for n in (0, 1))
    except verifier.DKIMException:
        return False


# What is signed ----------------------------------------------------------------------------------


def test_both_signatures_hold() -> None:
    assert verifies(BOTH.sign(MESSAGE) + MESSAGE)


def test_the_same_message_gives_the_same_bytes() -> None:
    assert BOTH.sign(MESSAGE) == Signer((RSA, ED25519)).sign(MESSAGE)


def test_without_keys_there_is_no_signature() -> None:
    assert Signer(()).sign(MESSAGE) == b""


def test_the_fields_are_folded_as_a_header_may_be() -> None:
    signed = BOTH.sign(MESSAGE)
    assert signed.isascii()
    assert signed.endswith(b"\r\n")
    lines = signed.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line.strip() and len(line) <= 78 for line in lines)
    starts = [line for line in lines if not line.startswith(b" ")]
    assert [line.split(b";")[1] for line in starts] == [b" a=rsa-sha256", b" a=ed25519-sha256"]
    assert b"\n" not in signed.replace(b"\r\n", b"")


def test_it_names_no_time_and_no_length() -> None:
    tags = re.findall(rb"[ :](\w+)=", BOTH.sign(MESSAGE).split(b"b=")[0])
    assert tags == [b"v", b"a", b"c", b"d", b"s", b"h", b"bh"]


def test_one_signer_serves_many_threads() -> None:
    messages = [MESSAGE.replace(b"c0ffee", b"%d" % number) for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(BOTH.sign, messages)) == [BOTH.sign(m) for m in messages]


@pytest.mark.parametrize("name", SIGNED)
def test_a_field_that_is_changed_or_added_breaks_it(name: str) -> None:
    signed = BOTH.sign(MESSAGE) + MESSAGE
    field = f"\r\n{name}: ".encode()
    assert not verifies(signed.replace(b"\r\nDate: ", field + b"<b@evil.example>\r\nDate: "))
    assert not verifies(field.lstrip() + b"<b@evil.example>\r\n" + signed)
    if field in MESSAGE:
        assert not verifies(signed.replace(field, field + b"x"))


@pytest.mark.parametrize("name", ["From", "List-Unsubscribe", "List-Unsubscribe-Post", "Subject"])
def test_a_field_that_is_taken_out_breaks_it(name: str) -> None:
    signed = BOTH.sign(MESSAGE) + MESSAGE
    without = re.sub(rb"(?m)^%s: .*\r\n(?:[ \t].*\r\n)*" % name.encode(), b"", signed)
    assert without != signed
    assert not verifies(without)


@pytest.mark.parametrize("change", [b"x", b"\r\nx\r\n", b" "])
def test_a_body_that_is_changed_breaks_it(change: bytes) -> None:
    assert not verifies(BOTH.sign(MESSAGE) + MESSAGE + change)
    assert not verifies(BOTH.sign(MESSAGE) + MESSAGE.replace(b"dawn", b"dawn" + change))


def test_what_a_relay_may_do_does_not_break_it() -> None:
    signed = BOTH.sign(MESSAGE) + MESSAGE
    assert verifies(b"Received: from relay.example.org\r\n\tby mx.example.net\r\n" + signed)
    assert verifies(b"Sender: <list@example.net>\r\n" + signed)
    assert verifies(signed.replace(b"Marlow <ida", b"Marlow\r\n\t <ida"))
    assert verifies(signed.replace(b"Subject: ", b"SUBJECT:   "))
    assert verifies(signed + b"\r\n\r\n")


def test_a_second_field_of_a_kind_is_not_signed() -> None:
    with pytest.raises(ValueError, match="two fields subject"):
        BOTH.sign(b"Subject: one\r\n" + MESSAGE)
    with pytest.raises(ValueError, match="two fields from"):
        BOTH.sign(b"from : <a@example.org>\r\n" + MESSAGE)


def test_a_message_without_a_sender_is_not_signed() -> None:
    for message in (b"", b"\r\n\r\nFrom: x\r\n", MESSAGE.replace(b"From:", b"X-From:", 1)):
        with pytest.raises(ValueError, match="without From"):
            BOTH.sign(message)


# Any message -------------------------------------------------------------------------------------

gap = st.sampled_from([b" ", b"  ", b"\t", b" \t ", b"\r\n ", b"\r\n\t", b" \r\n  "])
word = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=12).map(
    lambda text: text.encode(errors="ignore").replace(b"\x7f", b"") or b"x"
)
value = st.lists(st.tuples(gap, word), min_size=1, max_size=5).map(
    lambda pairs: b"".join(space + text for space, text in pairs)
)
names = st.lists(
    st.sampled_from([*SIGNED[1:], "X-Other", "Sender"]), unique_by=str.lower, max_size=8
)
colon = st.sampled_from([b":", b": ", b":\t"])
line = st.lists(st.one_of(word, gap.map(lambda g: g.replace(b"\r\n", b""))), max_size=6)
bodies = st.lists(line.map(b"".join), max_size=6).map(b"\r\n".join)
endings = st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n", b" \r\n", b"\r\n \r\n"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    fields = [b"From: World desk <world@example.org>"]
    for name in draw(names):
        written = draw(st.sampled_from([name, name.lower(), name.upper()])).encode()
        fields.append(written + draw(colon) + draw(value) + draw(st.sampled_from([b"", b" "])))
    head = b"\r\n".join(draw(st.permutations(fields))) + b"\r\n"
    return head + b"\r\n" + draw(bodies) + draw(endings)


@given(messages())
@settings(max_examples=80)
def test_the_verifier_agrees_on_any_message(message: bytes) -> None:
    assert verifies(BOTH.sign(message) + message)


def test_an_empty_body_has_the_published_hash() -> None:
    """RFC 6376, 3.4.3."""
    digest = b"frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
    assert b64encode(sha256(canonical_body(b"")).digest()) == digest
    head = b"From: <world@example.org>\r\n"
    for message in (head, head + b"\r\n", head + b"\r\n\r\n\r\n"):
        assert b"bh=" + digest in BOTH.sign(message)


# The RFCs' examples ------------------------------------------------------------------------------


def test_the_canonical_forms_of_rfc_6376() -> None:
    """3.4.6, example 2 and 3: the body unharmed but for its end, the header relaxed."""
    assert canonical_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C \r\nD \t E\r\n"
    head = b"A: X\r\nsubject : Y\t\r\n\tZ  \r\nFROM:  <a@example.org>\r\n"
    assert canonical_head(head) == b"from:<a@example.org>\r\nsubject:Y Z\r\n"


RFC_8463_HEAD = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
)
RFC_8463_RSA = b"""-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi
Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM
KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm
6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe
zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy
6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc
uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy
WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd
WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a
licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst
o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe
uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL
-----END RSA PRIVATE KEY-----
"""
RFC_8463_ED25519 = b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")


def rfc_8463_data(algorithm: str, selector: str) -> bytes:
    """What the example's signatures are made of."""
    return canonical_head(RFC_8463_HEAD) + (
        f"dkim-signature:v=1; a={algorithm}-sha256; c=relaxed/relaxed; d=football.example.com; "
        f"i=@football.example.com; q=dns/txt; s={selector}; t=1528637909; "
        "h=from : to : subject : date : message-id : from : subject : date; "
        "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="
    ).encode("ascii")


def test_the_ed25519_key_of_rfc_8463_signs_as_published() -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(RFC_8463_ED25519)
    key = Key("football.example.com", "brisbane", "ed25519", private)
    assert key.name == "brisbane._domainkey.football.example.com"
    assert key.record == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert b64encode(key.signature(rfc_8463_data("ed25519", "brisbane"))) == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    )


def test_the_rsa_key_of_rfc_8463_signs_as_published() -> None:
    private = load_pem_private_key(RFC_8463_RSA, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    key = Key("football.example.com", "test", "rsa", private)
    assert key.record == (
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08"
        "a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKr"
        "M3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    )
    assert b64encode(key.signature(rfc_8463_data("rsa", "test"))) == (
        b"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
        b"DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
        b"dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="
    )


# Keys on disk ------------------------------------------------------------------------------------


def put(folder: Path, key: Key, password: bytes | None = None) -> Path:
    path = folder / key.domain / f"{key.selector}.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(
        key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[arg-type]
    )
    path.chmod(0o600)
    return path


def test_keys_are_found_by_domain_and_selector(tmp_path: Path) -> None:
    put(tmp_path, RSA)
    put(tmp_path, ED25519)
    (tmp_path / "README").write_text("our keys")
    keys = load(tmp_path)
    assert keys == (ED25519, RSA)
    assert Signer(keys).sign(MESSAGE) == Signer((ED25519, RSA)).sign(MESSAGE)


def test_no_folder_holds_no_keys(tmp_path: Path) -> None:
    assert load(tmp_path / "dkim") == ()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620])
def test_a_key_that_lies_open_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, RSA).chmod(mode)
    with pytest.raises(DeliveryError, match="chmod 600"):
        load(tmp_path)


def test_a_group_may_read_a_key(tmp_path: Path) -> None:
    put(tmp_path, RSA).chmod(0o640)
    assert load(tmp_path) == (RSA,)


def test_a_key_with_a_password_is_refused_with_what_to_do(tmp_path: Path) -> None:
    put(tmp_path, RSA, b"secret")
    with pytest.raises(DeliveryError, match=r"password.*openssl pkcs8"):
        load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, ED25519).write_bytes(data)
    with pytest.raises(DeliveryError, match="not a private key"):
        load(tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    put(tmp_path, Key("example.org", "curve", "rsa", ec.generate_private_key(ec.SECP256R1())))  # type: ignore[arg-type]
    with pytest.raises(DeliveryError, match="neither RSA nor Ed25519"):
        load(tmp_path)


def test_a_file_in_a_folder_that_is_no_domain_is_named(tmp_path: Path) -> None:
    put(tmp_path, Key("not a domain", "x", "ed25519", ED25519.private))
    with pytest.raises(
        DeliveryError, match=r"not a domain/x.pem lies among the DKIM keys .* move it"
    ):
        load(tmp_path)


def test_nothing_prints_a_private_key() -> None:
    assert repr(ED25519) == (
        "Key(domain='example.org', selector='d202611-ed25519', algorithm='ed25519')"
    )


# Whose key ---------------------------------------------------------------------------------------


def key_of(domain: str, selector: str = "a") -> Key:
    return Key(domain, selector, "ed25519", ED25519.private)


def test_a_sender_is_signed_for_by_their_domain_or_the_nearest_above() -> None:
    own, other, above = key_of("news.example.org"), key_of("example.net"), key_of("example.org")
    second = key_of("news.example.org", "b")
    keys = (own, second, other, above)
    assert keys_for(keys, "news.example.org") == (own, second)
    assert keys_for(keys, "World.News.Example.ORG") == (own, second)
    assert keys_for(keys, "example.org") == (above,)
    assert keys_for(keys, "sport.example.org") == (above,)
    assert keys_for((own,), "example.org") == ()
    assert keys_for(keys, "badexample.org") == ()
    assert keys_for(keys, "") == ()


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("News.Example.ORG", "news.example.org"),
        (" example.org. ", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_written_as_dns_has_it(text: str, domain: str) -> None:
    assert domain_name(text) == domain


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "..", "../etc.x", "a..b", "a b.org", "-a.org", "a_.org", "x" * 64 + ".org",
     "a@example.org", "example.org/", ".".join(["abc"] * 80), "\ud800.org"],
)  # fmt: skip
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="is not a domain"):
        domain_name(text)


@pytest.mark.parametrize("text", ["", ".", "a/b", "../a", "a b", "a;b", "ä", "a" * 240])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="cannot be the selector"):
        selector_name(text, "example.org")


def test_a_selector_may_have_parts() -> None:
    assert selector_name("2026.World", "example.org") == "2026.world"
