"""``dispatch check``."""

from __future__ import annotations

import click

from dispatch.cli import talk


@click.command(
    epilog="""\b
Examples:
  dispatch check article.txt
  dispatch check stories/ --json

Exit status: 0 nothing wrong (warnings are not errors), 1 errors, 2 wrong usage."""
)
@click.argument("articles", nargs=-1, required=True, metavar="ARTICLE...")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@talk.debug_option
def check(articles: tuple[str, ...], as_json: bool) -> int:
    """Say what would embarrass the desk; writes nothing.

    ARTICLE is a file, a folder of them, a pattern in quotes, or - for standard
    input.
    """
    import traceback
    from datetime import UTC, datetime

    from dispatch.newsroom.check import check_article
    from dispatch.newsroom.sources import expand

    settings = talk.load_settings()
    names = expand(articles, settings.templates)
    if not names:
        raise click.UsageError(f"There is no article in {', '.join(articles)}.")
    now = datetime.now(UTC)
    found = []
    with talk.progress(len(names), "Checking") as step:
        for name in names:
            findings = check_article(name, settings, now)
            found.append((name, findings))
            for finding in findings:
                if finding.error and talk.debugging():
                    traceback.print_exception(finding.error)
            step()
    if as_json:
        talk.print_json(
            {
                "articles": [
                    {
                        "path": name,
                        "findings": [
                            {"level": f.level, "where": f.where, "message": f.message}
                            for f in findings
                        ],
                    }
                    for name, findings in found
                ]
            }
        )
    else:
        for name, findings in found:
            talk.say(f"{talk.printable(name)}: {'nothing found' if not findings else ''}".rstrip())
            for finding in findings:
                talk.say(talk.note(finding))
    return int(any(f.level == "error" for _, findings in found for f in findings))
