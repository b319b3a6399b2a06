"""The OpenAPI document as a document; that it is true is test_schemathesis.py's to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dispatch.newsroom import api_tokens
from dispatch.web import api
from dispatch.web.api.openapi import document

DOCUMENT = document(api.OPERATIONS)
OPERATIONS = [o for of_path in DOCUMENT["paths"].values() for o in of_path.values()]


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a document."""
    if isinstance(value, dict):
        yield value
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from inside(part)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names) == len(api.OPERATIONS)
    for operation in OPERATIONS:
        assert operation["summary"].endswith("."), operation["operationId"]


def test_every_reference_leads_somewhere() -> None:
    for found in inside(DOCUMENT):
        if "$ref" in found:
            target: Any = DOCUMENT
            for step in found["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            assert target


@pytest.mark.parametrize("name", list(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_one(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    Draft202012Validator.check_schema(schema)
    for inner in inside(schema):
        for example in inner.get("examples", ()):
            Draft202012Validator(inner).validate(example)


def test_what_is_sent_is_known_to_the_last_field() -> None:
    for operation in OPERATIONS:
        content = operation.get("requestBody", {}).get("content", {})
        for schema in inside([body["schema"] for body in content.values()]):
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False


def test_every_operation_says_what_a_token_has_to_be_good_for() -> None:
    for operation in OPERATIONS:
        ((scheme, scopes),) = operation["security"][0].items()
        assert scheme == "token"
        assert set(scopes) <= set(api_tokens.SCOPES)


def test_no_type_says_what_another_one_is_called() -> None:
    """Types are told apart by their names alone."""
    kinds = {}
    for operation in api.OPERATIONS:
        for kind in (operation.parameters, *operation.answers.values()):
            name = getattr(kind, "__name__", None)
            assert name is None or kinds.setdefault(name, kind) is kind
