"""Mailings over the API: made in the request, sent by the one who sends, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.web.api.room import HARBOUR, Desk, Program, desk

from dispatch.newsroom import sending

ORDER = {"desk": "world", "articles": [HARBOUR]}
FERRY = {"name": "ferry.md", "text": "# Ferry returns\n\nThe first ferry left Port Ellery at dawn."}


@pytest.fixture
def newsroom(tmp_path: Path) -> Desk:
    made = desk(tmp_path)
    for name in ("ida", "bo", "cy"):
        made.room.subscribe(f"{name}@example.org")
    return made


@pytest.fixture
def program(newsroom: Desk) -> Iterator[Program]:
    with newsroom.program() as made:
        yield made


def send(newsroom: Desk, number: int) -> None:
    """What dispatch run does."""
    follower = sending.Follower(lambda _n=1: None, lambda _s: None, lambda: False)
    sending.send(newsroom.room.out, number, newsroom.room.settings, follower)


def keyed(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Idempotency-Key": key}}


def test_a_mailing_is_made_in_the_request_and_sent_after_it(
    newsroom: Desk, program: Program
) -> None:
    made = program.post("/mailings", ORDER)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/mailings/1"
    assert (made.json()["state"], made.json()["counts"]["queued"]) == ("sending", 3)
    assert not newsroom.mail.exists()
    send(newsroom, 1)
    shown = program.get("/mailings/1").json()
    assert (shown["state"], shown["counts"]["accepted"]) == ("finished", 3)
    assert program.get("/mailings/1/proof").json()["proven"] is True
    (listed,) = program.get("/mailings?desk=world").json()["mailings"]
    assert listed.items() <= shown.items()


def test_a_rehearsal_has_the_numbers_of_the_mailing_and_keeps_nothing(
    newsroom: Desk, program: Program
) -> None:
    order = {**ORDER, "articles": [FERRY, HARBOUR], "subject": "The morning"}
    plan = program.post("/mailings/rehearse", order).json()
    assert (plan["subject"], plan["recipients"], plan["refusal"]) == ("The morning", 3, None)
    assert len(program.get("/articles").json()["articles"]) == 1
    assert program.get("/mailings").json() == {"mailings": [], "next": None}
    made = program.post("/mailings", order).json()
    assert made["counts"]["queued"] == plan["recipients"]
    assert len(made["articles"]) == len(program.get("/articles").json()["articles"]) == 2


def test_what_was_sent_is_not_sent_again_but_on_request(program: Program) -> None:
    assert program.post("/mailings", ORDER).status_code == 201
    refused = program.post("/mailings", ORDER)
    assert refused.status_code == 409
    assert "It was sent before, in mailing 1" in refused.json()["detail"]
    assert program.post("/mailings/rehearse", ORDER).json()["refusal"]
    assert program.post("/mailings", {**ORDER, "again": True}).status_code == 201


def test_the_same_order_with_the_same_key_makes_one_mailing(
    newsroom: Desk, program: Program
) -> None:
    order = {**ORDER, "again": True}
    made, again = (program.post("/mailings", order, **keyed("first")) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    another = program.post("/mailings", {**order, "subject": "Other"}, **keyed("first"))
    assert another.status_code == 422
    assert "made mailing 1" in another.json()["detail"]
    assert program.post("/mailings", order, **keyed("second")).status_code == 201
    with newsroom.program() as other:
        assert other.post("/mailings", order, **keyed("first")).status_code == 201
    assert len(program.get("/mailings").json()["mailings"]) == 3


def test_orders_that_come_at_once_with_one_key_make_one_mailing(
    newsroom: Desk, program: Program
) -> None:
    order = {**ORDER, "again": True}

    def ask(asker: Program) -> int:
        return asker.post("/mailings", order, **keyed("one")).status_code

    # Another server of the same newsroom is another process, as far as they know.
    with newsroom.room.client() as client, ThreadPoolExecutor(6) as pool:
        other = Program(client, program.token)
        answers = sorted(pool.map(ask, [program, other] * 3))
    assert answers == [200] * 5 + [201]
    assert len(program.get("/mailings").json()["mailings"]) == 1


def test_a_key_whose_order_was_refused_is_still_free(program: Program) -> None:
    nobody = {**ORDER, "segment": "tag:nobody"}
    assert program.post("/mailings", nobody, **keyed("k")).status_code == 409
    assert program.post("/mailings", ORDER, **keyed("k")).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "é".encode().decode("latin-1"), "x" * 256])
def test_a_key_that_is_none_is_refused(program: Program, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = program.post("/mailings", ORDER, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "idempotency_key"


def test_a_scheduled_mailing_waits(program: Program) -> None:
    made = program.post("/mailings", {**ORDER, "at": "2099-01-01"})
    assert made.status_code == 409
    assert program.post("/mailings", {**ORDER, "local_time": True}).status_code == 422
    order = {**ORDER, "at": "07:00", "local_time": True}
    assert program.post("/mailings", order).json()["state"] == "scheduled"
    assert program.post("/mailings/1/pause").json()["state"] == "paused"
    assert program.post("/mailings/1/resume").json()["state"] == "scheduled"
    cancelled = program.post("/mailings/1/cancel").json()
    assert (cancelled["state"], cancelled["counts"]["cancelled"]) == ("cancelled", 3)
    assert program.post("/mailings/1/resume").status_code == 409
    assert program.post("/mailings/1/retry", {"state": "deferred"}).status_code == 409


def test_a_retry_says_how_many(newsroom: Desk, program: Program) -> None:
    program.post("/mailings", ORDER)
    retried = program.post("/mailings/1/retry", {"state": "in_doubt"}).json()
    assert retried["said"].startswith("No copy of mailing 1 is in doubt")


def test_recipients_come_in_pages(newsroom: Desk, program: Program) -> None:
    program.post("/mailings", ORDER)
    send(newsroom, 1)
    found, after = [], 0
    while after is not None:
        page = program.get(f"/mailings/1/recipients?limit=2&after={after}&state=accepted").json()
        found += [each["email"] for each in page["recipients"]]
        after = page["next"]
    assert found == ["ida@example.org", "bo@example.org", "cy@example.org"]
    assert program.get("/mailings/1/recipients?state=bounced").json()["recipients"] == []
    ida = program.post("/mailings/1/recipients/find", {"email": "IDA@example.org"}).json()
    assert (ida["email"], ida["state"]) == ("ida@example.org", "accepted")
    nobody = program.post("/mailings/1/recipients/find", {"email": "x@example.org"})
    assert nobody.status_code == 409


def test_a_copy_is_the_one_that_was_sent(newsroom: Desk, program: Program) -> None:
    program.post("/mailings", ORDER)
    send(newsroom, 1)
    copy = program.post("/mailings/1/copy", {"email": "bo@example.org"}).json()
    kept = [path.read_bytes() for path in newsroom.mail.rglob("*.eml")]
    assert any(message.endswith(copy["message"].encode()) for message in kept)
    assert "To: <bo@example.org>" in copy["message"]


def test_a_test_copy_goes_to_whom_it_is_sent_and_nothing_is_written_down(
    newsroom: Desk, program: Program
) -> None:
    sent = program.post("/mailings/test", {**ORDER, "to": ["desk@example.org"]}).json()
    assert [(copy["email"], copy["state"]) for copy in sent["test"]] == [
        ("desk@example.org", "accepted")
    ]
    assert len(list(newsroom.mail.rglob("*.eml"))) == 1
    assert program.get("/mailings").json()["mailings"] == []


def test_why_some_did_not_get_it_is_told_those_who_may_know(
    newsroom: Desk, program: Program
) -> None:
    program.post("/suppressions", {"email": "ida@example.org", "reason": "asked by letter"})
    program.post("/mailings", ORDER)
    shown = program.get("/mailings/1").text
    assert "letter" not in shown
    reasons = program.get("/mailings/1/reasons").json()["reasons"]
    assert list(reasons["suppressed"].values()) == [1]


def test_mailings_come_in_pages_the_newest_first(program: Program) -> None:
    for _ in range(3):
        program.post("/mailings", {**ORDER, "again": True})
    first = program.get("/mailings?limit=2").json()
    assert ([m["mailing"] for m in first["mailings"]], first["next"]) == ([3, 2], 2)
    last = program.get("/mailings?limit=2&after=2").json()
    assert ([m["mailing"] for m in last["mailings"]], last["next"]) == ([1], None)
    assert program.get("/mailings?desk=culture").json()["mailings"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/recipients", None),
        ("GET", "/reasons", None),
        ("GET", "/proof", None),
        ("POST", "/recipients/find", {"email": "ida@example.org"}),
        ("POST", "/copy", {"email": "ida@example.org"}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/cancel", None),
        ("POST", "/retry", {"state": "deferred"}),
    ],
)
def test_a_mailing_that_there_is_not(
    program: Program, method: str, path: str, body: object
) -> None:
    assert program.ask(method, f"/mailings/7{path}", json=body).status_code == 404


def test_two_articles_of_one_name_are_one_too_many(program: Program) -> None:
    order = {**ORDER, "articles": [HARBOUR, {**FERRY, "name": HARBOUR["name"]}]}
    assert program.post("/mailings", order).status_code == 422
