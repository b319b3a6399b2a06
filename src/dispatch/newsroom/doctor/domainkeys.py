"""DKIM: whether the public half of each key stands in the DNS, as it should."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from dispatch.mailing.dkim import Key
from dispatch.newsroom.doctor.findings import ALL, Finding
from dispatch.newsroom.doctor.lookups import Dns
from dispatch.newsroom.doctor.tags import parse

_CHECK = "DKIM"
_BITS = 2048  # RFC 8301, 3.2


def signing(domain: str, keys: Sequence[Key]) -> Iterator[Finding]:
    """Whether there are keys that sign for a sender at ``domain``, and of the right kind."""
    if not keys:
        yield Finding(
            _CHECK,
            "error",
            f"There is no key that signs for {domain}.",
            f"Make one with dispatch dkim create --domain {domain}, and publish its record.",
            ALL,
        )
    elif all(key.algorithm == "ed25519" for key in keys):
        yield Finding(
            _CHECK,
            "error",
            f"Only an Ed25519 key signs for {domain}, and not every large provider checks that.",
            f"Add an RSA key: dispatch dkim create --domain {domain}",
            ALL,
        )


def examine(key: Key, dns: Dns) -> Finding:
    """The record of a key.

    Raises:
        UnansweredError: the DNS gave no answer.
    """
    texts = dns.texts(key.name)
    if fault := next(_faults(key, texts), None):
        todo = "Publish what dispatch dkim show prints."
        return Finding(_CHECK, "error", f"{key.name} {fault}.", todo, ALL)
    if "y" in _listed((parse(texts[0]) or {}).get("t", "")):
        return Finding(
            _CHECK,
            "warning",
            f"{key.name} says that it is only being tried (t=y): receivers may ignore it.",
            "Take t=y out of the record.",
        )
    if isinstance(key.private, RSAPrivateKey) and key.private.key_size < _BITS:
        return Finding(
            _CHECK,
            "warning",
            f"The key {key.selector} of {key.domain} has {key.private.key_size:,} bits.",
            f"Make one of {_BITS:,} with another --selector, and take this one away.",
        )
    return Finding(_CHECK, "ok", f"{key.name} holds the {key.algorithm} key that signs.")


def _faults(key: Key, texts: Sequence[str]) -> Iterator[str]:
    """Why nobody can check a signature with this record."""
    if len(texts) != 1:
        yield f"has {len(texts)} records, and there must be one" if texts else "has no record"
        return
    tags = parse(texts[0])
    if tags is None or "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        yield "has a record that is not one of DKIM"
        return
    if not tags["p"]:
        yield "says that the key is revoked"
    if _other_key(tags, key):
        yield "holds another key than the one that signs"
    if not _allows(tags.get("h", "*"), "sha256") or not _allows(tags.get("s", "*"), "email"):
        yield "holds a key that is not meant for mail, or not for SHA-256"


def _other_key(tags: dict[str, str], key: Key) -> bool:
    try:
        public = b64decode("".join(tags["p"].split()), validate=True)
    except (Base64Error, ValueError):
        return True
    return tags.get("k", "rsa") != key.algorithm or public != key.public


def _allows(tag: str, wanted: str) -> bool:
    return not {wanted, "*"}.isdisjoint(_listed(tag))


def _listed(tag: str) -> list[str]:
    return [item.strip().lower() for item in tag.split(":")]
