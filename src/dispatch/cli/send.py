"""``dispatch send``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from datetime import datetime

    from dispatch.newsroom.send import Order, Plan
    from dispatch.settings import Settings

_MANY = 100_000
"""Candidates that are not written down at once: whoever waits is told what for."""


@click.command(
    epilog="""\b
Examples:
  dispatch send article.txt --desk world --dry-run
  dispatch send article.txt --desk world --test you@example.org
  dispatch send article.txt --desk world
  dispatch send lead.txt second.md third.md --desk world --subject "The morning briefing"
  dispatch send article.txt --desk world --segment "tag:premium and language:de"
  dispatch send article.txt --desk world --at "2026-11-25 07:00 Europe/Paris"
  dispatch send article.txt --desk world --at 07:00 --local-time

Exit status: 0 all due copies were handed on, 1 refused or stopped by an error, 2 wrong usage,
130 paused with Ctrl-C."""
)
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@click.option("--desk", required=True, help="Whose subscribers get it.")
@click.option("--subject", help="Instead of the headline.")
@click.option("--segment", metavar="EXPRESSION", help='Only these, such as "tag:premium".')
@click.option("--test", multiple=True, metavar="ADDRESS", help="Send a test copy there, no more.")
@click.option("--at", metavar="TIME", help="When dispatch run is to send it.")
@click.option("--local-time", is_flag=True, help="--at is in each subscriber's own time zone.")
@click.option("--again", is_flag=True, help="Although it was sent before; some get it twice.")
@click.option(
    "--in-doubt",
    type=click.Choice(["hold", "resend"]),
    help="What is done with copies that may or may not have been taken.  [default: hold]",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@out_option
@json_option
@talk.debug_option
def send(
    articles: tuple[str, ...],
    desk: str,
    subject: str | None,
    segment: str | None,
    test: tuple[str, ...],
    at: str | None,
    local_time: bool,
    again: bool,
    in_doubt: str | None,
    dry_run: bool,
    yes: bool,
    out: Path,
    as_json: bool,
) -> int:
    """Send articles to a desk's subscribers, each once.

    One ARTICLE makes an article newsletter, several a digest; what is not
    published yet is published first. Ctrl-C pauses; nothing is lost and nobody
    gets it twice, whatever happens: dispatch mailing resume goes on.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import send as use_case
    from dispatch.newsroom.sources import expand

    settings = talk.load_settings()
    if local_time and at is None:
        raise click.UsageError("--local-time needs the time: --at 07:00 --local-time.")
    names = expand(articles, settings.templates)
    if not names:
        raise click.UsageError(f"There is no article in {', '.join(articles)}.")
    order = use_case.Order(
        out=out,
        names=tuple(names),
        desk=desk,
        subject=subject,
        segment=segment,
        at=at,
        local_time=local_time,
        again=again,
        in_doubt=in_doubt or settings.in_doubt,
    )
    now = datetime.now(UTC)
    _warn_of_examples(settings)
    if test:
        return _test(order, settings, now, test, as_json)
    plan = use_case.rehearse(order, settings, now)
    if dry_run:
        _print_plan(plan, as_json)
        talk.hint("A rehearsal: nothing was written and nothing was sent.")
        return 0
    use_case.refuse(plan)
    asked = not yes and sys.stdin.isatty()
    if asked:
        for line in _in_numbers(plan):
            talk.hint(line)
    _remark(plan)
    if not talk.confirmed(_question(plan), "Nothing was sent.", asked=asked):
        return 1
    if plan.candidates >= _MANY:
        talk.hint(f"Writing down {plan.candidates:,} candidates. This takes a moment.")
    made = use_case.make(order, settings, now)
    talk.hint(f"Mailing {made.mailing}: {made.recipients:,} recipients of {made.candidates:,}.")
    if made.scheduled:
        if as_json:
            talk.print_json(made.to_json())
        talk.hint(f"It leaves at {made.due:%Y-%m-%d %H:%M %Z}: dispatch run must be running then.")
        return 0
    return send_now(out, made.mailing, settings, as_json)


def send_now(out: Path, number: int, settings: Settings, as_json: bool) -> int:
    """Send what is due of a mailing, with a progress bar; the exit status."""
    from dispatch.cli.mailing import print_mailing
    from dispatch.newsroom import mailings, rounds, sending

    before = mailings.show(out, number)
    with (
        talk.stoppable(terminate=True) as stopped,
        talk.progress(before.waiting, "Sending") as step,
    ):
        run = sending.send(out, number, settings, sending.Follower(step, talk.hint, stopped))
    rounds.after_sending(out, settings, talk.hint)
    after = mailings.show(out, number)
    if as_json:
        talk.print_json({**after.to_json(), "sent_in_seconds": round(run.seconds, 3)})
    else:
        print_mailing(after)
    if after.state == "scheduled":
        talk.hint(f"It leaves at {after.due:%Y-%m-%d %H:%M %Z}: dispatch run must be running then.")
    for sentence in sending.advice(after, run):
        talk.hint(sentence)
    if run.stopped:
        return 130
    return int(bool(run.unreachable) or after.state in ("paused", "held"))


def _warn_of_examples(settings: Settings) -> None:
    """Where the newsletter would bear an address that was never the desk's."""
    examples = {
        "DISPATCH_SITE_URL": "sender, links and unsubscribing lead to",
        "DISPATCH_POSTAL_ADDRESS": "the footer names",
    }
    for name, what in examples.items():
        if not any(variable.startswith(name) for variable in settings.values):
            talk.warning(
                f"{name} is not set: {what} an example. Set it before you send to anybody."
            )


def _test(
    order: Order, settings: Settings, now: datetime, test: tuple[str, ...], as_json: bool
) -> int:
    from dispatch.newsroom import trial_copies

    sent = trial_copies.send(order, settings, now, test)
    if as_json:
        talk.print_json({"test": [copy.to_json() for copy in sent]})
    else:
        for copy in sent:
            talk.say(talk.printable(f"{copy.state}  {copy.email}  {copy.reply}"))
    return int(any(copy.state != "accepted" for copy in sent))


def _question(plan: Plan) -> str:
    if plan.scheduled:
        return f"Schedule it for {plan.recipients:,} recipients?"
    return f"Send it to {plan.recipients:,} recipients now?"


def _print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        talk.print_json(plan.to_json())
    else:
        for line in _in_numbers(plan):
            talk.say(line)
    _remark(plan)


def _remark(plan: Plan) -> None:
    for sentence in plan.warnings:
        talk.warning(sentence)
    for note in plan.notes:
        talk.remark(note)


def _in_numbers(plan: Plan) -> Iterator[str]:
    """A mailing for a person, line by line."""
    yield f"{'desk':<12}{talk.printable(plan.desk)}"
    yield f"{'subject':<12}{talk.printable(plan.subject)}"
    yield f"{'leaves':<12}{plan.leaves}"
    yield f"{'takes':<12}{plan.takes}"
    yield f"{'candidates':<12}{plan.candidates:,}"
    yield f"  {'recipients':<34}{plan.recipients:>10,}"
    for domain, count in plan.domains:
        yield f"    {talk.printable(domain):<32}{count:>10,}"
    for reason, count in plan.excluded:
        yield f"  {talk.printable('not: ' + reason):<34}{count:>10,}"
