"""``dispatch dkim``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.mailing.dkim import Algorithm
    from dispatch.newsroom.dkim import Record

_ALGORITHMS: dict[str, tuple[Algorithm, ...]] = {
    "rsa": ("rsa",),
    "ed25519": ("ed25519",),
    "both": ("rsa", "ed25519"),
}


@click.group(
    epilog="""\b
Examples:
  dispatch dkim create --domain news.example.org
  dispatch dkim show"""
)
def dkim() -> None:
    """Make the keys that sign newsletters, and see what belongs in the DNS."""


@dkim.command(
    epilog="""\b
Examples:
  dispatch dkim create --domain news.example.org
  dispatch dkim create --desk world --algorithm both
  dispatch dkim create --domain news.example.org --selector spring --json"""
)
@click.option("--domain", help="The domain that signs.  [default: that of the desk's From]")
@click.option("--desk", help="The desk whose From is meant.  [default: DISPATCH_DESK]")
@click.option("--selector", help="The key's name in the DNS.  [default: dated, as d202611-rsa]")
@click.option(
    "--algorithm",
    type=click.Choice(list(_ALGORITHMS)),
    default="rsa",
    show_default=True,
    help="Every provider checks rsa, some of them ed25519 as well.",
)
@click.option("--force", is_flag=True, help="Replace a key that has the same selector.")
@json_option
@talk.debug_option
def create(
    domain: str | None,
    desk: str | None,
    selector: str | None,
    algorithm: str,
    force: bool,
    as_json: bool,
) -> None:
    """Make a key and print its DNS record.

    The key goes into the folder dkim/ here, or where DISPATCH_DKIM says. From
    then on it signs every copy whose sender is of that domain or one below it.
    """
    from datetime import UTC, datetime

    from dispatch.newsroom import dkim as use_case

    settings = talk.load_settings()
    domain = use_case.sender_domain(settings, desk) if domain is None else domain
    today = datetime.now(UTC).date()
    chosen = use_case.selectors(_ALGORITHMS[algorithm], selector, today)
    made = use_case.create(settings.dkim, domain, chosen, force=force)
    _tell(made, as_json)
    talk.hint(
        "Publish this before the next mailing: a copy that is signed with a key nobody can find "
        f"counts as unsigned. Then look: dispatch doctor --domain {made[0].key.domain}"
    )


@dkim.command(
    epilog="""\b
Examples:
  dispatch dkim show
  dispatch dkim show --domain news.example.org --json"""
)
@click.option("--domain", help="Only the keys of this domain.  [default: all]")
@json_option
@talk.debug_option
def show(domain: str | None, as_json: bool) -> None:
    """Print the DNS record of every key."""
    from dispatch.newsroom import dkim as use_case

    _tell(use_case.records(talk.load_settings().dkim, domain), as_json)


def _tell(records: Sequence[Record], as_json: bool) -> None:
    if as_json:
        talk.print_json({"keys": [_json(record) for record in records]})
        return
    for record in records:
        talk.say(f"{talk.printable(str(record.path))}\n")
        talk.say(f"A TXT record in a provider's form:\n  {record.name}\n  {record.value}\n")
        talk.say(f"The same in a zone file:\n{record.zone}\n")


def _json(record: Record) -> dict[str, object]:
    return {
        "domain": record.key.domain,
        "selector": record.key.selector,
        "algorithm": record.key.algorithm,
        "file": str(record.path),
        "name": record.name,
        "value": record.value,
        "strings": list(record.strings),
        "zone": record.zone,
    }
