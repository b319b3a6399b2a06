"""``dispatch completion``."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  eval "$(dispatch completion bash)"                                    # in ~/.bashrc
  eval "$(dispatch completion zsh)"                                     # in ~/.zshrc
  dispatch completion fish > ~/.config/fish/completions/dispatch.fish"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes dispatch's commands in your shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover - click knows the three
        raise click.UsageError(f"There is no completion for {shell}.")
    root = context.find_root()
    click.echo(kind(root.command, {}, "dispatch", "_DISPATCH_COMPLETE").source())
