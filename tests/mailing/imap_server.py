"""An IMAP server on the loopback interface that knows a few commands, and faults on purpose."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

USER, PASSWORD = "bounces@example.org", "pa ss:w/ö%rd"


@dataclass
class ImapServer:
    """One folder of messages with flags, by UID.

    ``fault`` is one of: silent, garbage, no-login, no-folder, cut-off, no-starttls,
    injects (a line in clear behind its yes to STARTTLS), vanished, no-store.
    """

    messages: dict[int, bytes]
    folder: bytes = b'"INBOX"'
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    plain: bool = True
    fault: str = ""
    flags: dict[int, set[str]] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator[ImapServer]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._serve, args=(listener,))
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.settimeout(10)
            with suppress(OSError), client:
                if self.at_once and self.tls:
                    with self.tls.wrap_socket(client, server_side=True) as secure:
                        self._talk(secure)
                else:
                    self._talk(client)

    def _talk(self, client: socket.socket, greet: bool = True) -> None:
        file = client.makefile("rwb", buffering=0)
        if self.fault == "silent":
            file.read(1)
            return
        if self.fault == "garbage":
            file.write(b"\x00\xff" * 500 + b"\r\n")
            return
        if greet:
            file.write(b"* OK ready\r\n")
        while line := file.readline():
            tag, _, command = line.strip().partition(b" ")
            self.said.append(command)
            if command == b"STARTTLS" and self.tls:
                late = b"* CAPABILITY IMAP4rev1\r\n" if self.fault == "injects" else b""
                file.write(tag + b" OK go on\r\n" + late)
                with self.tls.wrap_socket(client, server_side=True) as secure:
                    self._talk(secure, greet=False)
                return
            answer = self._answer(command, file)
            if answer is None:
                return
            file.write(tag + b" " + answer + b"\r\n")
            if command == b"LOGOUT":
                return

    def _answer(self, command: bytes, file: BinaryIO) -> bytes | None:
        name = b" ".join(command.split(b" ")[: 2 if command.startswith(b"UID") else 1])
        match name:
            case b"CAPABILITY":
                plain = b" AUTH=PLAIN" if self.plain else b""
                starttls = b" STARTTLS" if self.tls and self.fault != "no-starttls" else b""
                file.write(b"* CAPABILITY IMAP4rev1" + plain + starttls + b"\r\n")
            case b"AUTHENTICATE":
                file.write(b"+ \r\n")
                given = base64.b64decode(file.readline())
                if self.fault == "no-login" or given != f"\0{USER}\0{PASSWORD}".encode():
                    return b"NO wrong: " + given.replace(b"\0", b" ")
            case b"LOGIN":
                if self.fault == "no-login":
                    return b"NO wrong: " + command
            case b"SELECT":
                if self.fault == "no-folder" or command != b"SELECT " + self.folder:
                    return b"NO there is no \x1b[31msuch folder"
                file.write(b"* %d EXISTS\r\n" % len(self.messages))
            case b"UID SEARCH":
                file.write(b"* SEARCH " + b" ".join(b"%d" % uid for uid in self._found(command)))
                file.write(b"\r\n")
            case b"UID FETCH":
                return self._fetch(command, file)
            case b"UID STORE":
                return self._store(command.decode())
            case b"LOGOUT":
                file.write(b"* BYE\r\n")
            case _:
                return b"BAD what?"
        return b"OK done"

    def _found(self, command: bytes) -> list[int]:
        def wanted(uid: int) -> bool:
            flags = self.flags.get(uid, set())
            flagged = b"UNFLAGGED" in command and "\\Flagged" in flags
            return "\\Seen" not in flags and not flagged

        return [uid for uid in self.messages if wanted(uid)]

    def _fetch(self, command: bytes, file: BinaryIO) -> bytes | None:
        found = re.fullmatch(rb"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command)
        assert found, command
        data = self.messages[int(found[1])][: int(found[2])]
        if self.fault == "vanished":
            return b"OK done"
        file.write(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n" % (found[1], len(data)))
        if self.fault == "cut-off":
            file.write(data[:10])
            return None
        file.write(data + b")\r\n")
        return b"OK done"

    def _store(self, command: str) -> bytes:
        found = re.fullmatch(r"UID STORE (\d+) ([+-])FLAGS\.SILENT \((.*)\)", command)
        assert found, command
        if self.fault == "no-store":
            return b"NO read only"
        flags = self.flags.setdefault(int(found[1]), set())
        if found[2] == "+":
            flags.add(found[3])
        else:
            flags.discard(found[3])
        return b"OK done"


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for localhost: the context of its server, and the file that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, both = folder / "localhost.pem", folder / "server.pem"
    pem = made.public_bytes(serialization.Encoding.PEM)
    trusted.write_bytes(pem)
    both.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted
