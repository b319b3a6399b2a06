"""``dispatch subscribers feed``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from datetime import datetime

    from dispatch.newsroom.personal_feeds import PersonalFeed


@click.command(
    "feed",
    epilog="""\b
Examples:
  dispatch subscribers feed ida@example.org
  dispatch subscribers feed ida@example.org --desk world --renew
  dispatch subscribers feed ida@example.org --revoke --json
  dispatch subscribers feed

Exit status: 0 all well, 1 a feed seems to be shared, or the address is not a subscriber's; 2 wrong
usage.""",
)
@click.argument("email", required=False)
@click.option("--desk", help="The desk whose feed is meant.  [default: each that they read]")
@click.option("--renew", is_flag=True, help="Make new addresses; those before no longer work.")
@click.option("--revoke", is_flag=True, help="Have the addresses they have no longer work.")
@out_option
@json_option
@talk.debug_option
def feed(
    email: str | None, desk: str | None, renew: bool, revoke: bool, out: Path, as_json: bool
) -> int:
    """A subscriber's personal feed: its addresses, how much it is read, and from how many places.

    Whoever has an address can read with it: give it to nobody but its subscriber. Without EMAIL,
    the feeds of all subscribers that seem to be shared.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import personal_feeds as use_case
    from dispatch.newsroom.subscribers import slug_of

    if renew and revoke:
        raise click.UsageError("--renew and --revoke say two things: choose one.")
    if email is None:
        if desk or renew or revoke:
            raise click.UsageError("Say whose feed is meant: dispatch subscribers feed EMAIL.")
        return _shared(out, datetime.now(UTC), as_json)
    slug = None if desk is None else slug_of(desk)
    what: use_case.What = "renew" if renew else "revoke" if revoke else "show"
    settings = talk.load_settings()
    feeds = use_case.look_after(email, slug, what, out, settings, datetime.now(UTC))
    if as_json:
        talk.print_json({"feeds": [each.to_json() for each in feeds]})
    else:
        for each in feeds:
            _print(each)
    return int(any(each.is_shared for each in feeds))


def _print(feed: PersonalFeed) -> None:
    talk.say(click.style(talk.printable(f"{feed.desk}  {feed.access}  {feed.state}"), bold=True))
    if feed.made is None:
        hint = "" if feed.state != "active" else " --renew makes one."
        talk.say(f"  There is no address that works.{hint}")
    for form, address in feed.addresses.items():
        talk.say(talk.printable(f"  {form:<5}{address}"))
    for day in feed.days:
        talk.say(f"  {day.day}  {_times(day.reads)}, from {_places(day.places)}")
    if feed.is_shared:
        talk.warning(
            f"{feed.desk}: it is read from more places than one person is in. If the address was "
            "passed on, --renew makes another one."
        )


def _shared(out: Path, now: datetime, as_json: bool) -> int:
    from dispatch.newsroom import personal_feeds as use_case

    found = use_case.shared(out, now)
    if as_json:
        talk.print_json({
            "shared": [
                {"email": s.email, "desk": s.desk, "day": s.day.isoformat(), "places": s.places}
                for s in found
            ]
        })  # fmt: skip
    elif not found:
        talk.say("No personal feed was read from more places than one person is in.")
    else:
        for s in found:
            told = f"{s.email}  {s.desk}  {_places(s.places)} on {s.day}"
            talk.say(talk.printable(told))
    return int(bool(found))


def _times(reads: int) -> str:
    return "read once" if reads == 1 else f"read {reads:,} times"


def _places(places: int) -> str:
    return "1 place" if places == 1 else f"{places:,} places"
