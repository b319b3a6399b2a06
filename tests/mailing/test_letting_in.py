"""What the audience takes for an address, the mailing can send to."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from tests.mailing.editions import press

from dispatch.audience.addresses import parse
from dispatch.errors import AudienceError
from dispatch.mailing.press import Person
from dispatch.mailing.smtp_envelope import Offers, envelope
from dispatch.mailing.transport import Copy

LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=80)
ATOMS = st.from_regex(r"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,70}\Z")
LABELS = st.from_regex(r"\A[A-Za-z0-9-]{1,8}\Z") | LETTERS

OFFERS = Offers(eight_bit=True, utf8=True)


@given(ATOMS | LETTERS, LABELS)
@example("a" * 64, "example")
@example("ü" * 32, "bücher")
def test_whoever_is_let_in_can_be_mailed(local: str, domain: str) -> None:
    try:
        address = parse(f"{local}@{domain}.org")
    except AudienceError:
        return
    sender, message = press().copy(Person(1, address.email, None))
    copy = Copy(1, sender, address.email, address.domain, message)
    assert f"<{address.email}>".encode() in message
    assert envelope(copy, OFFERS)[1] == f"RCPT TO:<{address.email}>\r\n".encode()
