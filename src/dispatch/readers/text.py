"""From bytes to text that every reader can trust.

:func:`decode` finds the encoding or says why it cannot; :func:`clean` takes out
what nobody can see and what could make a line read as something else. Readers
get text in NFC whose only control characters are newline and tab.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from dispatch.article import Level, Note
from dispatch.errors import ArticleError

# Bytes -------------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark starts with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document, such as Word's .doc"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"OggS", "an Ogg recording"),
    (b"ID3\x03", "an MP3 recording"),
    (b"ID3\x04", "an MP3 recording"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"bplist00", "a Safari web archive"),
    (b"From: <Saved by", "a web archive (.mhtml)"),
)

_INSIDE_ZIP = (
    (b"word/document", "a Word document (.docx)"),
    (b"vnd.oasis.opendocument.text", "an OpenDocument text (.odt)"),
    (b"application/epub+zip", "an EPUB book"),
    (b"Index/Document.iwa", "a Pages document"),
)

# What pages declare, by the labels of the WHATWG Encoding Standard that are met in practice.
_DECLARED = {
    label: encoding
    for encoding, labels in {
        "cp1250": "windows-1250 cp1250",
        "cp1251": "windows-1251 cp1251",
        "cp1252": "windows-1252 cp1252 iso-8859-1 latin1 us-ascii ascii",
        "cp1253": "windows-1253 cp1253",
        "cp1254": "windows-1254 cp1254 iso-8859-9 latin5",
        "cp1255": "windows-1255 cp1255",
        "cp1256": "windows-1256 cp1256",
        "cp1257": "windows-1257 cp1257",
        "cp1258": "windows-1258 cp1258",
        "iso8859-2": "iso-8859-2 latin2",
        "iso8859-5": "iso-8859-5",
        "iso8859-6": "iso-8859-6",
        "iso8859-7": "iso-8859-7",
        "iso8859-15": "iso-8859-15 latin9",
        "koi8-r": "koi8-r",
        "koi8-u": "koi8-u",
        "cp932": "shift_jis shift-jis sjis x-sjis windows-31j",
        "euc_jp": "euc-jp x-euc-jp",
        "iso2022_jp": "iso-2022-jp",
        "cp949": "euc-kr ks_c_5601-1987 windows-949",
        "gb18030": "gb18030 gbk gb2312 x-gbk",
        "big5hkscs": "big5 big5-hkscs",
        "cp874": "windows-874 tis-620 iso-8859-11",
    }.items()
    for label in labels.split()
}

_PAGE = re.compile(rb"<(?:!doctype html|html|head|meta)[\s>]", re.IGNORECASE)
_CHARSET = re.compile(
    rb"<meta\s[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})"
    rb"|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH = bytes(range(0x80, 0x100))
_LATIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_JUDGED = 200_000
"""Bytes before and after the first that is not UTF-8 by which the encoding is judged."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


def decode(data: bytes, name: str) -> tuple[str, tuple[Note, ...]]:
    """The text of a file, with ``\\n`` as its only line end.

    UTF-8, UTF-16 and UTF-32 with their byte order marks; UTF-8 and UTF-16
    without; what a page declares in ``<meta charset>`` where it is not UTF-8;
    else Windows-1252, which contains Latin-1, where that is plausible.

    Args:
        name: what to call the file in errors.

    Raises:
        ArticleError: the file is empty, no text at all, or in no encoding that
            fits. Says where and what to do.
    """
    foreign = _foreign(data)
    if foreign:
        raise ArticleError(
            f"{name} is {foreign}, not text. "
            "Save or export the article as plain text, Markdown or HTML, and hand in that file."
        )
    text, notes = _decoded(data, name)
    if not text.strip():
        raise ArticleError(f"{name} is empty. Put the article in it and try again.")
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _foreign(data: bytes) -> str | None:
    """What the file is, where its first bytes name a kind that holds no readable text."""
    if data.startswith(b"PK\x03\x04"):
        return next((kind for sign, kind in _INSIDE_ZIP if sign in data), "a ZIP archive")
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return "a picture or a recording"
    if data[4:8] == b"ftyp":
        return "a video or a photograph"
    return next((kind for sign, kind in _MAGIC if data.startswith(sign)), None)


def _decoded(data: bytes, name: str) -> tuple[str, tuple[Note, ...]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strictly(data, encoding, name, skip=len(mark)), ()
    unmarked = _unmarked_utf16(data)
    if unmarked:
        return unmarked, ()
    if b"\0" in data:
        offset = data.index(b"\0")
        raise ArticleError(
            f"{name} is not text: it has a zero byte at offset {offset} (line "
            f"{_line(data, offset)}). Save the article as plain text, Markdown or HTML."
        )
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        return _not_utf8(data, name, error)


def _not_utf8(data: bytes, name: str, error: UnicodeDecodeError) -> tuple[str, tuple[Note, ...]]:
    declared = _declared(data)
    if declared and declared != "cp1252":
        message = f"Read as {declared}, as the page declares. Check the accented letters."
        return _strictly(data, declared, name), (Note("info", "encoding", message),)
    around = data[max(0, error.start - _JUDGED) : error.start + _JUDGED]
    if _is_damaged_utf8(around):
        raise _undecodable(data, name, "UTF-8", error.start) from error
    if _mostly_high(around):
        raise ArticleError(
            f"{name} is in an encoding that it does not name: byte 0x{data[error.start]:02x} at "
            f"offset {error.start} (line {_line(data, error.start)}) is not UTF-8, and most of "
            "its letters are not Latin. Save it as UTF-8 and try again."
        )
    text = _strictly(data, "cp1252", name, called="UTF-8 or Windows-1252")
    if _is_implausible(text):
        raise ArticleError(
            f"{name} is not text: it is full of control characters. "
            "Save the article as plain text, Markdown or HTML."
        )
    message = "Read as Windows-1252, since it is not UTF-8. Check accents and quotation marks."
    return text, (Note("info", "encoding", message),)


def _strictly(
    data: bytes, encoding: str, name: str, *, skip: int = 0, called: str | None = None
) -> str:
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        name_of_it = called or encoding.upper()
        raise _undecodable(data, name, name_of_it, skip + error.start, encoding) from error


def _undecodable(
    data: bytes, name: str, called: str, offset: int, encoding: str = "utf-8"
) -> ArticleError:
    return ArticleError(
        f"{name} cannot be read as {called}: byte 0x{data[offset]:02x} at offset {offset} "
        f"(line {_line(data, offset, encoding)}) does not belong there. "
        "Save the file as UTF-8 and try again."
    )


def _line(data: bytes, offset: int, encoding: str = "utf-8") -> int:
    """The number of the line, counted from 1, that the byte at ``offset`` stands in."""
    before = data[:offset].decode(encoding, "replace")
    return len(re.findall("\r\n?|\n", before)) + 1


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a byte order mark shows in zeros at every other place."""
    sample = data[: 4096 // 2 * 2]
    if len(data) % 2 or len(data) < 8:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    enough = len(sample) // 20
    if odd > enough and even == 0:
        encoding = "utf-16-le"
    elif even > enough and odd == 0:
        encoding = "utf-16-be"
    else:
        return None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _is_implausible(text) else text


def _declared(data: bytes) -> str | None:
    """The Python name of the encoding that an HTML page declares; None for UTF-8 and unknown."""
    head = data[:4096]
    found = _CHARSET.search(head) if _PAGE.search(head) or head.startswith(b"<?xml") else None
    if not found:
        return None
    label = (found[1] or found[2]).decode("ascii", "replace").lower()
    return _DECLARED.get(label)


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8: read as Windows-1252 it would be gibberish."""
    sequences = _UTF8_SEQUENCE.findall(data)
    strays = _count(data, _HIGH) - sum(map(len, sequences))
    return bool(sequences) and len(sequences) >= strays


def _mostly_high(data: bytes) -> bool:
    """Whether the text is in no Latin script: those have few letters beyond ASCII."""
    high = _count(data, _HIGH)
    return high >= 8 and high > 0.4 * (high + _count(data, _LATIN))


def _count(data: bytes, which: bytes) -> int:
    return len(data) - len(data.translate(None, delete=which))


def _is_implausible(text: str) -> bool:
    controls = len(text) - len(_CONTROLS.sub("", text))
    return controls > max(2, len(text) // 500)


# Text --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unwanted:
    """Characters that are taken out; a group in the pattern is what stays of a match."""

    pattern: re.Pattern[str]
    what: str
    level: Level = "info"


_OTHER_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")

# Letters that zero-width joiners shape (Arabic, Syriac, N'Ko, the scripts of India and South-East
# Asia, Mongolian, Adlam), and the parts of emoji that they tie together.
_JOINED = (
    "\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\u1900-\u1aaf\u1b00-\u1c4f\ua800-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f"
    "\u00a9\u00ae\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
)
# Scripts that mark where a line may break with a zero-width space: Thai, Lao, Burmese, Khmer, Tai.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf"
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"

_NONCHARACTERS = "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)

_UNWANTED = (
    _Unwanted(
        re.compile("[\u202a-\u202e\u2066-\u2069]"),
        "that change the direction of reading and could make a line read as another",
        "warning",
    ),
    _Unwanted(
        # Tag characters spell text that nobody sees; only the flags of regions use them.
        re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)|[\U000e0000-\U000e007f]"),
        "that spell hidden text",
        "warning",
    ),
    _Unwanted(_CONTROLS, "that control a terminal or printer"),
    _Unwanted(
        re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]"),
        "that no document may contain",
    ),
    _Unwanted(
        re.compile(
            f"(?<![{_JOINED}])[\u200c\u200d]|(?<![{_UNSPACED}])\u200b"
            "|[\u00ad\u034f\u115f\u1160\u180e\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
            "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
            f"|(?<![{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]|(?<=[{_SELECTORS}])[{_SELECTORS}]"
        ),
        "that nobody can see, such as soft hyphens and zero-width spaces",
    ),
)

# Every character that any of these may take out: most texts have none, and are searched once.
_SUSPECT = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    f"\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e01ef{_NONCHARACTERS}]"
)

# A letter carries a handful of marks; a run without end covers the lines around it and takes
# quadratic time to normalise. Unicode's Stream-Safe Text Format (UAX #15) allows 30.
_MAX_MARKS = 30
_MAYBE_MARKS = re.compile(rf"[^\w\x00-\x7f]{{{_MAX_MARKS + 1},}}")


def clean(text: str) -> tuple[str, tuple[Note, ...]]:
    """``text`` without what cannot be seen or could deceive, in NFC, with notes on what went.

    Every kind of line end becomes ``\\n``. Control characters but newline and
    tab, bidi embeddings, overrides and isolates, noncharacters, lone surrogates
    and invisible characters go. Joiners that shape a script or an emoji stay,
    and so do the harmless direction marks (LRM, RLM, ALM).
    """
    text = _OTHER_LINE_ENDS.sub("\n", text)
    notes: list[Note] = []
    for unwanted in _UNWANTED if _SUSPECT.search(text) else ():
        text = _without(text, unwanted, notes)
    text = _with_few_marks(text, notes)
    _note_lost_letters(text, notes)
    return unicodedata.normalize("NFC", text), tuple(notes)


def is_clean(text: str) -> bool:
    """Whether :func:`clean` would take nothing out of ``text``."""
    if not _SUSPECT.search(text):
        return True
    return not any(unwanted.pattern.search(text) for unwanted in _UNWANTED)


_BIDI_ENTITY = re.compile(
    r"&#(?:0*(?:823[4-8]|829[4-7])|x0*(?:202[a-e]|206[6-9]));?", re.IGNORECASE
)


def note_entities(text: str) -> tuple[Note, ...]:
    """A warning where markup writes characters as entities that :func:`clean` takes out of text.

    Readers leave them out; a page that has them was made to deceive, or copied from one.
    """
    lines = text.split("\n") if _BIDI_ENTITY.search(text) else []
    found = [number for number, line in enumerate(lines, 1) if _BIDI_ENTITY.search(line)]
    message = "Removed characters that change the direction of reading, written as entities."
    return (Note("warning", _places(found), message),) if found else ()


def _without(text: str, unwanted: _Unwanted, notes: list[Note]) -> str:
    if not unwanted.pattern.search(text):
        return text
    kept = r"\1" if unwanted.pattern.groups else ""
    lines = text.split("\n")
    removed: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        shorter = unwanted.pattern.sub(kept, line)
        if shorter != line:
            removed[number] = len(line) - len(shorter)
            lines[number - 1] = shorter
    if removed:
        message = f"Removed characters {unwanted.what} ({sum(removed.values())})."
        notes.append(Note(unwanted.level, _places(list(removed)), message))
    return "\n".join(lines)


def _with_few_marks(text: str, notes: list[Note]) -> str:
    def shortened(found: re.Match[str]) -> str:
        kept, run = [], 0
        for character in found[0]:
            run = run + 1 if unicodedata.combining(character) else 0
            if run <= _MAX_MARKS:
                kept.append(character)
        return "".join(kept)

    shorter = _MAYBE_MARKS.sub(shortened, text)
    if len(shorter) < len(text):
        count = len(text) - len(shorter)
        message = f"Removed combining marks beyond {_MAX_MARKS} on one letter ({count})."
        notes.append(Note("warning", "text", message))
    return shorter


def _note_lost_letters(text: str, notes: list[Note]) -> None:
    if "\ufffd" in text:
        lines = [n for n, line in enumerate(text.split("\n"), 1) if "\ufffd" in line]
        message = (
            "The sign � stands where a letter was lost before the file was saved. Put it back."
        )
        notes.append(Note("warning", _places(lines), message))


def _places(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    if len(lines) > 6:
        return f"lines {', '.join(map(str, lines[:5]))} and {len(lines) - 5} more"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
