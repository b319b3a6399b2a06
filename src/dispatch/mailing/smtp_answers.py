"""What a relay's answer means for the copy that it is about.

| answer     | at MAIL            | at RCPT             | at DATA, after the last byte |
| ---------- | ------------------ | ------------------- | ---------------------------- |
| 2xx        | go on              | go on (251, 252)    | accepted                     |
| 421        | deferred, relay    | deferred, recipient | deferred, relay              |
| 4xx        | deferred, relay    | deferred, recipient | deferred, content            |
| 500 502 503| unsent, sender     | deferred, relay     | deferred, relay              |
| 5xx        | unsent, sender     | bounced, recipient  | bounced, content             |

500, 502 and 503 to a command that is in its place are about the conversation,
not about the copy.
"""

from __future__ import annotations

from typing import Literal

from dispatch.mailing.replies import Reply
from dispatch.mailing.transport import Copy, Result

CONFUSED = (500, 502, 503)


def accepted(copy: Copy, reply: Reply) -> Result:
    """It was taken."""
    return Result(copy, "accepted", reply.words, reply.code, reply.status)


def refused_sender(copy: Copy, reply: Reply) -> Result:
    """MAIL was not answered with 2xx."""
    code, status = reply.code, reply.status
    if code < 500:
        return Result(copy, "deferred", reply.words, code, status, "relay")
    if code == 552 or status == "5.3.4":  # too large, RFC 1870 6.1
        return Result(copy, "bounced", reply.words, code, status, "content")
    if status == "5.6.7":  # SMTPUTF8, which this recipient needs
        return Result(copy, "bounced", reply.words, code, status, "recipient")
    return Result(copy, "unsent", reply.words, code, status, "sender")


def refused_recipient(copy: Copy, reply: Reply) -> Result:
    """RCPT was not answered with 2xx."""
    if reply.code in CONFUSED:
        return Result(copy, "deferred", reply.words, reply.code, reply.status, "relay")
    return Result(copy, _kind(reply), reply.words, reply.code, reply.status, "recipient")


def refused_content(copy: Copy, reply: Reply) -> Result:
    """DATA, or the whole message, was refused."""
    if reply.code == 421 or reply.code in CONFUSED:
        return Result(copy, "deferred", reply.words, reply.code, reply.status, "relay")
    return Result(copy, _kind(reply), reply.words, reply.code, reply.status, "content")


def _kind(reply: Reply) -> Literal["bounced", "deferred"]:
    return "bounced" if reply.code >= 500 else "deferred"
