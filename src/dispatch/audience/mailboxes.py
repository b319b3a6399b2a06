"""Which addresses end up in one mailbox, and which domains are shared by everybody.

Mail is not sent by this: it only counts how often somebody is written to, so that
nobody fills a mailbox by way of ``ida+1@``, ``ida+2@`` and so on.
"""

from __future__ import annotations

from dispatch.audience.addresses import Address

_DOTS_MEAN_NOTHING = frozenset({"gmail.com", "googlemail.com"})

SHARED_BY_ALL = frozenset({
    "126.com", "163.com", "aol.com", "bluewin.ch", "btinternet.com", "comcast.net", "duck.com",
    "fastmail.com", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net",
    "googlemail.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr",
    "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com", "mail.ru", "mailbox.org",
    "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de", "outlook.es",
    "outlook.fr", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com", "sfr.fr",
    "t-online.de", "telefonica.net", "wanadoo.fr", "web.de", "yahoo.co.jp", "yahoo.co.uk",
    "yahoo.com", "yahoo.de", "yahoo.es", "yahoo.fr", "yandex.ru", "ymail.com",
})  # fmt: skip
"""Domains of the large mailbox providers: that many people have one says nothing."""


def mailbox_of(address: Address) -> str:
    """The same for all addresses that, as a rule, end up in one mailbox.

    What follows a plus sign is a label (RFC 5233), and Gmail takes no notice of dots.
    """
    local, _, domain = address.key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"
