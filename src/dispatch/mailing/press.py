"""One person's copy of a composed edition: the holes filled in.

Nothing here encodes or parses the message: that was done once. What a copy
costs is two signatures, a header, and one concatenation.

A name is whatever somebody typed into a form. It is cut to 64 characters on one
line, is an encoded word or a quoted string in ``To`` (RFC 2047, RFC 5322), and
in the parts is escaped as HTML and encoded as quoted-printable, on a line of
its own. An address is checked once more: one that could be read as another, or
as two, is never mailed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import digest
from html import escape

from dispatch.audience.addresses import LONGEST_LOCAL_PART
from dispatch.errors import DeliveryError
from dispatch.mailing.composition import GIVEN, Composition, Hole
from dispatch.mailing.quoting import SOFT_BREAK, value
from dispatch.mailing.tokens import Tokens
from dispatch.markup import printable
from dispatch.renditions import message

_LONGEST_NAME = 64
_NAME_LOOKED_AT = 1000
_LONGEST_ADDRESS = 254  # octets; RFC 5321, 4.5.3.1.3 with its angle brackets
_LINE = 76

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@{_DOMAIN}")

# Nearly all names and addresses: in a header, in HTML and in quoted-printable they are themselves.
_PLAIN_NAME = re.compile("(?!From )[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_PLAIN_ADDRESS = re.compile(rf"(?=.{{3,70}}$)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@{_DOMAIN}")


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient. ``email`` is the envelope's: its domain in ASCII; ``name`` may be any text.

    ``given`` is what fills other holes, by their kind: a date as RFC 5322 writes it, addresses of
    feeds.
    """

    key: int
    email: str
    name: str | None
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A hole for a name or an address, and what stands around it, encoded."""

    place: int
    hole: Hole
    before: bytes
    after: bytes
    otherwise: bytes

    @classmethod
    def of(cls, place: int, hole: Hole) -> _Phrase:
        before, after, otherwise = (
            value(escape(text) if hole.html else text)
            for text in (hole.before, hole.after, hole.otherwise)
        )
        before = before + SOFT_BREAK.encode() if before else b""
        after = SOFT_BREAK.encode() + after if after else b""
        return cls(place, hole, before, after, otherwise)


class Press:
    """Makes the copies of one composition. It holds no state: threads may share it.

    Args:
        tokens: those whose signing key is the edition's.
    """

    def __init__(self, composition: Composition, tokens: Tokens) -> None:
        pieces = composition.head + composition.text + composition.html
        self._pieces = [p.encode("ascii") if isinstance(p, str) else b"" for p in pieces]
        holes = [(place, hole) for place, hole in enumerate(pieces) if isinstance(hole, Hole)]
        (self._to,) = (place for place, hole in holes if hole.kind == "to")
        (self._message_id,) = (place for place, hole in holes if hole.kind == "message_id")
        self._links = tuple(place for place, hole in holes if hole.kind == "link")
        self._names = tuple(_Phrase.of(*found) for found in holes if found[1].kind == "name")
        self._emails = tuple(_Phrase.of(*found) for found in holes if found[1].kind == "email")
        self._given = tuple((place, hole) for place, hole in holes if hole.kind in GIVEN)
        self._link, self._verp = tokens.link, tokens.verp
        self._seed = composition.seed.encode()
        self._host = composition.host
        local, _, domain = composition.return_path.rpartition("@")
        self._bounces, self._bounces_host = f"{local}+", f"@{domain}"

    @property
    def asks_for(self) -> frozenset[str]:
        """The kinds of holes that :attr:`Person.given` has to fill."""
        return frozenset(hole.kind for _, hole in self._given)

    def message_id(self, key: int) -> str:
        """The Message-ID of the recipient with this key, in its angle brackets."""
        return message_id(self._seed, self._host, key)

    def copy(self, person: Person) -> tuple[str, bytes]:
        """The envelope's sender and the message, with CRLF at the end of each line.

        The message is ASCII, except that ``To`` is UTF-8 (RFC 6532) where the
        local part of the address is: such a copy needs SMTPUTF8.

        Raises:
            DeliveryError: the address cannot be mailed, or what only they have is not known.
        """
        address = person.email
        pieces = self._pieces.copy()
        link = self._link(person.key).encode()
        for place in self._links:
            pieces[place] = link
        if _PLAIN_ADDRESS.fullmatch(address):
            as_text = as_html = address.encode()
        else:
            _check(address)
            as_text, as_html = value(address), value(escape(address))
        for phrase in self._emails:
            said = as_html if phrase.hole.html else as_text
            pieces[phrase.place] = phrase.before + said + phrase.after
        for place, hole in self._given:
            pieces[place] = _given(person, hole)
        name = _shown(person.name)
        self._greet(pieces, name)
        pieces[self._to] = _to(name, address)
        pieces[self._message_id] = self.message_id(person.key).encode()
        return f"{self._bounces}{self._verp(person.key)}{self._bounces_host}", b"".join(pieces)

    def _greet(self, pieces: list[bytes], name: str) -> None:
        if not name:
            for phrase in self._names:
                pieces[phrase.place] = phrase.otherwise
            return
        if _PLAIN_NAME.fullmatch(name):
            as_text = as_html = name.encode()
        else:
            as_text, as_html = value(name), value(escape(name))
        for phrase in self._names:
            said = as_html if phrase.hole.html else as_text
            pieces[phrase.place] = phrase.before + said + phrase.after


def message_id(seed: bytes, host: str, key: int) -> str:
    """The Message-ID of a recipient of the edition with this seed, in its angle brackets."""
    return f"<{digest(seed, b'%d' % key, 'sha256')[:16].hex()}@{host}>"


def _given(person: Person, hole: Hole) -> bytes:
    text = person.given.get(hole.kind)
    if text is None:
        raise DeliveryError(
            f"The copy of {person.email} cannot be made: what belongs in it is not known any more "
            f"({hole.kind})."
        )
    if hole.kind == "date":
        return text.encode("ascii")
    return value(escape(text) if hole.html else text)


def _shown(name: str | None) -> str:
    """A name on one line, of at most 64 characters that can be seen; may be empty."""
    if not name:
        return ""
    if len(name) <= _LONGEST_NAME and _PLAIN_NAME.fullmatch(name):
        return name
    return message.bounded_name(name[:_NAME_LOOKED_AT])


def _to(name: str, address: str) -> bytes:
    """The header, folded where it has to be."""
    parts = (*message.display_name(name), f"<{address}>")
    line = f"To: {' '.join(parts)}"
    lines = [line] if len(line) <= _LINE else message.folded("To", parts)
    return ("\r\n".join(lines) + "\r\n").encode()


def _check(address: str) -> None:
    found = _ADDRESS.fullmatch(address) if len(address) <= _LONGEST_ADDRESS else None
    if (
        found is None
        or not address.isprintable()
        or printable(address) != address
        or len(address.encode()) > _LONGEST_ADDRESS
        or len(found[1].encode()) > LONGEST_LOCAL_PART
    ):
        raise DeliveryError(
            f"{address[:80]!r} cannot be mailed: it is no address that every mail server reads in "
            "the same way. Correct it, or remove it from the list."
        )
