"""What is in deploy/: systemd understands the units, and Dispatch what they start."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.conftest import ROOT
from tests.needs import needed

from dispatch.cli import dispatch

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def understood(words: list[str]) -> dict[str, object]:
    """What Dispatch makes of a command; fails where it is none."""
    name, *arguments = words
    command = dispatch.commands[name]
    return command.make_context(name, arguments, parent=click.Context(dispatch)).params


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def test_there_is_one_for_each_of_the_two() -> None:
    assert [unit.name for unit in UNITS] == ["dispatch-run.service", "dispatch-serve.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    (start,) = values(unit, "ExecStart")
    program, *words = shlex.split(start)
    assert program == "/opt/dispatch/bin/dispatch"
    (state,) = values(unit, "StateDirectory")
    assert understood(words)["out"] == Path("/var/lib") / state
    assert values(unit, "WorkingDirectory") == [f"/var/lib/{state}"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_it_and_finds_it_hardened(unit: Path, tmp_path: Path) -> None:
    needed(shutil.which("systemd-analyze"), "systemd-analyze")
    text = unit.read_text("utf-8").replace("/opt/dispatch/bin/dispatch", sys.executable)
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    secured = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", copy],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert secured.returncode == 0, secured.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_as_the_user_that_is_made_for_it(unit: Path) -> None:
    users = re.findall(r"^u (\S+)", (DEPLOY / "dispatch.sysusers").read_text("utf-8"), re.MULTILINE)
    assert values(unit, "User") == values(unit, "Group") == users


def test_there_is_time_to_finish_what_is_under_way() -> None:
    from dispatch.web.server.serving import GRACE

    (stop,) = values(DEPLOY / "dispatch-serve.service", "TimeoutStopSec")
    assert int(stop) > GRACE


def test_the_image_starts_what_there_is_and_not_as_root() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    said = dict(re.findall(r"^(ENTRYPOINT|CMD|USER|WORKDIR) (.*)$", text, re.MULTILINE))
    assert json.loads(said["ENTRYPOINT"]) == ["dispatch"]
    assert understood(json.loads(said["CMD"]))["workers"] == 1
    assert said["USER"].partition(":")[0] not in ("", "0", "root")
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for name in copied.split():
            assert (ROOT / name).exists(), name
    check = json.loads(text.partition("HEALTHCHECK")[2].partition("CMD")[2].partition("\n")[0])
    compile(check[2], "the health check", "exec")


def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not(
    tmp_path: Path,
) -> None:
    from tests.web.process import serving

    text = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    check = json.loads(text.partition("HEALTHCHECK")[2].partition("CMD")[2].partition("\n")[0])

    def healthy(port: int) -> bool:
        program = check[2].replace(":8000", f":{port}")
        return (
            subprocess.run(
                [sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=False
            ).returncode
            == 0
        )

    with serving(tmp_path / "site") as server:
        assert healthy(server.port)
    assert not healthy(server.port)
