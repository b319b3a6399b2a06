"""``dispatch serve``, run as a person would run it: what stops it is told in a sentence."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "dispatch", "serve", *arguments],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(tmp_path, "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: 127.0.0.1:{port} cannot be listened on: something else listens there, perhaps "
        "another dispatch serve. Stop it, or choose another port with --listen or DISPATCH_LISTEN."
        "\n"
    )


def test_an_address_that_this_machine_does_not_have(tmp_path: Path) -> None:
    done = run(tmp_path, DISPATCH_LISTEN="192.0.2.1:8000")
    assert done.returncode == 1
    assert "192.0.2.1:8000 cannot be listened on: this machine does not have that" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen anywhere")
def test_a_port_of_the_system_s(tmp_path: Path) -> None:
    done = run(tmp_path, "--listen", "127.0.0.1:80")
    assert done.returncode == 1
    assert "a port below 1024 is for the system" in done.stderr


@pytest.mark.parametrize("listen", ["nowhere:80", "127.0.0.1", "127.0.0.1:99999", ":8000", ""])
def test_an_address_that_is_none(tmp_path: Path, listen: str) -> None:
    done = run(tmp_path, "--listen", listen)
    assert done.returncode == 2
    assert "--listen: it must be an IP address and a port such as 127.0.0.1:8000." in done.stderr


def test_a_setting_that_makes_no_sense(tmp_path: Path) -> None:
    done = run(tmp_path, "--listen", "127.0.0.1:0", DISPATCH_HOSTS="a/b")
    assert done.returncode == 2
    assert "The setting DISPATCH_HOSTS cannot be used: a/b is not the name of a host" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")])
def test_a_database_that_is_none(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "dispatch.db").write_text("no database " * 1000)
    done = run(tmp_path, "--listen", "127.0.0.1:0", *arguments)
    assert done.returncode == 1
    assert "Error: dispatch.db is not a database or is damaged" in done.stderr


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "uvloop", "prometheus_client"])
def test_a_package_that_is_missing(tmp_path: Path, package: str) -> None:
    """As where the extra was not installed: Python looks for the package and finds none."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name == {package!r}:\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Missing)\n"
    )
    done = run(tmp_path, "--listen", "127.0.0.1:0", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Serving needs the package {package}. "
        "Install it with: pip install 'dispatch-newsroom[serve]'\n"
    )


def test_help_imports_neither_the_server_nor_the_database(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from dispatch.cli import main\n"
        "sys.argv = ['dispatch', 'serve', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    print(*(m for m in ('starlette', 'uvicorn', 'sqlalchemy') if m in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert "--workers" in done.stdout
    assert done.stdout.endswith("\n\n") or done.stdout.splitlines()[-1] == ""


def test_a_site_whose_address_is_only_an_example_is_told_of(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    command = [sys.executable, "-m", "dispatch", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=tmp_path, env=kept, stderr=subprocess.PIPE) as running:
        assert running.stderr
        told = [json.loads(running.stderr.readline()) for _ in range(2)]
        running.kill()
    assert [line["level"] for line in told] == ["info", "warning"]
    assert "Set DISPATCH_SITE_URL (for a try-out, http://127.0.0.1:" in told[1]["message"]
