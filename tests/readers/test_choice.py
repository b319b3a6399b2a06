"""Which reader takes a file is told by what it holds; its name decides only where that is open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import readers
from dispatch.article import Paragraph
from dispatch.errors import ArticleError
from dispatch.markup import block_text
from dispatch.readers.publishers import Publishers

NAUGHTY = Path(__file__).parents[3] / "shared/data/blns.json"

PLAIN = "Harbour reopens\n\nThe harbour is open again.\n\nShips are leaving."
MARKDOWN = "# Harbour reopens\n\nThe harbour is **open** again.\n"
FRONT_MATTER = "---\ntitle: Harbour reopens\n---\nThe harbour is open again.\n"
PAGE = (
    "<!DOCTYPE html><html><head><title>Harbour reopens</title></head><body><article>"
    "<h1>Harbour reopens</h1><p>The harbour is open again.</p><p>Ships are leaving.</p>"
    "</article></body></html>"
)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a", "standard input"])
@pytest.mark.parametrize(
    ("content", "reader"),
    [(MARKDOWN, "markdown"), (FRONT_MATTER, "markdown"), (PAGE, "webpage")],
)
def test_content_decides_whatever_the_name(content: str, reader: str, name: str) -> None:
    article = readers.read(content.encode(), name)
    assert (article.reader, article.headline) == (reader, "Harbour reopens")


@pytest.mark.parametrize(
    ("name", "reader"),
    [("a.txt", "pasted"), ("a", "pasted"), ("standard input", "pasted"), ("A.TEXT", "pasted")],
)
def test_what_is_neither_markdown_nor_html_is_pasted(name: str, reader: str) -> None:
    assert readers.read(PLAIN.encode(), name).reader == reader


def test_the_ending_decides_where_the_content_leaves_it_open() -> None:
    fragment = "<p>One line.</p>"
    open_to_all = f"Harbour reopens\n\n{fragment}"
    assert readers.read(open_to_all.encode(), "a.txt").reader == "pasted"
    page = f"<title>Harbour reopens</title>{fragment}"
    assert readers.read(page.encode(), "a.html").reader == "webpage"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("content", "reader"), [(PLAIN, "pasted"), (MARKDOWN, "markdown"), (PAGE, "webpage")]
)
def test_every_reader_gets_clean_text(content: str, reader: str, encoding: str) -> None:
    data = content.replace("\n", "\r\n").encode(encoding)
    article = readers.read(data, "a")
    assert (article.reader, article.headline) == (reader, "Harbour reopens")


def test_notes_on_the_bytes_stand_before_those_on_the_text() -> None:
    text = "Café reopens\n\nThe café \u202eis open again.\n\n-30-".replace("\u202e", "\x1f")
    article = readers.read(text.encode("cp1252"), "a.txt")
    assert [note.where for note in article.notes] == ["encoding", "line 3", "line 5"]


def test_a_newsrooms_own_list_reaches_the_reader(tmp_path: Path) -> None:
    own = tmp_path / "publishers.toml"
    own.write_text('[publishers]\n"hh.example" = ["Harbour Herald"]\n', encoding="utf-8")
    text = f"{PLAIN}\n\nSources\n- Harbour HeraldBridge closes"
    assert readers.read(text.encode(), "a.txt").sources[0].publisher is None
    known = Publishers.load(own)
    assert readers.read(text.encode(), "a.txt", known).sources[0].publisher == "Harbour Herald"


@pytest.mark.parametrize(
    "content",
    [
        '---\ntitle: "Harbour \\u202Esnepo"\n---\nText.\n',
        "# Harbour &#x202E;snepo\n\nOpen &#x202E;again&#8203;.\n",
        PAGE.replace("open again", "open&#x2066; again").replace("reopens", "&#8238;reopens"),
    ],
)
def test_what_escapes_and_entities_hide_is_taken_out_too(content: str) -> None:
    article = readers.read(content.encode(), "a")
    everything = article.headline + "".join(map(block_text, article.body))
    assert not set("\u202e\u2066\u200b") & set(everything)
    assert any("Removed" in note.message for note in article.notes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n \n",
        b"\0\1\2",
        b"%PDF-1.4",
        b"\x1b\x1b\x1b",
        "\u202e\u200b".encode(),
        b"Headline alone",
        b"---\ntitle: A\n---\n",
        b"---\ntitle: [\n---\nText",
        b"# \n\n",
        b"<html></html>",
        b"Headline\nPublished: soon\n\nText.",
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence_that_names_the_file(data: bytes) -> None:
    with pytest.raises(ArticleError) as caught:
        readers.read(data, "orbal.txt")
    message = str(caught.value)
    assert "orbal.txt" in message
    assert message.endswith((".", "”.", ")."))
    assert "\n" not in message


@pytest.mark.parametrize(
    "text",
    ["> " * 3_000 + "a", "- " * 3_000 + "a", "# A\n\n" + "*a " * 20_000, "<div>" * 5_000 + "a",
     "# A\n\n" + "<i>" * 3_000 + "a", "# A\n\n" + "[" * 3_000],
    ids=lambda text: text[:10],
)  # fmt: skip
def test_deep_nesting_is_read_or_refused(text: str) -> None:
    for name in ("a.md", "a.html", "a.txt"):
        try:
            readers.read(text.encode(), name)
        except ArticleError as error:
            assert name in str(error)


def test_a_reader_that_fails_is_reported_as_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch.readers import pasted

    def fails(text: str, name: str, publishers: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(pasted, "read", fails)
    with pytest.raises(ArticleError, match=r"a\.txt could not be read \(ZeroDivisionError"):
        readers.read(PLAIN.encode(), "a.txt")


@pytest.mark.skipif(not NAUGHTY.is_file(), reason="the folder of shared test data is not here")
@pytest.mark.parametrize(
    "place", ["{}\n\nText follows here.", "Headline\n\n{}\n\nText follows here."]
)
def test_naughty_strings_survive_or_are_refused_in_a_sentence(place: str) -> None:
    for text in json.loads(NAUGHTY.read_text(encoding="utf-8")):
        data = place.format(text).encode("utf-8", "surrogatepass")
        try:
            article = readers.read(data, "naughty.txt")
        except ArticleError as error:
            assert "naughty.txt" in str(error)
        else:
            assert article.headline.strip()
            assert all(isinstance(block_text(block), str) for block in article.body)


@settings(derandomize=True, max_examples=200)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_file_gives_an_article_or_a_sentence(data: bytes) -> None:
    for name in ("a.txt", "a.md", "a.html"):
        try:
            article = readers.read(data, name)
        except ArticleError as error:
            assert name in str(error)
        else:
            assert article.headline.strip()


def test_a_paragraph_of_any_length_is_read() -> None:
    text = f"Harbour reopens\n\n{'The harbour is open again. ' * 50_000}"
    (paragraph,) = readers.read(text.encode(), "a.txt").body
    assert isinstance(paragraph, Paragraph)
    assert len(paragraph.html) > 1_000_000
