"""How many messages each relay has accepted on each day.

Every function takes a connection of a write transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, bindparam, insert, select, update

from dispatch.store.tables import relay_days


def of(connection: Connection, day: date) -> dict[str, int]:
    """What relays have accepted on ``day``, by their names."""
    columns = (relay_days.c.relay, relay_days.c.accepted)
    return dict(connection.execute(select(*columns).where(relay_days.c.day == day)).all())


def add(connection: Connection, day: date, accepted: Mapping[str, int]) -> None:
    """Count what relays have accepted on ``day`` besides what was counted before."""
    for relay, count in accepted.items():
        if not count:
            continue
        values = {"of_relay": relay, "of_day": day, "more": count}
        if not connection.execute(_ADD, values).rowcount:
            connection.execute(insert(relay_days).values(relay=relay, day=day, accepted=count))


_ADD = (
    update(relay_days)
    .where(relay_days.c.relay == bindparam("of_relay"), relay_days.c.day == bindparam("of_day"))
    .values(accepted=relay_days.c.accepted + bindparam("more"))
)
