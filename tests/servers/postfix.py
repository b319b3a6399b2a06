"""A real Postfix of Debian's package, beside the machine's own: another port, queue and settings.

Nothing leaves the loopback and no name is looked up. It takes mail for

=================  ============================================================================
``example.org``    everybody has a mailbox; all mail is in the Maildir ``readers``
``strict.example`` only ``known@`` has one; others are refused at RCPT (550 5.1.1)
``later.example``  accepted, then bounced: 5.2.2 if the address begins with ``full``, else 5.1.1
``back.example``   where bounces go: all mail is in the Maildir ``bounces``
=================  ============================================================================

It forgives more refused recipients in a session than the twenty of its defaults, as a relay for
mailings has to. Postfix starts as root, and works as its own user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import needed

PROGRAM = shutil.which("postfix", path="/usr/sbin:/usr/local/sbin")

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
default_transport = error:5.7.1 nothing leaves this machine
relay_transport = $default_transport
smtpd_relay_restrictions = reject_unauth_destination
local_header_rewrite_clients =
recipient_delimiter = +
smtputf8_enable = yes
smtpd_client_event_limit_exceptions = static:all
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
in_flow_delay = 0
virtual_mailbox_domains = example.org, strict.example, later.example, back.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = regexp:{folder}/etc/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_destination_concurrency_limit = 20
virtual_destination_recipient_limit = 1
transport_maps = inline:{{ later.example=later: }}
later_destination_recipient_limit = 1
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60  1 pickup
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
error     unix  - - n -   - error
retry     unix  - - n -   - error
showq     unix  n - n -   - showq
virtual   unix  - n n -   - virtual
anvil     unix  - - n -   1 anvil
postlog   unix-dgram n - n - 1 postlogd
later     unix  - n n -   - pipe
  flags=q user=nobody argv={folder}/etc/later ${{recipient}}
"""

_MAILBOXES = """\
/^known@strict\\.example$/ readers/
/@(example\\.org|later\\.example)$/ readers/
/@back\\.example$/ bounces/
"""

_LATER = """\
#!/bin/sh
cat >/dev/null
case "$1" in
full*) echo "5.2.2 The mailbox is full"; exit 69 ;;
*) echo "5.1.1 There is no such mailbox"; exit 67 ;;
esac
"""


class Postfix:
    """A running Postfix; ``port`` is on 127.0.0.1."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.config = folder / "etc"

    def mails(self, maildir: str, count: int, seconds: float = 30) -> list[bytes]:
        """The messages of a Maildir, once there are ``count``.

        Raises:
            AssertionError: there are not so many in time; with the end of Postfix's log.
        """
        new = self.folder / "mail" / maildir / "new"
        deadline = time.monotonic() + seconds
        while len(paths := list(new.iterdir()) if new.is_dir() else []) < count:
            assert time.monotonic() < deadline, f"{len(paths)} of {count}\n{self.log()[-3000:]}"
            time.sleep(0.02)
        return [path.read_bytes() for path in sorted(paths)]

    def empty(self) -> None:
        """Forget the mail that was delivered."""
        for path in (self.folder / "mail").glob("*/new/*"):
            path.unlink()

    def log(self) -> str:
        path = self.folder / "mail.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""


@contextmanager
def running() -> Iterator[Postfix]:
    """A Postfix that lives as long as the context; skips the test where there can be none."""
    needed(PROGRAM and os.geteuid() == 0, "Postfix, and root to start it")
    # Postfix's own user must be able to reach it: pytest's folders are closed to others.
    with tempfile.TemporaryDirectory(prefix="postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postfix = Postfix(folder, _free_port())
        _configure(postfix)
        try:
            started = _command(postfix, "start")
            assert started.returncode == 0, started.stderr + postfix.log()
            _wait_for(postfix)
            yield postfix
        finally:
            _command(postfix, "abort")  # "stop" gives its processes seconds that nobody needs


def _configure(postfix: Postfix) -> None:
    owner, nobody = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
    for name in ("etc", "queue", "data", "mail"):
        (postfix.folder / name).mkdir()
    os.chown(postfix.folder / "data", owner.pw_uid, owner.pw_gid)
    os.chown(postfix.folder / "mail", nobody.pw_uid, nobody.pw_gid)
    values = {
        "folder": postfix.folder,
        "port": postfix.port,
        "uid": nobody.pw_uid,
        "gid": nobody.pw_gid,
    }
    (postfix.config / "main.cf").write_text(_MAIN.format(**values))
    (postfix.config / "master.cf").write_text(_MASTER.format(**values))
    (postfix.config / "mailboxes").write_text(_MAILBOXES)
    (postfix.config / "later").write_text(_LATER)
    (postfix.config / "later").chmod(0o755)


def _command(postfix: Postfix, verb: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), "-c", str(postfix.config), verb],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def _wait_for(postfix: Postfix) -> None:
    """Until it greets: that takes a second."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", postfix.port), timeout=5) as connection:
                assert connection.recv(4) == b"220 "
                return
        except OSError:
            assert time.monotonic() < deadline, f"Postfix does not answer:\n{postfix.log()}"
            time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
