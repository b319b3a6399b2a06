"""The database: made new, brought up to date, refused when it is not ours to touch."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from dispatch.errors import StoreError
from dispatch.store import articles
from dispatch.store.articles import ArticleRow, DeskRow
from dispatch.store.connection import Store, rehearsal
from dispatch.store.migrations import migrate
from dispatch.store.tables import REVISION


def schema(path: Path) -> dict[str, object]:
    """Tables, columns and indexes, in a form that can be compared."""
    engine = create_engine(f"sqlite:///{path}")
    found: dict[str, object] = {}
    with engine.connect() as connection:
        look = inspect(connection)
        for table in sorted(look.get_table_names()):
            columns = [
                (c["name"], str(c["type"]), c["nullable"], c["primary_key"])
                for c in look.get_columns(table)
            ]
            indexes = sorted((i["name"], tuple(i["column_names"])) for i in look.get_indexes(table))
            uniques = sorted(
                (str(u["name"]), tuple(u["column_names"]))
                for u in look.get_unique_constraints(table)
            )
            keys = [
                (k["constrained_columns"], k["referred_table"])
                for k in look.get_foreign_keys(table)
            ]
            found[table] = (columns, indexes, uniques, keys)
    engine.dispose()
    return found


WORLD = DeskRow("world", "World", "tag:news.example.org,2026-10-04:world")


def row(**changes: object) -> ArticleRow:
    values: dict[str, object] = {
        "key": 0,
        "id": "tag:news.example.org,2026-10-04:world/ferry",
        "own_id": None,
        "desk": "world",
        "day": date(2026, 10, 4),
        "slug": "ferry",
        "asked_slug": "ferry",
        "dated": True,
        "file": None,
        "published": datetime(2026, 10, 4, 9, tzinfo=UTC),
        "updated": datetime(2026, 10, 4, 9, tzinfo=UTC),
        "version": 1,
        "public_version": 1,
        "digest": "0" * 64,
        "entry": "{}",
        "archive": None,
    }
    return ArticleRow(**{**values, **changes})  # type: ignore[arg-type]


def test_a_new_database_has_the_schema_that_the_migrations_make(tmp_path: Path) -> None:
    Store(tmp_path / "new.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    assert schema(tmp_path / "new.db") == schema(tmp_path / "migrated.db")


def test_the_newest_migration_is_the_one_that_new_databases_are_stamped_with() -> None:
    from alembic.script import ScriptDirectory

    import dispatch.store.migrations as migrations

    folder = Path(str(migrations.__file__)).parent
    assert ScriptDirectory(str(folder)).get_current_head() == REVISION


def stamped(path: Path, *revisions: str) -> Path:
    """A database that holds nothing but its revision."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.executemany("INSERT INTO alembic_version VALUES (?)", [(r,) for r in revisions])
    connection.commit()
    connection.close()
    return path


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    Store(stamped(tmp_path / "before-the-first.db")).close()
    Store(tmp_path / "new.db").close()
    brought, new = schema(tmp_path / "before-the-first.db"), schema(tmp_path / "new.db")
    assert brought.pop("alembic_version")
    assert new.pop("alembic_version")
    assert brought == new


def test_a_database_that_no_migration_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"old\.db is at a schema that no migration leads on from"):
        Store(stamped(tmp_path / "old.db", "0000"))


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer version of Dispatch.*0999.*Upgrade"):
        Store(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not one of Dispatch"):
        Store(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["dispatch.db"]


def test_a_file_that_is_no_database_is_named_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.db"
    path.write_bytes(b"These are the minutes of the meeting." * 100)
    with pytest.raises(StoreError, match="not a database or is damaged"):
        Store(path)


def test_times_come_back_aware_and_naive_ones_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "dispatch.db")
    paris = datetime(2026, 10, 4, 11, tzinfo=timezone(timedelta(hours=2)))
    with store.transaction() as connection:
        articles.add_desk(connection, WORLD)
        articles.add(connection, row(published=paris))
    with store.transaction() as connection:
        (found,) = articles.with_slug(connection, "world", "ferry")
    assert found.published == datetime(2026, 10, 4, 9, tzinfo=UTC)
    with pytest.raises(Exception, match="without a zone"), store.transaction() as connection:
        articles.change(connection, found.key, updated=datetime(2026, 10, 4))  # noqa: DTZ001
    store.close()


def test_a_rehearsal_leaves_nothing_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.db"
    store = Store(path)
    with store.transaction() as connection:
        articles.add_desk(connection, WORLD)
        articles.add(connection, row())
    with store.transaction() as writing, rehearsal(path) as copy:
        articles.add(writing, row(slug="boat", asked_slug="boat"))
        with copy.transaction() as connection:
            assert articles.with_slug(connection, "world", "ferry")
            assert not articles.with_slug(connection, "world", "boat")
            articles.add(connection, row(slug="train", asked_slug="train"))
    with store.transaction() as connection:
        assert articles.with_slug(connection, "world", "boat")
        assert not articles.with_slug(connection, "world", "train")
    store.close()


def test_a_rehearsal_needs_no_database(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "dispatch.db") as store, store.transaction() as connection:
        articles.add_desk(connection, WORLD)
    assert list(tmp_path.iterdir()) == []


def test_an_error_takes_the_whole_transaction_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "dispatch.db")
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        articles.add_desk(connection, WORLD)
        articles.add(connection, row())
        raise ZeroDivisionError
    with store.transaction() as connection:
        assert articles.with_slug(connection, "world", "ferry") == []
    store.close()


def test_text_is_data_to_sql(tmp_path: Path) -> None:
    store = Store(tmp_path / "dispatch.db")
    hostile = "'); DROP TABLE articles; --"
    with store.transaction() as connection:
        articles.add_desk(connection, DeskRow("world", hostile, hostile))
        assert articles.desk(connection, "world") == DeskRow("world", hostile, hostile)
        key = articles.add(connection, row(own_id=hostile, file=hostile))
        found = articles.with_own_id(connection, "world", hostile)
        assert found is not None
        assert (found.key, found.file) == (key, hostile)
        assert articles.with_file(connection, "world", "' OR 1=1 --") == []
    store.close()


@pytest.mark.parametrize("name", ["a b", "a%20b", "a?b", "ä#b"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    Store(folder / "dispatch.db").close()
    assert (folder / "dispatch.db").is_file()


def test_a_new_database_is_nobody_elses_to_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "dispatch.db")
    with store.transaction():
        modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()}
    store.close()
    assert modes == {"dispatch.db": 0, "dispatch.db-wal": 0, "dispatch.db-shm": 0}


def test_a_disk_without_room_is_told_and_only_what_was_under_way_is_undone(tmp_path: Path) -> None:
    store = Store(tmp_path / "dispatch.db")
    with store.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text)")
    with (
        pytest.raises(StoreError, match=r"no room left .* What was under way is undone"),
        store.transaction() as connection,
    ):
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no less than there are
        connection.exec_driver_sql("INSERT INTO notes VALUES (zeroblob(1000000))")
    with store.transaction() as connection:
        assert connection.exec_driver_sql("SELECT * FROM notes").all() == []
    store.close()


def test_opening_and_reading_wait_for_nobody_who_writes(tmp_path: Path) -> None:
    writer = Store(tmp_path / "dispatch.db")
    with writer.transaction():
        other = Store(tmp_path / "dispatch.db")  # would wait for a minute, and fail
        with other.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM desks")).scalar() == 0
        other.close()
    writer.close()
