"""``dispatch catch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk

if TYPE_CHECKING:
    from dispatch.newsroom.catch import Message, Report, Tally

_LINES = 20
"""Lines a second that a person can look at; more become a counter."""

_SHOWN = 10
"""Senders and subjects in the summary; ``--json`` has them all."""

_percent = click.FloatRange(0, 100)


@click.command(
    epilog="""\b
Examples:
  dispatch catch
  dispatch catch --text
  dispatch catch --port 0 --into caught
  dispatch catch --refuse 2 --defer 5 --json
  DISPATCH_SMTP_URL=smtp://127.0.0.1:2525 dispatch send article.txt

Ctrl-C ends it, with a summary."""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=2525,
    show_default=True,
    help="The port to listen on; 0 for any that is free.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep each message there, as an .eml file.",
)
@click.option(
    "--text", "with_text", is_flag=True, help="Print the plain text of each message, too."
)
@click.option(
    "--refuse",
    type=_percent,
    default=0,
    metavar="PERCENT",
    help="Say of so many addresses that there is no such mailbox.",
)
@click.option(
    "--defer",
    type=_percent,
    default=0,
    metavar="PERCENT",
    help="Put off so many addresses once, and take them when tried again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@talk.debug_option
def catch(
    host: str,
    port: int,
    into: Path | None,
    with_text: bool,
    refuse: float,
    defer: float,
    as_json: bool,
) -> int:
    """Catch mail: a local server for a try-out, which delivers nothing.

    Prints a line for each message, and at the end how many there were, to how many
    addresses, and whether anybody got the same message twice.
    """
    import asyncio

    from dispatch.newsroom.catch import Faults, Tally

    lines = _Lines(with_text, quiet=as_json)
    tally = Tally(into, Faults(refuse, defer), lines.message)
    asyncio.run(_serve(host, port, tally))
    lines.end()
    report = tally.report()
    if as_json:
        from dataclasses import asdict

        talk.print_json(asdict(report))
    else:
        _print(report, into)
    return 0


async def _serve(host: str, port: int, tally: Tally) -> None:
    """Until Ctrl-C, or until the system asks it to end: both are its ordinary end."""
    import asyncio
    import signal

    from dispatch.newsroom.catch import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(host, port, tally, stop, _say_listening)


def _say_listening(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    talk.hint(f"Catching on {shown}:{port}")
    if host not in ("127.0.0.1", "::1"):
        talk.warning("Whoever reaches this machine can leave mail here.")


class _Lines:
    """A line for each message; on a terminal a counter where there are too many to read."""

    def __init__(self, with_text: bool, *, quiet: bool) -> None:
        import sys

        self._with_text = with_text
        self._quiet = quiet
        self._watched = not quiet and sys.stdout.isatty()
        self._second = 0
        self._in_second = 0
        self._counting = False

    def message(self, message: Message) -> None:
        if self._quiet:
            return
        if self._watched and self._too_many(message.number):
            return
        to = message.recipients[0]
        others = len(message.recipients) - 1
        more = f" and {others} more" if others else ""
        talk.say(f"{message.number:>7}  {talk.printable(f'{to}{more}  {message.subject}')}")
        if self._with_text:
            for line in ["", *message.text().splitlines(), ""]:
                talk.say(f"         {talk.printable(line)}".rstrip())

    def end(self) -> None:
        if self._counting:
            click.echo()
            self._counting = False

    def _too_many(self, number: int) -> bool:
        import time

        second = int(time.monotonic())
        if second != self._second:
            self._second, before, self._in_second = second, self._in_second, 0
            if before <= _LINES:
                self.end()
        self._in_second += 1
        if not self._counting and self._in_second <= _LINES:
            return False
        if not self._counting or number % 100 == 0:
            self._counting = True
            click.echo(f"\r{number:>7,} messages", nl=False)
        return True


def _print(report: Report, into: Path | None) -> None:
    copies = "nobody got a message twice"
    if report.duplicates:
        copies = click.style(f"{report.duplicates:,} came twice", fg="red", bold=True)
    talk.say(
        f"{_many(report.messages, 'message')} to {_many(report.recipients, 'address', 'addresses')}"
        f" ({report.bytes / 1e6:,.1f} MB): {copies}."
    )
    for name, counted in (("From", report.senders), ("Subjects", report.subjects)):
        for text, count in list(counted.items())[:_SHOWN]:
            talk.say(f"  {name:<10}{count:>9,}  {talk.printable(text or '(none)')}")
            name = ""  # noqa: PLW2901 - once for each list
        if len(counted) > _SHOWN:
            talk.say(f"  {'':<10}{'':>9}  and {len(counted) - _SHOWN:,} more")
    if report.refused or report.deferred:
        talk.say(f"  Refused {report.refused:,}, put off {report.deferred:,} on purpose.")
    if report.broken:
        talk.warning(f"{_many(report.broken, 'message')} could not be taken: see the replies.")
    if into and report.messages:
        talk.say(f"The messages are in {talk.printable(str(into))}.")


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
