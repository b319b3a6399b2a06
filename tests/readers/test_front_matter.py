"""Front matter: values as they are written, errors by line, and nothing hostile."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.errors import ArticleError
from dispatch.readers.front_matter import Field, has_fences, read

NAME = "story.md"


def yaml(source: str) -> tuple[Field, ...]:
    return read(f"---\n{source}\n---\nText.\n", NAME).fields


def toml(source: str) -> tuple[Field, ...]:
    return read(f"+++\n{source}\n+++\nText.\n", NAME).fields


def value(source: str) -> object:
    (field,) = yaml(f"x: {source}")
    return field.value


class TestFences:
    def test_part_fields_from_text(self):
        found = read("---\ntitle: Ferry\n---\n\nText.\n---\nMore.\n", NAME)
        assert found.fields == (Field("title", "Ferry", 2),)
        assert found.body == "\nText.\n---\nMore.\n"

    def test_blank_lines_may_stand_before_and_blanks_behind_them(self):
        found = read("\n\n---  \ntitle: Ferry\n---\t\nText.", NAME)
        assert found.fields == (Field("title", "Ferry", 4),)
        assert found.body == "Text."

    @pytest.mark.parametrize(
        "text",
        ["Text.\n---\ntitle: x\n---\n", "----\ntitle: x\n----\n", "---js\ntitle: x\n---\n", "---json\n{}\n---\n", " --- \nx\n---\n", "+++ toml\nx = 1\n+++\n", "", "\n"],
    )  # fmt: skip
    def test_nothing_else_opens_front_matter(self, text: str):
        assert read(text, NAME).fields == ()
        assert read(text, NAME).body == text

    def test_empty_front_matter_is_fine(self):
        assert yaml("") == yaml("# a comment\n") == toml("") == ()
        assert read("---\n---\nText.", NAME).body == "Text."

    def test_one_that_is_not_closed_is_an_error(self):
        with pytest.raises(
            ArticleError, match=r"story\.md, line 1: .*never closed\. Add a line ---"
        ):
            read("---\ntitle: Ferry\n\nText.\n", NAME)
        with pytest.raises(ArticleError, match=r"line 1: .*\+\+\+ opens is never closed"):
            read('+++\ntitle = "Ferry"\n---\n', NAME)

    @pytest.mark.parametrize("rest", ["", "\n", "\n \n\t\n"])
    def test_one_without_text_below_is_an_error(self, rest: str):
        with pytest.raises(ArticleError, match=r"story\.md has front matter but no text"):
            read(f"---\ntitle: Ferry\n---{rest}", NAME)

    def test_one_beyond_bounds_is_an_error(self):
        with pytest.raises(ArticleError, match=r"longer than 64,000 characters"):
            yaml("x: " + "a" * 70_000)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("---\ntitle: x\n---\n", True),
            ("+++\ntitle = 'x'\n+++\n", True),
            ("---\n'Editor''s note': x\n---", True),
            ("---\n\n---\n", False),
            ("---\ntitle: x\n", False),
            ("---\nA sentence, and no field.\n---\nAnother.", False),
            ("title: x\n---\n", False),
        ],
    )
    def test_can_be_told_from_rules(self, text: str, expected: bool):
        assert has_fences(text) is expected


class TestYaml:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("no", "no"),
            ("0123", "0123"),
            ("1_000", "1_000"),
            ("12:30", "12:30"),
            ("1e3", "1e3"),
            ("true", "true"),
            ("2026-10-04", "2026-10-04"),
            ("2026-10-04T09:30:00+02:00", "2026-10-04T09:30:00+02:00"),
            ("=", "="),
            ("'it''s'", "it's"),
            (r'"a\u0301\n\"b\""', 'a\u0301\n"b"'),
            ("!!str 12", "12"),
            ("null", None),
            ("~", None),
            ("", None),
            ("'null'", "null"),
            ("plain\n  over lines", "plain over lines"),
            (">-\n  folded\n  text", "folded text"),
            ("|\n  two\n  lines", "two\nlines"),
            ("[a, 'b, c', ~]", ["a", "b, c", None]),
            ("\n  - a\n  - name: b\n    role:", ["a", {"name": "b", "role": None}]),
            ("{a: 1, b: {c: no}}", {"a": "1", "b": {"c": "no"}}),
            ("Ferry # a comment", "Ferry"),
            ("https://example.org/#a", "https://example.org/#a"),
        ],
    )
    def test_values_stay_as_they_are_written(self, source: str, expected: object):
        assert value(source) == expected

    def test_every_field_has_its_line(self):
        fields = yaml("title: >-\n  A headline\n  of two lines\n\n# comment\ntags:\n- a\nlang: en")
        assert [(field.name, field.line) for field in fields] == [
            ("title", 2),
            ("tags", 7),
            ("lang", 9),
        ]

    def test_aliases_stand_for_their_values(self):
        assert yaml("a: &x [b, c]\nd: *x")[1].value == ["b", "c"]

    @pytest.mark.parametrize(
        ("source", "line", "said"),
        [
            ("a: 1\ntitle: Ferry: cracks found", 3, "colon in it in quotes"),
            ("title: x\n\tsub: y", 3, "spaces, not with tabs"),
            ('title: "never closed', 2, "Close the quotation mark"),
            ("title: 'never closed\nlang: en", 2, "Close the quotation mark"),
            ("tags: [a, b", 2, "Close the bracket"),
            ("title: @desk", 2, "in quotes"),
            ("title: *Bold* words", 2, "begins with"),
            ('title: "\\q"', 2, "backslash"),
            ("title Ferry", 2, "has no fields"),
            ("- a\n- b", 2, "has no fields"),
            ("title: a\ntitle: b", 3, "twice, first on line 2"),
            ("x:\n  a: 1\n  a: 2", 4, "twice, first on line 3"),
            ("[a]: b", 2, "must be plain text"),
            ("? {a: b}\n: c", 2, "must be plain text"),
            (": x", 2, "cannot be read"),
            ("x: &a {b: c}\ny:\n  <<: *a", 4, "merges fields with <<"),
            ('title: "\\U00110000"', None, "stands for no character"),
            ("x: " + "[" * 17 + "]" * 17, 2, "nests lists or mappings more than 16 deep"),
            ("title: !Important news", 2, "asks for !Important"),
            ("a: 1\n...\nb: 2", None, "YAML"),
            ("%YAML 9.9", None, "YAML"),
        ],
    )
    def test_broken_ones_are_refused_by_line(self, source: str, line: int | None, said: str):
        with pytest.raises(ArticleError) as error:
            yaml(source)
        assert str(error.value).startswith(f"{NAME}, line {line}: " if line else NAME)
        assert said in str(error.value)
        assert str(error.value).endswith((".", ". Keep one of them."))


HOSTILE_YAML = {
    "objects": "x: !!python/object/apply:os.system [echo]",
    "objects within": "x: [{y: !!python/object/new:tuple [[1]]}]",
    "names": "x: !!python/name:os.system",
    "binary": "x: !!binary aGk=",
    "sets": "x: !!set {a, b}",
    "aliases that double": "a: &a [x, x]\n" + "\n".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(24)),
    "an alias of itself": "a: &a [*a]",
    "a mapping of itself": "a: &a {b: *a}",
    "deep lists": "a: " + "[" * 20_000,
    "deep closed lists": "a: " + "[" * 400 + "]" * 400,
    "deep mappings": "a: " + "{b: " * 5_000,
    "dashes": "- " * 30_000,
    "questions": "? " * 30_000,
    "many values": "a: [" + "x," * 20_000 + "]",
    "many fields": "\n".join(f"k{n}: v" for n in range(6_000)),
}  # fmt: skip

HOSTILE_TOML = {
    "deep lists": "a = " + "[" * 20_000,
    "deep closed lists": "a = " + "[" * 300 + "]" * 300,
    "deep names": "a" + ".a" * 20_000 + " = 1",
    "many values": "a = [" + "1," * 20_000 + "]",
    "a long number": "a = " + "9" * 20_000,
    "a long number in hexadecimal": "a = 0x" + "f" * 20_000,
    "a broken escape": 'a = "\\ud800"',
}


class TestHostile:
    @pytest.mark.parametrize("name", HOSTILE_YAML)
    def test_yaml_is_refused_in_a_sentence_and_in_time(self, name: str):
        before = time.process_time()
        with pytest.raises(ArticleError, match=r"^story\.md(, line \d+)?: .*\.$"):
            yaml(HOSTILE_YAML[name])
        assert time.process_time() - before < CPU_SECONDS

    @pytest.mark.parametrize("name", HOSTILE_TOML)
    def test_toml_is_refused_in_a_sentence_and_in_time(self, name: str):
        before = time.process_time()
        with pytest.raises(ArticleError, match=r"^story\.md(, line \d+)?: .*\.$"):
            toml(HOSTILE_TOML[name])
        assert time.process_time() - before < CPU_SECONDS

    @given(st.text(st.sampled_from("ab:#-[]{}&*!|>'\"%@`,?= \n\t.0~<"), max_size=40))
    @settings(derandomize=True, max_examples=300, deadline=None)
    def test_whatever_is_written_is_read_or_refused(self, source: str):
        for fence in ("---", "+++"):
            try:
                found = read(f"{fence}\n{source}\n{fence}\nText.", NAME)
            except ArticleError as error:
                assert str(error).startswith(NAME)
            else:
                assert found.body.endswith("Text.")


class TestToml:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ('"a\\tb"', "a\tb"),
            ("'no'", "no"),
            ("true", "true"),
            ("0x10", "16"),
            ("2.50", "2.5"),
            ("2026-10-04T09:30:00+02:00", "2026-10-04T09:30:00+02:00"),
            ("2026-10-04 09:30:00Z", "2026-10-04T09:30:00+00:00"),
            ("2026-10-04T09:30:00", "2026-10-04T09:30:00"),
            ("2026-10-04", "2026-10-04"),
            ('["a", "b"]', ["a", "b"]),
            ('{ name = "a", role = "b" }', {"name": "a", "role": "b"}),
        ],
    )
    def test_values_become_text(self, source: str, expected: object):
        (field,) = toml(f"x = {source}")
        assert field.value == expected

    def test_every_field_has_its_line(self):
        fields = toml(
            'title = "Ferry"\n"editor\'s note" = "x"\n\n[image]\nsrc = "y"\n[[sources]]\ntitle = "z"'
        )
        assert [(field.name, field.line) for field in fields] == [
            ("title", 2), ("editor's note", 3), ("image", 5), ("sources", 7),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("source", "line"),
        [('a = 1\ntitle = Ferry', 3), ("title: Ferry", 2), ('a = 1\na = 2', 3), ('title = "x', 2)],
    )  # fmt: skip
    def test_broken_ones_are_refused_by_line(self, source: str, line: int):
        with pytest.raises(ArticleError, match=rf"^story\.md, line {line}: .*text in quotes\.$"):
            toml(source)
