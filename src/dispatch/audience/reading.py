"""Reading a CSV file that a stranger made: rows of cells, in bounded memory, whatever its size.

The delimiter is one of ``, ; tab |``, whichever makes columns of the first
line. The text is UTF-8, or UTF-16 with a byte order mark; a byte that is no
UTF-8 is read as Windows-1252, which is what such files nearly always are.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from dispatch.audience.cells import bare
from dispatch.audience.columns import kind_of
from dispatch.errors import AudienceError

_LONGEST_ROW = 65_536
"""Characters; a longer row is refused. A quotation mark that is never closed costs no more."""
_LONGEST_LINE = 1 << 24
"""Characters; a file with a longer line is no list, and not read further."""
_MOST_LINES = 100
"""Lines of one row: a cell with more of them is rather a quotation mark that is not closed."""
_MOST_BROKEN = 100
"""Rows that may have a quotation mark that is not closed, before the file is given up."""
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 500

_KINDS_OF_FILE = {
    b"PK\x03\x04": "a spreadsheet or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed",
    b"SQLite format 3": "a database",
}


def _windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decode what is no UTF-8 as Windows-1252; its five gaps become C1 controls."""
    assert isinstance(error, UnicodeDecodeError)
    run = _NO_ASCII.match(error.object, error.start)
    end = run.end() if run else error.end
    return error.object[error.start : end].decode("latin-1").translate(_LATIN_1_TO_1252), end


_NO_ASCII = re.compile(b"[\x80-\xff]+")
_LATIN_1_TO_1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


codecs.register_error("dispatch.windows-1252", _windows_1252)


class Table:
    """A CSV file: its column names, and its rows one after the other, once.

    Args:
        stream: the file's bytes; read forward only, so that it may be a pipe.
        where: what the file is called, for errors.

    Raises:
        AudienceError: it is empty, no text, or has no line of column names.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._where = where
        self._source = _Source(stream, where)
        encoding, errors = _encoding(self._source.head, where)
        self._is_utf16 = encoding == "utf-16"
        text = io.TextIOWrapper(
            io.BufferedReader(self._source, 1 << 18), encoding, errors, newline=""
        )
        self._lines = _Lines(text)
        first = self._lines.first(where)
        declared = re.fullmatch(r'"?sep=([,;\t|])"?\s*', first)  # Excel's own
        if declared:
            self._lines.record.clear()
            first = self._lines.first(where)
        self.delimiter = declared[1] if declared else _delimiter(first)
        self._lines.give_back()
        self._reader = csv.reader(
            self._lines, delimiter=self.delimiter, skipinitialspace=True, strict=True
        )
        names = self._row()
        if names is None or self._lines.unclosed or len(names) > _MOST_COLUMNS:
            raise AudienceError(f"The first line of {where} is not a line of column names.")
        self.names = [bare(name.strip()) for name in names]
        self._email = next((n for n, name in enumerate(names) if kind_of(name) == "email"), 0)

    @property
    def line(self) -> int:
        """Lines read so far."""
        return self._lines.number

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._source.position

    @property
    def mixed(self) -> bool:
        """Whether something was no UTF-8 and was read as Windows-1252."""
        return self._source.mixed and not self._is_utf16

    def __iter__(self) -> Iterator[tuple[int, list[str], str | None]]:
        """The number of a row's first line, its cells, and why it cannot be used, if so.

        Empty rows are left out.

        Raises:
            AudienceError: too many rows have a quotation mark that is not closed.
        """
        lines, width, broken = self._lines, len(self.names), 0
        while True:
            lines.record.clear()
            number = lines.number + 1
            cells = self._row()
            if lines.unclosed or (len(lines.record) > 1 and self._has_swallowed_rows()):
                broken += 1
                if broken > _MOST_BROKEN:
                    raise AudienceError(self._given_up(number))
                yield number, lines.only_first(), "a quotation mark in it is not closed"
            elif cells is None:
                return
            elif lines.cut:
                yield number, cells[:width], f"it is longer than {_LONGEST_ROW:,} characters"
            elif len(cells) > width and any(cells[width:]):
                yield number, cells, f"it has {len(cells)} cells, and there are {width} columns"
            elif any(cells):
                yield number, cells, None

    def _row(self) -> list[str] | None:
        """The cells of the next row; None: there is none, or ``unclosed`` says why not."""
        try:
            return next(self._reader, None)
        except csv.Error:  # a quotation mark closes a cell in the middle, or nothing closes it
            if len(self._lines.record) == 1 and not self._lines.unclosed:
                return self._alone(self._lines.record[0])
            self._lines.unclosed = True
            return None

    def _alone(self, line: str) -> list[str]:
        """The cells of a line, whatever is wrong with its quotation marks."""
        return next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True), [])

    def _has_swallowed_rows(self) -> bool:
        """Whether a cell of several lines has whole rows in it, up to another one's mark."""
        rows = map(self._alone, self._lines.record[1:])
        return any(len(row) == len(self.names) and "@" in row[self._email] for row in rows)

    def _given_up(self, number: int) -> str:
        return (
            f"{self._where}, line {number}: a quotation mark is not closed, as in {_MOST_BROKEN} "
            "rows before. Quotation marks within a cell are written twice; export the list anew."
        )


class _Source(io.RawIOBase):
    """The bytes of a stream, counted, and looked at for what is no UTF-8."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream, self._where = stream, where
        self.head = self._more(4096)
        self._rest = self.head
        self.position = 0
        self.mixed = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._rest or self._more(len(buffer))
        data, self._rest = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(data)] = data
        self.position += len(data)
        if not self.mixed:
            try:
                self._decoder.decode(data, final=not data)
            except UnicodeDecodeError:
                self.mixed = True
        return len(data)

    def _more(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise AudienceError(f"{self._where} cannot be read: {error.strerror}.") from error


class _Lines:
    """Lines for the CSV reader, which asks for another one while a cell is not closed."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._given_back: deque[str] = deque()
        self.record: list[str] = []  # the lines of the row at hand
        self.number = 0
        self.unclosed = False
        self.cut = False
        self._in_cut = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if not self.record:
            self.unclosed = self.cut = False
        elif len(self.record) >= _MOST_LINES or sum(map(len, self.record)) > _LONGEST_ROW:
            self.unclosed = True
            raise StopIteration
        line = self._given_back.popleft() if self._given_back else self._read()
        if not line:
            self.unclosed = bool(self.record)
            raise StopIteration
        self.number += 1
        self.record.append(line)
        return line

    def first(self, where: str) -> str:
        """The first line that says something."""
        while True:
            line = next(self, "")
            if not line:
                raise AudienceError(f"{where} is empty.")
            if self.cut:
                raise AudienceError(
                    f"{where} is not a list: its first line is longer than {_LONGEST_ROW:,} "
                    "characters. Export it as CSV, with the names of the columns in the first line."
                )
            if line.strip():
                return line
            self.record.clear()

    def give_back(self) -> None:
        """All lines of the row at hand are read again."""
        self._given_back.extendleft(reversed(self.record))
        self.number -= len(self.record)
        self.record.clear()

    def only_first(self) -> list[str]:
        """The row is its first line alone, as one cell; the others are read again."""
        first = self.record.pop(0)
        self.give_back()
        self.unclosed = False
        return [first.rstrip("\r\n")]

    def _read(self) -> str:
        if self._in_cut:
            self._skip()
        line = self._text.readline(_LONGEST_ROW)
        if len(line) == _LONGEST_ROW and not line.endswith(("\n", "\r")):
            self.cut = self._in_cut = True
            return line.replace('"', "'")  # whatever it says, the row ends here
        return line

    def _skip(self) -> None:
        """Read over the rest of a line that was cut."""
        self._in_cut = False
        for _ in range(_LONGEST_LINE // _LONGEST_ROW):
            rest = self._text.readline(_LONGEST_ROW)
            if not rest or rest.endswith(("\n", "\r")):
                return
        raise AudienceError(
            f"Line {self.number} is longer than {_LONGEST_LINE:,} characters: this is not a list."
        )


def _encoding(head: bytes, where: str) -> tuple[str, str]:
    """The encoding of a text that begins so, and what is done with what is wrong in it."""
    if not head:
        raise AudienceError(f"{where} is empty.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and head[2:4] != b"\0\0":
        return "utf-16", "replace"
    for magic, kind in _KINDS_OF_FILE.items():
        if head.startswith(magic):
            raise AudienceError(f"{where} is {kind}, not a list: export the subscribers as CSV.")
    if b"\0" in head:
        raise AudienceError(
            f"{where} is not text. If it is a list all the same, save it as CSV in UTF-8."
        )
    return "utf-8-sig", "dispatch.windows-1252"


def _delimiter(line: str) -> str:
    """The delimiter that makes columns of a line: one of them email, and the most."""

    def worth(delimiter: str) -> tuple[bool, int]:
        names = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        return any(kind_of(name) == "email" for name in names), len(names)

    return max(_DELIMITERS, key=worth)
