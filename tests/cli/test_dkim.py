"""``dispatch dkim``, run as a person or a machine would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from dispatch.mailing.dkim import load


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "dispatch", "dkim", *arguments],
        cwd=folder,
        env={**kept, **settings},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_create_makes_a_key_and_says_what_to_publish(tmp_path: Path) -> None:
    done = run(tmp_path, "create", "--domain", "News.example.org")
    assert done.returncode == 0, done.stderr
    (key,) = load(tmp_path / "dkim")
    assert (key.domain, key.algorithm) == ("news.example.org", "rsa")
    assert f"dkim/news.example.org/{key.selector}.pem" in done.stdout
    assert f"  {key.name}\n  {key.record}\n" in done.stdout
    assert f"{key.name}. IN TXT (" in done.stdout
    assert "dispatch doctor --domain news.example.org" in done.stderr
    assert "PRIVATE" not in done.stdout + done.stderr


def test_create_takes_the_desks_own_domain(tmp_path: Path) -> None:
    sender = {"DISPATCH_FROM__WORLD": "World <world@courier.example>", "DISPATCH_DKIM": "keys"}
    done = run(tmp_path, "create", "--desk", "World", "--algorithm", "ed25519", **sender)
    assert done.returncode == 0, done.stderr
    assert [key.domain for key in load(tmp_path / "keys")] == ["courier.example"]


def test_json_is_the_whole_of_standard_output(tmp_path: Path) -> None:
    arguments = ("--domain", "example.org", "--selector", "spring", "--algorithm", "both", "--json")
    made = json.loads(run(tmp_path, "create", *arguments).stdout)
    assert made == json.loads(run(tmp_path, "show", "--json").stdout) | {"keys": made["keys"]}
    assert [key["selector"] for key in made["keys"]] == ["spring-rsa", "spring-ed25519"]
    rsa = made["keys"][0]
    assert list(rsa) == [
        "domain", "selector", "algorithm", "file", "name", "value", "strings", "zone",
    ]  # fmt: skip
    assert rsa["name"] == "spring-rsa._domainkey.example.org"
    assert "".join(rsa["strings"]) == rsa["value"]


def test_a_second_create_changes_nothing_unless_forced(tmp_path: Path) -> None:
    arguments = ("create", "--domain", "example.org", "--selector", "a", "--algorithm", "ed25519")
    run(tmp_path, *arguments)
    before = load(tmp_path / "dkim")[0].record
    refused = run(tmp_path, *arguments)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("Error: There is a DKIM key dkim/example.org/a.pem already")
    assert load(tmp_path / "dkim")[0].record == before
    assert run(tmp_path, *arguments, "--force").returncode == 0
    assert load(tmp_path / "dkim")[0].record != before


def test_show_says_so_where_there_is_no_key(tmp_path: Path) -> None:
    done = run(tmp_path, "show", "--domain", "example.org")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no DKIM key for example.org")


def test_a_domain_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "create", "--domain", "../elsewhere")
    assert done.returncode == 1
    assert "is not a domain" in done.stderr
    assert list(tmp_path.iterdir()) == []
