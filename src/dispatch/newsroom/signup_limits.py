"""How many sign-ups are answered: nobody shall fill a stranger's mailbox by way of a form.

The limits hold on every path, because they are applied where sign-ups are worked
off. They count mails that were queued, and sign-ups by where they came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dispatch.audience.mailboxes import SHARED_BY_ALL
from dispatch.newsroom.networks import network
from dispatch.settings import Settings
from dispatch.store import signups as store
from dispatch.store.signups import SignupRow

DAY = timedelta(days=1)
MAILED = ("asked", "told")
"""Outcomes that somebody was mailed for."""

MAILS_A_DAY = 5
"""To one mailbox, over all desks."""
ASKED_IN_A_MONTH = 5
"""Times that somebody who never answers is asked to confirm for one desk."""
MONTH = timedelta(days=30)
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Counts:
    """What happened lately, and what is added to it while rows are worked off."""

    settings: Settings
    mailed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Mails of the last day by desk, key of the address and outcome."""
    mailboxes: Counter[str] = field(default_factory=Counter)
    """The same by mailbox, over all desks."""
    domains: Counter[str] = field(default_factory=Counter)
    """Mails of the last hour."""
    networks: Counter[str] = field(default_factory=Counter)
    """Sign-ups of the last hour by where they came from."""

    @classmethod
    def of(
        cls,
        connection: Connection,
        rows: Sequence[SignupRow],
        settings: Settings,
        now: datetime,
    ) -> Counts:
        """Those that ``rows`` are to be measured by."""
        counts = cls(settings)
        mailboxes = {row.mailbox for row in rows}
        for mailbox, desk, key, outcome in store.of_mailboxes(
            connection, mailboxes, now - DAY, MAILED
        ):
            counts.mailed[desk, key, outcome] += 1
            counts.mailboxes[mailbox] += 1
        counts.domains.update(store.by_domain(connection, now - _HOUR, MAILED))
        for ip, count in store.by_ip(connection, now - _HOUR).items():
            counts.networks[network(ip)] += count
        return counts

    def why_not(self, row: SignupRow) -> str | None:
        """Why a sign-up is not looked at any further; counts it."""
        if row.ip is None:
            return None
        place = network(row.ip)
        self.networks[place] += 1
        most = self.settings.signups_per_ip
        return "too many from one place" if 0 < most < self.networks[place] else None

    def why_no_mail(self, row: SignupRow, outcome: str) -> str | None:
        """Why nobody is mailed for a sign-up; None: they may be, which :meth:`count` counts."""
        most = self.settings.signups_per_domain
        if self.mailed[row.desk, row.address_key, outcome]:
            return f"{outcome} today"
        if self.mailboxes[row.mailbox] >= MAILS_A_DAY:
            return "too many to one mailbox"
        if 0 < most <= self.domains[row.domain] and row.domain not in SHARED_BY_ALL:
            return "too many at one domain"
        return None

    @property
    def all_taken(self) -> bool:
        """Whether no more mails are sent this hour."""
        return 0 < self.settings.signups_per_hour <= self.domains.total()

    def count(self, row: SignupRow, outcome: str) -> None:
        """Somebody is mailed."""
        self.mailed[row.desk, row.address_key, outcome] += 1
        self.mailboxes[row.mailbox] += 1
        self.domains[row.domain] += 1
