"""The email as a message (RFC 5322) that any mail program opens and any relay takes.

    compose ─ headers ─▶ header_block ┐
            └ part, part ─▶ multipart ┴▶ bytes

The header block and the parts are made apart, so that a mailing can put one
recipient's values in place of the common ones.

The bytes are written here and not by Python's ``email`` package: what that
writes depends on Python's version, it encodes long ``List-*`` addresses, it
folds inside quoted names, and it decodes an encoded word that somebody typed
into a headline, line breaks included. The package reads the result in the tests.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Sequence
from email.utils import format_datetime
from hashlib import sha256

from dispatch.article import Article
from dispatch.desk import Desk, Mailbox
from dispatch.errors import SettingsError
from dispatch.markup import one_line
from dispatch.renditions.addresses import ascii_host, ascii_url

Header = tuple[str, tuple[str, ...]]
"""A header's name and the parts of its value; a line may be folded between two parts only."""

PAGES = {
    "unsubscribe_url": "unsubscribe",
    "preferences_url": "preferences",
    "browser_url": "view",
    "confirm_url": "confirm",
}
"""Where personal links lead: ``{site_url}/{desk}/{page}/{token}``."""

RECIPIENT = Mailbox("Subscriber", "subscriber@example.invalid")
"""Stands in To until a mailing puts a recipient there (RFC 2606, 2)."""

_LINE = 76  # RFC 2047, 2: of a line with an encoded word; shorter than the 78 of RFC 5322, 2.1.1
_LONGEST_LINE = 998  # RFC 5322, 2.1.1
_ENCODED_WORD = 64  # fits a line beside every header name; RFC 2047, 2 allows 75
_DISPLAY_NAME = 64
_SUBJECT = 500

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


def compose(
    article: Article, desk: Desk, *, subject: str, language: str, text: bytes, html: bytes
) -> bytes:
    """The complete message: a text part and an HTML part of the same content.

    Args:
        article: placed and published; gives Date and, with the parts, Message-ID.
        subject: plain text of any kind; what could start a line is taken out,
            and so is what goes beyond 500 characters.
        language: BCP 47, for Content-Language (RFC 3282).
        text, html: the parts, UTF-8.

    Returns:
        ASCII with CRLF line ends; no line is longer than 998.

    Raises:
        SettingsError: an address of the desk does not fit a header.
        ValueError: the article was not published.
    """
    parts = (part("plain", text), part("html", html))
    edge = boundary(parts)
    lines = headers(article, desk, subject=subject, language=language, parts=parts)
    return header_block((*lines, *mime_headers(edge))) + multipart(parts, edge)


# Headers -----------------------------------------------------------------------------------------


def headers(
    article: Article, desk: Desk, *, subject: str, language: str, parts: Sequence[bytes]
) -> tuple[Header, ...]:
    """What the message says of itself, without the MIME headers."""
    time = article.updated or article.published
    if time is None:
        raise ValueError("an article that was not published has no date")
    lines: list[Header] = [
        ("From", mailbox(desk.sender)),
        ("To", mailbox(RECIPIENT)),
        ("Subject", unstructured(subject[:_SUBJECT]) or unstructured(desk.name)),
        ("Date", (format_datetime(time.astimezone(desk.timezone)),)),
        ("Message-ID", (message_id(article, desk, parts),)),
        ("List-Id", (list_id(desk),)),
        ("List-Unsubscribe", (f"<{ascii_url(unsubscribe_url(desk))}>",)),
        ("List-Unsubscribe-Post", ("List-Unsubscribe=One-Click",)),
    ]
    if is_language_tag(language):
        lines.append(("Content-Language", (language,)))
    return tuple(lines)


def is_language_tag(language: str) -> bool:
    """Whether it can stand in Content-Language."""
    return _LANGUAGE_TAG.fullmatch(language) is not None


def mime_headers(edge: str) -> tuple[Header, ...]:
    return (
        ("MIME-Version", ("1.0",)),
        ("Content-Type", ("multipart/alternative;", f'boundary="{edge}"')),
    )


def unsubscribe_url(desk: Desk) -> str:
    """Where one unsubscribes (RFC 8058); a placeholder until a mailing gives each their own."""
    return f"{desk.site_url}/{desk.slug}/unsubscribe"


def preferences_url(desk: Desk) -> str:
    """Where one chooses what to receive; a placeholder as the above."""
    return f"{desk.site_url}/{desk.slug}/preferences"


def personal_url(desk: Desk, page: str) -> str:
    """What a link of a person's own begins with, in ASCII; a token follows."""
    return ascii_url(f"{desk.site_url}/{desk.slug}/{page}/")


def message_id(article: Article, desk: Desk, parts: Sequence[bytes]) -> str:
    """The same for the same version of the same content, different for any other."""
    digest = sha256(f"{article.id}\n{article.version}\n".encode())
    for content in parts:
        digest.update(content)
    return f"<{digest.hexdigest()[:32]}@{host(desk)}>"


def list_id(desk: Desk) -> str:
    """The newsletter's own name, whatever address it comes from (RFC 2919)."""
    return f"<{desk.slug}.{host(desk)}>"


def header_block(lines: Sequence[Header]) -> bytes:
    """The headers as they go over the wire, and the empty line after them."""
    return header_lines(lines) + b"\r\n"


def header_lines(lines: Sequence[Header]) -> bytes:
    """The same without the empty line, for more to follow.

    Raises:
        SettingsError: a line is longer than 998, or is not ASCII.
    """
    return b"".join(_checked(name, folded(name, parts)) for name, parts in lines)


def folded(name: str, parts: Sequence[str]) -> list[str]:
    """The lines of a header, folded between parts where a line would be too long."""
    lines = [f"{name}:"]
    for position, text in enumerate(parts):
        # The first part stays beside the name: a line of white space alone is obsolete.
        if position and len(lines[-1]) + 1 + len(text) > _LINE:
            lines.append("")
        lines[-1] += f" {text}"
    return lines


def _checked(name: str, lines: Sequence[str]) -> bytes:
    for line in lines:
        if len(line) > _LONGEST_LINE or not (line.isascii() and line.isprintable()):
            raise SettingsError(
                f"The email's header {name} cannot be written: {line[:80]!r}. "
                "Correct the desk's addresses: they have to be ASCII and below 990 characters."
            )
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def unstructured(text: str) -> tuple[str, ...]:
    """Free text such as a subject, in RFC 2047 encoded words where ASCII does not do."""
    parts: list[str] = []
    run: list[str] = []
    for word in one_line(text).split(" "):
        if _plain(word):
            parts += _encoded(" ".join(run))
            run.clear()
            parts.append(word)
        else:
            run.append(word)
    return tuple(part for part in (*parts, *_encoded(" ".join(run))) if part)


def mailbox(box: Mailbox) -> tuple[str, ...]:
    """A display name of at most 64 characters, and an address in angle brackets."""
    return (*display_name(bounded_name(box.name)), f"<{box.address}>")


def bounded_name(name: str) -> str:
    """A name that can be shown: on one line, of at most 64 characters; may be empty."""
    return one_line(one_line(name)[:_DISPLAY_NAME])


def display_name(name: str) -> tuple[str, ...]:
    """A name of :func:`bounded_name` as it stands before an address (RFC 5322, 3.4)."""
    if not name:
        return ()
    if not _plain(name):
        return tuple(_encoded(name))
    if _ATOMS.fullmatch(name):
        return (name,)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return (f'"{quoted}"',)


def _plain(text: str) -> bool:
    """Whether it can stand in a header as it is: and nobody takes it for an encoded word."""
    return text.isascii() and text.isprintable() and "=?" not in text


def _encoded(text: str) -> list[str]:
    """``text`` as encoded words (RFC 2047), in whichever encoding is shorter."""
    shorter, encode = min(((e(text), e) for e in (_q, _b)), key=lambda tried: len(tried[0]))
    if text and len(shorter) <= _ENCODED_WORD:
        return [shorter]
    words: list[str] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or len(encode(text[start : end + 1])) > _ENCODED_WORD:
            words.append(encode(text[start:end]))
            start = end
    return words


def _b(text: str) -> str:
    return f"=?utf-8?b?{b64encode(text.encode()).decode('ascii')}?="


def _q(text: str) -> str:
    # Letters and digits alone stay: that much is safe in a display name, too (RFC 2047, 5).
    safe = (
        chr(byte) if chr(byte).isalnum() and byte < 128 else "_" if byte == 32 else f"={byte:02X}"
        for byte in text.encode()
    )
    return f"=?utf-8?q?{''.join(safe)}?="


def host(desk: Desk) -> str:
    """The desk's host as the domain name that these headers need: in ASCII, and no IPv6 address."""
    try:
        name = ascii_host(desk.host)
    except ValueError:
        return "localhost"
    return "localhost" if ":" in name else name


# Parts -------------------------------------------------------------------------------------------


def part(subtype: str, content: bytes) -> bytes:
    """A text part, UTF-8 in quoted-printable: lines of at most 76 (RFC 2045, 6.7)."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n") + b"\n"
    return part_head(subtype) + b2a_qp(lines.replace(b"\n", b"\r\n"), istext=True)


def part_head(subtype: str) -> bytes:
    """The headers of a text part, and the empty line after them."""
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode("ascii")


def boundary(parts: Sequence[bytes]) -> str:
    """A boundary made from the parts. ``=_`` cannot occur in quoted-printable (RFC 2045, 6.7)."""
    return f"=_{sha256(b''.join(parts)).hexdigest()[:32]}"


def multipart(parts: Sequence[bytes], edge: str) -> bytes:
    """The body of a multipart message (RFC 2046, 5.1.1)."""
    line = f"--{edge}".encode("ascii")
    inner = b"".join(line + b"\r\n" + content + b"\r\n" for content in parts)
    return inner + line + b"--\r\n"
