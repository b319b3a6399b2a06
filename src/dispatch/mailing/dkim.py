"""DKIM (RFC 6376): each copy signed, with RSA (RFC 8301) or Ed25519 (RFC 8463) or both.

    load(folder) ─▶ keys_for(keys, the From's domain) ─▶ Signer(keys).sign(message) ─▶ header fields

A signature is made of the message and the key alone: it names no time, so that a copy that is
made again is the same to the byte. It is canonicalised ``relaxed/simple``: relays do fold headers
anew, but quoted-printable leaves them no white space in the body to trim (RFC 2045, 6.7), and
one that encodes it anew breaks either form. Looking through each body for runs of spaces would
take longer than an Ed25519 signature, with every other thread waiting.
"""

from __future__ import annotations

import re
import stat
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from dispatch.errors import DeliveryError

if TYPE_CHECKING:  # where a key is used, it is imported: 7 MB that a process without one is spared
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

Algorithm = Literal["rsa", "ed25519"]

SIGNED = (
    "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Language",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
)  # fmt: skip
"""The fields that a signature covers: what a reader or a mail program goes by.

Each stands in ``h=`` twice, whether the message has it or not: nobody can add one, or a second
one, without breaking the signature (RFC 6376, 5.4.2 and 8.15). RFC 8058 asks for the two of
List-Unsubscribe. ``Sender``, ``Resent-*`` and what tells of the way are left to those who
forward mail (5.4.1)."""

_COVERED = frozenset(name.lower().encode("ascii") for name in SIGNED)
_ORDER = tuple(name.lower().encode("ascii") for name in SIGNED)

_LINE = 78  # RFC 5322, 2.1.1
_LARGEST_FILE = 64_000
_RSA_BITS = (1024, 4096)  # RFC 8301, 3.2: less is worthless, and nobody has to check more

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_NAME = 253


# Keys --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and where DNS has the public one. Thread-safe."""

    domain: str
    """``d=``: lower case, A-labels."""
    selector: str
    """``s=``: lower case."""
    algorithm: Algorithm
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Where the public key stands in DNS (RFC 6376, 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def public(self) -> bytes:
        """``p=``, before base64: SubjectPublicKeyInfo for RSA, 32 bytes for Ed25519."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self.private.public_key()
        if self.algorithm == "rsa":
            return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463, 4.2

    @property
    def record(self) -> str:
        """The value of the TXT record (RFC 6376, 3.6.1)."""
        return f"v=DKIM1; k={self.algorithm}; p={b64encode(self.public).decode('ascii')}"

    def signature(self, data: bytes) -> bytes:
        """Over ``data``; the same for the same. Other threads run meanwhile."""
        if self.algorithm == "rsa":
            return cast("RSAPrivateKey", self.private).sign(data, *_rsa_sha256())
        # RFC 8463, 3: the hash is what is signed.
        return cast("Ed25519PrivateKey", self.private).sign(sha256(data).digest())


@cache
def _rsa_sha256() -> tuple[PKCS1v15, SHA256]:
    """How RSA signs (RFC 6376, 3.3.1)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()


def domain_name(text: str) -> str:
    """``text`` as DNS has it: lower case, letters beyond ASCII as A-labels (RFC 5891).

    Raises:
        DeliveryError: it is not the name of a domain that mail can come from.
    """
    try:
        domain = text.strip().removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    if len(domain) > _LONGEST_NAME or not _DOMAIN.fullmatch(domain):
        raise DeliveryError(
            f"{text[:80]!r} is not a domain such as news.example.org: give the one that stands "
            "behind the @ of the newsletter's sender."
        )
    return domain


def selector_name(text: str, domain: str) -> str:
    """``text`` as a selector of ``domain``, in lower case.

    Raises:
        DeliveryError: it cannot be one (RFC 6376, 3.1).
    """
    selector = text.strip().lower()
    whole = f"{selector}._domainkey.{domain}"
    if not _SELECTOR.fullmatch(selector) or len(whole) > _LONGEST_NAME:
        raise DeliveryError(
            f"{text[:80]!r} cannot be the selector of a DKIM key for {domain}: "
            "use letters, digits and hyphens, such as d202611-rsa."
        )
    return selector


def key_path(folder: Path, domain: str, selector: str) -> Path:
    """Where a key is kept: ``<folder>/<domain>/<selector>.pem``."""
    return folder / domain / f"{selector}.pem"


def load(folder: Path) -> tuple[Key, ...]:
    """Every key in ``folder``, ordered by domain and selector; none where there is no folder.

    Raises:
        DeliveryError: one of them cannot be read, is not such a key, or lies open to others.
    """
    try:
        paths = sorted(p for p in folder.glob("*/*.pem") if not p.name.startswith("."))
        return tuple(_loaded(path) for path in paths)
    except OSError as error:
        raise DeliveryError(
            f"The DKIM key {error.filename or folder} cannot be read: {error.strerror}."
        ) from error


def keys_for(keys: Iterable[Key], from_domain: str) -> tuple[Key, ...]:
    """The keys that speak for a sender at ``from_domain``, as DMARC sees it (RFC 7489, 3.1.1).

    Those of the domain itself; where it has none, those of the nearest domain above it.
    """
    keys = tuple(keys)
    domain = from_domain.lower()
    while "." in domain:
        if own := tuple(key for key in keys if key.domain == domain):
            return own
        domain = domain.partition(".")[2]
    return ()


def _loaded(path: Path) -> Key:
    try:
        domain = domain_name(path.parent.name)
        selector = selector_name(path.stem, domain)
    except DeliveryError:
        raise DeliveryError(
            f"{path} lies among the DKIM keys and is called after no domain and selector. "
            "If it is one, call it DOMAIN/SELECTOR.pem; else move it elsewhere."
        ) from None
    if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise DeliveryError(
            f"The DKIM key {path} can be read or changed by other users of this machine: whoever "
            f"has it can sign mail in your name. Run: chmod 600 {path}"
        )
    with path.open("rb") as file:
        data = file.read(_LARGEST_FILE)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(data, password=None)
    except TypeError:
        raise DeliveryError(
            f"The DKIM key {path} is encrypted with a password. Put it there without one: "
            f"openssl pkcs8 -topk8 -nocrypt -in {path}"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise DeliveryError(
            f"{path} is not a private key in PEM form. Put the key back, or make a new one with "
            f"dispatch dkim create --domain {domain}"
        ) from None
    if isinstance(private, RSAPrivateKey):
        _check_size(path, private.key_size)
        return Key(domain, selector, "rsa", private)
    if isinstance(private, Ed25519PrivateKey):
        return Key(domain, selector, "ed25519", private)
    raise DeliveryError(f"The DKIM key {path} is neither RSA nor Ed25519, as DKIM needs.")


def _check_size(path: Path, bits: int) -> None:
    least, most = _RSA_BITS
    if not least <= bits <= most:
        raise DeliveryError(
            f"The DKIM key {path} has {bits:,} bits, and mailbox providers take {least:,} to "
            f"{most:,}. Make one of 2,048 with dispatch dkim create."
        )


# Signing -----------------------------------------------------------------------------------------


class Signer:
    """Signs messages with each of ``keys``. Nothing of it changes: threads can share it."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._outlines = tuple(_Outline(key) for key in keys)

    def sign(self, message: bytes) -> bytes:
        """The DKIM-Signature fields that go before ``message``, one for each key.

        Args:
            message: header fields, an empty line and the body; lines end with CRLF alone.

        Returns:
            ASCII; each field is folded and ends with CRLF.

        Raises:
            ValueError: the message has no From, or a second one of a field that is signed.
        """
        if not self._outlines:
            return b""
        end = message.find(b"\r\n\r\n")
        head, body = (message[: end + 2], message[end + 4 :]) if end >= 0 else (message, b"")
        covered = canonical_head(head)
        body_hash = b64encode(sha256(canonical_body(body)).digest())
        return b"".join(outline.filled(covered, body_hash) for outline in self._outlines)


class _Outline:
    """Everything of a key's signature that is the same for every message."""

    def __init__(self, key: Key) -> None:
        self._key = key
        field = (
            f"DKIM-Signature: v=1; a={key.algorithm}-sha256; c=relaxed/simple;\r\n"
            f" d={key.domain};\r\n"
            f" s={key.selector};\r\n"
            f"{_folded_names()};\r\n"
            " bh="
        )
        self._field = field.encode("ascii")
        name, _, value = _reduced(_unfolded(self._field)).partition(b":")
        self._canonical = name.lower() + b":" + value.lstrip(b" ")

    def filled(self, covered: bytes, body_hash: bytes) -> bytes:
        """The field for a message of such fields and such a body (RFC 6376, 3.7)."""
        data = covered + self._canonical + body_hash + b"; b="
        signed = b64encode(self._key.signature(data))
        rest = range(_FIRST, len(signed), _NEXT)
        lines = [signed[:_FIRST], *(signed[start : start + _NEXT] for start in rest)]
        return self._field + body_hash + b";\r\n b=" + b"\r\n ".join(lines) + b"\r\n"


_NEXT = _LINE - 1
_FIRST = _LINE - len(" b=")


def _folded_names() -> str:
    """The tag ``h=``; folding is allowed beside the colons (RFC 6376, 3.5)."""
    lines = [" h="]
    for name in (name for name in SIGNED for _ in range(2)):
        if len(lines[-1]) + len(name) + 1 > _LINE:
            lines.append("  ")
        lines[-1] += f"{name}:"
    return "\r\n".join(lines).removesuffix(":")


def canonical_head(head: bytes) -> bytes:
    """The fields that are signed, ``relaxed``, in the order of :data:`SIGNED` (RFC 6376, 3.4.2).

    Raises:
        ValueError: there is no From, or a second one of a field that is signed.
    """
    found: dict[bytes, bytes] = {}
    for line in _reduced(_unfolded(head)).split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.rstrip(b" ").lower()
        if name in _COVERED:
            if name in found:
                raise ValueError(f"a message with two fields {name.decode()} cannot be signed")
            found[name] = name + b":" + value.lstrip(b" ") + b"\r\n"
    if b"from" not in found:
        raise ValueError("a message without From cannot be signed")
    return b"".join(found[name] for name in _ORDER if name in found)


def canonical_body(body: bytes) -> bytes:
    """The body, ``simple``: without the empty lines at its end (RFC 6376, 3.4.3)."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n") and len(body) > 2:
        return body
    return body.rstrip(b"\r\n") + b"\r\n"


def _unfolded(head: bytes) -> bytes:
    return head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")


def _reduced(text: bytes) -> bytes:
    """One space for each run of spaces and tabs, and none at the end of a line."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:  # a run halves each time
        text = text.replace(b"  ", b" ")
    return text.replace(b" \r\n", b"\r\n")
