"""``dispatch publish``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk

if TYPE_CHECKING:
    from datetime import datetime

    from dispatch.newsroom.publish import Outcome


@click.command(
    epilog="""\b
Examples:
  dispatch publish article.txt
  dispatch publish stories/ "archive/2026-*.md" --out site
  dispatch publish - --desk World --published 2026-10-04T09:30+02:00 < article.txt
  dispatch publish article.txt --json | jq -r '.articles[].files.web'

Exit status: 0 all well, 1 an article was refused, 2 wrong usage."""
)
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@click.option("--desk", help="The desk it appears under; wins over the article's own.")
@click.option("--published", metavar="ISO-8601", help="The time of publication, with a zone.")
@click.option("--slug", help="How it is named in its address.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where public/, outbox/ and dispatch.db go.  [default: the current folder]",
)
@click.option("--strict", is_flag=True, help="Refuse an article that the reader was not sure of.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@talk.debug_option
def publish(
    articles: tuple[str, ...],
    desk: str | None,
    published: str | None,
    slug: str | None,
    out: Path,
    strict: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Publish finished articles: email, feeds, web page and wire copy.

    ARTICLE is a file, a folder of them, a pattern in quotes, or - for standard
    input. Publishing the same article again changes nothing; a changed one
    becomes its next version at the same address.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import publish as use_case
    from dispatch.newsroom.sources import expand

    settings = talk.load_settings()
    names = expand(articles, settings.templates)
    if not names:
        raise click.UsageError(f"There is no article in {', '.join(articles)}.")
    if slug is not None and len(names) != 1:
        raise click.UsageError(f"--slug is for one article, and there are {len(names)}.")
    options = use_case.Options(out, _one_line(desk), _time(published), slug, strict, dry_run)
    outcomes: list[Outcome] = []
    try:
        with talk.stoppable() as stopped, talk.progress(len(names), "Publishing") as step:
            watch = use_case.Watch(outcomes.append, step, _say_waiting, stopped)
            use_case.publish(names, options, settings, datetime.now(UTC), watch)
    finally:
        _tell(outcomes, as_json, dry_run)
    if len(outcomes) < len(names):
        raise KeyboardInterrupt
    if "DISPATCH_SITE_URL" not in settings.values:
        talk.hint(
            f"Links and ids begin with {settings.site_url}, and ids stay: set DISPATCH_SITE_URL "
            "to the address that public/ is served at before you publish for good."
        )
    return int(any(outcome.action == "refused" for outcome in outcomes))


def _say_waiting() -> None:
    talk.hint("Another process is publishing into this folder: waiting for it to finish.")


def _tell(outcomes: list[Outcome], as_json: bool, dry_run: bool) -> None:
    if talk.debugging():
        import traceback

        for outcome in outcomes:
            if outcome.error:
                traceback.print_exception(outcome.error)
    if as_json:
        talk.print_json({"articles": [_json(outcome) for outcome in outcomes]})
    else:
        _print(outcomes, dry_run)


def _one_line(desk: str | None) -> str | None:
    if desk is not None and (not desk.strip() or not desk.isprintable()):
        raise click.BadParameter("the desk needs a name, on one line.", param_hint="--desk")
    return desk


def _time(published: str | None) -> datetime | None:
    from dispatch.errors import ArticleError
    from dispatch.readers.times import parse_time

    if published is None:
        return None
    try:
        return parse_time(published, "published", "--published")
    except ArticleError as error:
        raise click.UsageError(str(error)) from None


def _json(outcome: Outcome) -> dict[str, object]:
    kinds = ("web", "email_html", "email_text", "eml", "wire", "wire_ascii")
    return {
        "path": outcome.path,
        "id": outcome.id,
        "version": outcome.version,
        "action": outcome.action,
        "desk": outcome.desk,
        "slug": outcome.slug,
        "headline": outcome.headline,
        "files": {kind: outcome.files.get(kind) for kind in kinds},
        "feeds": {form: outcome.feeds.get(form) for form in ("rss", "atom", "json")},
        "notes": talk.notes_json(outcome.notes),
    }


_COLOURS = {"published": "green", "updated": "green", "unchanged": None, "refused": "red"}
_NAMES = {
    "web": "web page",
    "email_html": "email",
    "email_text": "email, plain",
    "eml": "email, whole",
    "wire": "wire copy",
    "wire_ascii": "wire, ASCII",
}


def _print(outcomes: list[Outcome], dry_run: bool) -> None:
    in_full = len(outcomes) <= 3
    for outcome in outcomes:
        action = click.style(outcome.action, fg=_COLOURS[outcome.action], bold=True)
        if outcome.action == "refused":
            talk.say(f"{action}  {talk.printable(outcome.path)}")
            talk.error(outcome.notes[-1].message)
            continue
        told = f"{outcome.headline} ({outcome.desk}, version {outcome.version})"
        talk.say(f"{action}  {talk.printable(told)}")
        if in_full:
            for kind, name in _NAMES.items():
                path = outcome.files.get(kind)
                talk.say(f"  {name:<14}{talk.printable(path or 'not yet: it is embargoed')}")
            for form, path in outcome.feeds.items():
                talk.say(f"  {'feed, ' + form:<14}{talk.printable(path)}")
        for note in outcome.notes:
            if in_full or note.level == "warning":
                talk.say(talk.note(note))
    if len(outcomes) > 1:
        actions = [outcome.action for outcome in outcomes]
        counted = ", ".join(f"{actions.count(a)} {a}" for a in _COLOURS if a in actions)
        talk.say(f"{len(outcomes)} articles: {counted}.")
    if dry_run:
        talk.hint("A rehearsal: nothing was written.")
