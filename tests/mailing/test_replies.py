"""A relay's answers: whatever it sends becomes whole replies, or an error; and is harmless."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.mailing.harmless import MOST_WORDS, harmless
from dispatch.mailing.replies import ProtocolError, Reply, ReplyParser


def parse(*pieces: bytes) -> list[Reply]:
    parser = ReplyParser()
    return [reply for piece in pieces for reply in parser.feed(piece)]


@pytest.mark.parametrize(
    ("sent", "code", "status", "words"),
    [
        (b"250 2.1.0 Ok\r\n", 250, "2.1.0", "250 2.1.0 Ok"),
        (b"250\r\n", 250, None, "250"),
        (b"250 \r\n", 250, None, "250"),
        (b"354 End data with <CR><LF>.<CR><LF>\r\n", 354, None, "354 End data with <CR><LF>.<CR><LF>"),
        (b"550 5.1.1 <a@example.org>: unknown\n", 550, "5.1.1", "550 5.1.1 <a@example.org>: unknown"),
        (
            b"550-5.1.1 The account does not exist.\r\n550-5.1.1 Check the spelling,\r\n550 5.1.1 see x\r\n",
            550,
            "5.1.1",
            "550 5.1.1 The account does not exist. Check the spelling, see x",
        ),
        (b"250-first\r\n250\r\n", 250, None, "250 first"),
        (b"550 2.0.0 of another class\r\n", 550, None, "550 2.0.0 of another class"),
        (b"250 2.0.0.1 is no status\r\n", 250, None, "250 2.0.0.1 is no status"),
        (b"250 2.1.1234 neither\r\n", 250, None, "250 2.1.1234 neither"),
        ("250 bién reçu\r\n".encode(), 250, None, "250 bién reçu"),
        (b"250 \xff\xfe\r\n", 250, None, "250 \ufffd\ufffd"),
        (b"250 a\x1b[31m red\x07\x00 \x7f\r\n", 250, None, "250 a [31m red"),
        ("250 right\u202eto left\u2028line\r\n".encode(), 250, None, "250 right to left line"),
        (b"250 a\rb\r\n", 250, None, "250 a b"),
    ],
)  # fmt: skip
def test_replies(sent: bytes, code: int, status: str | None, words: str) -> None:
    (reply,) = parse(sent)
    assert (reply.code, reply.status, reply.words) == (code, status, words)


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n",
        b"25\r\n",
        b"hello\r\n",
        b"2x0 ok\r\n",
        b"250ok\r\n",
        b"250+ok\r\n",
        b"199 too low\r\n",
        b"600 too high\r\n",
        b"-250 ok\r\n",
        b" 250 ok\r\n",
        "２５０ ok\r\n".encode(),
        b"+OK POP3 ready\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n",
        b"250-one\r\n251 two\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250 " + b"x" * 5000,
        b"250-more\r\n" * 200,
    ],
)
def test_what_is_not_a_reply_is_an_error(sent: bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        parse(sent)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 150


def test_replies_before_an_error_are_given() -> None:
    heard: list[Reply] = []
    with pytest.raises(ProtocolError):
        heard.extend(ReplyParser().feed(b"250 ok\r\nrubbish\r\n250 ok\r\n"))
    assert [reply.code for reply in heard] == [250]


def test_part_of_a_reply_is_known_to_be_pending() -> None:
    parser = ReplyParser()
    assert list(parser.feed(b"250-a\r\n")) == []
    assert parser.pending
    assert [reply.code for reply in parser.feed(b"250 b\r\n")] == [250]
    assert not parser.pending
    assert list(parser.feed(b"2")) == []
    assert parser.pending


_line = st.binary(max_size=60).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b""))
_reply = st.tuples(st.integers(200, 599), st.lists(_line, min_size=1, max_size=4))


@given(st.lists(_reply, max_size=6), st.lists(st.integers(0, 400), max_size=8))
def test_how_it_is_cut_makes_no_difference(
    replies: list[tuple[int, list[bytes]]], cuts: list[int]
) -> None:
    sent = b""
    for code, lines in replies:
        marks = [b"-"] * (len(lines) - 1) + [b" "]
        sent += b"".join(b"%d%b%b\r\n" % (code, m, x) for m, x in zip(marks, lines, strict=True))
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    pieces = [sent[a:b] for a, b in pairwise(places)]
    heard = parse(*pieces)
    assert [(reply.code, list(reply.lines)) for reply in heard] == replies
    assert heard == parse(*(bytes([byte]) for byte in sent))


@given(st.binary(max_size=300))
def test_any_bytes_become_replies_or_an_error(sent: bytes) -> None:
    try:
        for reply in parse(sent + b"\r\n"):
            assert reply.words.isprintable()
            assert len(reply.words) <= MOST_WORDS
            assert 200 <= reply.code < 600
    except ProtocolError as error:
        assert str(error).isprintable()


@given(st.text(), st.integers(1, 50))
def test_harmless_is_one_short_line(text: str, most: int) -> None:
    assert harmless(text, most).isprintable()
    assert len(harmless(text, most)) <= most


def test_long_words_are_cut() -> None:
    (reply,) = parse(b"250 " + b"x" * 4000 + b"\r\n")
    assert len(reply.words) == MOST_WORDS
    assert reply.words.endswith("x…")


def test_a_flood_of_single_bytes_takes_bounded_time() -> None:
    parser = ReplyParser()
    begun = process_time()
    with pytest.raises(ProtocolError):
        for _ in range(1_000_000):
            list(parser.feed(b"2"))
    assert process_time() - begun < CPU_SECONDS
