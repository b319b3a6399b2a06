"""Who may ask the API for what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.web.api.room import Desk, desk

from dispatch.newsroom import api_tokens
from dispatch.web import api
from dispatch.web.api.operations import Operation


@pytest.fixture
def newsroom(tmp_path: Path) -> Desk:
    made = desk(tmp_path)
    made.room.subscribe("ida@example.org")
    return made


def address(operation: Operation) -> str:
    values = {"number": "1", "desk": "world", "day": "2026-10-09", "slug": "x", "version": "1"}
    return f"/api/v1{operation.path.format(**values)}"


def test_without_a_token_there_is_nothing_but_the_document(newsroom: Desk) -> None:
    with newsroom.room.client() as client:
        for operation in api.OPERATIONS:
            answer = client.request(operation.method, address(operation))
            assert answer.status_code == 401, operation.path
            assert answer.headers["www-authenticate"] == 'Bearer realm="dispatch"'
            assert answer.headers["content-type"] == "application/problem+json"
        assert client.get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"


def test_a_token_is_good_for_its_scopes_alone(newsroom: Desk) -> None:
    for scope in api_tokens.SCOPES:
        with newsroom.program(scope) as program:
            for operation in api.OPERATIONS:
                answer = program.client.request(
                    operation.method,
                    address(operation),
                    headers={"Authorization": f"Bearer {program.token}"},
                )
                missing = api_tokens.in_order(set(operation.scopes) - {scope})
                if missing:
                    assert answer.status_code == 403, operation.path
                    assert answer.json()["missing_scopes"] == missing
                    told = answer.headers["www-authenticate"]
                    assert f'scope="{" ".join(operation.scopes)}"' in told
                else:
                    assert answer.status_code != 403


def test_what_tells_who_got_it_takes_leave_to_see_people() -> None:
    personal = {"list_recipients", "find_recipient", "replay_copy", "show_reasons"}
    for operation in api.OPERATIONS:
        if operation.name in personal:
            assert {"editions:read", "subscribers:read"} <= set(operation.scopes)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer dispatch_" + "A" * 43,
        "Basic aWRhOmlkYQ==",
        "Bearer " + "x" * 5000,
        "Bearer dispatch_\u00e9",
    ],
)
def test_a_token_that_is_not_known_is_none(newsroom: Desk, header: str) -> None:
    with newsroom.room.client() as client:
        headers = {"Authorization": header.encode("latin-1")}
        answer = client.get("/api/v1/desks", headers=headers)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_two_tokens_are_none(newsroom: Desk) -> None:
    token = f"Bearer {newsroom.token()}"
    with newsroom.room.client() as client:
        both = [("Authorization", token), ("Authorization", token)]
        assert client.get("/api/v1/desks", headers=both).status_code == 401


def test_a_token_in_the_address_is_none(newsroom: Desk) -> None:
    token = newsroom.token()
    with newsroom.room.client() as client:
        assert client.get(f"/api/v1/desks?access_token={token}").status_code == 401


def test_revoking_holds_from_the_next_request_on(newsroom: Desk) -> None:
    token = newsroom.token(name="crm")
    with newsroom.room.client() as client:
        headers = {"Authorization": f"bearer {token}"}
        assert client.get("/api/v1/desks", headers=headers).status_code == 200
        api_tokens.revoke("crm", newsroom.room.out, datetime.now(UTC))
        assert client.get("/api/v1/desks", headers=headers).status_code == 401


def test_when_a_token_was_used_is_known(newsroom: Desk) -> None:
    with newsroom.program() as program:
        assert program.get("/desks").status_code == 200
        (token,) = api_tokens.every(newsroom.room.out)
        assert token.used is not None
        assert datetime.now(UTC) - token.used < timedelta(minutes=1)
        assert program.get("/desks").status_code == 200
        assert api_tokens.every(newsroom.room.out) == [token]


def test_who_tries_tokens_is_slowed_down_and_shuts_nobody_out(newsroom: Desk) -> None:
    with newsroom.program() as program:
        tried = [
            program.client.get("/api/v1/desks", headers={"Authorization": f"Bearer {n}"})
            for n in range(40)
        ]
        assert [answer.status_code for answer in tried[:30]] == [401] * 30
        assert tried[-1].status_code == 429
        assert 1 <= int(tried[-1].headers["retry-after"]) <= 60
        assert program.get("/desks").status_code == 200


def test_no_other_site_may_read_what_is_answered(newsroom: Desk) -> None:
    with newsroom.program() as program:
        answer = program.get("/desks", headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert program.ask("OPTIONS", "/desks").status_code == 405
        assert answer.headers["cache-control"] == "no-store"
