"""``dispatch serve``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import out_option

if TYPE_CHECKING:
    from types import ModuleType

_PACKAGES = (
    "brotli",
    "httptools",
    "msgspec",
    "prometheus_client",
    "python_multipart",
    "starlette",
    "uvicorn",
    "uvloop",
    "zstandard",
)


@click.command(
    epilog="""\b
Examples:
  dispatch serve
  dispatch serve --out /srv/dispatch --listen 127.0.0.1:8080
  dispatch serve --workers 4

Ctrl-C or SIGTERM: what is under way is answered before it ends; a second one ends it at once.
docs/serving.md tells of proxies, TLS, metrics and logs.

Exit status: 0 it was told to stop, 1 it could not be started, 2 wrong usage or settings."""
)
@click.option(
    "--listen",
    metavar="IP:PORT",
    help="Where to listen; port 0 is any that is free.  [default: DISPATCH_LISTEN]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    help="Processes that share the work.  [default: 1]",
)
@out_option
@talk.debug_option
def serve(listen: str | None, workers: int, out: Path) -> int:
    """Serve feeds, pages, sign-up and the API over HTTP."""
    settings = talk.load_settings()
    if listen is not None:
        settings = replace(settings, listen=_address(listen))
    return int(_serving().serve(out, settings, processes=workers, debug=talk.debugging()))


def _address(text: str) -> tuple[str, int]:
    from dispatch.errors import SettingsError
    from dispatch.settings import load, variable

    try:
        return load({variable("listen"): text or "none"}).listen
    except SettingsError:
        raise click.BadParameter(
            "it must be an IP address and a port such as 127.0.0.1:8000.", param_hint="--listen"
        ) from None


def _serving() -> ModuleType:
    """The server, which needs packages that others need not have.

    Raises:
        OutputError: they are not installed.
    """
    from importlib.util import find_spec

    from dispatch.errors import OutputError

    for package in _PACKAGES:
        try:
            found = find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise OutputError(
                f"Serving needs the package {package}. "
                "Install it with: pip install 'dispatch-newsroom[serve]'"
            )
    from dispatch.web.server import serving

    return serving
