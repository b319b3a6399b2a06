"""``dispatch mailing``: what became of what was sent, and what is to become of the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from dispatch.newsroom.clicks import Figures
    from dispatch.newsroom.mailings import Mailing

_STATES = (
    "queued", "leased", "accepted", "deferred", "bounced", "suppressed", "cancelled", "in-doubt",
)  # fmt: skip


def _number_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """``NUMBER``: which mailing."""
    return click.argument("number", type=click.IntRange(1, 999_999_999))(command)


@click.group()
def mailing() -> None:
    """Mailings: who got what, and pausing, going on, cancelling.

    A mailing is the sending of one edition; its number is the edition's.
    """


@mailing.command(
    "list",
    epilog="""\b
Examples:
  dispatch mailing list
  dispatch mailing list --desk world --json | jq '.mailings[0].counts'
  dispatch mailing list --all             # with confirmations and welcomes""",
)
@click.option("--desk", help="Only this desk's.")
@click.option(
    "--all",
    "all_",
    is_flag=True,
    help="With the mail that Dispatch writes: to confirm, to welcome.",
)
@out_option
@json_option
@talk.debug_option
def list_mailings(desk: str | None, all_: bool, out: Path, as_json: bool) -> None:
    """List the mailings, the newest first."""
    from dispatch.newsroom import mailings

    found = mailings.every(out, desk, on_demand=all_)
    if as_json:
        talk.print_json({"mailings": [m.to_json() for m in found]})
        return
    if not found:
        talk.say("There is no mailing yet: dispatch send makes one.")
    for one in found:
        talk.say(
            talk.printable(
                f"{one.number:>5}  {one.made:%Y-%m-%d %H:%M}  {one.desk:<14} {one.state:<10}"
                f"{one.counts['accepted']:>9,} of {one.candidates:,} accepted  {one.subject}"
            )
        )


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing show 3
  dispatch mailing show 3 --json | jq .counts"""
)
@_number_argument
@out_option
@json_option
@talk.debug_option
def show(number: int, out: Path, as_json: bool) -> None:
    """Show a mailing: its edition, its state, and how many copies are in which state."""
    from dispatch.newsroom import mailings

    found = mailings.show(out, number)
    if as_json:
        talk.print_json(found.to_json())
    else:
        print_mailing(found)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing recipients 3
  dispatch mailing recipients 3 --state in-doubt
  dispatch mailing recipients 3 --email ann@example.org --json"""
)
@_number_argument
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--email", help="Only this address.")
@out_option
@json_option
@talk.debug_option
def recipients(number: int, state: str | None, email: str | None, out: Path, as_json: bool) -> None:
    """List the recipients of a mailing, and what became of each one's copy."""
    from dispatch.newsroom import mailings

    wanted = state.replace("-", "_") if state else None
    with mailings.recipients(out, number, wanted, email) as found:
        if as_json:
            talk.stream_json(row.to_json() for row in found)
            return
        for row in found:
            at = f"{row.at:%Y-%m-%d %H:%M:%S}" if row.at else "–"
            who = row.email or "(forgotten)"
            line = f"{row.state.replace('_', ' '):<11} {at:<19} {who}  {row.reply or ''}"
            talk.say(talk.printable(line.rstrip()))


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing pause 3

A process that is sending it stops within a second; what is in flight is finished."""
)
@_number_argument
@out_option
@json_option
@talk.debug_option
def pause(number: int, out: Path, as_json: bool) -> None:
    """Pause a mailing that is being sent or is scheduled."""
    from dispatch.newsroom import mailings

    _told(mailings.pause(out, number, mailings.now()), as_json)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing resume 3
  dispatch mailing resume 3 --later      # leave the sending to `dispatch run`"""
)
@_number_argument
@click.option("--later", is_flag=True, help="Leave the sending to dispatch run.")
@out_option
@json_option
@talk.debug_option
def resume(number: int, later: bool, out: Path, as_json: bool) -> int:
    """Go on with a mailing that was paused, held or cut off, and send what is due."""
    from dispatch.cli.send import send_now
    from dispatch.newsroom import mailings

    settings = talk.load_settings()
    found = mailings.resume(out, number, mailings.now())
    if later:
        _told(found, as_json)
        return 0
    return send_now(out, number, settings, as_json)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing cancel 3

Copies that are still waiting are cancelled; those that left have left."""
)
@_number_argument
@out_option
@json_option
@talk.debug_option
def cancel(number: int, out: Path, as_json: bool) -> None:
    """Cancel what is left of a mailing, for good."""
    from dispatch.newsroom import mailings

    _told(mailings.cancel(out, number, mailings.now()), as_json)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing retry 3 --state deferred     # now, not when they are due
  dispatch mailing retry 3 --state in-doubt     # some may get it twice: you decide"""
)
@_number_argument
@click.option(
    "--state",
    type=click.Choice(["deferred", "in-doubt", "bounced"]),
    required=True,
    help="Which copies are sent again.",
)
@click.option("--later", is_flag=True, help="Leave the sending to dispatch run.")
@out_option
@json_option
@talk.debug_option
def retry(number: int, state: str, later: bool, out: Path, as_json: bool) -> int:
    """Send copies again that were deferred, bounced or are in doubt."""
    from dispatch.cli.send import send_now
    from dispatch.newsroom import mailings

    settings = talk.load_settings()
    found, sentence = mailings.retry(out, number, state.replace("-", "_"), mailings.now())
    talk.hint(sentence)
    if later:
        _told(found, as_json)
        return 0
    return send_now(out, number, settings, as_json)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing replay 3 --to ann@example.org > message.eml"""
)
@_number_argument
@click.option("--to", "email", required=True, metavar="ADDRESS", help="Whose copy.")
@out_option
@json_option
@talk.debug_option
def replay(number: int, email: str, out: Path, as_json: bool) -> None:
    """Print the exact message that somebody got, byte for byte."""
    from dispatch.newsroom import mailings

    settings = talk.load_settings()
    message = mailings.replay(out, number, email, settings, mailings.now())
    if as_json:
        talk.print_json(
            {
                "mailing": number,
                "email": email,
                "return_path": message.sender,
                "message": message.data.decode("utf-8"),
            }
        )
    else:
        sys.stdout.buffer.write(message.data)


@mailing.command(
    epilog="""\b
Examples:
  dispatch mailing verify 3 && echo proven

Exit status: 0 all of it holds, 1 something does not."""
)
@_number_argument
@out_option
@json_option
@talk.debug_option
def verify(number: int, out: Path, as_json: bool) -> int:
    """Prove the sums: every candidate in one state, everything stored as it was frozen."""
    from dispatch.newsroom import mailings

    found = mailings.verify(out, number)
    if as_json:
        talk.print_json(found.to_json())
    else:
        talk.say(found.equation)
        for finding in found.findings:
            talk.error(finding)
        if not found.findings:
            talk.say(
                f"Mailing {number} is proven: no recipient in two states, "
                f"{found.files} stored files as they were frozen."
            )
    return int(bool(found.findings))


def print_mailing(found: Mailing) -> None:
    """A mailing for a person."""
    rows = {
        "mailing": str(found.number),
        "desk": found.desk,
        "subject": found.subject,
        "segment": found.segment,
        "state": found.state + (f": {found.reason}" if found.reason else ""),
        "made": f"{found.made:%Y-%m-%d %H:%M:%S %Z}",
        "due": f"{found.due:%Y-%m-%d %H:%M:%S %Z}",
        "started": found.started and f"{found.started:%Y-%m-%d %H:%M:%S %Z}",
        "finished": found.finished and f"{found.finished:%Y-%m-%d %H:%M:%S %Z}",
    }
    for name, value in rows.items():
        if value:
            talk.say(f"{name:<12}{talk.printable(value)}")
    talk.say(f"{'candidates':<12}{found.candidates:,}")
    for state, count in found.counts.items():
        if count:
            talk.say(f"  {state.replace('_', ' '):<12}{count:>10,}")
            for reason, times in found.reasons.get(state, {}).items():
                talk.say(talk.printable(f"    {times:>18,}  {reason or 'no reason is given'}"))
    if found.figures and (found.figures.clicks or found.figures.opens is not None):
        _print_figures(found.figures)


def _print_figures(found: Figures) -> None:
    """Clicks and openings, as what they are: programs click and open, too."""
    if found.opens is not None:
        talk.say(f"{'openings':<12}about {found.opens:,}")
    if found.clicks:
        talk.say(f"{'clicks':<12}about {sum(count for _, count in found.clicks):,}")
    for url, count in found.clicks:
        if count:
            talk.say(talk.printable(f"    {count:>18,}  {url}"))


def _told(found: Mailing, as_json: bool) -> None:
    if as_json:
        talk.print_json(found.to_json())
    else:
        print_mailing(found)
