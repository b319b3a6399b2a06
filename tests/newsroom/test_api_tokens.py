"""Tokens of the API: made once, kept as a hash, good until they are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatch.errors import SettingsError
from dispatch.newsroom import api_tokens
from dispatch.newsroom.database import made_if_missing
from dispatch.newsroom.subscribers import Person, add

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SECRET = "A" * 43


def create(out: Path, name: str = "website", *scopes: str, expires: str | None = None) -> str:
    wanted = scopes or ("articles:write",)
    return api_tokens.create(name, wanted, expires, SECRET, out, NOW)[0]


def known(out: Path, text: str, now: datetime = NOW) -> api_tokens.Token | None:
    with made_if_missing(out) as database, database.transaction() as connection:
        return api_tokens.known(connection, text, now)


def test_a_token_is_known_by_what_was_printed_and_by_nothing_else(tmp_path: Path) -> None:
    text = create(tmp_path)
    found = known(tmp_path, text)
    assert found is not None
    assert (found.name, found.scopes) == ("website", {"articles:write"})
    for other in (text[:-1], text + "A", text.lower(), SECRET, "", "dispatch_", "é" * 51, "\ud800"):
        assert known(tmp_path, other) is None


def test_of_a_token_there_is_nothing_but_its_hash(tmp_path: Path) -> None:
    text = create(tmp_path)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("dispatch.db*"))
    assert text.encode() not in stored
    assert SECRET.encode() not in stored
    (token,) = api_tokens.every(tmp_path)
    assert SECRET not in repr(token) + str(token.to_json(NOW))


def test_a_revoked_token_works_no_more_and_its_name_stays(tmp_path: Path) -> None:
    text = create(tmp_path)
    assert api_tokens.revoke("website", tmp_path, NOW)
    assert not api_tokens.revoke("website", tmp_path, NOW)
    assert known(tmp_path, text) is None
    with pytest.raises(SettingsError, match="was revoked, and its name stays"):
        api_tokens.create("website", ["articles:write"], None, "B" * 43, tmp_path, NOW)
    with pytest.raises(SettingsError, match="There is no token other"):
        api_tokens.revoke("other", tmp_path, NOW)


def test_a_token_ends_when_it_expires(tmp_path: Path) -> None:
    text = create(tmp_path, expires="90d")
    end = NOW + timedelta(days=90)
    assert known(tmp_path, text, end - timedelta(seconds=1))
    assert known(tmp_path, text, end) is None
    assert [token.state(end) for token in api_tokens.every(tmp_path)] == ["expired"]


@pytest.mark.parametrize(
    "length", ["", "90", "0d", "-1d", "3651d", "9999999d", "1w", "1d\n2", "١d"]
)
def test_a_length_of_time_that_is_none_is_refused(tmp_path: Path, length: str) -> None:
    with pytest.raises(SettingsError, match="--expires"):
        create(tmp_path, expires=length)


@pytest.mark.parametrize("name", ["", " crm", "a\nb", "-x", "x" * 61, "a\x1b[31m"])
def test_a_name_that_could_be_anything_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="A token cannot be called"):
        create(tmp_path, name)


def test_scopes_are_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="articles:delete is no scope"):
        create(tmp_path, "website", "articles:delete")
    with pytest.raises(SettingsError, match="can do nothing"):
        api_tokens.create("website", [], None, SECRET, tmp_path, NOW)


def test_a_use_is_written_down_once_a_minute(tmp_path: Path) -> None:
    create(tmp_path)
    times = [NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)]
    seen = []
    for time in times:
        with made_if_missing(tmp_path) as database, database.transaction() as connection:
            api_tokens.use(connection, 1, time)
        seen.append(api_tokens.every(tmp_path)[0].used)
    assert seen == [times[0], times[0], times[2]]


def test_a_newsroom_that_has_people_gets_tokens_too(tmp_path: Path) -> None:
    add(Person("ida@example.org"), "world", tmp_path, NOW)
    assert api_tokens.every(tmp_path) == []
    create(tmp_path)
    assert [token.name for token in api_tokens.every(tmp_path)] == ["website"]
