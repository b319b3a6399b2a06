"""Fields as newsrooms and site generators write them, and what they become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.article import Author, Image, Note, Paragraph, Source
from dispatch.errors import ArticleError
from dispatch.markup import escape
from dispatch.readers.fields import ALIASES, Facts, language_tag, read
from dispatch.readers.front_matter import Field, Value


def facts(**fields: Value) -> Facts:
    """Fields on lines 2, 3, and so on."""
    return read(
        [Field(name, value, n) for n, (name, value) in enumerate(fields.items(), 2)], "s.md"
    )


def one(name: str, value: Value) -> Facts:
    return read([Field(name, value, 4)], "s.md")


def messages(found: Facts) -> list[str]:
    return [note.message for note in found.notes]


class TestNames:
    @pytest.mark.parametrize(
        ("part", "names"),
        {
            "headline": "title headline Headline TITLE name",
            "standfirst": "subtitle dek standfirst description summary excerpt lead",
            "dateline": "dateline location",
            "rights": "rights copyright license",
            "slug": "slug",
            "id": "id guid uuid",
            "editors_note": "editors_note editors-note EditorsNote editor's_note editor’s_note editornote ednote",
        }.items(),
    )
    def test_of_text(self, part: str, names: str):
        for name in names.split():
            assert getattr(one(name, "A text"), part) == "A text", name
            assert getattr(one(name.replace("_", " "), "A text"), part) == "A text", name

    @pytest.mark.parametrize(
        ("part", "names"),
        {
            "published": "date published pubdate publishdate publish_date datePublished",
            "updated": "updated lastmod modified date-modified dateModified",
            "embargo": "embargo embargoed",
        }.items(),
    )
    def test_of_times(self, part: str, names: str):
        for name in names.split():
            found = one(name, "2026-10-04T09:30:00+02:00")
            assert getattr(found, part) == datetime(2026, 10, 4, 7, 30, tzinfo=UTC), name

    @pytest.mark.parametrize("name", ["author", "authors", "byline", "creator", "By-Line"])
    def test_of_the_byline(self, name: str):
        assert one(name, "Ann Lee").byline == (Author("Ann Lee"),)

    @pytest.mark.parametrize("name", ["tags", "keywords", "topics"])
    def test_of_keywords(self, name: str):
        assert one(name, ["a", "b"]).keywords == ("a", "b")

    @pytest.mark.parametrize("name", ["lang", "language", "inLanguage"])
    def test_of_the_language(self, name: str):
        assert one(name, "no").language == "no"

    @pytest.mark.parametrize("name", ["desk", "section", "category", "categories"])
    def test_of_the_desk(self, name: str):
        assert one(name, "World").desk == "World"

    @pytest.mark.parametrize("name", ["priority", "urgency"])
    def test_of_the_priority(self, name: str):
        assert one(name, "3").priority == 3

    def test_every_alias_is_spelled_as_names_are_compared(self):
        aliases = [alias for names in ALIASES.values() for alias in names]
        assert len(aliases) == len(set(aliases))
        assert all(alias.isalnum() and alias == alias.casefold() for alias in aliases)

    def test_the_more_specific_of_two_wins_and_the_other_is_kept_and_noted(self):
        found = facts(
            description="For search engines", subtitle="For readers", title="a", headline="b"
        )
        assert (found.standfirst, found.headline) == ("For readers", "b")
        assert found.extra == (("description", "For search engines"), ("title", "a"))
        assert (
            Note("info", "line 2", "description was left aside: subtitle says it.") in found.notes
        )

    def test_fields_that_are_not_known_are_kept_and_noted(self):
        found = facts(title="x", layout="wide", menu={"main": ["a"]}, aliases=["/a", "/b"])
        assert found.extra == (
            ("layout", "wide"),
            ("menu", '{"main": ["a"]}'),
            ("aliases", "/a, /b"),
        )
        assert found.notes == (
            Note(
                "info",
                "front matter",
                "Fields that are not known are kept as they are: "
                "layout (line 3), menu (line 4), aliases (line 5).",
            ),
        )

    def test_empty_values_say_nothing(self):
        assert facts(title=None, tags=[], date="", image={}, layout=None) == Facts()


class TestText:
    def test_stays_as_it_is_written(self):
        assert (
            one("title", "AT&amp;T <b>&</b> *stars* {{7*7}}").headline
            == "AT&amp;T <b>&</b> *stars* {{7*7}}"
        )
        assert one("title", "  two  blanks\t").headline == "two blanks"

    def test_a_line_break_in_one_line_is_an_error(self):
        for name in ("title", "slug", "desk", "lang", "id", "dateline", "rights", "author", "tags"):
            with pytest.raises(
                ArticleError, match=rf"^s\.md, line 4: the field {name} contains a line break"
            ):
                one(name, "a\nBcc: everybody@example.org")
        for separator in "\r\v\f\x85\u2028\u2029":
            with pytest.raises(ArticleError, match="contains a line break"):
                one("title", f"a{separator}b")

    def test_a_folded_value_with_a_line_break_at_its_end_is_fine(self):
        assert one("title", "A headline\n").headline == "A headline"

    def test_standfirsts_are_put_on_one_line_and_notes_keep_theirs(self):
        assert one("dek", "two\nlines").standfirst == "two lines"
        assert one("editors_note", "two\n\n lines\n").editors_note == "two\nlines"

    @pytest.mark.parametrize("value", [["a"], {"a": "b"}])
    def test_a_list_where_text_is_meant_is_an_error(self, value: Value):
        with pytest.raises(
            ArticleError,
            match=r"s\.md, line 4: the field title is a (list|mapping), and must be text",
        ):
            one("title", value)

    def test_characters_that_could_deceive_are_taken_out_with_a_note(self):
        found = one("title", "Ferry \u202etxt.exe\u0007")
        assert found.headline == "Ferry txt.exe"
        assert [note.where for note in found.notes] == ["line 4", "line 4"]


class TestByline:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("Ann Lee", ["Ann Lee"]),
            ("Ann Lee and Ben Ode", ["Ann Lee", "Ben Ode"]),
            ("Ann Lee, Ben Ode", ["Ann Lee", "Ben Ode"]),
            ("Ann Lee, Ben Ode and Cid Poe", ["Ann Lee", "Ben Ode", "Cid Poe"]),
            ("Ann Lee, Ben Ode, and Cid Poe", ["Ann Lee", "Ben Ode", "Cid Poe"]),
            ("Ann Lee & Ben Ode", ["Ann Lee", "Ben Ode"]),
            ("Ann Lee; Ben Ode", ["Ann Lee", "Ben Ode"]),
            ("Jana Weidt und Uwe Rieck", ["Jana Weidt", "Uwe Rieck"]),
            ("Léa Roy et Max Sol", ["Léa Roy", "Max Sol"]),
            ("Ana Gil y Luis Mora", ["Ana Gil", "Luis Mora"]),
            ("José Ortega y Gasset", ["José Ortega y Gasset"]),
            ("Анна Ли и Пётр Ода", ["Анна Ли", "Пётр Ода"]),
            ("Jan van der Berg and Ali bin Said", ["Jan van der Berg", "Ali bin Said"]),
            ("深見環、相楽恒一", ["深見環", "相楽恒一"]),
            ("Andy Anderson", ["Andy Anderson"]),
            ("Ferrand Landes", ["Ferrand Landes"]),
            ("Martin King, Jr.", ["Martin King, Jr."]),
            ("Eve Orr, PhD and Ann Lee", ["Eve Orr, PhD", "Ann Lee"]),
            ("Agence Littoral", ["Agence Littoral"]),
            ("the desk", ["the desk"]),
        ],
    )
    def test_names_in_a_text(self, text: str, names: list[str]):
        found = one("author", text)
        assert [author.name for author in found.byline] == names
        assert found.notes == ()

    @pytest.mark.parametrize(
        ("text", "authors"),
        [
            ("Ann Lee, World editor", [Author("Ann Lee", "World editor")]),
            ("Ann Lee, our correspondent in Lagos", [Author("Ann Lee", "our correspondent in Lagos")]),
            ("Ann Lee, Editor, and Ben Ode, Reporter", [Author("Ann Lee", "Editor"), Author("Ben Ode", "Reporter")]),
            ("Ann Lee <ann@example.org>", [Author("Ann Lee", email="ann@example.org")]),
            ("ann@example.org (Ann Lee)", [Author("Ann Lee", email="ann@example.org")]),
            (
                "Ann Lee <ann@example.org>, Ben Ode <ben@example.org>",
                [Author("Ann Lee", email="ann@example.org"), Author("Ben Ode", email="ben@example.org")],
            ),
        ],
    )  # fmt: skip
    def test_roles_and_addresses_in_a_text(self, text: str, authors: list[Author]):
        assert list(one("author", text).byline) == authors

    @pytest.mark.parametrize(
        "text",
        ["Lee, Ann", "Department of Health and Human Services", "سلمى حسن، مراسلة", "Ann, 34, and others"],
    )  # fmt: skip
    def test_what_cannot_be_told_stays_one_name_with_a_warning(self, text: str):
        found = one("author", text)
        assert found.byline == (Author(text),)
        assert [note.level for note in found.notes] == ["warning"]

    @pytest.mark.parametrize(
        "text", ["By Ann Lee", "BY Ann Lee", "by: Ann Lee", "Par Ann Lee", "Von Ann Lee"]
    )
    def test_by_belongs_to_a_byline_and_not_to_a_name(self, text: str):
        assert one("byline", text).byline == (Author("Ann Lee"),)
        assert one("author", text).byline == (Author(text),)

    def test_lists_and_mappings(self):
        found = one(
            "authors",
            [
                "Ann Lee",
                {"name": "Ben Ode", "title": "Reporter", "desk": "World", "bio": "Two\nlines.", "email": "b@example.org", "url": "https://example.org/ben"},
                {"Full Name": "Cid Poe", "jobTitle": None},
                "Ann Lee",
            ],
        )  # fmt: skip
        assert found.byline == (
            Author("Ann Lee"),
            Author(
                "Ben Ode",
                "Reporter",
                "World",
                "Two lines.",
                "b@example.org",
                "https://example.org/ben",
            ),
            Author("Cid Poe"),
        )
        assert one("author", {"name": "Ann Lee"}).byline == (Author("Ann Lee"),)

    def test_what_is_unusable_is_left_out_and_said(self):
        found = one(
            "author", {"name": "Ann", "email": "ann at home", "url": "javascript:x", "shoe": "41"}
        )
        assert found.byline == (Author("Ann"),)
        assert len(found.notes) == 3
        assert "shoe" in messages(found)[0]

    @pytest.mark.parametrize(
        "value", [{"role": "Reporter"}, [{"name": None}], [["Ann"]], {"name": ["Ann"]}]
    )
    def test_an_author_without_a_name_is_an_error(self, value: Value):
        with pytest.raises(ArticleError, match=r"^s\.md, line 4: the field author "):
            one("author", value)

    @given(st.text(st.sampled_from("Ab ,;&éy")) | st.text(max_size=30))
    @settings(derandomize=True, max_examples=200, deadline=None)
    def test_no_letter_of_a_byline_is_lost(self, text: str):
        try:
            found = one("author", text).byline
        except ArticleError:
            return
        told = "".join(f"{author.name}{author.role or ''}{author.email or ''}" for author in found)
        kept = set("".join(char for char in told if char.isalpha()))
        lost = {char for char in text if char.isalpha()} - kept
        assert lost <= set("andunetogchyeiи"), lost  # the words between names


class TestTimes:
    def test_keep_their_offset(self):
        published = one("date", "2026-10-04 09:30 +0200").published
        assert published is not None
        assert published.tzinfo == timezone(timedelta(hours=2))

    @pytest.mark.parametrize("value", ["2026-10-04T09:30", "2026-10-04", "yesterday", "1e9"])
    def test_naive_and_unreadable_ones_are_errors_with_field_and_line(self, value: str):
        with pytest.raises(ArticleError, match=r"^s\.md, line 4: the field lastmod "):
            one("lastmod", value)

    @pytest.mark.parametrize("value", ["true", "yes", "on"])
    def test_a_flag_that_says_published_is_no_time(self, value: str):
        assert one("published", value).published is None


class TestDrafts:
    @pytest.mark.parametrize(
        ("name", "value"),
        [("draft", "true"), ("draft", "yes"), ("Draft", "1"), ("published", "false")],
    )
    def test_are_refused(self, name: str, value: str):
        with pytest.raises(
            ArticleError, match=r"^s\.md, line 4: the field \w+ marks the article as not"
        ):
            one(name, value)

    @pytest.mark.parametrize("value", ["false", "no", "0", "False", None])
    def test_what_is_none_is_not(self, value: str | None):
        assert one("draft", value) == Facts()


class TestDeskAndKeywords:
    def test_the_first_section_is_the_desk_and_others_are_keywords(self):
        found = facts(categories=["World", "Ports"], tags="boats, #storms, Boats", desk="Coast")
        assert found.desk == "Coast"
        assert found.keywords == ("boats", "storms", "World", "Ports")

    @pytest.mark.parametrize("text", ["a, b", "a; b", "a، b", "a、b", " a ,, b, "])
    def test_keywords_in_one_text(self, text: str):
        assert one("tags", text).keywords == ("a", "b")

    def test_a_comma_in_a_listed_keyword_stays(self):
        assert one("tags", ["Paris, Texas", None, "x"]).keywords == ("Paris, Texas", "x")

    @pytest.mark.parametrize("name", ["../etc", "a/b", "a\\b", "..", "World.."])
    def test_a_desk_that_could_leave_its_folder_is_an_error(self, name: str):
        with pytest.raises(ArticleError, match=r"^s\.md, line 4: the field desk is “.*no slashes"):
            one("desk", name)

    @pytest.mark.parametrize("value", [{"a": "b"}, [{"a": "b"}], [["a"]]])
    def test_keywords_that_are_no_texts_are_an_error(self, value: Value):
        with pytest.raises(
            ArticleError, match=r"^s\.md, line 4: the field tags is a (list|mapping)"
        ):
            one("tags", value)


class TestEmbargo:
    @pytest.mark.parametrize("name", ["embargo", "embargoed", "embargoed_until", "updated"])
    @pytest.mark.parametrize("value", ["true", "yes", "Yes", "on", "1", "Tuesday"])
    def test_that_is_no_time_is_refused(self, name: str, value: str):
        with pytest.raises(ArticleError, match=rf"^s\.md, line 4: the field {name} is not a date"):
            one(name, value)

    @pytest.mark.parametrize(
        "name",
        [
            "embargo_time", "embargoLiftsAt", "press embargo", "under-embargo", "EMBARGO_DATE", "hold",
            "on_hold", "hold_until", "holdUntil", "holduntil", "release_at", "release-date", "releaseDate",
            "release_until", "releasedate", "publish_after", "publishAfter", "not_before",
        ],
    )  # fmt: skip
    def test_under_a_name_that_is_not_known_is_refused(self, name: str):
        with pytest.raises(
            ArticleError,
            match=rf"^s\.md, line 4: the field {name} seems to hold .* Write embargo: ",
        ):
            one(name, "2027-10-04T09:00Z")

    @pytest.mark.parametrize("value", ["false", "no", "None", "", None, []])
    def test_that_says_there_is_none_is_none(self, value: Value):
        for name in ("embargo", "hold", "on_hold", "embargo_time", "release_date"):
            assert one(name, value).embargo is None

    @pytest.mark.parametrize("name", ["status", "state", "post_status", "workflow-state"])
    @pytest.mark.parametrize("value", ["draft", "Draft", "on hold", "pending", "in-review"])
    def test_a_state_that_is_not_finished_is_refused(self, name: str, value: str):
        with pytest.raises(ArticleError, match=f"the field {name} seems to hold"):
            one(name, value)

    def test_within_a_mapping_is_refused(self):
        with pytest.raises(ArticleError, match=r"the field params \(hold_until\) seems to hold"):
            one("params", {"layout": "wide", "hold_until": "Tuesday"})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("press_release", "https://example.org/a"), ("release", "2"), ("threshold", "5"),
            ("household", "x"), ("stakeholders", "x"), ("holder", "x"), ("status", "published"),
            ("state", "Ohio"), ("shareholding", "x"), ("released_by", "x"),
        ],
    )  # fmt: skip
    def test_harmless_names_are_kept(self, name: str, value: str):
        assert one(name, value).extra == ((name, value),)

    def test_two_that_differ_are_refused(self):
        with pytest.raises(ArticleError, match="embargoed_until says another time than embargo"):
            facts(embargo="2026-10-04T09:00Z", embargoed_until="2027-10-04T09:00Z")


class TestSlug:
    @pytest.mark.parametrize("slug", ["night-ferry", "0123", "Night Ferry", "橋", "v1.2"])
    def test_is_kept(self, slug: str):
        assert one("slug", slug).slug == slug

    @pytest.mark.parametrize("slug", ["../x", "a/b", "a\\b", "..", "/etc/passwd", "a..b"])
    def test_that_could_leave_its_folder_is_an_error(self, slug: str):
        with pytest.raises(
            ArticleError, match=r"^s\.md, line 4: the field slug is “.*cannot stand in an address"
        ):
            one("slug", slug)


class TestPriority:
    @pytest.mark.parametrize("value", ["0", "7", "0.8", "high", "-1", "1 ", "٣"])
    def test_is_a_number_from_1_to_6(self, value: str):
        if value == "1 ":
            assert one("urgency", value).priority == 1
            return
        with pytest.raises(ArticleError, match=r"^s\.md, line 4: the field urgency .* from 1 to 6"):
            one("urgency", value)


class TestLanguage:
    @pytest.mark.parametrize(
        ("written", "tag"),
        [
            ("en", "en"), ("NO", "no"), ("pt-br", "pt-BR"), ("pt_BR", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"), ("de-CH-1996", "de-CH-1996"), ("sl-rozaj-biske", "sl-rozaj-biske"),
            ("zh-cmn-hans-cn", "zh-cmn-Hans-CN"), ("en-US-u-islamcal", "en-US-u-islamcal"), ("gsw", "gsw"),
            ("en-x-priv", "en-x-priv"),
        ],
    )  # fmt: skip
    def test_tags_are_written_as_recommended(self, written: str, tag: str):
        assert language_tag(written) == tag == one("lang", written).language

    @pytest.mark.parametrize(
        "written",
        ["english", "e", "en US", "en--us", "en-", "123", "en_US.UTF-8", "../en", "x", "français",
         "en" + "-abcdefgh" * 4],
    )  # fmt: skip
    def test_all_else_is_an_error(self, written: str):
        assert language_tag(written) is None
        with pytest.raises(
            ArticleError, match=r"^s\.md, line 4: the field lang .* such as en, pt-BR or zh-Hant"
        ):
            one("lang", written)


class TestId:
    @pytest.mark.parametrize("text", ["urn:uuid:1", "javascript:alert(1)", "A 17/b", "x" * 200])
    def test_is_the_desks_own_text_to_the_letter(self, text: str):
        assert one("id", text).id == text

    def test_that_is_too_long_is_an_error(self):
        with pytest.raises(ArticleError, match=r"^s\.md, line 4: the field id is 201 characters"):
            one("id", "x" * 201)


class TestSources:
    @pytest.mark.parametrize(
        ("value", "source"),
        [
            ("A report", Source("A report")),
            ("A report https://example.org/a?b=(c)", Source("A report", None, "https://example.org/a?b=(c)")),
            ("A report: <https://example.org/a>", Source("A report", None, "https://example.org/a")),
            ("https://example.org/a", Source("https://example.org/a", None, "https://example.org/a")),
            ("[A report](https://example.org/a)", Source("A report", None, "https://example.org/a")),
            ("[A report](https://example.org/a_(b))", Source("A report", None, "https://example.org/a_(b)")),
            ("The Courier: [A report](https://example.org/a)", Source("A report", "The Courier", "https://example.org/a")),
            ("[A report](https://example.org/a), The Courier", Source("A report", "The Courier", "https://example.org/a")),
            ({"title": "A report", "publisher": "The Courier", "url": "https://example.org/a"}, Source("A report", "The Courier", "https://example.org/a")),
            ({"Name": "A report", "site": "The Courier"}, Source("A report", "The Courier")),
            ({"url": "https://example.org/a", "publisher": "X"}, Source("https://example.org/a", "X", "https://example.org/a")),
            ({"publisher": "The Courier"}, Source("The Courier")),
        ],
    )  # fmt: skip
    def test_in_all_their_forms(self, value: Value, source: Source):
        assert one("sources", [value]).sources == (source,)
        assert one("references", [value, None]).sources == (source,)

    def test_an_address_that_is_not_of_the_web_is_left_out_with_a_warning(self):
        found = one(
            "sources", [{"title": "A", "url": "javascript:alert(1)"}, {"url": "ftp://example.org/"}]
        )
        assert found.sources == (Source("A"), Source("ftp://example.org/"))
        assert [note.level for note in found.notes] == ["warning", "warning"]

    def test_one_that_says_nothing_is_an_error(self):
        with pytest.raises(
            ArticleError, match=r"^s\.md, line 4: the field sources has a source without a title"
        ):
            one("sources", [{"title": None, "year": "2026"}])


class TestImage:
    URL = "https://example.org/i.jpg"

    def test_in_all_its_forms(self):
        assert one("image", self.URL).image == Image(self.URL)
        assert one("cover", [self.URL, "b"]).image == Image(self.URL)
        assert one(
            "hero", {"src": self.URL, "alt": "", "caption": "a <b>", "credit": "Ivo"}
        ).image == Image(self.URL, "", escape("a <b>"), "Ivo")
        assert facts(
            featured_image=self.URL, image_alt="A pier", image_caption="At Sund", image_credit="Ivo"
        ).image == (Image(self.URL, "A pier", escape("At Sund"), "Ivo"))

    @pytest.mark.parametrize("src", ["/i.jpg", "i.jpg", "data:image/png;base64,x", "javascript:x"])
    def test_without_a_full_address_it_is_left_out_with_a_warning(self, src: str):
        found = one("image", src)
        assert found.image is None
        assert [note.level for note in found.notes] == ["warning"]

    def test_stands_before_the_body_unless_it_is_in_it(self):
        found, text = one("image", self.URL), Paragraph(escape("Text."))
        assert found.with_image((text,)) == (Image(self.URL), text)
        shown = (text, Image(self.URL, "A pier"))
        assert found.with_image(shown) == shown
        assert Facts().with_image((text,)) == (text,)


values = st.recursive(
    st.none() | st.text(max_size=12) | st.sampled_from(["2026-10-04T09:30Z", "en", "3", "https://example.org/", "a\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "title", "url", "src", "alt", "x"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
names = st.sampled_from([alias for aliases in ALIASES.values() for alias in aliases] + ["other"])


@given(st.lists(st.builds(Field, names, values, st.none() | st.integers(2, 99)), max_size=6))
@settings(derandomize=True, max_examples=400, deadline=None)
def test_any_fields_are_understood_or_refused_in_a_sentence(fields: list[Field]):
    try:
        found = read(fields, "s.md")
        found.article("markdown", (), headline="x", standfirst=found.standfirst)
    except ArticleError as error:
        assert str(error).startswith("s.md")
        assert str(error).endswith(".")
