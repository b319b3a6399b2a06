"""Mail that is handed to a local program, as ``sendmail`` has taken it since 1983.

The program runs once for each copy, with the message on its standard input and
the envelope as arguments; no shell has a part in it. It takes the message or it
does not: its exit status says so, in the words of ``sysexits.h``. One that is
killed or does not end in time leaves the copy in doubt.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dispatch.mailing.harmless import MOST_WORDS, harmless
from dispatch.mailing.transport import Copy, End, Result, Work

USUAL = Path("/usr/sbin/sendmail")
"""Where every mail system for Unix has put it."""

_SECONDS = 600.0
"""What RFC 5321, 4.5.3.2.6 gives a server for taking a message."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What an exit status says of the copy; ``ends``: of every copy that would follow as well."""

    kind: Literal["accepted", "deferred", "bounced", "unsent"]
    blame: Literal["recipient", "sender", "content", "relay"] | None
    words: str
    ends: bool = False


_MEANINGS = {
    0: _Meaning("accepted", None, "The program took it"),
    64: _Meaning(
        "unsent", None, "it does not know the arguments -i -f SENDER -- RECIPIENT", ends=True
    ),
    65: _Meaning("bounced", "content", "the message or an address is malformed"),
    66: _Meaning("unsent", None, "it could not read the message", ends=True),
    67: _Meaning("bounced", "recipient", "there is no such mailbox"),
    68: _Meaning("bounced", "recipient", "there is no such domain"),
    69: _Meaning("deferred", "relay", "its service is not to be had"),
    70: _Meaning("unsent", None, "it has an error of its own", ends=True),
    71: _Meaning("unsent", None, "the system refused it something", ends=True),
    72: _Meaning("unsent", None, "a file of the system is missing", ends=True),
    73: _Meaning("unsent", None, "it cannot write its queue", ends=True),
    74: _Meaning("unsent", None, "it cannot read or write", ends=True),
    75: _Meaning("deferred", "relay", "not now"),
    76: _Meaning("deferred", "relay", "the server that it speaks to makes no sense"),
    77: _Meaning("unsent", None, "this user may not send mail", ends=True),
    78: _Meaning("unsent", None, "it is not configured", ends=True),
}
"""``sysexits.h``. What is wrong with the machine is nobody's bounce."""

_UNKNOWN = _Meaning("deferred", "relay", "it does not say why")


class SendmailConnection:
    """Hands copies to a program; see :class:`dispatch.mailing.transport.Connection`.

    Args:
        program: its path.
        seconds: how long it may take over one message.
    """

    def __init__(self, program: Path, work: Work, seconds: float = _SECONDS) -> None:
        self._program = program
        self._work = work
        self._seconds = seconds
        self._poked = asyncio.Event()
        self._finishing = False
        self._aborted = False
        self._running: subprocess.Popen[bytes] | None = None

    async def run(self) -> End:
        """Run the program for each copy until told to finish.

        It ends ``down`` where the program cannot be run or says that it can take nothing.
        """
        while True:
            self._poked.clear()
            copy = None if self._finishing else self._work.take(self)
            if copy is not None:
                end = await self._send(copy)
                if end:
                    return end
            elif self._finishing:
                return End("finished")
            else:
                await self._poked.wait()

    def poke(self) -> None:
        """There may be work now."""
        self._poked.set()

    def finish(self) -> None:
        """Take no more, and end when the program has ended."""
        self._finishing = True
        self._poked.set()

    def abort(self) -> None:
        """Kill the program; its copy is in doubt."""
        self._aborted = True
        self.finish()
        running = self._running
        if running:
            _kill(running)

    async def _send(self, copy: Copy) -> End | None:
        if not self._work.leaving(copy):
            self._work.done(Result(copy, "unsent", "It was not to leave any more."))
            return None
        try:
            status, words = await asyncio.to_thread(self._run, copy)
        except ValueError:  # a NUL cannot be an argument
            reply = "The address cannot be handed to a program."
            self._work.done(Result(copy, "bounced", reply, blame="recipient"))
            return None
        except OSError as error:
            self._work.done(Result(copy, "unsent", "The program could not be run."))
            return End("down", f"{self._program} cannot be run: {error.strerror}. {_CHECK}")
        if status is None or status < 0:
            how = "was killed" if status else "did not end in time and was killed"
            self._work.done(
                Result(copy, "in_doubt", f"{self._program.name} {how}. {words}".strip())
            )
            return None
        meaning = _MEANINGS.get(status, _UNKNOWN)
        reply = f"{meaning.words} (exit status {status}). {words}".strip()
        if meaning.kind != "accepted":
            reply = f"{self._program.name}: {reply}"
        self._work.done(Result(copy, meaning.kind, reply, blame=meaning.blame))
        if meaning.ends:
            return End("down", f"Mail cannot be sent through {self._program}: {reply} {_CHECK}")
        return None

    def _run(self, copy: Copy) -> tuple[int | None, str]:
        """Exit status (negative: a signal's number; None: too late) and words. In a thread.

        A session of its own keeps the terminal's Ctrl-C away from it, and lets it be killed with
        whatever it started. Its words go to a file: a pipe would stay open as long as a
        process that it leaves behind.
        """
        command = [str(self._program), "-i", "-f", copy.sender, "--", copy.recipient]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 - an argument list, and the desk's own program
                command,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
            )
            self._running = process
            if self._aborted:
                _kill(process)
            try:
                process.communicate(copy.data.replace(b"\r\n", b"\n"), timeout=self._seconds)
                status: int | None = process.returncode
            except subprocess.TimeoutExpired:
                _kill(process)
                process.communicate()
                status = None
            finally:
                self._running = None
            said.seek(0)
            return status, harmless(said.read(4 * MOST_WORDS).decode("utf-8", "replace"))


_CHECK = "Check DISPATCH_SMTP_URL and the program's own log."


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Ours without our settings: passwords and keys are among them."""
    return {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
