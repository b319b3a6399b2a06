"""An IMAP folder (RFC 3501) that messages come back to."""

from __future__ import annotations

import base64
import imaplib
import ipaddress
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dispatch.errors import DeliveryError
from dispatch.mailing.bounces.mailboxes import LARGEST, Letter
from dispatch.mailing.harmless import harmless

_PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}
_ANY_ERROR = (imaplib.IMAP4.error, OSError, ValueError, UnicodeError)
"""What imaplib raises at a server that is away, refuses, or talks nonsense."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a folder is. The password is kept out of what is printed."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str

    def __repr__(self) -> str:
        return f"Address({self})"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.folder}"


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder: a :class:`~dispatch.mailing.bounces.mailboxes.Mailbox`."""

    connection: imaplib.IMAP4
    address: Address
    again: bool
    keeps_marks: bool = True

    def letters(self) -> Iterator[Letter]:
        for uid in self._unread():
            with _explained(self.address):
                answer = _answer(
                    self.connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)"), "a message"
                )
            data = next((part[1] for part in answer if isinstance(part, tuple)), None)
            if data is not None:  # else another reader was there first
                yield Letter(uid, data)

    def settle(self, letter: Letter, understood: bool) -> None:
        flags = [("+", "\\Seen"), ("-", "\\Flagged")] if understood else [("+", "\\Flagged")]
        with _explained(self.address):
            for sign, flag in flags if self.again else flags[:1]:
                _answer(
                    self.connection.uid("STORE", letter.name, f"{sign}FLAGS.SILENT", f"({flag})"),
                    "a mark on a message",
                )

    def _unread(self) -> list[str]:
        asked = ("UNSEEN", "UNDELETED") if self.again else ("UNSEEN", "UNFLAGGED", "UNDELETED")
        with _explained(self.address):
            answer = _answer(self.connection.uid("SEARCH", *asked), "the list of messages")
            found = b" ".join(line for line in answer if isinstance(line, bytes)).split()
            return [str(int(uid)) for uid in found]


def parse_address(url: str) -> Address:
    """``imaps://user:password@host/folder``; the folder is INBOX where none is named.

    Raises:
        DeliveryError: it is no such address; holds nothing of it but its scheme.
    """
    example = "such as imaps://user:password@mail.example.org/INBOX"
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        raise DeliveryError(  # without its cause, whose words may be part of the password
            f"The address of the IMAP folder makes no sense: write one {example}."
        ) from None
    if parts.scheme not in _PORTS:
        raise DeliveryError(
            f"{harmless(parts.scheme, 40)}:// is not a way to read bounces. Write an address "
            f"{example}, or with imap+starttls:// in front."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not host or not user or not password:
        raise DeliveryError(
            f"The address of the IMAP folder needs a host, a user and a password, {example}. "
            "Write @ : / and % in them as %40 %3A %2F and %25."
        )
    folder = unquote(parts.path.lstrip("/")) or "INBOX"
    if not (user + password + folder).isprintable():
        raise DeliveryError("The address of the IMAP folder has a control character in it.")
    if parts.scheme == "imap" and not _is_here(host):
        raise DeliveryError(
            f"imap:// would send the password to {host} for everyone to read: write imaps:// or "
            "imap+starttls://."
        )
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], user, password, folder)


@contextmanager
def open_folder(url: str, again: bool, timeout: float) -> Iterator[Folder]:
    """The folder at ``url``, logged in to and selected; logged out of at the end.

    Raises:
        DeliveryError: as :func:`parse_address`; the server is away, its certificate is not
            good, or it refuses.
    """
    address = parse_address(url)
    with _explained(address):
        connection = _connect(address, timeout)
    try:
        with _explained(address):
            _log_in(connection, address)
            _answer(connection.select(_quoted(address.folder)), f"the folder {address.folder}")
        yield Folder(connection, address, again)
    finally:
        with suppress(*_ANY_ERROR):
            connection.logout()
        with suppress(OSError):  # after a fault, logging out fails before it closes
            connection.shutdown()


def _connect(address: Address, timeout: float) -> imaplib.IMAP4:
    trusted = ssl.create_default_context()
    if address.scheme == "imaps":
        return imaplib.IMAP4_SSL(address.host, address.port, ssl_context=trusted, timeout=timeout)
    connection = imaplib.IMAP4(address.host, address.port, timeout=timeout)
    if address.scheme == "imap+starttls":
        try:
            connection.starttls(trusted)
        except BaseException:
            with suppress(OSError):  # the socket is gone already where the handshake failed
                connection.shutdown()
            raise
    return connection


def _log_in(connection: imaplib.IMAP4, address: Address) -> None:
    """AUTHENTICATE PLAIN (RFC 4616) where it is offered, since LOGIN is ASCII only."""
    try:
        if "AUTH=PLAIN" in connection.capabilities:
            secret = f"\0{address.user}\0{address.password}".encode()
            connection.authenticate("PLAIN", lambda _challenge: secret)
        else:
            connection.login(address.user, address.password)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeError):
        # What the server said may hold what it was told.
        raise DeliveryError(
            f"{address} does not let {address.user} in: check the user and the password."
        ) from None


def _answer(answer: tuple[str, Sequence[object]], what: str) -> Sequence[object]:
    kind, data = answer
    if kind != "OK":
        said = data[0] if data and isinstance(data[0], bytes) else b""
        raise imaplib.IMAP4.error(f"no {what}: {said.decode('utf-8', 'replace')}")
    return data


@contextmanager
def _explained(address: Address) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(
            f"{address}: the server's certificate is not good ({error.verify_message}). "
            "Nothing was sent to it."
        ) from None
    except TimeoutError:
        raise DeliveryError(f"{address}: the server does not answer. Try again later.") from None
    except _ANY_ERROR as error:
        said = harmless(str(error).replace(address.password, "…"), 200)
        raise DeliveryError(f"{address} cannot be read: {said}.") from None


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _quoted(folder: str) -> str:
    """A folder's name as IMAP has it: quoted, in modified UTF-7 (RFC 3501 5.1.3)."""
    encoded, run = "", ""
    for c in [*folder, ""]:
        if c and not " " <= c <= "~":
            run += c
            continue
        if run:
            word = base64.b64encode(run.encode("utf-16-be"), b"+,").decode().rstrip("=")
            encoded, run = f"{encoded}&{word}-", ""
        encoded += "&-" if c == "&" else c
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'
