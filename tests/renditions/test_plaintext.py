"""Text in lines of a given display width."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS
from wcwidth import iter_graphemes, wcswidth

from dispatch.renditions.plaintext import clean, pad, table, width, wrap

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇨🇿"
BOLD_HEART = "❤️"
DECOMPOSED = "e\u0301"
JAMO = "\u1112\u1161\u11ab"
PIECES = [
    *"ab-.,!()ßжא世界ゃー「」。、（）…—",
    " ",
    "  ",
    "\n",
    "\t",
    "\u3000",
    "\u200b",
    "\xa0",
    "\u2028",
    FAMILY,
    FLAG,
    BOLD_HEART,
    DECOMPOSED,
    JAMO,
    "か\u3099",
    "한국어",
    "https://example.org/a/rather/long/path?of=a&page=1",
]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
modest = settings(derandomize=True, max_examples=150, deadline=None)


def words(text: str) -> list[str]:
    return text.replace("\u200b", " ").replace("\xa0", " ").split()


# Width -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("plain", 5),
        ("“Škoda” – 5 €", 13),
        ("世界", 4),
        (FAMILY, 2),
        (FLAG * 3, 6),
        (BOLD_HEART, 2),
        (DECOMPOSED, 1),
        (JAMO, 2),
        ("", 0),
    ],
)
def test_width_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert width(text) == columns


def test_what_is_taken_as_narrow_is_narrow() -> None:
    inside = [chr(n) for n in range(0x20, 0x2100) if width(chr(n)) == 1]
    assert [c for c in inside if wcswidth(c) != 1] == []


@pytest.mark.parametrize(
    ("align", "padded"), [("left", "世界  "), ("right", "  世界"), ("center", " 世界 ")]
)
def test_padding_counts_columns(align: str, padded: str) -> None:
    assert pad("世界", 6, align) == padded  # type: ignore[arg-type]


def test_padding_leaves_what_is_wide_enough() -> None:
    assert pad("longer", 3) == "longer"


def test_clean_takes_out_what_nobody_sees() -> None:
    assert clean("\x1b[1mDampf\xadschiff\x00\x9b\ufeff") == "[1mDampfschiff"


@pytest.mark.parametrize("control", "\v\f\x1c\x1d\x1e\x1f\x85", ids=ascii)
def test_a_control_that_is_white_space_parts_words_as_a_space(control: str) -> None:
    assert clean(f"one{control}two") == "one two"


def test_clean_leaves_joiners_and_marks_of_direction() -> None:
    text = f"{FAMILY} می\u200cخواهم \u200fabc"
    assert clean(text) == text


# Wrapping ----------------------------------------------------------------------------------------


def test_lines_are_filled_and_indented() -> None:
    assert wrap("one two three four", 12, "  ") == "  one two\n  three four"


def test_a_first_line_may_differ() -> None:
    assert wrap("one two three", 9, "1. ", "   ") == "1. one\n   two\n   three"


def test_newlines_stay() -> None:
    assert wrap("one\ntwo\n\nthree", 40, "- ", "  ") == "- one\n  two\n\n  three"


def test_a_long_address_stays_whole_on_its_own_line() -> None:
    url = "https://example.org/" + "a" * 80 + "-" + "b" * 20
    assert wrap(f"See {url} for more.", 20, " ").split("\n") == [" See", f" {url}", " for more."]


def test_an_address_with_cjk_letters_stays_whole() -> None:
    url = "https://例え.example/東京/防災システム/公開"
    assert url in wrap(f"詳細は{url}。次の発表は来週の予定だ。", 20).split("。")[0]


def test_no_break_spaces_hold() -> None:
    assert wrap("at 5\xa0000\u202fkm now", 9) == "at\n5\xa0000\u202fkm\nnow"


def test_a_soft_hyphen_leaves_no_trace() -> None:
    assert wrap("Donau\xaddampf\xadschiff", 8) == "Donaudampfschiff"


@pytest.mark.parametrize("forger", list("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
def test_only_our_own_line_ends_start_a_line(forger: str) -> None:
    assert wrap(f"said{forger}ENDS", 40, "   ") == "   said ENDS"


def test_chinese_and_japanese_break_between_characters() -> None:
    assert wrap("東京都は防災計画を公開した", 10) == "東京都は防\n災計画を公\n開した"


def test_no_line_starts_with_closing_punctuation_or_a_small_kana() -> None:
    assert wrap("東京都は、ちょっと", 8) == "東京都\nは、\nちょっと"


def test_no_line_ends_with_an_opening_bracket() -> None:
    assert wrap("東京都「防災」", 8) == "東京都\n「防災」"


def test_latin_words_in_japanese_stay_whole() -> None:
    assert wrap("東京のDispatch社", 12) == "東京の\nDispatch社"


def test_dashes_and_dots_that_stand_in_pairs_stay_together() -> None:
    assert wrap("他说……好——吧", 4) == "他\n说……\n好——\n吧"


def test_korean_breaks_at_its_spaces() -> None:
    assert wrap("방재 시스템을 공개했다", 14) == "방재 시스템을\n공개했다"


def test_a_zero_width_space_is_where_a_line_may_end() -> None:
    assert wrap("ភាសា\u200bខ្មែរ", 4) == "ភាសា\nខ្មែរ"
    assert wrap("ភាសា\u200bខ្មែរ", 40) == "ភាសា\u200bខ្មែរ"


@given(texts, st.integers(1, 40), st.sampled_from(["", "   ", "> "]))
@modest
def test_no_line_is_too_wide_but_one_that_cannot_be_broken(
    text: str, columns: int, indent: str
) -> None:
    for line in wrap(text, columns, indent).split("\n"):
        content = line.removeprefix(indent)
        assert width(line) <= columns or wrap(content, 1) == content


@given(texts, st.integers(1, 40))
@modest
def test_no_word_is_lost_or_changed(text: str, columns: int) -> None:
    set_text = wrap(text, columns, "   ")
    assert "".join(words(set_text)) == "".join(words(text))


@given(texts, st.integers(1, 40))
@modest
def test_words_in_scripts_with_spaces_are_not_broken(text: str, columns: int) -> None:
    latin = "".join(c for c in text if ord(c) < 0x2000 or c in "\u2028\u200b")
    assert words(wrap(latin, columns)) == words(latin)


@given(texts, st.integers(1, 40))
@modest
def test_no_grapheme_cluster_is_split(text: str, columns: int) -> None:
    def clusters(of: str) -> list[str]:
        return [c for c in iter_graphemes(of) if not c.isspace() and c != "\u200b"]

    assert clusters(wrap(text, columns)) == clusters(clean(text))


@given(texts, st.integers(1, 40))
@modest
def test_every_line_begins_with_its_indent_and_ends_without_blanks(text: str, columns: int) -> None:
    for line in wrap(text, columns, "| ").splitlines():
        assert line.startswith("|")
        assert line == line.rstrip()


@given(texts, st.integers(1, 40))
@modest
def test_setting_set_text_again_changes_nothing(text: str, columns: int) -> None:
    once = wrap(text, columns)
    assert wrap(once, columns) == once


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "世",
        "。",
        DECOMPOSED,
        "\u0301",
        FLAG,
        "👨\u200d",
        "\u200b",
        "世https://",
        "\n",
        " ",
        "\x00",
        "a ",
    ],
    ids=ascii,
)
def test_a_megabyte_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit.encode()))
    started = time.process_time()
    wrap(text, 69, "   ")
    assert time.process_time() - started < CPU_SECONDS


# Tables ------------------------------------------------------------------------------------------

HARBOURS = [
    ["Harbour", "Tonnes", "名称"],
    ["Lhotka", "1,200", "重要港口"],
    [f"Brno {FLAG}", "12", ""],
]


def test_columns_are_aligned_by_what_is_shown() -> None:
    assert table(HARBOURS, 40, "  ", header=True, aligns=["left", "right"]).split("\n") == [
        "  Harbour  Tonnes  名称",
        "  -------  ------  --------",
        "  Lhotka    1,200  重要港口",
        f"  Brno {FLAG}      12",
    ]


def test_a_table_without_a_header_has_no_line_under_it() -> None:
    assert table([["a", "b"], ["ccc", "d"]], 40) == "a    b\nccc  d"


def test_a_table_that_is_too_wide_names_each_value() -> None:
    assert table(HARBOURS, 20, " ", header=True) == (
        f" Harbour: Lhotka\n Tonnes: 1,200\n 名称: 重要港口\n\n Harbour: Brno {FLAG}\n Tonnes: 12"
    )


def test_a_table_that_is_too_wide_and_has_no_header_lists_its_cells() -> None:
    assert table([["one", "two two two"]], 8, "") == "one\ntwo two\n  two"


def test_a_cell_is_one_line() -> None:
    assert table([["one\nENDS", "b\u2028c"]], 40, " ") == " one ENDS  b c"
