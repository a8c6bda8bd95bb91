"""Two versions of a table merged by key: whatever they hold, no row of ours changes, and only new ones are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.workspace.tables.connection import Connection
from nuvo_jupyter.workspace.tables.definition import read_definition
from nuvo_jupyter.workspace.tables.describe import describe
from nuvo_jupyter.workspace.tables.names import literal
from nuvo_jupyter.workspace.tables.rows import Appended, NoMerge, append_rows

Rows = dict[int | None, str | None]

DATABASE = duckdb.connect()
ROWS = st.dictionaries(st.none() | st.integers(0, 8), st.none() | st.sampled_from("abc"), max_size=8)


def written(path: Path, rows: Rows) -> Path:
    """A table without a primary key."""
    DATABASE.execute("CREATE OR REPLACE TABLE t (id INTEGER, value VARCHAR)")
    if rows:
        DATABASE.executemany("INSERT INTO t VALUES (?, ?)", list(rows.items()))
    DATABASE.execute(f"COPY t TO {literal(str(path))} (FORMAT parquet)")
    return path


def made(folder: Path, sql: str) -> Path:
    """A table `t` as nuvo.connect() writes it."""
    folder.mkdir()
    with Connection(folder / "tables") as con:
        con.execute(sql)
    return folder / "tables" / "t.parquet"


def read(path: Path) -> list[tuple[Any, ...]]:
    query = f"SELECT id, COLUMNS('value|note') FROM read_parquet({literal(str(path))})"
    return list(DATABASE.execute(query).fetchall())


# Each opens some databases.
@settings(max_examples=settings().max_examples // 4)
@given(ours=ROWS, theirs=ROWS)
def test_new_rows_are_appended_and_nothing_else_changes(
    tmp_path_factory: pytest.TempPathFactory, ours: Rows, theirs: Rows
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    mine, other = written(folder / "ours", ours), written(folder / "theirs", theirs)
    done = append_rows(mine, other, ["id"], folder / "result")
    new = {key: value for key, value in theirs.items() if key not in ours}
    differing = {key for key in theirs if key in ours and theirs[key] != ours[key]}
    assert done == Appended(len(new), len(differing), bool(new))
    if not new:
        assert not (folder / "result").exists()
        return
    rows = read(folder / "result")
    assert rows[: len(ours)] == list(ours.items()), "ours, in their order"
    assert dict(rows[len(ours) :]) == new
    # Once more, there is nothing left to do; and from the start it is the same, byte for byte.
    assert append_rows(folder / "result", other, ["id"], folder / "again").added == 0
    append_rows(mine, other, ["id"], folder / "second")
    assert (folder / "second").read_bytes() == (folder / "result").read_bytes()


def test_the_key_and_all_that_parquet_cannot_say_stay(tmp_path: Path) -> None:
    head = "CREATE TABLE t (id INTEGER PRIMARY KEY, note VARCHAR DEFAULT 'x', moment TIMESTAMPTZ, parts STRUCT(a DECIMAL(9, 2), b INTEGER[]));"
    ours = made(tmp_path / "ours", head + "INSERT INTO t VALUES (1, 'mine', now(), {'a': 1.5, 'b': [1]})")
    theirs = made(
        tmp_path / "theirs",
        head
        + "INSERT INTO t VALUES (1, 'theirs', now(), NULL), (2, 'x', '2026-11-20 10:00+01', {'a': 2, 'b': []})",
    )
    result = tmp_path / "result"
    assert append_rows(ours, theirs, (), result) == Appended(1, 1, True)
    assert describe(str(result)).columns == describe(str(ours)).columns
    definition = read_definition(DATABASE, literal(str(result)))
    assert definition == read_definition(DATABASE, literal(str(ours)))
    assert definition is not None
    assert definition.has_primary_key
    assert read(result) == [(1, "mine"), (2, "x")]


@pytest.mark.parametrize(
    ("ours", "theirs", "key", "why"),
    [
        ("CREATE TABLE t AS SELECT 1 AS id", "CREATE TABLE t AS SELECT 2 AS id", (), "no primary key"),
        ("CREATE TABLE t AS SELECT 1 AS id", "CREATE TABLE t AS SELECT 2 AS id", ("no",), "no column 'no'"),
        (
            "CREATE TABLE t AS SELECT 1 AS id",
            "CREATE TABLE t AS SELECT 2::BIGINT AS id",
            ("id",),
            "INTEGER here, and BIGINT",
        ),
        (
            "CREATE TABLE t AS SELECT 1 AS id",
            "CREATE TABLE t AS SELECT 2 AS id, 3 AS more",
            ("id",),
            "column 'more', which yours has not",
        ),
        (
            "CREATE TABLE t AS SELECT 1 AS id, 3 AS more",
            "CREATE TABLE t AS SELECT 2 AS id",
            ("id",),
            "column 'more', which the distributed",
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n < 5))",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 7)",
            (),
            "does not allow",
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE); INSERT INTO t VALUES (1, 7)",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (2, 7)",
            (),
            "the same n",
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)",
            "CREATE TABLE t (id INTEGER, n INTEGER PRIMARY KEY)",
            (),
            "different primary keys",
        ),
    ],
)
def test_what_cannot_be_merged_says_why(
    tmp_path: Path, ours: str, theirs: str, key: tuple[str, ...], why: str
) -> None:
    mine, other = made(tmp_path / "ours", ours), made(tmp_path / "theirs", theirs)
    with pytest.raises(NoMerge, match=why):
        append_rows(mine, other, key, tmp_path / "result")
    assert not (tmp_path / "result").exists()


def test_a_file_that_is_no_table_is_not_merged(tmp_path: Path) -> None:
    ours = written(tmp_path / "ours", {1: "a"})
    (tmp_path / "theirs").write_text("no")
    with pytest.raises(NoMerge, match="no Parquet"):
        append_rows(ours, tmp_path / "theirs", ("id",), tmp_path / "result")
