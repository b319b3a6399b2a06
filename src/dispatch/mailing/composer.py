"""An edition as a message: composed once, spliced per person.

    compose(rendition, desk, …) ─▶ Composition ─▶ to_bytes, frozen ─▶ from_bytes
                                        └─▶ Press(composition, tokens).copy(person) ─▶ bytes

Of one person there is in their copy: name and address in ``To`` and where the
templates put them, one signed token in every link and in List-Unsubscribe,
another in the return path (VERP), and a Message-ID that is the same however
often the copy is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import Literal
from urllib.parse import quote

from dispatch.audience.addresses import LONGEST_LOCAL_PART
from dispatch.desk import Desk, Mailbox
from dispatch.errors import SettingsError
from dispatch.mailing import tokens
from dispatch.mailing.composition import Composition, Hole, Piece
from dispatch.mailing.press import Person, Press
from dispatch.mailing.quoting import SOFT_BREAK, encoded
from dispatch.renditions import message
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.message import PAGES, Header
from dispatch.renditions.slots import FEEDS, SHARED, Slot, cut

ON_DEMAND = ("confirm", "welcome", "already")
"""Kinds of mail that Dispatch itself writes, whenever somebody's turn has come: each copy has a
date of its own."""
ANSWERS = ("confirm", "already")
"""Those that answer somebody who filled in a form, and are no mail of a list."""

_LINE = 998  # RFC 5322, 2.1.1


def compose(
    rendition: EmailRendition,
    desk: Desk,
    *,
    edition: int,
    seed: str,
    made: datetime,
    return_path: str,
    unsubscribe_address: str,
    kind: str = "newsletter",
) -> Composition:
    """The message of an edition, but for what is personal.

    Args:
        rendition: a personal one; :meth:`EmailRendition.spoken`, for readers of another language.
        edition: its number, for Feedback-ID.
        seed: random, the edition's own; Message-IDs are made of it.
        made: aware; for Date.
        return_path: where bounces go, as an addr-spec.
        unsubscribe_address: where a mail program may send a message to unsubscribe, the same.
        kind: the edition's.

    Raises:
        SettingsError: an address is none, or has no room for a token.
        ValueError: the rendition is not personal, or ``made`` has no zone.
    """
    if not rendition.placed:
        raise ValueError("a rendition that is nobody's cannot be mailed")
    if made.tzinfo is None:
        raise ValueError("a time without a zone has no place in Date")
    _with_room(return_path, "DISPATCH_RETURN_PATH")
    text = _part("plain", rendition.text.decode(), rendition.placed, desk)
    html = _part("html", rendition.html.decode(), rendition.placed, desk)
    edge = f"=_{sha256(repr((text, html)).encode()).hexdigest()[:32]}"
    opening = f"--{edge}\r\n"
    headers = _headers(rendition, desk, edition, made, unsubscribe_address, kind)
    mime = message.header_block(message.mime_headers(edge)).decode("ascii")
    return Composition(
        edition=edition,
        language=rendition.language,
        subject=rendition.subject,
        host=message.host(desk),
        from_domain=desk.sender.address.rpartition("@")[2].lower(),
        seed=seed,
        return_path=return_path,
        head=_joined([*headers, mime, opening]),
        text=_joined([*text, f"\r\n{opening}"]),
        html=_joined([*html, f"\r\n--{edge}--\r\n"]),
    )


def _headers(
    rendition: EmailRendition,
    desk: Desk,
    edition: int,
    made: datetime,
    unsubscribe_address: str,
    kind: str,
) -> Iterator[Piece]:
    """In the order in which they are sent; those without a hole are folded where they have to be.

    Precedence and Auto-Submitted keep away the answers of people who are out
    (RFC 3834, 2 and 5); Gmail tells complaints by Feedback-ID, whose last field
    is the sender's and stays the same.
    """
    of_a_list = kind not in ANSWERS
    subject = message.unstructured(rendition.subject[:500]) or message.unstructured(desk.name)
    yield _fixed(("From", message.mailbox(desk.sender)))
    yield Hole("to")
    yield _fixed(("Subject", subject))
    if kind in ON_DEMAND:
        yield "Date: "
        yield Hole("date")
        yield "\r\n"
    else:
        yield _fixed(("Date", (format_datetime(made.astimezone(desk.timezone)),)))
    yield "Message-ID: "
    yield Hole("message_id")
    yield "\r\n"
    if of_a_list:
        yield _fixed(("List-Id", (message.list_id(desk),)))
        yield from _list_unsubscribe(desk, unsubscribe_address)
    yield _fixed(("Feedback-ID", (f"{edition}:{desk.slug}:{kind}:{_sender_id(desk)}",)))
    if of_a_list:
        yield _fixed(("Precedence", ("bulk",)))
    yield _fixed(("Auto-Submitted", ("auto-generated",)))
    if message.is_language_tag(rendition.language):
        yield _fixed(("Content-Language", (rendition.language,)))


def _fixed(*lines: Header) -> str:
    return message.header_lines(lines).decode("ascii")


def _list_unsubscribe(desk: Desk, address: str) -> Iterator[Piece]:
    """List-Unsubscribe on one line, and where it is a one-click link, the header that says so."""
    _with_room(address, "DISPATCH_UNSUBSCRIBE_ADDRESS")
    local, _, host = address.rpartition("@")
    # Some of what an address may hold, a mailto: URI may not (RFC 6068, 2).
    mailto = "mailto:" + quote(local, safe="!$'*+.~_-")
    before = f"List-Unsubscribe: <{_page(desk, 'unsubscribe_url')}"
    after = f"@{host}?subject=unsubscribe>\r\n"
    longest = len(before) + len(mailto) + len(after) + 2 * tokens.LONGEST + len(">, <+")
    if longest > _LINE or not (before.isascii() and before.isprintable()):
        raise SettingsError(
            f"The address of the site cannot stand in List-Unsubscribe: {before[19:80]!r}. "
            "Correct DISPATCH_SITE_URL: it has to be ASCII and below 800 characters."
        )
    yield before
    yield Hole("link")
    yield f">, <{mailto}+"
    yield Hole("link")
    yield after
    if desk.site_url.startswith("https:"):  # RFC 8058, 3.1 asks for it
        yield _fixed(("List-Unsubscribe-Post", ("List-Unsubscribe=One-Click",)))


def _sender_id(desk: Desk) -> str:
    """The sender to Gmail's feedback loop: 5 to 15 characters, the same in every mailing."""
    return sha256(message.host(desk).encode()).hexdigest()[:12]


def _with_room(address: str, setting: str) -> None:
    """Make sure that ``address`` is one, and that a token can stand in its local part."""
    try:
        Mailbox("", address)
    except ValueError:
        raise SettingsError(
            f"{setting} is no address: {address!r}. Correct it to one such as bounces@example.org."
        ) from None
    local = address.rpartition("@")[0]
    most = LONGEST_LOCAL_PART - 1 - tokens.LONGEST
    if len(local) > most:
        raise SettingsError(
            f"{setting}: {local} is too long for a token to be added to it. "
            f"Shorten what stands before the @ to {most} characters."
        )


def _page(desk: Desk, kind: str) -> str:
    """A personal link without its token, in ASCII."""
    return message.personal_url(desk, PAGES[kind])


def _part(subtype: str, content: str, placed: Mapping[str, Slot], desk: Desk) -> list[Piece]:
    """A part of the message, cut at its marks. Each hole has a line of its own to itself."""
    html = subtype == "html"
    pieces: list[Piece] = [message.part_head(subtype).decode("ascii")]
    ended = True
    for piece in _joined(_cut(content, placed, desk, html=html)):
        if isinstance(piece, Hole):
            pieces += [piece] if ended else [SOFT_BREAK, piece]
            ended = False
        elif piece:
            after_hole = isinstance(pieces[-1], Hole)
            pieces += [SOFT_BREAK] if after_hole and not piece.startswith("\n") else []
            pieces.append(encoded(piece))
            ended = piece.endswith("\n")
    return pieces


def _cut(content: str, placed: Mapping[str, Slot], desk: Desk, *, html: bool) -> Iterator[Piece]:
    """``content`` as text and holes in turn; what a link begins with belongs to the text."""
    for part in cut(content, placed):
        if isinstance(part, str):
            yield part
        elif part.kind in FEEDS:
            feed: Literal["rss_url", "atom_url", "json_url"] = part.kind  # type: ignore[assignment]
            yield Hole(feed, html)
        elif part.kind in PAGES:
            url = _page(desk, part.kind)
            yield escape(url) if html else url
            yield Hole("link")
        elif part.kind in SHARED:
            yield escape(part.otherwise) if html else part.otherwise
        else:
            kind: Literal["name", "email"] = "name" if part.kind == "name" else "email"
            yield Hole(kind, html, part.before, part.after, part.otherwise)


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same with texts that follow each other as one."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


__all__ = ["Composition", "Person", "Press", "compose"]
