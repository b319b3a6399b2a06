"""Opening a connection to a relay, whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import Connection, Work


def connect(relay: Relay, work: Work, now: Callable[[], int]) -> Connection:
    """A connection that has not been opened yet: its ``run`` does that.

    Args:
        now: the time of day in epoch milliseconds, for what an mbox says of a message.
    """
    match relay.scheme:
        case "file":
            return _file(Path(relay.path), work, now)
        case "sendmail":
            from dispatch.mailing.sendmail import USUAL, SendmailConnection

            return SendmailConnection(Path(relay.path) if relay.path else USUAL, work)
        case _:
            from dispatch.mailing.smtp import SmtpConnection

            return SmtpConnection(relay, work)


def _file(path: Path, work: Work, now: Callable[[], int]) -> Connection:
    """To an mbox if it is named ``.mbox``, else to a folder."""
    from dispatch.mailing.files import FileConnection, Folder
    from dispatch.mailing.mbox import Mbox

    mailbox = Mbox(path, now) if path.suffix == ".mbox" else Folder(path)
    return FileConnection(mailbox, path, work)
