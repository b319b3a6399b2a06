"""``dispatch run``."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import talk
from dispatch.cli.options import out_option


@click.command(
    epilog="""\b
Examples:
  dispatch run
  dispatch run --once      # what is due now, for cron

It works off sign-ups, digests, schedules and retries, keeps the archive, tells WebSub hubs of
changes, reads bounces every five minutes where DISPATCH_BOUNCES is set, and stays. On one machine
it is the whole engine; two at once do no harm."""
)
@click.option("--once", is_flag=True, help="Work off what is due now, then end.")
@out_option
@talk.debug_option
def run(once: bool, out: Path) -> int:
    """Do what is due: sign-ups, digests, schedules, retries, mailings that were cut off."""
    from dispatch.newsroom import rounds, sending

    settings = talk.load_settings()
    with talk.stoppable(terminate=True) as stopped:
        follower = sending.Follower(said=talk.hint, stopped=stopped)
        if once:
            rounds.once(out, settings, talk.hint)
            ended = sending.run(out, settings, follower, once=True)
            rounds.after_sending(out, settings, talk.hint)
        else:
            with rounds.rounds(out, settings, talk.hint):
                ended = sending.run(out, settings, follower, once=False)
    return int(bool(ended.unreachable))
