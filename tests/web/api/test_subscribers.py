"""Subscribers and suppressions over the API."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.api.room import Desk, Program, desk

from dispatch.audience.reading import Table
from dispatch.newsroom.suppressions import Place
from dispatch.web.api import imports
from dispatch.web.api.imports import ImportRow


@pytest.fixture
def newsroom(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture
def program(newsroom: Desk) -> Iterator[Program]:
    with newsroom.program() as made:
        yield made


def people(program: Program, query: str = "desk=world") -> list[str]:
    """All of them, page by page."""
    found, after = [], 0
    while after is not None:
        page = program.get(f"/subscribers?{query}&limit=2&after={after}").json()
        found += [each["email"] for each in page["subscribers"]]
        after = page["next"]
    return found


def test_somebody_is_added_once_and_brought_up_to_date(program: Program) -> None:
    ida = {"email": "Ida@Example.org", "desk": "World", "name": "Ida", "tags": ["press"]}
    asked = [program.post("/subscribers", ida) for _ in range(2)]
    assert [answer.status_code for answer in asked] == [201, 200]
    assert asked[0].json() == {"email": "Ida@example.org", "desk": "world", "action": "added"}
    assert asked[1].json()["action"] == "unchanged"
    program.post("/subscribers", {**ida, "name": "Ida Marlow", "tags": []})
    (shown,) = program.get("/subscribers?desk=world").json()["subscribers"]
    assert (shown["name"], shown["tags"], shown["state"]) == ("Ida Marlow", [], "active")


def test_who_left_comes_back_by_their_own_consent_alone(program: Program) -> None:
    ida = {"email": "ida@example.org", "desk": "world"}
    program.post("/subscribers", ida)
    assert program.post("/subscribers/remove", ida).json()["desks"] == ["world"]
    assert program.post("/subscribers/remove", ida).json()["desks"] == []
    refused = program.post("/subscribers", ida)
    assert refused.status_code == 422
    again = {**ida, "consent": "at the fair", "consent_time": "2199-01-01T00:00:00Z"}
    assert program.post("/subscribers", again).status_code == 422
    again["consent_time"] = "2026-10-09T10:00:00+02:00"
    assert program.post("/subscribers", {**ida, "consent": "at the fair"}).status_code == 200
    (shown,) = program.post("/subscribers/show", {"email": ida["email"]}).json()["subscriptions"]
    assert [(move["before"], move["after"]) for move in shown["moves"]] == [
        ("active", "unsubscribed"),
        ("unsubscribed", "active"),
    ]


def test_who_reads_several_desks_says_which_they_leave(program: Program) -> None:
    for name in ("world", "culture"):
        program.post("/subscribers", {"email": "ida@example.org", "desk": name})
    somebody = {"email": "ida@example.org"}
    assert program.post("/subscribers/remove", somebody).status_code == 422
    both = {**somebody, "desk": "world", "everywhere": True}
    assert program.post("/subscribers/remove", both).status_code == 422
    left = program.post("/subscribers/remove", {**somebody, "everywhere": True}).json()
    assert sorted(left["desks"]) == ["culture", "world"]


def test_who_is_forgotten_is_nowhere(program: Program) -> None:
    program.post("/subscribers", {"email": "ida@example.org", "desk": "world"})
    forgotten = program.post("/subscribers/forget", {"email": "ida@example.org"})
    assert forgotten.json() == {"desks": 1, "forgotten": True}
    shown = program.post("/subscribers/show", {"email": "ida@example.org"}).json()
    assert (shown["subscriptions"], shown["forgotten"] is not None) == ([], True)
    assert program.post("/subscribers/show", {"email": "bo@example.org"}).status_code == 404


def test_a_list_comes_in_pages_without_a_gap(program: Program) -> None:
    wanted = [f"reader{n}@example.org" for n in range(5)]
    for email in wanted:
        program.post("/subscribers", {"email": email, "desk": "world", "tags": ["all"]})
    assert people(program) == wanted
    assert people(program, "desk=world&tag=all&state=active") == wanted
    assert people(program, "desk=world&segment=email:reader3@example.org") == wanted[3:4]
    assert people(program, "desk=world&state=pending") == []
    assert program.get("/subscribers?desk=nowhere").status_code == 422
    assert program.get("/subscribers?desk=world&segment=tag;all").status_code == 422


def test_an_export_is_what_an_import_reads(newsroom: Desk, program: Program) -> None:
    program.post("/subscribers", {"email": "ida@example.org", "desk": "world", "name": "=1+1"})
    exported = program.get("/subscribers/export?desk=world")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(exported.text))
    assert (row["email"], row["name"]) == ("ida@example.org", "'=1+1")
    report = program.ask(
        "POST",
        "/subscribers/import?desk=world",
        content=exported.content,
        headers={"Content-Type": "text/csv"},
    ).json()
    assert (report["rows"], report["unchanged"]) == (1, 1)


def test_an_export_is_sent_as_it_is_read(program: Program) -> None:
    rows = [{"email": f"reader{n}@example.org"} for n in range(1234)]
    program.post("/subscribers/import?desk=world", rows)
    exported = program.get("/subscribers/export?desk=world")
    assert len(exported.text.splitlines()) == 1235
    assert "content-length" not in exported.headers
    assert program.get("/subscribers/export?desk=world&segment=x(").status_code == 422


CSV = "email,name,plan\nida@example.org,Ida Marlow,pro\nnobody,'=Nobody,\nbo@example.org,Bo,\n"


def test_a_list_is_imported_and_what_was_refused_is_told(newsroom: Desk, program: Program) -> None:
    def imported(query: str) -> dict[str, object]:
        return program.ask(
            "POST",
            f"/subscribers/import?desk=world&name=readers.csv{query}",
            content=CSV,
            headers={"Content-Type": "text/csv"},
        ).json()

    rehearsed = imported("&dry_run=true")
    assert (rehearsed["added"], program.get("/subscribers?desk=world").status_code) == (2, 200)
    assert people(program) == []
    report = imported("")
    assert report == rehearsed
    assert (report["rows"], report["added"], report["refused"]) == (3, 2, 1)
    (refused,) = report["refused_rows"]
    assert (refused["line"], refused["cells"]) == (3, ["nobody", "=Nobody", ""])
    assert "nobody" in refused["because"]
    assert imported("")["unchanged"] == 2
    assert not list(newsroom.room.out.parent.rglob("*.rejected.csv"))
    assert not list(Path().glob("*.rejected.csv"))


def test_a_list_in_json_says_what_a_list_in_csv_says(program: Program) -> None:
    rows = [
        {"email": "ida@example.org", "name": "Ida, “the” Marlow\n", "fields": {"plan": "=pro"}},
        {"email": "bo", "name": "Bo"},
        {"email": "cy@example.org", "status": "unsubscribed"},
        {"email": "di@example.org", "status": "whatever"},
    ]
    report = program.post("/subscribers/import?desk=world", rows).json()
    assert (report["added"], report["refused"]) == (2, 2)
    assert [row["line"] for row in report["refused_rows"]] == [2, 4]
    cy, ida = program.get("/subscribers?desk=world").json()["subscribers"]
    assert (ida["name"], ida["fields"]) == ("Ida, “the” Marlow", {"plan": "=pro"})
    assert cy["state"] == "unsubscribed"


def test_nobody_loses_a_tag_for_what_was_left_out(program: Program) -> None:
    ida, bo = {"email": "ida@example.org"}, {"email": "bo@example.org"}
    program.post("/subscribers/import?desk=world", [{**ida, "tags": ["press"]}])
    refused = program.post("/subscribers/import?desk=world", [{**bo, "tags": ["vip"]}, ida])
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/1/tags"
    program.post("/subscribers/import?desk=world", [{**ida, "fields": {"plan": "pro"}}, bo])
    first, _ = program.get("/subscribers?desk=world").json()["subscribers"]
    assert (first["tags"], first["fields"]) == (["press"], {"plan": "pro"})


@given(
    st.lists(
        st.builds(
            lambda name, tags, fields: ImportRow(
                "a@example.org", name=name, tags=tags, fields=fields
            ),
            st.text(max_size=40) | st.none(),
            st.lists(st.text(min_size=1, max_size=10), max_size=3),
            st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=20), max_size=3),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=200)
def test_each_row_of_json_is_one_line_of_the_list(rows: list[ImportRow]) -> None:
    table = Table(io.BytesIO(imports._csv(rows)), "a list")
    read = list(table)
    assert [line for line, _, _ in read] == [n + 2 for n in range(len(rows))]
    assert not [problem for _, _, problem in read if problem]


def test_suppressions_are_made_listed_and_lifted(program: Program) -> None:
    emails = [f"reader{n}@example.org" for n in range(5)]
    for email in emails:
        made = program.post("/suppressions", {"email": email, "reason": "asked by letter"})
        assert made.json() == {"email": email, "desk": None, "suppressed": True}
    found, after = [], ""
    while after is not None:
        page = program.get(f"/suppressions?limit=2{after and f'&after={after}'}").json()
        found += [each["email"] for each in page["suppressions"]]
        after = page["next"]
        assert after is None or "example" not in after
    assert found == emails
    assert program.post("/suppressions/lift", {"email": emails[0]}).status_code == 200
    again = program.post("/suppressions/lift", {"email": emails[0]})
    assert again.status_code == 422
    refused = program.post("/subscribers", {"email": emails[1], "desk": "world"})
    assert "is suppressed (asked by letter)" in refused.json()["detail"]


@given(st.integers(0, 10**17 - 1), st.integers(0, 10**6 - 1))
def test_where_a_page_of_suppressions_ended_can_be_any_place(at: int, seen: int) -> None:
    assert str(Place.parse(f"{at}.{seen}")) == f"{at}.{seen}"


def test_suppressions_of_one_moment_are_told_apart(newsroom: Desk, program: Program) -> None:
    from tests.web.served import NOW

    from dispatch.newsroom import subscribers

    for email in ("b@example.org", "a@example.org", "c@example.org"):
        subscribers.suppress(email, None, "bounced", newsroom.room.out, NOW)
    found, after = [], ""
    for _ in range(3):
        page = program.get(f"/suppressions?limit=1{after}").json()
        found += [each["email"] for each in page["suppressions"]]
        after = f"&after={page['next']}"
    assert found == ["a@example.org", "b@example.org", "c@example.org"]
    assert page["next"] is None


def test_no_address_stands_in_an_address() -> None:
    from dispatch.web import api

    for operation in api.OPERATIONS:
        assert "email" not in operation.path
        assert "email" not in operation.parameters.__struct_fields__
