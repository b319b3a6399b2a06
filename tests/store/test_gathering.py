"""Group commits: everybody gets their own answer, and only once it is durable."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from dispatch.errors import StoreError
from dispatch.store.connection import Store
from dispatch.store.gathering import Gathering


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "dispatch.db")
    yield store
    store.close()


@pytest.fixture
def gathering(store: Store) -> Iterator[Gathering]:
    gathering = Gathering(store)
    yield gathering
    gathering.close()


def forget(connection: Connection, names: Sequence[str]) -> list[int]:
    """Writes rows; 'bad' is refused."""
    for name in names:
        if name == "bad":
            raise ValueError("bad")
        connection.execute(text("INSERT INTO releases VALUES (:n, '2026-01-01')"), {"n": name})
    return [len(names)] * len(names)


def rows(store: Store) -> set[str]:
    with store.reading() as connection:
        return set(connection.execute(text("SELECT id FROM releases")).scalars())


def test_an_answer_comes_once_it_is_durable(store: Store, gathering: Gathering) -> None:
    assert gathering.write_together(forget, "a").result(10) == 1
    assert rows(store) == {"a"}


def test_what_comes_while_another_is_under_way_is_done_together(
    store: Store, gathering: Gathering
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    first = gathering.write(slow)
    assert begun.wait(10)
    others = [gathering.write_together(forget, f"r{n}") for n in range(50)]
    go_on.set()
    first.result(10)
    assert [other.result(10) for other in others] == [50] * 50


def test_who_is_refused_is_refused_alone(store: Store, gathering: Gathering) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    gathering.write(slow)
    assert begun.wait(10)
    answers: dict[str, Future[int]] = {
        name: gathering.write_together(forget, name) for name in ("a", "bad", "c")
    }
    go_on.set()
    assert answers["a"].result(10) == answers["c"].result(10) == 1
    with pytest.raises(ValueError, match="bad"):
        answers["bad"].result(10)
    assert rows(store) == {"a", "c"}


def test_where_the_commit_fails_everybody_is_told_and_the_next_one_is_served(
    store: Store, gathering: Gathering
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def found_out_at_the_commit(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("INSERT INTO edition_articles VALUES (99, 0, 'nobody', 1)")

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    gathering.write(slow)
    assert begun.wait(10)
    answers = [gathering.write_together(forget, "lost"), gathering.write(found_out_at_the_commit)]
    go_on.set()
    for answer in answers:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            answer.result(10)
    assert gathering.write_together(forget, "after").result(10) == 1
    assert rows(store) == {"after"}


def test_closing_finishes_what_was_asked_for(store: Store) -> None:
    gathering = Gathering(store)
    answers = [gathering.write_together(forget, f"r{n}") for n in range(1000)]
    gathering.close()
    assert all(answer.done() and not answer.exception() for answer in answers)
    assert len(rows(store)) == 1000


def test_a_reader_waits_for_nobody_and_can_change_nothing(store: Store, tmp_path: Path) -> None:
    with store.transaction() as writer:
        writer.execute(text("INSERT INTO releases VALUES ('w', '2026-01-01')"))
        assert rows(store) == set()
    with pytest.raises(StoreError, match="cannot be written"), store.reading() as connection:
        connection.execute(text("DELETE FROM releases"))
    assert rows(store) == {"w"}


def test_a_pooled_connection_can_write_after_it_has_read(tmp_path: Path) -> None:
    pooled = Store(tmp_path / "pooled.db", pooled=True)
    with pooled.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    with pooled.transaction() as connection:
        connection.execute(text("INSERT INTO releases VALUES ('a', '2026-01-01')"))
    assert rows(pooled) == {"a"}
    pooled.close()
    with sqlite3.connect(tmp_path / "pooled.db") as plain:
        assert plain.execute("SELECT count(*) FROM releases").fetchone() == (1,)
    plain.close()


def test_what_nobody_waits_for_any_more_is_not_done_and_the_others_are(
    store: Store, gathering: Gathering
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    under_way = gathering.write(slow)
    assert begun.wait(10)
    called_off, other = (gathering.write_together(forget, name) for name in ("a", "b"))
    assert called_off.cancel()
    assert not under_way.cancel()
    go_on.set()
    assert other.result(10) == 1
    assert rows(store) == {"b"}


def test_a_coroutine_gets_its_answer_or_what_went_wrong_with_its_own_piece(
    gathering: Gathering, store: Store
) -> None:
    async def ask(name: str) -> int:
        return await gathering.together(forget, name)

    async def ask_all() -> list[int | BaseException]:
        asked = [ask(name) for name in ("a", "bad", "c")]
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third = asyncio.run(ask_all())
    assert isinstance(second, ValueError)
    assert isinstance(first, int)
    assert isinstance(third, int)
    assert rows(store) == {"a", "c"}


def test_a_coroutine_that_was_called_off_keeps_nobody_from_their_answer(
    gathering: Gathering, store: Store
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    async def ask() -> int:
        called_off = asyncio.create_task(gathering.together(forget, "a"))
        other = asyncio.create_task(gathering.together(forget, "b"))
        await asyncio.sleep(0)
        called_off.cancel()
        await asyncio.gather(called_off, return_exceptions=True)
        go_on.set()
        return await other

    gathering.write(slow)
    assert begun.wait(10)
    assert asyncio.run(ask()) == 1
    assert rows(store) == {"b"}


def test_an_event_loop_that_is_gone_keeps_nobody_from_their_answer(
    gathering: Gathering, store: Store
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    gathering.write(slow)
    assert begun.wait(10)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(gathering.together(forget, "a"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    go_on.set()
    assert gathering.write_together(forget, "b").result(10)
    assert "b" in rows(store)
    del waiting
