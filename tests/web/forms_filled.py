"""Filling in forms as people do: the page is fetched, its fields are read, and time passes."""

from __future__ import annotations

import itsdangerous
import pytest
from lxml import html
from starlette.testclient import TestClient


class Clock:
    """The clock that stamps are made and checked by; it goes on by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_791_532_800
        monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _signer: self.now)

    def later(self, seconds: int) -> None:
        self.now += seconds


def fields(page: bytes) -> dict[str, str]:
    """The fields of the form in a page, as a browser would send them untouched."""
    (form,) = html.fromstring(page).forms
    return {name: value or "" for name, value in form.form_values()}


def form_of(client: TestClient, path: str, **headers: str) -> dict[str, str]:
    """The fields of the form at ``path``."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return fields(answer.content)
