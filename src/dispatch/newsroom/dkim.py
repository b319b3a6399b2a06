"""DKIM keys of a desk: made, kept as files, and told to whoever looks after the DNS."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dispatch.errors import DeliveryError
from dispatch.mailing.dkim import Algorithm, Key, domain_name, key_path, load, selector_name
from dispatch.newsroom.desks import desk_slug, make_desk
from dispatch.settings import Settings

_BITS = 2048  # RFC 8301, 3.2; a larger key has four times the work and hardly any taker
_STRING = 255  # octets in one string of a TXT record (RFC 1035, 3.3)


@dataclass(frozen=True, slots=True)
class Record:
    """A TXT record that makes a key public."""

    key: Key
    path: Path
    """The private key's file."""

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def value(self) -> str:
        """All of it, as a provider's form takes it."""
        return self.key.record

    @property
    def strings(self) -> tuple[str, ...]:
        """The same in parts of at most 255 octets; they are read as one (RFC 6376, 3.6.2.2)."""
        value = self.value
        return tuple(value[i : i + _STRING] for i in range(0, len(value), _STRING))

    @property
    def zone(self) -> str:
        """The record as a zone file has it (RFC 1035, 5)."""
        quoted = "\n".join(f'    "{string}"' for string in self.strings)
        return f"{self.name}. IN TXT (\n{quoted}\n)"


def sender_domain(settings: Settings, desk: str | None) -> str:
    """The domain behind the @ of the desk's From, as DNS has it.

    Raises:
        DispatchError: the desk or its sender cannot be used.
    """
    name = settings.desk if desk is None else desk
    sender = make_desk(name, desk_slug(name), settings).sender
    return domain_name(sender.address.rpartition("@")[2])


def selectors(
    algorithms: Iterable[Algorithm], asked: str | None, today: date
) -> dict[Algorithm, str]:
    """A selector for each algorithm: ``d202611-rsa``, or ``asked``.

    Dated, because a key is replaced by one beside it: both are public until the last copy that
    the old one signed has been checked (RFC 6376, 3.1).
    """
    algorithms = tuple(algorithms)
    if asked is not None and len(algorithms) == 1:
        return {algorithms[0]: asked}
    stem = asked if asked is not None else f"d{today:%Y%m}"
    return {algorithm: f"{stem}-{algorithm}" for algorithm in algorithms}


def create(
    folder: Path, domain: str, chosen: dict[Algorithm, str], *, force: bool = False
) -> tuple[Record, ...]:
    """New keys for ``domain``, one for each algorithm in ``chosen``, which gives their selectors.

    Args:
        force: replace a key that has the same selector; what it signed can no longer be checked.

    Raises:
        DeliveryError: a name cannot be used or there is such a key already, and nothing was made;
            or a key cannot be written.
    """
    domain = domain_name(domain)
    keys = [
        Key(domain, selector_name(selector, domain), algorithm, _private(algorithm))
        for algorithm, selector in chosen.items()
    ]
    records = [Record(key, key_path(folder, key.domain, key.selector)) for key in keys]
    for record in records:
        if not force and record.path.exists():
            raise _exists(record.path)
    for record in records:
        _write(record, force)
    return tuple(records)


def records(folder: Path, domain: str | None = None) -> Sequence[Record]:
    """Those of every key in ``folder``, or of the keys of ``domain``.

    Raises:
        DeliveryError: a key cannot be read, or there is none.
    """
    wanted = None if domain is None else domain_name(domain)
    found = [
        Record(key, key_path(folder, key.domain, key.selector))
        for key in load(folder)
        if wanted in (None, key.domain)
    ]
    if not found:
        whose = f" for {wanted}" if wanted else ""
        raise DeliveryError(
            f"There is no DKIM key{whose} in {folder}. Make one: dispatch dkim create --domain "
            f"{wanted or 'news.example.org'}"
        )
    return found


def _private(algorithm: Algorithm) -> RSAPrivateKey | Ed25519PrivateKey:
    if algorithm == "rsa":
        return generate_private_key(public_exponent=65537, key_size=_BITS)
    return Ed25519PrivateKey.generate()


def _write(record: Record, force: bool) -> None:
    """Put the private key in its place, whole, where only we can read it."""
    path = record.path
    pem = record.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write_private(draft, pem)
            _place(draft, path, force)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise DeliveryError(
            f"The DKIM key {path} cannot be written: {error.strerror}. Check its folder, or "
            "choose another with DISPATCH_DKIM."
        ) from error


def _place(draft: Path, path: Path, force: bool) -> None:
    if force:
        draft.replace(path)
        return
    try:
        path.hardlink_to(draft)  # refuses to replace, where a rename would not
    except FileExistsError:
        raise _exists(path) from None


def _exists(path: Path) -> DeliveryError:
    return DeliveryError(
        f"There is a DKIM key {path} already, and copies signed with it may still be checked. "
        "Choose another --selector; --force replaces it."
    )


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
