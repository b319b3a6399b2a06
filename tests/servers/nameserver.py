"""A DNS server on loopback that answers from a script, and misbehaves where it says so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

Fault = Literal["SERVFAIL", "REFUSED", "SILENT", "TRUNCATED", "GARBAGE"]
Zone = Mapping[tuple[str, str], list[str | bytes] | Fault]
"""Name and type → records as in a zone file (TXT: the raw value), or what goes wrong.

A name that is in no key does not exist (NXDOMAIN); one that has other types only has no data.
A name ``*`` stands for every name that has no key of its own.
"""


class Nameserver:
    """Answers over UDP until it is closed; ``asked`` is what it was asked, in order."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return host, port

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as farewell:
            farewell.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            if reply := self._reply(dns.message.from_wire(data)):
                self._socket.sendto(reply, client)

    def _reply(self, query: dns.message.Message) -> bytes | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        found = self.zone.get((name, kind), self.zone.get(("*", kind)))
        if found == "SILENT":
            return None
        if found == "GARBAGE":
            return query.to_wire()[:2] + b"\xff" * 40
        response = dns.message.make_response(query, recursion_available=True)
        if found in ("SERVFAIL", "REFUSED"):
            response.set_rcode(dns.rcode.from_text(str(found)))
        elif found == "TRUNCATED":
            response.flags |= dns.flags.TC
        elif found is not None:
            rrset = dns.rrset.RRset(question.name, dns.rdataclass.IN, question.rdtype)
            for text in found:
                rrset.add(_record(kind, text), ttl=60)
            response.answer.append(rrset)
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65535)


@contextmanager
def serving(zone: Zone) -> Iterator[Nameserver]:
    server = Nameserver(zone)
    try:
        yield server
    finally:
        server.close()


def _record(kind: str, text: str | bytes) -> dns.rdata.Rdata:
    if kind == "TXT":
        data = text.encode() if isinstance(text, str) else text
        strings = [data[i : i + 255] for i in range(0, len(data), 255)] or [b""]
        return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), str(text))
