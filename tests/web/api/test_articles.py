"""Articles over the API: handed in without a file, published as those that have one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.api.room import HARBOUR, Desk, Program, desk

from dispatch.syndication import release

FERRY = {"name": "ferry.md", "text": "# Ferry returns\n\nThe first ferry left Port Ellery at dawn."}


@pytest.fixture
def newsroom(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture
def program(newsroom: Desk) -> Iterator[Program]:
    with newsroom.program() as made:
        yield made


def test_an_article_is_published_once_and_a_changed_one_is_its_next_version(
    newsroom: Desk, program: Program
) -> None:
    made = program.post("/articles", {**FERRY, "desk": "World"})
    assert (made.status_code, made.json()["action"]) == (201, "published")
    assert newsroom.room.out.joinpath(made.json()["files"]["web"]).is_file()
    again = program.post("/articles", {**FERRY, "desk": "World"})
    assert (again.status_code, again.json()["action"]) == (200, "unchanged")
    text = FERRY["text"].replace("at dawn", "at noon, with forty aboard")
    changed = program.post("/articles", {**FERRY, "text": text})
    assert (changed.status_code, changed.json()["version"]) == (201, 2)
    assert changed.json()["id"] == made.json()["id"]
    (shown, _) = program.get("/articles?desk=World").json()["articles"]
    where = f"/articles/{shown['desk']}/{shown['day']}/{shown['slug']}"
    assert [v["version"] for v in program.get(where).json()["versions"]] == [2, 1]
    first = program.get(f"{where}/versions/1").json()
    assert first["body"][0]["text"].endswith("at dawn.")
    assert program.get(f"{where}/versions/3").status_code == 404


def test_a_headline_may_change_under_the_same_name(program: Program) -> None:
    first = program.post("/articles", FERRY).json()
    renamed = {**FERRY, "text": FERRY["text"].replace("Ferry returns", "The ferry is back")}
    second = program.post("/articles", renamed).json()
    assert (second["action"], second["id"]) == ("updated", first["id"])


def test_a_rehearsal_writes_nothing(newsroom: Desk, program: Program) -> None:
    told = program.post("/articles", {**FERRY, "dry_run": True})
    assert (told.status_code, told.json()["action"]) == (200, "published")
    assert not newsroom.room.out.joinpath(told.json()["files"]["web"]).exists()
    assert len(program.get("/articles").json()["articles"]) == 1


def test_what_the_request_says_wins_over_what_the_article_says(program: Program) -> None:
    text = "---\ntitle: Ferry returns\ndesk: Sea\nslug: ferry\n---\n\nIt left at dawn."
    said = {"desk": "World", "slug": "back", "published": "2026-10-01T10:00:00+02:00"}
    made = program.post("/articles", {"name": "ferry.md", "text": text, **said}).json()
    assert (made["desk"], made["slug"]) == ("World", "back")
    assert "/2026/10/01/back/" in made["files"]["web"]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"text": "  \n"}, "#/text"),
        ({"name": "../../etc/passwd"}, "#/name"),
        ({"name": "-"}, "#/name"),
        ({"name": "a\nb"}, "#/name"),
        ({"text": ""}, "#/text"),
        ({"slug": "../.."}, "#/text"),
        ({"desk": "a\nb"}, "#/desk"),
        ({"published": "today"}, "#/published"),
        ({"published": "0001-01-01T00:00:00+14:00"}, "#/published"),
        ({"published": "9999-12-31T23:59:59-14:00"}, "#/published"),
    ],
)
def test_an_article_that_cannot_be_used_is_refused(
    newsroom: Desk, program: Program, said: dict[str, str], pointer: str
) -> None:
    answer = program.post("/articles", {**FERRY, **said})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert len(program.get("/articles").json()["articles"]) == 1


def test_what_the_reader_was_not_sure_of_is_refused_when_asked(program: Program) -> None:
    text = "# Ferry\n\nA ![picture](nowhere) of it."
    plain = program.post("/articles", {"name": "f.md", "text": text, "dry_run": True})
    assert [note for note in plain.json()["notes"] if note["level"] == "warning"]
    strict = {"name": "f.md", "text": text, "strict": True}
    assert program.post("/articles", strict).status_code == 422


def test_while_somebody_else_publishes_it_is_not_waited_for(
    newsroom: Desk, program: Program
) -> None:
    with release.exclusively(newsroom.room.out):
        answer = program.post("/articles", FERRY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert program.post("/articles", FERRY).status_code == 201


def test_an_article_is_read_and_checked_without_being_published(program: Program) -> None:
    understood = program.post("/articles/read", FERRY).json()
    assert (understood["headline"], understood["reader"]) == ("Ferry returns", "markdown")
    findings = program.post("/articles/check", FERRY).json()["findings"]
    assert {"level": "warning", "where": "byline", "message": "Nobody signs it."} in findings
    broken = program.post("/articles/check", {**FERRY, "text": "---\n: {\n---\n"}).json()
    assert broken["findings"][0]["level"] == "error"
    assert len(program.get("/articles").json()["articles"]) == 1


def test_an_article_of_the_command_line_is_the_same_one(program: Program) -> None:
    assert program.post("/articles", HARBOUR).json()["action"] == "unchanged"


def test_a_name_is_no_file(newsroom: Desk, program: Program, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("# Secret\n\nNothing for anybody.", encoding="utf-8")
    for name in (str(secret), "secret.txt", ".env"):
        answer = program.post("/articles/read", {"name": name, "text": "# Other\n\nAnother one."})
        assert answer.status_code == 422 or answer.json()["headline"] == "Other"


def test_articles_come_in_pages(program: Program) -> None:
    for n in range(3):
        program.post("/articles", {"name": f"{n}.md", "text": f"# Report {n}\n\nStory {n}, told."})
    slugs, after = [], 0
    while after is not None:
        page = program.get(f"/articles?limit=2&after={after}").json()
        slugs += [article["slug"] for article in page["articles"]]
        after = page["next"]
    assert slugs[:3] == ["report-2", "report-1", "report-0"]
    assert len(slugs) == 4
    assert program.get("/articles?desk=nowhere").json()["articles"] == []
    assert program.get("/articles?desk=..").json()["articles"] == []


@pytest.mark.parametrize(
    "where", ["world/2026-10-09/none", "none/2026-10-09/harbour", "world/2026-13-40/x", "a/b/c"]
)
def test_an_article_that_there_is_not(program: Program, where: str) -> None:
    assert program.get(f"/articles/{where}").status_code in (404, 422)


def test_desks_are_those_that_publish_or_are_read(newsroom: Desk, program: Program) -> None:
    newsroom.room.subscribe("ida@example.org", "sea-and-sky")
    assert program.get("/desks").json()["desks"] == [
        {"slug": "sea-and-sky", "name": "Sea and sky"},
        {"slug": "world", "name": "World"},
    ]
