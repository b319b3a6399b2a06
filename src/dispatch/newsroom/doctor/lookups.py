"""The DNS, asked about a sending domain: within bounds, and silence is no answer."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar

from dispatch.errors import DeliveryError

_SILENCES = 2
"""Questions in a row that stay without an answer before the resolver is given up."""

_QUESTIONS = 150
_RECORDS = 50
_LONGEST_TEXT = 4096

T = TypeVar("T")


class UnansweredError(Exception):
    """Nobody knows what stands in the DNS; the message is a sentence."""


class Dns:
    """Asks a resolver; what it said is kept, so that it is asked once.

    Every method gives an empty list where there is no such name or record.

    Args:
        server: the resolver's address and port; None: that of the system.
        seconds: for one question, with its repetitions.

    Raises:
        DeliveryError: the extra ``doctor`` is not installed.
        UnansweredError: (each method) the resolver was silent, or sent what cannot be read.
    """

    def __init__(self, server: tuple[str, int] | None = None, *, seconds: float = 4.0) -> None:
        try:
            from dns.resolver import Resolver
        except ImportError:
            raise DeliveryError(
                "dispatch doctor needs dnspython, which asks the DNS, and it is not installed. "
                "Install it with: pip install 'dispatch-newsroom[doctor]'"
            ) from None
        self._seconds = seconds
        self._trouble = ""
        self._answers: dict[tuple[str, str], list[Any] | UnansweredError] = {}
        self._silences = 0
        self._resolver = Resolver(configure=False)
        if server is not None:
            self._resolver.nameservers = [server[0]]
            self._resolver.port = server[1]
        else:
            self._configure()

    def texts(self, name: str) -> list[str]:
        """TXT records, the strings of each joined; ASCII, other bytes written out as ``\\xe4``."""
        return self._records(name, "TXT", lambda r: _ascii(b"".join(r.strings)[:_LONGEST_TEXT]))

    def addresses(self, name: str) -> list[str]:
        """IPv4 and IPv6 addresses."""
        return [
            address
            for kind in ("A", "AAAA")
            for address in self._records(name, kind, lambda r: str(r.address))
        ]

    def exchangers(self, name: str) -> list[str]:
        """The hosts that take mail for ``name``, the preferred first; ``.`` is a null MX."""
        found = self._records(name, "MX", lambda r: (r.preference, _ascii_name(r.exchange)))
        return [host for _, host in sorted(found)]

    def names(self, address: str) -> list[str]:
        """The names of an address (PTR)."""
        return self._records(
            ip_address(address).reverse_pointer, "PTR", lambda r: _ascii_name(r.target)
        )

    def _configure(self) -> None:
        from dns.exception import DNSException

        try:
            self._resolver.read_resolv_conf("/etc/resolv.conf")
        except DNSException as error:
            self._trouble = f"this machine knows no resolver ({error})"

    def _records(self, name: str, kind: str, read: Callable[[Any], T]) -> list[T]:
        known = self._answers.get((name, kind))
        if known is None:
            try:
                known = self._asked(name, kind)
            except UnansweredError as error:
                known = error
            self._answers[name, kind] = known
        if isinstance(known, UnansweredError):
            raise known
        return [read(record) for record in known]

    def _asked(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.name
        import dns.resolver

        if self._trouble or len(self._answers) >= _QUESTIONS:
            raise UnansweredError(self._trouble or "there are more records than anybody follows")
        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return []  # what is no name has no records
        try:
            answer = self._resolver.resolve(
                asked, kind, raise_on_no_answer=False, lifetime=self._seconds, search=False
            )
        except dns.resolver.NXDOMAIN:
            found: list[Any] = []
        except dns.exception.Timeout:
            self._silent()
            raise UnansweredError(f"no answer came for {name} ({kind})") from None
        except dns.resolver.NoNameservers:
            raise UnansweredError(f"the resolver could not say what {name} ({kind}) is") from None
        except (dns.exception.DNSException, OSError, ValueError):
            raise UnansweredError(f"what came for {name} ({kind}) cannot be read") from None
        else:
            found = list(answer.rrset or ())[:_RECORDS]
        self._silences = 0
        return found

    def _silent(self) -> None:
        self._silences += 1
        if self._silences >= _SILENCES:
            self._trouble = "the resolver does not answer"


def _ascii(data: bytes) -> str:
    return data.decode("ascii", "backslashreplace")


def _ascii_name(name: Any) -> str:
    """A name as text without its last dot, which the root alone keeps."""
    text = str(name.to_text(omit_final_dot=True)).lower()
    return text or "."
