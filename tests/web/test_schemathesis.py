"""The OpenAPI document is true: schemathesis asks for everything in it, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.web.api.room import desk

from dispatch.web import api
from dispatch.web.api.openapi import document

CONFIG = SchemathesisConfig.from_dict(
    {"seed": 1, "generation": {"max-examples": 25, "deterministic": True}}
)
schema = schemathesis.openapi.from_dict(document(api.OPERATIONS), config=CONFIG)


class Server(NamedTuple):
    url: str
    token: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    newsroom = desk(tmp_path_factory.mktemp("newsroom"))
    newsroom.room.subscribe("ida@example.org")
    token = newsroom.token()
    with newsroom.served(failures=1_000_000) as url:
        yield Server(f"{url}/api/v1", token)


@schema.parametrize()
def test_what_the_document_says_is_so(case: schemathesis.Case, server: Server) -> None:
    case.call_and_validate(
        server.url,
        headers={"Authorization": f"Bearer {server.token}"},
        additional_checks=[types_and_schemas_agree],
        excluded_checks=[positive_data_acceptance],
    )


def types_and_schemas_agree(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """What a schema lets through, the type that it was made of does not refuse.

    It may be refused all the same: no schema says what a segment is, or a time zone.
    """
    if response.status_code == 422 and case.meta and case.meta.generation.mode.is_positive:
        assert " cannot be used: " not in response.json()["detail"]
