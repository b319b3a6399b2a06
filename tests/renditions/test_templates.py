"""Templates: whose is taken, what they see, what they may not do, and how a broken one is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch.article import Article, Paragraph
from dispatch.desk import Desk, Mailbox
from dispatch.errors import TemplateError
from dispatch.markup import escape
from dispatch.renditions import sandbox, templates
from dispatch.renditions.templates import Templates, shipped

DESK = Desk(
    name="World",
    slug="world",
    publisher="The Meridian Courier",
    site_url="https://news.example.org",
    sender=Mailbox("Meridian World", "world@news.example.org"),
    contact="desk@news.example.org",
    postal_address="14 Quay Street, Port Alder",
    usage_terms="Free to use with credit.",
    rights="© {year} {publisher}",
)
ARTICLE = Article("Tides & <Times>", (Paragraph(escape("Low water.")),), language="en")

Render = Callable[..., str]


class Own:
    """The newsroom's own folder of templates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def render(self, name: str, article: Article | None = ARTICLE, **values: object) -> str:
        return Templates(self.folder).render(name, article, DESK, **values)

    def printed(self, text: str, **values: object) -> str:
        """What a template of that text prints."""
        self.write("t.html", text)
        return self.render("t.html", **values)

    def refusal(self, text: str | bytes, name: str = "t.html") -> str:
        """Why a template of that text is refused, from the folder on."""
        self.write(name, text)
        with pytest.raises(TemplateError) as refused:
            self.render(name)
        said = str(refused.value)
        assert "line 0" not in said
        return said.replace(f"{self.folder}/", "")


@pytest.fixture
def own(tmp_path: Path) -> Own:
    folder = tmp_path / "templates"
    folder.mkdir()
    return Own(folder)


class TestWhoseIsTaken:
    def test_the_newsroom_s_own_before_the_shipped(self, own: Own):
        path = own.write("web/style.css", "own")
        assert own.render("web/style.css") == "own"
        assert Templates(own.folder).path("web/style.css") == path

    def test_file_by_file(self, own: Own):
        own.write("parts/a.html", '{% include "parts/b.html" %} {% include "web/blocks.html" %}')
        own.write("parts/b.html", "own")
        assert own.render("parts/a.html").startswith("own")
        assert Templates(own.folder).path("web/article.html") == shipped() / "web/article.html"

    def test_the_shipped_where_there_is_no_folder(self, tmp_path: Path):
        nowhere = Templates(tmp_path / "nowhere")
        assert nowhere.path("web/article.html") == shipped() / "web/article.html"
        assert nowhere.path("web/nothing.html") is None

    def test_a_missing_one_is_named_with_where_it_was_looked_for(self, own: Own):
        with pytest.raises(TemplateError) as refused:
            own.render("nothing.html")
        assert str(refused.value) == (
            f"There is no template nothing.html in {own.folder} or {shipped()}."
        )

    def test_none_outside_of_the_folders_is_read(self, own: Own):
        (own.folder.parent / "secret.txt").write_text("secret")
        said = own.refusal('\n{% include "../secret.txt" %}')
        assert said.startswith("t.html, line 2: it includes ../secret.txt, which does not exist.")


class TestWhatIsPrinted:
    @pytest.mark.parametrize("name", ["t.html", "t.css", "t.xml", "t"])
    def test_is_escaped(self, own: Own, name: str):
        own.write(name, "{{ article.headline }}")
        assert own.render(name) == "Tides &amp; &lt;Times&gt;"

    def test_is_not_escaped_in_text(self, own: Own):
        own.write("t.txt", "{{ article.headline }}")
        assert own.render("t.txt") == "Tides & <Times>"

    @pytest.mark.parametrize(
        "typed", ["{{7*7}}", "{{ desk.name }}", "{% raw %}", "{# quiet #}", "{{ ''.__class__ }}"]
    )
    def test_article_text_is_no_template(self, own: Own, typed: str):
        body = (Paragraph(escape(typed)),)
        own.write("t.txt", "{{ article.headline }} {{ article.body[0]|text }} {{ given }}")
        article = replace(ARTICLE, headline=typed, body=body)
        assert own.render("t.txt", article, given=typed) == " ".join([typed] * 3)

    def test_is_the_same_for_every_article_after_another(self, own: Own):
        own.write("t.html", "{{ article.headline }}{% set seen = 1 %}")
        known = Templates(own.folder)
        first = known.render("t.html", ARTICLE, DESK)
        known.render("t.html", replace(ARTICLE, headline="Another"), DESK)
        assert known.render("t.html", ARTICLE, DESK) == first

    def test_loops_know_where_they_are(self, own: Own):
        assert (
            own.printed("{% for n in [4, 5, 6] %}{{ loop.index }}/{{ loop.length }} {% endfor %}")
            == "1/3 2/3 3/3 "
        )
        assert (
            own.printed("{% for n in [4, 5]|map('string') %}{{ n }}{{ loop.last }} {% endfor %}")
            == "4False 5True "
        )
        assert (
            own.printed(
                "{% for n in [1, [2, [3]]] recursive %}{{ loop(n) if n is iterable else n }}{% endfor %}"
            )
            == "123"
        )
        assert own.printed("{% for n in [1, 2, 3] if n != 2 %}{{ n }}{% endfor %}") == "13"
        assert own.printed("{% for n in [] %}{% else %}none{% endfor %}") == "none"


class TestABrokenOne:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a\n{{ article.headlin }}", "t.html, line 2: 'dispatch.article.Article object' has no attribute 'headlin'. Correct the name"),
            ("{{ nothing }}", "t.html, line 1: 'nothing' is undefined. Correct the name"),
            ("\n\n{% if nothing %}{% endif %}", "t.html, line 3: 'nothing' is undefined."),
            ("\n{% for n in nothing %}{% endfor %}", "t.html, line 2: 'nothing' is undefined."),
            ("a\n{% if %}", "t.html, line 2: Expected an expression, got 'end of statement block'."),
            ("{% for n in [] %}", "t.html, line 1: Unexpected end of template."),
            ("\n{% include 'nope.html' %}", "t.html, line 2: it includes nope.html, which does not exist. Correct the name"),
            ("{{ 1 / 0 }}", "t.html, line 1: ZeroDivisionError: division by zero."),
            ("{{ '12'|nothing }}", "t.html, line 1: No filter named 'nothing'."),
            ("{% for a in [1] %}" * 30 + "{% endfor %}" * 30, "t.html: it is nested too deeply: too many statically nested blocks."),
        ],
    )  # fmt: skip
    def test_is_named_with_its_line(self, own: Own, text: str, said: str):
        assert own.refusal(text).startswith(said)

    def test_is_the_included_one(self, own: Own):
        own.write("inner.html", "\n\n{{ nothing }}")
        assert own.refusal('{% include "inner.html" %}').startswith("inner.html, line 3: ")

    @pytest.mark.parametrize(
        "text",
        [
            '{% include "t.html" %}',
            '{% extends "t.html" %}',
            '{% import "t.html" as t %}{{ t }}',
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        ],
    )
    def test_has_no_end(self, own: Own, text: str):
        said = own.refusal(text)
        assert said.startswith("t.html, line 1: it includes, extends, imports or calls itself")

    def test_is_nested_too_deeply(self, own: Own):
        said = own.refusal("{{ " + "(" * 5000 + ")" * 5000 + " }}")
        assert "is nested too deeply" in said

    def test_two_that_include_each_other(self, own: Own):
        own.write("u.html", '{% include "t.html" %}')
        assert "calls itself without end" in own.refusal('{% include "u.html" %}')

    def test_is_not_in_utf_8(self, own: Own):
        said = own.refusal("Überschrift".encode("latin-1"))
        assert said == "t.html: it is not UTF-8 from byte 1 on. Save it in that encoding."
        own.write("outer.html", '{% include "t.html" %}')
        with pytest.raises(TemplateError, match=r"/t\.html: it is not UTF-8"):
            own.render("outer.html")


class TestSandbox:
    @pytest.mark.parametrize(
        "text",
        [
            "{{ ''.__class__ }}",
            "{{ article.__class__.__mro__ }}",
            "{{ date.__globals__ }}",
            "{{ (''|attr('__class__')) }}",
            "{{ '{0.__class__}'.format(article) }}",
            "{% set article.headline = 'other' %}",
            "{{ article.keywords.append('other') }}",
            "{% set list = [] %}{{ list.append(1) }}",
            "{{ lang.translations.install() }}",
        ],
    )
    def test_nothing_reaches_into_python_or_changes_what_it_is_given(self, own: Own, text: str):
        assert own.refusal(text).startswith("t.html, line 1: ")

    def test_says_that_it_is_forbidden(self, own: Own):
        assert own.refusal("{{ ''.__class__ }}") == (
            "t.html, line 1: a template may not do this: "
            "access to attribute '__class__' of 'str' object is unsafe."
        )

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("{{ 'x' * 10**11 }}", "longer"),
            ("{{ 10**11 * [1] }}", "longer"),
            ("{{ 2 ** 100000000 }}", "longer"),
            ("{% set ns = namespace(x='x') %}{% for n in range(50) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "longer"),
            ("{% set ns = namespace(x=3) %}{% for n in range(50) %}{% set ns.x = ns.x * ns.x %}{% endfor %}", "longer"),
            ("{{ 'x'.ljust(1000000000) }}", "longer"),
            ("{{ 'x'|center(1000000000) }}", "longer"),
            ("{{ 'x'|indent(width=1000000000) }}", "longer"),
            ("{{ '%1000000000d' % 1 }}", "width"),
            ("{{ '%.1000000000f' % 1 }}", "width"),
            ("{{ '%*d' % (1000000000, 1) }}", "width"),
            ("{{ '%(n)1000000000d' % {'n': 1} }}", "width"),
            ("{{ '%1000000000d'|format(1) }}", "width"),
            ("{{ '{:1000000000}'.format(1) }}", "width"),
            ("{{ '{:{}}'.format(1, '1000000000') }}", "width"),
            ("{{ '{n:1000000000}'.format_map({'n': 1}) }}", "width"),
            ("{% for n in range(10**9) %}{% endfor %}", "a range of more than 100,000 numbers"),
        ],
    )  # fmt: skip
    def test_nothing_fills_the_memory(self, own: Own, text: str, what: str):
        said = own.refusal(text)
        assert said.startswith("t.html, line 1: a template may not do this: ")
        assert what in said

    def test_what_is_usual_is_not_refused(self, own: Own):
        assert own.printed("{{ '%s: 10000 %% of %05d' % ('A', 3) }}") == "A: 10000 % of 00003"
        assert own.printed("{{ 'Time: 12345 {} {{}}'.format(1) }}") == "Time: 12345 1 {}"
        assert own.printed("{{ '=' * 72 }}") == "=" * 72
        assert own.printed("{{ 2 ** 10 + 7 % 4 }} {{ [1] + [2] }}") == "1027 [1, 2]"
        assert own.printed("{{ '%s of %s'|format(1, 2) }}{{ 'a'|center(5) }}|") == "1 of 2  a  |"

    @pytest.mark.parametrize(
        "text",
        [
            "{% for a in range(100) %}{% for b in range(100) %}{% endfor %}{% endfor %}",
            "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
            "{% for n in range(99) recursive %}{{ loop(range(99)) if loop.depth < 9 }}{% endfor %}",
        ],
    )
    def test_nothing_runs_for_hours(self, own: Own, text: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sandbox, "MAX_STEPS", 5_000)
        said = own.refusal(text)
        assert said == (
            "t.html, line 1: a template may not do this: more than 5,000 turns of loops and calls."
        )

    def test_each_rendering_has_all_its_turns(self, own: Own, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sandbox, "MAX_STEPS", 100)
        own.write("t.html", "{% for n in range(60) %}.{% endfor %}")
        known = Templates(own.folder)
        assert [len(known.render("t.html", ARTICLE, DESK)) for _ in range(3)] == [60, 60, 60]

    def test_nothing_prints_without_end(self, own: Own, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(templates, "MAX_OUTPUT", 1_000)
        assert own.printed("{{ 'x' * 1000 }}") == "x" * 1000
        said = own.refusal("{% for n in range(20) %}{{ 'x' * 100 }}{% endfor %}")
        assert said == "t.html: it prints more than 1,000 characters."


class TestCompiled:
    """The folder that compiled templates are kept in is a convenience and never a trouble."""

    def render(self, own: Own, cache: Path) -> str:
        own.write("t.html", "{{ article.headline|lower }}")
        return Templates(own.folder, cache).render("t.html", ARTICLE, DESK)

    def test_is_made_and_used(self, own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        cache = tmp_path / "cache"
        self.render(own, cache)
        assert len([path for path in cache.rglob("*") if path.is_file()]) == 1

        def compile_again(*_: object) -> None:
            raise AssertionError("it was compiled again")

        monkeypatch.setattr(sandbox.Sandbox, "compile", compile_again)
        assert self.render(own, cache) == "tides &amp; &lt;times&gt;"

    def test_a_changed_template_is_compiled_again(self, own: Own, tmp_path: Path):
        self.render(own, tmp_path / "cache")
        own.write("t.html", "new")
        assert Templates(own.folder, tmp_path / "cache").render("t.html", ARTICLE, DESK) == "new"

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: b"",
            lambda data: b"garbage",
            lambda data: data[:-1],
            lambda data: data[: len(data) // 2],
            lambda data: data[:40],
            lambda data: data[:-20] + bytes(20),
            lambda data: b"\0" + data[1:],
            lambda data: data + b"\0",
        ],
    )
    def test_a_spoilt_file_is_ignored_and_replaced(
        self, own: Own, tmp_path: Path, spoil: Callable[[bytes], bytes]
    ):
        cache = tmp_path / "cache"
        self.render(own, cache)
        (path,) = (path for path in cache.rglob("*") if path.is_file())
        whole = path.read_bytes()
        path.write_bytes(spoil(whole))
        assert self.render(own, cache) == "tides &amp; &lt;times&gt;"
        assert path.read_bytes() == whole

    def test_a_file_in_place_of_the_folder_is_ignored(self, own: Own, tmp_path: Path):
        cache = tmp_path / "cache"
        cache.write_text("I am a file.")
        assert self.render(own, cache) == "tides &amp; &lt;times&gt;"
        assert cache.read_text() == "I am a file."

    def test_a_folder_in_place_of_a_file_is_ignored(self, own: Own, tmp_path: Path):
        cache = tmp_path / "cache"
        self.render(own, cache)
        (path,) = (path for path in cache.rglob("*") if path.is_file())
        path.unlink()
        path.mkdir()
        assert self.render(own, cache) == "tides &amp; &lt;times&gt;"
        assert list(cache.rglob("tmp*")) == []


def catalogue(**labels: str) -> str:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    return head + "".join(f'\nmsgid "{label}"\nmsgstr "{said}"\n' for label, said in labels.items())


class TestLabels:
    def said(self, own: Own, tag: str, label: str = "Sources") -> str:
        own.write("t.txt", "{{ _(label) }}")
        return own.render("t.txt", replace(ARTICLE, language=tag), label=label)

    def test_come_from_the_nearest_language(self, own: Own):
        assert (
            self.said(own, "de") == self.said(own, "de-AT") == self.said(own, "de_CH") == "Quellen"
        )
        own.write("locale/de-AT.po", catalogue(Sources="Quellen in Wien"))
        assert self.said(own, "de-AT") == self.said(own, "de-AT-1996") == "Quellen in Wien"
        assert self.said(own, "de-CH") == "Quellen"

    def test_are_english_where_there_is_no_catalogue(self, own: Own):
        assert self.said(own, "cy") == self.said(own, "en-GB") == "Sources"

    def test_come_from_the_newsroom_s_own_catalogue(self, own: Own):
        own.write("locale/de.po", catalogue(Sources="Belege"))
        own.write("locale/en.po", catalogue(Sources="Read more"))
        assert self.said(own, "de") == "Belege"
        assert self.said(own, "en-GB") == "Read more"

    def test_the_desk_s_language_where_the_article_names_none(self, own: Own):
        own.write("t.txt", "{{ _('Sources') }} {{ lang.tag }} {{ lang.direction }}")
        desk = replace(DESK, language="de")
        known = Templates(own.folder)
        assert known.render("t.txt", replace(ARTICLE, language=None), desk) == "Quellen de ltr"
        assert known.render("t.txt", None, desk) == "Quellen de ltr"

    @pytest.mark.parametrize(
        "text",
        [
            b'msgid ""\nmsgstr "Content-Type: text/plain; charset=nonsense\\n"\n\nmsgid "a"\nmsgstr "b"\n',
            b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "a"\nmsgstr "\xff"\n',
            b'garbage\n',
        ],
    )  # fmt: skip
    def test_a_broken_catalogue_is_named(self, own: Own, text: bytes):
        path = own.write("locale/cy.po", text)
        with pytest.raises(TemplateError) as refused:
            self.said(own, "cy", "a")
        assert str(refused.value).startswith(f"{path}: the label catalogue cannot be read: ")


class TestWhatAnEditionFreezes:
    def test_every_file_that_would_be_read_the_newsroom_s_own_first(self, own: Own):
        own.write("email/footer.html", "own")
        own.write("email/new.css", "p {}")
        own.write("web/index.html", "own")
        files = Templates(own.folder).files("email/", "locale/")
        assert files["email/footer.html"] == b"own"
        assert files["email/new.css"] == b"p {}"
        assert files["email/style.css"] == (shipped() / "email/style.css").read_bytes()
        assert files["locale/de.po"] == (shipped() / "locale/de.po").read_bytes()
        assert {name.partition("/")[0] for name in files} == {"email", "locale"}
        assert list(files) == sorted(files)

    def test_without_a_folder_of_its_own_the_shipped_ones(self, tmp_path: Path):
        assert Templates(tmp_path / "none").files("email/") == Templates().files("email/")
