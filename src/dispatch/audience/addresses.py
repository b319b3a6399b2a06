"""Email addresses: which are accepted, how they are mailed, and when two are the same.

An address is what RFC 5321 calls a Mailbox with a domain that can be reached
from anywhere. Quoted local parts (``"a b"@example.org``), address literals
(``a@[192.0.2.1]``) and names that mean nothing on the internet
(``a@printer.local``) are refused: the first two are found in attacks far more
often than in lists of readers, and the last cannot be delivered. So are those
that are longer than mail systems take.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from dispatch.errors import AudienceError

_LONGEST = 320
"""Characters; whatever is longer cannot be one (RFC 5321 4.5.3.1), and is not looked at."""
LONGEST_LOCAL_PART = 64
"""Octets (RFC 5321 4.5.3.1.1)."""

# A strict part of what email-validator accepts, told apart 15 times as fast: nearly every address
# of a list. No label has two hyphens in a row, which keeps Punycode and reserved labels out.
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(
    r"(?!.*--)([A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64})*)"
    rf"@((?:{_LABEL}\.){{1,8}}([A-Za-z]{{2,63}}))"
)
_PLAIN_LONGEST = 120
_SPECIAL = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})
# Mailboxes of a role, whose case means nothing (RFC 2142): the library decides about them.
_ROLES = frozenset({
    "info", "marketing", "sales", "support", "abuse", "noc", "security", "postmaster",
    "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be mailed.

    Args:
        email: as it is mailed: the local part as its owner writes it, in NFC; the domain in lower
            case and in ASCII (IDNA A-labels).
        key: the same for all spellings of one address.
        domain: the part behind the @.
    """

    email: str
    key: str
    domain: str


def parse(text: str) -> Address:
    """The address that ``text`` is, but for white space around it.

    Raises:
        AudienceError: it is none, or of a kind that is refused; the message is a
            sentence that names the address.
    """
    plain = _plain(text)
    return plain or _by_the_book(text.strip())


def key_of(text: str) -> str:
    """What makes two addresses the same: both parts without regard to case, in NFC.

    Mail systems may tell ``Ida@`` from ``ida@`` (RFC 5321 2.4), and none that
    people use do: nobody shall get a newsletter twice for a capital.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())


def _plain(text: str) -> Address | None:
    """The address, if it is of the common kind that needs no second look."""
    found = _PLAIN.fullmatch(text) if len(text) <= _PLAIN_LONGEST else None
    if found is None:
        return None
    local, domain, top = found.groups()
    if top.lower() in _SPECIAL or local.lower() in _ROLES or len(local) > LONGEST_LOCAL_PART:
        return None
    domain = domain.lower()
    return Address(f"{local}@{domain}", f"{local.lower()}@{domain}", domain)


def _by_the_book(text: str) -> Address:
    from email_validator import EmailNotValidError, validate_email

    if not text:
        raise AudienceError("There is no email address.")
    if len(text) > _LONGEST:
        raise AudienceError(f"“{text[:40]}…” is too long to be an email address.")
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        shown = text if text.isprintable() else repr(text)[1:-1]
        raise AudienceError(f"“{shown}” cannot be used as an email address: {error}") from None
    assert found.ascii_domain is not None
    if len(found.local_part.encode()) > LONGEST_LOCAL_PART:
        raise AudienceError(f"“{text[:40]}…” is too long before the @ to be an email address.")
    email = f"{found.local_part}@{found.ascii_domain}"
    return Address(email, key_of(email), found.ascii_domain)
