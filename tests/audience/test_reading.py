"""Reading CSV files as people have them: delimiters, encodings, quotes, and what is no list at all."""

from __future__ import annotations

import csv
import io
import time
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.audience.reading import Table
from dispatch.errors import AudienceError


def read(data: bytes | BinaryIO) -> tuple[Table, list[tuple[int, list[str], str | None]]]:
    table = Table(io.BytesIO(data) if isinstance(data, bytes) else data, "list.csv")
    return table, list(table)


def cells(data: bytes) -> list[list[str]]:
    return [row for _, row, _ in read(data)[1]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = [["name", "email", "note"], ["Marlow, Ida", "ida@example.org", "a;b|c\td"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(lines)
    table, rows = read(text.getvalue().encode())
    assert table.names == lines[0]
    assert rows == [(2, lines[1], None)]


def test_one_column_alone() -> None:
    assert cells(b"email\nida@example.org\n") == [["ida@example.org"]]


def test_excel_says_what_its_delimiter_is() -> None:
    assert cells(b"sep=;\r\nemail;name\r\nida@example.org;Ida\r\n") == [["ida@example.org", "Ida"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end(end: str) -> None:
    lines = ["", "email,name", "", "ida@example.org,Ida", ",", "bo@example.org,Bo"]
    assert cells(end.join(lines).encode()) == [["ida@example.org", "Ida"], ["bo@example.org", "Bo"]]


@pytest.mark.parametrize(
    ("encoding", "mixed"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)],
)
def test_every_usual_encoding(encoding: str, mixed: bool) -> None:
    table, rows = read("email,name\nida@example.org,Zoë “Ida” Müller–€\n".encode(encoding))
    assert rows[0][1] == ["ida@example.org", "Zoë “Ida” Müller–€"]
    assert table.names == ["email", "name"]
    assert table.mixed is mixed


def test_two_encodings_in_one_file() -> None:
    table, rows = read("email,name\na@x.org,Zoë\n".encode() + "b@x.org,Zoë\n".encode("cp1252"))
    assert [row[1][1] for row in rows] == ["Zoë", "Zoë"]
    assert table.mixed


def test_an_encoding_that_ends_in_the_middle_of_a_character() -> None:
    table, rows = read("email,name\na@x.org,Zoë".encode()[:-1])
    assert rows[0][1] == ["a@x.org", "ZoÃ"]
    assert table.mixed


def test_line_ends_within_quotes_and_quotes_within_words() -> None:
    data = b'email,note,name\na@x.org,"two\nlines, ""quoted""",O"Brien\nb@x.org, "spaced",y\n'
    assert read(data)[1] == [
        (2, ["a@x.org", 'two\nlines, "quoted"', 'O"Brien'], None),
        (4, ["b@x.org", "spaced", "y"], None),
    ]


@pytest.mark.parametrize("rows", [3, 150])
def test_a_quotation_mark_that_is_not_closed_costs_its_row_alone(rows: int) -> None:
    lines = ["email,name", 'bad@x.org,"Ida', *(f"r{n}@x.org,Bo" for n in range(rows))]
    _, found = read("\n".join(lines).encode())
    assert found[0] == (2, ['bad@x.org,"Ida'], "a quotation mark in it is not closed")
    assert [(line, row[0], problem) for line, row, problem in found[1:]] == [
        (n + 3, f"r{n}@x.org", None) for n in range(rows)
    ]


def test_a_file_full_of_broken_quotes_is_given_up() -> None:
    with pytest.raises(AudienceError, match="line 102: a quotation mark is not closed"):
        read(b"email,name\n" + b'"a@x.org,Ida\n' * 1001)


def test_a_mark_that_another_row_closes_swallows_nobody() -> None:
    for opened, closing in (
        (b'a@x.org,"Ida\n', b'c@x.org,Carl"\n'),
        (b'a@x.org,"Ida\n', b'c@x.org,"Carl"\n'),
        (b'"a@x.org","Ida\n', b'"c@x.org","Carl"\n'),
        (b'"a@x.org,Ida\n', b'"c@x.org,Carl\n'),
    ):
        rows = read(b"email,name\n" + opened + b"b@x.org,Bo\n" * 3 + closing)[1]
        assert [line for line, _, problem in rows if problem and line < 6] == [2]
        assert [row for _, row, problem in rows if not problem][:3] == [["b@x.org", "Bo"]] * 3


def test_a_mark_that_closes_a_cell_in_the_middle() -> None:
    rows = read(b'email,name\na@x.org,"Ida "the pen" Marlow"\nb@x.org,Bo\n')[1]
    assert [row[0] for _, row, problem in rows if not problem] == ["a@x.org", "b@x.org"]


def test_rows_that_are_too_short_too_wide_or_too_long() -> None:
    long = b"c@x.org," + b"x" * 200_000
    _, rows = read(
        b"email,name\na@x.org\nb@x.org,Bo,,\nb@x.org,Bo,more\n" + long + b"\nd@x.org,D\n"
    )
    assert [(line, row[0], problem) for line, row, problem in rows] == [
        (2, "a@x.org", None),
        (3, "b@x.org", None),
        (4, "b@x.org", "it has 3 cells, and there are 2 columns"),
        (5, "c@x.org", "it is longer than 65,536 characters"),
        (6, "d@x.org", None),
    ]
    assert len(rows[3][1][1]) < 70_000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet or a ZIP archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"email\0,name\n", "is not text"),
        ("email,name\n".encode("utf-16-le"), "is not text"),
        ("email,name\n".encode("utf-32"), "is not text"),
        (b"x" * 100_000, "first line is longer"),
        (b'"email,name\na@x.org,b\n' * 3, "not a line of column names"),
        (b"email" + b"," * 1000, "not a line of column names"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(AudienceError, match=says) as caught:
        read(data)
    assert str(caught.value).startswith(("list.csv", "The first line of list.csv"))


class Endless(io.RawIOBase):
    """A gigabyte of one byte, with a beginning; counts what is read of it."""

    def __init__(self, beginning: bytes, byte: bytes) -> None:
        self.beginning, self.byte, self.read_so_far = beginning, byte, 0

    def read(self, size: int = -1) -> bytes:
        if self.read_so_far > 10**9:
            return b""
        data = self.beginning[:size] or self.byte * size
        self.beginning = self.beginning[size:]
        self.read_so_far += len(data)
        return data


def test_a_gigabyte_without_a_line_end_is_refused_after_its_first_kilobytes() -> None:
    endless = Endless(b"", b"x")
    with pytest.raises(AudienceError):
        Table(endless, "list.csv")  # type: ignore[arg-type]
    # The rest of a line that is too long is read over, a line at a time, in memory that is bounded.
    assert endless.read_so_far < 10_000_000


def test_a_gigabyte_in_one_line_behind_the_names_is_refused() -> None:
    endless = Endless(b"email,name\n", b"\xff")
    with pytest.raises(AudienceError, match="this is not a list"):
        read(endless)  # type: ignore[arg-type]
    assert endless.read_so_far < 50_000_000


def test_it_reads_no_more_of_a_pipe_than_it_needs() -> None:
    endless = Endless(b"email,name\n", b"a@x.org,Ida\n")
    table = Table(endless, "list.csv")  # type: ignore[arg-type]
    for _, row, _ in table:
        assert row == ["a@x.org", "Ida"]
        break
    assert endless.read_so_far < 10_000_000


def test_hostile_files_take_no_time_to_speak_of() -> None:
    for hostile in (
        b"email,name\n" + b'"' * 2_000_000,
        b"email,name\n" + b'"\n' * 1_000_000,
        b"email,name\n" + b',"' * 1_000_000,
        b"email,name\n" + b"\r" * 2_000_000,
        b"email,name\n" + b"\xff" * 2_000_000,
    ):
        begun = time.process_time()
        try:
            read(hostile)
        except AudienceError as error:
            assert "quotation mark" in str(error)
        assert time.process_time() - begun < CPU_SECONDS


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8).map(str.strip)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), max_size=5),
    st.sampled_from(",;\t|"),
)
def test_what_the_csv_module_writes_is_read(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([["email", "b", "c"], *rows])
    assert cells(text.getvalue().encode()) == rows


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_sentence(data: bytes) -> None:
    try:
        _, rows = read(b"email,name\n" + data)
    except AudienceError:
        return
    assert all(any(row) for _, row, _ in rows)
