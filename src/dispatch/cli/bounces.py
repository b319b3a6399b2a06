"""``dispatch bounces``: what comes back by mail."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from dispatch.newsroom.bounces import Tally

_WORDS = {
    "bounced_hard": "{} came back for good: nobody is there, and those subscribers get no more.",
    "bounced_soft": "{} came back this time: counted, and after several in a row it is for good.",
    "complaints": "{} complained of spam: those subscribers get no more from the desk.",
    "unsubscribed": "{} asked to be left out, and are.",
    "ignored": "{} ignored: automatic answers, notices of delay or delivery.",
    "duplicates": "{} said what was known.",
    "unknown": "{} not understood: left unread, nothing was done.",
    "forged": "{} with a token that was not signed here: left unread, nothing was done.",
}


@click.group()
def bounces() -> None:
    """What comes back by mail: bounces, complaints, unsubscribe messages."""


@bounces.command(
    epilog="""\b
Examples:
  dispatch bounces read ~/Maildir
  dispatch bounces read /var/mail/bounces --json
  dispatch bounces read imaps://bounces:secret@mail.example.org/INBOX
  dispatch bounces read - --recipient "$ORIGINAL_RECIPIENT" --out /srv/news < message.eml

Exit status: 0 all is read, 1 it cannot be read, 2 wrong usage. For - any error is 75, so that
the mail server keeps the message and tries again."""
)
@click.argument("source", required=False, metavar="[SOURCE]")
@click.option("--recipient", metavar="ADDRESS", help="For -: the address the message came to.")
@click.option("--again", is_flag=True, help="Also those that were not understood before.")
@out_option
@json_option
@talk.debug_option
def read(source: str | None, recipient: str | None, again: bool, out: Path, as_json: bool) -> int:
    """Read bounces, complaints and unsubscribe messages, and act on them.

    SOURCE is a Maildir, an mbox file, imaps:// and an IMAP folder, a message or
    a folder of .eml files, or - for one message on standard input; without it
    the one that DISPATCH_BOUNCES names. Nothing is deleted or answered. Only a
    message with a token that was signed here changes anything.
    """
    if recipient is not None and source != "-":
        raise click.UsageError("--recipient is for a message on standard input: SOURCE must be -.")
    if source == "-":
        return _read_from_pipe(recipient, again, out, as_json)
    return _read(source, recipient, again, out, as_json)


@bounces.command(
    "list",
    epilog="""\b
Examples:
  dispatch bounces list
  dispatch bounces list --desk world --limit 500 --json""",
)
@click.option("--desk", help="Only this desk's.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@out_option
@json_option
@talk.debug_option
def list_bounces(desk: str | None, limit: int, out: Path, as_json: bool) -> None:
    """List what came back, the newest first."""
    from dispatch.newsroom import bounces as use_case

    found = use_case.recent(out, desk, limit)
    if as_json:
        rows = [
            {
                "at": row.at.isoformat(),
                "kind": row.kind,
                "status": row.status,
                "reason": row.reason,
                "mailing": row.edition,
                "email": row.email,
            }
            for row in found
        ]
        talk.print_json({"bounces": rows})
        return
    if not found:
        talk.say("Nothing came back so far.")
    for row in found:
        told = f"{row.at:%Y-%m-%d %H:%M}  {row.kind:<11} {row.email}  mailing {row.edition}"
        talk.say(talk.printable(f"{told}  {row.status or ''} {row.reason}".rstrip()))


def _read(source: str | None, recipient: str | None, again: bool, out: Path, as_json: bool) -> int:
    from datetime import UTC, datetime

    from dispatch.newsroom import bounces as use_case

    settings = talk.load_settings()
    order = use_case.Order(out, source, recipient, again)
    with talk.stoppable() as stopped:
        tally = use_case.read(order, settings, lambda: datetime.now(UTC), sys.stdin.buffer, stopped)
    if as_json:
        talk.print_json(tally.to_json())
    else:
        _print(tally)
    return 0


def _read_from_pipe(recipient: str | None, again: bool, out: Path, as_json: bool) -> int:
    """As :func:`_read`; whatever goes wrong, the mail server must keep the message."""
    try:
        return _read("-", recipient, again, out, as_json)
    except Exception as error:
        if talk.debugging():
            raise
        from dispatch.errors import DispatchError

        told = str(error) if isinstance(error, DispatchError) else f"{type(error).__name__}."
        talk.error(f"The message was not dealt with: {told}")
        return os.EX_TEMPFAIL


def _print(tally: Tally) -> None:
    talk.say(f"Read {tally.read:,} {'message' if tally.read == 1 else 'messages'}.")
    for outcome, words in _WORDS.items():
        count = tally.to_json()[outcome]
        if count:
            talk.say("  " + words.format(f"{count:,}"))
    for name, why in tally.unclear:
        talk.hint(f"{name}: {why}")
