"""The check: what would embarrass a desk is found, and what would not is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatch.newsroom import check
from dispatch.newsroom.check import Finding, check_article
from dispatch.newsroom.reachable import judge
from dispatch.newsroom.wording import doubled_words, placeholders, raw_markup, spam
from dispatch.settings import Settings

NOW = datetime(2026, 10, 4, 9, 30, tzinfo=UTC)
FIELDS = {
    "title": "New ferry for Port Ellery",
    "standfirst": "The boat is quieter than the old one.",
    "author": "Nora Vance",
    "lang": "en",
}
BODY = "The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard."

Check = Callable[..., list[tuple[str, str]]]


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(
            templates=folder / "templates", publishers=folder / "none.toml", cache=folder / "cache"
        )

    def article(self, body: str = BODY, **fields: str | None) -> str:
        front = "".join(f"{k}: {v}\n" for k, v in (FIELDS | fields).items() if v is not None)
        path = self.folder / "article.md"
        path.write_text(f"---\n{front}---\n\n{body}\n", encoding="utf-8")
        return str(path)

    def check(self, body: str = BODY, **fields: str | None) -> list[Finding]:
        return check_article(self.article(body, **fields), self.settings, NOW)

    def found(self, body: str = BODY, **fields: str | None) -> list[tuple[str, str]]:
        return [(finding.level, finding.where) for finding in self.check(body, **fields)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_nothing_is_found_in_a_sound_article(desk: Desk):
    body = (
        f"{BODY}\n\n![The ferry at the pier](https://images.example.org/1.jpg)\n\n"
        "## What it costs\n\nSee [the board](https://board.example.org/fares) or "
        "[write](mailto:desk@example.org), *today* and `**not** <b>then</b>`.\n\n"
        "```\nthe the **x** <b>\n```\n"
    )
    found = desk.check(
        body, date="2026-10-04T08:00:00Z", updated="2026-10-04T09:00:00Z", slug="new-ferry"
    )
    assert found == []


class TestFields:
    def test_missing_ones_are_warned_of(self, desk: Desk):
        assert desk.found(standfirst=None) == [("warning", "standfirst")]
        assert desk.found(author=None) == [("warning", "byline")]
        assert desk.found(lang=None) == [("warning", "language")]

    def test_no_paragraph_is_an_error(self, desk: Desk):
        assert ("error", "body") in desk.found("![A boat](https://images.example.org/1.jpg)")

    @pytest.mark.parametrize("field", ["slug", "desk"])
    def test_what_cannot_stand_in_an_address_is_an_error(self, desk: Desk, field: str):
        (found,) = desk.check(**{field: '"!!!"'})
        assert (found.level, found.where) == ("error", field)
        assert found.message == (
            f"{desk.folder / 'article.md'}: The {field} '!!!' leaves nothing for an address: "
            "use letters and digits."
        )

    def test_a_slug_that_can_is_none(self, desk: Desk):
        assert desk.found(slug="New Ferry!", desk="Küste") == []

    def test_times_to_come_are_warned_of(self, desk: Desk):
        late = "2026-10-04T09:30:01Z"
        assert desk.found(date=late) == [("warning", "published")]
        assert desk.found(date="2026-10-04T11:30:00+02:00") == []
        assert desk.found(date="2026-10-04T08:00:00Z", updated=late) == [("warning", "updated")]

    def test_times_are_not_held_against_anything_where_none_is_given(self, desk: Desk):
        assert check_article(desk.article(date="2199-01-01T00:00:00Z"), desk.settings) == []

    def test_an_update_before_the_publication_is_warned_of(self, desk: Desk):
        fields = {"date": "2026-10-04T08:00:00Z", "updated": "2026-10-04T07:59:59Z"}
        assert desk.found(**fields) == [("warning", "updated")]
        assert desk.found(**fields | {"updated": fields["date"]}) == []


class TestImages:
    def test_no_alternative_is_an_error(self, desk: Desk):
        (desk.folder / "page.html").write_text(
            "<!DOCTYPE html><html lang=en><head><title>New ferry</title></head><body><article>"
            f"<h1>New ferry for Port Ellery</h1><p>{BODY}</p><p>{BODY.replace('dawn', 'dusk')}</p>"
            "<figure><img src='https://images.example.org/1.jpg'></figure></article></body></html>"
        )
        found = check_article(str(desk.folder / "page.html"), desk.settings, NOW)
        errors = [finding for finding in found if finding.level == "error"]
        assert [finding.where for finding in errors] == ["image 1"]
        assert "https://images.example.org/1.jpg has no alternative text" in errors[0].message

    def test_an_empty_one_is_warned_of(self, desk: Desk):
        images = "<img src='https://images.example.org/1.jpg' alt='A pier'>\n<img src='https://images.example.org/2.jpg' alt=''>"
        assert desk.found(f"{BODY}\n\n{images}") == [("warning", "image 2")]


class TestLinks:
    @pytest.mark.parametrize(
        "address", ["javascript:alert(1)", "ftp://example.org/x", "/fares", "http:/x"]
    )
    def test_one_that_the_reader_took_off_is_an_error(self, desk: Desk, address: str):
        (found,) = desk.check(f"{BODY} See [the fares]({address}).")
        assert (found.level, found.where) == ("error", "body")
        assert address in found.message

    def test_one_in_the_text_is_named_with_its_place(self, desk: Desk):
        body = f"{BODY}\n\n- one\n- see [the fares](https://exa..mple/fares)\n\n> And [so](https://localhost/)."
        assert desk.found(body) == [
            ("error", "list 1, link “the fares”"),
            ("error", "quotation 1, link “so”"),
        ]

    def test_one_of_a_source(self, desk: Desk):
        good = '"Fares, Harbour Board, https://board.example.org/fares"'
        bad = '"Fares, Harbour Board, https://board/fares"'
        assert desk.found(sources=f"[{good}]") == []
        assert desk.found(sources=f"[{good}, {bad}]") == [("error", "source 2")]

    def test_one_of_a_source_that_the_reader_left_out(self, desk: Desk):
        source = '[{title: Fares, url: "ftp://board.example.org/fares"}]'
        (found,) = desk.check(sources=source)
        assert (found.level, found.where) == ("error", "line 6")
        assert "ftp://board.example.org/fares" in found.message

    def test_one_of_an_image(self, desk: Desk):
        assert desk.found(f"{BODY}\n\n![A pier](https://localhost/1.jpg)") == [("error", "image 1")]

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/",
            "https://news.example.co.uk:8443/a?b=c#d",
            "https://bücher.example/ä",
            "https://xn--bcher-kva.example/",
            "https://example.org./",
            "mailto:desk@example.org",
            "tel:+441234567",
        ],
    )
    def test_is_good(self, url: str):
        assert judge(url) is None

    @pytest.mark.parametrize(
        ("url", "level", "why"),
        [
            ("https://exa..mple/", "error", "is not the name of a host"),
            ("https://-x.example/", "error", "is not the name of a host"),
            ("https://example.123/", "error", "is not the name of a host"),
            ("https://" + "a" * 64 + ".example/", "error", "is not the name of a host"),
            ("https://localhost/", "error", "no reader can reach"),
            ("https://intranet/wiki", "error", "no reader can reach"),
            ("https://wiki.internal/", "error", "no reader can reach"),
            ("https://127.0.0.1/", "error", "no reader can reach"),
            ("https://192.168.1.7:8080/", "error", "no reader can reach"),
            ("https://[::1]/", "error", "no reader can reach"),
            ("https://9.9.9.9/", "warning", "by its number"),
            ("http://example.org/", "warning", "is not encrypted"),
            ("https://example.org/a b", "error", "is not a web address"),
            ("https://", "error", "is not a web address"),
            ("ftp://example.org/", "error", "is not a web address"),
            ("https://example.org:99999/", "error", "is not a web address"),
        ],
    )
    def test_is_bad(self, url: str, level: str, why: str):
        judgement = judge(url)
        assert judgement
        assert judgement[0] == level
        assert why in judgement[1]


class TestSources:
    def test_one_that_was_not_parted_is_warned_of(self, desk: Desk):
        (desk.folder / "a.txt").write_text(
            "New ferry for Port Ellery\nThe boat is quieter.\n\n"
            f"{BODY}\nCaptain Ida Marlow said the crossing took nineteen minutes on Sunday.\n"
            "Sources\n- Alpha BetaGammaDelta Epsilonhttps://example.org/1\n"
        )
        found = check_article(str(desk.folder / "a.txt"), desk.settings, NOW)
        told = [f for f in found if "Alpha" in f.message]
        assert [f.level for f in told] == ["warning"]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("He saw the the boat", "en"),
            ("The the boat", "en"),
            ("The The boat", "en"),
            ("It was of\xa0of oak", "en"),
            ("Sie kam mit mit ihm", "de"),
            ("Das Haus Haus brennt", "de"),
            ("Il a vu le le bateau", "fr"),
            ("Vio el el barco", "es"),
            ("Who had been been there", "nl"),
        ],
    )
    def test_that_stand_twice(self, text: str, language: str):
        (message,) = doubled_words(text, language)
        assert "stands twice" in message
        assert text in message

    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("She had had enough of all that that boat stood for", "en"),
            ("He gave her her coat. It was so so, very very so", "en-GB"),
            ("He said that. That was all, all of it", "en"),
            ("From Pago Pago to Walla Walla with Boutros Boutros-Ghali", "en"),
            ("I know that that's it: cha cha, bye bye, no no", "en"),
            ("Die, die die Boote, die sie sie nannte, das das Haus", "de-AT"),
            ("Nous nous levons, vous vous levez", "fr"),
            ("Muy muy lejos, ya ya", "es"),
            ("Yavaş yavaş geldi", "tr"),
        ],
    )
    def test_that_rightly_stand_twice(self, text: str, language: str):
        assert list(doubled_words(text, language)) == []

    @pytest.mark.parametrize("text", ["It costs TK crowns", "TKTK", "[TODO] ask", "FIXME", "XXX said", "Lorem ipsum dolor", "lorem ipsum"])  # fmt: skip
    def test_that_are_to_be_filled_in(self, text: str):
        assert len(list(placeholders(text, "en"))) == 1

    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("A todo list, an xxx, a tk, XX and MXXXI, ATK and TKO", "en"),
            ("TODO EL PUEBLO", "es"),
            ("Ipsum lorem", "la"),
        ],
    )
    def test_that_are_words(self, text: str, language: str):
        assert list(placeholders(text, language)) == []

    def test_that_are_to_be_filled_in_where_todo_is_a_word(self):
        assert len(list(placeholders("TODO: preguntar", "es"))) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "See [x](http://exa mple.com) now",
            "See ![x](/1.jpg)",
            "It is **bold**, it is",
            "It is __bold__.",
            "## A crosshead",
            "```python",
            "a <b>bold</b> word",
            "one<br>two<br/>three",
            '<a href="https://example.org/">x</a>',
            "<SPAN class=x>",
            "Fish &amp; chips",
            "don&#8217;t",
        ],
    )
    def test_in_markup_that_was_not_understood(self, text: str):
        assert len(list(raw_markup(text))) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "He [the captain] (now 61) left",
            "2 ** 3, f**k and s**t, a * b * c",
            "snake__case__name and https://example.org/__init__.py",
            "#1 and # 2, at the #pier",
            "1 < 2 and 3 > 2, a <- b, <nobody@example.org>",
            "Fish & chips; AT&T; Q&A;",
            "_",
            "",
        ],
    )
    def test_in_no_markup(self, text: str):
        assert list(raw_markup(text)) == []

    def test_are_found_wherever_the_newsroom_wrote_them(self, desk: Desk):
        body = (
            f"{BODY}\n\nThe the boat.\n\n## Of of course\n\n| a | b |\n|---|---|\n| TODO | x |\n\n"
            "![in in port](https://images.example.org/1.jpg)\n\n> - to to sea\n"
        )
        assert desk.found(body, standfirst="It is is the boat", title="'For for sale'") == [
            ("warning", "headline"),
            ("warning", "paragraph 2"),
            ("warning", "crosshead 1"),
            ("warning", "table 1"),
            ("warning", "image 1"),
            ("warning", "quotation 1"),
        ]

    def test_are_judged_in_the_desk_s_language_where_the_article_names_none(self, desk: Desk):
        desk.settings = replace(desk.settings, language="de")
        assert desk.found("Das ist die die Sache, so heißt es.", lang=None) == [
            ("warning", "language")
        ]


class TestSubject:
    @pytest.mark.parametrize("subject", ["FERRY RETURNS TO PORT", "Ferry!! Now", "Win $$$", "Act now for a ferry", "Winner!", "x" * 111])  # fmt: skip
    def test_is_spammy(self, subject: str):
        assert list(spam(subject))

    @pytest.mark.parametrize("subject", ["NATO and EU meet", "Why? Because!", "Nobel winner makes urgent appeal", "架け替えず", "x" * 110])  # fmt: skip
    def test_is_not(self, subject: str):
        assert list(spam(subject)) == []

    def test_is_the_headline(self, desk: Desk):
        assert desk.found(title="FERRY RETURNS TO PORT ELLERY") == [("warning", "headline")]


class TestEmail:
    def test_over_102_kb_is_an_error(self, desk: Desk):
        body = "\n\n".join(f"Number {n}: {BODY}" for n in range(1200))
        assert desk.found(body) == [("warning", "email")]  # it is cut
        desk.settings = replace(desk.settings, max_email_bytes=1_000_000)
        (found,) = desk.check(body)
        assert (found.level, found.where) == ("error", "email")
        assert "Gmail hides what is past 102 KB" in found.message

    def test_colours_without_contrast_are_warned_of(self, desk: Desk):
        desk.settings = replace(desk.settings, accent="#ffff00")
        (found,) = desk.check()
        assert (found.level, found.where) == ("warning", "DISPATCH_ACCENT")


class TestWhatCannotBeChecked:
    def test_is_an_error_that_says_why(self, desk: Desk):
        missing = str(desk.folder / "missing.md")
        (found,) = check_article(missing, desk.settings, NOW)
        assert (found.level, found.where) == ("error", "article")
        assert found.message.startswith(f"There is no file {missing}.")

    def test_an_error_inside_dispatch_is_a_finding(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ):
        def broken(_: object) -> None:
            raise KeyError("tide")

        monkeypatch.setattr(check, "CHECKS", (broken,))
        (found,) = desk.check()
        assert (found.level, found.where) == ("error", "article")
        assert (
            "article.md cannot be checked because of an error inside Dispatch (KeyError: 'tide')"
            in found.message
        )
        assert isinstance(found.error, KeyError)

    def test_a_broken_template_is_named(self, desk: Desk):
        own = desk.folder / "templates" / "email" / "article.html"
        own.parent.mkdir(parents=True)
        own.write_text("\n{{ nothing }}")
        (found,) = desk.check()
        assert found.level == "error"
        assert found.message.startswith(f"{own}, line 2: 'nothing' is undefined.")


def test_errors_come_first_and_nothing_comes_twice(desk: Desk):
    body = f"The the pier. The the pier. [a](https://localhost/) [a](https://localhost/)\n\n{BODY}"
    found = desk.check(body, standfirst=None)
    levels = [finding.level for finding in found]
    assert levels == sorted(levels)
    assert len(found) == len(set(found)) >= 3


def test_nothing_is_written(desk: Desk):
    name = desk.article()
    check_article(name, desk.settings, NOW)
    written = {path.name for path in desk.folder.iterdir()}
    assert written <= {"article.md", "cache"}
