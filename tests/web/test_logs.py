"""The log: a line is a line, for a machine or for a person, and there is nobody in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.web.served import SITE_URL, newsroom

from dispatch.web import logs
from dispatch.web.app import create
from dispatch.web.site import Site

PERSON = "ann@example.org"
TOKEN = "1f4-9b0011223344556677889900"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What is logged goes where it went, after each test."""
    root, dispatch = logging.getLogger(), logging.getLogger("dispatch")
    before = (root.handlers[:], root.level, dispatch.level)
    yield
    root.handlers[:], level, dispatch_level = before
    root.setLevel(level)
    dispatch.setLevel(dispatch_level)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[TestClient]:
    async def personal(_request: Request) -> Response:
        return PlainTextResponse("")

    async def fails(_request: Request) -> Response:
        raise ValueError(f"{PERSON} is not what was wanted")

    room = newsroom(tmp_path)
    app = create(Site(room.out, room.settings))
    app.router.routes[:0] = [Route("/world/feed/{token}", personal), Route("/fails", fails)]
    with TestClient(app, base_url=SITE_URL, client=("192.0.2.7", 5000)) as reader:
        yield reader


def record(message: str, level: int = logging.INFO, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("dispatch.web", level, "", 0, message, (), None)
    made.facts = facts
    return made


def requested(**facts: object) -> logging.LogRecord:
    known = {"id": "5f2c", "method": "GET", "route": "/healthz", "status": 200, "ms": 0.4}
    return record("request", **{**known, **facts})


def test_a_request_is_a_line_of_json(reader: TestClient) -> None:
    stream = io.StringIO()
    logs.configure(stream, debug=False)
    answer = reader.get(f"/world/feed/{TOKEN}?email={PERSON}", headers={"user-agent": PERSON})
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told.pop("ms") >= 0
    assert told == {
        "level": "info",
        "message": "request",
        "id": answer.headers["x-request-id"],
        "method": "GET",
        "route": "/world/feed/{token}",
        "status": 200,
    }


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["json", "terminal"])
def test_nobody_is_in_it(reader: TestClient, stream: io.StringIO) -> None:
    logs.configure(stream, debug=False)
    for path in (f"/world/feed/{TOKEN}", f"/world/feed/{TOKEN}/{PERSON}", f"/fails?email={PERSON}"):
        reader.get(path, headers={"referer": PERSON, "x-forwarded-for": "203.0.113.9"})
    said = stream.getvalue()
    assert said
    for personal in (PERSON, "ann", TOKEN, "192.0.2.7", "203.0.113.9"):
        assert personal not in said


def test_an_error_nobody_foresaw_is_told_by_its_kind_and_its_place(reader: TestClient) -> None:
    stream = io.StringIO()
    logs.configure(stream, debug=False)
    request_id = reader.get("/fails").headers["x-request-id"]
    failed = json.loads(stream.getvalue().splitlines()[0])
    assert (failed["level"], failed["id"]) == ("error", request_id)
    kind, *frames = failed["error"]
    assert kind == "ValueError"
    assert frames[-1].endswith(" in fails")
    assert __file__ in frames[-1]


def test_whoever_looks_for_an_error_gets_all_of_it(reader: TestClient) -> None:
    stream = io.StringIO()
    logs.configure(stream, debug=True)
    reader.get("/fails")
    failed = json.loads(stream.getvalue().splitlines()[0])
    assert f"ValueError: {PERSON} is not what was wanted" in failed["traceback"]


def test_what_led_to_an_error_is_told_and_ends() -> None:
    first, second = ValueError("one"), KeyError("two")
    second.__cause__, first.__cause__ = first, second
    assert logs.where(second) == ["KeyError", "ValueError"]

    def deeper(depth: int) -> None:
        deeper(depth + 1)

    with pytest.raises(RecursionError) as caught:
        deeper(0)
    assert len(logs.where(caught.value)) < 50


def test_a_person_reads_short_lines_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    logs.configure(stream, debug=False)
    logging.getLogger("dispatch.web").handle(requested(status=200))
    logging.getLogger("dispatch.web").handle(requested(status=500))
    good, bad = stream.getvalue().splitlines()
    assert "\x1b[32m200 GET /healthz 0.4 ms 5f2c\x1b[0m" in good
    assert "\x1b[31m500 GET" in bad


def test_no_colour_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    logs.configure(stream, debug=False)
    logging.getLogger("dispatch.web").handle(requested())
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().endswith(" 200 GET /healthz 0.4 ms 5f2c\n")


def test_who_watches_over_the_server_does_not_fill_it(reader: TestClient) -> None:
    stream = io.StringIO()
    logs.configure(stream, debug=False)
    assert reader.get("/healthz").status_code == 200
    assert stream.getvalue() == ""


@given(st.text())
def test_a_line_is_a_line_whatever_is_in_it(text: str) -> None:
    line = logs.Json().format(record(text, level=logging.ERROR, worker=text))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == json.loads(line)["worker"] == text


@given(st.text())
def test_a_line_for_a_person_steers_no_terminal(text: str) -> None:
    assert logs.Short(coloured=False).format(record(text, worker=text)).isprintable()
    assert logs.Short(coloured=False).format(requested(route=text)).isprintable()
