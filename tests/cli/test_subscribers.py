"""``dispatch subscribers``, run as a person or a machine would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIST = """\
email,name,tags,plan
ida@example.org,Ida Marlow,press,pro
nobody,Nobody,,
bo@example.org,Bo Lind,,
IDA@example.org,Ida Marlow,"press,vip",pro
"""


class Shell:
    """Runs ``dispatch`` in a folder of its own, with nothing configured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
        self.environment = {**kept, "NO_COLOR": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dispatch", "subscribers", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(
        self, *arguments: str, status: int = 0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        out, err = process.communicate(stdin, timeout=60)
        assert process.returncode == status, err
        return subprocess.CompletedProcess(arguments, status, out, err)

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.run(*arguments, "--json", **options).stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    return Shell(tmp_path)


def test_an_import_tells_what_it_did(shell: Shell) -> None:
    done = shell.run("import", "list.csv", "--desk", "World")
    assert done.stdout == "4 rows: 2 added, 0 updated, 0 unchanged, 1 twice in the list.\n"
    assert "Warning: 1 row refused: list.rejected.csv says why.\n" in done.stderr
    assert "world is a new desk here" in done.stderr
    refused = (shell.folder / "list.rejected.csv").read_text(encoding="utf-8").splitlines()
    assert refused[1].startswith("nobody,Nobody,,,line 3: “nobody” cannot be used")
    shell.run("remove", "ida@example.org")
    again = shell.run("import", "-", "--desk", "world", stdin="email\nida@example.org\n")
    assert again.stdout == "1 row: 0 added, 0 updated, 0 unchanged.\n1 left out: unsubscribed.\n"


def test_an_import_for_a_machine(shell: Shell) -> None:
    rehearsed = shell.json("import", "list.csv", "--desk", "world", "--dry-run")
    assert not (shell.folder / "dispatch.db").exists()
    done = shell.json("import", "list.csv", "--desk", "world", "--out", "site")
    assert (shell.folder / "site" / "dispatch.db").exists()
    assert done == {
        "rows": 4,
        "added": 2,
        "updated": 0,
        "unchanged": 0,
        "duplicates": 1,
        "refused": 1,
        "left_out": {},
        "ignored": {},
        "refused_file": "list.rejected.csv",
        "not_reached": 0,
        "stopped": False,
        "notes": done["notes"],
    }
    assert rehearsed == {**done, "refused_file": None}


def test_values_that_are_not_understood_are_told(shell: Shell) -> None:
    text = "email,lang,created_at\na@example.org,??,soon\nb@example.org,!!,\n"
    done = shell.run("import", "-", "--desk", "world", stdin=text)
    assert "row was taken: language 2 ×, time of joining 1 ×." in done.stderr


def test_a_list_of_which_nothing_can_be_used(shell: Shell) -> None:
    shell.run("import", "-", "--desk", "world", stdin="email\nnobody\n", status=1)
    assert (shell.folder / "stdin.rejected.csv").exists()
    done = shell.run("import", "-", "--desk", "world", stdin="mail addr,x\n1,2\n", status=1)
    assert done.stderr == (
        "Error: standard input has no column of email addresses. Its columns are mail addr, x; "
        "call that column email. Did you mean mail addr?\n"
    )
    missing = shell.run("import", "missing.csv", "--desk", "world", status=1)
    assert "missing.csv cannot be read: No such file" in missing.stderr


def test_an_import_that_is_stopped(shell: Shell) -> None:
    process = shell.start("import", "-", "--desk", "world")
    assert process.stdin
    process.stdin.write("email\n" + "".join(f"r{n}@example.org\n" for n in range(20_000)))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(
        "".join(f"s{n}@example.org\n" for n in range(20_000)), timeout=60
    )
    assert process.returncode == 130
    assert "Stopped" in err
    assert "added" not in out or " 0 added" in out


def test_listing_and_exporting(shell: Shell) -> None:
    shell.run("import", "list.csv", "--desk", "world")
    listed = shell.run("list", "--desk", "world")
    assert listed.stdout.splitlines() == [
        "bo@example.org  active  Bo Lind",
        "IDA@example.org  active  Ida Marlow  press, vip",
    ]
    assert listed.stderr == "2 subscribers.\n"
    (ida,) = shell.json("list", "--desk", "world", "--segment", "tag:vip and plan:pro")
    assert (ida["email"], ida["fields"]) == ("IDA@example.org", {"plan": "pro"})
    assert shell.json("list", "--desk", "world", "--state", "bounced") == []
    export = shell.run("export", "--desk", "world", "--tag", "vip")
    assert export.stdout.splitlines()[0] == (
        "email,name,language,timezone,tags,status,joined,consent_source,consent_time,consent_ip,"
        "consent_text,frequency,paused_until,plan"
    )
    assert export.stdout.splitlines()[1].startswith(
        'IDA@example.org,Ida Marlow,,,"press,vip",active'
    )


def test_what_a_reader_decided_is_shown(shell: Shell) -> None:
    (shell.folder / "chosen.csv").write_text(
        "email,frequency,paused until,consent text\n"
        "bo@example.org,daily,2036-12-24T08:00Z,Yes please\n"
    )
    shell.run("import", "chosen.csv", "--desk", "world")
    shown = shell.run("show", "bo@example.org").stdout
    assert "  consented  “Yes please”\n" in shown
    assert "  frequency  a digest a day\n" in shown
    assert "  paused     until 2036-12-24 08:00 UTC\n" in shown


def test_a_mistake_in_a_segment_is_pointed_at(shell: Shell) -> None:
    shell.run("import", "list.csv", "--desk", "world")
    done = shell.run("list", "--desk", "world", "--segment", "tag;vip and plan:pro", status=1)
    assert done.stderr == (
        "Error: The segment cannot be understood:\n"
        "  tag;vip and plan:pro\n"
        "     ^ expected : and a value, did you mean tag:vip?\n"
    )


def test_one_persons_life(shell: Shell) -> None:
    add = ["add", "ida@example.org", "--desk", "world"]
    assert (
        shell.run(*add, "--name", "Ida", "--tag", "vip").stdout
        == "added  ida@example.org (world)\n"
    )
    assert shell.json(*add) == {"email": "ida@example.org", "desk": "world", "action": "unchanged"}
    assert shell.json("remove", "ida@example.org")["desks"] == ["world"]
    assert "--consent" in shell.run(*add, status=1).stderr
    shell.run(*add, "--consent", "wrote to the desk", "--consent-ip", "192.0.2.7")
    shown = shell.run("show", "Ida@Example.org").stdout
    assert shown.startswith("ida@example.org  world  active\n")
    assert "  consent    wrote to the desk, 20" in shown
    assert " UTC, from 192.0.2.7\n" in shown
    assert "active → unsubscribed: removed by the desk\n" in shown
    suppress = ["suppress", "ida@example.org", "--reason", "asked by letter"]
    assert shell.json(*suppress)["desk"] is None
    assert "suppressed by every desk" in shell.run("show", "ida@example.org").stdout
    assert "unsuppress ida@example.org" in shell.run(*add, status=1).stderr
    shell.run("unsuppress", "ida@example.org")
    assert shell.json("forget", "ida@example.org") == {"desks": 1, "forgotten": True}
    assert shell.json("show", "ida@example.org")["subscriptions"] == []
    assert "asked to be forgotten" in shell.run("show", "ida@example.org").stdout
    nobody = shell.run("show", "bo@example.org", status=1)
    assert nobody.stdout == "Nothing is known of bo@example.org.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "ida@example.org"],
        ["add", "ida@example.org", "--desk", "world", "--consent-ip", "192.0.2.7"],
        ["remove", "ida@example.org", "--desk", "world", "--all"],
        ["suppress", "ida@example.org"],
        ["list", "--desk", "world", "--state", "gone"],
        ["list", "--desk", "world", "--limit", "0"],
    ],
)
def test_wrong_usage(shell: Shell, arguments: list[str]) -> None:
    shell.run(*arguments, status=2)


@pytest.mark.parametrize("desk", ["../x", "", "///"])
def test_what_is_no_name_of_a_desk(shell: Shell, desk: str) -> None:
    done = shell.run("add", "ida@example.org", "--desk", desk, status=1)
    assert done.stderr.startswith("Error: The desk ")
    assert not (shell.folder / "dispatch.db").exists()


def test_what_a_stranger_wrote_cannot_steer_the_terminal(shell: Shell) -> None:
    text = 'email,name,source\nida@example.org,"\x1b[2J\x07Ida","\x9b31m"\n\x1b[31m@x,,\n'
    shell.run("import", "-", "--desk", "world", stdin=text)
    for done in (shell.run("list", "--desk", "world"), shell.run("show", "ida@example.org")):
        assert not set("\x1b\x07\x9b") & set(done.stdout + done.stderr)
    assert "\x1b" not in (shell.folder / "stdin.rejected.csv").read_text().split("line 3")[1]
