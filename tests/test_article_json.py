"""The article as JSON: nothing is lost, and nothing that readers do not see counts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.article import (
    Article,
    Author,
    Cell,
    Code,
    Crosshead,
    Embed,
    Html,
    Image,
    List,
    Note,
    Paragraph,
    Quotation,
    Rule,
    Source,
    Table,
)
from dispatch.article_json import digest, from_json, summary, to_json
from dispatch.errors import ArticleError

EVERYTHING = Article(
    headline="Ferry to run at night again",
    body=(
        Paragraph(Html('A <a href="https://example.org/?a=1&amp;b=2">boat</a> &amp; a crew.')),
        Crosshead(Html("Cracks"), level=3),
        List(((Paragraph(Html("one")), Rule()), (Paragraph(Html("two")),)), ordered=True, start=4),
        Quotation((Paragraph(Html("I need a boat.")),), Html("Una Farrel")),
        Code("a < b\n\tc", language="python"),
        Table(((Cell(Html("tonnes"), True, "right"),), (Cell(Html("46")),)), Html("Ramps")),
        Image("https://example.org/a.jpg", "A pier", Html("At <em>Sund</em>"), "Ivo Brandt"),
        Rule(),
        Embed("https://example.org/film", "The crossing"),
    ),
    reader="markdown",
    standfirst="Inspectors found cracks.",
    slug="night-ferry",
    desk="World",
    language="en-GB",
    byline=(Author("Marit Aldersund", "Reporter", "World", "Bio.", "m@example.org"), Author("Ed")),
    dateline="PORT HALLIN",
    published=datetime(2026, 10, 4, 9, 30, tzinfo=timezone(timedelta(hours=2))),
    updated=datetime(2026, 10, 4, 9, 45, 1, 5, tzinfo=UTC),
    embargo=datetime(2026, 10, 4, 6, tzinfo=UTC),
    keywords=("ferries", "islands"),
    sources=(Source("Report", "Hallin Authority", "https://example.org/r"), Source("Letter")),
    editors_note="Adds a date.\nAnd a name.",
    corrections=("An earlier version named the wrong pier.",),
    rights="© 2026",
    priority=3,
    id="world-1",
    path="2026/10/04/night-ferry",
    version=2,
    extra=(("layout", "wide"), ("layout", "again")),
    notes=(Note("warning", "line 3", "Look."),),
)

text = st.text(st.characters(exclude_characters="\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), max_size=9)
html = text.map(Html)
maybe = st.none() | text
times = st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))
plain_blocks = st.one_of(
    st.builds(Paragraph, html),
    st.builds(Crosshead, html, st.integers(2, 6)),
    st.builds(Code, st.text(max_size=9), maybe),
    st.builds(Image, text, maybe, st.none() | html, maybe),
    st.builds(Embed, text, maybe),
    st.just(Rule()),
    st.builds(
        Table,
        st.lists(
            st.builds(
                Cell, html, st.booleans(), st.sampled_from(["left", "center", "right", None])
            ).map(lambda cell: (cell,)),
            max_size=3,
        ).map(tuple),
        st.none() | html,
    ),
)
blocks = st.recursive(
    plain_blocks,
    lambda inner: st.one_of(
        st.builds(Quotation, st.lists(inner, max_size=2).map(tuple), st.none() | html),
        st.builds(
            List,
            st.lists(st.lists(inner, max_size=2).map(tuple), max_size=3).map(tuple),
            st.booleans(),
            st.integers(1, 99),
        ),
    ),
    max_leaves=6,
)
articles = st.builds(
    Article,
    headline=text.filter(str.strip),
    body=st.lists(blocks, max_size=4).map(tuple),
    standfirst=maybe,
    byline=st.lists(st.builds(Author, text, maybe, maybe, maybe, maybe, maybe), max_size=2).map(
        tuple
    ),
    published=times,
    updated=times,
    embargo=times,
    keywords=st.lists(text, max_size=3).map(tuple),
    sources=st.lists(st.builds(Source, text, maybe, maybe), max_size=2).map(tuple),
    editors_note=st.none() | st.text(max_size=9),
    priority=st.none() | st.integers(1, 6),
    extra=st.lists(st.tuples(text, text), max_size=2).map(tuple),
    notes=st.lists(
        st.builds(Note, st.sampled_from(["info", "warning"]), text, text), max_size=2
    ).map(tuple),
)


class TestRoundTrip:
    def test_an_article_with_every_field_and_block_comes_back_equal(self):
        assert all(getattr(EVERYTHING, field.name) not in (None, ()) for field in fields(Article))
        assert from_json(json.loads(json.dumps(to_json(EVERYTHING)))) == EVERYTHING

    @given(articles)
    @settings(derandomize=True, max_examples=150, deadline=None)
    def test_any_article_comes_back_equal(self, article: Article):
        stored = json.dumps(to_json(article))
        again = from_json(json.loads(stored))
        assert again == article
        assert json.dumps(to_json(again)) == stored

    def test_a_time_keeps_the_offset_it_was_written_with(self):
        assert to_json(EVERYTHING)["published"] == "2026-10-04T09:30:00+02:00"
        published = from_json(to_json(EVERYTHING)).published
        assert published is not None
        assert published.utcoffset() == timedelta(hours=2)

    def test_blocks_are_tagged_by_kind_and_keys_stand_in_a_fixed_order(self):
        stored = to_json(EVERYTHING)
        assert list(stored) == [field.name for field in fields(Article)]
        assert [block["kind"] for block in stored["body"]] == [b.kind for b in EVERYTHING.body]
        assert list(stored["body"][4]) == ["kind", "text", "language"]

    def test_what_an_older_version_stored_is_read(self):
        old = {"headline": "Ferry", "body": [{"kind": "paragraph", "html": "Text."}], "gone": 1}
        assert from_json(old) == Article("Ferry", (Paragraph(Html("Text.")),))

    @pytest.mark.parametrize(
        "broken",
        [
            {},
            {"headline": 5, "body": []},
            {"headline": "x"},
            {"headline": "x", "body": [{"html": "no kind"}]},
            {"headline": "x", "body": [{"kind": "hologram"}]},
            {"headline": "x", "body": "text"},
            {"headline": "x", "body": [], "published": "yesterday"},
            {"headline": "x", "body": [], "published": "2026-10-04T09:30:00"},
            {"headline": "x\nBcc: all@example.org", "body": []},
        ],
    )
    def test_what_is_no_article_is_refused_in_a_sentence(self, broken: dict[str, object]):
        with pytest.raises(ArticleError, match=r"^[A-Z].*\.$"):
            from_json(broken)


class TestDigest:
    @pytest.mark.parametrize(
        "change",
        [
            {"notes": ()},
            {"reader": "pasted"},
            {"id": "other"},
            {"path": "2027/01/01/other"},
            {"version": 9},
            {"slug": "other"},
            {"published": None},
            {"updated": None},
            {"extra": ()},
            {"desk": "Culture"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_does_not_move_with_what_readers_do_not_see(self, change: dict[str, object]):
        assert digest(replace(EVERYTHING, **change)) == digest(EVERYTHING)

    @pytest.mark.parametrize(
        "change",
        [
            {"headline": "Ferry to run at night again!"},
            {"body": EVERYTHING.body[:-1]},
            {"standfirst": None},
            {"language": "en"},
            {"byline": EVERYTHING.byline[:1]},
            {"dateline": None},
            {"embargo": None},
            {"keywords": ("islands", "ferries")},
            {"sources": ()},
            {"editors_note": None},
            {"corrections": ()},
            {"rights": None},
            {"priority": 4},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_moves_with_everything_they_see(self, change: dict[str, object]):
        assert digest(replace(EVERYTHING, **change)) != digest(EVERYTHING)

    def test_is_a_sha_256_that_stays_from_version_to_version(self):
        article = Article("Ferry", (Paragraph(Html("Text.")),))
        seen = '{"body":[{"html":"Text.","kind":"paragraph"}],"headline":"Ferry"}'
        assert digest(article) == hashlib.sha256(seen.encode()).hexdigest()

    def test_takes_what_cannot_be_encoded(self):
        assert len(digest(Article("lone \ud800 surrogate", ()))) == 64


class TestSummary:
    def test_has_the_keys_of_read_json_in_their_order(self):
        told = summary(EVERYTHING)
        assert list(told)[:14] == [
            "reader", "headline", "standfirst", "slug", "desk", "language", "published", "updated",
            "dateline", "authors", "keywords", "body", "sources", "notes",
        ]  # fmt: skip
        assert list(told["authors"][0]) == ["name", "role", "desk", "bio"]
        assert list(told["body"][0]) == ["kind", "text", "html"]
        assert list(told["sources"][0]) == ["publisher", "title", "url"]
        assert list(told["notes"][0]) == ["level", "where", "message"]

    def test_says_what_was_understood(self):
        told = summary(EVERYTHING)
        assert told["published"] == "2026-10-04T09:30:00+02:00"
        assert told["body"][0] == {
            "kind": "paragraph",
            "text": "A boat & a crew.",
            "html": '<p>A <a href="https://example.org/?a=1&amp;b=2">boat</a> &amp; a crew.</p>',
        }
        assert told["sources"][1] == {"publisher": None, "title": "Letter", "url": None}
        assert told["notes"] == [{"level": "warning", "where": "line 3", "message": "Look."}]

    def test_has_null_where_nothing_is_known(self):
        told = summary(Article("Ferry", ()))
        absent = {
            "reader",
            "standfirst",
            "slug",
            "desk",
            "language",
            "published",
            "updated",
            "dateline",
        }
        assert {key for key in told if told[key] is None} >= absent
        assert [told[key] for key in ("authors", "keywords", "body", "sources", "notes")] == [
            []
        ] * 5
        json.dumps(told)
