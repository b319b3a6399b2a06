"""Signed tokens: who has one may do what it says, and nobody can make one."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous.signer import HMACAlgorithm, Signer
from tests.bounds import CPU_SECONDS

from dispatch.errors import DeliveryError, SettingsError
from dispatch.mailing.tokens import LONGEST, Tokens

NEW, OLD, OTHER = "the newest key of all", "one that was before it", "that of somebody else"
TOKENS = Tokens([NEW, OLD])
KEYS = st.integers(0, 16**12 - 1)


@given(KEYS)
def test_a_token_tells_whose_it_is(key: int) -> None:
    assert TOKENS.read_link(TOKENS.link(key)) == key
    assert TOKENS.read_verp(TOKENS.verp(key)) == key


@given(KEYS)
def test_neither_kind_passes_for_the_other(key: int) -> None:
    assert TOKENS.read_verp(TOKENS.link(key)) is None
    assert TOKENS.read_link(TOKENS.verp(key)) is None


@given(KEYS)
def test_it_fits_a_local_part_and_survives_what_relays_do_to_letters(key: int) -> None:
    for token, read in ((TOKENS.verp(key), TOKENS.read_verp), (TOKENS.link(key), TOKENS.read_link)):
        assert re.fullmatch("[0-9a-f-]+", token)
        assert len(token) <= LONGEST
        assert len(f"unsubscribe+{token}") <= 64
        assert read(token.upper()) == key


@given(KEYS, st.data())
def test_a_changed_token_is_none(key: int, data: st.DataObject) -> None:
    token = TOKENS.link(key)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("0123456789abcdef-").filter(lambda c: c != token[place]))
    assert TOKENS.read_link(token[:place] + other + token[place + 1 :]) is None


@given(st.text())
def test_any_text_is_none(text: str) -> None:
    assert TOKENS.read_link(text) is None
    assert TOKENS.read_verp(text) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda token: f"0{token}",
        lambda token: f" {token}",
        lambda token: f"{token}\n",
        lambda token: token.replace("-", ""),
        lambda token: token.rpartition("-")[2],
        lambda token: token.rpartition("-")[0],
        lambda token: token[:-1],
        lambda token: f"{token}0",
        lambda token: token.replace("f", "ｆ"),
        lambda token: token * 1000,
        lambda token: "x" * 10_000_000,
    ],
)
def test_what_is_not_quite_a_token_is_none(change) -> None:
    started = time.process_time()
    assert TOKENS.read_link(change(TOKENS.link(0xFF))) is None
    assert time.process_time() - started < CPU_SECONDS


def test_a_token_says_nothing_of_the_key_that_made_it() -> None:
    tokens = [TOKENS.link(key) for key in range(1000)]
    assert len({token.partition("-")[2] for token in tokens}) == 1000
    assert all(a.partition("-")[2] != b.partition("-")[2] for a, b in pairwise(tokens))


# Keys --------------------------------------------------------------------------------------------


def test_the_newest_key_signs_and_all_verify() -> None:
    before = Tokens([OLD])
    assert TOKENS.read_link(before.link(5)) == 5
    assert TOKENS.read_verp(before.verp(5)) == 5
    assert before.read_link(TOKENS.link(5)) is None
    assert TOKENS.link(5) != before.link(5)


def test_a_mailing_goes_on_with_the_key_that_it_began_with() -> None:
    begun = Tokens([OLD])
    later = TOKENS.signing_with(begun.newest)
    assert later.link(5) == begun.link(5)
    assert later.verp(5) == begun.verp(5)
    assert later.newest == TOKENS.newest != later.signing


def test_a_key_that_is_gone_is_a_sentence() -> None:
    with pytest.raises(DeliveryError, match=r"not in DISPATCH_SECRET_KEYS any more\. Put it back"):
        Tokens([NEW]).signing_with(Tokens([OLD]).newest)


def test_the_tokens_of_somebody_else_s_keys_are_none() -> None:
    assert TOKENS.read_link(Tokens([OTHER]).link(5)) is None


@pytest.mark.parametrize("keys", [[], [""], ["too short"], [NEW, "too short"]])
def test_a_key_that_can_be_guessed_is_refused(keys: list[str]) -> None:
    with pytest.raises(SettingsError, match="at least 16 characters"):
        Tokens(keys)


def test_keys_are_never_shown() -> None:
    with pytest.raises(DeliveryError) as refused:
        TOKENS.signing_with("gone")
    for shown in (repr(TOKENS), str(TOKENS), TOKENS.newest, str(refused.value)):
        assert NEW not in shown
        assert OLD not in shown


def test_it_is_the_signature_that_itsdangerous_makes() -> None:
    """An independent check: with its own algorithm, cut to 96 bits."""
    from hashlib import sha256

    for salt, made in (
        ("dispatch.mailing.link", TOKENS.link(500)),
        ("dispatch.mailing.verp", TOKENS.verp(500)),
    ):
        signer = Signer(NEW, salt, key_derivation="hmac", digest_method=sha256)
        mac = HMACAlgorithm(sha256).get_signature(signer.derive_key(), b"1f4")
        assert made == f"1f4-{mac.hex()[:24]}"
