"""nginx with the configuration that ships in ``deploy/``, on ports of this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import needed

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
_SITE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
_MAIN = """\
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
_PATIENCE = 20


@contextmanager
def nginx(folder: Path, public: Path, application: int) -> Iterator[int]:
    """nginx in front of an application; yields its port.

    What is replaced in the configuration is what its first lines tell people to replace, and the
    ports; it is without TLS.

    Args:
        folder: for its files; made.
        public: the files that it serves.
        application: the port of ``dispatch serve``.
    """
    needed(PROGRAM, "nginx")
    folder.mkdir()
    port, other = _free_port(), _free_port()
    site = _SITE.read_text(encoding="utf-8")
    for pattern, replacement in (
        (r"(?m)^ *(?:ssl_certificate.*|listen \[::\].*)\n", ""),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        (r"listen 80;", f"listen 127.0.0.1:{other};"),
        (r"/srv/newsroom/public", str(public)),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{application}"),
    ):
        site, count = re.subn(pattern, replacement, site)
        assert count, f"deploy/nginx.conf has no {pattern}"
    (folder / "site.conf").write_text(site, encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user), encoding="utf-8")
    command = [str(PROGRAM), "-p", str(folder), "-e", str(folder / "error.log")]
    server = subprocess.Popen([*command, "-c", str(folder / "nginx.conf")])
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(_PATIENCE)
    complaints = (folder / "error.log").read_text(encoding="utf-8")
    assert "[warn]" not in complaints, complaints


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, "nginx did not start: see its error.log"
            assert time.monotonic() < until, "nginx does not listen"
            time.sleep(0.01)
        else:
            return
