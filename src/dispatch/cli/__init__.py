"""The command line: one small module per command, heavy imports inside the commands.

Standard output is data, standard error is talk. The exit status is 0 when all
is well, 1 when something was refused, 2 for wrong usage or settings.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback

import click

from dispatch import __version__
from dispatch.cli import (
    bounces,
    catch,
    check,
    completion,
    dkim,
    doctor,
    mailing,
    publish,
    read,
    rebuild,
    run,
    send,
    serve,
    subscribers,
    talk,
    templates,
    token,
)
from dispatch.errors import DispatchError, SettingsError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  dispatch publish article.txt              everything, into the current folder
  dispatch publish stories/ --out site      every article of a folder
  dispatch read article.txt                 what is understood of an article
  dispatch check article.txt                what would embarrass the desk
  dispatch send article.txt --desk world    the newsletter, to the desk's subscribers

Settings are read from .env and the environment; .env.example lists them.""",
)
@click.version_option(__version__, prog_name="dispatch", message="%(prog)s %(version)s")
def dispatch() -> None:
    """One finished article in; HTML email, feeds, web page and wire copy out."""


for command in (
    publish.publish,
    rebuild.rebuild,
    send.send,
    mailing.mailing,
    run.run,
    serve.serve,
    subscribers.subscribers,
    token.token,
    bounces.bounces,
    dkim.dkim,
    doctor.doctor,
    catch.catch,
    read.read,
    check.check,
    templates.templates,
    completion.completion,
):
    dispatch.add_command(command)


def main() -> None:
    """The console script: runs a command and turns what went wrong into a sentence."""
    # Nearly all that a command makes lives to its end: looking for garbage is a fifth of its time.
    gc.set_threshold(100_000)
    talk.prepare()
    try:
        status = dispatch.main(prog_name="dispatch", standalone_mode=False)
    except click.exceptions.Abort:  # Ctrl-C at a question, which is asked before anything is done
        status = _stopped("Nothing was done.")
    except KeyboardInterrupt:
        status = _stopped("What was done until now holds; run it again for the rest.")
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    except OSError as error:  # what Dispatch writes to is guarded; this is standard output
        status = 1
        talk.error(f"The output cannot be written: {error.strerror}.")
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    except DispatchError as error:
        if talk.debugging():
            traceback.print_exc()
        talk.error(str(error))
        status = 2 if isinstance(error, SettingsError) else 1
    gc.freeze()  # the system takes all of it back at once; there is no need to look through it
    sys.exit(status)


def _stopped(sentence: str) -> int:
    talk.error(f"Stopped. {sentence}")
    return 128 + signal.SIGINT
