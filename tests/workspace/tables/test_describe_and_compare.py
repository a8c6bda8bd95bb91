"""What a Parquet file holds, and how two of them differ."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.workspace.tables.compare import ROWS_SHOWN, compare
from nuvo_jupyter.workspace.tables.connection import Connection
from nuvo_jupyter.workspace.tables.describe import definition_text, describe, first_rows


def test_columns_rows_and_definition(con: Connection, folder: Path) -> None:
    con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, \"o d\" VARCHAR DEFAULT 'x')")
    con.execute("INSERT INTO t (id) SELECT i FROM range(5000) r(i)")
    found = describe(str(folder / "t.parquet"))
    assert [(column.name, column.type) for column in found.columns] == [("id", "INTEGER"), ("o d", "VARCHAR")]
    assert found.rows == 5000
    assert "PRIMARY KEY" in definition_text("t", found)
    with duckdb.connect() as other:
        other.execute(definition_text('it"s', found))
    assert first_rows(str(folder / "t.parquet"), 2, 10) == ((10, "x"), (11, "x"))
    assert len(first_rows(str(folder / "t.parquet"), 10**9)) == 1000


def test_every_value_is_json(con: Connection, folder: Path) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT 1.10::DECIMAL(5, 2) AS dec, TIMESTAMPTZ '2026-07-01 10:00:00+00' AS tz, "
        "{'a': [TIMESTAMPTZ '2026-07-01 10:00:00+00']} AS nested, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS inf, '\\xAA'::BLOB AS bytes, "
        "170141183460469231731687303715884105727::HUGEINT AS huge, 9007199254740993 AS big, INTERVAL '1 day' AS i, "
        "MAP {'k': DATE '2026-01-01'} AS m, repeat('x', 5000) AS long, NULL::INTEGER AS n, 'a'::ENUM('a') AS e, TIME '10:00' AS t, "
        "DATE '9999-12-31' AS late, '290000-01-01'::DATE AS later, TIMESTAMP 'infinity' AS never"
    )
    (row,) = first_rows(str(folder / "t.parquet"), 10)
    assert json.loads(json.dumps(row, allow_nan=False)) is not None
    assert row[0] == "1.10"
    assert str(row[1]).startswith("2026-07-01")
    assert row[3:6] == ("nan", "-inf", "0xaa")
    assert row[7] == "9007199254740993"
    assert len(row[10]) < 3000
    assert row[11] is None


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"x" * 1000])
def test_no_parquet(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "it's [no].parquet"
    file.write_bytes(content)
    for look in (
        lambda: describe(str(file)),
        lambda: first_rows(str(file), 1),
        lambda: compare(str(file), str(file)),
    ):
        with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
            look()


def test_rows_by_key(con: Connection, folder: Path, tmp_path: Path) -> None:
    con.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, v VARCHAR, old INTEGER)")
    con.execute("INSERT INTO a SELECT i, 'v' || i, 0 FROM range(1000) r(i)")
    con.execute(
        "CREATE TABLE b (id INTEGER PRIMARY KEY, v VARCHAR, new DATE); INSERT INTO b SELECT id, v, NULL FROM a WHERE id <> 5"
    )
    con.execute("INSERT INTO b VALUES (2000, 'added', NULL); UPDATE b SET v = NULL WHERE id = 7")
    left, right = str(folder / "a.parquet"), str(folder / "b.parquet")
    found = compare(left, right)
    assert (found.added, found.removed, found.changed) == (("new",), ("old",), ())
    assert found.key == ("id",)
    assert (found.rows_added, found.rows_removed, found.rows_changed) == (1, 1, 1)
    assert len(found.rows) == 3
    assert compare(left, left).rows == ()
    by_value = compare(left, right, ["v"])
    assert by_value.rows_added + by_value.rows_removed > 0
    with pytest.raises(InvalidInput, match="nothing"):
        compare(left, right, ["nothing"])
    con.execute("UPDATE b SET v = v || '!' WHERE v IS NOT NULL")
    many = compare(left, right)
    assert many.rows_changed == 999
    assert len(many.rows) == ROWS_SHOWN


def test_rows_without_a_key(con: Connection, folder: Path) -> None:
    con.execute(
        "CREATE TABLE a AS SELECT i % 3 AS x FROM range(9) r(i); CREATE TABLE b AS SELECT i % 3 AS x FROM range(11) r(i)"
    )
    found = compare(str(folder / "a.parquet"), str(folder / "b.parquet"))
    assert (found.key, found.rows_added, found.rows_removed) == ((), 2, 0)
    con.execute("CREATE TABLE c AS SELECT 'x' AS y")
    assert compare(str(folder / "a.parquet"), str(folder / "c.parquet")).removed == ("x",)
