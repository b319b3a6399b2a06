"""The audience: questions to, and changes of, its tables, and what a segment is in SQL.

Every function takes a connection of :meth:`dispatch.store.connection.Store.transaction`.
Addresses are given by their key (:func:`dispatch.audience.addresses.key_of`),
which is the same for all spellings of one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)

from dispatch.store.tables import (
    articles,
    bounces,
    desks,
    forgotten,
    moves,
    secrets,
    subscribers,
    suppressions,
)

EVERY_DESK = ""
"""The desk of a suppression that holds for all of them."""


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """A row of ``subscribers``; the columns are explained there."""

    key: int
    desk: str
    address_key: str
    email: str
    domain: str
    name: str | None
    language: str | None
    timezone: str | None
    tags: str
    fields: str | None
    state: str
    consent_source: str | None
    consent_at: datetime | None
    consent_ip: str | None
    created: datetime
    changed: datetime
    consent_text: str | None = None
    frequency: str = "each"
    paused_until: datetime | None = None
    digested: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """How a subscriber came from one state to another."""

    at: datetime
    before: str
    after: str
    cause: str


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """An address that is not mailed; ``desk`` is :data:`EVERY_DESK` where no desk does."""

    desk: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SuppressedRow:
    """A row of ``suppressions``."""

    address_key: str
    desk: str
    reason: str
    at: datetime


_COLUMNS = [subscribers.c[field.name] for field in fields(SubscriberRow)]

# Subscribers -------------------------------------------------------------------------------------


def subscriber(connection: Connection, key: int) -> SubscriberRow | None:
    found = _subscribers(connection, subscribers.c.key == key)
    return found[0] if found else None


def of_person(connection: Connection, address_key: str) -> list[SubscriberRow]:
    """Everything a person subscribes to, by desk."""
    return _subscribers(connection, subscribers.c.address_key == address_key)


def at_desk(connection: Connection, desk: str, keys: Collection[str]) -> dict[str, SubscriberRow]:
    """Who of the addresses ``keys`` is known at a desk."""
    condition = and_(subscribers.c.desk == desk, subscribers.c.address_key.in_(keys))
    return {row.address_key: row for row in _subscribers(connection, condition)}


def page(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], after: int, limit: int
) -> list[SubscriberRow]:
    """The first ``limit`` subscribers behind the key ``after``, in the order they were added."""
    query = (
        select(*_COLUMNS)
        .where(subscribers.c.key > after, *conditions)
        .order_by(subscribers.c.key)
        .limit(limit)
    )
    return [SubscriberRow(*row) for row in connection.execute(query)]


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New subscribers, each a mapping of the columns of ``subscribers`` without ``key``."""
    if rows:
        connection.execute(insert(subscribers), rows)


def change(connection: Connection, key: int, values: Mapping[str, Any], now: datetime) -> None:
    connection.execute(
        update(subscribers).where(subscribers.c.key == key).values(**values, changed=now)
    )


def move(connection: Connection, row: SubscriberRow, after: str, cause: str, now: datetime) -> None:
    """Put a subscriber into another state, and keep how they came there."""
    change(connection, row.key, {"state": after}, now)
    connection.execute(
        insert(moves).values(subscriber=row.key, at=now, before=row.state, after=after, cause=cause)
    )


def moves_of(connection: Connection, subscriber: int) -> list[MoveRow]:
    """How a subscriber came to their state, the first move first."""
    columns = (moves.c.at, moves.c.before, moves.c.after, moves.c.cause)
    query = select(*columns).where(moves.c.subscriber == subscriber).order_by(moves.c.key)
    return [MoveRow(*row) for row in connection.execute(query)]


def is_known_desk(connection: Connection, desk: str) -> bool:
    """Whether a desk has published or has subscribers."""
    known = or_(
        exists().where(desks.c.slug == desk),
        exists().where(articles.c.desk == desk),
        exists().where(subscribers.c.desk == desk),
    )
    return bool(connection.execute(select(known)).scalar())


def of_desks(connection: Connection) -> dict[str, int]:
    """How many subscribers each desk has, by its slug."""
    query = select(subscribers.c.desk, func.count()).group_by(subscribers.c.desk)
    return dict(connection.execute(query).all())


def field_names(connection: Connection, desk: str) -> list[str]:
    """The names of all custom fields that a desk's subscribers have, in order. Reads them all."""
    names = func.json_each(subscribers.c.fields).table_valued("key")
    query = (
        select(names.c.key)
        .select_from(subscribers.join(names, true()))
        .where(subscribers.c.desk == desk, subscribers.c.fields.is_not(None))
        .distinct()
    )
    return sorted(connection.execute(query).scalars())


def has_field(connection: Connection, desk: str, name: str) -> bool:
    """Whether any of a desk's subscribers has a custom field of that name."""
    found = exists().where(subscribers.c.desk == desk, _field(name).is_not(None))
    return bool(connection.execute(select(found)).scalar())


def any_with(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> bool:
    """Whether any subscriber meets all of these conditions."""
    return bool(connection.execute(select(exists().where(*conditions))).scalar())


def tags_in_use(connection: Connection, desk: str) -> set[str]:
    """All lists of tags that a desk's subscribers have, as they are stored. Reads them all."""
    query = select(subscribers.c.tags).where(subscribers.c.desk == desk).distinct()
    return set(connection.execute(query).scalars())


def shred(connection: Connection) -> None:
    """From here on, zeros are written over whatever this connection deletes or changes."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")


def erase(connection: Connection, address_key: str) -> None:
    """Delete a person: at every desk, with their history and suppressions.

    Of bounces the numbers stay; their words can hold the address.
    """
    keys = select(subscribers.c.key).where(subscribers.c.address_key == address_key)
    nobody = {"subscriber": None, "reason": "forgotten"}
    connection.execute(update(bounces).where(bounces.c.subscriber.in_(keys)).values(nobody))
    connection.execute(delete(moves).where(moves.c.subscriber.in_(keys)))
    connection.execute(delete(subscribers).where(subscribers.c.address_key == address_key))
    connection.execute(delete(suppressions).where(suppressions.c.address_key == address_key))


def _subscribers(connection: Connection, condition: ColumnElement[bool]) -> list[SubscriberRow]:
    query = select(*_COLUMNS).where(condition).order_by(subscribers.c.desk, subscribers.c.key)
    return [SubscriberRow(*row) for row in connection.execute(query)]


# Suppressions, and the forgotten -----------------------------------------------------------------


def suppressions_of(connection: Connection, address_key: str) -> list[SuppressionRow]:
    columns = (suppressions.c.desk, suppressions.c.reason, suppressions.c.at)
    query = select(*columns).where(suppressions.c.address_key == address_key)
    return [SuppressionRow(*row) for row in connection.execute(query.order_by(suppressions.c.desk))]


def suppressions_since(
    connection: Connection, at: datetime | None, skip: int, limit: int
) -> list[SuppressedRow]:
    """Suppressions in the order they were made.

    Args:
        at: only those from then on; None: from the first.
        skip: how many of them to leave out.
    """
    columns = (
        suppressions.c.address_key, suppressions.c.desk, suppressions.c.reason, suppressions.c.at,
    )  # fmt: skip
    query = select(*columns).order_by(suppressions.c.at, *columns[:2]).offset(skip).limit(limit)
    if at is not None:
        query = query.where(suppressions.c.at >= at)
    return [SuppressedRow(*row) for row in connection.execute(query)]


def suppressed(connection: Connection, desk: str, keys: Collection[str]) -> set[str]:
    """Which of the addresses ``keys`` are not mailed by a desk."""
    query = select(suppressions.c.address_key).where(
        suppressions.c.desk.in_((desk, EVERY_DESK)), suppressions.c.address_key.in_(keys)
    )
    return set(connection.execute(query).scalars())


def any_suppressions(connection: Connection) -> bool:
    return bool(connection.execute(select(exists().select_from(suppressions))).scalar())


def suppress(
    connection: Connection, address_key: str, desk: str, reason: str, now: datetime
) -> None:
    """Keep an address from being mailed; a suppression that is there is replaced."""
    unsuppress(connection, address_key, desk)
    values = {"address_key": address_key, "desk": desk, "reason": reason, "at": now}
    connection.execute(insert(suppressions).values(values))


def unsuppress(connection: Connection, address_key: str, desk: str) -> bool:
    """Lift a suppression; says whether there was one."""
    there = and_(suppressions.c.address_key == address_key, suppressions.c.desk == desk)
    return connection.execute(delete(suppressions).where(there)).rowcount > 0


def forget(connection: Connection, hash_: str, now: datetime) -> None:
    """Remember the keyed hash of somebody who asked to be forgotten."""
    unforget(connection, hash_)
    connection.execute(insert(forgotten).values(hash=hash_, at=now))


def unforget(connection: Connection, hash_: str) -> None:
    """Drop the hash of somebody who came back of their own will."""
    connection.execute(delete(forgotten).where(forgotten.c.hash == hash_))


def forgotten_among(connection: Connection, hashes: Collection[str]) -> set[str]:
    query = select(forgotten.c.hash).where(forgotten.c.hash.in_(hashes))
    return set(connection.execute(query).scalars())


def forgotten_at(connection: Connection, hash_: str) -> datetime | None:
    return connection.execute(select(forgotten.c.at).where(forgotten.c.hash == hash_)).scalar()


def any_forgotten(connection: Connection) -> bool:
    return bool(connection.execute(select(exists().select_from(forgotten))).scalar())


# Secrets -----------------------------------------------------------------------------------------


def secret(connection: Connection, name: str, make: Callable[[], str], now: datetime) -> str:
    """The secret ``name``; where there is none, ``make`` makes it, for good."""
    found: str | None = connection.execute(
        select(secrets.c.value).where(secrets.c.name == name)
    ).scalar()
    if found is None:
        found = make()
        connection.execute(insert(secrets).values(name=name, value=found, made=now))
    return found


# Segments: conditions on subscribers; all values are data ----------------------------------------


def has_tag(tag: str) -> ColumnElement[bool]:
    """``tag`` is in lower case, as tags are kept, and holds no bar."""
    return subscribers.c.tags.contains(f"|{tag}|", autoescape=True)


def speaks(language: str) -> ColumnElement[bool]:
    """The language itself or one of its varieties: ``de`` is ``de-AT`` as well (RFC 4647 3.3.1)."""
    return _is_or_below(subscribers.c.language, language, "-")


def lives_in(timezone: str) -> ColumnElement[bool]:
    """A time zone, or all of an area: ``Europe`` is ``Europe/Vienna`` as well."""
    return _is_or_below(subscribers.c.timezone, timezone, "/")


def has_domain(domain: str) -> ColumnElement[bool]:
    return subscribers.c.domain == domain


def has_address(address_key: str) -> ColumnElement[bool]:
    return subscribers.c.address_key == address_key


def is_named_like(text: str) -> ColumnElement[bool]:
    """The text stands anywhere in the name; ASCII letters in either case."""
    name = func.lower(subscribers.c.name)
    return _known(name.contains(_lower(text), autoescape=True))


def joined_before(time: datetime) -> ColumnElement[bool]:
    return subscribers.c.created < time


def has_field_value(name: str, value: str) -> ColumnElement[bool]:
    """A custom field has the value; ASCII letters in either case."""
    return _known(func.lower(_field(name)) == _lower(value))


def all_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return and_(true(), *conditions)


def any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(false(), *conditions)


def none_of(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(condition)


def of_desk(desk: str) -> ColumnElement[bool]:
    return subscribers.c.desk == desk


def in_state(state: str) -> ColumnElement[bool]:
    return subscribers.c.state == state


def _is_or_below(column: Any, value: str, separator: str) -> ColumnElement[bool]:
    value = _lower(value)
    start = func.lower(column).startswith(value + separator, autoescape=True)
    return _known(or_(func.lower(column) == value, start))


def _known(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """What nobody knows of a subscriber is not so: or else ``not`` would leave them out too."""
    return func.coalesce(condition, false())


def _field(name: str) -> ColumnElement[str]:
    """``name`` is made of letters, digits and underscores, stored as they are, without escapes."""
    return func.json_extract(subscribers.c.fields, literal(f'$."{name}"'))


def _lower(text: str) -> str:
    """As SQLite's ``lower``: ASCII alone."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
