"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def out_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--out``: the folder that holds the database."""
    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        help="Where dispatch.db is, with public/ and outbox/.  [default: the current folder]",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")(
        command
    )
