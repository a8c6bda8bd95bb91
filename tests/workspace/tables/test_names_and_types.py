"""Odd names, odd files, and every type through a file and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.workspace.tables.connection import Connection
from nuvo_jupyter.workspace.tables.names import quote
from nuvo_jupyter.workspace.tables.statements import Effect, mentioned, statements

Open = Callable[[], Connection]
ODD = [
    "with space", "it's", 'a "quote"', "x.y", ".".join("abc"), "müller", "表", "*", "a?b", "[ab]", "[", "]", "{a,b}", "**", "a=1", "select",
    "table", "-dash", "~", "a;b", "$x", "%s", "a\\b", "tables", "main", "view", "new\u2028line", "x" * 200, "🙂", "a.parquet", "--",
]  # fmt: skip


def test_odd_names(con: Connection, opened: Open, folder: Path) -> None:
    with con.transaction():
        for name in ODD:
            con.execute(f"CREATE TABLE {quote(name)} AS SELECT ? AS {quote(name)}", [name])
    other = opened()
    assert sorted(entry.name.name for entry in other.entries) == sorted(ODD)
    assert not other.problems
    with other.transaction():
        for name in ODD:
            other.execute(f"INSERT INTO {quote(name)} VALUES ('more')")
            other.execute(f"UPDATE {quote(name)} SET {quote(name)} = 'most' WHERE {quote(name)} = 'more'")
    for name in ODD:
        assert con.execute(f"FROM {quote(name)}").fetchall() == [(name,), ("most",)]
    con.execute(
        'CREATE SCHEMA "o d[*]d"; CREATE TABLE "o d[*]d"."t [x]" AS SELECT 1 AS a; INSERT INTO "o d[*]d"."t [x]" VALUES (2)'
    )
    assert other.execute('SELECT count(*) FROM "o d[*]d"."t [x]"').fetchall() == [(2,)]


def test_odd_names_of_the_folder_itself(tmp_path: Path) -> None:
    workspace = tmp_path / "it's [a] *dir*? {x} ü"
    workspace.mkdir()
    with Connection(workspace / "tables") as con:
        con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
        con.execute("INSERT INTO t VALUES (2); UPDATE t SET id = 3 WHERE id = 2")
        assert con.execute("FROM t").fetchall() == [(1,), (3,)]


@settings(deadline=None, max_examples=80)
@given(name=st.text(min_size=1, max_size=12).filter(lambda text: "\0" not in text and text.isprintable()))
def test_the_target_of_a_statement_is_found(name: str) -> None:
    target = quote(name)
    for sql in (
        f"INSERT INTO {target} VALUES (1)",
        f"/* {name.replace('*/', '')} */ UPDATE {target} SET a = ')('",
        f"WITH x AS (SELECT '(' AS {target}) DELETE FROM {target}",
        f"CREATE OR REPLACE TABLE {target} AS SELECT 1",
        f"ALTER TABLE {target} ADD COLUMN b INTEGER",
        f"COPY {target} FROM 'x'",
        f"MERGE INTO {target} USING y ON (a = b) WHEN MATCHED THEN DELETE",
    ):
        (found,) = statements(sql)
        assert found.effect is Effect.CHANGE
        assert found.target == (name,)
        assert statements(found.on('"other"'))[0].target == ("other",)
        (qualified,) = statements(found.on(f'"d".s.{target}'))
        assert qualified.target == ("d", "s", name)
    assert name.lower() in mentioned(f"SELECT 1 FROM {target}")


def test_names_that_differ_only_in_case(con: Connection, folder: Path, opened: Open) -> None:
    con.execute("CREATE TABLE Marks AS SELECT 1 AS a; CREATE SCHEMA S")
    con.execute("INSERT INTO mARKS VALUES (2)")
    assert sorted(os.listdir(folder)) == ["Marks.parquet", "S"]
    (folder / "marks.parquet").write_bytes((folder / "Marks.parquet").read_bytes())
    (folder / "marks.sql").write_text("SELECT 1")
    (folder / "s").mkdir()
    assert [entry.file for entry in con.entries] == ["Marks.parquet"]
    assert set(con.problems) == {"marks.parquet", "marks.sql", "s"}
    con.execute("INSERT INTO marks VALUES (3)")
    assert opened().execute("SELECT count(*) FROM MARKS").fetchall() == [(3,)]
    assert con.execute("FROM marks").fetchall() == [(1,), (2,), (3,)]
    with pytest.raises(duckdb.Error):
        con.execute("CREATE TABLE MARKS AS SELECT 1 AS a")


def test_files_that_are_none(con: Connection, folder: Path, opened: Open) -> None:
    con.execute("CREATE TABLE t AS SELECT i FROM range(100000) r(i)")
    whole = (folder / "t.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.parquet").write_bytes(b"")
    (folder / "text.parquet").write_text("PAR1 no PAR1")
    (folder / "wrong.sql").write_text("DROP TABLE t")
    (folder / "two.sql").write_text("SELECT 1; SELECT 2")
    (folder / "binary.sql").write_bytes(b"\xff\xfe")
    (folder / "lost.sql").write_text("SELECT * FROM nothing")
    (folder / "notes.txt").write_text("left alone")
    (folder / os.fsdecode(b"\xff.parquet")).write_bytes(whole)
    broken = bytearray(whole)
    broken[4 : len(whole) // 2] = bytes(len(whole) // 2 - 4)
    (folder / "damaged.parquet").write_bytes(broken)
    assert {str(entry.name) for entry in con.entries} == {"t", "damaged"}
    assert set(con.problems) == {
        "cut.parquet",
        "empty.parquet",
        "text.parquet",
        "wrong.sql",
        "two.sql",
        "binary.sql",
        "lost.sql",
        "\\xff.parquet",
    }
    for name in ("cut", "lost", "wrong"):
        with pytest.raises(duckdb.CatalogException, match=rf"tables/{name}\.(parquet|sql) cannot be used"):
            con.execute(f"FROM {name}")
    with pytest.raises(duckdb.Error):
        con.execute("SELECT sum(i) FROM damaged").fetchall()
    con.execute("DROP TABLE damaged; INSERT INTO t VALUES (5)")
    assert opened().execute("SELECT count(*) FROM t").fetchall() == [(100001,)]
    assert (folder / "cut.parquet").exists()


TYPES = [
    "BOOLEAN", "TINYINT", "UTINYINT", "SMALLINT", "INTEGER", "BIGINT", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL(4, 1)", "DECIMAL(38, 10)", "VARCHAR", "BLOB",
    "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ", "INTERVAL", "UUID", "HUGEINT", "UHUGEINT", "BIT", "JSON",
    "INTEGER[]", "VARCHAR[][]", "INTEGER[3]", "STRUCT(a INTEGER, \"b c\" VARCHAR[])", "MAP(VARCHAR, DECIMAL(5, 2))", "ENUM('a', 'it''s')",
    "STRUCT(x STRUCT(y MAP(INTEGER, TIMESTAMP)))[]", "TIMETZ", "UNION(n INTEGER, s VARCHAR)",
]  # fmt: skip
VALUES = {
    "BOOLEAN": "true", "VARCHAR": "'text'", "BLOB": "'\\xAA\\x00'::BLOB", "DATE": "DATE '2026-02-28'", "TIME": "TIME '10:11:12.5'", "TIMESTAMPTZ": "TIMESTAMPTZ '2026-07-01 10:00:00+02'",
    "INTERVAL": "INTERVAL '3 days 2 hours'", "UUID": "'6f0f8a5e-1c1e-4e4b-9d4a-111111111111'::UUID", "BIT": "'0101'::BIT", "JSON": "'{\"a\": 1}'::JSON", "INTEGER[]": "[1, NULL, 3]", "VARCHAR[][]": "[['a'], []]",
    "INTEGER[3]": "[1, 2, 3]", "STRUCT(a INTEGER, \"b c\" VARCHAR[])": "{'a': 1, 'b c': ['x']}", "MAP(VARCHAR, DECIMAL(5, 2))": "MAP {'k': 1.25}", "ENUM('a', 'it''s')": "'it''s'",
    "STRUCT(x STRUCT(y MAP(INTEGER, TIMESTAMP)))[]": "[{'x': {'y': MAP {1: TIMESTAMP '2026-01-01'}}}]", "TIMETZ": "'10:00:00+02'::TIMETZ", "UNION(n INTEGER, s VARCHAR)": "'text'::VARCHAR",
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_types(con: Connection, opened: Open, kind: str) -> None:
    value = VALUES.get(kind, "TIMESTAMP '2026-07-01 10:00:00'" if kind.startswith("TIMESTAMP") else "1")
    con.execute(f"CREATE TABLE t (v {kind}, n INTEGER)")
    con.execute(f"INSERT INTO t VALUES ({value}, 1), (NULL, 2)")
    before = con.execute("SELECT v::VARCHAR FROM t ORDER BY n").fetchall()
    other = opened()
    other.execute(f"INSERT INTO t VALUES ({value}, 3)")
    other.execute("UPDATE t SET n = n + 10")
    assert opened().execute("SELECT v::VARCHAR FROM t ORDER BY n").fetchall() == [*before, before[0]]
    with other.transaction():
        other.execute("UPDATE t SET n = 0")
        (described,) = other.execute(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = 't' AND column_name = 'v'"
        ).fetchall()
    assert described[0] == duckdb.execute(f"SELECT typeof(NULL::{kind})").fetchall()[0][0]
    assert len(con.execute("FROM t").fetchall()) == 3


def test_an_enum_type_of_the_session(con: Connection, opened: Open) -> None:
    con.execute(
        "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('glad')"
    )
    other = opened()
    with pytest.raises(duckdb.Error):
        other.execute("INSERT INTO t VALUES ('bored')")
    other.execute("INSERT INTO t VALUES ('sad')")
    assert con.execute("SELECT m FROM t ORDER BY m").fetchall() == [("glad",), ("sad",)]


def test_many_columns_and_no_rows(con: Connection, opened: Open) -> None:
    con.execute(f"CREATE TABLE wide AS SELECT {', '.join(f'{i} AS c{i}' for i in range(2000))}")
    con.execute("UPDATE wide SET c1999 = -1")
    con.execute("CREATE TABLE empty AS FROM wide LIMIT 0")
    assert opened().execute("SELECT c0, c1999 FROM wide").fetchall() == [(0, -1)]
    assert len(opened().execute("DESCRIBE empty").fetchall()) == 2000
    con.execute("INSERT INTO empty FROM wide")
    assert con.execute("SELECT count(*) FROM empty").fetchall() == [(1,)]


def test_a_file_of_another_program(con: Connection, folder: Path) -> None:
    folder.mkdir()
    duckdb.execute(f"COPY (SELECT i AS a, 'x' AS b FROM range(3) t(i)) TO '{folder}/theirs.parquet'")
    con.execute("INSERT INTO theirs VALUES (9, 'y'); UPDATE theirs SET a = a + 1")
    assert con.execute("SELECT a FROM theirs").fetchall() == [(1,), (2,), (3,), (10,)]


@pytest.mark.parametrize(
    "body",
    [
        "(a) AS SELECT content AS a FROM read_text('/etc/hostname')",
        "AS SELECT 1 AS a",
        "(a INTEGER); DROP TABLE other",
        "(a INTEGER",
        "",
        "(b INTEGER)",
        "(a VARCHAR)) --",
    ],
)
def test_a_planted_definition_runs_nothing(con: Connection, folder: Path, body: str) -> None:
    import msgspec

    con.execute("CREATE TABLE other AS SELECT 1 AS x")
    planted = msgspec.json.encode({"body": body}).decode().replace("'", "''")
    duckdb.execute(
        f"COPY (SELECT 1 AS a) TO '{folder}/t.parquet' (FORMAT parquet, KV_METADATA {{nuvo_definition: '{planted}'}})"
    )
    con.execute("INSERT INTO t VALUES (2)")
    con.execute("UPDATE t SET a = a + 1")
    assert con.execute("FROM t").fetchall() == [(2,), (3,)]
    assert con.execute("FROM other").fetchall() == [(1,)]
