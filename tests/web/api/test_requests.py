"""Whatever is sent to the API: how it is read, and where its bounds are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.web.api.room import HARBOUR, Desk, Program, desk

from dispatch.web import api
from dispatch.web.api import decoding
from dispatch.web.api.problems import RefusalError
from dispatch.web.api.subscribers import ChosenPage, NewSubscriber

IDA = {"email": "ida@example.org", "desk": "world"}


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = desk(tmp_path_factory.mktemp("newsroom"))
    made.room.subscribe("ida@example.org")
    return made


@pytest.fixture(scope="module")
def program(newsroom: Desk) -> Iterator[Program]:
    with newsroom.program() as made:
        yield made


def sent(program: Program, data: bytes, path: str = "/subscribers", **headers: str) -> object:
    headers = {"Content-Type": "application/json", **headers}
    return program.ask("POST", path, content=data, headers=headers)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": 3, "desk": "world"}, "#/email"),
        ({"email": "ida@example.org"}, "#/desk"),
        ({**IDA, "nmae": "Ida"}, "#/nmae"),
        ({**IDA, "a/b~c": 1}, "#/a~1b~0c"),
        ({**IDA, "tags": ["press", 7]}, "#/tags/1"),
        ({**IDA, "desk": ""}, "#/desk"),
        ({**IDA, "desk": "x" * 101}, "#/desk"),
        ({**IDA, "pending": "yes"}, "#/pending"),
        ({**IDA, "consent": "fair", "consent_time": "yesterday"}, "#/consent_time"),
        ({**IDA, "consent": "fair", "consent_time": "2026-10-09T10:00:00"}, "#/consent_time"),
        ({**IDA, "consent_ip": "192.0.2.7"}, "#/consent"),
        ([], "#"),
    ],
)
def test_a_refusal_points_at_what_is_wrong(program: Program, body: object, pointer: str) -> None:
    answer = program.post("/subscribers", body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "desk"),
        ("desk=", "desk"),
        ("desk=world&limit=0", "limit"),
        ("desk=world&limit=501", "limit"),
        ("desk=world&limit=1e2", "limit"),
        ("desk=world&limit=%2B1", "limit"),
        ("desk=world&limit=" + "9" * 5000, "limit"),
        ("desk=world&limit=٣", "limit"),
        ("desk=world&state=angry", "state"),
        ("desk=world&desk=culture", "desk"),
        ("desk=world&offset=1", "offset"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(program: Program, query: str, parameter: str) -> None:
    answer = program.get(f"/subscribers?{query}")
    assert answer.status_code == 422
    assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter]


def test_a_header_cannot_be_given_in_the_address(program: Program) -> None:
    body = {"desk": "world", "articles": [HARBOUR]}
    answer = program.post("/mailings?idempotency_key=mine", body)
    assert answer.json()["errors"][0]["parameter"] == "idempotency_key"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{"email":"a@example.org","desk":"world"}',
        b'{"email":"a@example.org","desk":NaN}',
        b'{"email":"\xff@example.org","desk":"world"}',
        b'{"email":"\\ud800@example.org","desk":"world"}',
        b'{"email":"a@example.org","email":"b@example.org","desk":"world"}',
        b'{"email":"a@example.org","desk":"world","\\u0064esk":"culture"}',
        b'{"email":"a@example.org","desk":"world"} {}',
    ],
)
def test_what_is_not_json_or_says_a_thing_twice_cannot_be_read(
    program: Program, data: bytes
) -> None:
    assert sent(program, data).status_code == 400


def test_what_nests_without_end_is_refused_at_once(program: Program) -> None:
    began = time.perf_counter()
    for data in (b"[" * 60_000, b'{"email":' * 6_000, b'{"a":' + b"[" * 50_000):
        assert sent(program, data).status_code in (400, 422)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
def test_a_body_says_what_it_is(program: Program, media_type: str) -> None:
    answer = program.ask(
        "POST",
        "/subscribers",
        content=json.dumps(IDA).encode(),
        headers={"Content-Type": media_type} if media_type else {},
    )
    assert answer.status_code == 415
    assert answer.headers["accept-post"] == "application/json"


def test_a_compressed_body_is_not_unpacked(program: Program) -> None:
    answer = sent(program, b"\x1f\x8b" + b"x" * 100, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 415


def test_json_in_utf_8_may_say_so(program: Program) -> None:
    media_type = 'Application/JSON; charset="UTF-8"'
    answer = sent(program, json.dumps(IDA).encode(), **{"Content-Type": media_type})
    assert answer.status_code == 200


def test_a_body_has_a_length_that_it_may_have(program: Program) -> None:
    assert sent(program, b" " * 65_537).status_code == 413

    def unmeasured() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    answer = program.ask(
        "POST", "/subscribers", content=unmeasured(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/subscribers/",
        "//subscribers",
        "/Subscribers",
        "/subscribers/%2e%2e/desks",
        "/subscribers/show/more",
        "/subscribers%2Fshow",
        "/mailings/1/",
    ],
)
def test_there_is_one_address_for_each_thing(program: Program, path: str) -> None:
    answer = program.client.request(
        "GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {program.token}"}
    )
    assert answer.status_code in (404, 405, 422)
    assert "location" not in answer.headers


@pytest.mark.parametrize("number", ["0", "-1", "01", "1.0", "1e3", "x", "9" * 30, "%00", "1%0a"])
def test_a_mailing_has_a_number(program: Program, number: str) -> None:
    assert program.get(f"/mailings/{number}").status_code in (404, 422)


def test_a_method_that_there_is_not_is_told_with_those_there_are(program: Program) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        answer = program.ask(method, "/subscribers")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, POST, HEAD"
    assert program.ask("POST", "/openapi.json").status_code == 405


@pytest.mark.parametrize(
    "path", ["/desks", "/subscribers?desk=world", "/subscribers/export?desk=world", "/openapi.json"]
)
def test_head_is_get_without_a_body(program: Program, path: str) -> None:
    got, head = program.get(path), program.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers.get("content-length") == got.headers.get("content-length")


def test_get_changes_nothing() -> None:
    for operation in api.OPERATIONS:
        assert operation.method in ("GET", "POST")
        if operation.method == "GET":
            assert all(scope.endswith(":read") for scope in operation.scopes)


def test_a_machine_s_paths_are_told_nobody(
    newsroom: Desk, program: Program, tmp_path: Path
) -> None:
    seen = [
        program.post("/articles", HARBOUR),
        program.post("/articles", {**HARBOUR, "text": "---\n: {\n---\n"}),
        program.post("/articles/check", HARBOUR),
        program.post("/articles/read", HARBOUR),
        program.post("/mailings/rehearse", {"desk": "world", "articles": [HARBOUR]}),
        sent(program, b"\0\0", "/subscribers/import?desk=world", **{"Content-Type": "text/csv"}),
    ]
    for answer in seen:
        assert str(newsroom.room.out.parent) not in answer.text
        assert "/tmp" not in answer.text


def test_the_newsroom_s_own_trouble_is_told_the_log(tmp_path: Path) -> None:
    newsroom = desk(tmp_path)
    newsroom.room.subscribe("ida@example.org")
    template = tmp_path / "templates/email/article.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% broken %}", encoding="utf-8")
    order = {"desk": "world", "articles": [HARBOUR]}
    with newsroom.program() as program:
        for path, body in (
            ("/articles", {**HARBOUR, "text": "# Other\n\nAnother one."}),
            ("/articles/check", HARBOUR),
            ("/mailings/rehearse", order),
            ("/mailings", order),
        ):
            answer = program.post(path, body)
            assert answer.status_code == 500, answer.text
            assert "template" not in answer.text
            assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_key_that_signs_is_not_told_of(tmp_path: Path) -> None:
    newsroom = desk(tmp_path)
    newsroom.room.subscribe("ida@example.org")
    key = tmp_path / "dkim/news.example.org/d1.pem"
    key.parent.mkdir(parents=True)
    key.write_text("nothing", encoding="utf-8")
    with newsroom.program() as program:
        answer = program.post("/mailings", {"desk": "world", "articles": [HARBOUR]})
    assert answer.status_code == 500
    assert "dkim" not in answer.text


def test_a_database_that_cannot_be_read_is_none_of_the_caller_s(tmp_path: Path) -> None:
    newsroom = desk(tmp_path)
    with newsroom.program() as program:
        newsroom.room.out.joinpath("dispatch.db").rename(tmp_path / "away.db")
        answer = program.get("/subscribers?desk=world")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "dispatch.db" not in answer.text


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(decoding.body(NewSubscriber, data), NewSubscriber)
    except RefusalError as refusal:
        assert refusal.status in (400, 422)


@given(st.binary(max_size=300), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_address_is_read_or_refused(query: bytes, path: dict[str, str]) -> None:
    try:
        assert isinstance(decoding.parameters(ChosenPage, path, query, {}), ChosenPage)
    except RefusalError as refusal:
        assert refusal.status in (400, 422)
        refusal.response("an-id")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(
    st.dictionaries(
        st.sampled_from(["email", "desk", "name", "tags", "consent", "pending"]) | st.text(),
        JSON_VALUES,
    )
)
def test_any_json_is_taken_or_refused_with_a_pointer(value: dict[str, object]) -> None:
    try:
        decoding.body(NewSubscriber, json.dumps(value, allow_nan=False).encode())
    except RefusalError as refusal:
        assert refusal.status == 400 or refusal.errors[0].pointer
        refusal.response("an-id")
    except ValueError:
        pass  # json.dumps: not a number
