"""``dispatch doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli import talk
from dispatch.cli.options import out_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.newsroom.doctor import Finding, Subject

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "unknown": "cyan"}


@click.command(
    epilog="""\b
Examples:
  dispatch doctor --domain news.example.org
  dispatch doctor --desk world --ip 192.0.2.25
  dispatch doctor --domain news.example.org --resolver 9.9.9.9 --json

Exit status: 0 no errors (a question without an answer is none), 1 errors, 2 wrong usage."""
)
@click.option("--domain", help="The domain of the sender.  [default: that of the desk's From]")
@click.option("--desk", help="The desk whose settings are meant.  [default: DISPATCH_DESK]")
@click.option(
    "--ip",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="An address that mail leaves from, repeatable.  [default: those of the relays]",
)
@click.option(
    "--resolver",
    metavar="IP[:PORT]",
    help="The DNS resolver to ask.  [default: the system's]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@out_option
@talk.debug_option
def doctor(
    domain: str | None,
    desk: str | None,
    addresses: tuple[str, ...],
    resolver: str | None,
    as_json: bool,
    out: Path,
) -> int:
    """Look at a sending domain's SPF, DKIM, DMARC, PTR and MX records, and at the website.

    Says what stands in the DNS, what to do about it, and what Gmail, Yahoo and
    Outlook will miss of those who send them 5,000 messages a day or more. Where
    there is a database, also whether what is for `dispatch serve` and `dispatch
    run` to do is done. Nothing is changed, and nothing is asked but the DNS and
    the server on this machine.
    """
    server = _server(resolver)
    numbers = tuple(_address(text) for text in addresses)
    from datetime import UTC, datetime
    from itertools import chain

    from dispatch.newsroom import doctor as use_case

    settings = talk.load_settings()
    patient = use_case.subject(settings, domain, desk, numbers)
    findings = []
    dns = use_case.Dns(server)
    website = use_case.examine_website(settings, desk, out, datetime.now(UTC))
    for finding in chain(use_case.examine(patient, dns), website):
        findings.append(finding)
        if not as_json:
            talk.say(_line(finding))
    if as_json:
        talk.print_json(_json(patient, findings))
    else:
        _sum_up(findings)
    return int(any(finding.level == "error" for finding in findings))


def _server(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise click.BadParameter(f"{text} has no port that can be.", param_hint="--resolver")
    return _address(host, "--resolver"), int(port)


def _address(text: str, option: str = "--ip") -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise click.BadParameter(
            f"{text} is not an IP address such as 192.0.2.25.", param_hint=option
        ) from None


def _line(finding: Finding) -> str:
    level = click.style(f"{finding.level:<9}", fg=_COLOURS[finding.level])
    lines = [f"{level}{finding.check}: {talk.printable(finding.what)}"]
    if finding.todo:
        lines.append(f"{'':<9}{talk.printable(finding.todo)}")
    return "\n".join(lines)


def _sum_up(findings: Sequence[Finding]) -> None:
    from dispatch.newsroom.doctor import missed

    talk.say("")
    for provider, checks in missed(findings).items():
        talk.say(
            f"{provider} will miss: {', '.join(checks) if checks else 'nothing that was seen'}."
        )
    unknown = sum(finding.level == "unknown" for finding in findings)
    if unknown:
        talk.say(f"{unknown} of {len(findings)} could not be looked at.")
    talk.hint(
        "What no DNS tells: they also ask that fewer than 3 in 1,000 readers report it as spam. "
        "docs/deliverability.md says where to see that."
    )


def _json(patient: Subject, findings: Sequence[Finding]) -> dict[str, object]:
    from dispatch.newsroom.doctor import missed

    return {
        "domain": patient.domain,
        "return_path": patient.return_path,
        "findings": [
            {
                "check": finding.check,
                "level": finding.level,
                "what": finding.what,
                "todo": finding.todo,
                "missed_by": list(finding.missed_by),
            }
            for finding in findings
        ],
        "missed_by": missed(findings),
    }
