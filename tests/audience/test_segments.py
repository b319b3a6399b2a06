"""Segments: what can be said, where it is wrong, and that the database finds what was meant."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from tests.bounds import CPU_SECONDS

from dispatch.audience import segments
from dispatch.audience.segments import All, Not, Segment, SegmentError, Term, condition, parse
from dispatch.audience.values import joined_tags, parted_tags
from dispatch.errors import AudienceError
from dispatch.store import subscribers as store
from dispatch.store.connection import Store
from dispatch.store.tables import subscribers

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    database = Store(None)
    with database.transaction() as opened:
        yield opened
    database.close()


def test_words_bind_as_in_speech() -> None:
    assert str(parse("tag:a or tag:b and not tag:c")) == "tag:a or tag:b and not tag:c"
    assert parse("tag:a and (tag:b or tag:c)") != parse("tag:a and tag:b or tag:c")
    assert parse("NOT tag:a AND Tag:B") == All((Not(Term("tag", ":", "a")), Term("tag", ":", "b")))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tag=Premium", "tag:premium"),
        ("  tag :  premium ", "tag:premium"),
        ("labels:press", "tag:press"),
        ('tag:"Über uns"', 'tag:"über uns"'),
        ("language:DE_at", "language:de-AT"),
        ("locale:de", "language:de"),
        ("domain:Bücher.example", "domain:xn--bcher-kva.example"),
        ("email:IDA@Example.org", "email:ida@example.org"),
        ("joined>2026-01-01", "joined>2026-01-01"),
        ("Member-Rating:5", "member_rating:5"),
        ('plan:"pro \\"plus\\" \\\\"', 'plan:"pro \\"plus\\" \\\\"'),
        ("field_domain:shop", "field_domain:shop"),
    ],
)
def test_what_is_typed_and_what_is_meant(typed: str, meant: str) -> None:
    assert str(parse(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "place", "says"),
    [
        ("tag;premium and language:de", 3, "did you mean tag:premium?"),
        ("tag premium", 4, "did you mean tag:premium?"),
        ("premium", 7, "did you mean tag:premium?"),
        ("tag:premium adn language:de", 12, "did you mean and?"),
        ("tag:premium && tag:press", 12, "expected the end"),
        ("tag:", 4, "expected a value, such as tag:premium."),
        ("tag:a and", 9, "expected a test"),
        ("and tag:a", 0, "expected a test"),
        ("", 0, "it is empty"),
        ("   ", 3, "it is empty"),
        ("(tag:a", 6, "expected )"),
        ("tag:a)", 5, "there is no ("),
        ('name:"Ida', 5, "not closed"),
        ('name:" "', 5, "expected a value"),
        ("tag>3", 3, "only joined"),
        ("joined>yesterday", 7, "expected a date"),
        ("joined>0001-01-01", 7, "1900 to 2199"),
        ("language:german!", 15, "expected the end"),
        ("language:x", 9, "a language such as de"),
        ("email:nobody", 6, "ida@example.org"),
        ("domain:x..y", 7, "example.org"),
        ("status:active", 0, "is nothing to ask for"),
        ("tag:a\x00", 4, "on one line"),
    ],
)
def test_a_mistake_is_pointed_at(typed: str, place: int, says: str) -> None:
    with pytest.raises(SegmentError) as caught:
        parse(typed)
    _, shown, pointer = str(caught.value).split("\n")
    assert caught.value.position == place
    assert pointer.index("^") == place + 2
    assert says in pointer
    assert shown.strip() == typed.replace("\x00", " ").strip()


def test_the_pointer_stands_under_wide_characters() -> None:
    with pytest.raises(SegmentError) as caught:
        parse("日本;x")
    assert str(caught.value).split("\n")[2].index("^") == 2 + 4


def test_what_is_too_long_too_wide_or_too_deep_is_refused_at_once() -> None:
    begun = time.process_time()
    for hostile in (
        "x" * 1_000_000,
        "(" * 1999,
        "not " * 499,
        " or ".join(["tag:a"] * 180),
        '"' + "\\" * 1998,
        " " * 1999 + ";",
    ):
        with pytest.raises(AudienceError):
            parse(hostile)
    assert time.process_time() - begun < CPU_SECONDS


@given(st.text(max_size=80) | st.text('tagjoined:<>=()"\\ andornot2026-1;é日', max_size=60))
def test_any_text_is_a_segment_or_refused_with_its_place(text: str) -> None:
    try:
        segment = parse(text)
    except SegmentError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse(str(segment)) == segment


# What the database finds ---------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["pro", "PRO", "100%", "a_b", "%", "_", "'; DROP TABLE subscribers; --", '"', "\\", "é", "É",
     "pro plus", "$", "x", "[a]", "?", ":a"]
)  # fmt: skip
TAGS = st.sampled_from(["a", "b", "ab", "a%", "a_", "über", "press corps"])
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 5))
TIMES = st.integers(0, 5 * 24).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * timedelta(hours=1)
)
FIELDS = st.sampled_from(["plan", "größe", "field_name"])

TERMS = st.one_of(
    st.builds(Term, st.just("tag"), st.just(":"), TAGS),
    st.builds(Term, st.just("language"), st.just(":"), st.sampled_from(["de", "de-AT", "d", "en"])),
    st.builds(Term, st.just("timezone"), st.just(":"), st.sampled_from(["Europe", "UTC", "europe/vienna"])),
    st.builds(Term, st.just("domain"), st.just(":"), st.sampled_from(["example.org", "example.com"])),
    st.builds(Term, st.just("email"), st.just(":"), st.sampled_from(["ida@example.org", "%@example.org"])),
    st.builds(Term, st.just("name"), st.just(":"), WORDS),
    st.builds(Term, st.just("joined"), st.sampled_from([":", "<", "<=", ">", ">="]), DAYS.map(str)),
    st.builds(Term, FIELDS, st.just(":"), WORDS),
)  # fmt: skip
SEGMENTS: st.SearchStrategy[Segment] = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(
            lambda parts: segments.Any(tuple(parts)), st.lists(inner, min_size=2, max_size=3)
        ),
    ),
    max_leaves=6,
)


def stored(fields: dict[str, str]) -> str:
    return json.dumps(fields, ensure_ascii=False)


PEOPLE = st.fixed_dictionaries(
    {
        "address_key": st.sampled_from(["ida@example.org", "bo@example.com"]),
        "name": st.none() | WORDS,
        "language": st.sampled_from([None, "de", "de-AT", "den", "en"]),
        "timezone": st.sampled_from([None, "Europe/Vienna", "UTC", "Europe_x"]),
        "tags": st.lists(TAGS, unique=True, max_size=3).map(
            lambda t: joined_tags(tuple(sorted(t)))
        ),
        "fields": st.none() | st.dictionaries(FIELDS, WORDS, min_size=1).map(stored),
        "created": TIMES,
    }
)


def holds(segment: Segment, person: dict[str, Any]) -> bool:
    """What the segment means, said once more in Python."""
    match segment:
        case Not(part):
            return not holds(part, person)
        case All(parts):
            return all(holds(part, person) for part in parts)
        case segments.Any(parts):
            return any(holds(part, person) for part in parts)
        case Term("joined", operator, value):
            begin = datetime.fromisoformat(value).replace(tzinfo=UTC)
            end, joined = begin + timedelta(days=1), person["created"]
            return {
                "<": joined < begin, "<=": joined < end, ">": joined >= end, ">=": joined >= begin,
                ":": begin <= joined < end,
            }[operator]  # fmt: skip
        case Term("tag", _, value):
            return value in parted_tags(person["tags"])
        case Term("language" | "timezone" as field, _, value):
            has, asked = lower(person[field] or ""), lower(value)
            return has == asked or has.startswith(asked + ("-" if field == "language" else "/"))
        case Term("domain", _, value):
            return person["address_key"].rpartition("@")[2] == value
        case Term("email", _, value):
            return person["address_key"] == value
        case Term("name", _, value):
            return person["name"] is not None and lower(value) in lower(person["name"])
        case Term(field, _, value):
            fields = json.loads(person["fields"] or "{}")
            return field in fields and lower(fields[field]) == lower(value)


def lower(text: str) -> str:
    return text.encode().lower().decode()


@settings(max_examples=300)
@given(st.lists(PEOPLE, min_size=1, max_size=4), SEGMENTS)
def test_the_database_finds_those_whom_the_segment_means(
    connection: Connection, people: list[dict[str, Any]], segment: Segment
) -> None:
    savepoint = connection.begin_nested()
    for number, person in enumerate(people):
        domain = person["address_key"].rpartition("@")[2]
        facts = {"email": "x", "domain": domain, "state": "active", "changed": NOW}
        store.add(connection, [{"desk": str(number), **facts, **person}])
    query = select(subscribers.c.desk).where(condition(segment))
    found = set(connection.execute(query).scalars())
    savepoint.rollback()
    assert found == {str(n) for n, person in enumerate(people) if holds(segment, person)}


def test_a_custom_field_that_nobody_has_is_a_mistake(connection: Connection) -> None:
    savepoint = connection.begin_nested()
    row = {
        "desk": "world", "address_key": "a", "email": "a", "domain": "b", "state": "active",
        "created": NOW, "changed": NOW, "fields": '{"plan": "pro"}',
    }  # fmt: skip
    store.add(connection, [row])
    assert str(segments.parse_for(connection, "world", "plan:pro")) == "plan:pro"
    with pytest.raises(SegmentError, match=r"Did you mean plan\?") as caught:
        segments.parse_for(connection, "world", "tag:a and plna:pro")
    assert caught.value.position == 10
    with pytest.raises(SegmentError):
        segments.parse_for(connection, "asia", "plan:pro")
    savepoint.rollback()
