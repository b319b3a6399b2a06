"""``dispatch token``, run as a person or a script would run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import dispatch, token
from dispatch.errors import SettingsError
from dispatch.newsroom import api_tokens


@pytest.fixture
def run(tmp_path: Path):
    def run(*arguments: str) -> Result:
        command = ["token", *arguments, "--out", str(tmp_path)]
        return CliRunner().invoke(dispatch, command, standalone_mode=False)

    return run


def test_standard_output_is_the_token_alone(run) -> None:
    done = run("create", "website", "--scope", "articles:write", "--expires", "90d")
    assert done.exit_code == 0
    assert api_tokens._TOKEN.fullmatch(done.stdout.removesuffix("\n"))
    assert "for articles:write, until " in done.stderr
    assert done.stdout.strip() not in done.stderr


def test_as_json_it_comes_with_what_it_is_good_for(run) -> None:
    scopes = ("--scope", "articles:write", "--scope", "articles:read")
    made = json.loads(run("create", "website", *scopes, "--json").stdout)
    assert made["token"].startswith("dispatch_")
    assert made["scopes"] == ["articles:read", "articles:write"]
    assert made["expires"] is None


def test_two_tokens_are_not_alike(run) -> None:
    made = [run("create", name, "--scope", "articles:read").stdout for name in ("a", "b")]
    assert len(set(made)) == 2


def test_a_list_never_shows_a_token(run) -> None:
    secret = run("create", "website", "--scope", "articles:write").stdout.strip()
    run("create", "crm", "--scope", "subscribers:read")
    run("revoke", "crm")
    listed, data = run("list").stdout, run("list", "--json").stdout
    assert secret not in listed + data
    assert [(t["name"], t["state"], t["used"]) for t in json.loads(data)["tokens"]] == [
        ("website", "active", None),
        ("crm", "revoked", None),
    ]
    assert "website  active" in listed
    assert "last used  never" in listed


def test_revoking_says_whether_it_was_before(run) -> None:
    run("create", "website", "--scope", "articles:write")
    assert run("revoke", "website").stdout == "revoked  website\n"
    assert run("revoke", "website").stdout == "revoked before  website\n"
    assert json.loads(run("revoke", "website", "--json").stdout)["before"] is True


def test_a_name_is_given_once(run) -> None:
    run("create", "website", "--scope", "articles:write")
    done = run("create", "website", "--scope", "articles:read")
    assert isinstance(done.exception, SettingsError)
    assert done.stdout == ""


def test_the_help_tells_every_scope_and_no_other(run) -> None:
    assert tuple(api_tokens.SCOPES) == token.SCOPES
    told = run("create", "--help").stdout
    for scope in api_tokens.SCOPES:
        assert f"  {scope} " in told
