"""``dispatch token``: which programs may use the API, and for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import json_option, out_option

if TYPE_CHECKING:
    from datetime import datetime

    from dispatch.newsroom.api_tokens import Token

SCOPES = (
    "subscribers:read", "subscribers:write", "editions:read", "editions:send", "articles:read",
    "articles:write",
)  # fmt: skip


@click.group()
def token() -> None:
    """Tokens for the JSON API of dispatch serve: create, list, revoke."""


@token.command(
    epilog="""\b
Scopes:
  subscribers:read   see subscribers and suppressions
  subscribers:write  add, import, remove, forget, suppress
  editions:read      see mailings; whom they went to takes subscribers:read, too
  editions:send      make mailings, send test copies, pause, resume, cancel, retry
  articles:read      see what was published, have articles read and checked
  articles:write     publish; making a mailing takes it, too, as that publishes

\b
Examples:
  dispatch token create website --scope articles:write
  dispatch token create crm --scope subscribers:read --scope subscribers:write --expires 90d
  dispatch token create dashboard --scope editions:read > token.txt"""
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it is good for; several times for several.",
)
@click.option(
    "--expires",
    metavar="LENGTH",
    help="After how long, such as 90d or 12h.  [default: never]",
)
@out_option
@json_option
@talk.debug_option
def create(
    name: str, scopes: tuple[str, ...], expires: str | None, out: Path, as_json: bool
) -> None:
    """Make a token and print it, this once.

    NAME says who uses it, such as website. Only a hash of the token is kept: one
    that is lost is revoked, and another is made.
    """
    import secrets
    from datetime import UTC, datetime

    from dispatch.newsroom import api_tokens

    now = datetime.now(UTC)
    text, made = api_tokens.create(name, scopes, expires, secrets.token_urlsafe(32), out, now)
    if as_json:
        talk.print_json({**made.to_json(now), "token": text})
    else:
        talk.say(text)
    until = f", until {_written(made.expires)}" if made.expires else ""
    granted = ", ".join(api_tokens.in_order(made.scopes))
    talk.hint(f"That is the token {name}, for {granted}{until}.")
    talk.hint("It is not shown again. Programs send it as Authorization: Bearer <token>.")


@token.command(
    "list",
    epilog="""\b
Examples:
  dispatch token list
  dispatch token list --json | jq -r '.tokens[] | select(.used == null) | .name'""",
)
@out_option
@json_option
@talk.debug_option
def list_tokens(out: Path, as_json: bool) -> None:
    """List the tokens: what each is good for, and when it was last used, to the minute or so."""
    from datetime import UTC, datetime

    from dispatch.newsroom import api_tokens

    now = datetime.now(UTC)
    found = api_tokens.every(out)
    if as_json:
        talk.print_json({"tokens": [one.to_json(now) for one in found]})
        return
    if not found:
        talk.say("There is no token yet: dispatch token create makes one.")
    for one in found:
        _print(one, now)


def _print(one: Token, now: datetime) -> None:
    from dispatch.newsroom.api_tokens import in_order

    talk.say(click.style(talk.printable(f"{one.name}  {one.state(now)}"), bold=True))
    rows = {
        "scopes": ", ".join(in_order(one.scopes)),
        "made": _written(one.made),
        "expires": _written(one.expires) if one.expires else "never",
        "revoked": one.revoked and _written(one.revoked),
        "last used": f"about {_written(one.used)}" if one.used else "never",
    }
    for name, value in rows.items():
        if value:
            talk.say(f"  {name:<11}{value}")


@token.command(
    epilog="""\b
Examples:
  dispatch token revoke website"""
)
@click.argument("name")
@out_option
@json_option
@talk.debug_option
def revoke(name: str, out: Path, as_json: bool) -> None:
    """Have a token work no more, at once and for good."""
    from datetime import UTC, datetime

    from dispatch.newsroom import api_tokens

    now_revoked = api_tokens.revoke(name, out, datetime.now(UTC))
    if as_json:
        talk.print_json({"name": name, "revoked": True, "before": not now_revoked})
    else:
        talk.say(talk.printable(f"revoked{'' if now_revoked else ' before'}  {name}"))


def _written(time: datetime) -> str:
    """A time of the database, which is in UTC."""
    return f"{time:%Y-%m-%d %H:%M} UTC"
