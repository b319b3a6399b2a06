"""``dispatch templates``."""

from __future__ import annotations

import click

from dispatch.cli import talk


@click.group(
    epilog="""\b
Examples:
  dispatch templates list
  dispatch templates copy email              all of the email's
  dispatch templates copy web/article.html   one of them"""
)
def templates() -> None:
    """See and change how things look."""


@templates.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@talk.debug_option
def list_(as_json: bool) -> None:
    """List every template and where it is read from."""
    from dispatch.newsroom.own_templates import every

    found = every(talk.load_settings().templates)
    if as_json:
        talk.print_json(
            {"templates": [{"name": t.name, "path": str(t.path), "own": t.own} for t in found]}
        )
        return
    for template in found:
        whose = "yours" if template.own else "shipped"
        talk.say(f"{whose:<9}{template.name:<28}{talk.printable(str(template.path))}")


@templates.command(
    epilog="""\b
Examples:
  dispatch templates copy email
  dispatch templates copy web/article.html"""
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--force", is_flag=True, help="Replace copies that you have already.")
@talk.debug_option
def copy(names: tuple[str, ...], force: bool) -> None:
    """Copy shipped templates into your own folder, to change them there.

    NAME is a folder, such as email, or a file, such as web/article.html. Your
    folder is templates/ here, or what DISPATCH_TEMPLATES says.
    """
    from dispatch.newsroom.own_templates import copy as copy_templates

    own = talk.load_settings().templates
    for path in copy_templates(names, own, force=force):
        talk.say(talk.printable(str(path)))
