"""``dispatch rebuild``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from dispatch.newsroom.rebuild import Rebuilt


@click.command(
    epilog="""\b
Examples:
  dispatch rebuild
  dispatch rebuild --desk world --out site

Exit status: 0 done, 1 it could not be written, 2 wrong usage, 130 stopped with Ctrl-C: run it
again.""",
)
@click.option("--desk", help="The desk to write again.  [default: all of them]")
@out_option
@json_option
@talk.debug_option
def rebuild(desk: str | None, out: Path, as_json: bool) -> None:
    """Write pages and feeds again: after a change of templates or settings.

    They are made of what the database keeps. Nothing is published that was not, no version or
    address changes, and nothing is mailed. Where DISPATCH_ACCESS has changed, what must not be
    there any more is removed.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import rebuild as use_case
    from dispatch.newsroom.subscribers import slug_of

    settings = talk.load_settings()
    slug = None if desk is None else slug_of(desk)
    done: list[Rebuilt] = []
    with talk.stoppable() as stopped:
        watch = use_case.Watch(done.append if as_json else _print, _say_waiting, stopped)
        use_case.rebuild(slug, out, settings, datetime.now(UTC), watch)
        if stopped():
            raise KeyboardInterrupt
    if as_json:
        talk.print_json({"desks": [_json(each) for each in done]})


def _say_waiting() -> None:
    talk.hint("Another process is publishing into this folder: waiting for it to finish.")


def _print(done: Rebuilt) -> None:
    articles = "1 article" if done.articles == 1 else f"{done.articles:,} articles"
    removed = f", {done.removed:,} files removed" if done.removed else ""
    talk.say(talk.printable(f"{done.desk} ({done.access}): {articles} written again{removed}."))
    for path in done.left:
        talk.warning(
            f"{path} is of a desk that is private now. Dispatch did not write it, and leaves it: "
            "move it away if nobody is to see it."
        )


def _json(done: Rebuilt) -> dict[str, object]:
    return {
        "desk": done.desk,
        "access": done.access,
        "articles": done.articles,
        "removed": done.removed,
        "left": list(done.left),
    }
