"""``dispatch subscribers``: who reads a desk's newsletter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from dispatch.cli import personal_feeds, talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from dispatch.newsroom.subscriber_lists import Choice, Imported
    from dispatch.newsroom.subscribers import Profile, Subscription

_WORDS = {
    "language": "language",
    "timezone": "time zone",
    "joined": "time of joining",
    "consent_source": "source of consent",
    "consent_at": "time of consent",
    "consent_ip": "IP address of consent",
    "consent_text": "text of consent",
    "frequency": "frequency",
    "paused_until": "end of a pause",
    "attributes": "attributes",
}
_FREQUENCIES = {"each": None, "daily": "a digest a day", "weekly": "a digest a week"}
_STATES = ("pending", "active", "unsubscribed", "bounced", "complained")


@click.group()
def subscribers() -> None:
    """Who reads a desk's newsletter: import, add, show, list, export, remove, forget."""


subscribers.add_command(personal_feeds.feed)


def _desk_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--desk", required=True, help="The desk whose newsletter it is.")(command)


# Many --------------------------------------------------------------------------------------------


@subscribers.command(
    "import",
    epilog="""\b
Examples:
  dispatch subscribers import readers.csv --desk world --dry-run
  dispatch subscribers import readers.csv --desk world
  dispatch subscribers import - --desk world --json < readers.csv

Exit status: 0 done, although rows may have been refused; 1 nothing could be imported, 2 wrong
usage, 130 stopped with Ctrl-C.""",
)
@click.argument("file", metavar="FILE.csv")
@_desk_option
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@out_option
@json_option
@talk.debug_option
def import_(file: str, desk: str, dry_run: bool, out: Path, as_json: bool) -> int:
    """Import a list of subscribers.

    FILE.csv is a list with column names in its first line, or - for standard
    input; the exports of listmonk, Ghost, Mailchimp, Substack and Buttondown
    are taken as they are. Who is known is updated; nobody who unsubscribed,
    bounced, complained, was suppressed or forgotten comes back. Rows that cannot
    be used go to FILE.rejected.csv, each with the reason.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import subscriber_lists as lists
    from dispatch.newsroom.subscribers import slug_of

    slug = slug_of(desk)
    with (
        lists.open_list(file, _standard_input()) as list_,
        talk.stoppable() as stopped,
        talk.progress(2 * list_.size, "Importing") as step,
    ):
        watch = lists.Watch(step, stopped)
        done = lists.import_list(list_, slug, out, datetime.now(UTC), watch, dry_run=dry_run)
    _tell_import(done, as_json)
    if dry_run:
        talk.hint("A rehearsal: nothing was written.")
    if done.report.stopped:
        talk.error(
            f"Stopped, with {_rows(done.report.not_reached)} not reached. What was imported holds; "
            "import the list again for the rest."
        )
        return 130
    return int(done.report.refused == done.report.rows > 0)


def _standard_input() -> BinaryIO:
    import io

    return io.BytesIO() if sys.stdin is None else sys.stdin.buffer


def _tell_import(done: Imported, as_json: bool) -> None:
    report = done.report
    if as_json:
        talk.print_json(
            {
                "rows": report.rows,
                "added": report.added,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "duplicates": report.duplicates,
                "refused": report.refused,
                "left_out": dict(report.left_out),
                "ignored": dict(report.ignored),
                "refused_file": str(done.refused) if done.refused else None,
                "not_reached": report.not_reached,
                "stopped": report.stopped,
                "notes": done.notes,
            }
        )
    else:
        _print_import(done)
    for note in done.notes:
        talk.warning(note)
    if report.refused:
        where = f": {done.refused} says why" if done.refused else ""
        talk.warning(f"{_rows(report.refused)} refused{where}.")
    if report.ignored:
        told = ", ".join(f"{_WORDS[kind]} {count:,} ×" for kind, count in report.ignored.items())
        talk.warning(f"Not understood and left out, while the rest of the row was taken: {told}.")


def _print_import(done: Imported) -> None:
    report = done.report
    told = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged"
    more = f", {report.duplicates:,} twice in the list" if report.duplicates else ""
    talk.say(f"{_rows(report.rows)}: {told}{more}.")
    for reason, count in report.left_out.most_common():
        talk.say(f"{count:,} left out: {reason}.")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which subscribers."""
    for option in (
        click.option("--limit", type=click.IntRange(1), help="So many at most."),
        click.option("--segment", metavar="EXPRESSION", help='Such as "tag:premium or plan:pro".'),
        click.option("--tag", help="Those who have the tag."),
        click.option("--state", type=click.Choice(_STATES), help="Those in this state."),
    ):
        command = option(command)
    return command


def _choice(
    desk: str, state: str | None, tag: str | None, segment: str | None, limit: int | None
) -> Choice:
    from dispatch.newsroom.subscriber_lists import Choice
    from dispatch.newsroom.subscribers import slug_of

    return Choice(slug_of(desk), state, tag, segment, limit)


@subscribers.command(
    "list",
    epilog="""\b
Examples:
  dispatch subscribers list --desk world
  dispatch subscribers list --desk world --state active --tag premium --limit 20
  dispatch subscribers list --desk world --segment "language:de and not domain:example.org"
  dispatch subscribers list --desk world --json | jq -r '.[].email'""",
)
@_desk_option
@_choice_options
@out_option
@json_option
@talk.debug_option
def list_(
    desk: str,
    state: str | None,
    tag: str | None,
    segment: str | None,
    limit: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """List a desk's subscribers in the order they were added: address, state, name and tags."""
    from dispatch.audience.values import parted_tags
    from dispatch.newsroom import subscriber_lists as lists
    from dispatch.newsroom.subscribers import row_json

    rows = lists.listed(_choice(desk, state, tag, segment, limit), out)
    if as_json:
        talk.stream_json(row_json(row) for row in rows)
        return
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is told
        told = f"{row.email}  {row.state}  {row.name or '-'}  {', '.join(parted_tags(row.tags))}"
        talk.say(talk.printable(told).rstrip())
    talk.hint("1 subscriber." if count == 1 else f"{count:,} subscribers.")


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers export --desk world > world.csv
  dispatch subscribers export --desk world --state active --segment "joined>2026-01-01" > new.csv"""
)
@_desk_option
@_choice_options
@out_option
@talk.debug_option
def export(
    desk: str,
    state: str | None,
    tag: str | None,
    segment: str | None,
    limit: int | None,
    out: Path,
) -> None:
    """Print a desk's subscribers as CSV, which dispatch subscribers import reads.

    A cell that a spreadsheet would run as a formula has an apostrophe before
    it; an import takes it away again.
    """
    from dispatch.newsroom import subscriber_lists as lists

    for line in lists.exported(_choice(desk, state, tag, segment, limit), out):
        click.echo(line, nl=False)


# One ---------------------------------------------------------------------------------------------


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers add ida@example.org --desk world --name "Ida Marlow" --language en
  dispatch subscribers add ida@example.org --desk world --tag premium --tag press
  dispatch subscribers add ida@example.org --desk world --consent "wrote to the desk"
"""
)
@click.argument("email")
@_desk_option
@click.option("--name", help="How they are addressed.")
@click.option("--language", metavar="TAG", help="BCP 47, such as de or pt-BR.")
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Vienna.")
@click.option("--tag", "tags", multiple=True, help="Replaces the tags they have; several times.")
@click.option("--consent", metavar="WHERE", help="Where they asked for it themselves.")
@click.option("--consent-time", metavar="ISO-8601", help="When they did.  [default: now]")
@click.option("--consent-ip", metavar="ADDRESS", help="From which IP address.")
@click.option("--pending", is_flag=True, help="They have been asked, and have not confirmed yet.")
@out_option
@json_option
@talk.debug_option
def add(
    email: str,
    desk: str,
    name: str | None,
    language: str | None,
    timezone: str | None,
    tags: tuple[str, ...],
    consent: str | None,
    consent_time: str | None,
    consent_ip: str | None,
    pending: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Add a subscriber to a desk, or bring one up to date.

    Who unsubscribed, bounced or complained comes back by their own new consent
    alone: --consent says where they gave it, and is kept.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import subscribers as use_case

    if consent is None and (consent_time or consent_ip):
        raise click.UsageError("--consent-time and --consent-ip need --consent: where it was.")
    person = use_case.Person(
        email=email,
        name=name,
        language=language,
        timezone=timezone,
        tags=tags or None,
        consent=consent,
        consent_at=consent_time,
        consent_ip=consent_ip,
        pending=pending,
    )
    slug = use_case.slug_of(desk)
    kept, action = use_case.add(person, slug, out, datetime.now(UTC))
    _told({"email": kept, "desk": slug, "action": action}, f"{action}  {kept} ({slug})", as_json)


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers remove ida@example.org --desk world
  dispatch subscribers remove ida@example.org --all"""
)
@click.argument("email")
@click.option("--desk", help="The newsletter they leave; needed if they read several.")
@click.option("--all", "everywhere", is_flag=True, help="They leave all of them.")
@out_option
@json_option
@talk.debug_option
def remove(email: str, desk: str | None, everywhere: bool, out: Path, as_json: bool) -> None:
    """Unsubscribe somebody. Copies that still wait for them are not sent.

    They stay on the list as unsubscribed, so that no import brings them back.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import subscribers as use_case

    if desk and everywhere:
        raise click.UsageError("--desk and --all say two things: choose one.")
    slug = use_case.slug_of(desk) if desk else None
    left = use_case.remove(email, slug, out, datetime.now(UTC), everywhere=everywhere)
    said = f"unsubscribed from {', '.join(left)}" if left else "has left before: nothing to do"
    _told({"email": email, "desks": left}, f"{email}  {said}", as_json)


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers show ida@example.org
  dispatch subscribers show ida@example.org --json

Exit status: 0 something is known, 1 nothing is."""
)
@click.argument("email")
@out_option
@json_option
@talk.debug_option
def show(email: str, out: Path, as_json: bool) -> int:
    """Everything that is known of an address: consent, states, mails sent, at every desk."""
    from datetime import UTC, datetime

    from dispatch.newsroom import subscribers as use_case

    profile = use_case.show(email, out, datetime.now(UTC))
    if as_json:
        talk.print_json(profile.to_json())
    else:
        _print_profile(profile)
    return int(not profile.is_known)


def _print_profile(profile: Profile) -> None:
    if not profile.is_known:
        talk.say(f"Nothing is known of {talk.printable(profile.email)}.")
    for subscription in profile.subscriptions:
        _print_subscription(subscription)
    for row in profile.suppressions:
        where = row.desk or "every desk"
        talk.say(talk.printable(f"suppressed by {where} since {row.at:%Y-%m-%d}: {row.reason}"))
    if profile.forgotten:
        talk.say(f"asked to be forgotten on {profile.forgotten:%Y-%m-%d}; only a hash is kept")


def _print_subscription(subscription: Subscription) -> None:
    from dispatch.audience.values import parted_tags

    row = subscription.row
    talk.say(click.style(talk.printable(f"{row.email}  {row.desk}  {row.state}"), bold=True))
    consent = f"{row.consent_source or 'none on record'}"
    consent += f", {row.consent_at:%Y-%m-%d %H:%M} UTC" if row.consent_at else ""
    consent += f", from {row.consent_ip}" if row.consent_ip else ""
    facts = {
        "name": row.name,
        "language": row.language,
        "time zone": row.timezone,
        "tags": ", ".join(parted_tags(row.tags)),
        "fields": row.fields,
        "joined": f"{row.created:%Y-%m-%d %H:%M} UTC",
        "consent": consent,
        "consented": f"“{row.consent_text}”" if row.consent_text else None,
        "frequency": _FREQUENCIES[row.frequency],
        "paused": f"until {row.paused_until:%Y-%m-%d %H:%M} UTC" if row.paused_until else None,
    }
    for name, value in facts.items():
        if value:
            talk.say(talk.printable(f"  {name:<11}{value}"))
    for move in subscription.moves:
        told = f"{move.at:%Y-%m-%d %H:%M}  {move.before} → {move.after}: {move.cause}"
        talk.say(talk.printable(f"  {told}"))
    for mail in subscription.mails:
        told = f"mailing {mail.edition}  {mail.state.replace('_', ' ')}  {mail.subject}"
        reply = f" ({mail.reply})" if mail.reply else ""
        talk.say(talk.printable(f"  {told}{reply}"))


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers forget ida@example.org
  dispatch subscribers forget ida@example.org --yes --json"""
)
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@out_option
@json_option
@talk.debug_option
def forget(email: str, yes: bool, out: Path, as_json: bool) -> int:
    """Erase a person at all desks; it cannot be undone.

    A keyed hash of the address stays, so that no import brings them back; of
    what they were sent only the sums stay.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import subscribers as use_case

    if not talk.confirmed(f"Erase {email} for good?", "Nothing was erased.", asked=not yes):
        return 1
    desks = use_case.forget(email, out, datetime.now(UTC))
    where = "1 desk" if desks == 1 else f"{desks} desks"
    _told({"desks": desks, "forgotten": True}, f"forgotten, at {where}", as_json)
    return 0


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers suppress ida@example.org --reason "asked by letter"
  dispatch subscribers suppress ida@example.org --desk world --reason "left the company"
"""
)
@click.argument("email")
@click.option("--desk", help="Only this desk's mails.  [default: those of every desk]")
@click.option("--reason", required=True, help="Why, for whoever wonders about it later.")
@out_option
@json_option
@talk.debug_option
def suppress(email: str, desk: str | None, reason: str, out: Path, as_json: bool) -> None:
    """Keep an address from being mailed, whatever any list says, subscribed or not."""
    from datetime import UTC, datetime

    from dispatch.newsroom import subscribers as use_case

    slug = use_case.slug_of(desk) if desk else None
    kept = use_case.suppress(email, slug, reason, out, datetime.now(UTC))
    data = {"email": kept, "desk": slug, "suppressed": True}
    _told(data, f"suppressed  {kept} ({slug or 'every desk'})", as_json)


@subscribers.command(
    epilog="""\b
Examples:
  dispatch subscribers unsuppress ida@example.org
  dispatch subscribers unsuppress ida@example.org --desk world"""
)
@click.argument("email")
@click.option("--desk", help="The desk's suppression.  [default: the one for every desk]")
@out_option
@json_option
@talk.debug_option
def unsuppress(email: str, desk: str | None, out: Path, as_json: bool) -> None:
    """Lift a suppression. Who unsubscribed before stays unsubscribed."""
    from dispatch.newsroom import subscribers as use_case

    slug = use_case.slug_of(desk) if desk else None
    kept = use_case.unsuppress(email, slug, out)
    data = {"email": kept, "desk": slug, "suppressed": False}
    _told(data, f"no longer suppressed  {kept} ({slug or 'every desk'})", as_json)


def _told(data: Mapping[str, object], sentence: str, as_json: bool) -> None:
    if as_json:
        talk.print_json(data)
    else:
        talk.say(talk.printable(sentence))
