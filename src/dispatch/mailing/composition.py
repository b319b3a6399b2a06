"""What an edition is frozen as: its whole message, but for what is personal.

The message (RFC 5322, 2045 to 2049) is encoded already. It is kept as texts and
*holes* in turn: each hole lies between two line breaks of quoted-printable, or
stands in a header, and is filled by a :class:`~dispatch.mailing.press.Press`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from quopri import decodestring
from typing import Any, Literal

from dispatch.errors import DeliveryError
from dispatch.mailing.quoting import value

_FORMAT = "dispatch composition 1"


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a copy differs.

    ``to`` and ``message_id`` are headers, and so is ``date`` where copies are
    made on demand; ``link`` is a token in a header or a link; ``rss_url``,
    ``atom_url`` and ``json_url`` are addresses of a person's own feed; ``name``
    and ``email`` are text with ``before`` and ``after`` around it, or
    ``otherwise``; ``html`` says that it has to be escaped.
    """

    kind: Literal[
        "to", "message_id", "date", "link", "name", "email", "rss_url", "atom_url", "json_url"
    ]
    html: bool = False
    before: str = ""
    after: str = ""
    otherwise: str = ""


Piece = str | Hole

GIVEN = ("date", "rss_url", "atom_url", "json_url")
"""Holes that are filled with what is known of a person besides name and address."""


@dataclass(frozen=True, slots=True)
class Composition:
    """The message of an edition in one language, but for what is personal.

    ``head``, ``text`` and ``html`` follow each other, with nothing between:
    the headers with the first boundary, the plain-text part, and the HTML part
    to the end. Texts among them are ASCII with CRLF.
    """

    edition: int
    language: str
    """BCP 47."""
    subject: str
    host: str
    """The right side of Message-IDs."""
    from_domain: str
    """The domain of From: the one whose DKIM key counts (RFC 7489, 3.1)."""
    seed: str
    """Message-IDs are made of it."""
    return_path: str
    """An addr-spec; each copy's has a token behind the local part."""
    head: tuple[Piece, ...]
    text: tuple[Piece, ...]
    html: tuple[Piece, ...]

    def to_bytes(self) -> bytes:
        """JSON, the same for the same composition with any version that knows this format."""
        fields = {"format": _FORMAT, **asdict(self)}
        return json.dumps(fields, ensure_ascii=True, indent=1, sort_keys=True).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Composition:
        """What :meth:`to_bytes` made.

        Raises:
            DeliveryError: it did not make this, or a later version of Dispatch did.
        """
        try:
            fields = json.loads(data)
            made_as = fields.pop("format")
            if made_as != _FORMAT:
                raise DeliveryError(
                    "The mailing was composed in a form that this version does not know "
                    f"({str(made_as)[:40]!r}). Send it with the version that made it."
                )
            for part in ("head", "text", "html"):
                fields[part] = _pieces(fields[part])
            return cls(**fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DeliveryError(
                "What the mailing was composed of cannot be read from the database: it is damaged. "
                "Restore a backup of it."
            ) from error

    def browser_html(self, token: str = "") -> str:
        """The HTML as nobody's: without names, addresses and tokens; links lead to the site.

        Args:
            token: what stands where a token would, to find those places again: letters and digits.
        """
        part = "".join(
            p if isinstance(p, str) else token if p.kind == "link" else _nobody(p)
            for p in self.html
        )
        body = part.partition("\r\n\r\n")[2].rpartition("\r\n--")[0]
        return decodestring(body.encode("ascii")).decode().replace("\r\n", "\n")


def _pieces(loaded: Iterable[str | dict[str, Any]]) -> tuple[Piece, ...]:
    return tuple(p if isinstance(p, str) else Hole(**p) for p in loaded)


def _nobody(hole: Hole) -> str:
    shown = escape(hole.otherwise) if hole.html else hole.otherwise
    return value(shown).decode("ascii")
