"""Signed tokens: what lets a link or a bounce say, without a database, whose it is.

    <the recipient's key, hexadecimal>-<96 bits of an HMAC, hexadecimal>    such as 1f4-9b…e2

There are five kinds, and none passes for another. A *link* token stands in
the links of a person's copy and in List-Unsubscribe: who has it may unsubscribe
them. A *VERP* token stands in the return path, where every relay sees it: who
has it may report a bounce. A *feed* token stands in the address of somebody's personal
feed, and names the row that says whether it is still good. A *click* token
stands in a counted link and names that, an *open* token in the address of an
image whose loading is counted, and names the edition. All are short enough for
a local part (64 octets; RFC 5321, 4.5.3.1.1) and mean the same in capitals,
which relays may make of them.

Keys and their derivation are itsdangerous' own. Its ``Signer`` derives the key
again for each token, and writes a signature that does not survive lower case;
here the key is derived once, and the signature is its ``SigningAlgorithm``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from hmac import new

from itsdangerous.signer import Signer, SigningAlgorithm

from dispatch.errors import DeliveryError, SettingsError

LONGEST = 12 + 1 + 24
"""Characters of a token at most: that of a key of 48 bits."""

_MAC = 12  # octets: 96 bits, tried one guess at a time through a web server or a mailbox
_SHORTEST_KEY = 16
_TOKEN = re.compile(r"([0-9a-f]{1,12})-([0-9a-f]{24})")
_LINK = "dispatch.mailing.link"
_VERP = "dispatch.mailing.verp"
_FEED = "dispatch.web.feed"
_CLICK = "dispatch.web.click"
_OPEN = "dispatch.web.open"


class Tokens:
    """Makes tokens with one key, and verifies those that any of the keys made.

    Args:
        keys: secrets of at least 16 characters, the newest first.
        signing: the :meth:`id <newest>` of the one that signs; None: the newest.

    Raises:
        SettingsError: there is no key, or one is too short.
        DeliveryError: the key that is to sign is not among them any more.
    """

    def __init__(self, keys: Sequence[str], signing: str | None = None) -> None:
        if not keys or min(map(len, keys)) < _SHORTEST_KEY:
            raise SettingsError(
                f"A key that signs personal links needs at least {_SHORTEST_KEY} characters. "
                "Correct DISPATCH_SECRET_KEYS: `openssl rand -hex 32` prints a good one."
            )
        self._keys = {_id(key): key for key in keys}
        self.newest = _id(keys[0])
        """The id of the newest key: it tells keys apart and nothing else about them."""
        self.signing = self.newest if signing is None else signing
        """The id of the key that signs."""
        if self.signing not in self._keys:
            raise DeliveryError(
                f"The links of this mailing were signed with a key ({self.signing}) that is not in "
                "DISPATCH_SECRET_KEYS any more. Put it back behind the newer ones: without it, its "
                "copies cannot be made, nor do the links of those that were sent work."
            )

    def __repr__(self) -> str:
        return f"Tokens(signing={self.signing!r})"

    def signing_with(self, key_id: str) -> Tokens:
        """The same keys, signing with that of ``key_id``.

        Raises:
            DeliveryError: there is no such key any more.
        """
        return Tokens(list(self._keys.values()), key_id)

    @cached_property
    def link(self) -> Callable[[int], str]:
        """Makes the link token of a recipient's key."""
        return _maker(self._keys[self.signing], _LINK)

    @cached_property
    def verp(self) -> Callable[[int], str]:
        """Makes the VERP token of a recipient's key."""
        return _maker(self._keys[self.signing], _VERP)

    @cached_property
    def feed(self) -> Callable[[int], str]:
        """Makes the token of a personal feed's key."""
        return _maker(self._keys[self.signing], _FEED)

    @cached_property
    def click(self) -> Callable[[int], str]:
        """Makes the token of a counted link's key."""
        return _maker(self._keys[self.signing], _CLICK)

    @cached_property
    def open(self) -> Callable[[int], str]:
        """Makes the token of the image whose loading is counted, of an edition's key."""
        return _maker(self._keys[self.signing], _OPEN)

    def read_link(self, token: str) -> int | None:
        """The recipient's key, or None where ``token`` is no link token of ours."""
        return self._read(token, _LINK)

    def read_verp(self, token: str) -> int | None:
        """The recipient's key, or None where ``token`` is no VERP token of ours."""
        return self._read(token, _VERP)

    def read_feed(self, token: str) -> int | None:
        """The key of the personal feed, or None where ``token`` is no feed token of ours."""
        return self._read(token, _FEED)

    def read_click(self, token: str) -> int | None:
        """The key of the counted link, or None where ``token`` is no click token of ours."""
        return self._read(token, _CLICK)

    def read_open(self, token: str) -> int | None:
        """The key of the edition, or None where ``token`` is no such token of ours."""
        return self._read(token, _OPEN)

    def _read(self, token: str, salt: str) -> int | None:
        """Takes as long for a wrong token as for any other; ``token`` may be anything."""
        found = _TOKEN.fullmatch(token.lower()) if len(token) <= LONGEST else None
        if found is None:
            return None
        value, mac = found[1].encode("ascii"), bytes.fromhex(found[2])
        # Each key is tried, whichever it is: the time does not tell which one it was.
        good = [
            _ALGORITHM.verify_signature(_derived(key, salt), value, mac)
            for key in self._keys.values()
        ]
        return int(found[1], 16) if any(good) else None


class _ShortHmac(SigningAlgorithm):
    """HMAC-SHA-256 (RFC 2104), the first 96 bits of it."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        # Not hmac.digest, which lets other threads have a turn: they take longer than it does.
        return new(key, value, "sha256").digest()[:_MAC]


_ALGORITHM = _ShortHmac()


@lru_cache(maxsize=64)
def _derived(key: str, salt: str) -> bytes:
    signer = Signer(key, salt, key_derivation="hmac", digest_method=sha256, algorithm=_ALGORITHM)
    return signer.derive_key()


def _maker(key: str, salt: str) -> Callable[[int], str]:
    derived = _derived(key, salt)
    sign = _ALGORITHM.get_signature

    def token(recipient: int) -> str:
        value = f"{recipient:x}"
        return f"{value}-{sign(derived, value.encode()).hex()}"

    return token


def _id(key: str) -> str:
    return sha256(b"dispatch.key-id:" + key.encode()).hexdigest()[:12]
