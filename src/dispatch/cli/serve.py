"""``dispatch serve``."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import talk
from dispatch.cli.options import out_option


@click.command(
    epilog="""\b
Examples:
  dispatch serve
  dispatch serve --out /srv/dispatch""",
)
@out_option
@talk.debug_option
def serve(out: Path) -> None:
    """Serve feeds, pages, sign-up and the API over HTTP."""
    from dispatch.web import serving

    serving.serve(out, talk.load_settings())
