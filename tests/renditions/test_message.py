"""The email as a message: what a relay, a mail program and an attacker meet.

Python's email package reads here what Dispatch wrote; ``email.policy.strict``
raises on every defect that it knows.
"""

from __future__ import annotations

import email
import re
import smtplib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import strict
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS
from tests.renditions.email_samples import DESK, FERRY, PUBLISHED, article

from dispatch.desk import Desk, Mailbox
from dispatch.errors import SettingsError
from dispatch.markup import one_line
from dispatch.renditions import message

TEXT = "Rain over the strait.\n"
HTML = "<!DOCTYPE html>\n<p>Rain over the strait.</p>\n"


def composed(
    subject: str = "Rain",
    desk: Desk = DESK,
    text: str = TEXT,
    html: str = HTML,
    language: str = "en",
) -> bytes:
    return message.compose(
        FERRY, desk, subject=subject, language=language, text=text.encode(), html=html.encode()
    )


def read(eml: bytes) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(eml, policy=strict))


def contents(parsed: EmailMessage) -> list[str]:
    """The parts' texts, with the line ends of a text file."""
    return [part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts()]


def lines(eml: bytes) -> list[bytes]:
    return eml.split(b"\r\n")


def head(eml: bytes) -> str:
    return eml.partition(b"\r\n\r\n")[0].decode("ascii")


def header(eml: bytes, name: str) -> str:
    """A header as it stands in the message, with its folds."""
    text = head(eml).replace("\r\n", "\n")
    found = re.findall(rf"(?m)^{name}: (.*(?:\n[ \t].*)*)", text)
    assert len(found) == 1, f"{name} stands {len(found)} times"
    return str(found[0])


# What is in it -----------------------------------------------------------------------------------


def test_the_headers_in_full() -> None:
    eml = composed("Rain over the strait")
    names = [line.partition(":")[0] for line in head(eml).split("\r\n") if line[0] != " "]
    assert names == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ]
    assert header(eml, "From") == "Meridian World <world@news.example.org>"
    assert header(eml, "To") == "Subscriber <subscriber@example.invalid>"
    assert header(eml, "Subject") == "Rain over the strait"
    assert header(eml, "Date") == "Sat, 03 Oct 2026 17:20:00 +0000"
    assert header(eml, "List-Id") == "<world.news.example.org>"
    assert header(eml, "List-Unsubscribe") == "<https://news.example.org/world/unsubscribe>"
    assert header(eml, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert header(eml, "Content-Language") == "en"
    assert header(eml, "MIME-Version") == "1.0"


def test_it_is_text_and_html_of_the_same_content_plain_text_first() -> None:
    eml = read(composed())
    assert eml.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in eml.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert contents(eml) == [TEXT, HTML]


def test_the_date_is_the_update_s_in_the_desk_s_time() -> None:
    desk = replace(DESK, timezone=timezone(timedelta(hours=-5)))
    assert header(composed(desk=desk), "Date") == "Sat, 03 Oct 2026 12:20:00 -0500"
    unchanged = message.compose(
        article("Rain"), desk, subject="Rain", language="en", text=b"Rain\n", html=b"<p>Rain</p>\n"
    )
    assert header(unchanged, "Date") == "Sat, 03 Oct 2026 09:20:00 -0500"


def test_an_article_that_was_not_published_has_no_date() -> None:
    with pytest.raises(ValueError, match="not published"):
        message.compose(
            replace(FERRY, published=None, updated=None),
            DESK,
            subject="Rain",
            language="en",
            text=b"",
            html=b"",
        )


def test_the_same_input_gives_the_same_bytes() -> None:
    assert composed() == composed()


def test_the_message_id_is_the_content_s() -> None:
    one = header(composed(), "Message-ID")
    assert re.fullmatch(r"<[0-9a-f]{32}@news\.example\.org>", one)
    assert header(composed("Another subject"), "Message-ID") == one
    assert header(composed(html=HTML + "<p>More.</p>\n"), "Message-ID") != one
    later = message.compose(
        replace(FERRY, version=3),
        DESK,
        subject="Rain",
        language="en",
        text=TEXT.encode(),
        html=HTML.encode(),
    )
    assert header(later, "Message-ID") != one


@pytest.mark.parametrize(
    ("site_url", "host"),
    [
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("http://localhost:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
        ("http://192.0.2.7", "192.0.2.7"),
    ],
)
def test_list_and_message_ids_are_named_by_the_site(site_url: str, host: str) -> None:
    eml = composed(desk=replace(DESK, site_url=site_url))
    assert header(eml, "List-Id") == f"<world.{host}>"
    assert header(eml, "Message-ID").endswith(f"@{host}>")
    read(eml)


@pytest.mark.parametrize("language", ["x\r\nBcc: a@example.org", "", "en_GB", "日本語"])
def test_what_is_no_language_tag_is_left_out(language: str) -> None:
    assert "Content-Language" not in head(composed(language=language))


# Python's email package: what it gets wrong must come out right ----------------------------------


def test_a_long_list_header_stands_raw_on_one_line() -> None:
    desk = replace(DESK, site_url=f"https://news.example.org/{'a-long-path/' * 20}x")
    eml = composed(desk=desk)
    value = header(eml, "List-Unsubscribe")
    assert value == f"<{desk.site_url}/world/unsubscribe>"
    assert "\n" not in value
    assert read(eml)["List-Unsubscribe"] == value


def test_a_header_that_fits_no_line_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="header List-Unsubscribe cannot be written"):
        composed(desk=replace(DESK, site_url=f"https://news.example.org/{'x' * 990}"))


SUBJECTS = [
    "Größere Überraschungen blieben aus",
    "Rain, then sun — and “more” rain, the weather service says, until the end of the year, or later",
    "港の最後のディーゼル船、十一週間早く引退へ　電池船二隻が春から就航" * 3,
    "خزانات السوق القديم تعود إلى العمل بعد تسعين عامًا",
    "👩🏽‍🚀" * 30,
    "=?utf-8?q?a=0D=0ABcc:_x@example.org?=",
    "Is it =?what?= it says?",
    "ü=?ü ?= _ = ? x",
    "x" * 400,
    '{{ subject }} 100% of $5, "quoted" <b@example.org>, \\ and (comment)',
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    eml = composed(subject)
    assert str(read(eml)["Subject"]) == subject
    for word in re.findall(r"=\?\S+\?=", header(eml, "Subject")):
        assert len(word) <= 75
    for line in head(eml).split("\r\n"):
        assert len(line) <= 76 or "=?" not in line


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_any_subject_comes_back_on_one_line(subject: str) -> None:
    eml = composed(subject)
    expected = one_line(subject[:500]) or "World"
    assert str(read(eml)["Subject"]) == expected
    assert max(map(len, lines(eml))) <= 998


@pytest.mark.parametrize(
    ("subject", "encoded"),
    [
        ("Nothing but ASCII here", "Nothing but ASCII here"),
        ("One café among many", "One =?utf-8?b?Y2Fmw6k=?= among many"),
        ("A café, à la carte", "A =?utf-8?b?Y2Fmw6ksIMOg?= la carte"),
        ("Überlandstraßenbahnhaltestelle", "=?utf-8?q?=C3=9Cberlandstra=C3=9Fenbahnhaltestelle?="),
        ("東港", "=?utf-8?b?5p2x5riv?="),
    ],
)
def test_only_the_words_that_need_it_are_encoded(subject: str, encoded: str) -> None:
    assert header(composed(subject), "Subject") == encoded


def test_an_encoded_word_in_a_headline_is_text() -> None:
    eml = composed("Sale =?utf-8?q?=0D=0ABcc:_victim@example.org?=")
    assert "Bcc" not in read(eml)
    assert "victim" not in re.sub(r"=\?utf-8\?.*?\?=", "", head(eml))


NAMES = [
    "Meridian World",
    "Evil <ceo@victim.example>, " * 4,
    'The "World" desk, \\ backslash',
    "Łódź & Überlingen, <x@victim.example>",
    "=?utf-8?q?=3Cceo=40victim.example=3E?=",
    "a@victim.example, b@victim.example",
    "السوق",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_sender_is_one_address_however_it_is_called(name: str) -> None:
    eml = composed(desk=replace(DESK, sender=Mailbox(name, "world@news.example.org")))
    (address,) = read(eml)["From"].addresses
    assert address.addr_spec == "world@news.example.org"
    shown = header(eml, "From").rpartition("<")[0].replace("\n", "").strip()
    if shown.startswith("=?"):  # the package itself reads a space between two encoded words
        assert str(make_header(decode_header(shown))) == name[:64].strip()
    else:
        assert address.display_name == name[:64].strip()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_no_display_name_makes_another_sender(name: str) -> None:
    eml = composed(desk=replace(DESK, sender=Mailbox(name, "world@news.example.org")))
    (address,) = read(eml)["From"].addresses
    assert address.addr_spec == "world@news.example.org"
    assert address.display_name.replace(" ", "") == one_line(name)[:64].replace(" ", "")


def test_a_message_has_one_recipient() -> None:
    assert len(read(composed())["To"].addresses) == 1


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.org)bob@evil.example",
        '"a b"@example.org',
        "a@b@example.org",
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a(comment)@example.org",
        "@example.org",
        "a@",
        "a..b@example.org",
        "ü@example.org",
        "<a@example.org>",
        "a\u2028@example.org",
        "",
    ],
)
def test_an_address_that_can_be_misread_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an email address"):
        composed(desk=replace(DESK, sender=Mailbox("World", address)))


def test_a_line_of_one_dot_comes_through_smtp() -> None:
    text = "one\n.\n..\n.leading\nQUIT\n"
    eml = composed(text=text, html=f"<p>\n.\n</p>\n{HTML}")
    on_the_wire = smtplib._quote_periods(smtplib._fix_eols(eml.decode("ascii")).encode("ascii"))  # type: ignore[attr-defined]
    assert b"\r\n.\r\n" not in on_the_wire
    received = re.sub(rb"(?m)^\.", b"", on_the_wire)
    assert received == eml
    assert contents(read(received))[0] == text


# Lines -------------------------------------------------------------------------------------------

HOSTILE = [
    "plain\n",
    "a\rb\r\nc\n",
    "trailing blanks  \nand a tab\t\n",
    "x" * 5000 + "\n",
    "=" * 200 + "\n",
    "ü" * 500 + "\n",
    "日本語のテキスト" * 100 + "\n",
    "From the start of a line\n--\n-- \n.\n",
    "no line end",
    "\n\n\n",
    "",
    "--=_0123456789abcdef--\n",
]


@pytest.mark.parametrize("content", HOSTILE)
def test_lines_are_short_and_end_in_crlf(content: str) -> None:
    eml = composed(text=content, html=content)
    assert eml.isascii()
    assert eml.endswith(b"--\r\n")
    assert b"\r" not in eml.replace(b"\r\n", b"")
    assert b"\n" not in eml.replace(b"\r\n", b"")
    body = eml.partition(b"\r\n\r\n")[2]
    assert max(map(len, lines(body))) <= 76


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_the_parts_come_back_to_the_letter(content: str) -> None:
    content = content.replace("\r", "") + "\n"
    eml = composed(text=content, html=f"<p>{content}</p>\n")
    assert max(map(len, lines(eml))) <= 76
    assert contents(read(eml)) == [content, f"<p>{content}</p>\n"]


def test_the_boundary_is_the_content_s_and_cannot_occur_in_it() -> None:
    parts = [message.part("plain", content.encode()) for content in HOSTILE]
    for content in parts:
        edge = message.boundary([content])
        assert edge == message.boundary([content])
        assert edge.encode() not in content
    assert len({message.boundary([content]) for content in set(parts)}) == len(set(parts))
    # The boundary of one message, quoted in another, is encoded: = is =3D there.
    edge = message.boundary([parts[0]])
    assert edge.encode() not in composed(text=f"--{edge}\n", html=f"--{edge}--\n")


# Attacks -----------------------------------------------------------------------------------------

BREAKS = ["\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("character", BREAKS, ids=ascii)
def test_no_character_starts_another_header(character: str) -> None:
    forged = f"Rain{character}Bcc: victim@example.org{character}{character}Body"
    desk = replace(DESK, name=forged, sender=Mailbox(forged, "world@news.example.org"))
    eml = composed(forged, desk)
    parsed = read(eml)
    assert "Bcc" not in parsed
    assert str(parsed["Subject"]) == "Rain Bcc: victim@example.org Body"
    assert len(parsed.keys()) == 11
    assert contents(parsed) == [TEXT, HTML]


@pytest.mark.parametrize("character", [*BREAKS, "\0"], ids=ascii)
def test_no_address_of_the_desk_starts_another_header(character: str) -> None:
    with pytest.raises(SettingsError):
        composed(desk=replace(DESK, slug=f"world{character}Bcc: victim@example.org"))


@pytest.mark.parametrize(
    "character", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ids=ascii
)
def test_no_character_turns_the_direction_of_a_header(character: str) -> None:
    forged = f"gnp.{character}exe"
    desk = replace(DESK, sender=Mailbox(forged, "world@news.example.org"))
    parsed = read(composed(forged, desk))
    assert parsed["Subject"] == "gnp.exe"
    assert parsed["From"].addresses[0].display_name == "gnp.exe"


@pytest.mark.parametrize("character", "\0\x08\x1b\x7f\x9b\ud800\ufeff\uffff", ids=ascii)
def test_what_no_header_can_hold_is_left_out(character: str) -> None:
    desk = replace(DESK, sender=Mailbox(f"World{character}", "world@news.example.org"))
    parsed = read(composed(f"Rain {character} and sun", desk))
    assert parsed["Subject"] == "Rain and sun"
    assert parsed["From"].addresses[0].display_name == "World"


def test_a_subject_of_nothing_but_control_characters_is_the_desk_s_name() -> None:
    assert read(composed("\0\u202e\r\n"))["Subject"] == "World"


@pytest.mark.parametrize("letter", ["x", "ü", "日", "x ", "ü ", "=?"])
def test_a_subject_of_a_megabyte_is_answered_at_once(letter: str) -> None:
    started = time.process_time()
    eml = composed(letter * 1_000_000)
    assert time.process_time() - started < CPU_SECONDS
    assert str(read(eml)["Subject"]) == (letter * 500)[:500].strip()


def test_a_time_before_or_after_the_calendar_s_usual_years_is_written() -> None:
    old = replace(FERRY, updated=datetime(1066, 10, 14, tzinfo=UTC), published=PUBLISHED)
    eml = message.compose(old, DESK, subject="Rain", language="en", text=b"a\n", html=b"b\n")
    assert header(eml, "Date") == "Sun, 14 Oct 1066 00:00:00 +0000"
