"""``dispatch doctor``, run as a person or a machine would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.nameserver import Nameserver, serving

from dispatch.newsroom import dkim

ZONE = {
    ("example.org", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("example.org", "MX"): ["10 mx.example.org."],
    ("mx.example.org", "A"): ["192.0.2.30"],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=none; rua=mailto:dmarc@example.org"],
    ("25.2.0.192.in-addr.arpa", "PTR"): ["mail.example.org."],
    ("mail.example.org", "A"): ["192.0.2.25"],
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nameserver]:
    """The DNS of a healthy example.org, whose key is in the folder."""
    (record,) = dkim.create(tmp_path / "dkim", "example.org", {"rsa": "autumn"})
    with serving({**ZONE, (record.name, "TXT"): [record.value]}) as server:
        yield server


def run(folder: Path, server: Nameserver, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    host, port = server.address
    command = ["doctor", "--domain", "example.org", "--resolver", f"{host}:{port}", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "dispatch", *command],
        cwd=folder,
        env={**kept, "DISPATCH_SITE_URL": "https://example.org"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_healthy_domain(tmp_path: Path, server: Nameserver) -> None:
    done = run(tmp_path, server, "--ip", "192.0.2.25")
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stdout
    assert "ok       DKIM: autumn._domainkey.example.org holds the rsa key" in done.stdout
    assert done.stdout.endswith("Outlook will miss: nothing that was seen.\n")
    assert "report it as spam" in done.stderr


def test_what_is_missing_is_told_with_what_to_do(tmp_path: Path, server: Nameserver) -> None:
    server.zone = {("example.org", "MX"): ["10 mail.example.org."]}
    done = run(tmp_path, server, "--ip", "192.0.2.25")
    assert done.returncode == 1
    assert "error    SPF: example.org, where bounces go, has no SPF record.\n" in done.stdout
    assert "such as: v=spf1 ip4:192.0.2.25 -all\n" in done.stdout
    assert "Gmail will miss: SPF, DKIM, DMARC, reverse DNS.\n" in done.stdout
    assert "Outlook will miss: SPF, DKIM, DMARC.\n" in done.stdout


def test_json_is_the_whole_of_standard_output(tmp_path: Path, server: Nameserver) -> None:
    done = run(tmp_path, server, "--ip", "192.0.2.26", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert list(told) == ["domain", "return_path", "findings", "missed_by"]
    assert list(told["findings"][0]) == ["check", "level", "what", "todo", "missed_by"]
    assert told["missed_by"] == {
        "Gmail": ["reverse DNS"],
        "Yahoo": ["reverse DNS"],
        "Outlook": [],
    }


def test_a_dns_in_trouble_fails_nothing(tmp_path: Path, server: Nameserver) -> None:
    server.zone = {("*", kind): "SERVFAIL" for kind in ("TXT", "MX", "A", "AAAA", "PTR")}
    done = run(tmp_path, server)
    assert done.returncode == 0, done.stdout
    assert "unknown  SPF: This could not be looked at" in done.stdout
    assert "could not be looked at.\n" in done.stdout.splitlines(keepends=True)[-1]


def test_what_a_stranger_put_into_the_dns_cannot_steer_a_terminal(
    tmp_path: Path, server: Nameserver
) -> None:
    server.zone = {**server.zone, ("example.org", "TXT"): [b"v=spf1 \x1b]0;owned\x07\x9b31m"]}
    done = run(tmp_path, server)
    assert "owned" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x9b" not in done.stdout
    assert "\x1b" not in run(tmp_path, server, "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ip", "relay.example.org"), "relay.example.org is not an IP address"),
        (("--resolver", "dns.example.org"), "dns.example.org is not an IP address"),
        (("--resolver", "127.0.0.1:0"), "no port"),
        (("--resolver", "[::1]:x"), "no port"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, server: Nameserver, arguments: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, server, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert server.asked == []
