"""Bytes to text: what is read, what is refused and how, and what is taken out."""

from __future__ import annotations

import time
import unicodedata
import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.errors import ArticleError
from dispatch.readers.text import clean, decode, is_clean

PROSE = "Fähre nach Łódź – „Hafen“ für 5 €\nZweite Zeile\n"


def refused(data: bytes) -> str:
    with pytest.raises(ArticleError) as caught:
        decode(data, "talks.txt")
    message = str(caught.value)
    assert "talks.txt" in message
    return message


# Encodings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_unicode_is_read_with_or_without_its_mark(encoding: str) -> None:
    assert decode(PROSE.encode(encoding), "talks.txt") == (PROSE, ())


def test_big_endian_utf16_with_its_mark() -> None:
    assert decode(b"\xfe\xff" + PROSE.encode("utf-16-be"), "talks.txt")[0] == PROSE


def test_windows_1252_is_read_with_a_note() -> None:
    text, notes = decode("Café “Hafen” costs 5 € – naïve\n".encode("cp1252"), "talks.txt")
    assert text == "Café “Hafen” costs 5 € – naïve\n"
    assert [(note.level, note.where) for note in notes] == [("info", "encoding")]
    assert "Windows-1252" in notes[0].message


def test_latin_1_is_read_as_the_part_of_windows_1252_that_it_is() -> None:
    assert decode("Señor Muñoz llegó.\n".encode("latin-1"), "a.txt")[0] == "Señor Muñoz llegó.\n"


@pytest.mark.parametrize(
    ("label", "encoding", "word"),
    [
        ("windows-1251", "cp1251", "Пристань"),
        ("Shift_JIS", "cp932", "港の新聞"),
        ("gb2312", "gb18030", "港口新闻"),
        ("ISO-8859-2", "iso8859-2", "Łódź"),
        ("EUC-KR", "cp949", "항구"),
    ],
)
def test_a_page_says_its_encoding(label: str, encoding: str, word: str) -> None:
    page = f'<!DOCTYPE html><html><head><meta charset="{label}"></head><p>{word}</p></html>'
    text, notes = decode(page.encode(encoding), "page.html")
    assert word in text
    assert encoding in notes[0].message


def test_a_page_that_is_utf8_is_read_so_whatever_it_says() -> None:
    page = '<html><head><meta charset="windows-1251"></head><p>Пристань</p></html>'
    assert decode(page.encode(), "page.html") == (page, ())


def test_what_a_text_says_about_encodings_is_no_declaration() -> None:
    text, notes = decode("Write charset=koi8-r for naïve pages.".encode("cp1252"), "a.txt")
    assert text == "Write charset=koi8-r for naïve pages."
    assert "Windows-1252" in notes[0].message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_becomes_a_newline(end: str) -> None:
    assert decode(f"One{end}Two{end}".encode(), "a.txt")[0] == "One\nTwo\n"


# Refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"  \n\t\r\n ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe \x00"]
)
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert refused(data) == "talks.txt is empty. Put the article in it and try again."


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"{\\rtf1\\ansi Harbour}", "an RTF document"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00",
            "an old Office document, such as Word's .doc",
        ),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG image"),
        (b"GIF89a\x01\x00", "a GIF image"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a picture or a recording"),
        (b"\x00\x00\x00\x20ftypisom", "a video or a photograph"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"bplist00\xd1", "a Safari web archive"),
        (b"From: <Saved by a browser>\r\nMIME-Version: 1.0", "a web archive (.mhtml)"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
    ],
)
def test_a_file_that_is_no_text_is_called_by_its_name(data: bytes, kind: str) -> None:
    assert refused(data) == (
        f"talks.txt is {kind}, not text. "
        "Save or export the article as plain text, Markdown or HTML, and hand in that file."
    )


def test_a_word_document_is_told_from_other_archives() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("word/document.xml", "<w:document/>")
    assert "is a Word document (.docx), not text" in refused(archive.getvalue())


def test_a_zero_byte_is_refused_with_its_place() -> None:
    assert "a zero byte at offset 10 (line 2)" in refused(b"Headline\nA\0B and more text\n")


def test_damaged_utf8_is_refused_with_its_place_and_not_read_as_gibberish() -> None:
    damaged = "Überschrift\nCafé für alle, naïve Träume".encode().replace(b"\xc3\xaf", b"\xef")
    message = refused(damaged)
    assert "cannot be read as UTF-8: byte 0xef at offset 32 (line 2)" in message
    assert "Save the file as UTF-8" in message


def test_bytes_that_windows_1252_does_not_have_are_refused_with_their_place() -> None:
    message = refused(b"Headline\nSome text \x81 here")
    assert "cannot be read as UTF-8 or Windows-1252: byte 0x81 at offset 19 (line 2)" in message


def test_half_a_character_at_the_end_of_utf16_is_refused() -> None:
    assert "cannot be read as UTF-16-LE" in refused(b"\xff\xfeA\x00B\x00\x3d\xd8")


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-7", "cp932", "gb18030"])
def test_other_scripts_without_a_declaration_are_not_read_as_latin(encoding: str) -> None:
    words = {"iso8859-7": "Το λιμάνι άνοιξε ξανά", "cp932": "港がまた開いた。船が戻る。"}
    words |= {"gb18030": "港口重新开放，渡轮恢复。"}
    data = words.get(encoding, "Порт открыт, паром вернулся").encode(encoding)
    assert "is in an encoding that it does not name" in refused(data)


def test_noise_is_refused() -> None:
    refused(bytes(range(1, 256)) * 20)


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_a_sentence(data: bytes) -> None:
    try:
        text, _ = decode(data, "talks.txt")
    except ArticleError as error:
        assert "talks.txt" in str(error)
    else:
        assert "\r" not in text
        assert text.strip()


# Cleaning ----------------------------------------------------------------------------------------


def test_clean_text_stays_as_it_is() -> None:
    assert clean(PROSE) == (PROSE, ())


@pytest.mark.parametrize("end", ["\v", "\f", "\x85", "\u2028", "\u2029", "\r\n", "\r"])
def test_rare_line_ends_become_newlines(end: str) -> None:
    assert clean(f"One{end}Two") == ("One\nTwo", ())


def test_bidi_overrides_go_with_a_warning_that_says_how_many_and_where() -> None:
    text, notes = clean("Safe\nMinister \u202edenies\u202c it\nMore\n\u2066Isolated\u2069")
    assert text == "Safe\nMinister denies it\nMore\nIsolated"
    assert [(note.level, note.where) for note in notes] == [("warning", "lines 2 and 4")]
    assert notes[0].message == (
        "Removed characters that change the direction of reading and could make a line read as "
        "another (4)."
    )


def test_harmless_direction_marks_stay() -> None:
    marked = "C++\u200e و \u200fJava\u061c"
    assert clean(marked) == (marked, ())


def test_control_characters_go_with_a_note() -> None:
    text, notes = clean("One\ttab\x00\x08\nTwo\x1b[31m\x9f")
    assert text == "One\ttab\nTwo[31m"
    assert [(note.level, note.where) for note in notes] == [("info", "lines 1 and 2")]
    assert notes[0].message.endswith("(4).")


@pytest.mark.parametrize(
    "character", ["\ufffe", "\uffff", "\ufdd0", "\U0010ffff", "\ud800", "\udfff"]
)
def test_what_no_document_may_contain_goes(character: str) -> None:
    text, notes = clean(f"Head{character}line")
    assert text == "Headline"
    assert notes[0].where == "line 1"


@pytest.mark.parametrize(
    "kept",
    [
        "👩\u200d🚀 🏳️\u200d🌈 👩🏽\u200d⚖️ ❤️\u200d🔥",
        "می\u200cخواهم",
        "क्\u200dष and ക്\u200d",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "ภาษา\u200bไทย",
        "葛\U000e0100飾区",
    ],
    ids=["emoji", "Persian", "Indic", "flag of England", "Thai", "ideographic variant"],
)
def test_invisible_characters_that_shape_writing_stay(kept: str) -> None:
    assert clean(kept) == (kept, ())


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200c", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u180e", "\u3164"]
)
def test_invisible_characters_inside_latin_words_go(character: str) -> None:
    text, notes = clean(f"Hid{character}den")
    assert text == "Hidden"
    assert notes[0].level == "info"


def test_text_that_is_spelt_in_tag_characters_goes_with_a_warning() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore this")
    text, notes = clean(f"Harbour{hidden} reopens")
    assert text == "Harbour reopens"
    assert notes[0].level == "warning"


def test_a_run_of_variation_selectors_keeps_the_first_alone() -> None:
    assert clean("☂\ufe0f\ufe0f\ufe01\ufe02")[0] == "☂\ufe0f"


def test_no_hidden_character_is_overlooked() -> None:
    hidden = [
        letter
        for letter in map(chr, range(0x110000))
        if unicodedata.category(letter) in ("Cc", "Cf") and letter not in "\t\n"
        if unicodedata.bidirectional(letter) in ("BN", "LRE", "RLE", "LRO", "RLO", "PDF", "")
    ]
    assert len(hidden) > 150
    assert {letter for letter in hidden if letter in clean(f"a{letter}b")[0]} == set()
    noncharacters = [chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)]
    assert {letter for letter in noncharacters if letter in clean(f"a{letter}b")[0]} == set()


def test_text_is_normalised() -> None:
    assert clean("Cafe\u0301")[0] == "Café"


def test_marks_without_end_are_cut_and_take_no_time() -> None:
    started = time.process_time()
    text, notes = clean("Z" + "\u0301\u0327" * 100_000 + "algo")
    assert time.process_time() - started < CPU_SECONDS
    assert len(text) < 40
    assert text.endswith("algo")
    assert notes[0].level == "warning"


def test_a_lost_letter_is_pointed_out_and_stays() -> None:
    text, notes = clean("Caf\ufffd\nHafen")
    assert text == "Caf\ufffd\nHafen"
    assert [(note.level, note.where) for note in notes] == [("warning", "line 1")]


def test_many_lines_are_told_short() -> None:
    _, notes = clean("\x00\n" * 12)
    assert notes[0].where == "lines 1, 2, 3, 4, 5 and 7 more"


@settings(derandomize=True, max_examples=300)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_cleaning_leaves_nothing_to_clean(text: str) -> None:
    cleaned, _ = clean(text)
    assert is_clean(cleaned)
    assert clean(cleaned)[0] == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode()
