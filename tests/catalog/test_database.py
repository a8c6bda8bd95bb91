"""Opening catalogs: fresh ones, by several at once, damaged ones, newer ones, and where none can be."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import audit, migrate
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog, read_clock
from nuvo_jupyter.catalog.spaces import ensure_organization
from nuvo_jupyter.model.errors import CatalogDamaged, NuvoError


def open_catalog(path: Path) -> Catalog:
    return Catalog(f"sqlite:///{path}")


def fill(path: Path, entries: int = 2000) -> None:
    catalog = open_catalog(path)
    with catalog.write() as connection:
        ensure_organization(connection, "home")
        for _ in range(entries):
            audit.append(connection, who="anna", action="x" * 40)
    catalog.close()


def read_all(path: Path) -> None:
    catalog = open_catalog(path)
    try:
        with catalog.read() as connection:
            for table in t.metadata.sorted_tables:
                connection.execute(sa.select(table)).all()
    finally:
        catalog.close()


def test_a_fresh_catalog_is_private_and_has_the_newest_schema(catalog: Catalog, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with catalog.read() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == migrate.HEAD
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_head_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_migrations_make_what_the_tables_say(catalog: Catalog) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with catalog.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []


def test_what_is_written_is_there_after_opening_again(path: Path) -> None:
    fill(path, 3)
    catalog = open_catalog(path)
    with catalog.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.audit)) == 3
    catalog.close()


def test_a_failed_block_changes_nothing(catalog: Catalog) -> None:
    def fail() -> None:
        with catalog.write() as connection:
            ensure_organization(connection, "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with catalog.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.organization)) == 0


def test_the_databases_clock_tells_the_time(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "before").touch()
    with catalog.read() as connection:
        clock = read_clock(connection)
    (tmp_path / "after").touch()
    # File systems stamp with a clock that may lag by a tick.
    assert (tmp_path / "before").stat().st_mtime - 1 <= clock <= (tmp_path / "after").stat().st_mtime + 1


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_the_audit_trail_only_grows(catalog: Catalog, path: Path, change: str) -> None:
    with catalog.write() as connection:
        audit.append(connection, who="anna", action="x")
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), catalog.write() as connection:
        connection.exec_driver_sql(change)
    # Nor behind our back.
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute(change)
    other.close()
    with catalog.read() as connection:
        assert [row.who for row in connection.execute(sa.select(t.audit))] == ["anna"]


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_garbage_is_named_as_damage(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CatalogDamaged) as caught:
        open_catalog(path)
    assert str(path) in caught.value.message
    assert "backup" in (caught.value.hint or "")
    assert path.read_bytes() == content


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_named_as_damage_at_the_latest_when_it_is_read(path: Path, part: float) -> None:
    fill(path)
    os.truncate(path, int(path.stat().st_size * part))
    with pytest.raises(CatalogDamaged) as caught:
        read_all(path)
    assert caught.value.hint


def test_a_flipped_page_is_named_as_damage_when_it_is_read(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(b"\xa5" * 4096 * 60)
    with pytest.raises(CatalogDamaged):
        read_all(path)


def test_a_catalog_of_a_newer_version_is_left_alone(path: Path) -> None:
    fill(path, 1)
    database = sqlite3.connect(path)
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    with pytest.raises(CatalogDamaged, match="schema 9999") as caught:
        open_catalog(path)
    assert "newer version" in (caught.value.hint or "")
    database = sqlite3.connect(path)
    assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    database.close()


def test_another_programs_database_is_not_taken_over(path: Path) -> None:
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE person (x)")
    database.execute("CREATE TABLE theirs (x)")
    database.commit()
    database.close()
    with pytest.raises(CatalogDamaged, match="another program"):
        open_catalog(path)
    database = sqlite3.connect(path)
    assert sorted(row[0] for row in database.execute("SELECT name FROM sqlite_master")) == [
        "person",
        "theirs",
    ]
    database.close()


@pytest.mark.parametrize("where", ["a file in the way", "a folder in its place", "no such device"])
def test_where_no_catalog_can_be_the_error_says_so(tmp_path: Path, where: str) -> None:
    path = tmp_path / "home" / "catalog.sqlite"
    if where == "a file in the way":
        path.parent.write_text("")
    elif where == "a folder in its place":
        path.mkdir(parents=True)
    else:
        path = Path("/proc/nuvo/catalog.sqlite")
    with pytest.raises(NuvoError) as caught:
        open_catalog(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_url_that_is_none_is_named() -> None:
    for url in ("no url", "sqlite://", "mysql://x/y", "nosuch:///x"):
        with pytest.raises(NuvoError) as caught:
            Catalog(url)
        assert "catalog_url" in (caught.value.hint or "")


def test_many_processes_open_a_fresh_home_at_once(tmp_path: Path) -> None:
    path, start = tmp_path / "home" / "catalog.sqlite", tmp_path / "start"
    script = Path(__file__).with_name("open_home.py")
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(path), str(start)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start.touch()
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert (process.returncode, out.strip()) == (0, "1"), errors


def test_a_catalog_that_another_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself does not wait for a writer when it is asked for a write-ahead log."""
    path = tmp_path / "catalog.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE unfinished (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    waited = []

    def let_go(seconds: float) -> None:
        waited.append(seconds)
        other.execute("ROLLBACK")
        other.execute("DROP TABLE unfinished")
        other.close()

    monkeypatch.setattr("nuvo_jupyter.catalog.database.time.sleep", let_go)
    catalog = open_catalog(path)
    with catalog.write() as connection:
        assert ensure_organization(connection, "home") == 1
    catalog.close()
    assert len(waited) == 1


def test_many_threads_open_fresh_homes_at_once(tmp_path: Path) -> None:
    failed: list[BaseException] = []
    gate = threading.Barrier(6)

    def work(number: int) -> None:
        try:
            gate.wait()
            catalog = open_catalog(tmp_path / str(number % 3) / "catalog.sqlite")
            with catalog.write() as connection:
                assert ensure_organization(connection, "home") == 1
            catalog.close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_readers_see_one_state_while_others_write(catalog: Catalog) -> None:
    count = sa.select(sa.func.count()).select_from(t.organization)
    with catalog.read() as reader:
        assert reader.scalar(count) == 0
        with catalog.write() as writer:
            ensure_organization(writer, "home")
        assert reader.scalar(count) == 0
    with catalog.read() as reader:
        assert reader.scalar(count) == 1


def test_threads_that_wait_for_the_write_lock_leave_connections_for_the_one_that_holds_it(
    tmp_path: Path,
) -> None:
    """Whoever writes may read through a second connection, however many others wait."""
    catalog = open_catalog(tmp_path / "catalog.sqlite")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(catalog.read())
        with catalog.write() as connection:
            assert ensure_organization(connection, "home")
    catalog.close()
