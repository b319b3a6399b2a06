"""Making a mailing: an edition, its candidates, and who of them gets it.

A rehearsal does all of it but write down the recipients, whom it counts, and
keeps nothing: its numbers are those of the mailing itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from dispatch.article import Article, Note
from dispatch.audience import segments
from dispatch.audience.segments import Segment
from dispatch.desk import Desk
from dispatch.errors import ArticleError, DeliveryError
from dispatch.mailing import dkim, relays
from dispatch.newsroom import editions, keys, publish, schedules
from dispatch.newsroom.database import opened
from dispatch.settings import Settings
from dispatch.store import candidates as candidate_store
from dispatch.store import editions as edition_store
from dispatch.store import subscribers as subscriber_store
from dispatch.store.candidates import Candidates, Schedule
from dispatch.store.connection import Store
from dispatch.store.tables import epoch

_DOMAINS = 10
"""Recipient domains that are told one by one; the others are told together."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for; the options of ``dispatch send``."""

    out: Path
    names: tuple[str, ...]
    desk: str
    subject: str | None = None
    segment: str | None = None
    at: str | None = None
    local_time: bool = False
    again: bool = False
    in_doubt: str = "hold"


@dataclass(frozen=True, slots=True)
class Plan:
    """A mailing in numbers: candidates = recipients + the sum of ``excluded``."""

    mailing: int
    desk: str
    subject: str
    articles: tuple[str, ...]
    due: datetime
    scheduled: bool
    local_time: bool
    candidates: int
    recipients: int
    excluded: tuple[tuple[str, int], ...]
    """Why, and how many."""
    domains: tuple[tuple[str, int], ...]
    """The largest recipient domains, and how many each has."""
    twice: int
    """Recipients who have had one of the articles before."""
    earlier: tuple[int, ...]
    """The mailings it was in."""
    corrected: tuple[str, ...]
    """The headlines of those that have a newer version since."""
    again: bool
    unknown_tags: tuple[str, ...]
    """A sentence for each tag of the segment that nobody has."""
    rate: float
    notes: tuple[Note, ...]

    @property
    def seconds(self) -> float | None:
        """How long it takes at the rate that is set; None: there is no limit."""
        return self.recipients / self.rate if self.rate else None

    @property
    def takes(self) -> str:
        if self.seconds is None:
            return "as long as the relay needs: no rate is set (DISPATCH_SMTP_RATE)"
        length = timedelta(seconds=round(self.seconds))
        return f"{length} at {self.rate:g} messages a second"

    @property
    def leaves(self) -> str:
        if not self.scheduled:
            return "now"
        each = ", each in their own time zone" if self.local_time else ""
        return f"{self.due:%Y-%m-%d %H:%M %Z}{each}"

    @property
    def warnings(self) -> Iterator[str]:
        """What the desk should think about before it says yes."""
        yield from self.unknown_tags
        if self.twice:
            consequence = (
                "they get it twice" if self.again else "it takes --again to send it to them"
            )
            yield (
                f"{self.twice:,} of them have had an article of it before, in {self._mailings}: "
                f"{consequence}.{self._since}"
            )
        if not self.recipients:
            yield f"Nobody would get it. {self._why_nobody}."

    @property
    def refusal(self) -> str:
        """Why the mailing is not made, as a sentence; empty where it can be."""
        if not self.recipients:
            told = " ".join(["", *self.unknown_tags])
            return f"Nobody would get it. {self._why_nobody}.{told} Nothing was sent."
        if self.twice and not self.again:
            return (
                f"It was sent before, in {self._mailings}: {self.twice:,} of {self.recipients:,} "
                f"recipients would get an article of it twice.{self._since} Nothing was sent; "
                "--again sends it all the same."
            )
        return ""

    @property
    def _why_nobody(self) -> str:
        why = "; ".join(f"{reason} ({count:,})" for reason, count in self.excluded)
        who = "The one candidate" if self.candidates == 1 else f"{self.candidates:,} candidates"
        return f"{who}: {why}" if why else "No subscriber matches"

    @property
    def _mailings(self) -> str:
        *others, last = map(str, self.earlier[-3:])
        return f"mailings {', '.join(others)} and {last}" if others else f"mailing {last}"

    @property
    def _since(self) -> str:
        """That what they had was another version."""
        if not self.corrected:
            return ""
        told = " and ".join(f"“{headline}”" for headline in self.corrected[:3])
        return f" Changed since: {told}."

    def to_json(self) -> dict[str, object]:
        return {
            "mailing": self.mailing or None,
            "desk": self.desk,
            "subject": self.subject,
            "articles": list(self.articles),
            "due": self.due.isoformat(),
            "scheduled": self.scheduled,
            "candidates": self.candidates,
            "recipients": self.recipients,
            "excluded": dict(self.excluded),
            "domains": dict(self.domains),
            "twice": self.twice,
            "earlier_mailings": list(self.earlier),
            "corrected": list(self.corrected),
            "seconds": self.seconds,
            "notes": [
                {"level": n.level, "where": n.where, "message": n.message} for n in self.notes
            ],
        }


def rehearse(order: Order, settings: Settings, now: datetime) -> Plan:
    """What :func:`make` would do; nothing is kept.

    Raises: as :func:`make`.
    """
    _check(order, settings)
    with _opened(order) as store, store.transaction(keep=False) as connection:
        plan, _, _ = _plan(connection, order, settings, now)
        return replace(plan, mailing=0)


def make(
    order: Order,
    settings: Settings,
    now: datetime,
    along: Callable[[Connection, int], None] = lambda _connection, _mailing: None,
) -> Plan:
    """Publish the articles where they are not, freeze an edition and queue its recipients.

    Args:
        along: called with the mailing's number in the transaction that makes it: what it writes
            holds if the mailing does, and what it raises leaves no mailing.

    Raises:
        ArticleError: an article cannot be used.
        AudienceError: the segment makes no sense.
        DeliveryError: the desk has no subscribers, nobody is left to send it to, the article was
            sent before, or the time makes no sense.
        StoreError: the database cannot be written.
        SettingsError: a relay in the settings makes no sense.
    """
    _check(order, settings)
    _publish(order, settings, now)
    with _opened(order) as store, store.transaction() as connection:
        plan, candidates, schedule = _plan(connection, order, settings, now)
        refuse(plan)
        candidate_store.snapshot(
            connection,
            plan.mailing,
            candidates,
            schedule,
            in_doubt=order.in_doubt,
            now=epoch(now),
        )
        along(connection, plan.mailing)
        return plan


def refuse(plan: Plan) -> None:
    """Stop where the mailing of a rehearsal cannot be made, before anything is published for it.

    Raises:
        DeliveryError: nobody is left to send it to, or it was sent before.
    """
    if plan.refusal:
        raise DeliveryError(plan.refusal)


def _check(order: Order, settings: Settings) -> None:
    """Look now at what would only be found wrong when copies are to leave."""
    if order.subject is not None and not order.subject.strip():
        raise DeliveryError("The subject is empty: give one, or leave --subject out.")
    relays.parse_all(settings.smtp_url)
    dkim.load(settings.dkim)


def _opened(order: Order) -> AbstractContextManager[Store]:
    return opened(
        order.out,
        f"so nobody subscribes to {order.desk}. dispatch subscribers import FILE.csv brings "
        "subscribers in; if they are in another folder, name it with --out.",
    )


def _publish(order: Order, settings: Settings, now: datetime) -> None:
    """So that the links of the newsletter lead somewhere."""
    refused: list[publish.Outcome] = []

    def outcome(outcome: publish.Outcome) -> None:
        if outcome.action == "refused":
            refused.append(outcome)

    home = replace(settings, desk=order.desk)  # of an article that names none
    publish.publish(order.names, publish.Options(order.out), home, now, publish.Watch(outcome))
    if refused:
        raise ArticleError(f"{refused[0].notes[-1].message} Nothing was sent.")


def _plan(
    connection: Connection, order: Order, settings: Settings, now: datetime
) -> tuple[Plan, Candidates, Schedule]:
    """Freeze the edition and count its candidates; who they are is not written down yet."""
    desk = editions.find_desk(connection, order.desk, settings)
    segment = _segment(connection, order, desk)
    candidates = Candidates(desk.slug, segments.condition(segment) if segment else None)
    schedule, note = _schedule(connection, order, desk, candidates, now)
    candidates = replace(candidates, leaves=epoch(schedule.due))
    home = replace(settings, desk=order.desk)
    articles = editions.placed_articles(connection, order.names, home, now, schedule.due)
    readers = candidate_store.languages(connection, candidates)
    content = editions.render(articles, desk, order.subject, settings, readers)
    earlier = edition_store.with_articles(connection, desk.slug, [a.id or "" for a in articles])
    number = editions.freeze(
        connection,
        content,
        segment=order.segment,
        seed=secrets.token_hex(16),
        token_key=keys.tokens(connection, settings, now).newest,
        made=now,
        settings=settings,
    )
    census = candidate_store.census(connection, candidates)
    plan = Plan(
        mailing=number,
        desk=desk.name,
        subject=content.subject,
        articles=tuple(article.headline for article in articles),
        due=schedule.due,
        scheduled=schedule.state == "scheduled",
        local_time=order.local_time,
        candidates=census.candidates,
        recipients=census.recipients,
        excluded=tuple(census.excluded.items()),
        domains=_largest(census.domains),
        twice=candidate_store.had_before(connection, candidates, earlier),
        earlier=tuple(earlier),
        corrected=_corrected(connection, articles, earlier),
        again=order.again,
        unknown_tags=segments.unknown_tags(connection, desk.slug, segment) if segment else (),
        rate=settings.smtp_rate,
        notes=(*content.notes, *([Note("info", "--at", note)] if note else [])),
    )
    return plan, candidates, schedule


def _segment(connection: Connection, order: Order, desk: Desk) -> Segment | None:
    """Whom of the desk's subscribers it is for; None: all of them."""
    audience = subscriber_store.of_desks(connection)
    if desk.slug not in audience:
        others = ", ".join(f"{slug} ({count:,})" for slug, count in sorted(audience.items()))
        raise DeliveryError(
            f"The desk {desk.name} has no subscribers. "
            + (f"There are subscribers of: {others}." if others else "No desk has any.")
            + f" dispatch subscribers import FILE.csv --desk {desk.slug} brings them in."
        )
    if order.segment is None:
        return None
    return segments.parse_for(connection, desk.slug, order.segment)


def _corrected(
    connection: Connection, articles: Sequence[Article], earlier: Sequence[int]
) -> tuple[str, ...]:
    """The headlines of articles that ``earlier`` mailings held in older versions alone."""
    sent: dict[str, int] = {}
    for number in earlier:
        for id_, version in edition_store.articles_of(connection, number):
            sent[id_] = max(version, sent.get(id_, 0))
    return tuple(a.headline for a in articles if 0 < sent.get(a.id or "", 0) < (a.version or 1))


def _schedule(
    connection: Connection, order: Order, desk: Desk, candidates: Candidates, now: datetime
) -> tuple[Schedule, str]:
    """When it leaves, and what is to be said about that."""
    if order.at is None:
        return Schedule("sending", now), ""
    if not order.local_time:
        found = schedules.parse_at(order.at, now, desk.timezone)
        return Schedule("scheduled", found.due), found.note
    zones = candidate_store.timezones(connection, candidates)
    clock = schedules.parse_local(order.at, now)
    dues = schedules.local_due(clock, zones, now, desk.timezone)
    others = dues[None]
    by_timezone = {zone: epoch(dues.get(zone, others)) for zone in zones}
    # The mailing begins where the day does.
    return Schedule("scheduled", min(dues.values()), by_timezone, epoch(others)), ""


def _largest(domains: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    listed = list(domains.items())
    rest = sum(count for _, count in listed[_DOMAINS:])
    more = [(f"{len(listed) - _DOMAINS:,} other domains", rest)] if rest else []
    return (*listed[:_DOMAINS], *more)
