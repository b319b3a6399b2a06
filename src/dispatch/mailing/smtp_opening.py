"""From a relay's name to a connection that takes mail: greeting, EHLO, STARTTLS, AUTH.

One question, one answer (RFC 5321 3.1, 3.2; RFC 3207; RFC 4954). Where the
relay is to be encrypted, nothing but EHLO and STARTTLS is said before it is,
whatever the relay claims, and its certificate is always verified. User and
password go over a connection that can be listened to only where the settings
say so.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import socket
import ssl
from base64 import b64encode
from collections import deque
from functools import lru_cache
from typing import Literal, cast

from dispatch.mailing.relays import Relay
from dispatch.mailing.replies import ProtocolError, Reply, ReplyParser
from dispatch.mailing.smtp_conversation import spell
from dispatch.mailing.smtp_envelope import Offers
from dispatch.mailing.transport import End

_CONNECT, _HANDSHAKE, _ANSWER = 30.0, 60.0, 300.0


class OpeningError(Exception):
    """The connection cannot be used; ``end`` says why."""

    def __init__(self, kind: Literal["down", "tls", "auth"], sentence: str) -> None:
        super().__init__(sentence)
        self.end = End(kind, sentence)


def patience(relay: Relay, seconds: float) -> float:
    """How long to wait where RFC 5321 4.5.3.2 says ``seconds``."""
    return min(seconds, relay.timeout) if relay.timeout else seconds


async def opened(relay: Relay) -> Opening:
    """A connection that is ready for MAIL.

    Raises:
        OpeningError: there is none to be had.
    """
    opening = Opening(relay)
    try:
        await opening.connect()
        await opening.introduce()
    except ProtocolError as error:
        opening.close()
        raise OpeningError("down", f"The relay {relay.name} broke the protocol: {error}.") from None
    except BaseException:
        opening.close()
        raise
    return opening


class Opening(asyncio.Protocol):
    """The conversation up to the first MAIL. Use :func:`opened`."""

    def __init__(self, relay: Relay) -> None:
        self.offers = Offers()
        self._relay = relay
        self._transport: asyncio.Transport | None = None
        self._wire: asyncio.Transport | None = None  # without encryption
        self._encrypted = False
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._broken: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def connect(self) -> None:
        """Connect, encrypt where that comes first, and wait for the greeting."""
        relay = self._relay
        seconds = patience(relay, _CONNECT)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: self, relay.host, relay.port, happy_eyeballs_delay=0.25
                )
        except socket.gaierror as error:
            why = f"the name {relay.host} leads nowhere ({error.strerror})"
            raise self._failed("down", f"cannot be found: {why}") from None
        except TimeoutError:
            raise self._failed("down", f"cannot be reached within {spell(seconds)}") from None
        except OSError as error:
            why = (
                os.strerror(error.errno).lower() if error.errno else "none of its addresses answers"
            )
            raise self._failed("down", f"cannot be reached: {why}") from None
        if relay.scheme == "smtps":
            await self._encrypt()
        reply = await self._answer("our call")
        if reply.code != 220:
            raise self._failed("down", f"takes no mail at present: {reply.words}")

    async def introduce(self) -> None:
        """EHLO, STARTTLS and AUTH, as far as they are needed."""
        await self._greet()
        if self._relay.scheme == "smtp+starttls":
            await self._start_tls()
            await self._greet()
        if self._relay.user:
            await self._log_in()

    def hand_over(
        self, protocol: asyncio.BufferedProtocol
    ) -> tuple[asyncio.Transport, asyncio.Transport]:
        """Let ``protocol`` have the connection from now on: what it is, and what is below TLS.

        Raises:
            OpeningError: it has been closed, or something came that nobody asked for.
        """
        transport, wire = self._transport, self._wire
        if self._broken or self._replies or self._parser.pending or not (transport and wire):
            why = "spoke without being asked" if not self._broken else str(self._broken)
            if self._replies:
                why = f"takes no mail: {self._replies[0].words}"
            self.close()
            raise self._failed("down", why)
        transport.set_protocol(protocol)
        return transport, wire

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    # What asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._wire = cast(asyncio.Transport, transport)
        # Whatever waits in this process is known of: large messages depend on it.
        self._wire.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._parser.feed(data):
                self._replies.append(reply)
        except ProtocolError as error:
            self._broken = self._broken or error
        if len(self._replies) > 1:
            self._broken = self._broken or ProtocolError("it answered what was not asked")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        what = "broke the connection off" if exc else "closed the connection"
        self._broken = self._broken or self._failed("down", what)
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # The conversation --------------------------------------------------------------------------

    async def _ask(self, line: str, about: str) -> Reply:
        """The answer to ``line``; ``about`` is what the line is called, without its secrets."""
        assert self._transport
        if self._replies or self._parser.pending:
            raise ProtocolError("it answered before it was asked")
        self._transport.write(line.encode() + b"\r\n")
        return await self._answer(about)

    async def _answer(self, about: str) -> Reply:
        """The next whole reply. Bytes that come one by one do not extend the time it has."""
        seconds = patience(self._relay, _ANSWER)
        try:
            async with asyncio.timeout(seconds):
                while not self._replies or isinstance(self._broken, ProtocolError):
                    if self._broken:
                        raise self._broken
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
        except TimeoutError:
            raise self._failed("down", f"did not answer {about} within {spell(seconds)}") from None
        reply = self._replies.popleft()
        if reply.code == 421:
            raise self._failed("down", f"takes no mail at present: {reply.words}")
        return reply

    async def _greet(self) -> None:
        name = self._relay.helo or self._own_name()
        reply = await self._ask(f"EHLO {name}", "EHLO")
        if reply.code == 250:
            self.offers = Offers.read(reply.lines)
            return
        if reply.code < 500:
            raise self._failed("down", f"takes no mail at present: {reply.words}")
        if self._relay.scheme == "smtp+starttls":
            raise self._failed("tls", f"has no STARTTLS, which is required: {reply.words}")
        if self._relay.user:
            raise self._failed("auth", f"has no way to log in: {reply.words}")
        self.offers = Offers()
        reply = await self._ask(f"HELO {name}", "HELO")
        if reply.code != 250:
            raise self._failed("down", f"does not want to talk to {name}: {reply.words}")

    def _own_name(self) -> str:
        """The machine's name where it has a full one, else its address (RFC 5321 4.1.4)."""
        name = socket.gethostname()
        if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name):
            return name
        assert self._transport
        address = str(self._transport.get_extra_info("sockname")[0]).split("%", maxsplit=1)[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    # Encryption --------------------------------------------------------------------------------

    async def _start_tls(self) -> None:
        if not self.offers.starttls:
            raise self._failed("tls", "does not offer STARTTLS, and nothing is sent without")
        reply = await self._ask("STARTTLS", "STARTTLS")
        if reply.code != 220:
            raise self._failed(
                "tls", f"refused STARTTLS, and nothing is sent without: {reply.words}"
            )
        await self._encrypt()

    async def _encrypt(self) -> None:
        """Go on encrypted, with a relay that has proven its name."""
        assert self._transport
        if self._replies or self._parser.pending:
            # Somebody in between may have put it there for us to believe later (CVE-2011-0411).
            raise self._failed("tls", "(or somebody in between) spoke on before encryption began")
        seconds = patience(self._relay, _HANDSHAKE)
        try:
            context = _tls(self._relay.ca)
        except OSError as error:  # ssl's errors are among them
            why = f"cannot be trusted: {self._relay.ca} holds no certificates that can be read"
            raise self._failed("tls", why) from error
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_hostname=self._relay.host.rstrip("."),
                ssl_handshake_timeout=seconds,
            )
        except ssl.SSLCertVerificationError as error:
            why = f"has a certificate that cannot be trusted: {error.verify_message.rstrip('.')}"
            raise self._failed("tls", why) from None
        except ssl.SSLError as error:
            why = (error.reason or "unknown").replace("_", " ").lower()
            raise self._failed("tls", f"cannot be talked to encrypted: {why}") from None
        except OSError:  # among them ConnectionAbortedError, when it takes too long
            raise self._failed(
                "tls", f"broke off while encryption was agreed on, or took {spell(seconds)}"
            ) from None
        if transport is None:
            raise self._failed("tls", "broke off while encryption was agreed on")
        self._transport = transport
        self._encrypted = True

    # Who we are --------------------------------------------------------------------------------

    async def _log_in(self) -> None:
        if not (self._encrypted or self._relay.cleartext_auth or self._at_home()):
            raise self._failed(
                "auth",
                "is not encrypted, and the password would be sent in the clear: write "
                "smtp+starttls:// or smtps://, or add cleartext-auth=yes behind a ?",
            )
        mechanism = self._mechanism()
        relay = self._relay
        match mechanism:
            case "PLAIN":
                answers = [f"\0{relay.user}\0{relay.password}"]
            case "XOAUTH2":
                # An empty answer asks for the refusal behind the details in a 334.
                answers = [f"user={relay.user}\1auth=Bearer {relay.password}\1\1", ""]
            case _:
                answers = [relay.user, relay.password]
        encoded = [b64encode(answer.encode()).decode() for answer in answers]
        line = f"AUTH {mechanism}" if mechanism == "LOGIN" else f"AUTH {mechanism} {encoded.pop(0)}"
        reply = await self._ask(line, "AUTH")
        while reply.code == 334 and encoded:
            reply = await self._ask(encoded.pop(0), "AUTH")
        if reply.code == 235:
            return
        words = self._without_secrets(reply.words)
        if reply.code < 400:
            raise ProtocolError(f"it answered AUTH with {words}")
        if reply.code < 500:
            raise self._failed("down", f"cannot check the password at present: {words}")
        raise self._failed("auth", f"does not accept the user or password: {words}")

    def _mechanism(self) -> str:
        relay, offered = self._relay, self.offers.auth
        wanted = [relay.auth.upper()] if relay.auth else ["PLAIN", "LOGIN"]
        for mechanism in wanted:
            if mechanism in offered:
                return mechanism
        if offered:
            names = ", ".join(sorted(re.sub(r"[^A-Z0-9_-]", "", name)[:20] for name in offered))
            raise self._failed(
                "auth", f"offers to log in by {names[:200]}, not {' or '.join(wanted)}"
            )
        hint = "" if self._encrypted else "; it may when encrypted: write smtp+starttls://"
        raise self._failed("auth", f"does not offer to log in{hint}")

    def _at_home(self) -> bool:
        """Whether the relay is on this machine, where nobody listens in between."""
        assert self._transport
        peer = str(self._transport.get_extra_info("peername")[0]).split("%", maxsplit=1)[0]
        return ipaddress.ip_address(peer).is_loopback

    def _without_secrets(self, words: str) -> str:
        """A relay may repeat what it was told."""
        relay = self._relay
        plain = f"\0{relay.user}\0{relay.password}"
        secrets = [relay.password, relay.user]
        secrets += [b64encode(x.encode()).decode() for x in (plain, relay.password, relay.user)]
        for secret in sorted(secrets, key=len, reverse=True):
            words = words.replace(secret, "…").replace(secret.rstrip("="), "…")
        return words

    def _failed(self, kind: Literal["down", "tls", "auth"], what: str) -> OpeningError:
        return OpeningError(kind, f"The relay {self._relay.name} {what.rstrip('.')}.")


@lru_cache(maxsize=16)
def _tls(ca: str) -> ssl.SSLContext:
    """Verifies certificates and names, by the system's authorities or those in ``ca`` alone."""
    return ssl.create_default_context(cafile=ca or None)
