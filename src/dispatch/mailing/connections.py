"""Opening a connection to a relay, whatever kind it is."""

from __future__ import annotations

from pathlib import Path

from dispatch.mailing.relays import Relay
from dispatch.mailing.transport import Connection, Work


def connect(relay: Relay, work: Work) -> Connection:
    """A connection that has not been opened yet: its ``run`` does that."""
    match relay.scheme:
        case "file":
            return _file(Path(relay.path), work)
        case "sendmail":
            from dispatch.mailing.sendmail import USUAL, SendmailConnection

            return SendmailConnection(Path(relay.path) if relay.path else USUAL, work)
        case _:
            from dispatch.mailing.smtp import SmtpConnection

            return SmtpConnection(relay, work)


def _file(path: Path, work: Work) -> Connection:
    from dispatch.mailing.files import FileConnection, Folder

    if path.suffix == ".mbox":
        import time

        from dispatch.mailing.mbox import Mbox

        return FileConnection(Mbox(path, lambda: time.time_ns() // 1_000_000), path, work)
    return FileConnection(Folder(path), path, work)
